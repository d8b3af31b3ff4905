"""`profile-tasks leaderboard` over real results of the planted annotator."""

import csv
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from profile_tasks.cli import main

TASKS = ("summarization", "instruction_following", "document_qa")
"""Those with a name of their own in Inspect."""

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn


COMPARED = (
    *("tau_", "alignment_", "rouge", "words_"),
    *("discrimination_", "flip_rate", "first_position_rate", "unreadable_rate"),
)


def leaderboard(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["leaderboard", *map(str, arguments)])


def rows(*arguments: object) -> list[dict[str, str]]:
    done = leaderboard(*arguments, "--format", "csv")
    assert done.exit_code == 0, done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_both_harnesses_give_the_same_row(inspect_log: Any, lm_eval_results: Any) -> None:
    ours, theirs = rows(inspect_log("verbose"), lm_eval_results("verbose"), "--all")
    if ours["harness"] == "lm-eval":
        ours, theirs = theirs, ours
    compared = 0
    for name, value in theirs.items():
        if name.startswith(COMPARED) and value:
            assert float(value) == pytest.approx(float(ours[name]), rel=0, abs=1e-12), name
            compared += 1
    assert compared > 100
    # In lm-eval a model judges its own pairs in a task of its own.
    assert ours["self_agreement_pearson"]
    places = {(each["rank_low"], each["rank_high"]) for each in (ours, theirs)}
    assert places == {("1", "2")}


def test_what_is_surely_apart_has_places_of_its_own(inspect_log: Any) -> None:
    # The verbose annotator writes long on purpose and the concise one short: known answers.
    found = rows(inspect_log("verbose"), inspect_log("concise"), "--sort", "tau_generation_length")
    assert [(row["model"], row["rank_low"], row["rank_high"]) for row in found] == [
        ("planted/verbose", "1", "1"),
        ("planted/concise", "2", "2"),
    ]


@pytest.mark.parametrize("task", TASKS)
def test_the_demo_tells_opposite_tastes_apart(inspect_log: Any, task: str) -> None:
    found = rows(inspect_log("verbose", task), inspect_log("concise", task))
    assert [(row["model"], row["rank_low"], row["rank_high"]) for row in found] == [
        ("planted/verbose", "1", "1"),
        ("planted/concise", "2", "2"),
    ]
    for row, side in zip(found, (1, -1), strict=True):
        for end in ("", "_ci_low", "_ci_high"):
            assert side * float(row[f"alignment_discrimination_tau_b{end}"]) > 0


def test_few_sources_tell_nobody_apart(inspect_log: Any) -> None:
    logs = (inspect_log(model, limit=9, own_pairs=False) for model in ("verbose", "balanced"))
    done = leaderboard(*logs, "--sort", "accuracy")
    assert done.exit_code == 0
    assert done.stdout.startswith(
        "places are shared by accuracy, half credit: none of 2 models is told to be better\n"
    )
    assert len(re.findall(r"planted/.* 1-2 .*\]  1 cannot tell ", done.stdout)) == 2
    assert "runs with samples are paired by source" in done.stdout
    assert "not paired" not in done.stdout


def test_a_board_is_ranked_by_the_judges_alignment_or_what_else_is_there(inspect_log: Any) -> None:
    for arguments, metric in (
        ({}, "alignment_discrimination_tau_b"),
        ({"setting": "generation"}, "alignment_generation_tau_b"),
    ):
        done = leaderboard(inspect_log("concise", **arguments))
        assert f"ranked by {metric}, with 95 % intervals" in done.stdout


def test_the_newest_run_stands_and_the_others_are_named(
    inspect_log: Any, lm_eval_results: Any
) -> None:
    # Of its own pairs the results of lm-eval, which are newer, say nothing.
    files = inspect_log("verbose", own_pairs=False), lm_eval_results("verbose")
    done = leaderboard(*files, "--format", "json")
    found = json.loads(done.stdout)
    assert [len(board["rows"]) for board in found["boards"]] == [1]
    (left_out,) = found["left_out"]
    assert "a newer run stands" in left_out["why"]


def test_tasks_are_ranked_apart_and_chosen(inspect_log: Any) -> None:
    files = inspect_log("verbose"), inspect_log("balanced", "document_qa")
    assert {row["rank_high"] for row in rows(*files)} == {"1"}
    (only,) = rows(*files, "--task", "document_qa")
    assert only["model"] == "planted/balanced"
    missing = leaderboard(*files, "--task", "qa")
    assert missing.exit_code == 2
    assert "--task 'qa'" in missing.stderr
    assert "Must be one of: document_qa, summarization" in missing.stderr


@pytest.mark.parametrize(
    ("name", "start"),
    [("b.csv", "rank_low,"), ("b.json", "{"), ("b.md", "### "), ("b.html", "<!DOCTYPE html>")],
)
def test_the_form_is_that_of_the_files_name(
    inspect_log: Any, tmp_path: Path, name: str, start: str
) -> None:
    assert leaderboard(inspect_log("concise"), "-o", tmp_path / name).exit_code == 0
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert text.startswith(start)
    assert "planted/concise" in text or r"planted/concise" in text.replace("<wbr>", "")


def test_an_unknown_metric_is_told_with_what_is_near(inspect_log: Any) -> None:
    done = leaderboard(inspect_log("concise"), "--sort", "flip_rates")
    assert done.exit_code == 2
    assert "'flip_rates': no result reports it; did you mean 'flip_rate'?" in done.stderr


def test_a_misspelt_title_is_told_with_what_is_near_and_titles_are_quoted(inspect_log: Any) -> None:
    done = leaderboard(inspect_log("concise"), "--sort", "acuracy")
    assert done.exit_code == 2
    assert "did you mean 'accuracy'? Columns: 'self-agreement', " in done.stderr
    assert "'accuracy, half credit', 'accuracy, decided', 'flip rate'" in done.stderr


@pytest.mark.parametrize(
    ("title", "metric"),
    [
        ("accuracy", "discrimination_accuracy_half_credit"),
        ("accuracy, decided", "discrimination_accuracy"),
        ("flip rate", "flip_rate"),
        ("judge alignment", "alignment_discrimination_tau_b"),
        ("discrimination", "alignment_discrimination_tau_b"),  # its title in earlier versions
        ("generation", "alignment_generation_tau_b"),
    ],
)
def test_a_column_is_named_by_its_title_too(inspect_log: Any, title: str, metric: str) -> None:
    done = leaderboard(inspect_log("concise"), "--sort", title, "--format", "json")
    assert json.loads(done.stdout)["sort"] == metric


def test_what_is_written_to_a_file_is_told(
    inspect_log: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert leaderboard(inspect_log("concise"), "-o", "b.md").stdout == "b.md: 1 board with 1 row\n"


def test_a_broken_file_ends_it_unless_it_may_be_skipped(inspect_log: Any, tmp_path: Path) -> None:
    shutil.copy(inspect_log("concise"), tmp_path / "good.eval")
    (tmp_path / "bad.eval").write_text("nothing")
    refused = leaderboard(tmp_path)
    assert refused.exit_code == 2
    assert "bad.eval: not an Inspect log" in refused.stderr
    assert refused.stdout == ""
    skipped = leaderboard(tmp_path, "--skip-bad", "--format", "csv")
    assert skipped.exit_code == 0
    assert "skipped:" in skipped.stderr
    assert "planted/concise" in skipped.stdout


def test_no_result_at_all_is_told(tmp_path: Path) -> None:
    for path, problem in ((tmp_path, "no result of this project's tasks"),
                          (tmp_path / "no", "there is no such file or folder")):  # fmt: skip
        done = leaderboard(path)
        assert done.exit_code == 2
        assert problem in done.stderr
        assert "Traceback" not in done.output


def test_a_file_that_cannot_be_written_is_told(inspect_log: Any, tmp_path: Path) -> None:
    done = leaderboard(inspect_log("concise"), "-o", tmp_path / "no" / "b.csv")
    assert done.exit_code == 2
    assert "b.csv: cannot be written" in done.stderr


AUDITED = {"limit": 10, "max_pairs_per_source": 2}


def test_audits_give_columns_beside_the_profile_of_the_same_model(inspect_log: Any) -> None:
    audit = inspect_log("verbose", "summarization_judge_audit", **AUDITED)
    logs = (inspect_log("verbose"), inspect_log("concise"), audit)
    found = {row["model"]: row for row in rows(*logs)}
    assert len(found) == 2
    assert found["planted/verbose"]["audit"] == str(audit)
    assert float(found["planted/verbose"]["probe_padding"]) > 0.2
    assert found["planted/concise"]["probe_padding"] == ""
    markdown = leaderboard(*logs, "--format", "md").stdout
    for heading in ("position", "order flips", "padding", "self-preference", "wording"):
        assert f" {heading} |" in markdown
    told = "no audit of the judge over this data was given, so no probes: planted/concise"
    assert told in markdown
    assert told in leaderboard(*logs, "--format", "html").stdout
    assert "order flips" not in leaderboard(*logs[:2], "--format", "md").stdout


def test_a_board_of_audits_alone_is_ranked_by_flips_with_the_order(inspect_log: Any) -> None:
    audits = [
        inspect_log("verbose", "summarization_judge_audit", **AUDITED),
        inspect_log("concise", "summarization_judge_audit", probes="position,padding", **AUDITED),
    ]
    done = leaderboard(*audits)
    assert done.exit_code == 0, done.output
    assert "ranked by probe_position_flips" in done.stdout
    flips = [float(row["probe_position_flips"]) for row in rows(*audits)]
    assert flips == sorted(flips)
    assert leaderboard(*audits, "--sort", "padding").exit_code == 0
