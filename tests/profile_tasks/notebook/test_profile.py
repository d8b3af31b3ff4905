"""Profiles of recorded preferences in Python: the numbers of the command line, as tidy rows."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from click.testing import CliRunner

import profile_tasks as pt
from profile_tasks.cli import main
from profile_tasks.notebook.result import COLUMNS


def printed(*arguments: object) -> dict[str, Any]:
    """The JSON that a command prints."""
    done = CliRunner().invoke(main, [*map(str, arguments), "--format", "json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def number(frame: pd.DataFrame, **where: str) -> list[float]:
    """Estimate and ends of the one row where the columns are so; NaN is None."""
    for column, value in where.items():
        frame = frame[frame[column] == value]
    (row,) = frame[["estimate", "low", "high"]].to_numpy().tolist()
    return [None if math.isnan(each) else each for each in row]


def exclamations(response: str) -> int:
    return response.count("!")


def rows(n: int = 20) -> list[dict[str, Any]]:
    return [
        {
            "id": f"pair-{i}",
            "prompt": f"Question {i // 2}?",
            "response_a": "word " * (6 + i % 5) + "!" * (i % 3),
            "response_b": "word " * (3 + i % 2),
            "preference": "b" if i % 4 == 0 else "a",
        }
        for i in range(n)
    ]


def test_a_profile_is_what_the_command_gives() -> None:
    of = {"task": "summarization", "factors": "length,readability", "replicates": 200, "seed": 3}
    found = pt.profile("demo", **of)
    options = (option for name, value in of.items() for option in (f"--{name}", value))
    record = printed("influence", "demo", *options)
    assert found.record == record
    for factor, values in record["factors"].items():
        for quantity, value, ends in (
            ("influence", "tau", ""),
            ("adjusted_influence", "adjusted", "adjusted_"),
        ):
            expected = [values[value], values[f"{ends}ci_low"], values[f"{ends}ci_high"]]
            assert number(found.frame(), quantity=quantity, factor=factor) == expected


def test_the_package_is_light_until_a_function_is_asked_for() -> None:
    code = (
        "import sys, profile_tasks\n"
        "heavy = {'pandas', 'numpy', 'matplotlib', 'inspect_ai', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)), sorted(set(profile_tasks.__all__)))\n"
        "print(profile_tasks.profile.__module__, profile_tasks.Result.__module__)\n"
        "assert not hasattr(profile_tasks, 'prfile') and 'judges' in dir(profile_tasks)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(pt.__file__).parent.parent,
    )
    assert done.stdout.splitlines() == [
        "[] ['Result', 'compare', 'contributions', 'judges', 'profile', 'read_run']",
        "profile_tasks.notebook.functions profile_tasks.notebook.result",
    ]


def test_every_frame_has_the_same_columns_and_types() -> None:
    frame = pt.profile(pd.DataFrame(rows()), "length", task="document_qa").frame()
    assert tuple(frame.columns) == COLUMNS
    first = frame.iloc[0]
    assert (first.quantity, first.task, first.model) == ("influence", "document_qa", "people")
    assert (first.perspective, first.factor, first.n) == ("human", "length", 20)
    assert str(frame.n.dtype) == "Int64"
    assert {str(frame[name].dtype) for name in ("estimate", "low", "high")} == {"float64"}


def test_a_function_is_measured_beside_a_named_factor() -> None:
    found = pt.profile(pd.DataFrame(rows()), ["length", exclamations])
    influence = found.record["factors"]["exclamations"]
    # Of 20 pairs a has marks in 13 (i % 3 > 0), and of these is preferred unless i % 4 == 0.
    lost = sum(i % 4 == 0 for i in range(20) if i % 3)
    marked = sum(i % 3 > 0 for i in range(20))
    counts = [influence[name] for name in ("concordant", "discordant", "tied")]
    assert counts == [marked - lost, lost, 20 - marked]
    assert number(found.frame(), quantity="influence", factor="exclamations")[0] == pytest.approx(
        (marked - 2 * lost) / 20
    )


def test_a_pandas_frame_a_polars_frame_and_a_file_are_the_same_data(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows())), encoding="utf-8")
    found = [
        pt.profile(data, ["length", exclamations], replicates=100).frame()
        for data in (file, str(file), pd.DataFrame(rows()), pl.DataFrame(rows()))
    ]
    for other in found[1:]:
        pd.testing.assert_frame_equal(found[0], other)


def test_columns_of_other_people_are_named() -> None:
    theirs = pd.DataFrame(rows()).rename(columns={"preference": "won", "response_b": "other"})
    theirs["won"] = theirs.won.map({"a": "left", "b": "right"})
    found = pt.profile(
        theirs,
        "length",
        map={"won": "preference", "other": "response_b"},
        labels={"left": "a", "right": "b"},
    )
    ours = pt.profile(pd.DataFrame(rows()), "length")
    pd.testing.assert_frame_equal(found.frame(), ours.frame())
    assert "won as preference" in found.notes[0]


def test_what_is_not_defined_has_its_reason() -> None:
    frame = pt.profile(pd.DataFrame(rows(4)), {"never": lambda response: math.nan}).frame()
    first = frame.iloc[0]
    assert math.isnan(first.estimate)
    assert first.n == 0
    assert "missing" in first.reason


def test_the_only_judge_of_a_file_is_called_by_its_name() -> None:
    judged = [{k: v for k, v in row.items() if k != "preference"} for row in rows()]
    judged = [{**row, "judge_robot": "a"} for row in judged]
    frame = pt.profile(pd.DataFrame(judged), "length").frame()
    assert set(frame.model) == {"judge_robot"}
    assert set(frame.perspective) == {"recorded"}


def test_bad_rows_stop_or_are_told() -> None:
    bad = pd.DataFrame([*rows(), {**rows()[0], "id": "bad", "preference": "neither"}])
    with pytest.raises(ValueError, match="row 21"):
        pt.profile(bad, "length")
    found = pt.profile(bad, "length", skip_bad_rows=True)
    assert "1 bad rows left out; the first: " in "".join(found.notes)


@pytest.mark.parametrize(
    ("arguments", "error", "problem"),
    [
        ({"tsk": "x"}, TypeError, r"profile\(\) has no argument 'tsk'; did you mean 'task'"),
        ({"factors": "lenght"}, ValueError, "did you mean 'length'"),
        ({"factors": lambda response, text: 1}, TypeError, "'<lambda>'.*needs text too"),
        ({"factors": {"own": lambda response: "3"}}, TypeError, "'own' returned '3'"),
        ({"replicates": 10}, ValueError, "at least 100"),
        ({"seed": -1}, ValueError, "at least 0"),
        ({"labels": {"x": "c"}}, ValueError, "expected a, b, tie or none"),
    ],
)
def test_misuse_is_told_by_name(arguments: Any, error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        pt.profile(pd.DataFrame(rows()), **{"factors": "length", **arguments})


def test_slices_stand_in_text_page_and_frame() -> None:
    labelled = [
        row | {"preference": "ab"[i % 2 == 0], "language": "<b>de</b>" if i % 4 < 2 else "en"}
        for i, row in enumerate(rows(48))
    ]
    found = pt.profile(
        pd.DataFrame(labelled), ["length"], slices=["language"], replicates=200
    )  # fmt: skip
    frame = found.frame()
    sliced = frame[frame["slice"].notna()]
    assert set(sliced["quantity"]) == {"influence_in_slice", "difference_in_slice"}
    assert set(sliced["slice"]) == {"language: <b>de</b>", "language: en"}
    entry = found.record["slices"]["language"]["slices"]["en"]["factors"]["length"]
    ends = [entry["tau"], entry["tau_ci_low"], entry["tau_ci_high"]]
    assert number(sliced, quantity="influence_in_slice", slice="language: en") == ends
    assert "people by language: of no factor is it clear" in repr(found)
    assert "influence in slice by factor [95 %]" in repr(found)
    page = found._repr_html_()
    assert page.count("<table>") == 2
    assert "language: &lt;b&gt;de&lt;/b&gt;" in page
    assert "<b>" not in page
    found.plot(quantity="influence_in_slice")


def test_without_slices_there_is_one_table() -> None:
    found = pt.profile(pd.DataFrame(rows()), ["length"], replicates=200)
    assert found._repr_html_().count("<table>") == 1
    assert found.frame()["slice"].isna().all()


def test_an_unknown_slice_is_named_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="no row has the column 'langage'; did you mean 'lang"):
        pt.profile(
            pd.DataFrame([row | {"language": "en"} for row in rows()]),
            ["length"],
            slices=["langage"],
        )
