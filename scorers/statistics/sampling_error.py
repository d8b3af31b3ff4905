"""Sampling error of several profiles at once, without resampling.

tau_14 is a ratio of sums over sources, so its error is linear in each source's sums to first order
(Cochran 1977, Sampling Techniques, chapter 6). The rows that this gives, one a source, hold the
covariance of all influences of all profiles, errors that profiles share included; it equals the
bootstrap's (docs/method.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import group_sums

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ProfileErrors:
    """P profiles over the same F factors, with what is known of their errors.

    Attributes:
        tau: float (P, F), the influences.
        rows: float (G, P * F), of which ``rows.T @ rows`` is the covariance of the influences,
            profile by profile.
        n_groups: G, groups in which something is counted.
        spread: float (K, P * F), rows alike of what the K graders of a panel add to the errors;
            K = 0 without a panel.

    """

    tau: _Array
    rows: _Array
    n_groups: int
    spread: _Array

    @property
    def n_factors(self) -> int:
        """F."""
        return int(self.tau.shape[1])

    def draws(self, n: int, rng: np.random.Generator) -> _Array:
        """Return n joint draws (P, n, F) of the errors.

        They follow a multivariate t distribution with G - 1 degrees of freedom, since the
        covariance is itself estimated from G groups; what a panel adds, one with K - 1.

        Args:
            n: how many.
            rng: of the draws.
        """
        drawn = _drawn(self.rows, self.n_groups - 1, n, rng)
        if len(self.spread):
            drawn += _drawn(self.spread, len(self.spread) - 1, n, rng)
        return drawn.reshape(n, -1, self.n_factors).transpose(1, 0, 2)


def _drawn(rows: _Array, freedom: int, n: int, rng: np.random.Generator) -> _Array:
    values, vectors = np.linalg.eigh(rows.T @ rows)
    root = vectors * np.sqrt(np.maximum(values, 0))
    drawn: _Array = rng.standard_normal((n, len(values))) @ root.T
    drawn *= np.sqrt(freedom / rng.chisquare(freedom, n))[:, None]
    return drawn


def profile_errors(
    tables: Sequence[Comparisons],
    known: NDArray[np.bool_] | None = None,
    spread: Sequence[_Array] = (),
) -> ProfileErrors:
    """Return the profiles of several tables with their errors.

    Args:
        tables: the P tables, of the same factors. A group code must mean the same source in all.
        known: bool, which factors to take; every table must define them. None: all.
        spread: (K, F) of each table, rows of what a panel of graders adds; none without a panel.

    Raises:
        ValueError: fewer than two groups have a pair that counts.

    Example:
        >>> table = Comparisons(
        ...     [1] * 8, [[1]] * 6 + [[-1]] * 2, [[False]] * 8, range(8), ("length",), "human"
        ... )
        >>> errors = profile_errors([table])
        >>> round(float((errors.rows ** 2).sum() ** 0.5), 3), errors.n_groups
        (0.327, 8)

    """
    n_codes = 1 + max((int(table.group.max()) for table in tables if table.group.size), default=-1)
    sums = [group_sums(table, n_codes) for table in tables]
    net, counted = (np.hstack([pair[i] for pair in sums]) for i in (0, 1))
    added = np.hstack(spread) if spread else np.zeros((0, net.shape[1]))
    if known is not None:
        wanted = np.tile(known, len(tables))
        net, counted, added = net[:, wanted], counted[:, wanted], added[:, wanted]
    present = counted.any(axis=1)
    net, counted = net[present], counted[present]
    n_groups = len(net)
    if n_groups < 2:
        raise ValueError(f"groups: {n_groups}; errors need at least two")
    total = counted.sum(axis=0)
    tau = net.sum(axis=0) / total
    rows = (net - tau * counted) / total * np.sqrt(n_groups / (n_groups - 1))
    return ProfileErrors(tau.reshape(len(tables), -1), rows, n_groups, added)
