"""Score validity: Pearson's r of score and log-probability, within sources and pooled."""

import math

import numpy as np
import pytest
from scipy.stats import pearsonr

from profile_tasks.scorers.statistics.score_validity import (
    POOLED,
    WITHIN,
    ScoredTexts,
    per_byte,
    score_compliance,
    score_validity,
    source_correlation,
)


def texts(name: str, scores: list[float], logs: list[float], group: str = "") -> ScoredTexts:
    return ScoredTexts(
        source_id=name,
        group=group or name,
        scores=tuple(scores),
        log_probabilities=tuple(logs),
    )


def planted(n_sources: int, slope: float, seed: int, noise: float = 0.3) -> list[ScoredTexts]:
    """Sources of different likelihood in which a higher score raises it by a slope."""
    rng = np.random.default_rng(seed)
    scores = [1.0, 2.0, 3.0, 4.0, 5.0]
    levels = rng.normal(-2, 0.2, size=n_sources)
    return [
        texts(f"s{i}", scores, [level + slope * s + rng.normal(0, noise) for s in scores])
        for i, level in enumerate(levels.tolist())
    ]


def test_both_correlations_are_those_of_scipy() -> None:
    measured = planted(12, 0.1, seed=1)
    validity = score_validity(measured)
    by_source = [pearsonr(m.scores, m.log_probabilities).statistic for m in measured]
    scores = [score for m in measured for score in m.scores]
    logs = [log for m in measured for log in m.log_probabilities]
    values = validity.values()
    assert values[WITHIN] == pytest.approx(np.mean(by_source), abs=1e-12)
    assert values[POOLED] == pytest.approx(pearsonr(scores, logs).statistic, abs=1e-12)
    assert (validity.n_sources, validity.n_texts) == (12, 60)


def test_replicates_are_the_correlations_of_resampled_sources() -> None:
    measured = planted(9, 0.1, seed=2)
    validity = score_validity(measured, replicates=3, seed=5)
    drawn = np.random.default_rng(5).integers(9, size=(3, 9))
    for replicate, sources in zip(validity.estimates[POOLED].drawn, drawn, strict=True):
        scores = [score for s in sources for score in measured[s].scores]
        logs = [log for s in sources for log in measured[s].log_probabilities]
        assert replicate == pytest.approx(pearsonr(scores, logs).statistic, abs=1e-12)


def test_a_planted_slope_is_found_and_none_is_not() -> None:
    found = score_validity(planted(60, 0.2, seed=3)).values()
    nothing = score_validity(planted(60, 0.0, seed=4)).values()
    for name in (WITHIN, POOLED):
        assert found[f"{name}_ci_low"] > 0
        assert nothing[f"{name}_ci_low"] < 0 < nothing[f"{name}_ci_high"]


def test_intervals_cover_as_they_say() -> None:
    # Truth by a large sample; 300 studies put the share within 3 standard errors of 95 %.
    truth = score_validity(planted(20_000, 0.1, seed=10), replicates=1).values()
    studies = [score_validity(planted(40, 0.1, seed=100 + s), replicates=400) for s in range(300)]
    for name in (WITHIN, POOLED):
        covered = np.mean(
            [
                study.estimates[name].low <= truth[name] <= study.estimates[name].high
                for study in studies
            ]
        )
        assert 0.90 <= covered <= 0.985, (name, covered)


def test_the_order_of_the_sources_does_not_matter() -> None:
    measured = planted(10, 0.1, seed=6)
    assert score_validity(measured).values() == score_validity(measured[::-1]).values()


def test_sources_of_one_group_are_resampled_as_one() -> None:
    measured = planted(16, 0.1, seed=7)
    joined = [m.model_copy(update={"group": f"g{i // 2}"}) for i, m in enumerate(measured)]
    assert score_validity(joined, replicates=50).estimates[POOLED].drawn.size == 50
    few = score_validity(joined[:14])
    assert few.estimates[POOLED].reason == "groups: 7; an interval needs at least 8"


@pytest.mark.parametrize(
    ("scores", "logs"),
    [([1, 1, 1], [-1.0, -2.0, -3.0]), ([1, 2, 3], [-1.0, -1.0, -1.0]), ([3], [-1.0]), ([], [])],
)
def test_what_does_not_vary_has_no_correlation(scores: list[float], logs: list[float]) -> None:
    assert math.isnan(source_correlation(texts("s", scores, logs)))
    validity = score_validity([texts("s", scores, logs)])
    assert set(validity.reasons()) == {WITHIN, POOLED}
    assert validity.n_sources == 0


def test_no_sources_give_reasons_instead_of_numbers() -> None:
    assert set(score_validity([]).reasons()) == {WITHIN, POOLED}


def test_length_is_counted_in_bytes() -> None:
    assert per_byte(-4.0, "né") == pytest.approx(-4 / 3)
    assert per_byte(-3.0, "\ud800") == -1.0


@pytest.mark.parametrize(
    ("likelihood", "text", "message"),
    [
        (math.nan, "x", "a log-likelihood is nan; the model's outputs are broken"),
        (-math.inf, "x", "a log-likelihood is -inf"),
        (-1.0, "", "an empty text has no log-probability per byte"),
    ],
)
def test_broken_likelihoods_are_refused(likelihood: float, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        per_byte(likelihood, text)


def test_compliance_counts_ties_as_half_and_leaves_missing_out() -> None:
    outcomes = [(f"g{i}", won) for i, won in enumerate([1, 1, 1, 0, -1, None, 1, 1, 0])]
    found = score_compliance(outcomes)
    assert found.value == pytest.approx((5 + 2 / 2) / 8)
    assert found.low < found.value < found.high <= 1


def test_compliance_without_verdicts_says_so() -> None:
    found = score_compliance([("g", None)])
    assert math.isnan(found.value)
    assert found.reason == "no text was judged"
