"""Discovery from the pairs of a data set to found factors, and what is said of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from profile_tasks import __version__
from profile_tasks.data.preferences import PreferenceData
from profile_tasks.discovery.candidates import Selected, selected
from profile_tasks.discovery.contrasts import Contrasts, contrasts_of, split_by_group
from profile_tasks.discovery.held_out_tests import (
    ALPHA,
    CandidateFactor,
    Tested,
    accuracies,
    tested,
)
from profile_tasks.discovery.proposing import Proposed
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import FactorChoice
from profile_tasks.scorers.statistics.estimate import none_for_nan
from profile_tasks.scorers.statistics.forward_selection import ALIKE

AT_MOST = 5
TRAIN_SHARE = 0.5
REPLICATES = 1000


@dataclass(frozen=True, eq=False)
class Discovery:
    """What was tried, tested and found.

    Attributes:
        train: The pairs that candidates were found on.
        held_out: The pairs of other groups that they were tested on.
        selected: The candidates of form and wording, and how many were tried for them.
        tested: Every test, the strongest first.
        proposals: What a model proposed and what became of it, as JSON has it; empty without one.
        seed: Of everything random.
        train_share: Share of the groups that candidates were found on.
    """

    train: Contrasts
    held_out: Contrasts
    selected: Selected
    tested: Sequence[Tested]
    seed: int
    train_share: float
    proposals: dict[str, Any] = field(default_factory=dict)

    @property
    def found(self) -> list[Tested]:
        """The tests that are passed."""
        return [each for each in self.tested if each.passed]

    def record(self) -> dict[str, Any]:
        """All of it as JSON has it; NaN is None with a reason."""
        without, beside, gain = accuracies(
            self.train, self.held_out, [each.candidate for each in self.found]
        )
        return {
            "seed": self.seed,
            "train_share": self.train_share,
            "alpha": ALPHA,
            "train": _part(self.train),
            "held_out": _part(self.held_out),
            "n_ties": self.train.n_ties,
            "known": [factor.id for factor in self.train.known],
            "controlled": list(self.train.controlled),
            "tried": {
                "form": self.selected.n_form,
                "wording": self.selected.n_wordings,
                "proposed": self.proposals.get("n_proposed", 0),
            },
            "family": f"what a candidate adds to the known factors: {self._n_tests} candidates",
            "tested": [_test(each) for each in self.tested],
            "alike": [list(pair) for pair in self._alike()],
            "found": [each.candidate.factor.id for each in self.found],
            "accuracy": {
                "known": without.record(),
                "with_found": beside.record(),
                "gain": gain.record(),
            },
            "proposals": self.proposals or None,
            "package_version": __version__,
        }

    def _alike(self) -> list[tuple[str, str]]:
        """Pairs of found factors that nearly always show the same, or the opposite."""
        found = {
            each.candidate.factor.id: np.nan_to_num(each.candidate.held_out) for each in self.found
        }
        return [
            (one, two)
            for one, two in combinations(found, 2)
            if abs(found[one] @ found[two])
            >= ALIKE * np.linalg.norm(found[one]) * np.linalg.norm(found[two])
        ]

    @property
    def _n_tests(self) -> int:
        return sum(each.added.p_value == each.added.p_value for each in self.tested)


Propose = Callable[[Contrasts, Contrasts], Proposed]
"""Candidates that a model proposes by the first pairs, graded on both parts."""


def discover(
    data: PreferenceData,
    factors: FactorChoice = "auto",
    *,
    at_most: int = AT_MOST,
    train_share: float = TRAIN_SHARE,
    replicates: int = REPLICATES,
    seed: int = 0,
    propose: Propose | None = None,
) -> Discovery:
    """Find factors of form and wording, and those that a model proposes.

    Args:
        data: Sources with annotated pairs.
        factors: The known factors, as of ``human_comparisons``; a found one adds to them.
        at_most: So many candidates of form and wording are tested.
        train_share: Share of the sources to find candidates on.
        replicates: Of the bootstrap of influences.
        seed: Of everything random.
        propose: Asks a model; None: without one.

    Raises:
        ValueError: As of ``contrasts_of``, ``split_by_group`` and ``propose``.
    """
    train, held_out = split_by_group(contrasts_of(data, factors), train_share, seed)
    asked = Proposed() if propose is None else propose(train, held_out)
    chosen = selected(train, at_most=at_most, taken=[each.factor.id for each in asked.candidates])
    computed = computed_candidates(train, held_out, chosen.factors, chosen.statistics)
    tests = tested(
        train, held_out, [*asked.candidates, *computed], replicates=replicates, seed=seed
    )
    return Discovery(train, held_out, chosen, tests, seed, train_share, asked.record)


def computed_candidates(
    train: Contrasts,
    held_out: Contrasts,
    factors: Sequence[Factor],
    statistics: Sequence[float] | None = None,
) -> list[CandidateFactor]:
    """Surface factors with their signs on both parts of the pairs.

    Args:
        train: The pairs they were found on.
        held_out: The others.
        factors: The factors.
        statistics: By which each was selected.
    """
    on_train, on_held_out = (part.signs(factors) for part in (train, held_out))
    return [
        CandidateFactor(
            factor,
            on_train[:, at],
            on_held_out[:, at],
            None if statistics is None else statistics[at],
        )
        for at, factor in enumerate(factors)
    ]


def _part(contrasts: Contrasts) -> dict[str, int]:
    return {"n_pairs": len(contrasts), "n_groups": contrasts.n_groups}


def _test(each: Tested) -> dict[str, Any]:
    factor, influence = each.candidate.factor, each.influence
    names = ("tau", "ci_low", "ci_high", "n", "concordant", "discordant", "tied", "missing")
    return {
        "factor": factor.id,
        "kind": factor.kind,
        "definition": factor.definition,
        "pattern": factor.pattern,
        "per": factor.per,
        "train_z": each.candidate.statistic,
        "train_added": each.train.estimate.record(),
        "added": each.added.estimate.record(),
        "direction": none_for_nan(each.added.direction),
        "n_pairs": each.added.n_pairs,
        "n_groups": each.added.n_groups,
        "p_value": none_for_nan(each.added.p_value),
        "p_adjusted": none_for_nan(each.p_holm),
        **{name: influence.get(name) for name in names},
        "gain": each.gain.record(),
        "same_way": each.same_way,
        "passed": each.passed,
    }
