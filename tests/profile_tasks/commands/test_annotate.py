"""``profile-tasks annotate`` and ``collect``: people are asked, and their answers profiled."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


def answered(
    folder: Path, say: Callable[[Mapping[str, Any]], str | None], who: int = 1, **more: str
) -> Path:
    """Label Studio's export of a project in which an annotator said something of every task."""
    export = []
    for number, task in enumerate(json.loads((folder / "tasks.json").read_text("utf-8")), start=1):
        said = say(task["data"])
        given = {"preference": said, **more} if said else {}
        result = [
            {
                "from_name": name,
                "to_name": "request",
                "type": "choices",
                "value": {"choices": [each]},
            }
            for name, each in given.items()
        ]
        annotation = {
            "id": number, "completed_by": who, "result": result, "was_cancelled": said is None,
            "lead_time": 4.0,
        }  # fmt: skip
        export.append({"id": number, "data": task["data"], "annotations": [annotation]})
    file = folder / f"export-{who}.json"
    file.write_text(json.dumps(export), encoding="utf-8")
    return file


def longer(data: Mapping[str, Any]) -> str:
    """What somebody says who likes long texts."""
    first, second = (len(data[side].split()) for side in ("first", "second"))
    return "tie" if first == second else "first" if first > second else "second"


def tau(run: Run, file: Path, *options: object) -> dict[str, Any]:
    record = json.loads(run("influence", file, "--format", "json", *options).stdout)
    assert isinstance(record, dict)
    return record


def test_a_planted_annotator_has_its_profile_again(run: Run, tmp_path: Path) -> None:
    study, people = tmp_path / "study", tmp_path / "people.jsonl"
    command = ("annotate", "demo", "--task", "document_qa", "--pairs", 60, "-o", study)
    told = run(*command).stdout
    assert "60 of " in told
    assert "profile-tasks collect" in told
    run("collect", study, answered(study, longer), "-o", people)
    found = tau(run, people, "--factors", "length")
    ties = found["n_preference_ties"]
    assert (found["n_pairs"] + ties, found["factors"]["length"]["tau"]) == (60, 1.0)


def test_several_votes_are_read_with_how_far_people_agree(run: Run, tmp_path: Path) -> None:
    study, people = tmp_path / "study", tmp_path / "people.jsonl"
    run("annotate", "demo", "--task", "summarization", "--annotators", 2, "-o", study)
    exports = [answered(study, longer, 1), answered(study, lambda _: "first", 2)]
    told = run("collect", study, *exports, "-o", people, "--keep-names").stdout
    assert "144 of 144 pairs judged by 2 annotators" in told
    printed = run("influence", people, "--factors", "length").stdout
    assert "annotators" in printed
    assert "kappa" in printed


def test_a_models_own_pairs_are_judged_beside_its_writer(
    run: Run, inspect_log: Callable[..., Path], tmp_path: Path
) -> None:
    study, people = tmp_path / "study", tmp_path / "people.jsonl"
    log = inspect_log("verbose")
    told = run("annotate", log, "--pairs", 120, "--checks", 2, "-o", study).stdout
    assert "120 of 228 pairs, 24 sources" in told
    assert "left out: 3 pairs of equal texts" in told
    assert "left out: 9 pairs of the same two texts as another" in told
    assert "SIMULATED: a planted annotator wrote the texts" in told
    run("collect", study, answered(study, longer), "-o", people)
    rows = [json.loads(line) for line in people.read_text("utf-8").splitlines()]
    for row in rows:
        higher = "a" if row["score_a"] > row["score_b"] else "b"
        assert row["judge_writer"] == higher
        assert row["writer"] == "planted/verbose"
        assert "earlier_preference" not in row
    sides = [row["judge_writer"] for row in rows]
    assert 30 < sides.count("a") < 90
    # Both like long texts, people and the writer who wrote longer for a higher score.
    assert tau(run, people, "--factors", "length")["factors"]["length"]["tau"] == 1.0
    writer = ("--preference-column", "judge_writer", "--factors", "length")
    assert tau(run, people, *writer)["factors"]["length"]["tau"] > 0.5
    assert (
        "writer"
        in run("judges", people, "--factors", "length,readability,lexical_diversity").stdout
    )


def test_what_people_say_of_a_models_own_pairs_is_taken_up_by_its_log(
    run: Run, inspect_log: Callable[..., Path], tmp_path: Path
) -> None:
    from inspect_ai import score
    from inspect_ai.log import read_eval_log

    from profile_tasks.scorers.inspect.profile_scorer import factor_profile

    study, people, log = tmp_path / "study", tmp_path / "people.jsonl", inspect_log("verbose")
    run("annotate", log, "--pairs", 120, "-o", study)
    run("collect", study, answered(study, longer), "-o", people)
    scorer = factor_profile(task="summarization", own_labels=str(people))
    scored = score(read_eval_log(str(log)), scorer, action="overwrite", display="none")
    assert scored.results is not None
    metrics = {name: each.value for name, each in scored.results.scores[0].metrics.items()}
    # A text that was written for two scores is in more pairs than the one that was shown.
    assert 120 <= metrics["own_labelled_pairs"] < 130
    assert metrics["own_alignment_generation_tau_b"] > 0.5  # both like long texts


def test_labels_of_factors_need_no_mapping(run: Run, tmp_path: Path) -> None:
    study, people = tmp_path / "study", tmp_path / "people.jsonl"
    command = ("annotate", "demo", "--task", "summarization", "--pairs", 12)
    run(*command, "--ask", "fluency,coherence", "-o", study)
    run("collect", study, answered(study, longer, factor_fluency="first"), "-o", people)
    lacking = run(
        "validate-grader", people, "--grader", "planted/grader", "--log-dir", tmp_path, exit_code=2
    )
    assert "label 'coherence' (pairwise) is in none of the 12 rows" in lacking.stderr
    checked = run(
        "validate-grader", people, "--grader", "planted/grader", "--log-dir", tmp_path,
        "--factors", "fluency", "--format", "json",
    )  # fmt: skip
    assert json.loads(checked.stdout)["labels"]["fluency"]["n"] == 12


def test_a_width_is_planned_for(run: Run, tmp_path: Path) -> None:
    command = ("annotate", "demo", "--task", "summarization", "-o", tmp_path / "study", "--width")
    assert "±0.30 or less" in run(*command, 0.3).stdout
    wide = run(*command, 0.05, exit_code=2).stderr
    assert "do not give a 95 % interval of ±0.05: all of them give ±0.2" in wide


def test_what_goes_wrong_is_told_in_one_line(run: Run, tmp_path: Path) -> None:
    study, people = tmp_path / "study", tmp_path / "people.jsonl"
    command = ("annotate", "demo", "--task", "summarization", "-o")
    run(*command, study)
    again = run(*command, study, exit_code=2).stderr
    assert "holds a project already, whose answers only its key can read" in again
    both = run(*command, tmp_path / "x", "--pairs", 3, "--width", 0.1, exit_code=2).stderr
    assert "give one of them" in both
    other = tmp_path / "other"
    run(*command, other, "--seed", 1)
    foreign = run("collect", study, answered(other, longer), "-o", people, exit_code=2).stderr
    assert "give the folder of that project, or another export" in foreign
    (tmp_path / "odd.json").write_text('{"a": 1}', encoding="utf-8")
    odd = run("collect", study, tmp_path / "odd.json", "-o", people, exit_code=2).stderr
    assert "neither an export of Label Studio" in odd
    nowhere = run("collect", tmp_path, tmp_path / "odd.json", "-o", people, exit_code=2).stderr
    assert "key.json" in nowhere
    assert not people.exists()


def test_a_text_that_was_edited_in_the_tool_is_told(run: Run, tmp_path: Path) -> None:
    study, people = tmp_path / "study", tmp_path / "people.jsonl"
    run("annotate", "demo", "--task", "summarization", "--pairs", 3, "-o", study)
    file = answered(study, longer)
    export = json.loads(file.read_text("utf-8"))
    export[0]["data"]["first"] += " Edited."
    file.write_text(json.dumps(export), encoding="utf-8")
    told = run("collect", study, file, "-o", people)
    assert "1 answers are to tasks whose texts were changed in the tool" in told.stderr
    assert f"export-1.json: entry 1: task {export[0]['data']['task']}" in told.stderr
    assert "2 of 3 pairs judged by 1 annotator\n" in told.stdout


def test_who_fails_the_checks_is_left_out_where_asked(run: Run, tmp_path: Path) -> None:
    study, people = tmp_path / "study", tmp_path / "people.jsonl"
    command = ("annotate", "demo", "--task", "summarization", "--pairs", 12, "--checks", 6)
    run(*command, "-o", study)
    careless = answered(study, lambda _: "tie", 2)
    told = run("collect", study, careless, "-o", people, "--most-failed", 1, "--keep-names").stdout
    assert "votes left out, for failed attention checks: 2" in told
    assert "6 of 6" in told
    assert "0 of 12 pairs judged" in told


def test_an_export_alone_is_told_what_reads_it(run: Run, tmp_path: Path) -> None:
    study = tmp_path / "study"
    run("annotate", "demo", "--task", "summarization", "--pairs", 3, "-o", study)
    told = run("influence", answered(study, longer), exit_code=2).stderr
    assert "a project that profile-tasks annotate made, which profile-tasks collect reads" in told
