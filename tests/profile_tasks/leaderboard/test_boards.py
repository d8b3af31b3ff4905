"""Ranks as ranges of places, and what may be ranked together."""

from collections.abc import Sequence

import numpy as np
import pytest

from profile_tasks.leaderboard.boards import (
    SORT,
    Board,
    Resample,
    beside_their_runs,
    boards,
    newest,
)
from profile_tasks.runs.run import Run
from profile_tasks.scorers.statistics.estimate import Estimate


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


def drawn_together(own: float = 0.02, **values: float) -> Resample:
    """Samples that give these values, and replicates in which all move together."""
    rng = np.random.default_rng(0)
    shared = 0.1 * rng.normal(size=2000)

    def resample(runs: Sequence[Run], metric: str) -> list[Estimate]:
        return [
            Estimate.percentile(
                value, value + shared + own * np.random.default_rng(i).normal(size=2000), 50
            )
            if (value := values.get(run.model)) is not None
            else Estimate.undefined("a results file holds no samples")
            for i, run in enumerate(runs)
        ]

    return resample


def test_runs_with_samples_are_placed_by_their_paired_differences() -> None:
    runs = [run("c", 0.5), run("a", 0.9), run("d", 0.1), run("b", 0.62)]
    (board,) = boards(runs, resample=drawn_together(a=0.9, b=0.62, c=0.5, d=0.1))
    assert ranks(board) == {"a": (1, 1), "b": (2, 2), "c": (3, 3), "d": (4, 4)}
    assert board.notes == ()
    # The intervals of b and c overlap: by these alone nobody could tell.
    (apart,) = boards(runs)
    assert ranks(apart) == {"a": (1, 1), "b": (2, 3), "c": (2, 3), "d": (4, 4)}


def test_what_overlaps_without_samples_nobody_can_tell_apart() -> None:
    (board,) = boards([run("a", 0.9), run("b", 0.6), run("c", 0.5)])
    assert [(row.run.model, row.tied, row.undecided) for row in board.rows] == [
        ("a", (), 0), ("b", (), 1), ("c", (), 1),
    ]  # fmt: skip


def test_single_intervals_that_part_do_not_part_many_models() -> None:
    # Of two they would: their difference is 0.21 +- 0.14. Of twenty 190 pairs are looked at.
    two = [run("a", 0.71), run("b", 0.5)]
    others = [run(f"o{i}", 0.6) for i in range(18)]
    assert ranks(boards(two)[0])["a"] == (1, 1)
    assert ranks(boards(two + others)[0])["a"] == (1, 20)


def test_tied_are_the_same_value_and_what_is_shown_to_be_near() -> None:
    runs = [run("a", 0.52), run("b", 0.51), run("c", 0.51), run("d", 0.3)]
    near = drawn_together(0.004, a=0.52, b=0.51, c=0.51, d=0.3)
    (board,) = boards(runs, resample=near)
    assert {row.run.model: set(row.tied) for row in board.rows} == {
        "a": {"b", "c"}, "b": {"a", "c"}, "c": {"a", "b"}, "d": set(),
    }  # fmt: skip
    assert not any(row.undecided for row in board.rows)
    (narrower,) = boards(runs, margin=0.005, resample=near)
    assert {row.run.model: (row.tied, row.undecided) for row in narrower.rows} == {
        "a": ((), 2), "b": (("c",), 1), "c": (("b",), 1), "d": ((), 0),
    }  # fmt: skip


def test_runs_without_samples_stand_beside_those_with_and_it_is_said() -> None:
    runs = [run("a", 0.62), run("b", 0.5), run("flat", 0.55)]
    (board,) = boards(runs, resample=drawn_together(a=0.62, b=0.5))
    assert ranks(board) == {"a": (1, 2), "flat": (1, 3), "b": (2, 3)}
    assert board.notes == (
        "not paired by source, but taken as if no two shared any: flat (a results file holds no "
        "samples)",
    )


def test_a_wide_interval_may_have_any_place_and_costs_the_others_none() -> None:
    (board,) = boards([run("a", 0.9, 0.05), run("wide", 0.5, 0.6), run("b", 0.2, 0.05)])
    assert ranks(board) == {"a": (1, 2), "wide": (1, 3), "b": (2, 3)}


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
    (board,) = boards([run("a"), run("b", 0.1)], resample=drawn_together(a=0.5, b=0.1))
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


def test_two_newer_halves_do_not_replace_a_run_of_both() -> None:
    both = run("a", date="2026-01-01")
    wrote = run("a", date="2026-02-01", setting="generation")
    judged = run("a", date="2026-03-01", setting="discrimination")
    assert newest([both, wrote, judged]) == ([judged, wrote, both], [])


def test_a_run_that_judged_its_own_pairs_is_replaced_by_another_such_one_alone() -> None:
    own = run("a", date="2026-01-01", metric="tau_own_length")
    without = run("a", date="2026-02-01")
    assert newest([own, without]) == ([without, own], [])
    again = run("a", date="2026-03-01", metric="tau_own_length")
    assert newest([own, without, again]) == ([again], [(without, again), (own, again)])


def test_what_was_computed_anew_is_said_once_for_all_rows() -> None:
    why = "the log is of an older version: all is computed anew from its samples"
    (board,) = boards([run("a", restated=why), run("b", 0.1, restated=why), run("c", 0.3)])
    assert [note for note in board.notes if why in note] == [f"a, b: {why}"]


def audit(model: str, position: float = 0.1, **how: object) -> Run:
    how = {"setting": "judge_audit", "factors": (), "name": "summarization_judge_audit"} | how
    return run(model, position, metric="probe_position", human=None, **how)


def test_an_audit_stands_in_the_row_of_its_model_on_the_same_task_and_data() -> None:
    others = [
        audit("b", task="document_qa"),
        audit("b", data="other"),
        audit("b", conditions={"judged_by": "likelihood"}),
    ]
    joined = beside_their_runs([run("a"), run("b"), audit("a", 0.3), *others])
    by_file = {(each.model, each.setting): each for each in joined[:2]}
    assert by_file["a", "both"].metrics["probe_position"] == 0.3
    assert "probe_position" not in by_file["b", "both"].metrics
    (board, *alone) = boards(sorted(joined, key=lambda each: each.task, reverse=True))
    assert len(joined) == 2 + len(others)
    assert sum(len(each.rows) for each in (board, *alone)) == len(joined)


def test_of_two_audits_the_newest_counts_and_the_other_has_a_row_of_its_own() -> None:
    older = audit("a", 0.3, date="2026-01-01", file="1.eval")
    newer = audit("a", 0.1, date="2026-02-01", file="2.eval")
    first, second = beside_their_runs([run("a"), newer, older])
    assert (first.audit, first.metrics["probe_position"]) == (newer, 0.1)
    assert (second.file, second.factors) == ("1.eval", first.factors)


def test_rows_without_an_audit_say_why_they_have_no_probes() -> None:
    hashes = ({"data_hash": "1a"}, {"data_hash": "2b"})
    audited = [run("a", conditions=hashes[0]), audit("a", conditions=hashes[1], sources=9)]
    (board,) = boards(beside_their_runs([*audited, run("b"), audit("c")]))
    assert [note for note in board.notes if "audit" in note] == [
        "no audit of the judge over this data was given, so no probes: b",
        "an audit alone, so probes and no profile: c",
        "a: its audit is over 9 sources, the rest of its row over 50",
    ]
    (plain,) = boards([run("a"), run("b")])
    assert not any("audit" in note for note in plain.notes)
