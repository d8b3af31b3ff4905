"""Discovery with planted models: what is asked, what it costs, what is found. SIMULATED."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from profile_tasks.commands.grader_run import called_grader, run_to_end
from profile_tasks.discovery.asking import graded_contrasts, proposer_answers
from profile_tasks.discovery.contrasts import contrasts_of, split_by_group
from profile_tasks.discovery.discovery import searched
from profile_tasks.discovery.proposing import ProposalPlan, planned, proposed
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.settings import DiscoverySettings

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


def plan_of(parts: Any, **options: Any) -> ProposalPlan:
    return planned(*parts, DiscoverySettings(**{"shown": 20, "graded": 30, "at_most": 2} | options))


@pytest.fixture
def parts(rows, loaded):
    return split_by_group(contrasts_of(loaded(rows(120))), 0.5, seed=0)


def test_the_budget_is_known_before(parts) -> None:
    assert plan_of(parts).budget == {"proposer": 3 + 1, "grader": 2 * (30 + 30)}
    once = plan_of(parts, judge_orders=1, graded=10_000)
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


def test_no_factor_of_the_taxonomy_is_to_be_proposed(parts) -> None:
    """Not those alone that are held fixed: what needs a grader is not."""
    (first, *_) = plan_of(parts).requests
    assert {factor.definition for factor in load_taxonomy().values()} <= set(first.known)


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
    parts = split_by_group(contrasts_of(loaded(rows(160, asking=5.0)), "length"), 0.5, seed=0)
    asked = proposed(plan_of(parts, graded=60), *parts, ask)
    found = searched(*parts, DiscoverySettings(at_most=1), asked)
    judged = [each for each in found.found if each.candidate.factor.kind == "judged"]
    assert [each.candidate.factor.id for each in judged] == ["asks_back_2"]
    assert roles == ["proposer", "proposer", "grader", "grader"]
    record = found.record()
    assert record["proposals"]["requests"] <= sum(record["proposals"]["budget"].values())
    assert record["tried"]["proposed"] >= 2
    assert record["proposals"]["n_merged"] == 2  # the question, and what tells nothing
    assert {"asks_back_2", "questions"} in map(set, record["alike"])


class Saying:
    """A proposer that proposes these names, each in words of its own, whatever it is shown."""

    def __init__(self, *names: str) -> None:
        self.said = [{"name": name, "definition": f"How far it is {n}."} for n, name in
                     enumerate(names)]  # fmt: skip

    def __call__(self, messages: Any, tools: Any, tool_choice: Any, config: Any) -> ModelOutput:
        merged = {"same": [[n] for n, _ in enumerate(self.said, start=1)]}
        asked = "Numbered definitions" in messages[-1].text
        answer = merged if asked else {"factors": self.said}
        output = ModelOutput.from_content("mockllm/model", json.dumps(answer))
        output.usage = ModelUsage()  # else a tokenizer is looked for
        return output


def test_proposals_take_no_name_that_has_a_meaning(rows, loaded, tmp_path: Path) -> None:
    """Of the taxonomy, a feature of form, a column of tables, a label, a factor of the user's."""
    own = tmp_path / "own.yaml"
    own.write_text(
        "version: 1\nfactors:\n- {id: charm, kind: judged, definition: How charming it is.}\n",
        encoding="utf-8",
    )
    labelled = [row | {"factors": {"a": {"wit": 1}, "b": {"wit": 0}}} for row in rows(120)]
    parts = split_by_group(contrasts_of(loaded(labelled), f"{own},length"), 0.5, seed=0)
    names = ("fluency", "asks_back", "number", "wit", "charm")

    def ask(task: Any, role: str) -> Any:
        model = get_model("mockllm/model", custom_outputs=Saying(*names), memoize=False)
        asked = model if role == "proposer" else called_grader("planted/grader", (), role)
        return run_to_end(task, tmp_path, model="none/none", roles={role: asked})

    ids = [p["factor"] for p in proposed(plan_of(parts), *parts, ask).record["proposals"]]
    assert ids == ["fluency_2", "asks_back_2", "number_2", "wit_2", "charm_2"]


def test_each_step_is_a_log_of_a_scorer_that_asks(parts, asking) -> None:
    ask, _ = asking
    logs: list[Any] = []

    def kept(task: Any, role: str) -> Any:
        logs.append(ask(task, role))
        return logs[-1]

    proposed(plan_of(parts, graded=10), *parts, kept)
    scorers = [log.eval.scorers[0].name.rpartition("/")[2] for log in logs]
    asking_scorers = (proposer_answers, proposer_answers, graded_contrasts, graded_contrasts)
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
