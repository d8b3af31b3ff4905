"""Discovery with planted models: what is asked, what it costs, what is found. SIMULATED."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from profile_tasks.commands.grader_run import called_grader, run_to_end
from profile_tasks.discovery.asking import graded_contrasts, merged_definitions, proposed_factors
from profile_tasks.discovery.contrasts import contrasts_of, split_by_group
from profile_tasks.discovery.discovery import discover
from profile_tasks.discovery.proposing import ProposalPlan, planned, proposed
from profile_tasks.settings import JudgeSettings

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


def plan_of(parts: Any, **options: Any) -> ProposalPlan:
    given = {"shown": 20, "graded": 30, "judging": JudgeSettings(), "at_most": 2, "seed": 0}
    return planned(*parts, **given | options)


@pytest.fixture
def parts(rows, loaded):
    return split_by_group(contrasts_of(loaded(rows(120))), 0.5, seed=0)


def test_the_budget_is_known_before(parts) -> None:
    assert plan_of(parts).budget == {"proposer": 3 + 1, "grader": 2 * (30 + 30)}
    once = plan_of(parts, judging=JudgeSettings(judge_orders=1), graded=10_000)
    assert once.budget["grader"] == 120


def test_the_proposer_sees_pairs_of_the_first_half_alone_sides_shuffled(parts) -> None:
    train, held_out = parts
    shown = [pair for request in plan_of(parts).requests for pair in request.pairs]
    assert len(shown) == 20
    assert not {pair.prompt for pair in shown} & set(held_out.prompts)
    assert {pair.first_preferred for pair in shown} == {True, False}
    better = dict(zip(train.preferred, train.other, strict=True))
    for pair in shown:
        one, two = (pair.first, pair.second)[:: 1 if pair.first_preferred else -1]
        assert better[one] == two


def test_many_sources_are_among_few_pairs(parts) -> None:
    train, _ = parts
    assert np.unique(train.group[plan_of(parts, graded=25).train]).size == 25


@pytest.fixture
def asking(tmp_path: Path) -> tuple[Callable[..., Any], list[str]]:
    """Runs tasks with the planted models, and keeps which roles were asked."""
    roles: list[str] = []

    def ask(task: Any, role: str) -> Any:
        roles.append(role)
        model = called_grader("planted/grader", (), role)
        return run_to_end(task, tmp_path, model="none/none", roles={role: model})

    return ask, roles


def test_a_hidden_factor_is_proposed_merged_graded_and_found(rows, loaded, asking) -> None:
    ask, roles = asking
    found = discover(
        loaded(rows(160, asking=5.0)),
        "length",
        propose=lambda *parts: proposed(plan_of(parts, graded=60), *parts, ask),
        at_most=1,
    )
    judged = [each for each in found.found if each.candidate.factor.kind == "judged"]
    assert [each.candidate.factor.id for each in judged] == ["asks_back"]
    assert roles == ["proposer", "proposer", "grader", "grader"]
    record = found.record()
    assert record["proposals"]["requests"] <= sum(record["proposals"]["budget"].values())
    assert record["tried"]["proposed"] >= 2
    assert record["proposals"]["n_merged"] == 2  # the question, and what tells nothing
    assert {"asks_back", "questions"} in map(set, record["alike"])


def test_each_step_is_a_log_of_a_scorer_that_asks(parts, asking) -> None:
    ask, _ = asking
    logs: list[Any] = []

    def kept(task: Any, role: str) -> Any:
        logs.append(ask(task, role))
        return logs[-1]

    proposed(plan_of(parts, graded=10), *parts, kept)
    scorers = [log.eval.scorers[0].name.rpartition("/")[2] for log in logs]
    asking_scorers = (proposed_factors, merged_definitions, graded_contrasts, graded_contrasts)
    assert scorers == [each.__name__ for each in asking_scorers]
    (first, *_) = logs[0].samples
    assert first.scores[scorers[0]].metadata["requests"] == 1


def test_pairs_that_nobody_graded_are_missing_and_not_ties(parts, asking) -> None:
    candidate = proposed(plan_of(parts, graded=10), *parts, asking[0]).candidates[0]
    assert np.isnan(candidate.train).sum() == 60 - 10
    assert np.isnan(candidate.held_out).sum() == 60 - 10


def test_a_run_that_fails_is_told(parts, asking) -> None:
    from inspect_ai.log import EvalLog

    def broken(task: Any, role: str) -> Any:
        log = asking[0](task, role)
        return EvalLog(eval=log.eval, status="error", location="logs/x.eval")

    with pytest.raises(ValueError, match=r"did not finish: it asked nothing \(log: logs/x.eval\)"):
        proposed(plan_of(parts), *parts, broken)
