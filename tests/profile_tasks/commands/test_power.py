"""How many sources a study needs, as people and programs get it."""

import csv
import io
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from profile_tasks.data.preferences import load_preferences
from profile_tasks.scorers.measurement.recorded import human_comparisons
from profile_tasks.scorers.statistics.power import StudyDesign, power_curves
from profile_tasks.scorers.statistics.source_population import (
    Assumptions,
    assumed_population,
    pilot_population,
    pilot_with_second_judge,
)

Run = Callable[..., Result]
Goals = Callable[..., dict[str, Any]]

FAST = ("--simulations", 200, "--at", "20,50")
DEMO = ("demo", "--task", "summarization", "--factors", "length,readability", *FAST)
ASSUMED = ("--responses", 2, "--tau", 0.2, *FAST)


@pytest.fixture
def goals(run: Run) -> Goals:
    """The goals of the JSON that the command prints with these arguments."""
    return lambda *args: json.loads(run("power", *args, "--format", "json").stdout)["goals"]


def write_pairs(path: Path, n: int = 30, **columns: Callable[[int], str]) -> Path:
    rows = [
        {
            "task": "summarization",
            "id": str(i),
            "prompt": "Summarize.",
            "source": f"The ferry left at {i}.",
            "response_a": "It left again at nine.",
            "response_b": "It left.",
            "preference": "b" if i % 3 == 0 else "a",
            **{name: of(i) for name, of in columns.items()},
        }
        for i in range(n)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def same(found: dict[str, Any], population: Any, design: StudyDesign) -> None:
    curves = power_curves(population, design)
    assert list(found) == [curve.goal for curve in curves]
    for curve in curves:
        printed = found[curve.goal]
        assert printed["needed_by_all"] == curve.needed_by_all
        for i, size in enumerate(curve.needed):
            factor = printed["factors"][size.factor]
            assert (factor["needed"], factor["needed_low"], factor["needed_high"]) == (
                size.n, size.low, size.high
            )  # fmt: skip
            assert list(factor["curve"].values()) == curve.values[:, i].tolist()


def test_the_numbers_of_a_pilot_are_those_of_the_library(goals: Goals) -> None:
    table = human_comparisons(load_preferences("demo", task="summarization"), "length,readability")
    design = StudyDesign(
        width=0.1, effect=0.2, holm=True, assurance=0.8, sources=(20, 50), simulations=200, seed=3
    )
    options = ("--width", 0.1, "--effect", 0.2, "--holm", "--assurance", 0.8, "--seed", 3)
    same(goals(*DEMO, *options), pilot_population(table), design)
    design = StudyDesign(difference=0.1, power=0.9, sources=(20, 50), simulations=200)
    options = ("--difference", 0.1, "--agreement", 0.9, "--power", 0.9)
    same(goals(*DEMO, *options), pilot_with_second_judge(table, 0.9), design)


def test_the_numbers_from_assumptions_are_those_of_the_library(goals: Goals) -> None:
    assumptions = Assumptions(
        responses=5,
        tau=-0.2,
        tie_rate=0.2,
        preference_tie_rate=0.1,
        source_spread=0.05,
        factors=13,
    )
    design = StudyDesign(
        width=0.1, effect=0.2, difference=0.1, holm=True, sources=(20, 50), simulations=200
    )
    found = goals(
        *("--responses", 5, "--tau", -0.2, "--tie-rate", 0.2, "--preference-tie-rate", 0.1),
        *("--source-spread", 0.05, "--factors-count", 13, "--holm", *FAST),
        *("--width", 0.1, "--difference", 0.1, "--agreement", 0.7),
    )
    same(found, assumed_population(assumptions, difference=0.1, agreement=0.7), design)


def test_a_second_preference_column_is_a_second_judge(
    run: Run, goals: Goals, tmp_path: Path
) -> None:
    file = write_pairs(tmp_path / "p.jsonl", model=lambda i: "b" if i % 4 == 0 else "a")
    options = ("--factors", "length", "--difference", 0.3, *FAST)
    length = goals(file, *options, "--second-preference-column", "model")
    length = length["difference"]["factors"]["length"]
    assert (length["tau"], length["second_tau"]) == pytest.approx((1 / 3, 14 / 30))
    assert length["needed"] > 8
    alone = goals(file, *options, "--second-preference-column", "preference")
    assert "do not differ" in alone["difference"]["factors"]["length"]["reason"]


def test_the_table_shows_curves_needs_and_how_exact_they_are(run: Run) -> None:
    shown = run("power", *DEMO, "--width", 0.1).stdout
    assert shown.startswith("pilot demo: 132 decided pairs in 24 groups\n")
    (row,) = re.findall(r"^length .*±.*$", shown, re.MULTILINE)
    assert re.fullmatch(r"length +\+0\.371 +±0\.\d\d +±0\.\d\d +\d+ \[\d+, \d+\]", row)
    assert re.search(r"^for each of 2 factors: \d+ sources$", shown, re.MULTILINE)
    assert "a power of 80% is exact to ±5.5 points" in shown


def test_csv_marks_the_needed_numbers(run: Run) -> None:
    shown = run("power", *DEMO, "--width", 0.1, "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(shown)))
    assert [(row["sources"], row["needed"]) for row in rows[:2]] == [
        ("20", "False"),
        ("50", "False"),
    ]
    assert {(row["goal"], row["factor"]) for row in rows if row["needed"] == "True"} == {
        (goal, factor) for goal in ("width", "influence") for factor in ("length", "readability")
    }


def test_what_cannot_be_planned_for_or_reached_says_why(run: Run, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "p.jsonl")
    shown = run(
        "power", file, "--factors", "length,markdown", "--width", 0.001, "--effect", 0, *FAST
    ).stdout
    assert "markdown: the two responses show the factor alike in all 30 pairs" in shown
    assert "length: with 100,000 sources half the width is still 0.006" in shown
    assert "> 100,000" in shown
    assert "length: the influence to find is 0" in shown


def test_the_seed_decides(run: Run) -> None:
    first, again, other = (
        run("power", *ASSUMED, "--seed", seed).stdout for seed in (1, 1, 2)
    )  # fmt: skip
    assert first == again != other


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "give a pilot FILE, or assumptions: --responses and --tau are missing"),
        (("--tau", 0.2), "or assumptions: --responses is missing"),
        ((*ASSUMED, "--task", "summarization"), "--task goes with a pilot FILE"),
        ((*ASSUMED, "--effect", 0.1), "(the influence to find is --tau)"),
        ((*DEMO, "--tau", 0.2), "--tau is an assumption in place of a pilot"),
        ((*DEMO, "--agreement", 0.9), "--agreement is about a second judge; give the --difference"),
        (
            (*DEMO, "--difference", 0.1, "--agreement", 0.9, "--second-preference-column", "x"),
            "leave one out",
        ),
        ((*DEMO, "--difference", 0.5), "judges that agree on 80% of the pairs differ by 0.4"),
        ((*ASSUMED, "--difference", 0.5), "judges that agree on 80% of the pairs differ by 0.4"),
        ((*DEMO, "--at", "20,many"), "--at is '20,many'; give whole numbers from 1 to 100000"),
        ((*DEMO, "--at", "0"), "--at is '0'"),
        ((*DEMO, "--limit", 5), "groups: 5; a pilot needs at least 8"),
        ((*ASSUMED, "--tie-rate", 0.9), "tau is 0.2; with these tie rates it must lie between"),
        ((*ASSUMED, "--source-spread", 1), "source_spread is 1; with tau 0.2 it must be"),
        (("nowhere.jsonl",), "nowhere.jsonl"),
    ],
)
def test_wrong_arguments_are_named_in_one_line(
    run: Run, arguments: tuple[object, ...], complaint: str
) -> None:
    shown = run("power", *arguments, exit_code=2)
    assert complaint in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
    assert not shown.stdout


def test_two_columns_are_planned_from_the_pairs_that_both_judged(run: Run, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "p.jsonl", model=lambda i: "?" if i == 4 else "a")
    options = ("--difference", 0.1, "--second-preference-column", "model", "--factors", "length")
    assert "p.jsonl:5:" in run("power", file, *options, exit_code=2).stderr
    shown = run("power", file, *options, "--skip-bad-rows")
    count = len(file.read_text().splitlines()) - 1
    assert f"note: {count} pairs, those with a verdict in both 'preference' and 'model'" in (
        shown.stderr
    )


def test_the_page_shows_what_its_commands_print(
    run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    page = (repository / "docs" / "power.md").read_text(encoding="utf-8")
    shown = re.findall(
        r"```console\nprofile-tasks (.*?)\n```\n\n```text\n(.*?)^```$", page, re.M | re.S
    )
    assert len(shown) == 3
    for command, printed in shown:
        assert run(*shlex.split(command)).stdout == printed
