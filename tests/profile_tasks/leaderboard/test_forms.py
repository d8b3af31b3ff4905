"""What each form shows, and that no name of a model gets out of its cell."""

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from profile_tasks.leaderboard.boards import SORT, boards
from profile_tasks.leaderboard.forms import Leaderboard, csv_text, html, json_text, markdown_tables
from profile_tasks.runs.run import Run

HOSTILE = '=HYPERLINK("x")|<script>alert(1)</script>\n# [a](javascript:b) `c` \x1b[31m'


def run(model: str, value: float | None = 0.5) -> Run:
    known = {f"{SORT}_ci_low": 0.4, f"{SORT}_ci_high": 0.6} if value is not None else {}
    return Run(
        model=model,
        task="summarization",
        name="profile_tasks/summarization",
        setting="both",
        harness="inspect",
        date="2026-01-02T03:04:05+00:00",
        file=f"{model}.eval",
        sources=12,
        data="demo",
        factors=("length", "fluency"),
        conditions={"seed": 0},
        metrics={SORT: value, "tau_generation_length": -0.25, **known},
    )


def board(*runs: Run) -> Leaderboard:
    return Leaderboard(SORT, tuple(boards(runs)), (("old.eval", "a newer run stands"),))


def test_csv_has_a_flat_row_a_model_with_plain_names() -> None:
    (first, second) = csv.DictReader(io.StringIO(csv_text(board(run("a"), run("b", None)))))
    assert list(first)[:5] == ["rank_low", "rank_high", "tied", "undecided", "model"]
    assert (first["model"], first["rank_low"], first["rank_high"]) == ("a", "1", "1")
    assert (float(first[SORT]), float(first[f"{SORT}_ci_low"])) == (0.5, 0.4)
    assert (first["factors"], first["seed"], first["sources"]) == ("length fluency", "0", "12")
    # What is not defined is empty, and a negative number is no formula.
    assert (second["rank_low"], second[SORT], second[f"{SORT}_ci_low"]) == ("", "", "")
    assert second["tau_generation_length"] == "-0.25"


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_name_is_no_formula_in_a_spreadsheet(start: str) -> None:
    (row,) = csv.DictReader(io.StringIO(csv_text(board(run(f"{start}1+1")))))
    assert row["model"] == f"'{start}1+1"


def test_json_is_strict_and_says_how_places_are_made() -> None:
    text = json_text(board(run("a"), run("b", None)))
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["method"] == board().method
    assert "to differ by less than 0.05" in found["method"]
    (only,) = found["boards"]
    assert [row["model"] for row in only["rows"]] == ["a", "b"]
    assert only["rows"][0]["metrics"][f"{SORT}_ci_high"] == 0.6
    assert only["rows"][1]["metrics"][SORT] is None
    assert only["rows"][1]["rank_low"] is None
    assert found["left_out"] == [{"file": "old.eval", "why": "a newer run stands"}]


def test_markdown_keeps_a_hostile_name_in_its_cell() -> None:
    text = markdown_tables(board(run(HOSTILE), run("b")))
    table = [line for line in text.splitlines() if line.startswith("|")]
    # Cells are counted as a renderer does: escaped bars do not end one.
    cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
    assert len(table) == 4
    assert len(cells) == 1
    assert r"\<script\>" in text
    assert r"\[a\]\(javascript:b\)" in text
    assert "\x1b" not in text
    assert board().method in text


class Page(HTMLParser):
    """Elements and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [v or "" for name, v in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_html_shows_a_hostile_name_as_text() -> None:
    harmless, hostile = (Page(html(board(run(name), run("b")))) for name in ("a", HOSTILE))
    assert hostile.tags.count("script") == harmless.tags.count("script") == 1
    assert hostile.tags.count("a") == harmless.tags.count("a")
    assert "<script>alert(1)<" in "".join(hostile.texts)


def rows_of(page: str, metric: str) -> str:
    """The board of a metric."""
    return page.split(f"<code>{metric}</code>. ")[1].partition("</section>")[0]


def test_html_has_a_board_a_metric_on_one_axis_with_zero() -> None:
    opposed = {"alignment_generation_tau_b": -0.5}
    first, second = run("a"), run("b", None)
    page = html(
        board(
            replace(first, metrics=dict(first.metrics) | opposed),
            replace(second, metrics=dict(second.metrics), task="document_qa"),
        )
    )
    ranked, other = (rows_of(page, metric) for metric in (SORT, "alignment_generation_tau_b"))
    assert page.count('class="panel"') == 2  # what no run reports has no board
    assert re.findall('scope="rowgroup".*?>(.*?)<', ranked) == [
        "document_qa · demo",
        "summarization · demo",
    ]
    assert "no value: b" in ranked
    # 0.5 [0.4, 0.6] on an axis from 0 to 0.6; -0.5 on one from -0.5 to 0.
    assert re.findall('<line x1="(.*?)%" x2="(.*?)%"', ranked) == [("66.67", "100.0")]
    assert '<svg x="83.33%"' in ranked
    assert '<line class="zero" x1="0.0%"' in ranked
    assert '<svg x="0.0%"' in other
    assert '<line class="zero" x1="100.0%"' in other


def test_html_calls_alignments_by_their_role_and_has_the_value_before_the_axis() -> None:
    """As `inspect view` does; on a narrow screen the axis may scroll, and the value not."""
    page = html(board(run("a")))
    assert re.findall('<a href="#metric-1">(.*?)</a>', page) == ["judge alignment"]
    row = rows_of(page, SORT).partition("<tbody>")[2]
    assert row.index("0.500<small>[0.40, 0.60]</small>") < row.index('class="axis"')


@pytest.mark.parametrize(
    ("name", "mark"), [("planted/x", "SIMULATED"), ("recorded/x", "RECORDED"), ("a/x", None)]
)
def test_html_marks_what_is_no_live_model(name: str, mark: str | None) -> None:
    shown = re.findall("<li title=.*?>(.*?)</li>", html(board(run(name))))
    assert set(shown) == ({mark} if mark else set())


@pytest.mark.parametrize("write", [markdown_tables, html])
def test_rows_that_differ_in_their_model_alone_have_one_signature(
    write: Callable[[Leaderboard], str],
) -> None:
    alike = [run("a/x"), run("a/y"), replace(run("a/z"), setting="generation")]
    text = write(board(*alike))
    assert text.count("|model:*|") == 1
    assert text.count("setting:generation|model:a/z|") == 1
    assert "|model:a/x|" not in text


def test_html_is_self_contained() -> None:
    page = Page(html(board(run("a"))))
    assert all(address.startswith("#metric-") for address in page.addresses)
    assert "link" not in page.tags
    assert "img" not in page.tags


SEEN = """<script>
const names = () => document.querySelectorAll(".panel:not([hidden]) th .name");
const rows = () => [...names()].map(x => x.textContent).join(",");
const buttons = document.querySelectorAll("thead button"), seen = [rows()];
for (const at of [1, 2, 2]) { buttons[at].click(); seen.push(rows()); }
seen.push(document.documentElement.scrollWidth <= innerWidth, typeof hostile);
document.title = seen.join(";");
</script></body>"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1200])
def test_a_browser_sorts_by_the_headings_and_needs_no_more_room(tmp_path: Path, width: int) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("there is no chromium to look at the page with")
    names = ("b/x", "c" * 200, "a<script>hostile = 1</script>")
    page = tmp_path / "page.html"
    text = html(board(*(run(n, v) for n, v in zip(names, (0.5, None, 0.7), strict=True))))
    text = re.sub("script-src '.*?'", "script-src 'unsafe-inline'", text)  # what looks is a script
    page.write_text(text.replace("</body>", SEEN), encoding="utf-8")
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},800",
         "--dump-dom", page.as_uri()],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    ((*orders, fits, hostile),) = [
        unescape(found).split(";") for found in re.findall(r"<title>(.*?)</title>", done.stdout)
    ]
    # Best first; then by name; then by value, either way, and without a value always last.
    first = [[name[0] for name in order.split(",")] for order in orders]
    assert first == [list("abc"), list("abc"), list("bac"), list("abc")]
    assert fits == "true"
    assert hostile == "undefined"
