"""Systems: who wrote each response, as a nuisance of the adjusted influence.

Where better systems write longer, people who only want the better system seem to like length. So
the adjusted model may give every system a strength of its own, and a pair the difference of two:
the Bradley-Terry model with covariates, as length-controlled AlpacaEval (Dubois et al. 2024) and
the style control of Chatbot Arena fit it. A factor is then told from what it does between
responses of the *same* two systems. How much of it there is, ``share_of_systems`` says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

UNNAMED = -1
"""Code of a side whose system is not known."""

MINIMUM_REPEATS = 30
"""Pairs that meet systems which have met before, from which on the share of systems is told. A
factor that points the other way in a tenth of them would show it in 96 % of 30."""

HIGH_SHARE = 0.8
"""Share of a factor's variance that systems explain, from which on little is left to tell the two
apart: its variance inflation is above 5 then."""

FEW_GROUPS = 5
"""A system in fewer groups than this has a strength that is hardly known."""

PAIRS_A_COEFFICIENT = 10
"""With fewer pairs than this for each coefficient a logistic regression exaggerates them."""

_NAMES_TOLD = 3


@dataclass(frozen=True, eq=False)
class Systems:
    """The two systems of each pair, row by row with a comparison table.

    Attributes:
        code: int32 (n, 2), the systems of the first and the second response, as places in
            ``names``; ``UNNAMED`` where it is not known.
        names: their names, each once.

    Raises:
        ValueError: ``code`` has another shape, or a place that there is not.

    """

    code: NDArray[np.int32]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        code = np.array(self.code, dtype=np.int32)
        if code.ndim != 2 or code.shape[1] != 2:
            raise ValueError(f"code has shape {code.shape}; expected (n, 2), one row a pair")
        for row, side in np.argwhere((code < UNNAMED) | (code >= len(self.names)))[:1]:
            raise ValueError(
                f"code[{row}, {side}] is {code[row, side]}; expected a place among the "
                f"{len(self.names)} names, or {UNNAMED}"
            )
        code.setflags(write=False)
        object.__setattr__(self, "code", code)

    @classmethod
    def from_names(cls, pairs: Sequence[tuple[str | None, str | None]]) -> Self:
        """Make the table from the names on both sides of each pair; None is not known.

        Example:
            >>> systems = Systems.from_names([("m", "gpt"), ("gpt", None)])
            >>> systems.names, systems.code.tolist()
            (('gpt', 'm'), [[1, 0], [0, -1]])

        """
        names = sorted({name for pair in pairs for name in pair if name is not None})
        place: dict[str | None, int] = {name: index for index, name in enumerate(names)}
        code = [[place.get(name, UNNAMED) for name in pair] for pair in pairs]
        return cls(np.array(code, np.int32).reshape(-1, 2), tuple(names))


@dataclass(frozen=True, eq=False)
class SystemControl:
    """What an adjusted influence with one strength a system rests on.

    Attributes:
        share: (F,) share of each factor's variance that the pairs of systems explain, 0 to 1; NaN
            where systems meet again too seldom (``MINIMUM_REPEATS``) or the factor has none.
        n_systems: systems that the regression compares.
        n_unnamed: decided pairs left out because they name no system.
        n_half_named: those left out because they name only one.
        n_same: pairs kept in which a system meets itself, so that strength says nothing.
        n_sets: sets of systems that never meet each other.
        cautions: what speaks against the control, in words.

    """

    share: NDArray[np.float64]
    n_systems: int
    n_unnamed: int
    n_half_named: int
    n_same: int
    n_sets: int
    cautions: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Strengths:
    """One column a system but one of each set of systems that meet, which is its reference.

    Attributes:
        columns: (m, K) of 1 where the system wrote the first response, -1 the second, else 0.
        systems: (K,) the code of each column's system.
        sets: the systems that occur, in sets that meet at least by way of others.

    """

    columns: NDArray[np.float64]
    systems: NDArray[np.intp]
    sets: tuple[NDArray[np.intp], ...]

    @property
    def n_systems(self) -> int:
        """Systems that occur."""
        return sum(map(len, self.sets))

    def apart(self, direction: NDArray[np.float64], tolerance: float) -> list[int]:
        """Return the codes of the systems that a direction (K,) sets apart from most they meet."""
        value = dict.fromkeys(np.concatenate([*self.sets, np.empty(0, np.intp)]).tolist(), 0.0)
        value |= dict(zip(self.systems.tolist(), direction.tolist(), strict=True))
        found: list[int] = []
        for members in self.sets:
            values = np.array([value[code] for code in members.tolist()])
            usual = np.sort(values)[(len(values) - 1) // 2]
            found += members[np.abs(values - usual) > tolerance].tolist()
        return found


def strengths(code: NDArray[np.int32], n_systems: int) -> Strengths:
    """Return the columns of the systems' strengths.

    Only differences of strengths within a set show. The reference of a set is the system that
    occurs most often; the factors' coefficients do not depend on it.

    Args:
        code: (m, 2) systems of the first and the second response.
        n_systems: how many codes there are.
    """
    m = len(code)
    if n_systems == 1:  # whose strength cancels
        return Strengths(np.zeros((m, 0)), np.zeros(0, np.intp), (np.arange(1),) if m else ())
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    met = coo_array((np.ones(m), (code[:, 0], code[:, 1])), shape=(n_systems, n_systems))
    label = connected_components(met, directed=False)[1]
    count = np.bincount(code.ravel(), minlength=n_systems)
    sets = tuple(
        np.flatnonzero((label == each) & (count > 0)) for each in np.unique(label[count > 0])
    )
    references = {int(members[count[members].argmax()]) for members in sets}
    systems = np.array([s for s in np.flatnonzero(count) if s not in references], dtype=np.intp)
    columns = np.zeros((m, n_systems))
    np.add.at(columns, (np.arange(m), code[:, 0]), 1)
    np.add.at(columns, (np.arange(m), code[:, 1]), -1)
    return Strengths(columns[:, systems], systems, sets)


def share_of_systems(
    design: NDArray[np.float64], code: NDArray[np.int32], n_systems: int
) -> NDArray[np.float64]:
    """Return (F,) share of each factor's variance that which systems meet explains, 0 to 1.

    One mean for each two systems, less the share that means of noise would explain. More than
    strengths that add up could explain: what a factor shows between systems only is told from
    strength by that assumption alone.

    Args:
        design: (m, F) manifestations.
        code: (m, 2) systems of the first and the second response.
        n_systems: how many codes there are.

    Returns:
        The shares; NaN for a factor that never differs, and for all where fewer than
        ``MINIMUM_REPEATS`` pairs are of two systems that have met before.

    Example:
        >>> code = np.tile(np.array([[0, 1]], np.int32), (40, 1))
        >>> always, even = np.ones(40), np.tile([1.0, -1.0], 20)
        >>> share_of_systems(np.column_stack([always, even]), code, 2).tolist()
        [1.0, 0.0]

    """
    others = code[:, 0] != code[:, 1]
    turn = np.where(code[:, 0] < code[:, 1], 1.0, -1.0)[others, None]
    key = np.sort(code[others], axis=1).astype(np.int64) @ [n_systems, 1]
    met, which = np.unique(key, return_inverse=True)
    total = (design**2).sum(axis=0)
    repeats = len(design) - len(met)
    if repeats < MINIMUM_REPEATS:
        return np.full(design.shape[1], np.nan)
    sums = np.zeros((len(met), design.shape[1]))
    np.add.at(sums, which, design[others] * turn)
    within = total - (sums**2 / np.bincount(which, minlength=len(met))[:, None]).sum(axis=0)
    left = np.divide(
        within / repeats, total / max(1, len(design)), out=np.full_like(total, np.nan),
        where=total > 0,
    )  # fmt: skip
    return np.asarray(np.clip(1 - left, 0, 1))


def named(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    told = ", ".join(f"{name:.60}" for name in names[:_NAMES_TOLD])
    more = len(names) - _NAMES_TOLD
    return told + (f" and {more} more" if more > 0 else "")


def groups_by_system(
    code: NDArray[np.int32], group: NDArray[np.int32], n_systems: int
) -> NDArray[np.intp]:
    """Return (S,) in how many groups each system occurs."""
    pairs = np.unique(np.column_stack([code.ravel(), np.repeat(group, 2)]).astype(np.int64), axis=0)
    return np.bincount(pairs[:, 0], minlength=n_systems)
