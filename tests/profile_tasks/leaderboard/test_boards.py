"""Ranks as ranges of places, and what may be ranked together."""

import numpy as np
import pytest

from profile_tasks.leaderboard.boards import SORT, Board, boards, newest, places
from profile_tasks.runs.run import Run


def run(model: str, value: float | None = 0.5, half: float | None = 0.1, **how: object) -> Run:
    metric = str(how.pop("metric", SORT))
    metrics = {metric: value, "tau_human_length": how.pop("human", 0.2)}
    if value is not None and half is not None:
        metrics |= {f"{metric}_ci_low": value - half, f"{metric}_ci_high": value + half}
    known = {
        "task": "summarization", "name": "summarization", "setting": "both", "harness": "inspect",
        "date": "2026-01-01", "file": f"{model}.eval", "sources": 50, "data": "demo",
        "factors": ("length", "fluency"),
    }  # fmt: skip
    return Run(model=model, metrics=metrics, **known | how)


def ranks(board: Board) -> dict[str, tuple[int, int] | None]:
    return {row.run.model: row.places for row in board.rows}


def test_overlapping_intervals_share_places() -> None:
    # a 0.8-1.0; b 0.5-0.7 and c 0.4-0.6 overlap; d 0.0-0.2.
    (board,) = boards([run("c", 0.5), run("a", 0.9), run("d", 0.1), run("b", 0.6)])
    assert ranks(board) == {"a": (1, 1), "b": (2, 3), "c": (2, 3), "d": (4, 4)}


def test_a_wide_interval_may_have_any_place_and_costs_the_others_none() -> None:
    (board,) = boards([run("a", 0.9, 0.05), run("wide", 0.5, 0.6), run("b", 0.2, 0.05)])
    assert ranks(board) == {"a": (1, 2), "wide": (1, 3), "b": (2, 3)}


def test_touching_intervals_overlap() -> None:
    assert places([(0.5, 0.7), (0.3, 0.5)]) == [(1, 2), (1, 2)]


@pytest.mark.parametrize("more", [True, False])
def test_places_are_those_of_every_order_that_the_intervals_allow(more: bool) -> None:
    # The definition: draw values within the intervals many times, and see which places occur.
    rng = np.random.default_rng(0)
    intervals = [(0.0, 0.4), (0.3, 0.5), (0.45, 0.9), (0.95, 1.0), (0.1, 0.97)]
    low, high = np.array(intervals).T
    drawn = rng.uniform(low, high, (20_000, 5)) * (-1 if more else 1)
    seen = drawn.argsort(axis=1).argsort(axis=1) + 1
    expected = list(zip(seen.min(axis=0).tolist(), seen.max(axis=0).tolist(), strict=True))
    assert places(intervals, more_is_better=more) == expected


def test_of_errors_the_least_is_first() -> None:
    runs = [run("a", 0.5, metric="flip_rate"), run("b", 0.1, metric="flip_rate")]
    for ascending in (False, True):
        (board,) = boards(runs, "flip_rate", ascending=ascending)
        assert list(ranks(board).items()) == [("b", (1, 1)), ("a", (2, 2))]


def test_ascending_turns_the_list_and_not_what_is_better() -> None:
    (board,) = boards([run("a", 0.9), run("b", 0.1)], ascending=True)
    assert list(ranks(board).items()) == [("b", (2, 2)), ("a", (1, 1))]


def test_without_a_better_side_places_follow_the_list() -> None:
    gap = "alignment_gap_tau_b"
    runs = [run("a", 0.9, metric=gap), run("b", 0.1, metric=gap)]
    for ascending, first in ((False, "a"), (True, "b")):
        (board,) = boards(runs, gap, ascending=ascending)
        assert ranks(board)[first] == (1, 1)
        assert any("has no better side" in note for note in board.notes)


def test_a_value_without_an_interval_could_have_any_place() -> None:
    (board,) = boards([run("a", 0.9), run("bare", 0.8, None), run("b", 0.1)])
    assert ranks(board)["bare"] == (1, 3)
    assert f"no interval of {SORT}, so any place: bare" in board.notes


def test_without_a_value_there_is_no_place() -> None:
    (board,) = boards([run("none", None), run("a", 0.9), run("b", 0.1)])
    assert list(ranks(board).items()) == [("a", (1, 1)), ("b", (2, 2)), ("none", None)]
    assert f"no value of {SORT}, so no place: none" in board.notes


@pytest.mark.parametrize(
    "other", [{"task": "document_qa"}, {"data": "tldr"}, {"factors": ("length",)}]
)
def test_other_tasks_data_and_factors_are_ranked_apart(other: dict[str, object]) -> None:
    found = boards([run("a", 0.9), run("b", 0.1, **other)])
    assert len(found) == 2
    assert all(row.places == (1, 1) for board in found for row in board.rows)


def test_the_order_of_factors_is_no_difference() -> None:
    assert len(boards([run("a"), run("b", factors=("fluency", "length"))])) == 1


def test_what_else_differs_is_said() -> None:
    runs = [
        run("a", conditions={"seed": 0, "prompt_version": 1}),
        run("b", conditions={"seed": 1}, sources=49),
        run("c", conditions={"seed": 0}, human=0.25),
    ]
    (board,) = boards(runs)
    assert "the rows differ in seed: 0 (2 rows), 1 (1 row)" in board.notes
    assert "the rows differ in sources: 50 (2 rows), 49 (1 row)" in board.notes
    # What only one file states tells nothing apart.
    assert not [note for note in board.notes if "prompt" in note]
    assert any("not measured on the same annotated pairs" in note for note in board.notes)


def test_equal_runs_have_nothing_to_say() -> None:
    (board,) = boards([run("a"), run("b", 0.1)])
    assert board.notes == ()


def test_the_newest_run_of_a_model_stands() -> None:
    old, new = run("a", date="2026-01-01"), run("a", date="2026-02-01")
    kept, superseded = newest([old, run("b"), new])
    assert {(r.model, r.date) for r in kept} == {("a", "2026-02-01"), ("b", "2026-01-01")}
    assert superseded == [(old, new)]


def test_a_setting_that_the_newer_run_lacks_is_kept() -> None:
    both = run("a", date="2026-01-01")
    wrote = run("a", date="2026-02-01", setting="generation")
    assert newest([both, wrote]) == ([wrote, both], [])
    # The other way round, the newer run measured everything that the older one did.
    again = run("a", date="2026-03-01")
    assert newest([both, wrote, again]) == ([again], [(wrote, again), (both, again)])
