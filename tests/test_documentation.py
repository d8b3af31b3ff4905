"""What the documentation says is what the code does."""

import doctest
import importlib
import json
import math
import os
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import profile_tasks
from profile_tasks.cli import main
from profile_tasks.data.public_sets import PUBLIC
from profile_tasks.gate.bars import load_bars
from profile_tasks.scorers.factors.factor import Factor, surface_function
from profile_tasks.scorers.factors.taxonomy import load_taxonomy


def modules() -> list[str]:
    """Every module of the product; in a checkout the package's path also holds tests and docs."""
    root = Path(profile_tasks.__file__).parent
    own = [f"profile_tasks.{path.stem}" for path in root.glob("*.py") if path.stem != "__init__"]
    packages = [f"profile_tasks.{path.parent.name}" for path in root.glob("*/__init__.py")]
    # In a checkout these stand beside the package, and in a wheel inside it.
    packages += [f"profile_tasks.{name}" for name in ("solvers", "scorers", "task_configs")]
    for package in dict.fromkeys(packages):
        own += _modules_of(package)
    return sorted(own)


def _modules_of(package: str) -> Iterator[str]:
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        if info.ispkg:
            yield from _modules_of(info.name)
        else:
            yield info.name


@pytest.mark.parametrize("name", modules())
def test_docstring_examples_run(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert outcome.failed == 0


def test_some_docstrings_hold_examples() -> None:
    found = [doctest.DocTestFinder().find(importlib.import_module(name)) for name in modules()]
    assert sum(bool(test.examples) for tests in found for test in tests) >= 100


@pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn
def test_the_examples_of_the_python_api_run(
    repository: Path,
    inspect_log: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    outcome = doctest.testfile(
        str(repository / "docs" / "python.md"),
        module_relative=False,
        globs={
            "pt": profile_tasks,
            "verbose": inspect_log("verbose"),
            "concise": inspect_log("concise"),
        },
        encoding="utf-8",
    )
    assert (outcome.failed, outcome.attempted >= 10) == (0, True)
    assert (tmp_path / "judges.svg").is_file()


def console_commands(text: str) -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [
        line.split("  #")[0].strip()
        for block in blocks
        for line in block.splitlines()
        if line.strip() and not line.startswith("#")
    ]


@pytest.fixture(scope="module")
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text(encoding="utf-8")


def test_the_readme_has_one_command_to_run_and_one_to_test(readme: str) -> None:
    for heading, end in (
        ("### Run an evaluation", "summarization --model planted/verbose"),
        ("### Run the tests", "-m pytest -q -n 2"),
    ):
        section = readme.split(heading, 1)[1].split("\n#", 1)[0]
        (command,) = console_commands(section)
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install")
        assert command.endswith(end)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "at_least"),
    [
        ("README.md", 8),
        ("docs/compare.md", 7),
        ("docs/lm-eval.md", 5),
        ("docs/score-validity.md", 2),
        ("docs/judge-audit.md", 2),
        ("docs/factors.md", 3),
        ("docs/pairs.md", 4),
    ],
)
def test_offline_commands_run_one_by_one(
    repository: Path, page: str, at_least: int, tmp_path: Path
) -> None:
    commands = [
        command
        for command in console_commands((repository / page).read_text(encoding="utf-8"))
        if command.startswith("profile-tasks ") or "--model planted/" in command
    ]
    ran = 0
    for command in commands:
        if command.startswith("python3 -m venv"):
            continue  # .ci/run and the wheel test run these in fresh environments
        run = subprocess.run(
            ["bash", "-c", command],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        )
        assert run.returncode == 0, f"{command}\n{run.stdout}\n{run.stderr}"
        ran += 1
    assert ran >= at_least


@pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn
def test_the_printed_result_of_the_readme_is_what_the_run_gives(
    readme: str, read_inspect_log: Any
) -> None:
    from inspect_ai.log import recompute_metrics

    printed = dict(re.findall(r"^(\w+) +(-?\d+\.\d{3})$", readme, re.MULTILINE))
    log = read_inspect_log("verbose", "summarization")
    recompute_metrics(log)
    assert log.results is not None
    found = {name: f"{m.value:.3f}" for name, m in log.results.scores[0].metrics.items()}
    assert printed == found


@pytest.fixture(scope="module")
def factors_page(repository: Path) -> str:
    return (repository / "docs" / "factors.md").read_text(encoding="utf-8")


def factor_section(factor: Factor) -> str:
    """A factor as docs/factors.md has to describe it."""
    low, high = ("unbounded" if math.isinf(bound) else f"{bound:g}" for bound in factor.range)
    how = {
        "surface": "computed from the text",
        "judged": "the grader reads the definition as it stands, and says which response shows "
        "more of it",
        "count": "counted from the facts that the grader lists",
        "coverage": "share of the key facts, which the grader lists, that it finds in the response",
        "share": "share of the facts, which the grader lists, that get a counted label",
    }[factor.measure or factor.kind]
    lines = [
        f"level {factor.level}, {factor.kind}{', core' * factor.core}; "
        f"tasks: {', '.join(factor.tasks)}",
        f"{how}{'; missing where there is no source' * factor.needs_source}"
        + (f"; defined for {factor.defined_for}" if factor.defined_for else ""),
    ]
    if factor.label is not None:
        values = ", ".join(
            f"**{value}**" if value in factor.label.counted else value
            for value in factor.label.values
        )
        lines.append(f"asked of each fact: {factor.label.question}")
        among = f"; the share is of: {', '.join(factor.label.among)}" if factor.label.among else ""
        lines.append(f"labels (the counted ones in bold): {values}{among}")
    lines += [
        f"unit: {factor.unit}; range {low} to {high}",
        f"manifests more: {factor.more}",
        f"citation: {factor.citation}",
    ]
    if factor.mirrors is not None:
        lines.append(
            f"mirrors `{factor.mirrors}` within one source, so no selection but its id takes it: "
            "it would count the same evidence twice"
        )
    return "\n".join([f"## `{factor.id}`", "", factor.definition, "", *(f"- {x}" for x in lines)])


def test_every_factor_is_documented_as_it_is_defined(factors_page: str) -> None:
    sections = re.findall(r"^## `.*?(?=\n+## |\Z)", factors_page, re.MULTILINE | re.DOTALL)
    assert sections == [factor_section(factor) for factor in load_taxonomy().values()]


def test_the_example_of_own_factors_works_as_it_is_printed(
    factors_page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = factors_page.split("## Factors of your own", 1)[1].split("\n## ", 1)[0]
    files = re.findall(
        r"is `(mine\.yaml|my_factors\.py)`:\n\n```\w+\n(.*?)^```$", section, re.M | re.S
    )
    for name, text in files:
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    own = load_taxonomy("mine.yaml")
    assert {own[name].kind for name in own} == {"judged", "surface", "facts"}
    assert any(name in load_taxonomy() for name in own)
    assert surface_function(own["exclamations"])("Great! Yes!", None, "") == 2
    commands = [
        shlex.split(command.split("profile-tasks ", 1)[1])
        for command in console_commands(section)
        if "profile-tasks " in command
    ]
    assert {command[0] for command in commands} == {"factors", "influence"}
    for command in commands:
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
        assert "exclamations" in result.stdout


def test_the_bars_that_are_printed_can_be_read(repository: Path, tmp_path: Path) -> None:
    read = 0
    for page in ("README.md", "docs/gate.md"):
        text = (repository / page).read_text(encoding="utf-8")
        for block in re.findall(r"^```yaml\n(version: 1\nbars:.*?)^```$", text, re.M | re.DOTALL):
            (tmp_path / "bars.yaml").write_text(block, encoding="utf-8")
            read += len(load_bars(tmp_path / "bars.yaml"))
    assert read >= 5


def test_links_between_the_pages_hold(repository: Path) -> None:
    for page in [*repository.glob("*.md"), *(repository / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


MINUS = "\N{MINUS SIGN}"
NUMBER = r"[+-]?\d+\.\d+"


def adjusted_tables(page: str) -> list[dict[str, list[float]]]:
    """Tables of docs/adjusted.md: factor -> its numbers with decimals, in their order."""
    tables = []
    for table in re.findall(r"^\| factor \|.*?(?=\n\n)", page, re.MULTILINE | re.DOTALL):
        rows = re.findall(r"^\| `(\w+)` \|(.*)$", table, re.MULTILINE)
        tables.append(
            {
                factor: [float(x) for x in re.findall(NUMBER, cells.replace(MINUS, "-"))]
                for factor, cells in rows
            }
        )
    return tables


def test_the_tables_of_adjusted_influence_are_what_the_command_gives(
    repository: Path, shared_data: Path
) -> None:
    page = (repository / "docs" / "adjusted.md").read_text(encoding="utf-8")
    marginal = ("tau", "ci_low", "ci_high")
    adjusted = ("adjusted", "adjusted_ci_low", "adjusted_ci_high")
    controlled = ("adjusted_control", "adjusted_control_ci_low", "adjusted_control_ci_high")
    tables = adjusted_tables(page)
    for name, keys, last, table in zip(
        ("pandalm", "haluquestqa", "haluquestqa"),
        (marginal + adjusted, marginal + adjusted, adjusted + controlled),
        (("vif",), ("vif",), ()),
        tables,
        strict=True,
    ):
        factors = influences(shared_data / f"{name}.jsonl", ",".join(table))
        for factor, values in factors.items():
            assert table[factor] == pytest.approx(
                [values[key] for key in (*keys, *last)], abs=0.051
            )
            assert table[factor][:6] == pytest.approx([values[key] for key in keys], abs=0.0051)


JUDGES = {"GPT-3.5 (recorded)": "judge_gpt35turbo", "PandaLM-7B (recorded)": "judge_pandalm7b"}


def test_the_table_of_length_by_file_is_what_the_command_gives(
    repository: Path, shared_data: Path
) -> None:
    page = (repository / "docs" / "adjusted.md").read_text(encoding="utf-8")
    table = re.search(r"^\| file \|.*?(?=\n\n)", page, re.MULTILINE | re.DOTALL)
    assert table is not None
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| (\d+), \d+ \|(.*)$", table[0], re.MULTILINE)
    assert len(rows) == 10
    for name, who, n_pairs, cells in rows:
        folder = (
            shared_data if (shared_data / f"{name}.jsonl").exists() else shared_data / "recorded"
        )
        column = JUDGES.get(who, "preference")
        length = influences(folder / f"{name}.jsonl", "length", "--preference-column", column)[
            "length"
        ]
        numbers = [float(x) for x in re.findall(NUMBER, cells.replace(MINUS, "-"))]
        ends = ("", "_ci_low", "_ci_high")
        keys = [each + end for each in ("adjusted", "adjusted_control") for end in ends]
        assert length["n"] == int(n_pairs)
        assert numbers == pytest.approx([length[key] for key in keys], abs=0.0051)
        share = re.search(r"(\d+) %", cells)
        assert (share is None) == (length["system_share"] is None)
        if share is not None:
            assert int(share[1]) == round(100 * length["system_share"])


def influences(file: Path, factors: str, *options: str) -> dict[str, dict[str, float]]:
    """What the command gives of each factor, with control."""
    command = ["influence", str(file), "--factors", factors, *options, "--control", "system"]
    found = CliRunner().invoke(main, [*command, "--replicates", "100", "--format", "json"])
    assert found.exit_code == 0, found.output
    factors_found: dict[str, dict[str, float]] = json.loads(found.stdout)["factors"]
    return factors_found


def test_pinned_revisions_are_documented(repository: Path) -> None:
    page = (repository / "docs" / "data.md").read_text(encoding="utf-8")
    for name, public in PUBLIC.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert f"`{public.repository}`" in row
        assert f"`{public.revision}`" in row


def test_the_overall_version_is_one(repository: Path) -> None:
    text = (repository / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{profile_tasks.__version__}"' in text
