"""Several models in the role grader: planted ones of stated error, whose panel has an answer."""

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai import score
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import Model, get_model

from profile_tasks.runs.inspect_log import read_run
from profile_tasks.scorers.inspect.full_profile import SCORER
from profile_tasks.scorers.inspect.profile_scorer import factor_profile, measurement_of
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.summarization import summarization

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

RATES = (0.1, 0.13, 0.16)
PANEL = tuple(zip(RATES, (1, 2, 3), strict=True))
FACTORS = "length,hallucination,fluency,coherence"
JUDGED = ("fluency", "coherence")
NAMES = [f"planted/grader #{place}" for place in (1, 2, 3)]


def planted(rate: float, seed: int = 0) -> Model:
    return get_model("planted/grader", memoize=False, error_rate=rate, seed=seed)


def panel() -> list[Model]:
    return [planted(rate, seed) for rate, seed in PANEL]


def run(folder: Path, graders: Sequence[Model] | Model, **arguments: object) -> EvalLog:
    (log,) = inspect_eval(
        summarization,
        task_args={"factors": FACTORS, **arguments},
        model=get_model("planted/verbose", memoize=False),
        model_roles={"grader": graders},
        log_dir=str(folder),
        display="none",
        log_realtime=False,
    )
    return log


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def logs(read_inspect_log: Callable[..., EvalLog]) -> dict[str, EvalLog]:
    """A panel's run, that of its second grader alone, and one without errors."""
    graders = {"panel": PANEL, "second": PANEL[1:2], "exact": ((0.0, 0),)}
    return {
        name: read_inspect_log("verbose", grader=each, factors=FACTORS, limit=12)
        for name, each in graders.items()
    }


def measured(log: EvalLog) -> list[SourceMeasurement]:
    return [measurement_of(sample.scores[SCORER]) for sample in log.samples or () if sample.scores]


def profile(log: EvalLog) -> dict[str, Any]:
    assert log.results is not None
    found: dict[str, Any] = (log.results.scores[0].metadata or {})["profile"]
    return found


def metrics(log: EvalLog) -> dict[str, float]:
    assert log.results is not None
    return {name: metric.value for name, metric in log.results.scores[0].metrics.items()}


def signs(found: list[SourceMeasurement], factor: str, place: int | None = None) -> np.ndarray:
    """Of the annotated pairs and those of different written texts, by one grader or by all."""
    said = [each if place is None else each.by_grader(place) for each in found]
    at = said[0].factors.index(factor)
    return np.array(
        [
            row[at]
            for each in said
            for rows, counts in (
                (each.annotated, [True] * len(each.annotated)),
                (each.written, [not pair.identical for pair in each.pairs_written or ()]),
            )
            for row, wanted in zip(rows, counts, strict=True)
            if wanted
        ]
    )


def said(rate: float, right: int) -> dict[int, float]:
    """Chance of each sign of a grader of this error rate: where both orders say it, else 0."""
    both = {sign: (1 - rate if sign == right else rate / 2) ** 2 for sign in (1, 0, -1)}
    return both | {0: 1 - both[1] - both[-1]}


def shares(truth: np.ndarray) -> dict[int, float]:
    return {sign: float(np.mean(truth == sign)) for sign in (1, 0, -1)}


@pytest.mark.parametrize("factor", JUDGED)
def test_the_majority_errs_less_than_each_and_the_better_grader_agrees_more(
    logs: dict[str, EvalLog], factor: str
) -> None:
    truth, found = signs(measured(logs["exact"]), factor), measured(logs["panel"])
    wrong = [np.mean(signs(found, factor, place) != truth) for place in range(3)]
    stated = [
        sum(share * (1 - said(rate, sign)[sign]) for sign, share in shares(truth).items())
        for rate in RATES
    ]
    np.testing.assert_allclose(wrong, stated, atol=0.05)
    assert wrong[0] < wrong[1] < wrong[2]
    assert np.mean(signs(found, factor) != truth) < wrong[0]


@pytest.mark.parametrize("factor", JUDGED)
def test_alpha_is_what_the_stated_errors_imply(logs: dict[str, EvalLog], factor: str) -> None:
    found, truth = metrics(logs["panel"]), shares(signs(measured(logs["exact"]), factor))
    agreement = np.mean(
        [
            sum(truth[t] * said(a, t)[s] * said(b, t)[s] for t in truth for s in truth)
            for a, b in combinations(RATES, 2)
        ]
    )
    tie = np.mean([sum(share * said(rate, t)[0] for t, share in truth.items()) for rate in RATES])
    chance = 2 * ((1 - tie) / 2) ** 2 + tie**2
    assert found[f"grader_agreement_{factor}"] == pytest.approx(agreement, abs=0.05)
    implied = 1 - (1 - agreement) / (1 - chance)
    assert found[f"grader_alpha_{factor}"] == pytest.approx(implied, abs=0.07)
    low, high = (found[f"grader_alpha_{factor}_ci_{end}"] for end in ("low", "high"))
    assert low < found[f"grader_alpha_{factor}"] < high


def test_each_grader_says_what_it_says_alone(logs: dict[str, EvalLog]) -> None:
    alone = profile(logs["second"])
    in_panel = profile(logs["panel"])["panel"]["graders"][NAMES[1]]
    for perspective in ("human", "discrimination", "generation", "own"):
        for factor in ("hallucination", *JUDGED):
            entry = alone[perspective]["factors"][factor]
            assert in_panel[perspective][factor]["value"] == entry["tau"]
            assert in_panel[perspective][factor]["ci_low"] == entry["ci_low"]
    found = metrics(logs["second"])
    aligned = in_panel["alignment_discrimination"]["tau_b"]
    assert aligned["value"] == found["alignment_discrimination_tau_b"]
    assert aligned["ci_high"] == found["alignment_discrimination_tau_b_ci_high"]
    assert in_panel["self_agreement"]["pearson"]["value"] == found["self_agreement_pearson"]
    assert "panel" not in alone
    assert not any(name.startswith("grader_alpha") for name in found)


def test_the_spread_widens_graded_factors_alone(logs: dict[str, EvalLog]) -> None:
    panel, exact = (profile(logs[name])["human"]["factors"] for name in ("panel", "exact"))
    ends = ("ci_low", "ci_high")
    assert [panel["length"][e] for e in ends] == [exact["length"][e] for e in ends]
    alone = profile(logs["panel"])["panel"]["graders"]
    for factor in JUDGED:
        width = panel[factor]["ci_high"] - panel[factor]["ci_low"]
        least = min(
            each["human"][factor]["ci_high"] - each["human"][factor]["ci_low"]
            for each in alone.values()
        )
        assert width > least


def test_the_log_holds_every_graders_grades(logs: dict[str, EvalLog]) -> None:
    for sample in logs["panel"].samples or ():
        assert sample.scores is not None
        metadata = sample.scores[SCORER].metadata or {}
        assert [each["grader"] for each in metadata["grades"]] == ["planted/grader"] * 3
        assert len({each["grader_settings"] for each in metadata["grades"]}) == 3
    assert profile(logs["panel"])["grading"]["graders"] == NAMES
    assert (logs["panel"].eval.metadata or {})["grader"] == ", ".join(NAMES)
    found = read_run(logs["panel"].location)
    assert found.graders == tuple(NAMES)
    assert all(each.graders == tuple(NAMES) for each in found.measurements)


def test_a_panel_takes_as_many_requests_as_its_graders_alone(logs: dict[str, EvalLog]) -> None:
    panel, one = (metrics(logs[name])["grader_requests"] for name in ("panel", "exact"))
    assert panel == 3 * one


def test_scoring_again_asks_the_panel_for_nothing_that_it_said(logs: dict[str, EvalLog]) -> None:
    (again,) = [
        score(
            logs["panel"],
            factor_profile(factors=FACTORS, grader_cache=False),
            action="overwrite",
            display="none",
            model_roles={"grader": panel()},
        )
    ]
    assert [m.grader_requests for m in measured(again)] == [0] * 12
    assert [m.annotated for m in measured(again)] == [m.annotated for m in measured(logs["panel"])]


def test_another_grader_in_the_panel_is_all_that_is_asked(logs: dict[str, EvalLog]) -> None:
    again = score(
        logs["second"],
        factor_profile(factors=FACTORS, grader_cache=False),
        action="overwrite",
        display="none",
        model_roles={"grader": panel()[:2]},
    )
    for each in measured(again):
        assert [grader.requests > 0 for grader in each.panel] == [True, False]


def test_a_grader_that_cannot_be_read_is_missing_and_never_a_tie(
    tmp_path: Path, tokenless: None
) -> None:
    silent = get_model("mockllm/model", memoize=False)
    log = run(tmp_path, [planted(0), silent], limit=2)
    alone = run(tmp_path, planted(0), limit=2)
    for both, one in zip(
        measured(read_eval_log(log.location)), measured(read_eval_log(alone.location)), strict=True
    ):
        assert both.annotated == one.annotated
        assert both.panel[1].annotated["fluency"] == (None,) * len(one.human)
        assert both.panel[1].grading["fluency"].missing == one.grading["fluency"].asked
        assert both.grader == "planted/grader, mockllm/model"
        assert both.grader_problems[0].startswith("mockllm/model: ")


def test_the_same_model_twice_is_refused_before_a_model_is_asked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="models 1 and 2 are the same, planted/grader with the"):
        run(tmp_path, [planted(0.1), planted(0.1)], limit=1)
    assert not list(tmp_path.glob("*.eval"))


def test_a_task_built_beforehand_refuses_them_before_a_model_is_asked(tmp_path: Path) -> None:
    (log,) = inspect_eval(
        summarization(factors=FACTORS, limit=1),
        model=get_model("planted/verbose", memoize=False),
        model_roles={"grader": [planted(0.1), planted(0.1)]},
        log_dir=str(tmp_path),
        display="none",
    )
    assert log.error is not None
    assert "models 1 and 2 are the same" in log.error.message
    assert not log.stats.model_usage


def test_a_panel_is_warned_of_each_grader(tmp_path: Path) -> None:
    itself = get_model("planted/verbose", memoize=False)
    log = run(tmp_path, [planted(0), itself], limit=1)
    warnings = profile(read_eval_log(log.location))["grading"]["warnings"]
    assert [w.partition(":")[0] for w in warnings][:1] == ["self-grading"]


@pytest.mark.parametrize("name", ["summarization_feedback", "grader_validation"])
def test_tasks_that_take_one_grader_say_so(name: str, tmp_path: Path) -> None:
    arguments = {"dataset": "demo"} if name == "grader_validation" else {}
    with pytest.raises(ValueError, match="the role grader holds 3 models, and this task takes one"):
        inspect_eval(
            f"profile_tasks/{name}",
            task_args=arguments,
            model=get_model("planted/verbose", memoize=False),
            model_roles={"grader": panel()},
            log_dir=str(tmp_path),
            display="none",
        )
