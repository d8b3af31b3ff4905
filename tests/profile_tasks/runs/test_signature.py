"""One line says what a result is of, and in words in what two results differ."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from profile_tasks import __version__
from profile_tasks.cli import main
from profile_tasks.data.preferences import load_preferences
from profile_tasks.runs.inspect_log import inspect_run, open_log
from profile_tasks.runs.reading import read_runs
from profile_tasks.runs.run import Run
from profile_tasks.runs.signature import difference, shared_signature, signature, wrapped

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

RUN = Run(
    file="log.eval",
    harness="inspect",
    model="openai/gpt-4o",
    task="document_qa",
    name="profile_tasks/document_qa",
    setting="both",
    sources=40,
    data="pairs.csv",
    factors=("length", "readability"),
    conditions={
        "task_version": 4,
        "data_hash": "1a2b3c4d",
        "pairs": 80,
        "prompt_version": 2,
        "scores": "1 2 3 4 5",
        "pairing": "all",
        "orders": 2,
        "judged_by": "words",
        "seed": 0,
        "version": "0.1.0",
    },
)


def parts(run: Run) -> dict[str, str]:
    return dict(part.split(":", 1) for part in signature(run).split("|"))  # type: ignore[misc]


def with_condition(**conditions: Any) -> Run:
    return replace(RUN, conditions={**RUN.conditions, **conditions})


def test_a_signature_is_one_line_of_named_parts() -> None:
    assert signature(RUN) == (
        "task:document_qa|task_version:4|data:pairs.csv#1a2b3c4d|sources:40|"
        "factors:length,readability|setting:both|orders:2|judged_by:words|model:openai/gpt-4o|"
        "grader:none|prompt_version:2|seed:0|version:0.1.0"
    )


CHANGED = {
    "task": (replace(RUN, task="summarization"), "task (document_qa / summarization)"),
    "task_version": (with_condition(task_version=5), "task version (4 / 5)"),
    "data": (with_condition(data_hash="4d5e6f70"), "data (hash 1a2b3c4d / 4d5e6f70)"),
    "sources": (replace(RUN, sources=39), "sources (40 / 39)"),
    "factors": (
        replace(RUN, factors=("length", "charm")),
        "factors (only A: readability; only B: charm)",
    ),
    "own_factors": (with_condition(own_factors="0f"), "own factors (not stated / 0f)"),
    "setting": (replace(RUN, setting="generation"), "setting (both / generation)"),
    "orders": (with_condition(orders=1), "orders (2 / 1)"),
    "judged_by": (with_condition(judged_by="likelihood"), "judged by (words / likelihood)"),
    "model": (replace(RUN, model="openai/gpt-5"), "model"),
    "grader": (with_condition(grader="planted/grader"), "grader (none / planted/grader)"),
    "prompt_version": (with_condition(prompt_version=3), "prompt version (2 / 3)"),
    "scores": (with_condition(scores="1 5"), "scores (1 2 3 4 5 / 1 5)"),
    "pairing": (with_condition(pairing="adjacent"), "pairing (all / adjacent)"),
    "own_pairs": (with_condition(own_pairs=False), "own pairs (not stated / false)"),
    "temperature": (with_condition(temperature=0.5), "temperature (not stated / 0.5)"),
    "seed": (with_condition(seed=1), "seed (0 / 1)"),
    "version": (with_condition(version="0.2.0"), "version (0.1.0 / 0.2.0)"),
}


@pytest.mark.parametrize("part", CHANGED)
def test_each_changed_condition_changes_exactly_its_part(part: str) -> None:
    changed, words = CHANGED[part]
    before, after = parts(RUN), parts(changed)
    assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == {part}
    assert difference(RUN, changed) == f"the two differ in: {words}"


def test_what_differs_is_said_part_after_part() -> None:
    other = replace(with_condition(grader="x/g", data_hash=None), model="openai/gpt-5")
    assert difference(RUN, RUN) == "the two signatures are the same"
    assert difference(RUN, other) == (
        "the two differ in: data (hash 1a2b3c4d / not stated); model; grader (none / x/g)"
    )
    renamed = difference(RUN, replace(RUN, data="b.csv"))
    assert renamed == "the two differ in: name of the data (pairs.csv / b.csv, of one hash)"


def test_an_older_log_states_no_hash_and_no_version() -> None:
    older = replace(RUN, conditions={"task_version": 3, "orders": 2}, data="not stated")
    assert parts(older).keys().isdisjoint({"data", "seed", "version", "prompt_version"})
    assert parts(replace(older, data="pairs.csv"))["data"] == "pairs.csv"


def test_numbers_are_listed_and_what_is_as_by_default_is_left_out() -> None:
    assert parts(with_condition(scores="1 5"))["scores"] == "1,5"
    assert "scores" not in parts(RUN)


def test_many_names_are_counted_and_hashed() -> None:
    many = replace(RUN, factors=("length", "readability", "markdown", "charm"))
    count, _, hash_ = parts(many)["factors"].partition("#")
    assert (count, len(hash_)) == ("4", 8)
    assert parts(replace(many, factors=many.factors[::-1])) == parts(many)
    assert parts(replace(many, factors=(*many.factors[:3], "other"))) != parts(many)


def test_whatever_a_name_holds_no_part_ends_in_it() -> None:
    hostile = replace(RUN, model="a|seed:9 `b`\n\x1b[31m%", data="my pairs|x.csv")
    assert parts(hostile).keys() == parts(RUN).keys()
    assert parts(hostile)["model"] == "a%7Cseed:9%20%60b%60%0A%1B[31m%25"
    assert signature(hostile).isprintable()
    assert " " not in signature(hostile)


@pytest.mark.parametrize("width", [20, 80, 400])
def test_a_signature_breaks_behind_bars_and_joins_again(width: int) -> None:
    wide = replace(RUN, model="\N{CJK UNIFIED IDEOGRAPH-6587}" * 90)
    for run in (RUN, wide):
        lines = wrapped(signature(run), width)
        assert "".join(lines) == signature(run)
        assert all(cell_len(line) <= width for line in lines)
    if width == 80:
        assert all(line.endswith("|") for line in wrapped(signature(RUN), width)[:-1])


def test_several_runs_share_a_signature_with_stars() -> None:
    shared = shared_signature([RUN, replace(RUN, model="x"), with_condition(seed=1)])
    assert shared == signature(RUN).replace("openai/gpt-4o", "*").replace("seed:0", "seed:*")


# Of real runs -------------------------------------------------------------------------------------


def told(*arguments: object) -> Any:
    done = CliRunner().invoke(main, [*map(str, arguments), "--format", "json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_same_rows_have_one_hash_in_both_harnesses_and_the_commands(
    inspect_log: Callable[..., Path], lm_eval_results: Callable[..., Path], tmp_path: Path
) -> None:
    (ours,) = read_runs(inspect_log("verbose"))
    (theirs,) = read_runs(lm_eval_results("verbose"))
    influence = told("influence", "demo", "--task", "summarization")
    written = tmp_path / "influence.json"
    written.write_text(json.dumps(influence), encoding="utf-8")
    (people,) = read_runs(written)
    for run in (ours, theirs, people):
        assert run.conditions["version"] == __version__
        for part in ("data", "factors"):
            assert parts(run)[part] == parts(ours)[part]
    assert parts(ours)["data"].startswith("demo#")
    assert signature(people) == influence["signature"]
    aligned = told("align", "demo", "demo", "--task", "summarization")["signature"]
    assert f"|data:{parts(ours)['data']}|" in aligned


def test_every_record_has_its_signature(inspect_log: Callable[..., Path], tmp_path: Path) -> None:
    logs = [inspect_log(name) for name in ("verbose", "concise")]
    signatures = [signature(inspect_run(open_log(str(log)))) for log in logs]
    compared = told("compare", *logs, "--replicates", 100)
    assert [compared[f"signature_{side}"] for side in "ab"] == signatures
    assert compared["differ_in"] == "the two differ in: model"
    (board,) = told("leaderboard", *logs)["boards"]
    assert sorted(row["signature"] for row in board["rows"]) == sorted(signatures)
    bars = tmp_path / "bars.yaml"
    bars.write_text("version: 1\nbars:\n  - flip_rate <= 1\n")
    assert told("gate", logs[0], "--bars", bars)["signature"] == signatures[0]
    junit, page = tmp_path / "gate.xml", tmp_path / "report.html"
    CliRunner().invoke(main, ["gate", str(logs[0]), "--bars", str(bars), "--junit", str(junit)])
    assert f'<property name="signature" value="{signatures[0]}" />' in junit.read_text()
    CliRunner().invoke(main, ["report", *map(str, logs), "-o", str(page)])
    assert all(page.read_text().count(line) == 1 for line in signatures)


def test_people_read_the_signature_last(
    inspect_log: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    of_people = ["influence", "demo", "--task", "summarization", "--replicates", "100"]
    of_runs = ["leaderboard", str(inspect_log("verbose")), str(inspect_log("concise"))]
    for command in (of_people, of_runs):
        shown = CliRunner().invoke(main, command).stdout
        _, begun, line = shown.rpartition("\nsignature: ")
        assert begun
        assert line.replace("\n", "").endswith(f"|version:{__version__}")
        assert all(len(each) <= 80 for each in shown.splitlines())
    assert "|model:*|" in line.replace("\n", "")


def test_fewer_sources_are_other_data_of_one_name() -> None:
    data = load_preferences("demo", task="summarization")
    fewer = load_preferences("demo", task="summarization", limit=5)
    assert data.content_hash != fewer.content_hash
    assert data.identity == {
        "data": "demo",
        "data_hash": data.content_hash,
        "package_version": __version__,
    }
