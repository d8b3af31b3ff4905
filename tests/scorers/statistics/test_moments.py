"""A study as sums: in any batches, in any order, merged in any tree it says the same."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.moments import Moments, merged
from profile_tasks.scorers.statistics.significance import influence_tests
from profile_tasks.scorers.statistics.study import Study
from profile_tasks.scorers.statistics.true_alignment import alignment_difference

FACTORS = ("length", "fluency", "coherence", "kindness")


def judges(
    seed: int = 0, n_groups: int = 60, *, same_pairs: bool = True, unknown: float = 0.1
) -> dict[str, Comparisons]:
    """Two judges of pairs in groups of 1 to 7, who like the factors alike but for noise."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), rng.integers(1, 8, n_groups))
    shown = rng.choice([-1, 0, 1], (len(group), len(FACTORS)))
    missing = rng.random(shown.shape) < unknown
    shown[missing] = 0
    tables = {}
    for name in ("human", "discrimination"):
        preference = np.sign((shown @ [2, 1, -1, 0] + 2 * rng.normal(size=len(group))).round())
        kept = np.ones(len(group), bool) if same_pairs else rng.random(len(group)) < 0.8
        tables[name] = Comparisons(
            preference[kept], shown[kept], missing[kept], group[kept], FACTORS, name
        )
    return tables


def parts_of(tables: dict[str, Comparisons], ends: list[int]) -> list[Moments]:
    """The moments of the groups between each two of these codes."""
    found = []
    for start, stop in itertools.pairwise(ends):
        within = {}
        for name, table in tables.items():
            rows = (table.group >= start) & (table.group < stop)
            within[name] = Comparisons(
                table.preference[rows],
                table.manifestation[rows],
                table.missing[rows],
                table.group[rows] - start,
                FACTORS,
                table.perspective,
            )
        found.append(Moments.of(within))
    return found


@given(
    seed=st.integers(0, 99),
    cuts=st.lists(st.integers(0, 60), max_size=6),
    order=st.randoms(use_true_random=False),
    same_pairs=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_any_batches_in_any_order_and_any_tree_are_the_whole(seed, cuts, order, same_pairs):
    tables = judges(seed, same_pairs=same_pairs)
    parts = parts_of(tables, sorted({0, *cuts, 60}))
    order.shuffle(parts)
    while len(parts) > 1:  # any tree
        at = order.randrange(len(parts) - 1)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    assert parts[0].record() == Moments.of(tables).record()


def test_the_record_survives_json():
    moments = Moments.of(judges())
    assert Moments.of_record(json.loads(json.dumps(moments.record()))).record() == moments.record()


@pytest.mark.parametrize("same_pairs", [True, False])
def test_influences_differences_and_alignments_are_those_of_the_study(same_pairs):
    tables = judges(3, 400, same_pairs=same_pairs)
    study, moments = Study(tables, replicates=100), Moments.of(tables)
    for name in tables:
        for factor, estimate in study.influence(name).items():
            found = moments.influence(name)[factor]
            assert [found.value, found.low, found.high] == pytest.approx(
                [estimate.value, estimate.low, estimate.high], abs=1e-12
            )
            assert found.n_groups == estimate.n_groups
        tests, expected = moments.tests(name), influence_tests(tables[name])
        np.testing.assert_allclose(tests.p_holm, expected.p_holm, rtol=1e-12)
        assert (tests.family, tests.method) == (expected.family, expected.method)
        profile = moments.profile(name)
        for field in ("tau", "tied", "missing", "groups", "n_pairs", "n_groups", "reasons"):
            np.testing.assert_array_equal(
                getattr(profile, field), getattr(study.profiles[name], field)
            )
    differences, tests = moments.difference("discrimination", "human")
    expected_differences, expected = study.difference("discrimination", "human")
    for factor, estimate in expected_differences.items():
        found = differences[factor]
        assert [found.value, found.low, found.high] == pytest.approx(
            [estimate.value, estimate.low, estimate.high], abs=1e-12
        )
    # Of different pairs one is flipped at random and the other is Student's.
    np.testing.assert_allclose(tests.p_value, expected.p_value, atol=0.05)
    aligned = moments.true_alignment(
        "human", "discrimination", draws=study.draws, seed=study.seed, confidence=0.95
    )
    of_study = study.true_alignment("human", "discrimination")
    assert aligned.unrelated == pytest.approx(of_study.unrelated, abs=0.01)
    assert (aligned.n_groups, aligned.n_factors) == (of_study.n_groups, of_study.n_factors)
    for name, estimate in of_study.coefficients.items():
        found = aligned.coefficients[name]
        assert found.value == pytest.approx(estimate.value, abs=1e-12)
        assert [found.low, found.disattenuated, found.high] == pytest.approx(
            [estimate.low, estimate.disattenuated, estimate.high], abs=0.02
        )


def test_differences_over_the_same_pairs_are_tested_exactly():
    tables = judges(1, 12, unknown=0)
    _, tests = Moments.of(tables).difference("discrimination", "human")
    net = [
        np.array(
            [
                (table.preference * table.manifestation[:, 0])[table.group == code].sum()
                for code in range(12)
            ]
        )
        for table in tables.values()
    ]
    decided = [table.preference != 0 for table in tables.values()]
    if not np.array_equal(*decided):  # then they count different pairs
        assert "Student" in tests.method
        return
    apart = net[1] - net[0]
    flips = np.array(np.meshgrid(*[[-1, 1]] * 12)).reshape(12, -1)
    assert tests.p_value[0] == pytest.approx(
        np.mean(np.abs(flips.T @ apart) >= abs(apart.sum())), rel=1e-12
    )


def test_verdicts_that_are_the_same_everywhere_do_not_tell_more():
    human = judges(unknown=0)["human"]
    twice = {"human": human, "discrimination": human}
    found = Moments.of(twice).alignment("human", "discrimination")["tau_b"]
    expected = Study(twice, replicates=100).alignment("human", "discrimination")["tau_b"]
    assert found.reason == expected.reason != None  # noqa: E711
    assert found.value == 1


def test_draws_vary_as_bootstrap_replicates_do():
    tables = judges(5, 3000)
    study, moments = Study(tables, replicates=2000), Moments.of(tables)
    for name, drawn in moments.drawn(replicates=4000, seed=0).items():
        np.testing.assert_allclose(drawn.std(axis=0), study.drawn[name].std(axis=0), rtol=0.08)
        np.testing.assert_allclose(drawn.mean(axis=0), study.profiles[name].tau, atol=0.002)


def test_two_models_are_compared_over_the_same_sources():
    tables = judges(2, 800) | {"other": judges(9, 800)["discrimination"]}
    tables["other"] = Comparisons(
        -tables["discrimination"].preference,
        *(
            getattr(tables["discrimination"], name)
            for name in ("manifestation", "missing", "group")
        ),
        FACTORS,
        "discrimination",
    )
    study, moments = Study(tables, replicates=1000), Moments.of(tables)
    found, expected = (
        alignment_difference(
            each.alignment("human", "discrimination")["pearson"],
            each.alignment("human", "other")["pearson"],
        )
        for each in (moments, study)
    )
    assert found.value == pytest.approx(expected.value, abs=1e-12)
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high], abs=0.03)
    # They count the same pairs: flips of sources are counted exactly.
    _, tests = moments.difference("discrimination", "other")
    np.testing.assert_allclose(
        tests.p_value, study.difference("discrimination", "other")[1].p_value, rtol=1e-9
    )


def test_shares_have_their_own_scale():
    rows = [[1, 1], [0, 1], [1, 0]] * 20
    shares = Comparisons(
        [1] * 60, rows, [[False] * 2] * 60, np.arange(60) // 2, ("a", "b"), "discrimination"
    )
    study = Study({}, shares={"agreement": shares}, replicates=100)
    moments = Moments.of({"agreement": shares})
    for column, estimate in study.influence("agreement").items():
        found = moments.influence("agreement", least=0)[column]
        assert [found.value, found.low, found.high] == pytest.approx(
            [estimate.value, estimate.low, estimate.high], abs=1e-12
        )


def test_nothing_that_counts_has_its_reason():
    table = Comparisons([0, 0], [[1], [1]], [[False]] * 2, [0, 1], ("length",), "human")
    found = Moments.of({"human": table}).influence("human")["length"]
    assert np.isnan(found.value)
    assert found.reason == "all 2 pairs are preference ties"


def test_parts_of_other_studies_are_refused():
    tables = judges()
    with pytest.raises(ValueError, match=r"human over length.* are no parts of one study"):
        Moments.of(tables) + Moments.of({"human": tables["human"]})
    with pytest.raises(ValueError, match=r"no table 'people'. Must be one of: human, discr"):
        Moments.of(tables).influence("people")


def test_one_part_is_the_whole():
    moments = Moments.of(judges())
    assert merged([moments]) is moments
