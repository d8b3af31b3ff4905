"""What each factor contributes, as people and programs get it."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

import profile_tasks as pt
from profile_tasks.solvers.recorded_answers import RECORDED_NOTE

Run = Callable[..., Result]

LABELS = """
version: 1
data_sets:
  pairs:
    - {label: flow, factor: coherence, direction: same, kind: pairwise}
"""


def rows(n: int = 90, **columns: Any) -> list[dict[str, Any]]:
    """Two pairs a source. People follow ``coherence``; ``twin`` is its copy, ``charm`` is noise.

    The judge ``long`` takes the longer response, ``apt`` people's but for one in five; of the last
    source it gave no verdict.
    """
    rng = np.random.default_rng(0)
    found = []
    for number in range(2 * n):
        coherence, longer, charm = rng.choice([-1, 1], 3)
        first = rng.random() < 1 / (1 + np.exp(-2.0 * coherence - 0.4 * longer))
        erring = rng.random() < 0.2
        values = {"coherence": int(coherence), "twin": int(coherence), "charm": int(charm)}
        found.append(
            {
                "id": f"r{number}",
                "task": "instruction_following",
                "prompt": f"Say {number // 2}.",
                "group": f"g{number // 2}",
                "response_a": "one two three" if longer > 0 else "one",
                "response_b": "one" if longer > 0 else "one two three",
                "preference": "a" if first else "b",
                "judge_long": "a" if longer > 0 else "b",
                "judge_apt": None if number >= 2 * n - 2 else "ab"[int(bool(first) == erring)],
                "factors": {
                    "a": values,
                    "b": dict.fromkeys(values, 0),
                    "pairwise": {
                        "flow": "a" if coherence * (1 - 2 * (rng.random() < 0.1)) > 0 else "b"
                    },
                },
                **columns,
            }
        )
    return found


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, rows())), encoding="utf-8")
    return path


def record_of(run: Run, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("contributions", *arguments, "--format", "json").stdout)
    return found


def test_shares_are_of_people_and_of_every_judge(run: Run, pairs: Path) -> None:
    record = record_of(run, pairs, "--factors", "length,coherence,charm")
    assert list(record["profiles"]) == ["people", "long", "apt"]
    assert record["notes"] == [RECORDED_NOTE]
    people, long = (record["profiles"][name]["factors"] for name in ("people", "long"))
    assert people["coherence"]["share"]["value"] > 0.8
    assert people["charm"]["share"]["ci_low"] < 0 < people["charm"]["share"]["ci_high"]
    assert long["length"]["share"]["value"] == pytest.approx(1, abs=0.05)
    assert record["profiles"]["people"]["n_pairs"] == 180
    assert record["profiles"]["apt"]["n_pairs"] == 178


def test_levels_are_those_of_the_taxonomy_and_what_the_data_alone_know_has_none(
    run: Run, pairs: Path
) -> None:
    record = record_of(run, pairs, "--factors", "length,coherence,charm")
    assert record["levels"] == {"length": 1, "coherence": 3, "charm": None}
    people = record["profiles"]["people"]
    by_level, factors = people["by_level"], people["factors"]
    assert by_level["1"]["share"] == pytest.approx(factors["length"]["share"])
    assert by_level["3"]["contribution"]["value"] == factors["coherence"]["contribution"]["value"]
    assert by_level["2"]["share"]["reason"] == "no such factor differs between two responses"


def test_alignment_by_level_and_without_each_factor(run: Run, pairs: Path) -> None:
    (first, second) = record_of(run, pairs, "--factors", "length,coherence,twin,charm")["alignment"]
    assert (first["first"], first["second"]) == ("people", "long")
    assert first["whole"]["n_factors"] == 4
    assert first["whole"]["pearson"]["value"] < 0.2
    # Without length the judge that follows nothing else is told apart no more from noise.
    assert first["without"]["length"]["n_factors"] == 3
    assert second["without"]["length"]["pearson"]["value"] > 0.9
    assert first["by_level"]["1"]["pearson"]["reason"] == (
        "factors defined in both profiles: 1; an alignment needs at least 3"
    )


def test_held_out_accuracy_stands_beside_length_and_judges(run: Run, pairs: Path) -> None:
    held_out = record_of(run, pairs, "--factors", "length,coherence")["held_out"]
    assert 0.75 < held_out["accuracy"]["value"] < 0.95
    long, apt = held_out["beside"]["long"], held_out["beside"]["apt"]
    assert long["difference"]["ci_low"] > 0.1
    assert (long["n"], apt["n"]) == (180, 178)  # over the pairs with a verdict
    assert apt["difference"]["ci_low"] < apt["difference"]["value"] < apt["difference"]["ci_high"]
    alone = held_out["beside"]["length alone"]
    assert alone["difference"]["value"] == pytest.approx(
        alone["factors"]["value"] - alone["accuracy"]["value"]
    )


def test_two_names_of_one_factor_are_told(run: Run, pairs: Path) -> None:
    shown = run("contributions", pairs, "--factors", "coherence,twin,charm").stdout
    assert "cannot be told apart: coherence and twin" in shown
    assert "charm and" not in shown
    assert "3, that spread as 1.8 uncorrelated ones would" in shown


def test_human_labels_correct_the_correlation(run: Run, pairs: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "labels.yaml"
    mapping.write_text(LABELS, encoding="utf-8")
    arguments = (pairs, "--factors", "coherence,charm", "--human-labels", mapping)
    found = record_of(run, *arguments)["correlation"]["people"]
    assert 0.5 < found["reliability"]["coherence"] < 0.8  # labels err in one pair of ten: 0.8 ** 2
    (both,) = found["pairs"]
    assert abs(both["corrected"]["value"]) > abs(both["observed"]["value"])
    assert "corrected by reliabilities of the grades" in run("contributions", *arguments).stdout


def test_one_judge_of_several_and_csv(run: Run, pairs: Path) -> None:
    arguments = ("contributions", pairs, "--factors", "length,coherence", "--judge", "apt")
    table = list(csv.DictReader(io.StringIO(run(*arguments, "--format", "csv").stdout)))
    assert [(row["profile"], row["factor"]) for row in table] == [
        (name, factor) for name in ("people", "apt") for factor in ("length", "coherence")
    ]
    assert float(table[1]["share"]) > 0.8
    refused = run("contributions", pairs, "--judge", "apte", exit_code=2)
    assert "nothing is recorded of 'apte'; did you mean 'apt'?" in refused.output


def test_a_finished_run_has_all_of_its_profiles(run: Run, inspect_log: Callable[..., Path]) -> None:
    log = inspect_log("verbose", "summarization")
    record = record_of(run, log)
    assert list(record["profiles"]) == ["human", "discrimination", "generation", "own"]
    assert [(a["first"], a["second"]) for a in record["alignment"]] == [
        ("human", "discrimination"),
        ("own", "generation"),
    ]
    assert list(record["correlation"]) == ["human", "generation"]
    planted = record["profiles"]["discrimination"]["factors"]
    shares = {factor: each["share"]["value"] for factor, each in planted.items()}
    assert max(shares, key=shares.__getitem__) == "length"
    assert planted["length"]["share"]["ci_low"] > 0
    assert record["notes"][0].startswith("SIMULATED")
    assert list(record["held_out"]["beside"]) == ["length alone", "discrimination"]
    assert run("contributions", log).stdout.startswith("SIMULATED")
    found = pt.contributions(log)
    assert found.record["profiles"] == record["profiles"]
    rows = found.frame()
    assert set(rows[rows.perspective == "own"].model) == {"planted/verbose"}
    with pytest.raises(ValueError, match="is a log, for which only folds and seed"):
        pt.contributions(log, limit=3)
    refused = run("contributions", log, "--task", "summarization", exit_code=2)
    assert "is a log, for which --task says nothing" in refused.output


def test_python_gives_the_numbers_of_the_command(run: Run, pairs: Path) -> None:
    record = record_of(run, pairs, "--factors", "length,coherence", "--judge", "apt")
    found = pt.contributions(pairs, ["apt"], ["length", "coherence"])
    assert found.record.items() <= record.items()
    assert found.signature == record["signature"]
    frame = found.frame()
    (share,) = frame[(frame.quantity == "share") & (frame.factor == "coherence")].estimate[:1]
    assert share == record["profiles"]["people"]["factors"]["coherence"]["share"]["value"]
    (better,) = frame[frame.model == "factors \N{MINUS SIGN} apt"].estimate
    assert better == record["held_out"]["beside"]["apt"]["difference"]["value"]
    with pytest.raises(ValueError, match="folds is 1"):
        pt.contributions(pairs, folds=1)


def test_bad_files_say_why(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text("{}", encoding="utf-8")
    assert "pairs.jsonl" in run("contributions", path, exit_code=2).output
