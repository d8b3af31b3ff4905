"""Discovery from the pairs of a data set to found factors, and what is said of it."""

from collections.abc import Sequence
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
from profile_tasks.settings import DiscoverySettings


@dataclass(frozen=True, eq=False)
class Discovery:
    """What was tried, tested and found.

    Attributes:
        train: The pairs that candidates were found on.
        held_out: The pairs of other groups that they were tested on.
        selected: The candidates of form and wording, and how many were tried for them.
        tested: Every test, the strongest first.
        proposals: What a model proposed and what became of it, as JSON has it; empty without one.
        settings: How it was searched.
    """

    train: Contrasts
    held_out: Contrasts
    selected: Selected
    tested: Sequence[Tested]
    settings: DiscoverySettings
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
            "seed": self.settings.seed,
            "train_share": self.settings.train_share,
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
            "family": f"what a candidate adds to the known factors: {self.n_tests} candidates",
            "n_tests": self.n_tests,
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
    def n_tests(self) -> int:
        """Over how many tests p-values are adjusted: of candidates that have one."""
        return sum(each.added.p_value == each.added.p_value for each in self.tested)


def discover(
    data: PreferenceData,
    factors: FactorChoice = "auto",
    settings: DiscoverySettings = DiscoverySettings(),
) -> Discovery:
    """Find factors of form and wording.

    Args:
        data: Sources with annotated pairs.
        factors: The known factors, as of ``human_comparisons``; a found one adds to them.
        settings: How it is searched.

    Raises:
        ValueError: As of ``contrasts_of`` and ``split_by_group``.
    """
    parts = split_by_group(contrasts_of(data, factors), settings.train_share, settings.seed)
    return searched(*parts, settings, Proposed())


def searched(
    train: Contrasts,
    held_out: Contrasts,
    settings: DiscoverySettings,
    asked: Proposed,
) -> Discovery:
    """Find factors of form and wording, and test them with those that a model proposed.

    Args:
        train: The pairs to find candidates on.
        held_out: Pairs of other groups, to test them on.
        settings: How it is searched.
        asked: What a model proposed by the first pairs, graded on both parts.
    """
    taken = [each.factor.id for each in asked.candidates]
    chosen = selected(train, at_most=settings.at_most, taken=taken)
    computed = computed_candidates(train, held_out, chosen.factors, chosen.statistics)
    tests = tested(
        train,
        held_out,
        [*asked.candidates, *computed],
        replicates=settings.replicates,
        seed=settings.seed,
    )
    return Discovery(train, held_out, chosen, tests, settings, asked.record)


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
        "n_controls": each.added.n_controls,
        "p_value": none_for_nan(each.added.p_value),
        "p_adjusted": none_for_nan(each.p_holm),
        **{name: influence.get(name) for name in names},
        "gain": each.gain.record(),
        "same_way": each.same_way,
        "passed": each.passed,
    }
