"""What Inspect shows beside a sample of revisions."""

from profile_tasks.scorers.inspect.feedback_scorer import sample_value
from profile_tasks.scorers.measurement.revisions import MeasuredRevision, RevisionMeasurement
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement


def revision(preference: int | None, *, unchanged: bool = False) -> MeasuredRevision:
    return MeasuredRevision(signs=(1,), preference=preference, words=9, unchanged=unchanged)


def counts(**revisions: MeasuredRevision | None) -> dict[str, int]:
    source = SourceMeasurement(
        source_id="s", group="g", factors=("length",), human=(), annotated=()
    )
    measured = RevisionMeasurement(
        source=source, draft_words=5, drafts_equal=None, revisions=revisions
    )
    return sample_value(measured)


def test_a_revision_counts_as_preferred_where_it_beats_its_draft() -> None:
    won, lost, same = revision(1), revision(-1), revision(0, unchanged=True)
    found = counts(none=won, self=lost, evaluator=same, factor=None)
    assert found == {"revisions": 3, "changed": 2, "preferred_to_draft": 1}
    found = counts(none=won, self=won, evaluator=lost)
    assert found == {"revisions": 3, "changed": 3, "preferred_to_draft": 2}
