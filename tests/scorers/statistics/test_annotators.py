"""Agreement of annotators: kappa, and the alignment of one half of them with the other."""

import math

import numpy as np
import pytest
from statsmodels.stats.inter_rater import fleiss_kappa

from profile_tasks.data.preferences import load_preferences
from profile_tasks.data.rows import plurality
from profile_tasks.scorers.measurement.recorded import human_comparisons, recorded_votes
from profile_tasks.scorers.statistics import annotators as module
from profile_tasks.scorers.statistics.annotators import (
    Votes,
    annotator_agreement,
    annotator_alignment,
)
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.reliability import COEFFICIENTS

SURFACE = "length,sentence_count,mean_sentence_length,lexical_diversity,readability,markdown"
SIGNS = {1: "a", -1: "b", 0: "tie"}


def table(manifestation, group, *, preference=None):
    manifestation = np.asarray(manifestation)
    return Comparisons(
        np.ones(len(manifestation)) if preference is None else preference,
        manifestation,
        np.zeros(manifestation.shape, bool),
        group,
        tuple("abcdefgh"[: manifestation.shape[1]]),
        "human",
    )


def voted(seed, *, n=300, annotators=3, noise=1.0, n_groups=60, uneven=False):
    """Pairs whose annotators follow one utility of the manifestations, each with own noise."""
    rng = np.random.default_rng(seed)
    manifestation = rng.integers(-1, 2, (n, 5))
    shared = manifestation @ [1.5, 1, 0.5, 0, -1] + rng.normal(size=n)
    utility = shared[:, None] + noise * rng.logistic(size=(n, annotators))
    vote = np.where(np.abs(utility) < 0.4, 0, np.sign(utility)).astype(int)
    absent = np.zeros(vote.shape, bool)
    if uneven:
        absent = np.arange(annotators) >= rng.integers(0, annotators + 1, n)[:, None]
    group = np.arange(n) % n_groups
    return table(manifestation, group), Votes(np.where(absent, 0, vote), absent, group)


def test_votes_are_counted_as_they_were_given():
    votes = Votes(
        [[1, 1, -1], [0, 0, 0], [0, 0, 0]],
        [[False] * 3, [False, True, True], [True] * 3],
        [4, 4, 7],
    )
    assert votes.counts().tolist() == [[2, 1, 0], [0, 0, 1], [0, 0, 0]]
    with pytest.raises(ValueError, match="read-only"):
        votes.vote[0, 0] = 0


@pytest.mark.parametrize(
    ("vote", "absent", "group", "message"),
    [
        ([1, 1], [False, False], [0], r"vote has shape \(2,\); expected \(n, most\)"),
        ([[1, 1]], [[False]], [0], r"absent has shape \(1, 1\); expected \(1, 2\), as vote"),
        ([[1, 1]], [[False, False]], [0, 1], r"group has shape \(2,\); expected \(1,\), as vote"),
        ([[1, 2]], [[False, False]], [0], r"vote\[0, 1\] is 2. Must be one of: -1, 0, 1; mark a"),
        ([[1, math.nan]], [[False, True]], [0], r"vote\[0, 1\] is nan.*mark a missing vote in"),
        ([[1, 1]], [[False, True]], [0], r"vote\[0, 1\] is marked absent yet holds 1"),
        ([[1, 1]], [[0, 1]], [0], "absent has dtype int64; expected bool"),
        ([[1, 1]], [[False, False]], [-1], r"group\[0\] is -1; codes run from 0"),
        ([[1, 1]], [[False, False]], [0.5], "group has dtype float64; expected integer codes"),
    ],
)
def test_bad_votes_are_refused_with_their_place(vote, absent, group, message):
    with pytest.raises(ValueError, match=message):
        Votes(vote, absent, group)


@pytest.mark.parametrize("annotators", [2, 3, 5])
def test_kappa_is_that_of_statsmodels(annotators):
    _, votes = voted(0, annotators=annotators)
    found = annotator_agreement(votes, replicates=50)
    counts = votes.counts()
    assert found.kappa.value == pytest.approx(fleiss_kappa(counts))
    both_orders = np.concatenate([counts, counts[:, [1, 0, 2]]])
    assert found.kappa_either_order.value == pytest.approx(fleiss_kappa(both_orders))
    pairs = [
        (row[:, None] == row[None, :])[np.triu_indices(annotators, 1)].mean() for row in votes.vote
    ]
    assert found.agreement.value == pytest.approx(np.mean(pairs))


def test_three_pairs_worked_by_hand():
    # P = (1 + 1/3 + 0) / 3 = 4/9; shares 4/9, 3/9, 2/9; chance 29/81; kappa (36 - 29) / (81 - 29).
    votes = Votes([[1, 1, 1], [-1, -1, 0], [1, -1, 0]], np.zeros((3, 3), bool), [0, 1, 2])
    found = annotator_agreement(votes)
    assert found.agreement.value == pytest.approx(4 / 9)
    assert found.kappa.value == pytest.approx(7 / 52)


def test_pairs_weigh_alike_whatever_their_number_of_votes():
    # One pair with two agreeing votes, one with four, of which two and two agree: P = 1 and 1/3.
    votes = Votes([[1, 1, 0, 0], [1, 1, -1, -1]], [[False, False, True, True], [False] * 4], [0, 1])
    found = annotator_agreement(votes)
    assert found.agreement.value == pytest.approx(2 / 3)
    # Shares: 3/4 first, 1/4 second.
    assert found.kappa.value == pytest.approx((2 / 3 - 10 / 16) / (1 - 10 / 16))


def test_pairs_with_fewer_than_two_votes_are_left_out_and_counted():
    _, votes = voted(1, annotators=4, uneven=True)
    several = votes.counts().sum(axis=1) >= 2
    kept = Votes(votes.vote[several], votes.absent[several], votes.group[several])
    found, expected = annotator_agreement(votes), annotator_agreement(kept)
    assert found.kappa == expected.kappa
    assert (found.n_pairs, found.n_left_out) == (several.sum(), (~several).sum())
    assert found.n_left_out > 0
    assert found.n_votes == votes.counts()[several].sum()


def test_the_interval_is_that_of_resampled_groups():
    _, votes = voted(2)
    found = annotator_agreement(votes, replicates=4000)
    rng = np.random.default_rng(1)
    kappas = []
    for _ in range(800):
        drawn = rng.integers(60, size=60)
        rows = np.concatenate([np.flatnonzero(votes.group == group) for group in drawn])
        kappas.append(fleiss_kappa(votes.counts()[rows]))
    low, high = np.quantile(kappas, (0.025, 0.975))
    assert found.kappa.low == pytest.approx(low, abs=0.012)
    assert found.kappa.high == pytest.approx(high, abs=0.012)


def test_a_file_that_puts_the_better_one_first_leaves_only_one_kappa():
    vote = np.ones((40, 3), int)
    vote[0] = [1, 1, -1]
    found = annotator_agreement(Votes(vote, np.zeros(vote.shape, bool), np.arange(40)))
    assert found.kappa.value < 0.01
    assert found.kappa_either_order.value > 0.9


def test_swapping_the_responses_of_a_pair_changes_no_number_but_fleiss_kappa():
    comparisons, votes = voted(3)
    turn = np.random.default_rng(0).choice([-1, 1], (300, 1))
    turned = Votes(votes.vote * turn, votes.absent, votes.group)
    found, other = annotator_agreement(votes), annotator_agreement(turned)
    assert found.agreement == other.agreement
    assert found.kappa_either_order.value == pytest.approx(other.kappa_either_order.value)
    swapped = table(comparisons.manifestation * turn, comparisons.group)
    assert annotator_alignment(swapped, turned) == annotator_alignment(comparisons, votes)


def test_annotators_who_always_agree_are_fully_aligned():
    comparisons, votes = voted(4)
    same = Votes(np.repeat(votes.vote[:, :1], 3, axis=1), votes.absent, votes.group)
    assert annotator_agreement(same).kappa.value == pytest.approx(1)
    found = annotator_alignment(comparisons, same)
    for coefficient in COEFFICIENTS:
        assert found.half[coefficient].value == pytest.approx(1)
        assert found.full[coefficient].value == pytest.approx(1)


def test_two_annotators_are_two_panels():
    comparisons, votes = voted(5, annotators=2)
    found = annotator_alignment(comparisons, votes, splits=400)
    assert (found.half_size, found.panel_size) == (1, 2)
    r = found.half["pearson"].value
    assert found.full["pearson"].value == pytest.approx(2 * r / (1 + r))


def test_of_three_annotators_one_is_compared_with_one_other():
    for member in range(3):
        vote = np.zeros((1, 3), np.int8)
        vote[0, member] = 1
        first, second = panels(vote)
        assert not (first & second).any()
        assert first.mean() == pytest.approx(1 / 3, abs=0.05)
        assert second.mean() == pytest.approx(1 / 3, abs=0.05)


def test_panels_are_equal_and_disjoint():
    # The panels of two are ++ and --, or the reverse, in 2 of 6 draws; else both are split.
    first, second = panels(np.array([[1, 1, -1, -1]], np.int8))
    np.testing.assert_array_equal(first, -second)
    assert np.abs(first).mean() == pytest.approx(1 / 3, abs=0.05)
    # Of five, ++ leaves two of - - tie to the other panel, and one annotator out.
    first, second = panels(np.array([[1, 1, -1, -1, 0]], np.int8))
    assert set(zip(first, second, strict=True)) == {
        (0, 0),
        (1, 0),
        (0, 1),
        (-1, 0),
        (0, -1),
        (1, -1),
        (-1, 1),
    }
    assert (first == 1).mean() == pytest.approx(1 / 10, abs=0.03)


@pytest.mark.parametrize("panel", [[1, 1, 0], [1, -1], [0, 0, 1], [-1, -1, 1, 0], [1, -1, 0], [0]])
def test_a_panel_decides_as_the_recorded_preference_does(panel):
    counts = module.vote_counts(np.array(panel, np.int8), np.ones(len(panel), bool))
    (sign,) = np.atleast_1d(module.plurality(counts))
    assert SIGNS[int(sign)] == plurality([SIGNS[vote] for vote in panel])


def test_the_step_up_foretells_the_alignment_of_a_second_panel():
    estimated, seen = [], []
    for seed in range(25):
        comparisons, votes = voted(seed + 100, annotators=12, noise=2.0)
        six = [slice(0, 6), slice(6, 12)]
        panels = [Votes(votes.vote[:, s], votes.absent[:, s], votes.group) for s in six]
        found = annotator_alignment(comparisons, panels[0], splits=60)
        estimated.append(found.full["pearson"].value)
        profiles = [
            profile_of(
                table(
                    comparisons.manifestation,
                    comparisons.group,
                    preference=module.plurality(panel.counts()),
                )
            ).tau
            for panel in panels
        ]
        seen.append(np.corrcoef(profiles)[0, 1])
    assert np.mean(estimated) == pytest.approx(np.mean(seen), abs=0.02)


def test_the_interval_covers_the_alignment_of_other_samples():
    found = [annotator_alignment(*voted(seed + 200), splits=60) for seed in range(30)]
    expected = np.mean([each.half["pearson"].value for each in found])
    intervals = [each.half["pearson"] for each in found]
    covered = [interval.low <= expected <= interval.high for interval in intervals]
    assert np.mean(covered) >= 0.85


def test_chunks_and_seed(monkeypatch):
    comparisons, votes = voted(6, annotators=5, uneven=True)
    whole = annotator_alignment(comparisons, votes, splits=30)
    agreed = annotator_agreement(votes, replicates=300)
    assert annotator_alignment(comparisons, votes, splits=30, seed=1) != whole
    monkeypatch.setattr(module, "_CHUNK_BYTES", 8 * 60 * 7)
    assert annotator_alignment(comparisons, votes, splits=30) == whole
    assert annotator_agreement(votes, replicates=300) == agreed


def panels(vote, draws=2000):
    """Preferences of the two panels of one pair, one entry a draw."""
    drawn = module._panels(vote, np.zeros(vote.shape, bool), draws, np.random.default_rng(0))
    return [panel[:, 0].astype(int) for panel in drawn]


def empty(n, most):
    return Votes(np.zeros((n, most), int), np.ones((n, most), bool), np.zeros(n, int))


@pytest.mark.parametrize(
    "votes",
    [
        empty(0, 0),
        empty(5, 0),
        empty(5, 3),
        Votes([[1]] * 5, [[False]] * 5, [0] * 5),  # one annotator only
    ],
)
def test_without_two_votes_there_is_no_number(votes):
    n = len(votes.group)
    found = annotator_agreement(votes)
    reason = f"pairs with two votes or more: 0 of {n}"
    for estimate in (found.agreement, found.kappa, found.kappa_either_order):
        assert math.isnan(estimate.value)
        assert estimate.reason == estimate.reason == reason
    assert (found.n_pairs, found.n_left_out, found.n_groups) == (0, n, 0)
    aligned = annotator_alignment(table(np.ones((n, 4), int), votes.group), votes)
    for coefficient in COEFFICIENTS:
        assert aligned.half[coefficient].reason == aligned.full[coefficient].reason == reason
    assert (aligned.n_pairs, aligned.n_left_out) == (0, n)


def test_votes_that_are_all_ties_agree_by_chance_alone():
    votes = Votes(np.zeros((20, 3), int), np.zeros((20, 3), bool), np.arange(20))
    found = annotator_agreement(votes)
    assert found.agreement.value == 1
    for kappa in (found.kappa, found.kappa_either_order):
        assert math.isnan(kappa.value)
        assert kappa.reason == "all votes are the same, so chance agrees fully"
    aligned = annotator_alignment(table(np.ones((20, 4), int), np.arange(20)), votes)
    assert math.isnan(aligned.half["tau_b"].value)
    assert "half-profiles are constant" in aligned.half["tau_b"].reason


@pytest.mark.parametrize("group", ["one group", "one pair", "one group of 99 %"])
def test_few_groups_give_numbers_without_an_interval(group):
    comparisons, votes = voted(7, n=400)
    rows = slice(0, 1 if group == "one pair" else None)
    codes = np.zeros(400, int)
    if group == "one group of 99 %":
        codes[396:] = np.arange(1, 5)
    votes = Votes(votes.vote[rows], votes.absent[rows], codes[rows])
    found = annotator_agreement(votes)
    assert found.agreement.reason.startswith("groups: ")
    aligned = annotator_alignment(table(comparisons.manifestation[rows], codes[rows]), votes)
    for coefficient in COEFFICIENTS:
        assert math.isnan(aligned.half[coefficient].low)
        assert math.isfinite(aligned.half[coefficient].value)


def test_two_factors_have_no_alignment():
    comparisons, votes = voted(8)
    two = table(comparisons.manifestation[:, :2], comparisons.group)
    assert "fewer than 3 factors" in annotator_alignment(two, votes).half["pearson"].reason


def test_votes_of_other_rows_are_refused():
    comparisons, votes = voted(9)
    other = Votes(votes.vote[::-1], votes.absent, votes.group[::-1])
    with pytest.raises(ValueError, match="the votes and the comparisons differ in their rows"):
        annotator_alignment(comparisons, other)
    with pytest.raises(ValueError, match="splits is 0; give at least 1"):
        annotator_alignment(comparisons, votes, splits=0)
    with pytest.raises(ValueError, match="replicates is 0; give at least 1"):
        annotator_agreement(votes, replicates=0)


def test_recorded_votes_are_in_the_rows_of_the_comparison_table(shared_data):
    data = load_preferences(str(shared_data / "pandalm.jsonl"))
    comparisons = human_comparisons(data, SURFACE)
    votes = recorded_votes(data)
    np.testing.assert_array_equal(votes.group, comparisons.group)
    np.testing.assert_array_equal(module.plurality(votes.counts()), comparisons.preference)


def test_data_without_votes_have_none():
    votes = recorded_votes(load_preferences("demo", task="document_qa"))
    assert votes.counts().sum() == 0
    assert len(votes.group) > 0


def test_real_annotators_agree_as_the_file_says(shared_data):
    # 576 pairs of three equal votes and 77 of two and one: (576 + 77 / 3) / 653.
    data = load_preferences(str(shared_data / "pandalm.jsonl"))
    votes = recorded_votes(data)
    found = annotator_agreement(votes)
    assert found.agreement.value == pytest.approx((576 + 77 / 3) / 653)
    assert found.kappa.value == pytest.approx(fleiss_kappa(votes.counts()))
    assert (found.n_pairs, found.n_votes, found.n_groups) == (653, 1959, 115)


@pytest.mark.parametrize("name", ["pandalm", "squality_plot", "squality_qa"])
def test_real_annotators_are_aligned_with_each_other(name, shared_data):
    data = load_preferences(str(shared_data / f"{name}.jsonl"))
    found = annotator_alignment(human_comparisons(data, SURFACE), recorded_votes(data))
    assert (found.half_size, found.panel_size) == (1, 3)
    assert found.n_left_out == 0
    half, full = found.half["pearson"], found.full["pearson"]
    assert 0.8 < half.low < half.value < full.value < 1
