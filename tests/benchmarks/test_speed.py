"""The benchmark of the statistics runs from end to end; its figures are not judged here."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def results(repository: Path, tmp_path_factory: pytest.TempPathFactory):
    output = tmp_path_factory.mktemp("speed") / "speed.json"
    subprocess.run(
        [sys.executable, repository / "benchmarks" / "speed.py", "--small", "--output", output,
         "--parts", "tables", "texts", "growth", "inspect"],  # lm-eval: test_lm_eval_speed.py
        check=True,
        capture_output=True,
        env=os.environ | {"XDG_CACHE_HOME": str(output.parent)},
    )  # fmt: skip
    return json.loads(output.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_every_ratio_is_positive(results):
    assert results["ratios"]
    for ratio in results["ratios"]:
        assert 0 < ratio["low"] <= ratio["high"]
        assert ratio["ratio"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "peer", "check"),
    [
        ("feedback_forensics", "feedback-forensics", "tau_14 by feedback-forensics, 2,000 pairs"),
        ("rouge_score", "rouge-score", "ROUGE-L F1 by rouge_score"),
    ],
)
def test_a_peer_gives_the_same_numbers_or_is_named_as_skipped(results, module, peer, check):
    absent = find_spec(module) is None
    assert (peer in results["skipped"]) == absent
    assert (check in results["greatest_differences"]) != absent


@pytest.mark.slow
def test_the_other_benchmarks_of_speed_stand_in_the_same_file(results):
    assert results["ratios"][-1]["other"] == "a bare Inspect task"
    commands = [each for each in results["growth"] if each["peak_megabytes"]]
    assert len(commands) == 2
    assert all(len(each["exponents"]) == len(each["sizes"]) - 1 for each in results["growth"])


def test_a_quadratic_step_has_the_exponent_two_and_is_told(benchmark):
    growth = benchmark("growth")
    sizes, seconds = (1_000, 10_000, 100_000), (0.1, 1.0, 100.0)
    found = growth.Growth("a step", sizes, growth.exponents(sizes, seconds))
    assert found.exponents == pytest.approx((1.0, 2.0))
    assert str(found).endswith("FASTER THAN THE ROWS")
    assert "FASTER" not in str(
        growth.Growth("a step", sizes, growth.exponents(sizes, (1, 10, 100)))
    )


def test_a_ratio_that_misses_its_limit_is_told(benchmark):
    ratio = benchmark("speed").Ratio("work", "times as long as", "a floor", 1.7, 1.6, 1.8, 1.6)
    assert ratio.row().endswith("| 1.6 MISSED |")


@pytest.mark.slow
def test_the_peak_memory_of_writing_and_of_reading_is_reported(results):
    assert [peak > 0 for peak in results["peak_megabytes"].values()] == [True, True]


def test_no_benchmark_hides_a_module_of_the_standard_library(repository: Path):
    # `python benchmarks/x.py` puts the folder first on the path of all imports.
    names = {path.stem for path in (repository / "benchmarks").glob("*.py")}
    assert names
    assert not names & sys.stdlib_module_names
