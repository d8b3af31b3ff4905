"""``-T control=system``: the same control in a task, for people and for the model as judge."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai import eval as inspect_eval

from profile_tasks.cli import main
from profile_tasks.report.cautions import cautions
from profile_tasks.report.figures import figures
from profile_tasks.report.reading import read_findings
from profile_tasks.summarization import summarization

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

FACTORS = "length,readability"
Log = Callable[..., Path]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """The demonstration data as if of three systems; one pair names only one of them."""
    rows = (repository / "profile_tasks/data/demo/summarization.jsonl").read_text("utf-8")
    path = tmp_path_factory.mktemp("named") / "named.jsonl"
    lines = []
    for i, line in enumerate(rows.splitlines()):
        names = {"system_a": "xyz"[i % 3], "system_b": "xyz"[(i + 1 + i // 3 % 2) % 3]}
        lines.append(json.dumps(json.loads(line) | names | ({"system_b": None} if i == 4 else {})))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def log(named: Path, inspect_log: Log) -> Path:
    return inspect_log(
        "balanced", dataset=str(named), factors=FACTORS, control="system", temperature=3.0
    )


@pytest.fixture(scope="module")
def profile(log: Path) -> dict[str, Any]:
    from inspect_ai.log import read_eval_log

    results = read_eval_log(str(log), header_only=True).results
    assert results is not None
    (score,) = results.scores
    return score.metadata["profile"] | {"metrics": {n: m.value for n, m in score.metrics.items()}}


def test_people_have_the_numbers_of_the_command(profile: dict[str, Any], named: Path) -> None:
    options = ["--factors", FACTORS, "--control", "system", "--format", "json"]
    result = CliRunner().invoke(main, ["influence", str(named), *options])
    by_command = json.loads(result.stdout)
    assert profile["human"]["control"] == by_command["control"]
    assert by_command["control"]["n_half_named_pairs"] == 1
    for factor in FACTORS.split(","):
        names = [n for n in by_command["factors"][factor] if "control" in n or "system" in n]
        assert len(names) == 7
        found = profile["human"]["factors"][factor]
        assert {n: found[n] for n in names} == {n: by_command["factors"][factor][n] for n in names}


def test_the_judge_has_its_own_and_the_writer_has_no_systems(profile: dict[str, Any]) -> None:
    judged = profile["discrimination"]
    assert judged["control"]["n_systems"] == 3
    assert judged["control"]["n_pairs"] < judged["n_pairs"]
    controlled = judged["factors"]["length"]["adjusted_control"]
    assert controlled is not None
    assert controlled != profile["human"]["factors"]["length"]["adjusted_control"]
    assert profile["metrics"]["adjusted_control_discrimination_length"] == controlled
    assert "control" not in profile["generation"]
    assert not any(name.startswith("adjusted_control_gen") for name in profile["metrics"])


def test_the_report_shows_it_with_what_speaks_against_it(log: Path) -> None:
    found = read_findings(log)[0]
    assert any(
        said.startswith("control of systems in human: left out: 0 pairs that name no system, 1")
        for said in cautions(found)
    )
    (figure,) = (each for each in figures(found) if each.name == "adjusted")
    assert "systems held fixed" in figure.columns
    rows = [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]
    (people,) = (r for r in rows if (r["factor"], r["perspective"]) == ("length", "human"))
    number = found.profiles["human"].influences["length"].controlled
    assert (people["systems held fixed"], people["its low"]) == (number.value, number.low)
    assert "systems held fixed" in figure.svg


def test_without_the_setting_nothing_is_recorded(inspect_log: Log) -> None:
    found = read_findings(inspect_log())[0]
    (figure,) = (each for each in figures(found) if each.name == "adjusted")
    assert "systems held fixed" not in (*figure.columns, figure.svg)
    assert not any("control" in said for said in cautions(found))


def test_data_without_systems_are_refused_before_a_model_is_called(
    named: Path, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in named.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        del row["system_b"]
    file = tmp_path / "unnamed.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.raises(ValueError, match=r"control=system: none of the \d+ pairs names who wrote"):
        inspect_eval(
            summarization,
            task_args={"dataset": str(file), "control": "system"},
            model="planted/balanced",
            log_dir=str(tmp_path),
            display="none",
            log_realtime=False,
        )
