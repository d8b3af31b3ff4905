"""Sections hold any text, and no text can leave its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_tasks.solvers.sections import SECTION_TAGS, read_sections, render_sections

ORDER = ("request", "source", "response")
PIECES = st.lists(
    st.sampled_from(
        ["<", ">", "/", "\n", "request", "source", "response", "-1", "-2", " ", "x", "</request>"]
    ),
    max_size=12,
).map("".join)


@given(request=PIECES, source=st.none() | PIECES, response=PIECES)
def test_what_is_rendered_is_read_back(request: str, source: str | None, response: str) -> None:
    texts = {"request": request, "source": source, "response": response}
    before, read = read_sections("Words.\n" + render_sections(texts), ORDER)
    assert before == "Words.\n"
    assert read == {tag: text for tag, text in texts.items() if text is not None}


@pytest.mark.parametrize("tag", SECTION_TAGS)
@pytest.mark.parametrize("form", ["</{}>", "<{}>", "< / {} >", "<{} id='1'>", "</{}\n>"])
def test_a_tag_in_a_text_gives_all_sections_another_suffix(tag: str, form: str) -> None:
    rendered = render_sections({"request": form.format(tag.upper())})
    assert rendered.startswith("<request-1>\n")


def test_a_text_without_sections_is_refused() -> None:
    with pytest.raises(ValueError, match="not a request of profile-tasks: 'Hello'"):
        read_sections("Hello", ORDER)


def test_a_section_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="section 'request' has no end"):
        read_sections("<request>\nHello", ORDER)
