"""Two real runs compared from their logs, as people and programs get it."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import get_model

from profile_tasks.document_qa import document_qa
from profile_tasks.scorers.statistics.taste import MARGIN
from profile_tasks.summarization import summarization

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

Run = Callable[..., Result]
Evaluate = Callable[..., EvalLog]

FEW = ("--replicates", 200)


@pytest.fixture(scope="module")
def evaluate(tmp_path_factory: pytest.TempPathFactory) -> Evaluate:
    """Run a task with the planted annotator."""

    def evaluate(task: Task, model: str = "planted/verbose") -> EvalLog:
        (log,) = inspect_eval(
            task,
            model=get_model(model, memoize=False),
            log_dir=str(tmp_path_factory.mktemp("logs")),
            display="none",
            log_realtime=False,
        )
        assert log.status == "success", log.error
        return log

    return evaluate


@pytest.fixture(scope="module")
def verbose(read_inspect_log: Callable[..., EvalLog]) -> EvalLog:
    return read_inspect_log("verbose", "document_qa")


@pytest.fixture(scope="module")
def concise(read_inspect_log: Callable[..., EvalLog]) -> EvalLog:
    return read_inspect_log("concise", "document_qa")


@pytest.fixture(scope="module")
def part(evaluate: Evaluate) -> EvalLog:
    """Of the concise judge, on 9 of the 24 sources and with fewer factors."""
    return evaluate(
        document_qa(
            setting="discrimination", limit=9, factors="readability,length,markdown,novel_words"
        ),
        "planted/concise",
    )


@pytest.fixture
def compared(run: Run) -> Callable[..., dict[str, Any]]:
    def compared(first: EvalLog, second: EvalLog, *options: object) -> dict[str, Any]:
        shown = run(
            "compare", first.location, second.location, *FEW, *options, "--format", "json"
        ).stdout
        return json.loads(shown, parse_constant=pytest.fail)

    return compared


Compared = Callable[..., dict[str, Any]]


def test_the_verbose_model_follows_length_more_than_the_concise_one(
    compared: Compared, verbose: EvalLog, concise: EvalLog
) -> None:
    record = compared(verbose, concise)
    for perspective in ("discrimination", "generation"):
        length = record["perspectives"][perspective]["factors"]["length"]
        assert length["a"] >= 0.5
        assert length["b"] <= -0.5
        assert length["value"] > length["ci_low"] > 0
        assert length["p_adjusted"] < 0.05
    assert (record["model_a"], record["model_b"]) == ("planted/verbose", "planted/concise")
    assert (record["n_sources"], record["n_groups"], len(record["notes"])) == (24, 24, 2)
    assert (record["replicates"], record["seed"]) == (200, 0)


def test_numbers_of_either_model_are_those_in_its_log(
    compared: Compared, verbose: EvalLog, concise: EvalLog
) -> None:
    record = compared(verbose, concise)
    for side, log in (("a", verbose), ("b", concise)):
        results = read_eval_log(log.location, header_only=True).results
        assert results is not None
        metrics = {name: metric.value for name, metric in results.scores[0].metrics.items()}
        for name, found in (record["alignments"] | record["agreement"]).items():
            assert found[side] == pytest.approx(metrics[name])
        for perspective, of_factors in record["perspectives"].items():
            for factor, found in of_factors["factors"].items():
                assert found[side] == pytest.approx(metrics[f"tau_{perspective}_{factor}"])
                assert found["human"] == pytest.approx(metrics[f"tau_human_{factor}"])


def test_a_log_compared_with_itself_differs_in_nothing(
    compared: Compared, verbose: EvalLog
) -> None:
    record = compared(verbose, verbose)
    for found in (record["alignments"] | record["agreement"]).values():
        assert found["value"] == 0
        if found["ci_low"] is not None:
            assert found["ci_low"] == pytest.approx(-found["ci_high"])
    for of_factors in record["perspectives"].values():
        assert {found["p_value"] for found in of_factors["factors"].values()} == {1}


def test_the_logs_may_change_places(compared: Compared, verbose: EvalLog, concise: EvalLog) -> None:
    one, other = compared(verbose, concise), compared(concise, verbose)
    for name, found in one["alignments"].items():
        assert found["value"] == pytest.approx(-other["alignments"][name]["value"])
        high = other["alignments"][name]["ci_high"]
        assert (found["ci_low"] is None) == (high is None)
        if high is not None:  # that of a rank coefficient is drawn
            assert found["ci_low"] == pytest.approx(-high, abs=0.1)


def test_only_sources_factors_and_perspectives_of_both_are_compared(
    compared: Compared, verbose: EvalLog, part: EvalLog
) -> None:
    record = compared(verbose, part)
    assert record["n_sources"] == 9
    assert record["factors"] == ["length", "novel_words", "readability", "markdown"]
    assert set(record["perspectives"]) == {"discrimination"}
    assert record["notes"][2:] == [
        "15 sources that only A was measured on are left out",
        "only the 4 factors that both measured are compared",
        "only A has a generation setting",
    ]
    assert record["perspectives"]["discrimination"]["factors"]["length"]["ci_low"] > 0


def test_the_seed_decides_the_intervals(
    compared: Compared, verbose: EvalLog, concise: EvalLog
) -> None:
    first, again, other = (compared(verbose, concise, "--seed", seed) for seed in (1, 1, 2))
    assert first == again
    assert first["alignments"] != other["alignments"]


def test_the_table_shows_either_model_and_the_difference(
    run: Run, verbose: EvalLog, concise: EvalLog
) -> None:
    shown = run("compare", verbose.location, concise.location, *FEW).stdout
    assert f"A: planted/verbose, {Path(verbose.location).name}\n" in shown
    assert "24 sources in 24 groups, which both were measured on\n" in shown
    assert "no value or interval" not in shown
    assert "+0.00 [+0.00, +0.00]" in shown
    assert "-0.00" not in shown
    assert shown.index("\nin words\n- ") < shown.index("\nalignment with people, and agreement\n")
    number, bounds = r"-?\d\.\d\d", r"\[-?\d\.\d\d, -?\d\.\d\d\]"
    p_values = r"( +<?1?\.\d{3}){3}"
    influence = shown[shown.index("influence on the generation preference") :]
    assert re.search(
        rf"^length +{number} +0\.\d\d +-0\.\d\d +1\.\d\d {bounds}{p_values}$",
        influence,
        re.MULTILINE,
    )
    assert re.search(rf"^gap, tau_b( +{number}){{3}} {bounds}$", shown, re.MULTILINE)
    assert re.search(rf"^self-agreement, r( +{number}){{3}} {bounds}$", shown, re.MULTILINE)
    assert re.search(
        rf"^verdicts that flip with the order( +{number}){{3}} {bounds}$", shown, re.MULTILINE
    )
    assert "few sources (24 groups): intervals are wide" in shown
    assert "tau_b and rho: where a taste's influences nearly tie" in shown
    assert "p: paired sign-flip test by group" in shown


def test_the_table_says_what_was_left_out_and_why_something_is_not_defined(
    run: Run, verbose: EvalLog, evaluate: Evaluate
) -> None:
    two = evaluate(document_qa(setting="discrimination", limit=3, factors="length,markdown"))
    shown = run("compare", verbose.location, two.location, *FEW).stdout
    assert "note: 21 sources that only A was measured on are left out\n" in shown
    assert re.search(r"^alignment as judge, tau_b +- +- +not defined$", shown, re.MULTILINE)
    assert re.search("^no .*; alignment as judge, tau_b: factors defined in both.*: 2", shown, re.M)
    assert re.search("^no .*flip with the order.*: groups: 3; an interval needs", shown, re.M)
    assert re.search(r"^length .* \[no interval\]", shown, re.MULTILINE)
    why = "groups: 3; tastes are compared from 8 on"
    assert f"\nafter one scale: {why}\n" in shown
    assert (
        f"- as a judge, neither tastes nor consistency of A and B can be compared: {why}" in shown
    )


def test_csv_has_a_row_for_every_compared_number(
    run: Run, compared: Compared, verbose: EvalLog, concise: EvalLog
) -> None:
    shown = run("compare", verbose.location, concise.location, *FEW, "--format", "csv").stdout
    rows = {row["metric"]: row for row in csv.DictReader(io.StringIO(shown))}
    record = compared(verbose, concise)
    expected = [
        *record["alignments"],
        *record["agreement"],
        *(
            f"tau_{perspective}_{factor}"
            for perspective in ("discrimination", "generation")
            for factor in record["factors"]
        ),
    ]
    assert list(rows) == expected
    length = record["perspectives"]["discrimination"]["factors"]["length"]
    row = rows["tau_discrimination_length"]
    for name in ("a", "b", "ci_low", "ci_high", "p_value", "p_adjusted", "p_adjusted_bh"):
        assert float(row[name]) == length[name]
    assert float(row["difference"]) == length["value"]
    assert rows["flip_rate"]["reason"] == ""
    assert rows["alignment_gap_tau_b"]["p_value"] == ""


def refused(run: Run, *arguments: object) -> str:
    """The error, which is one line."""
    result = run("compare", *arguments, *FEW, exit_code=2)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def test_a_missing_log_is_named(run: Run, verbose: EvalLog) -> None:
    assert refused(run, "nowhere.eval", verbose.location) == (
        "Error: nowhere.eval: there is no such log"
    )
    assert "nowhere.json" in refused(run, verbose.location, "nowhere.json")


def test_runs_over_other_sources_are_refused(
    run: Run, verbose: EvalLog, evaluate: Evaluate
) -> None:
    other = evaluate(summarization(setting="discrimination", limit=2))
    assert refused(run, verbose.location, other.location) == (
        "Error: A is document_qa, B is summarization; compare runs of one task over the same data"
    )


def test_a_folder_is_told_to_be_one_and_the_same_file_is_noted(
    run: Run, verbose: EvalLog, tmp_path: Path
) -> None:
    assert refused(run, tmp_path, verbose.location) == (
        f"Error: {tmp_path}: a folder; name the logs in it, e.g. with *.eval"
    )
    shown = run("compare", verbose.location, verbose.location, *FEW).stdout
    assert "\nnote: A and B are the same file\n" in shown


def test_an_alignment_with_an_interval_lacks_only_the_value_without_noise(
    run: Run, inspect_log: Callable[..., Path]
) -> None:
    shown = run("compare", inspect_log("verbose"), inspect_log("concise"), *FEW).stdout
    said = " ".join(shown.split())
    assert re.search("no value without sampling noise of .*: not estimable: the human pro", said)


def test_the_margin_of_equivalence_is_that_of_the_statistics_unless_set(
    compared: Compared, verbose: EvalLog
) -> None:
    for options, margin in (((), MARGIN), (("--margin", 0.02), 0.02)):
        record = compared(verbose, verbose, *options)
        assert record["perspectives"]["discrimination"]["taste"]["margin"] == margin
