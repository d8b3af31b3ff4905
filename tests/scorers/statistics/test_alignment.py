"""Alignment against scipy, against published figures, and row by row over replicates."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, pearsonr, spearmanr

from profile_tasks.scorers.statistics import alignment
from profile_tasks.scorers.statistics.alignment import (
    align,
    alignment_replicates,
    observed_alignment,
)

GOLDEN = Path(__file__).resolve().parents[3].parent / "shared/golden/preference_dissection.json"

# Fitted weights of 29 response properties on preferences, scenario "Communication" (Li et al. 2024,
# Dissecting Human and LLM Preferences; GAIR-NLP/Preference-Dissection).
# fmt: off
COMMUNICATION = {
    "human": [
        -0.039768, 0.076271, 0.355634, -0.052166, 0.03215, -0.008967, 0.055799, 0.025, 0.009417,
        0.038976, 0.15667, -0.461931, 0.072395, 0.01862, 0.032145, 0.005964, 0.135843, 0.093063,
        0.086821, 0.079832, -0.037209, 0.02937, 0.219579, 0.106771, 0.041629, -0.017156, 0.046797,
        -0.059542, 0.485934,
    ],
    "gpt-4-1106-preview": [
        0.064625, 0.146138, 0.121294, 0.027065, 0.148923, 0.202012, 0.03132, 0.018638, 0.065458,
        0.056988, 0.119078, 0.005756, -0.068346, 0.003, 0.027724, 0.167009, 0.409739, 0.089408,
        0.253037, 0.776393, 0.002668, 0.614359, 1.285415, 0.302493, 0.04595, 0.021105, 0.026128,
        0.009665, 0.372835,
    ],
    "llama-2-7b-chat": [
        0.065585, 0.065142, 0.712196, 0.056933, 0.125005, 0.119903, -0.014742, 0.051656, 0.219458,
        0.003011, 0.040809, -0.138713, 0.208175, -0.013431, -0.024601, 0.062117, 0.060489, 0.014137,
        0.10983, 0.957365, -0.043298, 0.073985, -0.00185, 0.005091, 0.025346, 0.031464, -0.004217,
        0.05425, 0.199867,
    ],
    "qwen-7b-chat": [
        0.022965, 0.051586, 0.827273, 0.023141, 0.262718, 0.247715, -0.004197, 0.007262, 0.098133,
        0.018967, -0.011054, -0.266136, 0.179991, -0.020324, -0.019995, 0.081647, 0.131912,
        0.037474, 0.026096, 0.620832, 0.001184, 0.047187, -0.014964, -0.010679, 6.2e-05, 0.033739,
        0.034792, 0.01497, -0.001119,
    ],
}
# fmt: on


def profile(values):
    return {f"factor_{index:02d}": value for index, value in enumerate(values)}


def by_scipy(x, y):
    """tau_b, Spearman and Pearson over the factors defined in both, NaN as this project says."""
    defined = np.isfinite(x) & np.isfinite(y)
    x, y = x[defined], y[defined]
    if x.size < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return [math.nan] * 3
    return [function(x, y).statistic for function in (kendalltau, spearmanr, pearsonr)]


@pytest.mark.parametrize(
    ("model", "tau_b", "spearman", "pearson"),
    [
        ("gpt-4-1106-preview", 0.408867, 0.577833, 0.371271),
        ("llama-2-7b-chat", 0.152709, 0.216256, 0.403586),
        ("qwen-7b-chat", 0.073892, 0.091133, 0.438439),
    ],
)
def test_published_profiles_align_as_published(model, tau_b, spearman, pearson):
    result = align(profile(COMMUNICATION["human"]), profile(COMMUNICATION[model]))
    assert (result.tau_b, result.spearman, result.pearson) == pytest.approx(
        (tau_b, spearman, pearson), abs=1e-6
    )
    assert result.n_factors == 29


@pytest.mark.skipif(not GOLDEN.exists(), reason="the golden figures are not beside the repository")
def test_every_published_profile_aligns_as_published():
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    compared = 0
    for scenario, models in golden["expected"].items():
        weights = {name: profile(row) for name, row in golden["weights"][scenario].items()}
        for model, expected in models.items():
            result = align(weights["human"], weights[model])
            found = {name: getattr(result, name) for name in expected}
            assert found == pytest.approx(expected, abs=2e-6), (scenario, model)
            compared += 1
    assert compared == 128


def test_only_factors_defined_in_both_profiles_count():
    a = {"a": 0.1, "b": 0.2, "c": 0.3, "d": math.nan, "only_a": 9.0}
    b = {"c": 0.9, "b": 0.5, "a": 0.4, "d": 0.1, "only_b": -9.0}
    result = align(a, b)
    assert result.n_factors == 3
    assert result.tau_b == 1.0


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        ([], [], "factors defined in both profiles: 0; an alignment needs at least 3"),
        ([1, 2], [1, 2], "factors defined in both profiles: 2"),
        ([1, 2, 3], [1, math.inf, 3], "factors defined in both profiles: 2"),
        ([0.1, 0.1, 0.1], [1, 2, 3], "the first profile is constant over the 3 shared factors"),
        ([1, 2, 3], [0.7, 0.7, 0.7], "the second profile is constant"),
    ],
)
def test_an_undefined_alignment_is_nan_with_a_reason(a, b, reason):
    result = align(profile(a), profile(b))
    assert result.reason.startswith(reason)
    assert np.isnan([result.tau_b, result.spearman, result.pearson]).all()


@given(st.integers(0, 2**32 - 1), st.integers(3, 12))
def test_profiles_of_one_shape_align_at_1_exactly(seed, n_factors):
    values = np.random.default_rng(seed).normal(size=n_factors)
    found, reason = observed_alignment(values, 3 * values - 1)
    assert reason is None
    assert found == {"tau_b": 1, "spearman": 1, "pearson": 1}
    assert observed_alignment(values, -values)[0] == {"tau_b": -1, "spearman": -1, "pearson": -1}


def test_the_order_of_the_factors_does_not_matter():
    human, model = profile(COMMUNICATION["human"]), profile(COMMUNICATION["qwen-7b-chat"])
    assert align(dict(reversed(human.items())), model) == align(human, model)


@st.composite
def replicates(draw):
    """Two (B, F) arrays with ties, undefined cells and constant rows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (2, draw(st.integers(1, 12)), draw(st.integers(1, 9)))
    values = rng.integers(-3, 4, shape) / draw(st.sampled_from([1, 3, 7]))
    if draw(st.booleans()):
        values += rng.normal(size=shape)
    values[rng.random(shape) < draw(st.sampled_from([0.0, 0.15, 0.5]))] = np.nan
    values[:, rng.random(shape[1]) < 0.1] = 0.1
    return values


@given(replicates())
def test_replicates_equal_scipy_row_by_row(values):
    x, y = values
    found = alignment_replicates(x, y)
    expected = np.array([by_scipy(*rows) for rows in zip(x, y, strict=True)])
    np.testing.assert_allclose(
        np.stack([found.tau_b, found.spearman, found.pearson], axis=1), expected, atol=1e-12
    )


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_replicates_of_very_small_and_large_values_equal_scipy(scale):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 4, 6)) * scale
    expected = [pearsonr(*rows).statistic for rows in zip(x, y, strict=True)]
    np.testing.assert_allclose(alignment_replicates(x, y).pearson, expected, atol=1e-12)


@given(replicates())
def test_alignments_lie_between_minus_one_and_one(values):
    found = alignment_replicates(*values)
    for correlation in (found.tau_b, found.spearman, found.pearson):
        assert (np.abs(correlation[np.isfinite(correlation)]) <= 1).all()


def test_an_undefined_factor_is_left_out_of_its_own_replicate_only():
    x = np.array([[0.1, 0.2, 0.3, np.nan], [0.1, 0.2, 0.3, 0.4]])
    y = np.array([[0.1, 0.2, 0.3, -0.4], [0.1, 0.2, 0.3, -0.4]])
    assert alignment_replicates(x, y).tau_b.tolist() == [1.0, 0.0]


def test_replicates_do_not_depend_on_the_chunks(monkeypatch):
    x, y = np.random.default_rng(6).normal(size=(2, 50, 7))
    whole = alignment_replicates(x, y)
    monkeypatch.setattr(alignment, "_CHUNK_BYTES", 8 * 49 * 3)
    chunked = alignment_replicates(x, y)
    np.testing.assert_array_equal(chunked.tau_b, whole.tau_b)
    np.testing.assert_array_equal(chunked.pearson, whole.pearson)


def test_no_replicates_give_no_alignments():
    assert alignment_replicates(np.empty((0, 4)), np.empty((0, 4))).tau_b.shape == (0,)


@pytest.mark.parametrize("shapes", [((2, 3), (3, 3)), ((3,), (3,))])
def test_profiles_that_do_not_pair_up_are_refused(shapes):
    with pytest.raises(ValueError, match=r"both must be the same \(B, F\)"):
        alignment_replicates(*map(np.zeros, shapes))
