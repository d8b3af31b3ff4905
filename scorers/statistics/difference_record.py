"""How one judge's influences differ from another's on the same sources, as a JSON-ready record."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import json_record, percentile_estimate
from profile_tasks.scorers.statistics.influence import none_for_nan
from profile_tasks.scorers.statistics.significance import difference_tests

Record = dict[str, Any]


def difference_record(
    first: Comparisons,
    second: Comparisons,
    drawn: NDArray[np.float64],
    *,
    names: tuple[str, str] | None = None,
    seed: int = 0,
) -> Record:
    """Influence on one judge less that on another, with interval and p-values.

    Args:
        first: Preferences of the one.
        second: Preferences of the other, on the same sources.
        drawn: (B, F) replicates of the difference.
        names: What to call the two.
        seed: Seed of the tests.
    """
    tests = difference_tests(first, second, names=names, seed=seed)
    factors = {}
    for i, factor in enumerate(tests.factors):
        estimate = percentile_estimate(
            float(tests.value[i]), drawn[:, i], int(tests.n_groups[i]), tests.reasons[i]
        )
        factors[factor] = {
            **json_record(estimate),
            "p_value": none_for_nan(tests.p_value[i]),
            "p_adjusted": none_for_nan(tests.p_holm[i]),
            "p_adjusted_bh": none_for_nan(tests.p_bh[i]),
            "groups": int(tests.n_groups[i]),
        }
    return {
        "p_method": tests.method,
        "p_family": tests.family,
        "p_adjustment": "holm",
        "factors": factors,
    }
