"""People beside recorded judges, as people and programs get it."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from profile_tasks.cli import main
from profile_tasks.solvers.recorded_answers import RECORDED_NOTE

Run = Callable[..., Result]


def write(path: Path, n: int = 40, **columns: Any) -> Path:
    """People prefer the longer response in one pair of four, the judge ``long`` always."""
    rows = [
        {
            "id": f"r{i}",
            "task": "instruction_following",
            "prompt": f"Say {i}.",
            "response_a": "one two three",
            "response_b": "one",
            "preference": "a" if i % 4 == 0 else "b",
            "judge_long": "a",
            "picks_long": ["first", "second"],
            "judge_alone": "b" if i % 4 else "a",
            **columns,
        }
        for i in range(n)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def record_of(run: Run, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("judges", *arguments, "--format", "json").stdout)
    return found


def test_json_holds_every_judge_and_null_has_its_reason(run: Run, tmp_path: Path) -> None:
    record = record_of(run, write(tmp_path / "f.jsonl"))
    assert record["recorded"] == RECORDED_NOTE
    long, alone = record["judges"]["long"], record["judges"]["alone"]
    assert (long["n"], long["accuracy_half_credit"], long["n_decided"]) == (40, 0.25, 40)
    assert (long["flip_rate"], long["first_position_rate"], long["kappa"]) == (0.0, 0.5, 0.0)
    assert (alone["accuracy_decided"], alone["kappa"]) == (1.0, 1.0)
    assert (alone["flip_rate"], alone["first_position_rate"]) == (None, None)
    assert alone["flip_rate_reason"]
    assert long["flip_rate_reason"] is None
    assert long["factors"]["length"]["tau"] == 1.0
    assert record["people"]["factors"]["length"]["tau"] == -0.5
    assert long["factors"]["length"]["difference"]["value"] == 1.5
    assert alone["factors"]["length"]["difference"]["value"] == 0.0


def test_the_influences_are_those_of_the_influence_command(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "f.jsonl")
    record = record_of(run, file)
    for column, found in (
        ("preference", record["people"]),
        ("judge_long", record["judges"]["long"]),
    ):
        told = run("influence", file, "--preference-column", column, "--format", "json").stdout
        for factor, entry in json.loads(told)["factors"].items():
            for number in ("tau", "ci_low", "ci_high", "concordant", "discordant", "tied"):
                assert found["factors"][factor][number] == entry[number], (column, factor)


def test_the_table_begins_with_words(run: Run, tmp_path: Path) -> None:
    shown = run("judges", write(tmp_path / "f.jsonl")).stdout
    *words, title, note = shown.split("\n\n")[0].splitlines()
    assert title == "f.jsonl: 2 judges beside people"
    assert note == RECORDED_NOTE
    assert words[0].startswith("long: follows length (tau")
    assert "where people go against it" in words[0]
    assert words[1].startswith("alone: no influence is told to differ from people")
    detailed = run("judges", tmp_path / "f.jsonl", "--judge", "long").stdout
    assert "long beside people" in detailed
    assert "alone" not in detailed


def test_csv_has_a_row_for_each_judge_and_factor(run: Run, tmp_path: Path) -> None:
    text = run("judges", write(tmp_path / "f.jsonl"), "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["judge"] for row in rows} == {"long", "alone"}
    (row,) = [r for r in rows if (r["judge"], r["factor"]) == ("long", "length")]
    assert (row["tau"], row["tau_people"], row["difference"]) == ("1.0", "-0.5", "1.5")


def test_another_judge_as_the_reference_is_called_by_its_name(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "f.jsonl")
    record = record_of(run, file, "--preference-column", "judge_alone")
    assert record["reference"] == "judge_alone"
    assert list(record["judges"]) == ["long"]
    shown = run("judges", file, "--preference-column", "judge_alone").stdout
    assert "people" not in shown
    assert "1 judge beside judge_alone" in shown
    told = run(
        "judges", file, "--preference-column", "judge_alone", "--log-dir", tmp_path / "logs",
        exit_code=2,
    ).stderr  # fmt: skip
    assert "a log holds people's preference beside a model's" in told


def test_a_null_verdict_neither_stops_nor_drops(run: Run, tmp_path: Path) -> None:
    record = record_of(run, write(tmp_path / "f.jsonl", judge_gone=None))
    gone = record["judges"]["gone"]
    assert (gone["n"], gone["n_missing"], gone["unreadable_rate"]) == (0, 40, 1.0)
    assert gone["accuracy_half_credit"] is None
    assert gone["words"] == "no influence can be held against people"
    assert record["judges"]["long"]["n"] == 40


def test_what_cannot_be_used_is_one_line(run: Run, tmp_path: Path) -> None:
    bad = write(tmp_path / "f.jsonl", judge_bad="first")
    told = run("judges", bad, exit_code=2).stderr
    assert "f.jsonl: row 'r0': field 'judge_bad' is 'first'; expected 'a', 'b', 'tie'" in told
    assert "did you mean 'long'" in run("judges", bad, "--judge", "lnog", exit_code=2).stderr
    assert len(record_of(run, bad, "--judge", "long")["judges"]) == 1


def test_people_may_be_absent(run: Run, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in write(tmp_path / "f.jsonl").read_text().splitlines()]
    for row in rows:
        del row["preference"], row["judge_long"], row["judge_alone"]  # picks are enough
    file = tmp_path / "g.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    record = record_of(run, file, "--log-dir", tmp_path / "logs")
    long = record["judges"]["long"]
    assert (long["accuracy_half_credit"], long["kappa"]) == (None, None)
    assert "no pair" in long["accuracy_half_credit_reason"]
    assert long["factors"]["length"]["tau"] == 1.0
    run("report", tmp_path / "logs" / "g_long.eval", "-o", tmp_path / "page.html")
    run("leaderboard", tmp_path / "logs", "--sort", "flip_rate")


@pytest.mark.slow
def test_all_thirty_judges_are_replayed_boarded_and_reported_in_a_minute_each(
    shared_data: Path, tmp_path: Path
) -> None:
    file = shared_data / "recorded" / "if_llmbar_judges.jsonl"
    if not file.is_file():
        pytest.skip(f"no file {file} with recorded verdicts")
    installed = "from profile_tasks.cli import main; main(prog_name='profile-tasks')"
    logs = tmp_path / "logs"

    def seconds(*arguments: object) -> float:
        """CPU time of a command: what it would take on a core with nothing else to do."""
        before = os.times()
        subprocess.run(
            [sys.executable, "-c", installed, *map(str, arguments)],
            check=True, capture_output=True, cwd=tmp_path,
        )  # fmt: skip
        after = os.times()
        return sum(
            getattr(after, n) - getattr(before, n) for n in ("children_user", "children_system")
        )

    started = time.monotonic()
    taken = {"judges": seconds("judges", file, "--log-dir", logs)}
    found = sorted(logs.glob("*.eval"))
    assert len(found) == 30
    sort = ("--sort", "discrimination_accuracy_half_credit")
    taken["leaderboard"] = seconds("leaderboard", logs, *sort, "-o", "board.json")
    taken["report"] = seconds("report", *found, "-o", "report.html")
    print(f"CPU seconds: {taken}; all three took {time.monotonic() - started:.0f} s")
    assert all(cpu < 60 for cpu in taken.values()), taken
    (board,) = json.loads((tmp_path / "board.json").read_text())["boards"]
    assert len(board["rows"]) == 30
    assert (tmp_path / "report.html").stat().st_size > 1_000_000


def in_words(path: Path, n: int = 40) -> Path:
    """A judge asked in two wordings: it follows length in one, the position in the other."""
    return write(
        path,
        n,
        picks_long_curt=["first", "first"],
        judge_long_curt="tie",
        picks_long_plain=["first", "second"],
        judge_long_plain="a",
    )


def test_judges_that_are_one_in_other_words_are_compared(run: Run, tmp_path: Path) -> None:
    record = record_of(run, in_words(tmp_path / "f.jsonl"), "--wordings", "long")
    of = record["wordings"]["long"]
    assert of["judges"] == ["long_curt", "long_plain"]
    probes = of["probes"]
    assert probes["wording"]["value"] == 0.5  # of the second order alone
    assert probes["position_flips"]["value"] == 0.5
    assert probes["position"]["value"] == 0.25
    assert probes["position"]["p_adjusted"] < 0.001
    curt = record["judges"]["long_curt"]["probes"]["position"]
    assert (curt["value"], curt["n_groups"]) == (0.5, 40)
    assert record["judges"]["alone"]["probes"] == {}


def test_what_a_judge_is_sensitive_to_stands_in_one_table(run: Run, tmp_path: Path) -> None:
    printed = run("judges", in_words(tmp_path / "f.jsonl"), "--wordings", "long").stdout
    table = printed.partition("what the judge is sensitive to")[2].partition("\n\ntau")[0]
    assert "long, 2 wordings" in table
    assert "other wording" in table
    assert "long_curt" in table
    assert "alone" not in table  # of whose verdicts no position is known


def test_a_report_shows_what_recorded_judges_are_sensitive_to(run: Run, tmp_path: Path) -> None:
    options = ("--wordings", "long", "--format", "json")
    found = tmp_path / "found.json"
    found.write_text(run("judges", in_words(tmp_path / "f.jsonl"), *options).stdout, "utf-8")
    run("report", found, "-o", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h1>What judges are sensitive to: <bdi>found</bdi></h1>" in page
    # One judge in two wordings; another, of whose verdicts no position is known, tells nothing.
    titles = re.findall("<bdi>(.*?)</bdi>, audited as a judge</h3>", page)
    assert titles == ["recorded/long, 2 wordings", "recorded/long"]
    assert '<li title="recorded/long: RECORDED: ' in page
    assert "Its verdicts hang on which response is shown first (+0.25 [" in page
    assert "other wording: 50%" in page
    refused = run("leaderboard", found, exit_code=2)
    assert "what recorded verdicts tell of judges, not of a run" in refused.stderr


def test_a_report_of_judges_whose_position_is_unknown_is_refused(run: Run, tmp_path: Path) -> None:
    file = in_words(tmp_path / "f.jsonl")
    found = tmp_path / "found.json"
    found.write_text(run("judges", file, "--judge", "alone", "--format", "json").stdout, "utf-8")
    refused = run("report", found, "-o", tmp_path / "page.html", exit_code=2)
    assert "found.json: verdicts in one order and one wording" in refused.stderr


def test_wordings_of_a_judge_that_is_not_there_are_refused(run: Run, tmp_path: Path) -> None:
    failed = run("judges", in_words(tmp_path / "f.jsonl"), "--wordings", "lang", exit_code=2)
    assert "fewer than two judges are named lang_<wording>; did you mean 'long'?" in failed.output


def test_the_demonstration_data_ask_for_a_task() -> None:
    done = CliRunner().invoke(main, ["judges", "demo"])
    assert done.exit_code == 2
    assert "data set 'demo' has one file a task; give --task: summarization, " in done.stderr
