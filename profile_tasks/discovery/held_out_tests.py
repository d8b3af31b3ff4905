"""The test of candidates on sources that nothing was chosen by: does each add to what is known.

Each candidate by itself stands beside the known factors in one regression over the held-out pairs
(``added_factor``), and the p-values are adjusted over all candidates that are tested (Holm). One
passes whose adjusted p-value is small and which points there as it does on the pairs it was found
on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profile_tasks.discovery.contrasts import Contrasts
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.statistics.added_factor import AddedFactor, added_factor
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.forward_selection import root_mean_square
from profile_tasks.scorers.statistics.held_out import (
    fitted,
    half_credit,
    half_credit_difference,
)
from profile_tasks.scorers.statistics.records import influence_record
from profile_tasks.scorers.statistics.significance import adjust_p_values
from profile_tasks.scorers.statistics.study import Study

ALPHA = 0.05

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CandidateFactor:
    """A factor that is tested.

    Attributes:
        factor: The factor.
        train: (n,) signs of which response shows more of it, on the pairs it was found on: 1 the
            preferred one, NaN where missing.
        held_out: (m,) likewise on the others.
        statistic: By which it was selected, too large for that; None where by nothing.
    """

    factor: Factor
    train: _Array
    held_out: _Array
    statistic: float | None = None


@dataclass(frozen=True, eq=False)
class Tested:
    """What a candidate's test found.

    Attributes:
        candidate: The candidate.
        train: What it adds on the pairs it was found on; no evidence.
        added: What it adds on the held-out pairs.
        p_holm: p-value of that, adjusted over all candidates; NaN where there is no test.
        influence: Its influence on the held-out pairs, as JSON of ``influence`` has it.
        gain: What it adds to the accuracy of the known factors on the held-out pairs, with
            coefficients fitted to the others.
    """

    candidate: CandidateFactor
    train: AddedFactor
    added: AddedFactor
    p_holm: float
    influence: Mapping[str, Any]
    gain: Estimate

    @property
    def same_way(self) -> bool:
        """Whether it points the same way on both parts of the pairs."""
        return self.train.direction * self.added.direction > 0

    @property
    def passed(self) -> bool:
        """Whether it is a found factor."""
        return bool(self.p_holm <= ALPHA) and self.same_way


def tested(
    train: Contrasts,
    held_out: Contrasts,
    candidates: Sequence[CandidateFactor],
    *,
    replicates: int,
    seed: int,
) -> list[Tested]:
    """Test candidates on the held-out pairs; the strongest come first.

    Args:
        train: The pairs that they were found on.
        held_out: Pairs of other groups.
        candidates: What is tested; all of it is one family.
        replicates: Of the bootstrap of influences.
        seed: Of it.
    """
    if not candidates:
        return []
    added = [added_factor(c.held_out, held_out.controls, held_out.group) for c in candidates]
    p_holm = adjust_p_values(np.array([each.p_value for each in added]), "holm")
    influences = _influences(held_out, candidates, replicates=replicates, seed=seed)
    found = [
        Tested(
            candidate,
            added_factor(candidate.train, train.controls, train.group),
            added[at],
            float(p_holm[at]),
            influences[candidate.factor.id],
            _gain(train, held_out, candidate),
        )
        for at, candidate in enumerate(candidates)
    ]
    return sorted(found, key=lambda each: np.nan_to_num(each.added.p_value, nan=2.0))


def _gain(train: Contrasts, held_out: Contrasts, candidate: CandidateFactor) -> Estimate:
    """What a candidate adds to the accuracy, over the pairs on which it is known."""
    known = [~np.isnan(signs) for signs in (candidate.train, candidate.held_out)]
    there = replace(
        candidate, train=candidate.train[known[0]], held_out=candidate.held_out[known[1]]
    )
    return accuracies(train.where(known[0]), held_out.where(known[1]), [there])[2]


def accuracies(
    train: Contrasts, held_out: Contrasts, candidates: Sequence[CandidateFactor]
) -> tuple[Estimate, Estimate, Estimate]:
    """Held-out accuracy of the known factors, with the candidates, and the second less the first.

    Args:
        train: The pairs that coefficients are fitted to.
        held_out: Pairs of other groups, which are predicted.
        candidates: What stands beside the known factors.
    """
    without, beside = (predictions(train, held_out, each) for each in ((), candidates))
    ones = np.ones(len(held_out), np.int8)
    return (
        half_credit(ones, without, held_out.group),
        half_credit(ones, beside, held_out.group),
        half_credit_difference(ones, beside, without, held_out.group),
    )


def predictions(
    train: Contrasts, held_out: Contrasts, candidates: Sequence[CandidateFactor]
) -> NDArray[np.int8]:
    """Which held-out response is predicted to be preferred: 1 the one that was, 0 neither.

    Args: As of ``accuracies``.
    """
    scale = root_mean_square(train.controls)
    one = np.column_stack([train.controls / scale, *(np.nan_to_num(c.train) for c in candidates)])
    two = np.column_stack(
        [held_out.controls / scale, *(np.nan_to_num(c.held_out) for c in candidates)]
    )
    coefficient = fitted(one, np.ones(len(one)), np.ones((1, one.shape[1]), bool))[0]
    utility = two @ coefficient
    return np.where(np.abs(utility) < 1e-9, 0, np.sign(utility)).astype(np.int8)


def _influences(
    held_out: Contrasts, candidates: Sequence[CandidateFactor], *, replicates: int, seed: int
) -> Mapping[str, Any]:
    signs = np.column_stack([candidate.held_out for candidate in candidates])
    _, codes = np.unique(held_out.group, return_inverse=True)
    table = Comparisons(
        np.ones(len(held_out), np.int8),
        np.nan_to_num(signs).astype(np.int8),
        np.isnan(signs),
        np.reshape(codes, -1).astype(np.int32),
        tuple(candidate.factor.id for candidate in candidates),
        "human",
    )
    record = influence_record(Study({"human": table}, replicates=replicates, seed=seed), "human")
    factors: Mapping[str, Any] = record["factors"]
    return factors
