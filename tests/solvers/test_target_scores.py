"""Which of the written responses are compared."""

from collections import Counter

from profile_tasks.solvers.target_scores import generation_pairs

SCORES = (1, 2, 3, 4, 5)
ALL = generation_pairs(SCORES, "all")


def test_all_pairs_are_compared_and_the_higher_score_comes_first() -> None:
    assert len(ALL) == len(set(ALL)) == 10
    assert all(high > low for high, low in ALL)


def test_of_neighbours_too_the_higher_score_comes_first() -> None:
    assert generation_pairs((5, 1, 3), "adjacent") == [(3, 1), (5, 3)]
    assert generation_pairs((5, 1, 3), "all") == [(3, 1), (5, 1), (5, 3)]


def test_half_of_the_pairs_is_the_same_half_for_the_same_source() -> None:
    half = generation_pairs(SCORES, "half", "s1")
    assert half == generation_pairs(SCORES, "half", "s1")
    assert len(set(half)) == 5
    assert set(half) < set(ALL)


def test_over_many_sources_every_pair_is_as_frequent() -> None:
    counts = Counter(
        pair for n in range(2000) for pair in generation_pairs(SCORES, "half", f"source {n}")
    )
    assert set(counts) == set(ALL)
    assert all(900 < count < 1100 for count in counts.values())


def test_an_odd_number_of_pairs_is_halved_upwards() -> None:
    assert len(generation_pairs((1, 5), "half", "s")) == 1
    assert len(generation_pairs((1, 3, 5), "half", "s")) == 2
