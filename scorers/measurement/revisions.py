"""What is measured on one draft and its revisions, and kept in the log."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.words import word_count
from profile_tasks.scorers.grading.record import SourceGrades, graded_values
from profile_tasks.scorers.measurement.source_measurement import (
    PairManifestations,
    SourceMeasurement,
    compared_responses,
    measure_source,
)
from profile_tasks.solvers.feedback_revision import RevisedDraft

DRAFT = "draft"
"""Id of the draft among the responses to a source."""


class MeasuredRevision(BaseModel, frozen=True):
    """A revision beside its draft.

    Attributes:
        signs: Which of the two shows more of each factor: 1 the revision, -1 the draft, 0 neither;
            None where the factor is missing.
        preference: Which one the model prefers as a judge, over both orders, coded alike; None
            where a verdict is unreadable.
        words: Length of the revision in words.
        unchanged: Whether it is the draft, to the letter. No judge is asked then; it is a tie.
        truncated: Whether a token limit cut it off.
    """

    signs: tuple[int | None, ...]
    preference: int | None
    words: int
    unchanged: bool
    truncated: bool = False


class RevisionMeasurement(BaseModel, frozen=True):
    """A source with its annotated pairs, the draft that the model wrote to it, and its revisions.

    Attributes:
        source: The annotated pairs.
        draft_words: Length of the draft in words; None where it is missing.
        drafts_equal: Whether the two drafts of the evaluator are the same; None without two.
        revisions: Condition -> its revision; None where it is missing.
        without_feedback: Conditions whose feedback is missing, a reason for a missing revision.
    """

    source: SourceMeasurement
    draft_words: int | None
    drafts_equal: bool | None
    revisions: dict[str, MeasuredRevision | None]
    without_feedback: tuple[str, ...] = ()


def compared_revisions(
    annotated: AnnotatedSource, revised: RevisedDraft
) -> tuple[dict[str, str], tuple[tuple[str, str], ...], dict[str, tuple[str, str]]]:
    """The texts of a source and which of them are compared.

    Returns:
        Response id -> text; the annotated pairs of ids; condition -> the ids of its revision and
        the draft, for every revision that is there.
    """
    compared = compared_responses(annotated)
    texts = dict(compared.texts)
    pairs = {}
    if revised.draft is not None:
        texts[DRAFT] = revised.draft
        for condition, revision in revised.revisions.items():
            if revision.text is not None:
                texts[f"{condition} revision"] = revision.text
                pairs[str(condition)] = (f"{condition} revision", DRAFT)
    return texts, compared.annotated, pairs


def measure_revisions(
    annotated: AnnotatedSource,
    factors: Sequence[Factor],
    revised: RevisedDraft,
    grades: SourceGrades | None = None,
) -> RevisionMeasurement:
    """Measure the annotated pairs of a source, and its revisions beside their draft.

    Args:
        annotated: The source with its annotated pairs.
        factors: Which factors to measure.
        revised: What the model wrote.
        grades: What the grader said of the texts and pairs of ``compared_revisions``; without it
            facts and judged factors are missing.
    """
    texts, _, pairs = compared_revisions(annotated, revised)
    values: Mapping[str, Mapping[str, float]] = (
        {}
        if grades is None
        else {f.id: graded_values(grades, f) for f in factors if f.kind == "facts"}
    )
    signs = PairManifestations(annotated, factors, texts, values, grades).of(list(pairs.values()))
    by_condition = dict(zip(pairs, signs, strict=True))
    revisions: dict[str, MeasuredRevision | None] = {}
    for condition, revision in revised.revisions.items():
        if revised.draft is None or revision.text is None:
            revisions[condition] = None
            continue
        unchanged = revision.text == revised.draft
        revisions[condition] = MeasuredRevision(
            signs=by_condition[condition],
            preference=0 if unchanged else revision.verdict.preference,
            words=word_count(revision.text),
            unchanged=unchanged,
            truncated=revision.truncated,
        )
    return RevisionMeasurement(
        source=measure_source(annotated, factors, grades=grades),
        draft_words=None if revised.draft is None else word_count(revised.draft),
        drafts_equal=(
            None
            if revised.draft is None or revised.other_draft is None
            else revised.draft == revised.other_draft
        ),
        revisions=revisions,
        without_feedback=tuple(
            name
            for name, revision in revised.revisions.items()
            if name != "none" and revised.draft is not None and revision.feedback is None
        ),
    )
