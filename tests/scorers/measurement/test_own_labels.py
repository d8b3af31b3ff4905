"""People's labels of a model's own pairs: found by their texts, and what planted people prefer.

Writer, judge and people are planted annotators, so that each taste is known.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profile_tasks.data.preferences import AnnotatedSource, load_preferences
from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile
from profile_tasks.scorers.factors.selection import measured_factors
from profile_tasks.scorers.inspect.full_profile import metrics_and_profile
from profile_tasks.scorers.measurement.own_labels import (
    EQUAL_TEXTS,
    NOT_COMPARED,
    OTHER_TEXTS,
    UNKNOWN_SOURCE,
    OwnLabels,
    labelled_own_pairs,
    own_metrics,
    own_study,
    read_own_labels,
)
from profile_tasks.scorers.measurement.source_measurement import (
    SourceMeasurement,
    measure_source,
    standard_metrics,
)
from profile_tasks.scorers.measurement.tables import run_study
from profile_tasks.scorers.statistics.study import HUMAN, JUDGE, WRITER
from profile_tasks.solvers.both_orders import PairVerdict
from profile_tasks.solvers.requests import DiscriminationRequest, GenerationRequest
from profile_tasks.solvers.target_scores import generation_pairs, same_text

Row = dict[str, Any]

SCORES = (1, 2, 3, 4, 5)
LONGER, SHORTER = {"length": 2.0}, {"length": -2.0}


@dataclass(frozen=True)
class Written:
    """One source of a planted run: what was written, and what is measured of it without labels."""

    source: AnnotatedSource
    responses: dict[int, str]
    measured: SourceMeasurement


def planted(
    weights: dict[str, float], seed: int = 0, temperature: float = 0.7, **more: Any
) -> PlantedAnnotator:
    """Noisy enough that no two say the same of all pairs: then nothing could be estimated."""
    return PlantedAnnotator(planted_profile("balanced", weights, temperature, **more), seed)


def prefers(judge: PlantedAnnotator, source: AnnotatedSource, first: str, second: str) -> str:
    request = DiscriminationRequest(source.task, source.prompt, source.source, first, second)
    return judge.answer(request.render())[-1].lower()


@cache
def planted_run(judges_by: tuple[tuple[str, float], ...] = ()) -> tuple[Written, ...]:
    """A writer of long texts; as a judge it likes what is said, or the same."""
    model = planted(LONGER, judging_weights=dict(judges_by) or None)
    chosen = measured_factors("surface", "summarization", grader=False, learned_by={})
    run = []
    for source in load_preferences("demo", task="summarization").sources:
        responses = {
            score: model.answer(
                GenerationRequest(source.task, source.prompt, source.source, score, 1, 5).render()
            )
            for score in SCORES
        }
        pairs = generation_pairs(SCORES, "all")
        verdicts = {}
        for high, low in pairs:
            texts = responses[high], responses[low]
            if not same_text(*texts):
                shown = [prefers(model, source, *each) for each in (texts, texts[::-1])]
                verdicts[high, low] = PairVerdict(
                    tuple("first" if said == "a" else "second" for said in shown)
                )
        measured = measure_source(
            source,
            chosen,
            responses_by_score=responses,
            generation_pairs=pairs,
            own_verdicts=verdicts,
        )
        run.append(Written(source, responses, measured))
    return tuple(run)


def label_rows(run: Iterable[Written], *people: PlantedAnnotator) -> list[Row]:
    """A row for each two different texts of a source, with the votes of these people."""
    rows = []
    for each in run:
        for first, second in combinations(dict.fromkeys(each.responses.values()), 2):
            if same_text(first, second):
                continue
            votes = [prefers(annotator, each.source, first, second) for annotator in people]
            rows.append(
                {
                    "id": f"row {len(rows)} of {each.source.id}",
                    "group": each.source.id,
                    "prompt": each.source.prompt,
                    "source": each.source.source,
                    "response_a": first,
                    "response_b": second,
                    "annotators": votes,
                }
            )
    return rows


def turned(row: Row) -> Row:
    """The same row with the responses on the other sides."""
    other = {"a": "b", "b": "a", "tie": "tie"}
    return row | {
        "response_a": row["response_b"],
        "response_b": row["response_a"],
        "annotators": [other[vote] for vote in row["annotators"]],
    }


@pytest.fixture
def labels_of(tmp_path: Path) -> Callable[[Sequence[Row]], OwnLabels]:
    def read(rows: Sequence[Row], task: str | None = None) -> OwnLabels:
        return labels_in(tmp_path, rows, task)

    return read


def labels_in(folder: Path, rows: Sequence[Row], task: str | None = None) -> OwnLabels:
    file = folder / "labels.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_own_labels(str(file), task)


def labelled(run: Iterable[Written], labels: OwnLabels) -> list[SourceMeasurement]:
    return [labels.labelled(each.measured, each.source, each.responses) for each in run]


def estimates(measurements: Sequence[SourceMeasurement]) -> dict[str, float]:
    return own_metrics(measurements, own_study(measurements))


# What people prefer ------------------------------------------------------------------------------


def test_people_who_like_what_the_writer_likes_align_with_it_and_opposite_people_oppositely(
    labels_of: Callable[..., OwnLabels],
) -> None:
    for weights, alignment in ((LONGER, 1.0), (SHORTER, -1.0)):
        rows = label_rows(planted_run(), planted(weights, seed=5))
        found = estimates(labelled(planted_run(), labels_of(rows)))
        assert found["own_alignment_generation_pearson"] == pytest.approx(alignment, abs=0.05)
        assert found["own_alignment_discrimination_pearson"] == pytest.approx(alignment, abs=0.05)
        assert found["own_tau_human_length"] * alignment > 0.8
        assert (
            found["own_alignment_gap_tau_b_ci_low"] <= 0 <= found["own_alignment_gap_tau_b_ci_high"]
        )


def test_a_model_that_judges_as_people_do_and_writes_the_opposite_has_the_whole_gap(
    labels_of: Callable[..., OwnLabels],
) -> None:
    run = planted_run(tuple(SHORTER.items()))
    found = estimates(labelled(run, labels_of(label_rows(run, planted(SHORTER, seed=5)))))
    assert found["own_alignment_discrimination_tau_b"] == pytest.approx(1.0, abs=0.1)
    assert found["own_alignment_generation_tau_b"] == pytest.approx(-1.0, abs=0.1)
    assert found["own_alignment_gap_tau_b"] == pytest.approx(2.0, abs=0.2)
    assert found["own_alignment_gap_tau_b_ci_low"] > 1.5
    assert found["own_discrimination_accuracy_half_credit"] > 0.9


def test_the_influence_on_people_is_what_the_labels_and_the_signs_say(
    labels_of: Callable[..., OwnLabels],
) -> None:
    rows = label_rows(planted_run(), planted(SHORTER, seed=5))
    said = {
        (row["group"], row[f"response_{vote}"], row[f"response_{'ab'[vote == 'a']}"])
        for row in rows
        for vote in row["annotators"]
    }
    net = counted = 0
    for each in planted_run():
        at = each.measured.factors.index("length")
        for pair, signs in zip(
            each.measured.pairs_written or (), each.measured.written, strict=True
        ):
            if not pair.identical:
                texts = each.responses[pair.higher], each.responses[pair.lower]
                preferred = 1 if (each.source.id, *texts) in said else -1
                net += preferred * (signs[at] or 0)
                counted += 1
    found = estimates(labelled(planted_run(), labels_of(rows)))
    assert found["own_tau_human_length"] == pytest.approx(net / counted)
    assert found["own_labelled_pairs"] == counted
    assert found["own_labelled_share"] == 1.0


def test_of_several_votes_the_majority_counts_and_their_agreement_is_told(
    labels_of: Callable[..., OwnLabels],
) -> None:
    people = [planted(SHORTER, seed=seed, temperature=4.0) for seed in range(5)]
    rows = label_rows(planted_run(), *people)
    by_votes = labelled(planted_run(), labels_of(rows))
    counted = [row | {"annotators": [max("ab", key=row["annotators"].count)]} for row in rows]
    by_majority = labelled(planted_run(), labels_of(counted))
    assert (
        estimates(by_votes)["own_tau_human_length"]
        == estimates(by_majority)["own_tau_human_length"]
    )
    _, profile = metrics_and_profile(by_votes, "planted/x", 100, 0)
    agreement = profile["own_pairs"]["annotators"]["agreement"]["value"]
    assert 0.5 < agreement < 1.0


def test_pairs_without_a_label_are_missing_for_people_judge_and_writer_alike(
    labels_of: Callable[..., OwnLabels],
) -> None:
    rows = label_rows(planted_run(), planted(SHORTER, seed=5))
    half = rows[::2]
    measured = labelled(planted_run(), labels_of(half))
    study = own_study(measured)
    assert study is not None
    n = {name: len(table.preference) for name, table in study.tables.items()}
    assert n[HUMAN] == n[WRITER] < standard_pairs(measured)
    assert n[JUDGE] == n[HUMAN]
    assert not np.any(study.tables[HUMAN].preference == 0)
    found = estimates(measured)
    assert found["own_labelled_pairs"] == n[HUMAN]
    assert 0.4 < found["own_labelled_share"] < 0.6
    assert found["own_alignment_generation_pearson"] == pytest.approx(-1.0, abs=0.05)


def standard_pairs(measured: Sequence[SourceMeasurement]) -> int:
    return sum(not pair.identical for m in measured for pair in m.pairs_written or ())


def test_a_tie_of_people_is_a_tie_and_a_row_that_nobody_judged_is_no_label(
    labels_of: Callable[..., OwnLabels],
) -> None:
    rows = label_rows(planted_run(), planted(LONGER))
    rows[0]["annotators"], rows[1]["annotators"] = ["tie"], []
    found = labelled(planted_run(), labels_of(rows))
    preferences = [p for m in found if m.own_human for p in m.own_human.preferences]
    assert preferences.count(0) >= 1
    assert sum(p is None for p in preferences) >= 1


# Which pair a label is about ---------------------------------------------------------------------


SEVERAL = label_rows(planted_run()[:3], *(planted(SHORTER, s, temperature=4.0) for s in range(3)))


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(len(SEVERAL))), st.lists(st.booleans(), min_size=len(SEVERAL)))
def test_neither_the_order_of_rows_nor_the_sides_change_anything(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], sides: list[bool]
) -> None:
    folder = tmp_path_factory.mktemp("labels")
    run = planted_run()[:3]
    plain = labelled(run, labels_in(folder, SEVERAL))
    shuffled = [turned(SEVERAL[at]) if sides[at] else SEVERAL[at] for at in order]
    other = labelled(run, labels_in(folder, shuffled))
    for one, two in zip(plain, other, strict=True):
        assert one.own_human is not None
        assert two.own_human is not None
        assert one.own_human.preferences == two.own_human.preferences
        assert one.own_human.votes == two.own_human.votes
        assert len({*one.own_human.preferences} & {1, -1}) >= 1


def test_texts_are_held_against_each_other_as_a_log_holds_them(
    labels_of: Callable[..., OwnLabels],
) -> None:
    rows = label_rows(planted_run(), planted(LONGER))
    padded = [row | {"response_a": f"<think>hm</think>\n{row['response_a']} \n"} for row in rows]
    assert estimates(labelled(planted_run(), labels_of(padded))) == estimates(
        labelled(planted_run(), labels_of(rows))
    )


def test_two_rows_that_contradict_each_other_are_refused_with_both_places(
    labels_of: Callable[..., OwnLabels],
) -> None:
    first, *others = label_rows(planted_run()[:1], planted(LONGER))
    again = turned(first) | {"id": "again"}
    labels_of([first, *others, again])  # says the same
    with pytest.raises(ValueError, match=r"labels.jsonl:\d+: says something else .*labels.jsonl:1"):
        labels_of([first, *others, again | {"annotators": first["annotators"]}])


def test_labels_that_are_about_no_pair_are_told_with_place_and_reason(
    labels_of: Callable[..., OwnLabels],
) -> None:
    each = planted_run()[0]
    rows = label_rows([each], planted(LONGER))
    foreign = rows[0] | {"id": "x", "response_a": "Nobody wrote this."}
    elsewhere = rows[1] | {"id": "y", "group": "no such source", "prompt": "Another request."}
    equal = rows[2] | {"id": "z", "response_b": rows[2]["response_a"]}
    labels = labels_of([*rows, foreign, elsewhere, equal])
    measured = labels.labelled(each.measured, each.source, each.responses)
    notes = labels.notes([measured])
    n = len(rows)
    assert notes[0].endswith(
        f"people's labels on {standard_pairs([measured])} of "
        f"{standard_pairs([measured])} pairs of different texts"
    )
    told = dict(zip((OTHER_TEXTS, EQUAL_TEXTS, UNKNOWN_SOURCE), (n + 1, n + 3, n + 2), strict=True))
    for why, line in told.items():
        assert any(note.startswith(f"labels.jsonl:{line}: ") and why in note for note in notes[1:])
    assert len(notes) == 4


def test_a_label_of_what_another_epoch_wrote_is_not_told_as_left_out(
    labels_of: Callable[..., OwnLabels],
) -> None:
    each = planted_run()[0]
    labels = labels_of(label_rows([each], planted(LONGER)))
    others = {score: f"Epoch two wrote {'more ' * score}." for score in SCORES}
    again = labels.labelled(each.measured, each.source, others)
    assert again.own_human is not None
    assert OTHER_TEXTS in again.own_human.unused
    first = labels.labelled(each.measured, each.source, each.responses)
    assert len(labels.notes([again])) == 2
    assert len(labels.notes([again, first])) == 1


def test_of_two_equal_texts_neither_side_contradicts_the_other(
    labels_of: Callable[..., OwnLabels],
) -> None:
    row = label_rows(planted_run()[:1], planted(LONGER))[0]
    equal = row | {"response_b": row["response_a"]}
    labels_of(
        [row, equal | {"id": "x", "annotators": ["a"]}, equal | {"annotators": ["b"], "id": "y"}]
    )


def test_a_pair_that_was_not_compared_has_no_use_for_its_label(
    labels_of: Callable[..., OwnLabels],
) -> None:
    each = planted_run()[0]
    adjacent = measure_source(
        each.source,
        measured_factors("surface", "summarization", grader=False, learned_by={}),
        responses_by_score=each.responses,
        generation_pairs=generation_pairs(SCORES, "adjacent"),
    )
    labels = labels_of(label_rows([each], planted(LONGER)))
    found = labels.labelled(adjacent, each.source, each.responses)
    assert found.own_human is not None
    assert NOT_COMPARED in found.own_human.unused


def test_sources_of_one_group_are_told_apart_by_their_request(
    labels_of: Callable[..., OwnLabels],
) -> None:
    a, b = planted_run()[:2]
    ids = {"group": "story"}
    one, two = (
        each.source.model_copy(update=ids | {"id": f"story#{k}", "prompt": f"Question {k}?"})
        for k, each in enumerate((a, b), 1)
    )
    rows = [
        row | ids | {"id": f"{k}-{row['id']}", "prompt": f"Question {k}?"}
        for k, each in enumerate((a, b), 1)
        for row in label_rows([each], planted(LONGER))
    ]
    labels = labels_of(rows)
    measured = [
        labels.labelled(each.measured, source, each.responses)
        for each, source in ((a, one), (b, two))
    ]
    assert all(m.own_human and not m.own_human.unused for m in measured)
    assert labels.notes(measured)[1:] == []


def test_preferences_that_are_no_peoples_are_refused(labels_of: Callable[..., OwnLabels]) -> None:
    rows = label_rows(planted_run()[:1], planted(LONGER))
    unjudged = [row | {"annotators": []} for row in rows]
    with pytest.raises(ValueError, match="no row has a preference of people"):
        labels_of(unjudged)
    recorded = [{k: v for k, v in row.items() if k != "annotators"} for row in rows]
    with pytest.raises(ValueError, match="no row has a preference of people"):
        labels_of([row | {"judge_gpt": "a"} for row in recorded])


# Beside everything else --------------------------------------------------------------------------


def test_labels_leave_every_other_metric_as_it_is(labels_of: Callable[..., OwnLabels]) -> None:
    before = [each.measured for each in planted_run()]
    rows = label_rows(planted_run()[:20], planted(SHORTER, seed=5))
    after = labelled(planted_run(), labels_of(rows))
    without, _ = metrics_and_profile(before, "planted/x", 100, 0)
    with_labels, profile = metrics_and_profile(after, "planted/x", 100, 0)
    assert [name for name in without if name.startswith("own_")] == [
        "own_flip_rate", "own_unreadable_rate",
    ]  # fmt: skip
    kept = {name: with_labels[name] for name in without}
    np.testing.assert_equal(kept, without)
    assert profile["own_pairs"]["human"]["n_groups"] == 20
    assert profile["own_labels"]["n_labelled"] == with_labels["own_labelled_pairs"]


def test_a_measurement_of_an_older_log_has_no_labels_and_one_with_labels_reads_back(
    labels_of: Callable[..., OwnLabels],
) -> None:
    old = planted_run()[0].measured.model_dump(mode="json")
    del old["own_human"]
    assert SourceMeasurement.model_validate(old).own_human is None
    (found, *_) = labelled(planted_run(), labels_of(label_rows(planted_run(), planted(LONGER))))
    assert SourceMeasurement.model_validate(found.model_dump(mode="json")) == found


def test_what_an_other_epoch_wrote_counts_beside(labels_of: Callable[..., OwnLabels]) -> None:
    labels = labels_of(label_rows(planted_run(), planted(LONGER)))
    twice = [m for m in labelled(planted_run(), labels) for _ in range(2)]
    study = own_study(twice)
    assert study is not None
    assert len(study.tables[HUMAN].preference) == len(study.tables[WRITER].preference)
    once = own_study(twice[::2])
    assert once is not None
    assert len(study.tables[HUMAN].preference) == 2 * len(once.tables[HUMAN].preference)


def test_without_a_single_label_there_is_no_study_and_the_share_is_0(
    labels_of: Callable[..., OwnLabels],
) -> None:
    rows = label_rows(planted_run()[20:], planted(LONGER))
    measured = labelled(planted_run()[:20], labels_of(rows))
    assert labelled_own_pairs(measured) == []
    assert own_metrics(measured, own_study(measured)) == {
        "own_labelled_pairs": 0.0, "own_labelled_share": 0.0,
    }  # fmt: skip
    assert own_metrics([each.measured for each in planted_run()], None) == {}


def test_standard_metrics_and_the_study_of_a_run_do_not_look_at_labels(
    labels_of: Callable[..., OwnLabels],
) -> None:
    after = labelled(planted_run(), labels_of(label_rows(planted_run(), planted(LONGER))))
    before = [each.measured for each in planted_run()]
    np.testing.assert_equal(standard_metrics(after), standard_metrics(before))
    np.testing.assert_equal(
        run_study(after, replicates=50).flat(), run_study(before, replicates=50).flat()
    )
