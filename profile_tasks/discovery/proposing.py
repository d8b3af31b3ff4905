"""Discovery with a model: what it is shown, what becomes of its proposals, what all of it costs."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from profile_tasks.discovery.candidates import form_features
from profile_tasks.discovery.contrasts import Contrasts
from profile_tasks.discovery.held_out_tests import CandidateFactor
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.proposal import ContrastingPair, Proposal, ProposalRequest
from profile_tasks.scorers.factors.proposal_prompts import (
    FACTORS_PER_PROPOSAL,
    PAIRS_PER_PROPOSAL,
    WORDS_PER_PROPOSAL,
)
from profile_tasks.scorers.factors.taxonomy import free_id, load_taxonomy
from profile_tasks.scorers.statistics.forward_selection import forward_selection
from profile_tasks.settings import DiscoverySettings
from profile_tasks.solvers.both_orders import shown_swapped

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

Ask = Callable[["Task", str], "EvalLog"]
"""Runs a task with the model of this role, "proposer" or "grader"."""


@dataclass(frozen=True, eq=False)
class ProposalPlan:
    """What models are to be asked, before any is.

    Attributes:
        requests: What the proposer is asked.
        train: (n,) which pairs the grader compares of those that candidates are found on.
        held_out: (m,) likewise of the others.
        settings: How the grader is asked, and how many proposals are tested.
    """

    requests: tuple[ProposalRequest, ...]
    train: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    settings: DiscoverySettings

    @property
    def budget(self) -> dict[str, int]:
        """Requests by role; a repair of an unreadable answer is one more."""
        pairs = int(self.train.sum() + self.held_out.sum())
        return {"proposer": len(self.requests) + 1, "grader": pairs * self.settings.judge_orders}


@dataclass(frozen=True, eq=False)
class Proposed:
    """The proposals that are tested, and what became of all.

    Attributes:
        candidates: Those that are tested.
        record: What became of all, as JSON has it.
    """

    candidates: list[CandidateFactor] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)


def planned(
    train: Contrasts,
    held_out: Contrasts,
    settings: DiscoverySettings,
) -> ProposalPlan:
    """What is to be asked, of pairs that are drawn by the seed.

    Args:
        train: The pairs to find candidates on.
        held_out: The others, of which the proposer sees nothing.
        settings: How many pairs are shown and graded, and how.
    """
    seen = train.where(_drawn(train, settings.shown, settings.seed))
    return ProposalPlan(
        tuple(_requests(seen)),
        _drawn(train, settings.graded, settings.seed + 1),
        _drawn(held_out, settings.graded, settings.seed + 2),
        settings,
    )


def _drawn(contrasts: Contrasts, most: int, seed: int) -> NDArray[np.bool_]:
    """Which pairs are drawn: one of each source in turn, so that many sources are among them."""
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(contrasts))
    turn = np.empty(len(contrasts), np.intp)  # how many of its source come before a pair
    before: dict[int, int] = {}
    for at in shuffled.tolist():
        group = int(contrasts.group[at])
        turn[at] = before.get(group, 0)
        before[group] = turn[at] + 1
    drawn = np.zeros(len(contrasts), np.bool_)
    drawn[shuffled[np.argsort(turn[shuffled], kind="stable")][:most]] = True
    return drawn


def _requests(seen: Contrasts) -> Iterable[ProposalRequest]:
    """The pairs in packs of few; sides by a chance that lies in the texts."""
    named = {factor.id: factor for factor in (*load_taxonomy().values(), *seen.known)}
    known = tuple(factor.definition for factor in named.values())
    pack: list[ContrastingPair] = []
    words = 0
    for prompt, preferred, other in zip(seen.prompts, seen.preferred, seen.other, strict=True):
        swapped = shown_swapped(preferred, other)
        first, second = (other, preferred) if swapped else (preferred, other)
        size = sum(len(text.split()) for text in (prompt, first, second))
        if pack and (len(pack) == PAIRS_PER_PROPOSAL or words + size > WORDS_PER_PROPOSAL):
            yield ProposalRequest(tuple(pack), known, FACTORS_PER_PROPOSAL)
            pack, words = [], 0
        pack.append(ContrastingPair(prompt, first, second, not swapped))
        words += size
    if pack:
        yield ProposalRequest(tuple(pack), known, FACTORS_PER_PROPOSAL)


def proposed(plan: ProposalPlan, train: Contrasts, held_out: Contrasts, ask: Ask) -> Proposed:
    """Ask for proposals, merge and grade them, and grade the chosen ones on the held-out pairs.

    Args:
        plan: What is asked.
        train: As of ``planned``.
        held_out: As there.
        ask: Runs a task.

    Raises:
        ValueError: A run did not finish.
    """
    from profile_tasks.discovery.asking import (
        PROPOSER,
        answers_of,
        grading,
        merging,
        proposing,
        read_groups,
        read_proposals,
    )

    logs = [ask(proposing(plan.requests), PROPOSER)]
    every = list(dict.fromkeys(read_proposals(logs[0])))
    firsts: dict[str, Proposal] = {}
    for each in every:
        firsts.setdefault(each.definition.casefold(), each)
    different = list(firsts.values())
    groups: list[tuple[int, ...]] = [(at,) for at in range(len(different))]
    if len(different) > 1:
        logs.append(ask(merging([each.definition for each in different]), PROPOSER))
        groups = read_groups(logs[-1])
    taken = {*train.taken, *(factor.id for factor in form_features())}
    factors = _factors([different[group[0]] for group in groups], taken)
    chosen: list[tuple[int, float]] = []  # of the factors, with their statistics
    on_train = on_held_out = np.zeros((0, 0))
    if factors:
        logs.append(ask(grading(train.where(plan.train), factors, plan.settings), "grader"))
        on_train = _signs(answers_of(logs[-1]), factors, plan.train)
        rows, most = plan.train, plan.settings.at_most
        chosen = forward_selection(
            np.nan_to_num(on_train[rows]), train.controls[rows], train.group[rows], most
        )
    wanted = [factors[at] for at, _ in chosen]
    if wanted:
        logs.append(ask(grading(held_out.where(plan.held_out), wanted, plan.settings), "grader"))
        on_held_out = _signs(answers_of(logs[-1]), wanted, plan.held_out)
    candidates = [
        CandidateFactor(factors[at], on_train[:, at], on_held_out[:, place], z)
        for place, (at, z) in enumerate(chosen)
    ]
    answers = [answer for log in logs for answer in answers_of(log)]
    return Proposed(
        candidates,
        {
            "n_proposed": len(every),
            "n_merged": len(factors),
            "proposals": [
                {
                    "factor": factor.id,
                    "definition": factor.definition,
                    "also": [different[at].definition for at in group[1:]],
                    "missing": float(np.isnan(on_train[plan.train, place]).mean()),
                    "tested": place in [at for at, _ in chosen],
                }
                for place, (factor, group) in enumerate(zip(factors, groups, strict=True))
            ],
            "requests": sum(answer["requests"] for answer in answers),
            "budget": plan.budget,
            "problems": [
                problem
                for answer in answers
                for problem in (answer.get("problem"), *answer.get("problems", ()))
                if problem
            ],
            "logs": [log.location for log in logs],
        },
    )


def _factors(proposals: Sequence[Proposal], taken: Collection[str]) -> list[Factor]:
    """Proposals as judged factors, with ids of their own."""
    found: list[Factor] = []
    for proposal in proposals:
        found.append(
            Factor(
                free_id(proposal.name, {*taken, *(factor.id for factor in found)}),
                level=3,
                kind="judged",
                definition=proposal.definition,
                unit="verdict",
                more="more of it",
                range=(-1, 1),
            )
        )
    return found


def _signs(
    answers: Sequence[Any], factors: Sequence[Factor], rows: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(n, F) what the grader said of all pairs, NaN where it was not asked or not understood."""
    place = np.flatnonzero(rows)
    signs = np.full((len(rows), len(factors)), np.nan)
    for answer in answers:
        for column, factor in enumerate(factors):
            for (at, *_), sign in zip(answer["pairs"], answer["signs"][factor.id], strict=True):
                if sign is not None:
                    signs[place[at], column] = sign
    return signs
