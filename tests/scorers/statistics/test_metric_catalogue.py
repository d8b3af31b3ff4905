"""Which way a metric is better."""

import pytest

from profile_tasks.scorers.statistics.metric_catalogue import higher_is_better


@pytest.mark.parametrize(
    "metric",
    [
        "alignment_discrimination_spearman",
        "discrimination_accuracy",
        "rougeL",
        "citation_precision",
        "score_validity_within_ci_low",
    ],
)
def test_of_alignment_and_agreement_more_is_better(metric: str) -> None:
    assert higher_is_better(metric) is True


@pytest.mark.parametrize(
    "metric",
    ["flip_rate", "unreadable_rate", "generation_missing_rate", "grader_flip_rate_fluency"],
)
def test_of_errors_less_is_better(metric: str) -> None:
    assert higher_is_better(metric) is False


@pytest.mark.parametrize(
    "metric",
    [
        "tau_generation_length",
        "alignment_gap_tau_b",
        "alignment_human_half_panel_tau_b",
        "first_position_rate",
        "words_at_score_5",
        "rank_human_length",
        "alignment_generation_tau_b_ceiling",
        "alignment_generation_tau_b_p_value",
        "difference_generation_length",
    ],
)
def test_what_describes_a_model_has_no_better_side(metric: str) -> None:
    assert higher_is_better(metric) is None


def test_an_end_of_an_interval_goes_with_its_metric() -> None:
    assert higher_is_better("flip_rate_ci_high") is False
    assert higher_is_better("alignment_generation_tau_b_stderr") is True
