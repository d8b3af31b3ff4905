"""The influence of recorded preferences as one JSON-ready record (stable field names)."""

from typing import Any

from profile_tasks.scorers.adjusted import adjusted_influence
from profile_tasks.scorers.comparisons import Comparisons
from profile_tasks.scorers.influence import factor_profile, none_for_nan
from profile_tasks.scorers.significance import adjust_p_values, sign_flip_p_values
from profile_tasks.scorers.uncertainty import bootstrap_taus, percentile_interval


def influence_record(
    comparisons: Comparisons, *, replicates: int = 2000, seed: int = 0
) -> dict[str, Any]:
    """Marginal and adjusted influence of every factor, with intervals and p-values.

    ``p_value`` is of a sign-flip permutation test by source, ``p_adjusted`` its Holm adjustment
    over the factors of this record and ``p_adjusted_bh`` the one of Benjamini and Hochberg;
    ``adjusted`` is the change in log-odds per root mean square of the factor's manifestation with
    the other factors held fixed, over the ``adjusted_n_pairs`` pairs where all are known. NaN is
    written as null with a reason.
    """
    profile = factor_profile(comparisons)
    (taus,) = bootstrap_taus([comparisons], replicates=replicates, seed=seed)
    p_values = sign_flip_p_values(comparisons, seed=seed)
    p_holm = adjust_p_values(p_values, method="holm")
    p_discovery = adjust_p_values(p_values, method="fdr_bh")
    adjusted = adjusted_influence(comparisons)
    factors: dict[str, dict[str, Any]] = {}
    for i, factor in enumerate(profile.factors):
        interval = percentile_interval(taus[:, i], n_groups=int(profile.groups[i]))
        factors[factor] = {
            **profile.record(i),
            "ci_low": none_for_nan(interval.low),
            "ci_high": none_for_nan(interval.high),
            "p_value": none_for_nan(p_values[i]),
            "p_adjusted": none_for_nan(p_holm[i]),
            "p_adjusted_bh": none_for_nan(p_discovery[i]),
            "adjusted": none_for_nan(adjusted.coefficient[i]),
            "adjusted_ci_low": none_for_nan(adjusted.ci_low[i]),
            "adjusted_ci_high": none_for_nan(adjusted.ci_high[i]),
            "adjusted_p_value": none_for_nan(adjusted.p_value[i]),
            "reason": profile.reasons[i] or interval.reason,
            "adjusted_reason": adjusted.reasons[i],
        }
    return {
        "n_pairs": profile.n_pairs,
        "n_groups": profile.n_groups,
        "n_preference_ties": profile.n_preference_ties,
        "seed": seed,
        "replicates": replicates,
        "p_adjustment": "holm",
        "adjusted_method": adjusted.method,
        "adjusted_n_pairs": adjusted.n_pairs,
        "adjusted_n_groups": adjusted.n_groups,
        "factors": factors,
    }
