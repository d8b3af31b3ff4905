"""What Inspect shows beside a sample of revisions."""

from profile_tasks.scorers.inspect.feedback_scorer import sample_value
from profile_tasks.scorers.measurement.revisions import MeasuredRevision, RevisionMeasurement
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement


def revision(preference: int | None, *, unchanged: bool = False) -> MeasuredRevision:
    return MeasuredRevision(signs=(1,), preference=preference, words=9, unchanged=unchanged)


def test_a_revision_counts_as_preferred_where_it_beats_its_draft() -> None:
    measured = RevisionMeasurement(
        source=SourceMeasurement(
            source_id="s", group="g", factors=("length",), human=(), annotated=()
        ),
        draft_words=5,
        drafts_equal=None,
        revisions={
            "none": revision(1),
            "self": revision(-1),
            "evaluator": revision(0, unchanged=True),
            "factor": None,
        },
    )
    assert sample_value(measured) == {"revisions": 3, "changed": 2, "preferred_to_draft": 1}
