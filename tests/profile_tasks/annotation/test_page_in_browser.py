"""The page for annotators in a real browser: from disk, by keyboard, taken up, saved, read."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from profile_tasks.annotation.project import Key, read_key
from profile_tasks.cli import main
from tests.profile_tasks.real_browser import VIEWS, Browser, Page, axe, chromium

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Inspect and its dependencies warn
]

HOSTILE = (
    '</script><script>document.title="owned"</script>'
    "<img src=x onerror='document.title=1'> "
    "{{ 7 * 7 }} {% raw %} ${alert(1)} \u202egnp.exe \u2028 &lt;b&gt; javascript:alert(1)"
)


def annotate(folder: Path, *arguments: str) -> Path:
    command = ["annotate", *arguments, "--for", "html", "-o", str(folder)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "study"
    what = ("demo", "--task", "summarization", "--pairs", "4")
    return annotate(folder, *what, "--ask", "fluency", "--checks", "1")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    row = {
        "id": HOSTILE, "group": HOSTILE, "prompt": f"request {HOSTILE}",
        "source": f"source {HOSTILE}", "response_a": f"first {HOSTILE}",
        "response_b": f"second {HOSTILE}", "annotators": [],
    }  # fmt: skip
    (folder / "pairs.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return annotate(folder / "study", str(folder / "pairs.jsonl"))


@pytest.fixture(scope="module")
def browser(study: Path, hostile: Path) -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, study: Path) -> Iterator[Page]:
    context = browser.new_context(**VIEWS["light"])
    opened = context.new_page()
    opened.goto((study / "annotator-1.html").as_uri())
    yield opened
    context.close()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def saved(page: Page, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save answers as a file").click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def shown(page: Page) -> tuple[str, str]:
    return page.locator("#first").inner_text(), page.locator("#second").inner_text()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("which", ["study", "hostile"])
def test_it_opens_from_disk_accessible_without_an_error_or_a_request(
    browser: Browser, which: str, view: str, request: pytest.FixtureRequest
) -> None:
    context = browser.new_context(**VIEWS[view])
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda sent: problems.append(sent.url))
    address = (request.getfixturevalue(which) / "annotator-1.html").as_uri()
    page.goto(address)
    assert problems == [address]
    assert axe.Axe().run(page).response["violations"] == []
    wide = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wide
    context.close()


def test_what_is_pressed_is_what_is_read(page: Page, study: Path, tmp_path: Path) -> None:
    seen = []
    for key in ("a", "b", "t", "s"):
        seen.append(shown(page))
        press(page, key, *([] if key == "s" else ["Enter"]))
    press(page, "c")
    page.keyboard.type("Both are bad.")
    press(page, "Escape", "b", "ArrowRight")
    page.get_by_role("button", name="Back to the last pair").click()
    assert page.locator("#which").inner_text() == "Pair 5 of 5"
    press(page, "ArrowRight")
    assert page.locator("#status").inner_text().startswith("All 5 pairs are answered or skipped.")
    page.get_by_label("Your name or number").fill("Robin")
    file = saved(page, tmp_path)
    assert file.name.endswith("-Robin.json")
    people = tmp_path / "people.jsonl"
    command = ["collect", str(study), str(file), "-o", str(people), "--keep-names"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in people.read_text("utf-8").splitlines()]
    by_texts = {(row["response_a"], row["response_b"]): row for row in rows}
    votes = {}
    for number, (first, second) in enumerate(seen):
        for texts, side in (((first, second), "ab"), ((second, first), "ba")):
            if texts in by_texts:
                votes[number] = (by_texts[texts]["annotators"], side)
    expected = {0: lambda side: [side[0]], 1: lambda side: [side[1]], 2: lambda _: ["tie"],
                3: lambda _: []}  # fmt: skip
    assert len(votes) >= 3  # one of the five is a check
    for number, (given, side) in votes.items():
        assert given == expected[number](side)
    assert {name for row in rows for name in row["annotator_names"]} <= {"Robin"}
    said = json.loads(file.read_text("utf-8"))["answers"]
    assert [each["comment"] for each in said].count("Both are bad.") == 1
    assert all(each["seconds"] >= 0 for each in said)


def test_a_factor_is_answered_beside_the_pair(page: Page, study: Path, tmp_path: Path) -> None:
    page.get_by_role("group", name="Fluency").get_by_label("Both alike").check()
    press(page, "a", "Enter")
    (said,) = json.loads(saved(page, tmp_path).read_text("utf-8"))["answers"]
    assert (said["preference"], said["factors"]) == ("first", {"fluency": "tie"})


def test_an_answer_is_wanted_before_the_next_pair(page: Page) -> None:
    press(page, "Enter")
    assert page.get_by_role("alert").inner_text() == "Choose an answer, or skip the pair."
    assert page.locator("#which").inner_text() == "Pair 1 of 5"
    press(page, "a", "Enter")
    assert page.locator("#which").inner_text() == "Pair 2 of 5"
    focus = page.evaluate("document.activeElement.id")
    assert focus == "which"
    press(page, "ArrowLeft")
    assert page.get_by_role("radio", name="Text A").first.is_checked()


def test_it_goes_on_where_it_was_left(
    page: Page, browser: Browser, study: Path, tmp_path: Path
) -> None:
    press(page, "a", "Enter", "b", "Enter")
    page.reload()
    assert page.locator("#status").inner_text() == "2 of 5 pairs answered or skipped"
    assert page.locator("#which").inner_text() == "Pair 3 of 5"
    file = saved(page, tmp_path)
    context = browser.new_context(**VIEWS["light"])
    elsewhere = context.new_page()
    elsewhere.goto((study / "annotator-1.html").as_uri())
    assert elsewhere.locator("#status").inner_text() == "0 of 5 pairs answered or skipped"
    elsewhere.get_by_label("Go on from a saved file").set_input_files(file)
    elsewhere.wait_for_function("document.getElementById('which').textContent === 'Pair 3 of 5'")
    press(elsewhere, "ArrowLeft")
    assert elsewhere.get_by_role("radio", name="Text B").first.is_checked()
    foreign = tmp_path / "foreign.json"
    foreign.write_text('{"project": "another", "answers": []}', encoding="utf-8")
    elsewhere.get_by_label("Go on from a saved file").set_input_files(foreign)
    elsewhere.wait_for_function(
        "document.getElementById('problem').textContent.startsWith('That file holds')"
    )
    context.close()


def test_a_damaged_file_takes_no_answer_away_and_an_older_one_neither(
    page: Page, tmp_path: Path
) -> None:
    press(page, "a", "Enter")
    older = saved(page, tmp_path)
    content = json.loads(older.read_text("utf-8"))
    page.locator("#which").focus()
    press(page, "b", "Enter")
    damaged = tmp_path / "damaged.json"
    for change in ({"answers": 5}, {"answers": [{"task": "x"}]},
                   {"answers": [content["answers"][0] | {"preference": "third"}]}):  # fmt: skip
        damaged.write_text(json.dumps(content | change), encoding="utf-8")
        page.get_by_label("Go on from a saved file").set_input_files(damaged)
        page.get_by_text("That file holds no answers that this page saved.").wait_for()
        assert page.locator("#status").inner_text() == "2 of 5 pairs answered or skipped"
        press(page, "ArrowLeft", "ArrowRight")
    page.get_by_label("Go on from a saved file").set_input_files(older)
    page.get_by_text("Pair 3 of 5").wait_for()
    assert page.locator("#status").inner_text() == "2 of 5 pairs answered or skipped"


def test_the_file_of_somebody_else_brings_no_answer_of_who_sat_here_before(
    page: Page, tmp_path: Path
) -> None:
    page.get_by_label("Your name").fill("Ann")
    page.locator("#which").focus()
    press(page, "a", "Enter", "b", "Enter")
    content = json.loads(saved(page, tmp_path).read_text("utf-8"))
    theirs = tmp_path / "theirs.json"
    theirs.write_text(
        json.dumps(content | {"annotator": "Bea", "answers": content["answers"][:1]}), "utf-8"
    )
    page.get_by_label("Go on from a saved file").set_input_files(theirs)
    page.get_by_text("1 of 5 pairs answered or skipped").wait_for()


def test_a_second_tab_takes_no_answer_away(page: Page) -> None:
    other = page.context.new_page()
    other.goto(page.url)
    press(page, "a", "Enter", "b", "Enter")
    other.get_by_text("2 of 5 pairs answered or skipped").wait_for()
    assert other.locator("#which").inner_text() == "Pair 1 of 5"
    press(other, "ArrowRight", "ArrowRight", "t", "Enter")
    other.close()
    page.reload()
    assert page.locator("#status").inner_text() == "3 of 5 pairs answered or skipped"


def test_who_answers_by_keyboard_is_told_that_the_browser_keeps_nothing(
    browser: Browser, study: Path
) -> None:
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied') } })"
    )
    page = context.new_page()
    page.goto((study / "annotator-1.html").as_uri())
    press(page, "a", "Enter")
    assert page.locator("#which").inner_text() == "Pair 2 of 5"
    told = page.get_by_role("alert").filter(has_text="This browser keeps nothing").inner_text()
    assert "save your answers as a file before you close it" in told
    context.close()


def test_time_counts_while_the_page_is_seen(browser: Browser, study: Path, tmp_path: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto((study / "annotator-1.html").as_uri())
    for seen, seconds in (("visible", 20), ("hidden", 300), ("visible", 10)):
        page.evaluate(
            """value => {
                Object.defineProperty(document, "visibilityState", { value, configurable: true });
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            seen,
        )  # fmt: skip
        page.clock.run_for(1000 * seconds)
    press(page, "a")
    (said,) = json.loads(saved(page, tmp_path).read_text("utf-8"))["answers"]
    assert 30 <= said["seconds"] < 60
    context.close()


def test_a_skipped_pair_that_is_answered_is_not_called_skipped(page: Page) -> None:
    press(page, "s", "ArrowLeft")
    assert page.locator("#which").inner_text() == "Pair 1 of 5, skipped"
    press(page, "a")
    assert page.locator("#which").inner_text() == "Pair 1 of 5"


def test_keys_can_be_turned_off(page: Page) -> None:
    page.get_by_label("use these keys").uncheck()
    page.locator("#which").focus()
    press(page, "a")
    assert not page.get_by_role("radio", name="Text A").first.is_checked()


def test_hostile_texts_are_seen_as_text_and_run_nothing(browser: Browser, hostile: Path) -> None:
    context = browser.new_context(**VIEWS["light"])
    page = context.new_page()
    page.goto((hostile / "annotator-1.html").as_uri())
    page.wait_for_timeout(200)
    assert page.title() == "Which text is better?"
    assert page.locator("main img").count() == 0
    for part in ("request", "source", "first", "second"):
        seen = page.locator(f"#{part}").inner_text()
        assert '</script><script>document.title="owned"</script><img src=x onerror=' in seen
        assert "{{ 7 * 7 }} {% raw %} ${alert(1)} ⟨U+202E⟩gnp.exe ⟨U+2028⟩ &lt;b&gt;" in seen
    context.close()


def test_a_page_tells_nothing_about_its_pairs(study: Path) -> None:
    text = (study / "annotator-1.html").read_text(encoding="utf-8")
    key: Key = read_key(study)
    assert key.salt not in text
    for row in key.rows:
        assert f'"{row["id"]}"' not in text
