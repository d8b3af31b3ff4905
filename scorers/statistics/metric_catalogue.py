"""Which way a metric is better: the one place where harnesses, rankings and bars look it up."""

_LESS = (
    "flip_rate",
    "unreadable_rate",
    "generation_",
    "grader_",
    "score_validity_missing",
    "score_compliance_unreadable",
)
_MORE = (
    "alignment_discrimination_",
    "alignment_generation_",
    "discrimination_accuracy",
    "discrimination_kappa",
    "rouge",
    "citation_precision",
    "score_validity_within",
    "score_validity_pooled",
    "score_compliance",
)
_NEITHER_ENDINGS = ("_ceiling", "_p_value", "_p_adjusted", "_p_adjusted_bh")


def higher_is_better(metric: str) -> bool | None:
    """Whether more of a metric is better, less of it, or neither.

    Of alignment and agreement more is better, of errors less. Influences, ranks, lengths and the
    gap describe a model and have no better side; nor have ceilings and p-values. An end of an
    interval, or a standard error, goes with its metric.

    Example:
        >>> higher_is_better("alignment_generation_tau_b"), higher_is_better("flip_rate_ci_low")
        (True, False)
        >>> higher_is_better("tau_generation_length") is None
        True
    """
    if metric.endswith(_NEITHER_ENDINGS):
        return None
    if metric.startswith(_LESS):
        return False
    return True if metric.startswith(_MORE) else None
