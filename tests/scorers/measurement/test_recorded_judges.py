"""Accuracies of recorded verdicts of real judges, against a count of the test's own."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from profile_tasks.data.preference import PREFERENCE_SIGNS
from profile_tasks.data.preferences import load_preferences
from profile_tasks.scorers.measurement.recorded import chosen_factors
from profile_tasks.scorers.measurement.recorded_judges import RecordedJudges, measured_alone
from profile_tasks.scorers.measurement.source_measurement import (
    SourceMeasurement,
    standard_metrics,
    with_verdicts,
)
from profile_tasks.scorers.measurement.tables import agreement_table
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.study import Study
from profile_tasks.solvers.recorded_answers import recorded_models

FILES = ("if_mtbench_faireval_judges", "if_llmbar_judges")
HALF, DECIDED = "discrimination_accuracy_half_credit", "discrimination_accuracy"


def rows_of(shared_data: Path, name: str) -> list[dict[str, Any]]:
    path = shared_data / "recorded" / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip(f"no file {path} with recorded verdicts")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def judges(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(
        {key.removeprefix("judge_") for row in rows for key in row if key[:6] == "judge_"}
    )


def measured(rows: list[dict[str, Any]], judge: str) -> list[SourceMeasurement]:
    return [
        SourceMeasurement(
            source_id=row["id"],
            group=row["group"],
            factors=("length",),
            human=(PREFERENCE_SIGNS[row["preference"]],),
            annotated=((0,),),
            picks=(tuple(row[f"picks_{judge}"]),),
        )
        for row in rows
        if row.get(f"picks_{judge}")
    ]


def counted(rows: list[dict[str, Any]], judge: str) -> tuple[float, float, int]:
    """Accuracy with half credit, of decided pairs, and their number, by the recorded verdicts."""
    told = [
        (row["preference"], row[f"judge_{judge}"])
        for row in rows
        if row["preference"] != "tie" and row.get(f"judge_{judge}") is not None
    ]
    right = sum(people == model for people, model in told)
    ties = sum(model == "tie" for _, model in told)
    return (right + ties / 2) / len(told), right / (len(told) - ties), len(told) - ties


@pytest.mark.parametrize("name", FILES)
def test_both_accuracies_are_those_of_a_count(shared_data: Path, name: str) -> None:
    rows = rows_of(shared_data, name)
    assert len(judges(rows)) >= 8
    for judge in judges(rows):
        records = measured(rows, judge)
        found = standard_metrics(records)
        half, decided, n = counted(rows, judge)
        assert found[HALF] == pytest.approx(half, rel=0, abs=1e-12), judge
        assert found[DECIDED] == pytest.approx(decided, rel=0, abs=1e-12), judge
        assert found["discrimination_decided_pairs"] == n, judge
        study = Study({}, {"agreement": agreement_table(records)}, replicates=20)
        for metric in (HALF, DECIDED):
            share = study.share("agreement", metric)
            assert share.value == pytest.approx(found[metric], rel=0, abs=1e-12)
            assert share.low < share.value < share.high


def test_half_credit_does_not_reward_the_judge_who_follows_the_position(shared_data: Path) -> None:
    # ChatGPT flips on every second pair. Leaving those out makes it look as good as GPT-4.
    rows = rows_of(shared_data, "if_mtbench_faireval_judges")
    both = [
        row
        for row in rows
        if row["picks_gpt4_vanilla_norules"] and row["picks_chatgpt_vanilla_norules"]
    ]
    codes = {group: code for code, group in enumerate(sorted({row["group"] for row in both}))}
    study = Study(
        {},
        {
            judge: agreement_table(measured(both, f"{judge}_vanilla_norules"), codes)
            for judge in ("gpt4", "chatgpt")
        },
    )

    def difference(metric: str) -> Estimate:
        return study.difference("gpt4", "chatgpt")[0][metric]

    assert difference("flip_rate").high < -0.2
    assert difference(HALF).low > 0.02
    assert difference(DECIDED).low < 0 < difference(DECIDED).high


# Judges beside people -----------------------------------------------------------------------------

EVERY_FILE = (*FILES, "if_llmeval2_judges", "if_pandalm_judges", "qa_mtrag", "qa_ragchecker")
NAMED = {"first": 1, "second": -1, "tie": 0}


def counts(rows: list[dict[str, Any]], judge: str) -> dict[str, float]:
    """What a judge's columns say, by plain counts; NaN where nothing counts."""
    nan = float("nan")
    people = np.array([PREFERENCE_SIGNS[row["preference"]] for row in rows])
    said = [row.get(f"judge_{judge}") for row in rows]
    model = np.array([nan if s is None else PREFERENCE_SIGNS[s] for s in said])
    picks = [row.get(f"picks_{judge}") for row in rows]
    shown = [pick for pair in picks for pick in pair or ()]
    both = [pair for pair in picks if pair and len(pair) == 2 and None not in pair]
    there = ~np.isnan(model)
    preferred, decided = there & (people != 0), there & (people * np.nan_to_num(model) != 0)
    agreed = people[there] == model[there]
    chance = sum((people[there] == k).mean() * (model[there] == k).mean() for k in (-1, 0, 1))
    positions = [pick for pick in shown if pick in ("first", "second")]
    return {
        "n": there.sum(),
        "n_missing": (~there).sum(),
        "n_decided": decided.sum(),
        "accuracy_half_credit": ((1 + people * model)[preferred] / 2).mean(),
        "accuracy_decided": (people == model)[decided].mean(),
        "kappa": (agreed.mean() - chance) / (1 - chance),
        "flip_rate": np.mean([NAMED[a] != -NAMED[b] for a, b in both]) if both else nan,
        "first_position_rate": positions.count("first") / len(positions) if positions else nan,
        "unreadable_rate": shown.count(None) / len(shown) if shown else (~there).mean(),
    }


def judged(path: Path, names: Sequence[str] = ()) -> RecordedJudges:
    data = load_preferences(str(path), skip_bad_rows=True)
    alone = measured_alone(data.sources, chosen_factors(data, "length"))
    return RecordedJudges(
        alone,
        {
            model.name: [
                with_verdicts(measurement, model.judged(source) or ())
                for source, measurement in zip(data.sources, alone, strict=True)
            ]
            for model in recorded_models(data.sources, data.name, names)
        },
        replicates=100,
    )


@pytest.mark.parametrize("name", EVERY_FILE)
def test_every_figure_of_a_judge_is_that_of_a_plain_count(shared_data: Path, name: str) -> None:
    rows = [
        row
        for row in rows_of(shared_data, name)
        if row["response_a"].strip() and row["response_b"].strip()
    ]
    found = judged(shared_data / "recorded" / f"{name}.jsonl")
    assert sorted(found.measurements) == judges(rows)
    for judge in judges(rows):
        record = found.record(judge)
        for metric, counted_value in counts(rows, judge).items():
            value = record[metric]
            if math.isnan(counted_value):
                assert (value, record[f"{metric}_ci_low"]) == (None, None), (judge, metric)
                assert record[f"{metric}_reason"], (judge, metric)
            else:
                assert value == pytest.approx(counted_value, rel=0, abs=1e-12), (judge, metric)
                if not metric.startswith("n"):
                    assert record[f"{metric}_ci_low"] <= value <= record[f"{metric}_ci_high"]


# Of the whole file, as published for LLMBar (prompt "vanilla, no rules"): half credit, decided,
# flips. At hand is a part of the rows, whose intervals must hold them.
PUBLISHED = {
    "gpt4_vanilla_norules": (0.765, 0.791, 0.088),
    "chatgpt_vanilla_norules": (0.400, 0.336, 0.389),
    "llama2_vanilla_norules": (0.396, 0.365, 0.23),
}


@pytest.mark.parametrize("judge", PUBLISHED)
def test_the_rows_at_hand_give_about_what_was_published_of_all(
    shared_data: Path, judge: str
) -> None:
    rows_of(shared_data, "if_llmbar_judges")
    record = judged(shared_data / "recorded" / "if_llmbar_judges.jsonl", [judge]).record(judge)
    metrics = ("accuracy_half_credit", "accuracy_decided", "flip_rate")
    for metric, published in zip(metrics, PUBLISHED[judge], strict=True):
        assert record[f"{metric}_ci_low"] < published < record[f"{metric}_ci_high"], metric


def test_a_verdict_alone_has_neither_flips_nor_positions(shared_data: Path) -> None:
    rows_of(shared_data, "qa_mtrag")
    record = judged(shared_data / "recorded" / "qa_mtrag.jsonl", ["rb_llm"]).record("rb_llm")
    assert record["flip_rate"] is record["first_position_rate"] is None
    assert record["flip_rate_reason"] == "no pair has two readable verdicts"
    assert "which was shown first" in record["first_position_rate_reason"]
    assert record["unreadable_rate"] == 0


def test_where_nobodys_preference_is_recorded_only_accuracies_lack(tmp_path: Path) -> None:
    rows = [
        {
            "id": f"r{i}",
            "task": "instruction_following",
            "prompt": f"Say {i}.",
            "response_a": "one two three",
            "response_b": "one",
            "picks_x": ["first", "second"] if i % 4 else ["first", "first"],
            "judge_y": "a" if i % 3 else None,
        }
        for i in range(24)
    ]
    path = tmp_path / "f.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = judged(path)
    record = found.record("x")
    for metric in ("accuracy_half_credit", "accuracy_decided", "kappa"):
        assert record[metric] is None
        assert record[f"{metric}_reason"]
    assert (record["n"], record["n_decided"], record["flip_rate"]) == (24, 0, 0.25)
    assert record["factors"]["length"]["tau"] == 1.0
    assert record["factors"]["length"]["difference"]["value"] is None
    assert "there are no pairs" in record["factors"]["length"]["difference"]["reason"]
    missing = found.record("y")
    assert (missing["n"], missing["n_missing"]) == (16, 8)
    assert missing["unreadable_rate"] == pytest.approx(1 / 3)


def test_probabilities_are_calibrated_over_the_pairs_that_have_one(tmp_path: Path) -> None:
    rows = [
        {
            "id": f"r{i}",
            "task": "instruction_following",
            "prompt": f"Say {i}.",
            "response_a": "one two three",
            "response_b": "one",
            "preference": "ab"[i % 2],
            "probability_x": [(0.9, 0.2)[i % 2], (0.3, 0.6)[i % 2]] if i else [None, 0.4],
        }
        for i in range(20)
    ]
    path = tmp_path / "f.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = judged(path)
    record = found.record("x")
    assert (record["n"], record["n_missing"], record["unreadable_rate"]) == (19, 1, 1 / 40)
    assert (record["accuracy_half_credit"], record["flip_rate"]) == (1.0, 0.0)
    logged = [m.model_dump(mode="json") for m in found.measurements["x"]]
    read = [SourceMeasurement.model_validate(each) for each in logged]
    assert standard_metrics(read)["discrimination_accuracy_tie_calibrated"] == 1.0
    assert read[0].verdicts is not None
    assert read[0].verdicts[0].preference is None
    assert read[1].margins is not None
    assert read[1].margins[0] == pytest.approx((math.log(0.25), math.log(1.5)))
