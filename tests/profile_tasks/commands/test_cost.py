"""What a run asks of its models, as people and programs read it before the run."""

import csv
import io
import json
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from profile_tasks.commands.cost import cost
from profile_tasks.data.preferences import load_preferences
from profile_tasks.data.task_definition import packaged_tasks
from profile_tasks.scorers.factors.selection import measured_factors
from profile_tasks.settings import ProfileSettings, choices_of
from profile_tasks.tasks.request_cost import PURPOSES, request_cost

TASKS = packaged_tasks()

Run = Callable[..., Result]

DEMO = ("cost", "demo", "--task", "summarization")


def requests(result: Result) -> dict[tuple[str, str], int]:
    rows = json.loads(result.stdout)["requests"]
    return {(row["role"], row["purpose"]): row["requests"] for row in rows}


@pytest.fixture
def asked(run: Run) -> Callable[..., dict[tuple[str, str], int]]:
    """Requests by role and purpose, for the demo with these options."""
    return lambda *options: requests(run(*DEMO, *options, "--format", "json"))


Asked = Callable[..., Mapping[tuple[str, str], int]]


def test_the_numbers_are_those_of_the_library(run: Run) -> None:
    options = (
        *("--factors", "all", "--setting", "both", "--scores", "5,1,3", "--pairing", "adjacent"),
        *("--orders", 1, "--judge-orders", 1, "--judge-batch", "one", "--fluency", "unieval"),
        *("--limit", 5, "--max-pairs-per-source", 2, "--seed", 3, "--epochs", 2),
    )
    record = json.loads(run(*DEMO, *options, "--format", "json").stdout)
    task = "summarization"
    factors = measured_factors("all", task, grader=True, learned_by={"fluency": "unieval"})
    found = request_cost(
        load_preferences("demo", task=task, limit=5, max_pairs_per_source=2, seed=3),
        factors,
        ProfileSettings(
            scores=(1, 3, 5), pairing="adjacent", orders=1, judge_orders=1, judge_batch="one"
        ),
        epochs=2,
    )
    assert (record["data"], record["task"]) == ("demo", task)
    assert (record["n_sources"], record["n_pairs"]) == (5, 10)
    assert record["factors"] == [factor.id for factor in factors]
    assert record["notes"] == list(found.notes)
    rows = {row.pop("purpose"): row for row in record["requests"] if row["purpose"] != "total"}
    assert rows == {
        purpose: {
            "role": next(role for role, purposes in PURPOSES.items() if purpose in purposes),
            "requests": count.requests,
            "requests_per_source": count.requests / 5,
            "input_tokens": count.input_tokens,
            "output_tokens": count.output_tokens,
        }
        for purpose, count in found.by_purpose.items()
    }
    assert rows["judged"]["requests"] > 0


def test_each_option_changes_what_it_names(asked: Asked) -> None:
    plain = asked()
    assert plain["evaluated model", "generation"] == 120
    assert plain["evaluated model", "discrimination"] == 288
    assert plain["grader", "facts"] == 216
    assert plain["grader", "judged"] == 768
    assert asked("--setting", "generation")["evaluated model", "discrimination"] == 0
    assert asked("--setting", "discrimination")["evaluated model", "generation"] == 0
    assert asked("--scores", "1,5")["evaluated model", "generation"] == 48
    assert asked("--orders", 1)["evaluated model", "discrimination"] == 144
    assert plain["evaluated model", "own pairs"] == 24 * 2 * 10
    assert asked("--orders", 1)["evaluated model", "own pairs"] == 24 * 10
    assert asked("--pairing", "half")["evaluated model", "own pairs"] == 24 * 2 * 5
    for option in (("--no-own-pairs",), ("--setting", "generation")):
        assert asked(*option)["evaluated model", "own pairs"] == 0
    assert asked("--pairing", "adjacent")["grader", "judged"] == 24 * 2 * (4 + 6)
    assert asked("--judge-orders", 1)["grader", "judged"] == 384
    assert asked("--judge-batch", "one")["grader", "judged"] == 768 * 4
    assert asked("--factors", "source_coverage,coherence", "--coherence", "unieval") == {
        **plain,
        ("grader", "judged"): 0,
        ("grader", "total"): 240,
    }
    assert asked("--epochs", 2) == {name: 2 * count for name, count in plain.items()}
    assert asked("--graders", 3) == {
        (role, purpose): count * (3 if role == "grader" else 1)
        for (role, purpose), count in plain.items()
    }
    assert asked("--limit", 1)["evaluated model", "total"] == 17 + 20
    assert asked("--max-pairs-per-source", 1)["evaluated model", "discrimination"] == 48


def test_without_a_grader_auto_asks_it_nothing(asked: Asked) -> None:
    found = asked("--no-grader")
    assert found["grader", "total"] == 0
    assert found["evaluated model", "total"] == 408 + 480
    assert found == asked("--factors", "surface")


def test_the_table_has_totals_marks_estimates_and_ends_with_the_notes(run: Run) -> None:
    lines = run(*DEMO).stdout.splitlines()
    assert lines[0] == "demo, summarization: 24 sources with 144 annotated pairs, 10 factors"
    assert re.split(r"  +", lines[1]) == [
        "role", "purpose", "requests", "a source", "~ input tokens", "~ output tokens"
    ]  # fmt: skip
    rows = [re.split(r"  +", line) for line in lines[2:10]]
    assert [row[:2] for row in rows] == [
        [role, purpose] for role, purposes in PURPOSES.items() for purpose in (*purposes, "total")
    ]
    assert rows[-1][2:4] == ["1,008", "42.0"]
    for column in (2, 4, 5):
        numbers = [int(row[column].replace(",", "")) for row in rows]
        assert numbers[3] == sum(numbers[:3])
        assert numbers[7] == sum(numbers[4:7])
    assert all(line.startswith(("- ", "  ")) for line in lines[10:])
    assert "exact when nothing is cached" in lines[10]


def test_csv_holds_the_same_rows_as_json(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run(*DEMO, "--format", "csv").stdout)))
    record = json.loads(run(*DEMO, "--format", "json").stdout)
    assert rows == [{k: str(value) for k, value in row.items()} for row in record["requests"]]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("demo", "--scores", "3"), "scores is '3'; expected at least two different whole"),
        (("demo", "--orders", "3"), "orders is 3. Must be one of: 1, 2"),
        (("demo", "--limit", "0"), "limit is 0; expected a whole number of at least 1"),
        (("demo", "--seed", "-1"), "seed is -1; expected a whole number of at least 0"),
        (("demo", "--factors", "charm"), "charm"),
        (("demo", "--factors", "fluency", "--no-grader"), "factors fluency need a grader"),
        (("nowhere",), "dataset is 'nowhere'. Must be one of"),
        (("nowhere.jsonl",), "nowhere.jsonl"),
    ],
)
def test_wrong_arguments_are_named_in_one_line(
    run: Run, arguments: tuple[str, ...], complaint: str
) -> None:
    dataset, *options = arguments
    shown = run("cost", dataset, "--task", "summarization", *options, exit_code=2)
    assert complaint in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
    assert not shown.stdout


def test_a_function_that_cannot_be_imported_is_named_in_one_line(run: Run, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "version: 1\nfactors:\n  - {id: charm, kind: surface, tasks: [summarization], "
        "definition: Charm., function: 'no_such_module:charm'}\n"
    )
    shown = run(*DEMO, "--factors", f"{own},charm", exit_code=2)
    (line,) = shown.stderr.splitlines()
    assert "Factor 'charm': cannot import its function 'no_such_module:charm'" in line


ROW = {"prompt": "Summarize.", "response_a": "It left.", "response_b": "Late.", "preference": "a"}


@pytest.fixture
def pairs(tmp_path: Path) -> Callable[..., str]:
    def pairs(*rows: dict[str, Any]) -> str:
        file = tmp_path / "pairs.jsonl"
        lines = [json.dumps({**ROW, "id": str(n), **row}) for n, row in enumerate(rows)]
        file.write_text("\n".join(lines))
        return str(file)

    return pairs


def test_what_a_run_refuses_is_refused(run: Run, pairs: Callable[..., str]) -> None:
    task = ("--task", "summarization")
    without = pairs({})
    shown = run("cost", without, *task, exit_code=2).stderr
    assert "1 of 1 sources have no source" in shown
    assert "use setting=discrimination" in shown
    run("cost", without, *task, "--setting", "discrimination")
    unjoined = pairs({"source_id": "ferry"})
    shown = run("cost", unjoined, *task, "--setting", "discrimination", exit_code=2).stderr
    assert "give the file that holds the sources: sources=FILE" in shown


def test_slices_that_a_run_refuses_are_refused(run: Run) -> None:
    refused = run("cost", "demo", "--task", "summarization", "--slices", "orign", exit_code=2)
    assert "no row has the column 'orign'; did you mean 'origin'?" in refused.stderr


def test_sources_are_joined_and_bad_rows_left_out_on_request(
    run: Run, pairs: Callable[..., str], tmp_path: Path
) -> None:
    stories = tmp_path / "stories.jsonl"
    stories.write_text(json.dumps({"source_id": "ferry", "source": "The ferry left at nine."}))
    file = pairs({"source_id": "ferry"}, {"source_id": "ferry", "preference": "A>B"})
    arguments = ("cost", file, "--task", "summarization", "--sources", stories)
    assert "A>B" in run(*arguments, exit_code=2).stderr
    shown = run(*arguments, "--skip-bad-rows", "--format", "json")
    assert "skipped: " in shown.stderr
    assert json.loads(shown.stdout)["n_pairs"] == 1


def test_the_choices_and_defaults_are_those_of_a_run() -> None:
    options = {option.name: option for option in cost.params}
    audits = [f"{task}_judge_audit" for task in TASKS]
    assert list(options["task"].type.choices) == [*TASKS, *audits]
    plain = ProfileSettings()
    offered = options.keys() & ProfileSettings.model_fields.keys()
    # Where answers come from sets no number of requests.
    assert ProfileSettings.model_fields.keys() - offered == {
        *("unieval_checkpoint", "allow_self_grading", "grader_cache"),
    }
    for name in offered - {"dataset", "scores"}:
        assert options[name].default == getattr(plain, name)
        assert options[name].help == ProfileSettings.model_fields[name].description
    for name in ("setting", "pairing", "judge_batch", "fluency", "coherence"):
        choices = choices_of(ProfileSettings.model_fields[name])
        assert tuple(options[name].type.choices) == choices
    assert options["scores"].default == "1,2,3,4,5"


def test_the_page_shows_what_its_commands_print(
    run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    page = (repository / "docs" / "cost.md").read_text(encoding="utf-8")
    shown = re.findall(
        r"```console\nprofile-tasks (.*?)\n```\n\n```text\n(.*?)^```$", page, re.M | re.S
    )
    assert len(shown) == 4
    for command, printed in shown:
        assert run(*shlex.split(command)).stdout == printed


def test_an_audit_of_a_judge_is_counted_by_probe(run: Run) -> None:
    audit = ("cost", "demo", "--task", "summarization_judge_audit", "--limit", 2)
    found = requests(run(*audit, "--probes", "padding,position", "--format", "json"))
    assert found["evaluated model", "position"] == 2 * 6 * 2
    assert found["evaluated model", "style"] == 0
    assert found["evaluated model", "total"] == sum(
        n for (_, purpose), n in found.items() if purpose != "total"
    )


@pytest.mark.parametrize(
    ("task", "options", "why"),
    [
        ("summarization_judge_audit", ("--scores", "1,5"), "has no argument --scores"),
        ("summarization_judge_audit", ("--no-grader",), "has no argument --no-grader"),
        ("summarization", ("--no-grader", "--graders", "3"), "--no-grader asks no grader"),
        ("summarization", ("--probes", "padding"), "summarization has no argument --probes"),
        ("summarization_judge_audit", ("--factors", "coherence"), "this task asks none: choose"),
        ("summarization_judge_audit", ("--probes", "pading"), "padding"),
    ],
)
def test_an_argument_of_the_other_task_is_refused(
    run: Run, task: str, options: tuple[str, ...], why: str
) -> None:
    assert why in run("cost", "demo", "--task", task, *options, exit_code=2).stderr
