"""``influence --control system``: adjusted influence with and without the systems' strengths."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
OPTIONS = ("--factors", "length", "--replicates", 100, "--control", "system")


def write_pairs(path: Path, *, change: Callable[[int, dict[str, Any]], None] | None = None) -> Path:
    """The stronger of two systems writes longer; who prefers it does not look at length.

    Of 20 pairs the better is longer in 16, the other in 4; it wins three of four of both.
    """
    rows = []
    for i in range(240):
        longer = i % 20 < 16
        best, other = "word " * (9 if longer else 4), "word " * (4 if longer else 9)
        row = {
            "id": f"p{i}",
            "task": "summarization",
            "prompt": "Summarize.",
            "source": "The ferry left at nine.",
            "group": f"g{i // 2}",
            "response_a": best,
            "response_b": other,
            "preference": "b" if i % 4 == 0 else "a",
            "system_a": "large",
            "system_b": "small",
        }
        if change:
            change(i, row)
        rows.append(row)
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_both_stand_beside_each_other(run: Run, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    record = json.loads(run("influence", file, *OPTIONS, "--format", "json").stdout)
    length = record["factors"]["length"]
    assert length["adjusted_ci_low"] > 0
    assert length["adjusted_control"] == pytest.approx(0, abs=1e-6)
    assert length["adjusted_control_ci_low"] < 0 < length["adjusted_control_ci_high"]
    assert length["adjusted_control_p_value"] == pytest.approx(1)
    assert length["adjusted_control_reason"] is None
    assert length["system_share"] == pytest.approx(0.36, abs=0.005)  # 80 to 20: a mean of 0.6
    assert length["vif_control"] == pytest.approx(1 / 0.64)
    assert record["control"] | {"method": ""} == {
        "by": "system", "method": "", "n_pairs": 240, "n_groups": 120, "n_systems": 2, "n_sets": 1,
        "n_unnamed_pairs": 0, "n_half_named_pairs": 0, "n_same_system_pairs": 0, "cautions": [],
    }  # fmt: skip
    (row,) = csv.DictReader(io.StringIO(run("influence", file, *OPTIONS, "--format", "csv").stdout))
    assert float(row["adjusted_control_ci_low"]) == length["adjusted_control_ci_low"]


def test_the_table_has_one_more_column_and_says_what_was_held_fixed(
    run: Run, tmp_path: Path
) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    printed = run("influence", file, *OPTIONS).stdout
    assert "with control [95 %]" in printed
    assert (
        "with control: adjusted with the strengths of 2 systems held fixed, over 240 pairs in 120 "
        "groups; systems explain of the variance of length 36%\n" in printed
    )


def test_without_the_option_nothing_is_added(run: Run, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    options = OPTIONS[:4]
    record = json.loads(run("influence", file, *options, "--format", "json").stdout)
    assert "control" not in record
    assert not any("control" in name or "system" in name for name in record["factors"]["length"])
    assert "control" not in run("influence", file, *options).stdout


def test_pairs_without_names_are_counted(run: Run, tmp_path: Path) -> None:
    def change(i: int, row: dict[str, Any]) -> None:
        if i < 20:
            del row["system_a"], row["system_b"]
        elif i < 40:
            row["system_b"] = [None, " "][i % 2]
        elif i < 60:
            row["system_b"] = "large"

    file = write_pairs(tmp_path / "pairs.jsonl", change=change)
    printed = run("influence", file, *OPTIONS).stdout
    assert "over 200 pairs in 100 groups" in printed
    assert "control: left out: 20 pairs that name no system, 20 that name only one\n" in printed
    assert "control: 20 pairs are of one system; strength says nothing in them\n" in printed


def test_a_factor_that_only_tells_systems_apart_has_a_reason(run: Run, tmp_path: Path) -> None:
    def change(i: int, row: dict[str, Any]) -> None:
        row["response_a"], row["response_b"] = "word " * 9, "word " * 4

    printed = run("influence", write_pairs(tmp_path / "p.jsonl", change=change), *OPTIONS).stdout
    assert (
        "length, with control: collinear with the systems: within pairs of the same two systems "
        "the factor does not vary enough to be told from their strength\n" in printed
    )


def test_data_that_name_no_system_are_refused(run: Run, tmp_path: Path) -> None:
    def change(i: int, row: dict[str, Any]) -> None:
        del row["system_b"]

    file = write_pairs(tmp_path / "pairs.jsonl", change=change)
    said = run("influence", file, *OPTIONS, exit_code=2).stderr
    assert (
        "control=system: none of the 240 pairs names who wrote its responses. Give the columns "
        "system_a and system_b, or leave the control out" in said
    )


def test_a_name_that_is_no_text_is_refused_by_its_pair(run: Run, tmp_path: Path) -> None:
    def change(i: int, row: dict[str, Any]) -> None:
        if i == 3:
            row["system_a"] = 7

    file = write_pairs(tmp_path / "pairs.jsonl", change=change)
    said = run("influence", file, *OPTIONS, exit_code=2).stderr
    assert "pair 'p3': field 'system_a' is 7; expected the name of a system, as a text" in said


def test_names_cannot_write_on_the_terminal(run: Run, tmp_path: Path) -> None:
    def change(i: int, row: dict[str, Any]) -> None:
        if i % 3 == 0:
            row |= {"system_a": "\x1b[31mevil", "preference": "a"}

    printed = run("influence", write_pairs(tmp_path / "p.jsonl", change=change), *OPTIONS).stdout
    assert "evil always won" in printed
    assert "\x1b" not in printed


# Real data: figures of docs/adjusted.md -----------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "adjusted", "with_control"),
    [
        ("haluquestqa", (0.49, 0.31, 0.67), (0.12, -0.11, 0.35)),
        ("pandalm", (0.64, 0.36, 0.92), (0.65, 0.35, 0.94)),
        ("summeval", (0.12, -0.09, 0.33), (0.09, -0.18, 0.37)),
        ("qa_feedback", (0.18, -0.07, 0.43), (0.18, -0.07, 0.43)),
    ],
)
def test_real_systems(
    run: Run,
    shared_data: Path,
    file: str,
    adjusted: tuple[float, ...],
    with_control: tuple[float, ...],
) -> None:
    path = shared_data / f"{file}.jsonl"
    record = json.loads(run("influence", path, *OPTIONS, "--format", "json").stdout)
    length = record["factors"]["length"]
    for name, expected in (("adjusted", adjusted), ("adjusted_control", with_control)):
        found = (length[name], length[f"{name}_ci_low"], length[f"{name}_ci_high"])
        assert found == pytest.approx(expected, abs=0.006)


def test_real_people_whose_answers_always_win_are_told(run: Run, shared_data: Path) -> None:
    printed = run("influence", shared_data / "squality_qa.jsonl", *OPTIONS).stdout
    assert (
        "control: separated: human always won, or always lost, against the other systems; that "
        "strength has no end, and 112 decided pairs say nothing of the factors\n" in printed
    )
    assert "over 56 pairs in 14 groups" in printed
