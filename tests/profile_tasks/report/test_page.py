"""The page is one file that loads nothing, and every text in it is text."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_nothing_is_loaded_from_anywhere(planted_page: Path) -> None:
    elements = Elements(planted_page)
    for tag in ("link", "img", "iframe", "object", "embed", "base", "form", "audio", "video"):
        assert elements.all(tag) == []
    assert [attributes.get("src") for attributes in elements.all("script")] == [None]
    assert all((a["href"] or "").startswith("#") for a in elements.all("a"))
    text = planted_page.read_text(encoding="utf-8")
    assert re.findall(r"url\((?!#)", text) == []
    (policy,) = [m for m in elements.all("meta") if m.get("http-equiv")]
    assert (policy["content"] or "").startswith("default-src 'none'")


def test_one_sentence_and_the_badges_come_first_and_name_the_planted_taste(
    planted_page: Path,
) -> None:
    text = planted_page.read_text(encoding="utf-8")
    first = text.split('<details class="said">')[0]
    assert '<p class="lead">As a judge, planted/verbose follows length more than people do' in first
    assert re.findall(r"<li title=[^>]*>(.*?)</li>", first) == [
        "SIMULATED",
        "SIMULATED GRADER",
        "24 groups of sources: few",
    ]
    glance = re.search('<p class="glance">(.*?)</p>', first)
    assert glance
    assert re.fullmatch(
        r"judges as people do in \d+\s% of pairs \[.*\] · verdicts that flip with the order "
        r"\d+\s% \[.*\] · alignment as judge, tau_b \S+\s\[.*\]",
        glance[1],
    )
    assert "a simulated annotator" in text
    assert "planted/verbose writes as it judges at r" in text
    assert "In generation planted/concise wrote other texts" in text
    assert first.count("<tr data-name=") == 5
    beside = text.split("<nav")[0]
    assert beside.count("▲: the judge differs from people in taste; △") == 1
    assert "<code>profile-tasks gate RUN --bars bars.yaml</code>" in beside


def test_models_of_one_task_stand_side_by_side(planted_page: Path) -> None:
    text = planted_page.read_text(encoding="utf-8")
    factors = text.split('<section id="factors"')[1].split("<details")[0]
    assert factors.count("<figure") == 1
    assert text.count('<figure class="influences">') == 2
    assert text.count("<h4>Ranking of the factors</h4>") == 1


def test_every_part_is_in_the_list_of_contents_and_readable_without_a_script(
    planted_page: Path,
) -> None:
    elements = Elements(planted_page)
    parts = [a["id"] for a in elements.all("section") if "panel" in (a.get("class") or "")]
    assert parts == ["factors", "examples", "alignment", "agreement", "measured"]
    hidden = [a for _, a in elements.found if "hidden" in a]
    assert {a.get("class") or a.get("id") for a in hidden} <= {"csv", "json", "toolbar", "stepper"}
    linked = {a["href"] for a in elements.all("a")}
    assert {f"#{part}" for part in parts} <= linked


def test_a_pair_that_two_runs_share_stands_once(planted_page: Path) -> None:
    pairs = [
        (a["data-factor"], a["data-whose"], a["data-side"], a["data-source"])
        for a in Elements(planted_page).all("details")
        if "data-whose" in a
    ]
    people = [pair for pair in pairs if pair[1] == "people"]
    assert len(people) == len(set(people)) > 30
    assert {pair[1] for pair in pairs} == {
        "people",
        *(
            f"planted/{model} as a {role}"
            for model in ("verbose", "concise")
            for role in ("judge", "writer")
        ),
    }


def test_a_row_tells_the_counts_behind_it(planted_page: Path) -> None:
    strips = [a for a in Elements(planted_page).all("svg") if a.get("class") == "strip"]
    said = (strips[0]["aria-label"] or "").split("\n")
    assert [line.partition(":")[0] for line in said] == ["people", "as a judge", "as a writer"]
    shown = re.fullmatch(
        r"people: \S+ \[.*\]; (\d+) pairs: the preferred response shows more in (\d+), less in "
        r"(\d+), as much in (\d+); 24 groups of sources",
        said[0].replace("\N{NO-BREAK SPACE}", " "),
    )
    assert shown
    pairs, *counts = map(int, shown.groups())
    assert pairs == sum(counts) > 0


def test_ids_of_tables_are_unique(planted_page: Path) -> None:
    ids = [a["id"] for a in Elements(planted_page).all("table") if "id" in a]
    assert len(ids) == len(set(ids)) > 10


def test_hostile_texts_make_no_element(hostile_page: Path) -> None:
    elements = Elements(hostile_page)
    assert len(elements.all("script")) == 1
    assert elements.all("img") == elements.all("b") == elements.all("textarea") == []
    assert all(not name.startswith("on") for _, attributes in elements.found for name in attributes)


@pytest.mark.parametrize(
    "said",
    [
        "&lt;script&gt;document.title=",
        "&lt;/script&gt;&lt;img src=x onerror=",
        "turned ⟨U+202E⟩gnp.exe⟨U+202C⟩ back",
        "a NUL ␀ and a bell ␇ within",
        "half a pair ⟨U+D83D⟩ of it",
        "of 1,045,000 characters",
    ],
)
def test_hostile_texts_are_shown_as_text(hostile_page: Path, said: str) -> None:
    page = hostile_page.read_text(encoding="utf-8")
    assert said in re.sub("</?(ins|del)>", "", page)  # the marks between words


def test_no_character_is_left_that_html_forbids_or_that_turns_text(hostile_page: Path) -> None:
    text = hostile_page.read_bytes().decode("utf-8")
    assert re.findall("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text) == []
    assert len(text) < 1_000_000
