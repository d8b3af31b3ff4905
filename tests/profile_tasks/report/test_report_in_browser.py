"""The page in a real browser: from disk, in the dark, on a narrow screen, for all who read it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from profile_tasks.cli import main
from tests.profile_tasks.real_browser import VIEWS, Browser, Locator, Page, axe, chromium

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Inspect and its dependencies warn
]


@pytest.fixture(scope="module")
def board_page(verbose_log: Path, concise_log: Path, made_once: Any) -> Path:
    def built(folder: Path) -> Path:
        page = folder / "board.html"
        logs = map(str, (verbose_log, concise_log))
        result = CliRunner().invoke(main, ["leaderboard", *logs, "-o", str(page)])
        assert result.exit_code == 0, result.output
        return page

    return made_once(("board page",), built)


# Pages first: where Chromium runs, Inspect cannot.
@pytest.fixture(scope="module")
def browser(
    planted_page: Path, hostile_page: Path, board_page: Path, audit_page: Path
) -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(params=VIEWS)
def view(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(**VIEWS[request.param])
    yield context.new_page()
    context.close()


@pytest.fixture
def page(browser: Browser, planted_page: Path) -> Iterator[Page]:
    context = browser.new_context(**VIEWS["light"], accept_downloads=True)
    opened = context.new_page()
    opened.goto(planted_page.as_uri())
    yield opened
    context.close()


def column(page: Page, table: str, index: int) -> list[str]:
    return page.locator(f"#{table} tbody tr > :nth-child({index})").all_inner_texts()


def contrast(page: Page, selector: str) -> float:
    """Contrast of an element's text with the page, as WCAG has it."""
    return page.locator(selector).first.evaluate(
        """element => {
            const light = colour => {
                const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map(Number)
                    .map(c => c / 255)
                    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const own = element.namespaceURI.endsWith("svg") ? "fill" : "color";
            const [a, b] = [getComputedStyle(element)[own],
                            getComputedStyle(document.documentElement).backgroundColor]
                .map(light).sort((x, y) => y - x);
            return (a + 0.05) / (b + 0.05);
        }"""
    )


@pytest.mark.parametrize("which", ["planted_page", "hostile_page", "board_page", "audit_page"])
def test_it_opens_from_disk_without_an_error_or_a_request(
    view: Page, which: str, request: pytest.FixtureRequest
) -> None:
    file: Path = request.getfixturevalue(which)
    errors: list[str] = []
    requests: list[str] = []
    view.on("console", lambda message: errors.append(message.text))
    view.on("pageerror", lambda error: errors.append(str(error)))
    view.on("request", lambda sent: requests.append(sent.url))
    view.goto(file.as_uri())
    view.wait_for_load_state("networkidle")
    for tab in view.get_by_role("tab").all():
        tab.click()
    for details in view.locator("details").all()[:20]:
        details.evaluate("element => { element.open = true }")
    assert errors == []
    assert requests == [file.as_uri()]
    assert view.title().startswith("Factor-level preference alignment")


@pytest.mark.parametrize("which", ["planted_page", "hostile_page", "board_page", "audit_page"])
def test_nothing_sticks_out_of_the_screen(
    view: Page, which: str, request: pytest.FixtureRequest
) -> None:
    view.goto(request.getfixturevalue(which).as_uri())
    view.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    for tab in view.get_by_role("tab").all():
        tab.click()
        assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_texts_and_figures_are_readable(view: Page, planted_page: Path) -> None:
    view.goto(planted_page.as_uri())
    everything_open(view)
    for selector in ("p.lead", "p.caption", "figcaption", "td", ".drawing svg text", ".scale text"):
        assert contrast(view, selector) >= 4.5
    for selector in (".badges li", ".legend .human", "th.told", ".whose.generation"):
        assert contrast(view, selector) >= 4.5
    smallest = view.evaluate(
        """Math.min(...[...document.querySelectorAll('.drawing svg text')].map(
            text => parseFloat(getComputedStyle(text).fontSize)
                * text.ownerSVGElement.getBoundingClientRect().width
                / text.ownerSVGElement.viewBox.baseVal.width))"""
    )
    assert smallest >= 7.5


@pytest.mark.parametrize("which", ["planted_page", "board_page", "audit_page"])
def test_axe_finds_no_serious_fault(view: Page, which: str, request: pytest.FixtureRequest) -> None:
    view.goto(request.getfixturevalue(which).as_uri())
    for details in ("details.said", "details.figures", "details.data"):
        if view.locator(details).count():
            view.locator(details).first.evaluate("element => { element.open = true }")
    view.evaluate("document.querySelectorAll('.panel').forEach(part => { part.hidden = false })")
    found = axe.Axe().run(view).response["violations"]
    serious = [v for v in found if v["impact"] in {"serious", "critical"}]
    assert serious == [], [(v["id"], v["nodes"][0]["html"]) for v in serious]


def everything_open(page: Page) -> None:
    """Show all parts at once, with nothing folded."""
    page.evaluate(
        """() => {
            document.querySelectorAll('.panel').forEach(panel => { panel.hidden = false });
            document.querySelectorAll('details').forEach(details => { details.open = true });
        }"""
    )


def opened_part(page: Page) -> list[str]:
    return [
        part.get_attribute("id") or "" for part in page.locator(".panel").all() if part.is_visible()
    ]


def attributes(found: Locator, name: str) -> list[str]:
    """What the elements' data say, in the order of the page."""
    values: list[str] = found.evaluate_all("(all, name) => all.map(e => e.dataset[name])", name)
    return values


def shown_pairs(page: Page) -> Locator:
    return page.locator(".example:not([hidden])")


def test_the_first_screen_holds_sentence_badges_and_figure(page: Page) -> None:
    for selector in (".finding .lead", ".finding .badges", ".finding .dots"):
        for found in page.locator(selector).all():
            box = found.bounding_box()
            assert found.is_visible()
            assert box is not None
            assert box["y"] + box["height"] < 900
    assert not page.locator(".badges").first.evaluate("e => e.closest('details') !== null")
    assert page.evaluate("document.documentElement.scrollHeight") < 3000


def test_parts_open_one_at_a_time(page: Page) -> None:
    assert opened_part(page) == ["factors"]
    page.get_by_role("tab", name="alignment").click()
    assert opened_part(page) == ["alignment"]
    assert page.url.endswith("#alignment")
    page.reload()
    assert opened_part(page) == ["alignment"]


def test_the_keyboard_alone_opens_parts_and_pairs(page: Page) -> None:
    page.get_by_role("tab", name="factors").focus()
    page.keyboard.press("ArrowRight")
    assert opened_part(page) == ["examples"]
    page.keyboard.press("End")
    assert opened_part(page) == ["measured"]
    page.keyboard.press("ArrowRight")
    assert opened_part(page) == ["factors"]
    # From the figure below the headline: a factor's counts, then its pairs.
    page.locator(".finding a[data-factor=source_coverage]").first.focus()
    assert "source coverage\N{NO-BREAK SPACE}△\npeople: " in page.locator(".tip").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator(".tip").is_visible()
    page.keyboard.press("Enter")
    assert opened_part(page) == ["examples"]
    assert page.locator("#factor").input_value() == "source_coverage"
    first = shown_pairs(page).first
    assert first.locator("summary").evaluate("e => e === document.activeElement")
    assert first.get_attribute("open") is not None
    page.keyboard.press("Enter")
    assert first.get_attribute("open") is None
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert shown_pairs(page).nth(1).get_attribute("open") is not None


def test_pointing_at_a_factor_shows_the_counts_behind_it(page: Page) -> None:
    row = page.locator(".influences tr[data-name=length]").first
    assert not page.locator(".tip").is_visible()
    row.hover()
    said = page.locator(".tip").inner_text()
    assert "as a judge: " in said
    assert re.search(r"people: .*; \d+ pairs: the preferred response shows more in \d+", said)
    page.locator("h1").hover()
    assert not page.locator(".tip").is_visible()


def test_factors_are_ordered_and_found_by_a_part_of_their_name(page: Page) -> None:
    def values(key: str) -> list[float]:
        rows = page.locator(".influences .dots").first.locator("tbody tr")
        return [float(value) for value in attributes(rows, key)]

    given = values("human")
    for key in ("difference", "human", "generation"):
        page.locator("#order").select_option(key)
        assert values(key) == sorted(values(key), reverse=True)
    assert values("human") != given
    page.locator("#order").select_option("")
    assert values("human") == given
    page.locator("#order").select_option("name")
    names = page.locator(".influences .dots").first.locator("tbody th").all_inner_texts()
    assert names == sorted(names)
    page.locator("#only").fill("COVER")
    shown = page.locator(".influences .dots tbody tr:visible th").all_inner_texts()
    assert {name.split("\u00a0")[0] for name in shown} == {"source coverage"}
    page.locator("#only").fill("")
    assert page.locator(".influences .dots").first.locator("tbody tr:visible").count() == 10


def test_pairs_are_chosen_and_ordered(page: Page) -> None:
    page.get_by_role("tab", name="examples").click()
    page.locator("#factor").select_option("fluency")
    page.locator("#whose").select_option("people")
    page.locator("#side").select_option("less")
    chosen = shown_pairs(page).all()
    assert 0 < len(chosen) <= 3
    for pair in chosen:
        assert "people: preferred less fluency" in pair.locator("summary").inner_text()
    assert page.locator("#counted").inner_text().startswith(f"1 of {len(chosen)} pairs shown")
    for name in ("factor", "whose", "side"):
        page.locator(f"#{name}").select_option("")
    everything = page.locator(".example").count()
    assert shown_pairs(page).count() == everything
    page.locator("#arrange").select_option("shared")
    shared = [float(value) for value in attributes(shown_pairs(page), "shared")]
    assert shared == sorted(shared, reverse=True)
    assert len(set(shared)) > 5
    page.locator("#arrange").select_option("source")
    sources = attributes(shown_pairs(page), "source")
    assert sources == sorted(sources)
    page.locator("#arrange").select_option("")
    factors = attributes(shown_pairs(page), "factor")
    assert len(set(factors)) == sum(a != b for a, b in zip(factors, ["", *factors], strict=False))


def test_one_pair_is_opened_after_the_other(page: Page) -> None:
    page.get_by_role("tab", name="examples").click()

    def opened() -> list[int]:
        found: list[bool] = shown_pairs(page).evaluate_all("pairs => pairs.map(pair => pair.open)")
        return [at for at, is_open in enumerate(found) if is_open]

    assert opened() == [0]
    page.locator("#next").click()
    page.locator("#next").click()
    assert opened() == [2]
    assert page.locator("#counted").inner_text().startswith("3 of ")
    assert page.locator("#next").is_visible()
    box = shown_pairs(page).nth(2).bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 450  # below what stays on top
    page.locator("#previous").click()
    assert opened() == [1]


def test_everything_reads_without_a_script(browser: Browser, planted_page: Path) -> None:
    context = browser.new_context(**VIEWS["light"], java_script_enabled=False)
    page = context.new_page()
    page.goto(planted_page.as_uri())
    assert len(opened_part(page)) == 5
    assert not page.locator(".toolbar").first.is_visible()
    pair = page.locator(".example").nth(40)
    pair.locator("summary").click()
    assert pair.locator(".text").first.is_visible()
    context.close()


def test_tables_sort_by_number_and_back(page: Page) -> None:
    table = "task-1-run-1-scores"
    page.locator(f"#{table}").evaluate("table => { table.closest('details').open = true }")
    head = page.locator(f"#{table} th", has_text=re.compile("^tau$"))
    head.get_by_role("button").click()
    rising = [float(text.replace("−", "-")) for text in column(page, table, 3)]
    assert head.get_attribute("aria-sort") == "ascending"
    assert rising == sorted(rising)
    assert len(rising) == 30
    head.get_by_role("button").click()
    falling = [float(text.replace("−", "-")) for text in column(page, table, 3)]
    assert falling == rising[::-1]


def test_missing_numbers_come_last_either_way(page: Page) -> None:
    table = "task-1-run-1-scores"
    page.locator(f"#{table}").evaluate("table => { table.closest('details').open = true }")
    button = page.locator(f"#{table} th button", has_text="difference to human")
    for _ in range(2):
        button.click()
        texts = column(page, table, 13)
        assert texts[-10:] == ["–"] * 10
        assert "–" not in texts[:-10]


def test_a_pair_opens_side_by_side_with_marked_words_and_what_decided(page: Page) -> None:
    page.get_by_role("tab", name="examples").click()
    page.locator("#factor").select_option("hallucination")
    pair = shown_pairs(page).nth(1)
    assert not pair.locator(".text").first.is_visible()
    pair.locator("summary").click()
    left, right = (text.bounding_box() for text in pair.locator(".text").all())
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] < right["x"]
    assert pair.locator(".facts .fact-label").first.is_visible()
    marked = pair.locator("ins, del").first
    background = "e => getComputedStyle(e).backgroundColor"
    assert marked.evaluate(background) != "rgba(0, 0, 0, 0)"
    page.locator("#marks").uncheck()
    assert marked.evaluate(background) == "rgba(0, 0, 0, 0)"


def test_tables_are_saved_as_csv_and_json(page: Page, tmp_path: Path) -> None:
    page.get_by_role("tab", name="alignment").click()
    with page.expect_download() as download:
        page.locator('button.csv[data-table="overview"]').click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith('task,model,"self-agreement, r","alignment as a writer')
    assert len(lines) == 3
    page.get_by_role("tab", name="how it was measured").click()
    with page.expect_download() as download:
        page.locator("#json").click()
    saved = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    scores = saved["task-1-run-1-scores"]
    assert scores["columns"][:3] == ["factor", "perspective", "tau"]
    assert len(scores["rows"]) == 30
    assert isinstance(scores["rows"][0][2], float)


def test_hostile_texts_are_seen_as_text_and_run_nothing(
    browser: Browser, hostile_page: Path
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(hostile_page.as_uri())
    page.get_by_role("tab", name="examples").click()
    for name in ("factor", "whose", "side"):
        page.locator(f"#{name}").select_option("")
    everything_open(page)
    page.wait_for_timeout(200)
    assert page.title().startswith("Factor-level preference alignment")
    seen = page.locator("main").inner_text()
    for text in (
        '<script>document.title="owned"</script>',
        "</script><img src=x onerror=",
        "⟨U+202E⟩gnp.exe",
        "⟨U+D83D⟩",
        "␀",
    ):
        assert text in seen
    context.close()


def test_it_prints(browser: Browser, planted_page: Path) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(planted_page.as_uri())
    page.emulate_media(media="print")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    assert contrast(page, "p.lead") >= 7
    for selector in (".drawing svg text", ".whose.human", ".whose.generation", ".badges li"):
        assert contrast(page, selector) >= 4.5
    assert not page.locator("nav").is_visible()
    # Nothing stays behind a tab or a fold but the tables of the figures.
    assert len(opened_part(page)) == 5
    for selector in (".said .cautions li", "details.figures figure", ".metrics td"):
        assert page.locator(selector).first.is_visible()
    drawn = (
        shown_pairs(page)
        .locator(".text")
        .evaluate_all("texts => texts.map(text => text.checkVisibility() && text.offsetHeight > 0)")
    )
    assert all(drawn)
    assert len(drawn) == 2 * shown_pairs(page).count()
    assert page.pdf().startswith(b"%PDF")
    context.close()
