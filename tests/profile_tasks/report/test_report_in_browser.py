"""The page in a real browser: from disk, in the dark, on a narrow screen, for assistive technology.

Needs Chromium and Playwright (``pip install '.[browser]'``, ``apt-get install chromium``).
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

playwright_api = pytest.importorskip(
    "playwright.sync_api",
    reason="Playwright is not installed: pip install 'profile-tasks[browser]'",
)
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright",
    reason="axe is not installed: pip install 'profile-tasks[browser]'",
)
Browser, Page, Locator = playwright_api.Browser, playwright_api.Page, playwright_api.Locator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Inspect and its dependencies warn
]

VIEWS = {
    "light": {"viewport": {"width": 1200, "height": 900}},
    "dark": {"viewport": {"width": 1200, "height": 900}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 400, "height": 800}},
    "narrow and dark": {"viewport": {"width": 400, "height": 800}, "color_scheme": "dark"},
}


# Pages first: where Playwright runs, Inspect cannot, since both want the thread's event loop.
@pytest.fixture(scope="module")
def browser(planted_page: Path, hostile_page: Path) -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium on the path: apt-get install chromium")
    with playwright_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


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


@pytest.mark.parametrize("which", ["planted_page", "hostile_page"])
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
    for details in view.locator("details").all()[:20]:
        details.evaluate("element => { element.open = true }")
    assert errors == []
    assert requests == [file.as_uri()]
    assert view.title().startswith("Factor-level preference alignment")


@pytest.mark.parametrize("which", ["planted_page", "hostile_page"])
def test_nothing_sticks_out_of_the_screen(
    view: Page, which: str, request: pytest.FixtureRequest
) -> None:
    view.goto(request.getfixturevalue(which).as_uri())
    view.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_texts_and_figures_are_readable(view: Page, planted_page: Path) -> None:
    view.goto(planted_page.as_uri())
    for selector in ("p.lead", "p.caption", "figcaption", "td", ".drawing svg text"):
        assert contrast(view, selector) >= 4.5
    smallest = view.evaluate(
        """Math.min(...[...document.querySelectorAll('.drawing svg text')].map(
            text => parseFloat(getComputedStyle(text).fontSize)
                * text.ownerSVGElement.getBoundingClientRect().width
                / text.ownerSVGElement.viewBox.baseVal.width))"""
    )
    assert smallest >= 7.5


def test_axe_finds_no_serious_fault(view: Page, planted_page: Path) -> None:
    view.goto(planted_page.as_uri())
    for selector in ("details.factor", "details.example", "figure details", "details.cautions"):
        view.locator(selector).first.evaluate("element => { element.open = true }")
    found = axe.Axe().run(view).response["violations"]
    serious = [v for v in found if v["impact"] in {"serious", "critical"}]
    assert serious == [], [(v["id"], v["nodes"][0]["html"]) for v in serious]


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


def test_an_example_opens_with_both_texts_and_what_decided(page: Page) -> None:
    factor = page.locator("details.factor", has=page.locator("summary", has_text="hallucination"))
    factor.first.locator("summary").first.click()
    example = factor.first.locator("details.example").first
    assert not example.locator(".text").first.is_visible()
    example.locator("summary").click()
    assert example.locator(".text").count() == 2
    assert all(text.is_visible() and text.inner_text() for text in example.locator(".text").all())
    assert example.locator(".facts .fact-label").first.is_visible()
    assert example.locator("ins, del").count() > 0


def test_tables_are_saved_as_csv_and_json(page: Page, tmp_path: Path) -> None:
    with page.expect_download() as download:
        page.locator('button.csv[data-table="overview"]').click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith('task,model,"self-agreement, r","alignment as a writer')
    assert len(lines) == 3
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
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
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
    for selector in (".drawing svg text", "h4.human", "h4.generation", "h4.discrimination"):
        assert contrast(page, selector) >= 4.5
    assert not page.locator("nav").is_visible()
    assert page.pdf().startswith(b"%PDF")
    context.close()
