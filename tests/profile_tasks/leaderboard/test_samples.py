"""A metric of many runs from their samples: drawn together, or why it is not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from profile_tasks.leaderboard.samples import resampled, resampled_metrics
from profile_tasks.runs.run import Run
from profile_tasks.scorers.measurement.source_measurement import (
    GenerationPair,
    SourceMeasurement,
    standard_metrics,
)
from profile_tasks.scorers.measurement.tables import AGREEMENT_SHARES, run_study
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.study import AGREEMENT

HALF = "discrimination_accuracy_half_credit"
FACTORS = ("length", "fluency", "novel_words")

Measured = tuple[SourceMeasurement, ...]


def measured(seed: int, sources: Sequence[int], right: float = 0.7) -> Measured:
    """What a model judged and wrote on these sources; people and factors are the same for all."""
    rng = np.random.default_rng(seed)

    def of_source(number: int) -> SourceMeasurement:
        data = np.random.default_rng(number)
        human = data.choice([1, -1], 3)
        correct = rng.random(3) < right
        judged = np.where(correct, human, -human)
        return SourceMeasurement(
            source_id=f"s{number:03}",
            group=f"s{number:03}",
            factors=FACTORS,
            human=tuple(human.tolist()),
            annotated=tuple(map(tuple, data.integers(-1, 2, (3, 3)).tolist())),
            picks=tuple(
                ("first", "second") if sign > 0 else ("second", "first") for sign in judged
            ),
            pairs_written=(GenerationPair(higher=5, lower=1, identical=False),),
            written=tuple(map(tuple, rng.integers(-1, 2, (1, 3)).tolist())),
        )

    return tuple(of_source(number) for number in sources)


def run_of(model: str, measurements: Measured) -> Run:
    values: dict[str, float | None] = {**run_study(measurements).flat()}
    return Run(
        file=f"{model}.eval", harness="inspect", model=model, task="summarization",
        name="summarization", setting="both", factors=FACTORS,
        metrics={**values, **standard_metrics(measurements)},
    )  # fmt: skip


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Measured]:
    """What the samples of the logs hold, by model; of others nothing may be read."""
    held: dict[str, Measured] = {}

    def read(run: Run, score: str | None = None) -> Run:
        if run.model not in held:
            raise ValueError(f"{run.file}: a damaged log")
        return replace(run, measurements=held[run.model])

    monkeypatch.setattr("profile_tasks.runs.inspect_log.with_measurements", read)
    return held


def runs_of(logs: dict[str, Measured], held: Mapping[str, Measured]) -> list[Run]:
    logs |= held
    return [run_of(model, measurements) for model, measurements in held.items()]


def test_every_resampled_metric_has_the_replicates_of_its_own_log(logs: Any) -> None:
    runs = runs_of(logs, {"a": measured(1, range(20)), "b": measured(2, range(20))})
    assert set(AGREEMENT_SHARES) < set(resampled_metrics(FACTORS))
    for metric in resampled_metrics(FACTORS):
        for run, found in zip(runs, resampled(runs, metric), strict=True):
            if metric.startswith(("tau_own", "self_agreement", "own_")):
                # These sources hold no verdicts on the model's own pairs, of it or of people.
                assert not found.defined
                assert found.drawn is None
                assert found.reason == "the log holds no samples of it"
                continue
            own = run_study(logs[run.model])
            expected = (own.estimates | own.influence(AGREEMENT))[metric]
            assert found.value == run.metrics[metric] == expected.value, metric
            if expected.drawn is None:  # a gap of which too little is known
                assert found.drawn is None
                continue
            np.testing.assert_allclose(found.drawn, expected.drawn, atol=1e-12)
            assert found.n_groups == 20


def test_what_two_runs_share_is_paired_and_what_they_do_not_is_independent(logs: Any) -> None:
    ours = measured(1, range(60))
    runs = runs_of(
        logs,
        {
            "a": ours,
            "same": ours,
            "half": measured(1, range(30, 90)),
            "apart": measured(1, range(90, 150)),
        },
    )
    drawn = np.array([each.drawn for each in resampled(runs, "tau_human_length")])
    with_a = np.corrcoef(drawn)[0]
    assert with_a[1] == pytest.approx(1)
    assert 0.3 < with_a[2] < 0.8
    assert abs(with_a[3]) < 0.15


def test_the_order_of_the_runs_does_not_matter(logs: Any) -> None:
    runs = runs_of(logs, {"a": measured(1, range(20)), "b": measured(2, range(5, 25))})
    forwards, backwards = resampled(runs, HALF), resampled(runs[::-1], HALF)[::-1]
    for one, other in zip(forwards, backwards, strict=True):
        np.testing.assert_array_equal(one.drawn, other.drawn)


def why(estimates: Sequence[Estimate]) -> list[str | None]:
    assert all((each.reason is None) == each.defined for each in estimates)
    return [each.reason for each in estimates]


def test_what_cannot_be_paired_says_why_and_keeps_nobody_else_from_it(logs: Any) -> None:
    runs = runs_of(logs, {name: measured(i, range(20)) for i, name in enumerate("abcd")})
    logs["c"] = ()
    del logs["d"]
    others = [
        replace(runs[0], model="results", harness="lm-eval"),
        replace(runs[0], metrics={HALF: 0.123}),
    ]
    assert why(resampled([*runs, *others], HALF)) == [
        None,
        None,
        "the log holds no samples of it",
        "d.eval: a damaged log",
        "a results file holds no samples",
        "its samples give another value than it reports",
    ]


def test_no_sample_is_read_of_a_metric_that_is_not_resampled_or_of_one_log_alone() -> None:
    # There are no such files: whoever looks into them fails.
    one, other = (run_of(name, measured(1, range(8))) for name in "ab")
    assert why(resampled([one, other], "rouge1")) == ["rouge1 is not resampled"] * 2
    assert (
        why(resampled([one, other], "tau_human_length_p_value"))
        == ["tau_human_length_p_value is not resampled"] * 2
    )
    flat = replace(other, harness="lm-eval")
    assert why(resampled([one, flat], HALF)) == ["fewer than two rows have samples"] * 2
