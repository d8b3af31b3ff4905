"""Measurements of sources become tables with shared groups; nothing is lost or made up."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.scorers.factors.facts import Fact, ResponseFacts
from profile_tasks.scorers.factors.selection import resolve_factors
from profile_tasks.scorers.grading.record import GradedPair, SourceGrades
from profile_tasks.scorers.measurement.source_measurement import (
    SourceMeasurement,
    measure_source,
    standard_metrics,
)
from profile_tasks.scorers.measurement.tables import comparison_tables
from profile_tasks.solvers.both_orders import PairVerdict, Pick

FACTORS = resolve_factors(["length", "novel_words"], "summarization")


def annotated(
    name: str = "s1", source: str | None = "red green blue", group: str | None = None
) -> AnnotatedSource:
    pairs = [("red", "red green", "a"), ("red", "pink", "tie"), ("red blue", "pink", "b")]
    return AnnotatedSource(
        id=name,
        group=group or name,
        task="summarization",
        prompt="Summarize.",
        source=source,
        reference="red green",
        pairs=tuple(
            AnnotatedPair(
                id=f"{name}-{i}", response_a=a, response_b=b, preference=preference,
                factors_a={}, factors_b={},
            )
            for i, (a, b, preference) in enumerate(pairs)
        ),
    )  # fmt: skip


def measured(
    name: str = "s1", picks: Sequence[Sequence[Pick | None]] | None = None, **what: object
) -> SourceMeasurement:
    verdicts = None if picks is None else [PairVerdict(tuple(of_pair)) for of_pair in picks]
    return measure_source(annotated(name), FACTORS, verdicts=verdicts, **what)


def judged_by_likelihood(*margins: tuple[float, ...]) -> SourceMeasurement:
    verdicts = [PairVerdict.by_likelihood(of_pair) for of_pair in margins]
    return measure_source(annotated(), FACTORS, verdicts=verdicts)


def test_annotated_pairs_are_signed_towards_the_first_response() -> None:
    record = measured()
    assert record.human == (1, 0, -1)
    assert record.annotated == ((-1, 0), (0, -1), (1, -1))


def test_a_factor_that_needs_a_source_is_missing_without_one() -> None:
    record = measure_source(annotated(source=None), FACTORS)
    assert record.annotated == ((-1, None), (0, None), (1, None))
    (human,) = comparison_tables([record])
    assert human.missing.tolist() == [[False, True]] * 3


def test_verdicts_become_preferences_and_unreadable_ones_stay_missing() -> None:
    record = measured(picks=[["first", "second"], ["first", "first"], [None, "first"]])
    assert record.discrimination == (1, 0, None)
    tables = {table.perspective: table for table in comparison_tables([record])}
    assert tables["discrimination"].preference.tolist() == [1, 0]
    assert tables["human"].preference.tolist() == [1, 0, -1]


def test_margins_are_kept_and_decide_where_the_judge_is_a_likelihood() -> None:
    margins = [(3.0, 1.0), (2.0, -1.0), (0.0, 0.0)]
    record = judged_by_likelihood(*margins)
    assert record.picks == (("first", "first"), ("first", "second"), ("tie", "tie"))
    assert record.margins == tuple(margins)
    assert record.discrimination == (1, 1, 0)
    read = SourceMeasurement.model_validate_json(record.model_dump_json())
    assert read.verdicts == record.verdicts
    assert standard_metrics([read])["flip_rate"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("malformed", [(), ("tie", "tie", "tie"), ("A",)])
def test_a_record_with_a_malformed_verdict_is_refused(malformed: tuple[str, ...]) -> None:
    record = measured(picks=[["tie"]] * 3).model_dump(mode="json")
    with pytest.raises(ValueError, match=r"picks\.1"):
        SourceMeasurement.model_validate(record | {"picks": [["tie"], malformed, ["tie"]]})


@pytest.mark.parametrize(
    ("margins", "picks", "preferences"),
    [
        # Of the second pair the swapped order leans less to what is shown second: 0.5 - 1.0 is
        # below 0.
        (
            [(3.0, 1.0), (-1.0, -0.5), (0.0, 0.0)],
            (("first", "first"), ("second", "second"), ("tie", "tie")),
            (1, -1, 0),
        ),
        # What is shown first is liked more where that is the second response; what is shown second
        # is, where that is the first one; either position is liked as much.
        (
            [(1.0, 3.0), (-0.5, -1.0), (2.0, 2.0)],
            (("first", "first"), ("second", "second"), ("first", "first")),
            (-1, 1, 0),
        ),
    ],
)
def test_margins_of_two_orders_become_preferences_without_the_liking_for_a_position(
    margins: list[tuple[float, float]],
    picks: tuple[tuple[Pick, Pick], ...],
    preferences: tuple[int, ...],
) -> None:
    record = judged_by_likelihood(*margins)
    assert record.picks == picks
    assert record.discrimination == preferences
    tables = {table.perspective: table for table in comparison_tables([record])}
    assert tables["discrimination"].preference.tolist() == list(preferences)


def test_a_single_margin_is_that_of_the_recorded_order() -> None:
    record = judged_by_likelihood((2.0,), (-2.0,), (0.0,))
    assert record.picks == (("first",), ("second",), ("tie",))
    assert record.discrimination == (1, -1, 0)


def test_the_response_for_the_higher_score_is_preferred() -> None:
    record = measured(
        responses_by_score={1: "red", 2: "red green blue", 3: "red"},
        generation_pairs=[(2, 1), (3, 1), (3, 2)],
    )
    tables = {table.perspective: table for table in comparison_tables([record])}
    assert tables["generation"].preference.tolist() == [1, 1, 1]
    assert tables["generation"].manifestation[:, 0].tolist() == [1, 0, -1]
    assert record.pairs_written is not None
    assert [pair.identical for pair in record.pairs_written] == [False, True, False]


def test_a_missing_response_leaves_its_pairs_out_and_is_counted() -> None:
    record = measured(
        responses_by_score={1: "red", 2: None, 3: "red green"},
        generation_pairs=[(2, 1), (3, 1), (3, 2)],
    )
    assert record.pairs_written is not None
    assert [(p.higher, p.lower) for p in record.pairs_written] == [(3, 1)]
    assert record.words_by_score == {1: 1, 2: None, 3: 2}
    found = standard_metrics([record])
    assert found["generation_missing_rate"] == pytest.approx(1 / 3)
    assert found["words_at_score_3"] == 2
    assert math.isnan(found["words_at_score_2"])


WRITTEN = {1: "red", 2: "red green blue", 3: "red", 4: None}
ASKED = {
    (2, 1): PairVerdict(("second", "first")),
    (3, 2): PairVerdict((None, "first")),
}


def judged_own() -> SourceMeasurement:
    return measured(
        responses_by_score=WRITTEN,
        generation_pairs=[(2, 1), (3, 1), (3, 2), (4, 1)],
        own_verdicts=ASKED,
    )


def test_own_pairs_are_the_written_ones_with_the_preference_of_their_judge() -> None:
    record = judged_own()
    # Of the equal texts for 3 and 1 neither is better; the pair with a missing text is not there.
    assert record.own_picks == (("second", "first"), (), (None, "first"))
    assert record.own == (-1, 0, None)
    tables = {table.perspective: table for table in comparison_tables([record])}
    assert tables["generation"].manifestation[:, 0].tolist() == [1, 0, -1]
    assert tables["own"].preference.tolist() == [-1, 0]
    assert tables["own"].manifestation[:, 0].tolist() == [1, 0]
    assert tables["own"].group.tolist() == [0, 0]


def test_an_own_pair_that_was_not_asked_is_missing() -> None:
    record = measured(responses_by_score=WRITTEN, generation_pairs=[(2, 1)], own_verdicts={})
    assert record.own == (None,)
    assert "own" in {table.perspective for table in comparison_tables([record, judged_own()])}


def test_rates_of_own_pairs_count_what_was_asked() -> None:
    found = standard_metrics([judged_own(), measured("s2")])
    assert found["own_unreadable_rate"] == 1 / 4
    assert found["own_flip_rate"] == 0
    assert "flip_rate" not in found
    assert not [name for name in standard_metrics([measured()]) if name.startswith("own_")]


def test_a_record_of_before_there_were_own_pairs_is_read() -> None:
    record = judged_own()
    assert SourceMeasurement.model_validate_json(record.model_dump_json()) == record
    older = record.model_dump(mode="json")
    del older["own_picks"]
    read = SourceMeasurement.model_validate(older)
    assert read.own is None
    assert "own" not in {table.perspective for table in comparison_tables([read])}


def test_rouge_is_of_the_response_for_the_highest_score() -> None:
    record = measured(responses_by_score={1: "pink", 2: "red green"}, generation_pairs=[(2, 1)])
    assert record.rouge == {"rouge1": 1.0, "rouge2": 1.0, "rougeL": 1.0}
    absent = measured(responses_by_score={1: "red green", 2: None}, generation_pairs=[(2, 1)])
    assert absent.rouge is None


def test_a_measurement_survives_its_log() -> None:
    record = measured(
        picks=[["first", None], ["tie", "tie"], ["second", "first"]],
        responses_by_score={1: "red", 2: None},
        generation_pairs=[(2, 1)],
    )
    assert SourceMeasurement.model_validate_json(record.model_dump_json()) == record
    assert SourceMeasurement.model_validate(record.model_dump(mode="json")) == record


def test_group_codes_are_shared_by_all_perspectives() -> None:
    judged = [["first", "second"]] * 3
    records = [
        measured("b", picks=judged, responses_by_score={1: "red", 2: "blue"}),
        measured("a", picks=[[None, None]] * 3),
        measured("c", picks=judged),
    ]
    tables = {table.perspective: table for table in comparison_tables(records)}
    assert tables["human"].group.tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert tables["discrimination"].group.tolist() == [1] * 3 + [2] * 3


def test_sources_of_one_group_are_resampled_as_one() -> None:
    records = [measure_source(annotated(name, group="g"), FACTORS) for name in ("q1", "q2")]
    (human,) = comparison_tables(records)
    assert human.group.tolist() == [0] * 6


def test_the_order_of_measurements_does_not_matter() -> None:
    records = [measured(name) for name in ("a", "b", "c")]
    (forwards,), (backwards,) = comparison_tables(records), comparison_tables(records[::-1])
    assert np.array_equal(forwards.group, backwards.group)
    assert np.array_equal(forwards.manifestation, backwards.manifestation)


def test_a_source_measured_twice_gives_its_human_preferences_once() -> None:
    record = measured(picks=[["first", "second"]] * 3)
    tables = {t.perspective: t for t in comparison_tables([record, record])}
    assert len(tables["human"].preference) == 3
    assert len(tables["discrimination"].preference) == 6


def test_measurements_of_different_factors_do_not_mix() -> None:
    other = measure_source(annotated("s2"), FACTORS[:1])
    with pytest.raises(ValueError, match="same factors"):
        comparison_tables([measured(), other])


def test_agreement_is_counted_over_the_judged_pairs() -> None:
    record = measured(picks=[["first", "second"], ["tie", "tie"], ["first", "second"]])
    found = standard_metrics([record])
    assert found["discrimination_accuracy"] == 0.5
    assert found["discrimination_accuracy_half_credit"] == 0.5
    assert found["discrimination_decided_pairs"] == 2
    assert found["flip_rate"] == 0
    assert found["unreadable_rate"] == 0
    assert "rouge1" not in found


def test_margins_are_calibrated_for_ties() -> None:
    # People: first, tie, second. Means of the margins in the recorded order: 2, -0.5, -1.
    record = judged_by_likelihood((3.0, -1.0), (-0.5, 0.5), (0.0, 2.0))
    assert [verdict.margin for verdict in record.verdicts or ()] == [2, -0.5, -1]
    found = standard_metrics([record])
    assert found["discrimination_accuracy_tie_calibrated"] == 1
    assert found["discrimination_tie_threshold"] == 0.5
    in_words = standard_metrics([measured(picks=[["first", "second"]] * 3)])
    assert not [name for name in in_words if "tie" in name]


def graded(fluency: tuple[str | None, ...] = ("first", "first")) -> SourceGrades:
    """Two distinct responses of pair s1-0, graded; everything else is missing."""
    ids = [f"s1-{i} {side}" for i in range(3) for side in "ab"]
    texts = ["red", "red green", "red", "pink", "red blue", "pink"]
    return SourceGrades(
        grader="g",
        key_facts=("one", "two"),
        same_as={id_: ids[texts.index(text)] for id_, text in zip(ids, texts, strict=True)},
        responses={
            "s1-0 a": ResponseFacts(facts=(Fact(text="x"),), covered=("one",)),
            "s1-0 b": ResponseFacts(facts=(Fact(text="x"), Fact(text="y")), covered=()),
        },
        pairs=(GradedPair(first="s1-0 a", second="s1-0 b", verdicts={"fluency": fluency}),),
        requests=9,
        repairs=2,
    )


GRADED = resolve_factors(
    ["length", "number_of_facts", "source_coverage", "fluency"], "summarization"
)


def test_graded_factors_are_signs_of_values_and_of_verdicts() -> None:
    record = measure_source(annotated(), GRADED, grades=graded())
    assert record.annotated == ((-1, -1, 1, 1), (0, None, None, None), (1, None, None, None))
    assert record.values["number_of_facts"]["s1-0 b"] == 2
    assert record.values["number_of_facts"]["s1-1 b"] is None


def test_without_grades_graded_factors_are_missing() -> None:
    record = measure_source(annotated(), GRADED)
    assert record.annotated[0] == (-1, None, None, None)
    assert "grader_missing_rate" not in standard_metrics([record])


def test_learned_values_become_signs() -> None:
    learned = {"fluency": {"s1-0 a": 0.7, "s1-0 b": 0.2, "s1-1 a": 0.7, "s1-1 b": math.nan}}
    record = measure_source(annotated(), GRADED, learned=learned)
    assert [row[-1] for row in record.annotated] == [1, None, None]


def test_the_grader_is_counted() -> None:
    records = [
        measure_source(annotated(), GRADED, grades=graded()),
        measure_source(annotated("s1"), GRADED, grades=graded(("first", "second"))),
    ]
    metrics = standard_metrics(records)
    assert metrics["grader_requests"] == 18
    assert metrics["grader_repairs"] == 4
    assert metrics["grader_flip_rate"] == metrics["grader_flip_rate_fluency"] == 0.5
    # 4 distinct responses, 2 of them graded, for two factors; one pair that was asked about.
    assert metrics["grader_missing"] == 2 * 4
    assert metrics["grader_missing_rate"] == 8 / (2 * (4 + 4 + 1))
    assert metrics["grader_missing_rate_fluency"] == 0
    assert "grader_flip_rate_number_of_facts" not in metrics


def test_the_measurement_survives_json() -> None:
    record = measure_source(annotated(), GRADED, grades=graded())
    assert SourceMeasurement.model_validate_json(record.model_dump_json()) == record


def test_of_several_epochs_the_human_table_takes_the_fullest_whatever_finished_first() -> None:
    full = measure_source(annotated(), GRADED, grades=graded())
    flipped = measure_source(annotated(), GRADED, grades=graded(("first", "second")))
    empty = measure_source(annotated(), GRADED)
    tables = [comparison_tables(order)[0] for order in itertools.permutations([full, flipped])]
    assert (tables[0].manifestation == tables[1].manifestation).all()
    for order in itertools.permutations([empty, full]):
        (human,) = comparison_tables(order)
        assert human.manifestation[0].tolist() == [-1, -1, 1, 1]


def listed(*counts: int | None, grader: str = "g") -> SourceGrades:
    """A grader that lists so many facts of red, red green, pink and red blue; None: nothing."""
    texts = ("s1-0 a", "s1-0 b", "s1-1 b", "s1-2 a")
    same_as = {f"s1-{pair} {side}": f"s1-{pair} {side}" for pair in range(3) for side in "ab"}
    same_as |= {"s1-1 a": "s1-0 a", "s1-2 b": "s1-1 b"}
    return SourceGrades(
        grader=grader,
        wordings={"number_of_facts": ""},
        same_as=same_as,
        requests=4,
        responses={
            text: ResponseFacts(
                facts=None if n is None else tuple(Fact(text=f"fact {i}") for i in range(n))
            )
            for text, n in zip(texts, counts, strict=True)
        },
        problems=("facts of s1-0 a: it is empty",) * (None in counts),
    )


def test_several_graders_make_the_signs_that_most_of_them_give() -> None:
    factors = resolve_factors(["length", "number_of_facts"], "summarization")
    graders = [
        listed(1, 2, 3, 1),
        listed(2, 1, 3, 4, grader="other"),
        listed(None, 4, 3, 3),
    ]
    record = measure_source(annotated(), factors, grades=graders)
    assert [each.annotated["number_of_facts"] for each in record.panel] == [
        (-1, -1, -1),
        (1, -1, 1),
        (None, None, 0),
    ]
    assert [row[1] for row in record.annotated] == [0, -1, 0]  # even splits are ties
    assert [row[0] for row in record.annotated] == [-1, 0, 1]  # length is counted
    assert record.values["number_of_facts"]["s1-0 a"] == 1.5  # of those that gave one
    assert record.graders == ("g #1", "other", "g #3")
    assert record.grading["number_of_facts"].asked == 12
    assert record.grading["number_of_facts"].missing == 1
    assert record.grader_requests == 12
    assert record.grader_problems == ("g #3: facts of s1-0 a: it is empty",)
    assert SourceMeasurement.model_validate_json(record.model_dump_json()) == record
    alone = measure_source(annotated(), factors, grades=graders[1])
    assert record.by_grader(1).annotated == alone.annotated
    assert record.by_grader(1).grading == alone.grading
    assert alone.panel == ()
