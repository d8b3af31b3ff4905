"""``profile-tasks validate-grader``, against the planted grader, which is a simulation."""

import csv
import io
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from inspect_ai.log import read_eval_log

from profile_tasks.scorers.statistics.grader_agreement import METRICS

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def validate(run: Run, tmp_path: Path) -> Run:
    """Run the command with the planted grader and a log folder of its own."""

    def validate(file: Path | str, *arguments: object, exit_code: int = 0) -> Result:
        return run(
            *("validate-grader", file, "--grader", "planted/grader"),
            *("--log-dir", tmp_path / "logs", *arguments),
            exit_code=exit_code,
        )

    return validate


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Twelve sources with one pair each, labelled by which response is in order."""
    rows = [
        {
            "id": f"p{i}",
            "group": f"g{i}",
            "prompt": f"Describe the harbour, part {i}.",
            "response_a": "The harbour is old. The harbour has cranes. Then the cranes stop.",
            "response_b": f"My uncle sings. Tickets cost {i} crowns. Green paint dries.",
            "preference": "ab"[i % 4 == 0],
            "factors": {"pairwise": {"order": ["a", "b", "tie"][i % 3]}},
        }
        for i in range(12)
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "labels.yaml"
    path.write_text(
        "version: 1\ndata_sets:\n  mine:\n"
        "    - {label: order, factor: coherence, direction: same, kind: pairwise}\n"
    )
    return path


def test_the_table_has_a_line_a_label_and_says_where_the_log_is(
    validate: Run, pairs: Path, mapping: Path
) -> None:
    shown = validate(pairs, "--labels", mapping, "--retest").stdout
    assert "planted/grader against people on mine.jsonl" in shown
    (line,) = [" ".join(row.split()) for row in shown.splitlines() if row.startswith("order")]
    # The planted grader says "a" of all twelve pairs; people say so of four.
    assert re.match(r"order coherence 12 0\.33 \[0\.\d\d, 0\.\d\d\] 0\.00 \[", line)
    assert "] 0.00 0.00 1.00 " in line  # flip, missing, retest
    assert "note: a simulated grader" in shown
    log, signature = shown.rsplit("log: ", 1)[1].splitlines()
    assert signature.startswith("signature: task:grader_validation|task_version:2|data:mine.jsonl#")
    assert "|grader:planted/grader|" in signature
    assert "|retest:true|" in signature
    assert read_eval_log(log, header_only=True).eval.task.endswith("grader_validation")


def test_json_holds_the_numbers_of_the_log(validate: Run, pairs: Path, mapping: Path) -> None:
    result = validate(pairs, "--labels", mapping, "--seed", 7, "--format", "json")
    record: dict[str, Any] = json.loads(result.stdout)
    log = read_eval_log(record["log"])
    assert log.results is not None
    logged = {name: metric.value for name, metric in log.results.scores[0].metrics.items()}
    assert record["seed"] == 7
    assert record["labels"]["order"]["n"] == logged.pop("n_order") == 12
    assert len(logged) == 3 * 8
    for name, value in logged.items():
        if name.startswith("profile_alignment"):
            found = record[name]
        else:
            found = record["labels"]["order"][name.replace("_order", "")]
        assert found == (None if math.isnan(value) else value)
    assert record["labels"]["order"]["retest"] is None
    assert "profile_alignment_tau_b" in record["reasons"]


def test_csv_has_the_same_columns_for_every_label(validate: Run, shared_data: Path) -> None:
    shown = validate(shared_data / "qa_feedback.jsonl", "--limit", 9, "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(shown)))
    assert [row["label"] for row in rows] == ["ungrounded", "irrelevant"]
    assert {"label", "factor", "unit", "n_labels", "n", "n_groups", *METRICS} <= rows[0].keys()
    assert {row["n"] for row in rows} == {"9"}
    assert {row["tau_grader"] for row in rows} == {""}


def test_model_arguments_reach_the_grader(validate: Run, pairs: Path, mapping: Path) -> None:
    options = ("--labels", mapping, "--format", "json")
    steady, erring = (
        json.loads(validate(pairs, *options, *more).stdout)["labels"]["order"]
        for more in ((), ("-M", "error_rate=0.4", "-M", "seed=1"))
    )
    assert steady["flip_rate"] == 0
    assert erring["flip_rate"] > 0


def test_batched_grading_of_a_grader_that_does_not_mind_agrees_as_single_does(
    validate: Run, pairs: Path, mapping: Path
) -> None:
    single, batched = (
        json.loads(
            validate(pairs, "--labels", mapping, "--format", "json", "--grading", grading).stdout
        )
        for grading in ("single", "batched")
    )
    assert batched["labels"] == single["labels"]
    assert "grading:batched" in batched["signature"]


def test_one_order_and_few_groups_are_told(validate: Run, pairs: Path, mapping: Path) -> None:
    shown = validate(pairs, "--labels", mapping, "--limit", 5, "--judge-orders", 1).stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("order")]
    assert "[no interval]" in line
    assert "groups: 5; an interval needs at least 8" in shown


def test_a_preference_computed_from_the_ratings_is_told(validate: Run, shared_data: Path) -> None:
    shown = validate(shared_data / "summeval.jsonl", "--limit", 2, "--factors", "fluency").stdout
    assert "note: the recorded preference is computed from these same human ratings" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--labels", "nowhere.yaml"), "nowhere.yaml: cannot be read"),
        ((), "has no labels for data set 'mine'"),
        (("--labels", "MAPPING", "--factors", "fluency"), "factor 'fluency' has no label"),
        (("--labels", "MAPPING", "-M", "error_rate"), "-M error_rate: expected KEY=VALUE"),
        (("--labels", "MAPPING", "-M", "error_rate=[1"), "the value is not valid YAML"),
        (("--labels", "MAPPING", "-M", "error_rate=2"), "--grader planted/grader: "),
        (("--labels", "MAPPING", "-M", "charm=2"), "unknown model argument charm"),
    ],
)
def test_wrong_arguments_end_with_one_line(
    validate: Run, pairs: Path, mapping: Path, arguments: tuple[str, ...], message: str
) -> None:
    given = [str(mapping) if part == "MAPPING" else part for part in arguments]
    result = validate(pairs, *given, exit_code=2)
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error")]
    assert message in line
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_an_interruption_is_told_in_one_line(pairs: Path, mapping: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        command = [
            *(Path(sys.executable).parent / "profile-tasks", "validate-grader", pairs),
            *("--grader", "openai-api/local/grader", "-M", f"base_url={url}"),
            *("--labels", mapping, "--log-dir", tmp_path / "logs"),
        ]
        run = subprocess.Popen(
            command,
            env=os.environ | {"LOCAL_API_KEY": "none", "NO_PROXY": "127.0.0.1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # In the background of a shell all are deaf to it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        silent.settimeout(60)
        connection, _ = silent.accept()  # the grader has been asked, and will not answer
        with connection:
            run.send_signal(signal.SIGINT)
            shown, told = run.communicate(timeout=60)
    assert run.returncode == 130
    assert shown == ""
    assert "Traceback" not in told
    assert told.splitlines()[-1].startswith("Error: interrupted; the answers given so far are")


@pytest.mark.parametrize("grader", ["nobody/model", "planted/nobody"])
def test_a_grader_that_is_not_there_is_named(
    run: Run, pairs: Path, mapping: Path, grader: str
) -> None:
    result = run(*("validate-grader", pairs, "--grader", grader, "--labels", mapping), exit_code=2)
    assert f"Error: --grader {grader}: " in result.stderr


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("api_key=[3kXy9q-S3CRET", "-M api_key: the value is not valid YAML"),
        ("base_url=http://me:3kXy9q-S3CRET@host/v1", "base_url of the grader: Inspect writes it"),
        ("hf_token=3kXy9q-S3CRET", "unknown model argument hf_token"),
    ],
)
def test_a_key_of_the_grader_is_not_told(
    validate: Run, pairs: Path, mapping: Path, tmp_path: Path, argument: str, message: str
) -> None:
    result = validate(pairs, "--labels", mapping, "-M", argument, exit_code=2)
    assert message in result.stderr
    assert "S3CRET" not in result.output
    assert not (tmp_path / "logs").exists()
