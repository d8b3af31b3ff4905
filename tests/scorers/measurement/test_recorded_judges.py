"""Accuracies of recorded verdicts of real judges, against a count of the test's own."""

import json
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.scorers.measurement.source_measurement import (
    PREFERENCE_SIGNS,
    SourceMeasurement,
    standard_metrics,
)
from profile_tasks.scorers.measurement.tables import agreement_table
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.study import Study

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
