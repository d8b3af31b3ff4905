"""Pairs of two runs: what is matched with what, and what becomes of every sample."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.runs.output_pairs import (
    AMBIGUOUS,
    ONLY_HERE,
    OTHER_EPOCH,
    OTHER_SIDE,
    PairedRuns,
    named_apart,
    paired,
)
from profile_tasks.runs.outputs import CUT_OFF, FAILED, Fields, Output, SystemRun, read_outputs


def output(key: str, id_: str | None = None, epoch: int = 1, **more: Any) -> Output:
    """An answer to the input ``key``; by default it names both, and the id is the input."""
    told = {"text": f"{key} {epoch}", "flaw": None, "prompt": key, "sent": key, "group": key}
    return Output(key=key, id=id_ or key, epoch=epoch, **{**told, **more})


def run(system: str, *outputs: Output, **more: Any) -> SystemRun:
    return SystemRun(f"{system}.eval", system, "inspect", more.pop("status", "success"), outputs)


def pair(first: SystemRun, second: SystemRun, **more: Any) -> PairedRuns:
    """Their pairs, after the one thing that must hold: every sample is accounted for."""
    (made,) = paired((first, second), **more)
    for i, each in enumerate((first, second)):
        left_out = sum(counts[i] for counts in made.left_out.values())
        assert len(made.rows) + left_out == len(each.outputs)
    return made


def test_a_row_is_two_answers_to_one_input() -> None:
    one = run("x/one", output("Say A.", "s", text="A", reference="R", scores={"acc": 1.0}))
    two = run("y/two", output("Say A.", "s", text="B", reference="R", scores={"acc": 0.0}))
    (row,) = pair(one, two, task="summarization").rows
    first, second = ("A", "B") if row["system_a"] == "x/one" else ("B", "A")
    assert row == {
        "id": "s",
        "task": "summarization",
        "group": "Say A.",
        "prompt": "Say A.",
        "source": None,
        "reference": "R",
        "response_a": first,
        "response_b": second,
        "system_a": row["system_a"],
        "system_b": {"x/one": "y/two", "y/two": "x/one"}[row["system_a"]],
        "annotators": [],
        "factors": {"a": {"acc": float(first == "A")}, "b": {"acc": float(second == "A")}},
        "written_by_x/one": "a" if first == "A" else "b",
        "written_by_y/two": "b" if first == "A" else "a",
    }
    assert "preference" not in row


def test_inputs_are_matched_by_themselves_and_not_by_position() -> None:
    one = run("one", output("p"), output("q"), output("r"))
    two = run("two", output("r"), output("p"), output("s"))
    made = pair(one, two)
    assert {row["id"] for row in made.rows} == {"p", "r"}
    assert all(row["response_a"] == row["response_b"] for row in made.rows)
    assert made.left_out == {ONLY_HERE: (1, 1)}


def test_other_ids_are_told_and_other_texts_under_one_id_too() -> None:
    one = run("one", output("p", "1"), output("q", "2"), output("r", "3"))
    two = run("two", output("p", "1"), output("q", "7"), output("r changed", "3"))
    made = pair(one, two)
    assert [row["id"] for row in made.rows] == ["1", "q"]
    told = " ".join(made.notes)
    assert "1 inputs have another id in the other run" in told
    assert "1 samples have an id that the other run has too, but with another text" in told


def test_of_an_input_that_stands_several_times_the_ids_tell_which() -> None:
    one = run("one", output("p", "1", text="A1"), output("p", "2", text="A2"), output("p", "3"))
    two = run("two", output("p", "2", text="B2"), output("p", "1", text="B1"), output("p", "9"))
    made = pair(one, two)
    texts = {row["id"]: {row["response_a"], row["response_b"]} for row in made.rows}
    assert texts == {"1": {"A1", "B1"}, "2": {"A2", "B2"}}
    assert made.left_out == {AMBIGUOUS: (1, 1)}


def test_answers_of_the_same_epoch_are_paired_and_the_ids_say_which() -> None:
    one = run("one", *(output("p", "s", epoch, text=f"A{epoch}") for epoch in (1, 2, 3)))
    two = run("two", *(output("p", "s", epoch, text=f"B{epoch}") for epoch in (2, 1)))
    made = pair(one, two)
    texts = {row["id"]: {row["response_a"], row["response_b"]} for row in made.rows}
    assert texts == {"s:epoch-1": {"A1", "B1"}, "s:epoch-2": {"A2", "B2"}}
    assert {row["group"] for row in made.rows} == {"p"}
    assert made.left_out == {OTHER_EPOCH: (1, 0)}


def test_what_cannot_stand_in_a_pair_is_counted_where_it_happened() -> None:
    flaws = [None, "empty answer", CUT_OFF, FAILED, None, None]
    one = run("one", *(output(str(i), flaw=flaw) for i, flaw in enumerate(flaws)))
    two = run("two", *(output(str(i), flaw="empty answer" if i == 1 else None) for i in range(5)))
    made = pair(one, two)
    assert [row["id"] for row in made.rows] == ["0", "4"]
    assert made.left_out == {
        "empty answer": (1, 1),
        CUT_OFF: (1, 0),
        FAILED: (1, 0),
        OTHER_SIDE: (0, 2),
        ONLY_HERE: (1, 0),
    }


def test_answers_that_were_cut_off_are_kept_on_demand_but_empty_ones_are_not() -> None:
    one = run("one", output("p", flaw=CUT_OFF), output("q", flaw=CUT_OFF, text=""))
    two = run("two", output("p"), output("q"))
    made = pair(one, two, keep_cut_off=True)
    assert [row["id"] for row in made.rows] == ["p"]
    assert "1 answers are kept though a limit cut them off" in made.notes


def test_sides_do_not_depend_on_the_order_of_the_runs_and_neither_system_has_one() -> None:
    inputs = [f"input {i}" for i in range(200)]
    one, two = (run(name, *(output(i, text=name) for i in inputs)) for name in ("one", "two"))
    there, back = (pair(*runs).rows for runs in ((one, two), (two, one)))
    assert [{**row} for row in there] == [{**row} for row in back]
    assert 80 <= sum(row["system_a"] == "one" for row in there) <= 120


def test_the_request_is_what_both_were_sent_or_else_what_the_data_hold() -> None:
    one = run("one", output("p", sent="Sum up: p"), output("q", sent="Sum up: q"), output("r"))
    two = run("two", output("p", sent="Sum up: p"), output("q", sent="Be brief: q"), output("r"))
    made = pair(one, two)
    assert [row["prompt"] for row in made.rows] == ["Sum up: p", "q", "r"]
    (note,) = [note for note in made.notes if "request" in note]
    assert note.startswith("1 pairs have the request as the data set holds it")


def test_requests_that_differ_where_the_data_hold_none_are_refused() -> None:
    one, two = (run(n, output("p", sent=f"<{n}>p", prompt=None)) for n in ("one", "two"))
    with pytest.raises(ValueError, match=r"one.eval and two.eval: .*sample 'p' .*--prompt-field"):
        paired((one, two))


def test_one_request_has_one_reference_or_none() -> None:
    one = run("one", output("p", "1", reference="A"), output("p", "2", reference="B"))
    one = run("one", *one.outputs, output("q", reference="A"), output("r", reference="A"))
    two = run("two", *one.outputs[:3], output("r", reference="other"))
    made = pair(one, two)
    assert [row.get("reference") for row in made.rows] == [None, None, "A", None]
    assert "2 pairs have no reference: their input has several" in made.notes
    assert "1 pairs have no reference: the runs have different targets" in made.notes


def test_equal_answers_and_unfinished_runs_are_told() -> None:
    made = pair(run("one", output("p", ended=False), status="error"), run("two", output("p")))
    assert made.notes == (
        "1 pairs are of equal answers",
        "1 answers may be cut off: nothing says why they ended",
        "one.eval did not finish (status: error)",
    )


def test_of_three_runs_every_two_make_pairs() -> None:
    runs = [run(name, output("p", "s"), output("q", "t")) for name in ("one", "two", "three")]
    made = paired(runs)
    rows = [row for each in made for row in each.rows]
    assert len({row["id"] for row in rows}) == len(rows) == 6
    assert {frozenset((row["system_a"], row["system_b"])) for row in rows} == {
        frozenset(("one", "two")), frozenset(("one", "three")), frozenset(("two", "three")),
    }  # fmt: skip
    # Who wrote what, and null where a system did not take part.
    for row in rows:
        wrote = {"one": None, "two": None, "three": None}
        wrote |= {row["system_a"]: "a", row["system_b"]: "b"}
        assert {name: row[f"written_by_{name}"] for name in wrote} == wrote


def test_runs_without_an_input_in_common_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^one.eval and two.eval: no input is in both; give two"):
        paired((run("one", output("p")), run("two", output("q"))))


def test_runs_of_both_harnesses_meet_by_a_named_field() -> None:
    samples = SystemRun("two.jsonl", "two", "lm-eval", "success", (output("q"),))
    with pytest.raises(ValueError, match=r"--prompt-field"):
        paired((run("one", output("p")), samples))


def test_runs_of_which_no_pair_is_left_are_refused_with_the_counts() -> None:
    one, two = run("one", output("p", flaw="empty answer")), run("two", output("p"))
    with pytest.raises(
        ValueError, match=r"no pair .*one.eval: empty answer 1; two.eval: the other"
    ):
        paired((one, two))


def test_systems_of_one_model_are_told_apart_by_the_run() -> None:
    hot = SystemRun("logs/hot.eval", "x/one", "inspect", "success", ())
    cold = SystemRun("logs/cold.eval", "x/one", "inspect", "success", ())
    other = SystemRun("logs/other.eval", "x/two", "inspect", "success", ())
    named = [each.system for each in named_apart((hot, cold, other))]
    assert named == ["x/one (hot)", "x/one (cold)", "x/two"]
    assert [each.system for each in named_apart((hot, cold), ("H", "C"))] == ["H", "C"]
    again = SystemRun("more/hot.eval", "x/one", "inspect", "success", ())
    with pytest.raises(ValueError, match=r"'x/one \(hot\)', 'x/one \(hot\)'; give each a name"):
        named_apart((hot, again))
    with pytest.raises(ValueError, match="1 names for 2 runs"):
        named_apart((hot, cold), ("H",))


@pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn
def test_a_failed_sample_of_this_project_is_the_same_input_still(
    read_inspect_log: Any, inspect_log: Callable[..., Path], tmp_path: Path
) -> None:
    from inspect_ai.log import EvalError, write_eval_log

    log = read_inspect_log("verbose", setting="generation")
    log.samples[0].store = {}
    log.samples[0].error = EvalError(message="down", traceback="", traceback_ansi="")
    log.samples[1].error = log.samples[0].error
    write_eval_log(log, str(tmp_path / "failed.eval"))
    files = (str(tmp_path / "failed.eval"), str(inspect_log("concise", setting="generation")))
    made = pair(*named_apart([read_outputs(file, Fields()) for file in files]))
    assert made.left_out == {FAILED: (2, 0), OTHER_SIDE: (0, 2)}
    assert not [note for note in made.notes if "another text" in note]
