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


def test_the_headline_comes_first_and_names_the_planted_taste(planted_page: Path) -> None:
    text = planted_page.read_text(encoding="utf-8")
    lead = re.findall(r'<p class="lead">(.*?)</p>', text)
    assert lead[0].startswith("planted/verbose writes as it judges at r")
    assert "widest apart are length" in text
    assert "In generation planted/concise wrote other texts" in text
    assert text.index('class="lead"') < text.index("<svg")
    assert "a simulated annotator" in text


def test_models_of_one_task_stand_side_by_side(planted_page: Path) -> None:
    text = planted_page.read_text(encoding="utf-8")
    assert text.count("<h3>Factor scores</h3>") == 1
    scores = text.split("<h3>Factor scores</h3>")[1].split("</section>")[0]
    assert scores.count("<figure>") == 2


def test_ids_of_tables_are_unique(planted_page: Path) -> None:
    ids = [a["id"] for a in Elements(planted_page).all("table")]
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
