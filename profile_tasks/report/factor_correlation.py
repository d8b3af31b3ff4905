"""How factors go together over the pairs of a run."""

import numpy as np

from profile_tasks.scorers.measurement.source_measurement import Manifestations


class FactorCorrelation:
    """Correlation of manifestations, added up source by source.

    Which response of a pair is the first is arbitrary, so nothing is centred: the correlation of
    two factors is the sum of the products of their manifestations over the root of the product of
    the sums of squares, over the pairs where both are known. Turning a pair round changes nothing.

    >>> table = FactorCorrelation(2)
    >>> table.add(((1, 1), (-1, -1), (1, 0), (1, None)))
    >>> table.matrix()[0][1] == 2 / (3 * 2) ** 0.5
    True
    """

    def __init__(self, n_factors: int) -> None:
        self._products = np.zeros((n_factors, n_factors))
        self._squares = np.zeros((n_factors, n_factors))
        self.n_pairs = 0

    def add(self, manifestations: Manifestations) -> None:
        """Add the pairs of one source."""
        if not manifestations:
            return
        signs = np.array(manifestations, dtype=np.float64)  # None becomes NaN
        known = np.isfinite(signs)
        signs = np.where(known, signs, 0.0)
        self._products += signs.T @ signs
        # Sum of squares of the row's factor over the pairs where the column's factor is known.
        self._squares += (signs**2).T @ known
        self.n_pairs += len(signs)

    def matrix(self) -> tuple[tuple[float | None, ...], ...]:
        """Factor by factor; None where one of the two never varies."""
        size = np.sqrt(self._squares * self._squares.T)
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation = self._products / size
        return tuple(
            tuple(float(r) if np.isfinite(r) else None for r in row) for row in correlation
        )
