"""A revision beside its draft: what it shows more of, and which of the two is better."""

import pytest

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.scorers.factors.selection import resolve_factors
from profile_tasks.scorers.measurement.revisions import (
    RevisionMeasurement,
    compared_revisions,
    measure_revisions,
)
from profile_tasks.solvers.both_orders import Pick
from profile_tasks.solvers.feedback_revision import RevisedDraft, Revision

FACTORS = resolve_factors(["length", "novel_words"], "summarization")
SOURCE = AnnotatedSource(
    id="s", group="g", task="summarization", prompt="Summarize.", source="red green blue",
    pairs=(AnnotatedPair(id="p", response_a="red", response_b="red green", preference="a"),),
)  # fmt: skip


def measured(draft: str, text: str, *picks: Pick | None) -> RevisionMeasurement:
    revised = RevisedDraft(
        draft=draft, other_draft=None, revisions={"none": Revision(text=text, picks=picks)}
    )
    return measure_revisions(SOURCE, FACTORS, revised)


def test_a_longer_revision_in_the_sources_words_shows_more_length_and_fewer_novel_words() -> None:
    longer = measured("pink", "red green", "first", "second").revisions["none"]
    assert longer is not None
    assert (longer.signs, longer.words) == ((1, -1), 2)
    shorter = measured("red green", "pink", "first", "second").revisions["none"]
    assert shorter is not None
    assert (shorter.signs, shorter.words) == ((-1, 1), 1)


@pytest.mark.parametrize(
    ("picks", "preference"),
    [
        # The first request shows the revision first, the second one shows the draft first.
        (("first", "second"), 1),
        (("second", "first"), -1),
        (("first", "first"), 0),
        (("first", None), None),
    ],
)
def test_the_preference_is_for_the_revision_over_the_draft(
    picks: tuple[Pick | None, ...], preference: int | None
) -> None:
    revision = measured("pink", "red green", *picks).revisions["none"]
    assert revision is not None
    assert revision.preference == preference


def test_a_revision_that_is_its_draft_ties_in_everything() -> None:
    revision = measured("red", "red").revisions["none"]
    assert revision is not None
    assert (revision.signs, revision.preference, revision.unchanged) == ((0, 0), 0, True)


def test_a_grader_is_shown_the_revision_before_its_draft() -> None:
    revised = RevisedDraft(
        draft="pink", other_draft=None, revisions={"none": Revision(text="red green")}
    )
    texts, annotated, pairs = compared_revisions(SOURCE, revised)
    assert annotated == (("p a", "p b"),)
    assert [texts[response] for response in pairs["none"]] == ["red green", "pink"]
