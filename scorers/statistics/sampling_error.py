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

    """

    tau: _Array
    rows: _Array
    n_groups: int

    @property
    def n_factors(self) -> int:
        """F."""
        return int(self.tau.shape[1])

    def draws(self, n: int, rng: np.random.Generator) -> _Array:
        """Return n joint draws (P, n, F) of the errors.

        They follow a multivariate t distribution with G - 1 degrees of freedom, since the
        covariance is itself estimated from G groups.

        Args:
            n: how many.
            rng: of the draws.
        """
        values, vectors = np.linalg.eigh(self.rows.T @ self.rows)
        root = vectors * np.sqrt(np.maximum(values, 0))
        drawn: NDArray[np.float64] = rng.standard_normal((n, len(values))) @ root.T
        freedom = self.n_groups - 1
        drawn *= np.sqrt(freedom / rng.chisquare(freedom, n))[:, None]
        return drawn.reshape(n, -1, self.n_factors).transpose(1, 0, 2)


def profile_errors(
    tables: Sequence[Comparisons], known: NDArray[np.bool_] | None = None
) -> ProfileErrors:
    """Return the profiles of several tables with their errors.

    Args:
        tables: the P tables, of the same factors. A group code must mean the same source in all.
        known: bool, which factors to take; every table must define them. None: all.

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
    if known is not None:
        wanted = np.tile(known, len(tables))
        net, counted = net[:, wanted], counted[:, wanted]
    present = counted.any(axis=1)
    net, counted = net[present], counted[present]
    n_groups = len(net)
    if n_groups < 2:
        raise ValueError(f"groups: {n_groups}; errors need at least two")
    total = counted.sum(axis=0)
    tau = net.sum(axis=0) / total
    rows = (net - tau * counted) / total * np.sqrt(n_groups / (n_groups - 1))
    return ProfileErrors(tau.reshape(len(tables), -1), rows, n_groups)
