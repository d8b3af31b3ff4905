"""Metrics of revisions against values worked out by hand."""

import math

import pytest

from profile_tasks.scorers.measurement.revision_metrics import revision_metrics
from profile_tasks.scorers.measurement.revisions import MeasuredRevision, RevisionMeasurement
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement

FACTORS = ("length", "novel_words", "readability")


def revision(
    signs: tuple[int | None, ...] = (1, 0, -1),
    preference: int | None = 1,
    words: int = 20,
    *,
    unchanged: bool = False,
) -> MeasuredRevision:
    return MeasuredRevision(signs=signs, preference=preference, words=words, unchanged=unchanged)


SAME = revision((0, 0, 0), 0, 10, unchanged=True)


def measured(number: int, **revisions: MeasuredRevision | None) -> RevisionMeasurement:
    return RevisionMeasurement(
        source=SourceMeasurement(
            source_id=f"s{number:02}",
            group=f"g{number:02}",
            factors=FACTORS,
            human=(1, 0),
            annotated=((1, 0 if number % 3 else 1, -1 if number % 4 else 1), (1, 1, 1)),
        ),
        draft_words=10,
        drafts_equal=number == 0,
        revisions=revisions,
    )


def test_tau_is_of_the_revision_over_its_draft_and_unchanged_ones_count_as_ties() -> None:
    found = revision_metrics(
        [
            *(measured(i, none=revision((1, -1, None))) for i in range(6)),
            *(measured(i, none=revision((-1, -1, 1))) for i in range(6, 8)),
            *(measured(i, none=SAME) for i in range(8, 10)),
        ]
    ).values()
    assert found["tau_revision_none_length"] == pytest.approx((6 - 2) / 10)
    assert found["tau_revision_none_novel_words"] == pytest.approx(-8 / 10)
    assert found["tau_revision_none_readability"] == pytest.approx(2 / 4)
    assert found["revision_unchanged_rate_none"] == pytest.approx(0.2)
    low, high = (found[f"tau_revision_none_length_ci_{end}"] for end in ("low", "high"))
    assert low < 0.4 < high


def test_win_tie_and_loss_add_up_and_leave_unreadable_verdicts_out() -> None:
    preferences = [1] * 5 + [-1] * 2 + [0] + [None] * 2
    found = revision_metrics(
        [measured(i, none=revision(preference=p)) for i, p in enumerate(preferences)]
    ).values()
    assert found["revision_win_rate_none"] == pytest.approx(5 / 8)
    assert found["revision_loss_rate_none"] == pytest.approx(2 / 8)
    assert found["revision_tie_rate_none"] == pytest.approx(1 / 8)
    assert found["revision_unreadable_rate_none"] == pytest.approx(0.2)


def test_length_is_the_geometric_mean_of_the_ratios() -> None:
    found = revision_metrics(
        [measured(i, none=revision(words=20 if i % 2 else 5)) for i in range(10)]
    ).values()
    assert found["revision_length_ratio_none"] == pytest.approx(1)
    low, high = (found[f"revision_length_ratio_none_ci_{end}"] for end in ("low", "high"))
    assert low < 1 < high
    # Twice as long and half as long are as far from 1.
    assert low == pytest.approx(1 / high, rel=0.2)


def test_conditions_that_do_the_same_differ_by_nothing() -> None:
    signs = [(1, 0, -1), (1, -1, -1), (0, 1, -1), (1, 1, 0), (-1, 0, 1)]
    records = []
    for i in range(20):
        one = revision(signs[i % 5], preference=(1, 0, -1)[i % 3], words=8 + i)
        records.append(measured(i, none=one, self=one))
    found = revision_metrics(records).values()
    for name in (
        *(f"alignment_revision_self_less_none_{c}" for c in ("tau_b", "spearman", "pearson")),
        "revision_win_rate_self_less_none",
    ):
        value, low, high = (found[name + end] for end in ("", "_ci_low", "_ci_high"))
        assert value == 0
        assert low == pytest.approx(-high)
    ratio = "revision_length_ratio_self_over_none"
    assert [found[ratio + end] for end in ("", "_ci_low", "_ci_high")] == [1, 1, 1]


def test_what_a_condition_adds_is_the_condition_less_the_revision_without_feedback() -> None:
    # People's influences are 1, 0 and -1. All sources are alike, and so are all resamples.
    source = measured(0).source.model_copy(
        update={"human": (1, 1), "annotated": ((1, 1, -1), (1, -1, -1))}
    )
    as_people = revision((1, 0, -1), preference=1, words=20)
    against_them = revision((-1, 0, 1), preference=-1, words=5)
    records = [
        RevisionMeasurement(
            source=source.model_copy(update={"source_id": f"s{i}", "group": f"g{i}"}),
            draft_words=10,
            drafts_equal=None,
            revisions={"none": against_them, "self": as_people},
        )
        for i in range(10)
    ]
    found = revision_metrics(records, replicates=50).values()
    for name, expected in (
        ("tau_revision_self_length", 1),
        ("tau_revision_none_length", -1),
        ("alignment_revision_self_tau_b", 1),
        ("alignment_revision_none_tau_b", -1),
        ("alignment_revision_self_less_none_tau_b", 2),
        ("alignment_revision_self_less_none_pearson", 2),
        ("revision_win_rate_self", 1),
        ("revision_win_rate_none", 0),
        ("revision_loss_rate_none", 1),
        ("revision_win_rate_self_less_none", 1),
        ("revision_length_ratio_self", 2),  # 20 words of 10
        ("revision_length_ratio_none", 0.5),
        ("revision_length_ratio_self_over_none", 4),
    ):
        value, low, high = (found[f"{name}{end}"] for end in ("", "_ci_low", "_ci_high"))
        if "alignment" in name:
            # Sources that are all alike do not tell how far the true alignments are.
            assert value == pytest.approx(expected), name
            assert math.isnan(low), name
        elif name == "revision_win_rate_self_less_none":
            assert (value, high) == (1, 1)
            assert low < 1
        elif name.startswith(("tau_", "revision_win", "revision_loss")):
            # Shares and influences at the ends of their scale: ten sources are ten observations.
            assert (value, low < high) == (expected, True), name
            assert expected in (low, high), name
        else:
            assert (value, low, high) == pytest.approx((expected,) * 3), name


def test_conditions_are_compared_over_the_drafts_that_both_revised() -> None:
    won, lost = revision(preference=1), revision(preference=-1)
    records = [measured(i, none=lost, self=won if i < 10 else None) for i in range(10)]
    records += [measured(i, none=won, self=None) for i in range(10, 20)]
    found = revision_metrics(records).values()
    assert found["revision_win_rate_none"] == pytest.approx(0.5)
    assert found["revision_win_rate_self"] == 1
    assert found["revision_win_rate_self_less_none"] == 1
    assert found["revision_missing_rate_self"] == pytest.approx(0.5)
    assert found["revision_missing_rate_none"] == 0


def test_what_is_not_defined_is_nan_with_its_reason() -> None:
    found = revision_metrics([measured(i, none=SAME, self=None) for i in range(9)])
    values, reasons = found.values(), found.record()["reasons"]
    assert math.isnan(values["alignment_revision_none_tau_b"])
    assert "constant" in reasons["alignment_revision_none_tau_b"]
    assert math.isnan(values["revision_length_ratio_self"])
    assert math.isnan(values["tau_revision_self_length"])
    assert "no pairs" in reasons["tau_revision_self_length"]
    assert values["revision_length_ratio_none"] == 1


def test_a_missing_draft_makes_every_revision_missing() -> None:
    records = [measured(i, none=revision(), self=revision()) for i in range(9)]
    records.append(
        records[0].model_copy(
            update={"draft_words": None, "revisions": {"none": None, "self": None}}
        )
    )
    found = revision_metrics(records).values()
    assert found["draft_missing_rate"] == pytest.approx(0.1)
    assert found["revision_missing_rate_none"] == pytest.approx(0.1)


def test_the_order_of_samples_does_not_matter() -> None:
    records = [
        measured(i, none=revision(((1, 0, -1), (0, 1, -1))[i % 2], words=9 + i)) for i in range(12)
    ]
    assert revision_metrics(records).values() == revision_metrics(records[::-1]).values()


def test_no_name_holds_a_comma_or_a_slash() -> None:
    found = revision_metrics([measured(i, none=revision(), factor=SAME) for i in range(9)])
    assert not any("," in name or "/" in name for name in found.values())


def test_measurements_must_have_the_same_conditions() -> None:
    with pytest.raises(ValueError, match="same conditions"):
        revision_metrics([measured(0, none=SAME), measured(1, self=SAME)])
