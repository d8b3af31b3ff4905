"""Tables of how a model judged and of single votes, row by row with what was measured."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_tasks.data.preference import PREFERENCE_SIGNS
from profile_tasks.data.preferences import Preference
from profile_tasks.data.rows import plurality
from profile_tasks.scorers.measurement.source_measurement import (
    SourceMeasurement,
    standard_metrics,
)
from profile_tasks.scorers.measurement.tables import (
    AGREEMENT_SHARES,
    agreement_table,
    annotated_systems,
    comparison_tables,
    human_votes,
    shared_group_codes,
)
from profile_tasks.scorers.statistics.influence import profile_of

PREFERENCES: dict[int, Preference] = {sign: name for name, sign in PREFERENCE_SIGNS.items()}


def measured(
    name: str = "s1",
    human: Sequence[int] = (1, 0, -1),
    *,
    group: str | None = None,
    picks: Sequence[Sequence[str | None]] | None = None,
    votes: Sequence[Sequence[int]] = (),
    signs: int | None = 1,
) -> SourceMeasurement:
    return SourceMeasurement(
        source_id=name,
        group=group or name,
        factors=("length",),
        human=tuple(human),
        annotated=((signs,),) * len(human),
        picks=None if picks is None else tuple(map(tuple, picks)),
        votes=tuple(map(tuple, votes)),
    )


def shares(measurements: Sequence[SourceMeasurement]) -> dict[str, float]:
    profile = profile_of(agreement_table(measurements))
    return dict(zip(profile.factors, profile.tau.tolist(), strict=True))


VERDICT = st.sampled_from(["first", "second", "tie", None])
ORDERS = st.one_of(st.tuples(VERDICT), st.tuples(VERDICT, VERDICT))
PAIRS = st.lists(st.tuples(st.sampled_from([1, 0, -1]), ORDERS), min_size=1, max_size=8)


@given(st.lists(PAIRS, min_size=1, max_size=6))
def test_shares_are_those_of_the_standard_metrics(
    sources: list[list[tuple[int, tuple[str | None, ...]]]],
) -> None:
    measurements = [
        measured(f"s{i}", [human for human, _ in pairs], picks=[picks for _, picks in pairs])
        for i, pairs in enumerate(sources)
    ]
    found, expected = shares(measurements), standard_metrics(measurements)
    assert tuple(found) == AGREEMENT_SHARES
    for name in AGREEMENT_SHARES:
        assert found[name] == pytest.approx(expected[name], nan_ok=True)


def test_agreement_by_hand() -> None:
    picks = [
        ("first", "second"),  # the first response, as people
        ("second", "first"),  # the second one, unlike people
        ("first", "first"),  # a flip, hence a tie
        ("tie", None),  # half unreadable
        (None, None),
    ]
    table = agreement_table([measured(human=[1] * 5, picks=picks)])
    assert table.factors == AGREEMENT_SHARES
    assert table.perspective == "discrimination"
    out = -9
    # Two rows a pair: half credit, decided, flipped; of the order, first position and unreadable.
    assert np.where(table.missing, out, table.manifestation).tolist() == [
        [1, 1, 0, 1, 0], [1, 1, 0, 0, 0],
        [0, 0, 0, 0, 0], [0, 0, 0, 1, 0],
        [1, out, 1, 1, 0], [0, out, 1, 1, 0],
        [out, out, out, out, 0], [out, out, out, out, 1],
        [out, out, out, out, 1], [out, out, out, out, 1],
    ]  # fmt: skip


def test_where_people_tie_there_is_no_accuracy_but_a_flip() -> None:
    table = agreement_table([measured(human=[0], picks=[("first", "first")])])
    assert table.missing.tolist() == [[True, True, False, False, False]] * 2
    assert table.manifestation.tolist() == [[0, 0, 1, 1, 0]] * 2


def test_one_order_alone_has_no_flip_rate() -> None:
    found = shares([measured(human=[1, -1, 1], picks=[("first",), ("first",), ("tie",)])])
    assert found["discrimination_accuracy"] == found["discrimination_accuracy_half_credit"] == 0.5
    assert math.isnan(found["flip_rate"])


def test_a_model_that_did_not_judge_has_no_rows_of_agreement() -> None:
    assert agreement_table([measured()]).preference.size == 0
    assert agreement_table([]).preference.size == 0


def test_agreement_has_the_group_codes_of_the_other_tables() -> None:
    judged = [("first", "second")] * 3
    records = [measured("c", picks=judged), measured("a"), measured("b", picks=judged, group="c")]
    tables = {table.perspective: table for table in comparison_tables(records)}
    assert agreement_table(records).group.tolist() == [1] * 12
    assert tables["discrimination"].group.tolist() == [1] * 6
    codes = {"a": 7, "c": 3}
    assert set(agreement_table(records, codes).group) == {3}
    assert {code for t in comparison_tables(records, codes) for code in t.group} == {3, 7}


def test_every_epoch_of_a_source_counts_for_agreement() -> None:
    once = measured(human=[1], picks=[("first", "second")])
    again = measured(human=[1], picks=[("second", "first")])
    assert shares([once, again])["discrimination_accuracy"] == 0.5


def test_codes_are_shared_by_runs_and_do_not_depend_on_their_order() -> None:
    first, second = [measured("b"), measured("a")], [measured("c"), measured("a")]
    assert shared_group_codes(first, second) == {"a": 0, "b": 1, "c": 2}
    assert shared_group_codes(second, first) == shared_group_codes(first, second)


@given(
    st.lists(
        st.lists(st.lists(st.sampled_from([1, 0, -1]), max_size=4), min_size=1, max_size=3),
        min_size=1,
        max_size=5,
    )
)
def test_votes_stand_row_by_row_with_the_human_table(sources: list[list[list[int]]]) -> None:
    def preference(votes: list[int]) -> int:
        return PREFERENCE_SIGNS[plurality([PREFERENCES[v] for v in votes])] if votes else 0

    records = [
        measured(f"s{i}", [preference(votes) for votes in pairs], votes=pairs, group=f"g{i // 2}")
        for i, pairs in enumerate(sources)
    ][::-1]
    human, votes = comparison_tables(records)[0], human_votes(records)
    assert votes.group.tolist() == human.group.tolist()
    assert votes.absent.shape[0] == human.preference.size
    for row, sign in enumerate(human.preference.tolist()):
        assert sign == preference(votes.vote[row, ~votes.absent[row]].tolist())


def test_sources_without_single_votes_have_rows_of_none() -> None:
    votes = human_votes([measured("a"), measured("b", [1], votes=[(1, 1, -1)])])
    assert votes.absent.tolist() == [[True] * 3] * 3 + [[False] * 3]
    assert votes.group.tolist() == [0, 0, 0, 1]


def test_without_any_votes_there_are_none() -> None:
    assert human_votes([measured()]).vote.shape == (3, 0)


def test_a_source_measured_twice_gives_its_votes_once() -> None:
    record = measured(human=[1], votes=[(1, 1)])
    assert human_votes([record, record]).vote.tolist() == [[1, 1]]


def test_votes_and_human_table_take_the_same_epoch() -> None:
    full = measured(human=[1, -1], votes=[(1,), (-1, -1)])
    empty = measured(human=[1, -1], votes=[(1,), (-1, -1)], signs=None)
    for order in ([full, empty], [empty, full]):
        human, votes = comparison_tables(order)[0], human_votes(order)
        assert not human.missing.any()
        assert votes.vote.tolist() == [[1, 0], [-1, -1]]
        assert votes.group.tolist() == human.group.tolist()


def test_systems_go_row_by_row_with_the_tables_that_judge_their_responses() -> None:
    pairs = (("m", "n"), ("n", None), ("o", "m"))
    first = measured("s1", picks=[["first", "second"], [None, None], ["second", "first"]])
    once = [
        first.model_copy(update={"systems": pairs}),
        measured("s0", (1,), picks=[["first", "second"]]).model_copy(
            update={"systems": (("p", "m"),)}
        ),
    ]
    twice = [*once, once[0]]  # as in a second epoch
    tables = {table.perspective: table for table in comparison_tables(twice)}
    systems = annotated_systems(twice)
    for name, rows in (
        ("human", [("p", "m"), ("m", "n"), ("n", None), ("o", "m")]),
        ("discrimination", [("p", "m"), *[("m", "n"), ("o", "m")] * 2]),  # one is unreadable
    ):
        found = systems[name]
        named = [tuple(None if c < 0 else found.names[c] for c in row) for row in found.code]
        assert named == rows
        assert len(rows) == len(tables[name].preference)  # type: ignore[index]


def test_systems_are_recorded_only_where_they_are_controlled_for() -> None:
    assert annotated_systems([measured()]) == {}
