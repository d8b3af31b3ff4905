"""Decided pairs as discovery reads them: the preferred response beside the other one.

Which response is a and which b is gone, and so is the order of rows: what is found depends on
neither. Pairs stand by group and text, groups by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from profile_tasks.data.preferences import PreferenceData, recorded_factors
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import FactorChoice, read_selection
from profile_tasks.scorers.factors.surface import factor_values
from profile_tasks.scorers.factors.taxonomy import taxonomy_of
from profile_tasks.scorers.measurement.recorded import (
    chosen_factors,
    judged_rows,
    values_of_sides,
)
from profile_tasks.scorers.statistics.added_factor import GROUPS_A_CONTROL
from profile_tasks.scorers.statistics.comparisons import manifestations

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Contrasts:
    """Pairs of which one response was preferred.

    Attributes:
        preferred: The n preferred responses.
        other: The others.
        sources: What the responses of each pair work on, None where there is nothing.
        prompts: What they answer.
        group: (n,) group codes, rising.
        groups: Names of the groups, by code.
        known: The known factors.
        controls: (n, C) what is known of the pairs: two columns for each known factor, of which
            response shows more of it and of how much more. 0 where it is missing: then it says
            nothing of the pair.
        taken: Ids that a found factor may not have: of every factor there is, the task's and the
            user's own included, and of what the data record.
        n_ties: Pairs without a preferred response, which were left out.
    """

    preferred: tuple[str, ...]
    other: tuple[str, ...]
    sources: tuple[str | None, ...]
    prompts: tuple[str, ...]
    group: NDArray[np.int32]
    groups: tuple[str, ...]
    known: tuple[Factor, ...]
    controls: _Array
    taken: frozenset[str] = frozenset()
    n_ties: int = 0

    def __len__(self) -> int:
        return len(self.preferred)

    @property
    def n_groups(self) -> int:
        """How many groups have a pair here."""
        return int(np.unique(self.group).size)

    def where(self, rows: NDArray[np.bool_]) -> "Contrasts":
        """Some of the pairs."""
        return replace(
            self,
            preferred=tuple(compress(self.preferred, rows)),
            other=tuple(compress(self.other, rows)),
            sources=tuple(compress(self.sources, rows)),
            prompts=tuple(compress(self.prompts, rows)),
            group=self.group[rows],
            controls=self.controls[rows],
        )

    def signs(self, factors: Sequence[Factor]) -> _Array:
        """Which response shows more of surface factors, (n, F): 1 the preferred, -1 the other.

        NaN where a factor is missing.
        """
        if not factors:
            return np.zeros((len(self), 0))
        sides = [
            factor_values(factors, texts, self.sources, self.prompts)
            for texts in (self.preferred, self.other)
        ]
        return signs_of_values(*sides)

    def with_controls(self, most: int) -> "Contrasts":
        """The same pairs with the first so many columns of what is known."""
        return replace(self, controls=self.controls[:, :most])

    @property
    def controlled(self) -> tuple[str, ...]:
        """The known factors that the controls are of."""
        return tuple(factor.id for factor in self.known[: (self.controls.shape[1] + 1) // 2])


def signs_of_values(first: _Array, second: _Array) -> _Array:
    """Which of two values is larger, 1 the first, NaN where one is missing."""
    sign, missing = manifestations(first, second)
    return np.where(missing, np.nan, sign)


def contrasts_of(data: PreferenceData, factors: FactorChoice = "auto") -> Contrasts:
    """The decided pairs of a data set, with their known factors.

    Args:
        data: Sources with annotated pairs.
        factors: The known ones, as of ``human_comparisons``.

    Raises:
        ValueError: As there; or no pair has a preferred response.
    """
    rows = [(source, pair) for source, pair in judged_rows(data) if pair.sign]
    if not rows:
        raise ValueError(f"{data.name}: no pair has a preferred response, so there is no contrast")
    known = chosen_factors(data, factors)
    defined = read_selection(factors, taxonomy_of({source.task for source, _ in rows})).taxonomy
    by_side = values_of_sides(rows, known)
    turned = [
        (pair.response_a, pair.response_b) if pair.sign == 1 else (pair.response_b, pair.response_a)
        for _, pair in rows
    ]
    order = sorted(range(len(rows)), key=lambda at: (rows[at][0].group, *turned[at]))
    groups = tuple(dict.fromkeys(rows[at][0].group for at in order))
    codes = {name: code for code, name in enumerate(groups)}
    first = np.array([pair.sign == 1 for _, pair in rows])[:, None]
    values = [np.where(first, *by_side)[order], np.where(first, *by_side[::-1])[order]]
    return Contrasts(
        tuple(turned[at][0] for at in order),
        tuple(turned[at][1] for at in order),
        tuple(rows[at][0].source for at in order),
        tuple(rows[at][0].prompt for at in order),
        np.array([codes[rows[at][0].group] for at in order], np.int32),
        groups,
        known,
        _controls(known, *values),
        frozenset(defined) | set(recorded_factors(data.sources)),
        len(judged_rows(data)) - len(rows),
    )


def _controls(known: Sequence[Factor], first: _Array, second: _Array) -> _Array:
    signs = np.nan_to_num(signs_of_values(first, second))
    columns = []
    for at, factor in enumerate(known):
        one, two = first[:, at], second[:, at]
        if factor.range == (0, np.inf):  # of amounts: 20 words more are much of 40, little of 400
            one, two = np.log1p(one), np.log1p(two)
        columns += [signs[:, at], np.nan_to_num(one - two)]
    return np.column_stack(columns) if columns else np.zeros((len(first), 0))


def split_by_group(
    contrasts: Contrasts, train_share: float, seed: int
) -> tuple[Contrasts, Contrasts]:
    """The pairs to find candidates on and those to test them on; no group is in both.

    Both keep as many controls as the smaller part has groups for, those of the first known factors.

    Args:
        contrasts: The pairs.
        train_share: Share of the groups to find candidates on, between 0 and 1.
        seed: Of the choice of groups, which depends on nothing else but their names.

    Raises:
        ValueError: The share is not between 0 and 1, or leaves one part without a group.
    """
    if not 0 < train_share < 1:
        raise ValueError(f"train_share is {train_share}; it must lie between 0 and 1")
    n = len(contrasts.groups)
    n_train = round(train_share * n)
    if not 0 < n_train < n:
        raise ValueError(f"{n} groups cannot be parted into {train_share:.0%} and the rest")
    train = (np.random.default_rng(seed).permutation(n) < n_train)[contrasts.group]
    most = max(1, min(n_train, n - n_train) // GROUPS_A_CONTROL)
    kept = contrasts.with_controls(most)
    return kept.where(train), kept.where(~train)
