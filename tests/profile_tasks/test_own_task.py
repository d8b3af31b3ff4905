"""A task of one's own, from its file to the report: Inspect and lm-eval give the same numbers.

The model is a planted annotator, whose answers are known; what it is asked stands in
``tests/own_task.yaml`` alone.
"""

import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from inspect_ai import eval as inspect_eval
from inspect_ai import eval_retry, score
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import get_model

from profile_tasks.cli import main
from profile_tasks.data.task_definition import read_definition
from profile_tasks.planted.batch import main as answer_batch
from profile_tasks.preference import preference
from profile_tasks.runs.inspect_log import read_run
from profile_tasks.runs.reading import read_runs
from profile_tasks.runs.signature import signature
from profile_tasks.scorers.inspect.arguments import ArgumentError
from profile_tasks.scorers.inspect.profile_scorer import factor_profile
from profile_tasks.tasks.judge_audit import preference_judge_audit
from profile_tasks.tasks.self_guided import preference_self_guided

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

OWN = Path(__file__).parents[1] / "own_task.yaml"
KEY = read_definition(OWN).key


def run(build: Any, folder: Path, /, **arguments: Any) -> EvalLog:
    grader = arguments.pop("grader", None)
    (log,) = inspect_eval(
        build,
        task_args=arguments,
        model=get_model("planted/verbose", memoize=False),
        model_roles={"grader": get_model(grader, memoize=False)} if grader else None,
        log_dir=str(folder),
        display="none",
        log_realtime=False,
    )
    return log


def command(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture(scope="session")
def log(made_once: Callable[..., Path]) -> Path:
    """A finished run, whose file of a definition may be gone."""
    return made_once(("own task",), lambda folder: Path(finished(folder, OWN).location))


def finished(folder: Path, task: Path) -> EvalLog:
    done = run("profile_tasks/preference", folder, task=str(task))
    assert done.status == "success", done.error
    return done


def other_definition(folder: Path) -> Path:
    """The same name, another question to the judge."""
    content = yaml.safe_load(OWN.read_text(encoding="utf-8"))
    content["prompts"]["judge"] = "Say which is kinder.\n\n" + content["prompts"]["judge"]
    content["dataset"] = str(OWN.with_name("own_task.jsonl"))
    path = folder / "other.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_a_run_is_known_by_name_and_hash_and_its_log_holds_the_definition(log: Path) -> None:
    held = read_run(str(log))
    assert held.task == KEY
    assert signature(held).startswith(f"task:{KEY}|")
    assert held.metrics["tau_human_length"] == 1
    assert held.metrics["tau_discrimination_length"] == 1
    assert held.metrics["rougeL"] is not None
    assert "rouge1" not in held.metrics  # the definition names ROUGE-L alone
    header = read_eval_log(str(log), header_only=True)
    assert header.eval.task_args["task"] == read_definition(OWN).record()
    assert header.eval.task_display_name == KEY
    assert header.eval.dataset.name == "own_task.jsonl (format profile-tasks)"


def test_a_run_is_taken_up_and_scored_again_from_another_folder_without_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, elsewhere = tmp_path / "there", tmp_path / "elsewhere"
    there.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(there)
    Path("my_task.yaml").write_text(OWN.read_text(encoding="utf-8"), encoding="utf-8")
    shutil.copy(OWN.with_name("own_task.jsonl"), there)
    done = finished(tmp_path / "logs", Path("my_task.yaml"))
    Path("my_task.yaml").unlink()
    monkeypatch.chdir(elsewhere)
    (again,) = eval_retry(done, log_dir=str(tmp_path / "again"), display="none")
    assert again.status == "success"
    assert read_run(again.location).metrics == read_run(done.location).metrics
    scored = score(done, factor_profile(factors=["length"]), action="overwrite", display="none")
    assert scored.results is not None
    assert scored.results.scores[0].metrics["tau_human_length"].value == 1


def test_both_harnesses_give_the_same_numbers(log: Path, tmp_path: Path) -> None:
    metadata = json.dumps({"task": str(OWN)})
    shown = command(
        *("lm-eval", "--model", "planted", "--model_args", "profile=verbose"),
        *("--tasks", "profile_preference", "--metadata", metadata),
        *("--output_path", tmp_path, "--log_samples"),
    )
    assert shown.exit_code == 0, shown.output
    (results,) = tmp_path.rglob("results_*.json")
    (theirs,) = read_runs(results)
    ours = read_run(str(log))
    assert theirs.task == ours.task == KEY
    same = [n for n, value in theirs.metrics.items() if value is not None and n in ours.metrics]
    assert len(same) > 20
    for name in same:
        assert math.isclose(theirs.metrics[name] or 0, ours.metrics[name] or 0, abs_tol=1e-12), name
    samples = sorted(map(str, tmp_path.rglob("samples_*.jsonl")))
    asked = [Path(file).read_text(encoding="utf-8") for file in samples]
    assert "Two short notes for one occasion." in asked[0]
    assert "Short notes for an occasion are rated by those who get them from 1 to 5." in asked[1]
    assert all("<occasion>" in text and "<request>" not in text for text in asked)
    graded = command("score-lm-eval", *samples, "--grader", "planted/grader", "--factors", "warmth")
    assert graded.exit_code == 0, graded.output
    assert "warmth" in graded.stdout


def test_lm_eval_says_which_task_is_missing_and_where_none_is_to_be_given() -> None:
    for tasks, metadata, told in (
        ("profile_preference_generation", "{}", "metadata 'task' is missing"),
        ("profile_summarization_generation", '{"task": "dialogue"}', "this is of summarization"),
        ("profile_preference_generation", '{"task": "dialog"}', "did you mean 'dialogue'"),
    ):
        shown = command(
            *("lm-eval", "--model", "planted", "--tasks", tasks, "--metadata", metadata)
        )
        assert shown.exit_code == 2
        assert told in shown.stderr


def test_report_board_comparison_and_gate_know_it(log: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert command("report", log, "-o", page).exit_code == 0
    assert KEY in page.read_text(encoding="utf-8")
    other = finished(tmp_path / "logs", other_definition(tmp_path)).location
    boards = command("leaderboard", log, other)
    assert boards.exit_code == 0, boards.output
    keys = {KEY, read_definition(other_definition(tmp_path)).key}
    assert set(re.findall(r"kind_notes#\w+", boards.stdout)) == keys  # one name, two boards
    gone = command("leaderboard", log, "--task", "no.yaml")
    assert "there is no file 'no.yaml' that defines a task" in gone.stderr
    only = command("leaderboard", log, other, "--task", OWN)
    assert set(re.findall(r"kind_notes#\w+", only.stdout)) == {KEY}
    differs = command("compare", log, other)
    assert f"note: A is of {KEY} and B of kind_notes#" in differs.stdout
    assert "the two differ in: task (" in differs.stdout
    bars = tmp_path / "bars.yaml"
    bars.write_text("version: 1\nbars:\n  - flip_rate <= 0.9\n", encoding="utf-8")
    assert KEY in command("gate", log, "--bars", bars).output


def test_commands_before_a_run_know_it() -> None:
    cost = command("cost", "demo", "--task", OWN, "--no-grader")
    assert cost.exit_code == 0, cost.output
    assert f"own_task.jsonl, {KEY}: 4 sources with 4 annotated pairs, 3 factors" in cost.stdout
    audit = command("cost", "demo", "--task", f"{OWN}_judge_audit", "--probes", "position")
    assert f"{KEY}_judge_audit: 4 sources" in audit.stdout
    assert "or the YAML file of one of yours" in command("factors", "--task", "kind_notes").stderr
    factors = command("factors", "--task", OWN)
    assert f"4 factors for {KEY}" in factors.stdout
    assert "warmth" in factors.stdout
    influence = command("influence", "demo", "--task", OWN)
    assert influence.exit_code == 0, influence.output
    assert "own_task.jsonl" in influence.stdout


def test_with_a_grader_its_own_factor_is_graded(tmp_path: Path) -> None:
    done = run("profile_tasks/preference", tmp_path, task=str(OWN), grader="planted/grader")
    assert done.status == "success"
    assert "tau_human_warmth" in read_run(done.location).metrics


@pytest.mark.parametrize("build", [preference_judge_audit, preference_self_guided])
def test_the_other_kinds_of_task_take_it_too(build: Any, tmp_path: Path) -> None:
    done = run(build(task=str(OWN), limit=2), tmp_path)
    assert done.status == "success", done.error
    assert done.eval.metadata is not None
    assert done.eval.metadata["task"] == KEY


@pytest.mark.parametrize("texts", [None, "a run"])
def test_its_target_scores_are_looked_at_in_texts_of_people_and_of_a_run(
    texts: str | None, log: Path, tmp_path: Path
) -> None:
    given = {} if texts is None else {"texts": str(log)}
    done = run("profile_tasks/preference_score_validity", tmp_path, task=str(OWN), **given)
    assert done.status == "success", done.error
    assert done.results is not None
    found = {name: m.value for s in done.results.scores for name, m in s.metrics.items()}
    assert found["score_validity_within"] > 0
    assert found["score_compliance"] > 0.5
    assert found["score_validity_texts"] == (8 if texts is None else 20)


def test_feedback_asks_in_its_words_and_by_its_own_profiles(tmp_path: Path) -> None:
    content = yaml.safe_load(OWN.read_text(encoding="utf-8"))
    content["prompts"]["criticise"] = "Advise on this note.\n\n{sections}\n\nAdvise alone."
    content["dataset"] = str(OWN.with_name("own_task.jsonl"))
    path = tmp_path / "feedback.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    arguments = {"task": str(path), "grader": "planted/copyist", "profiles": "own"}
    done = run("profile_tasks/preference_feedback", tmp_path, **arguments)
    assert done.status == "success", done.error
    assert done.results is not None
    found = {name: m.value for s in done.results.scores for name, m in s.metrics.items()}
    assert found["tau_revision_self_length"] > 0
    (first, *_) = done.samples or []
    asked = str([event.input for event in first.events if event.event == "model"])
    asked += "".join(first.attachments.values())
    assert "Advise on this note." in asked
    assert "Revise your draft of a note below" in asked


def test_pairs_and_annotators_are_told_its_name_and_its_factors(log: Path, tmp_path: Path) -> None:
    other = finished(tmp_path / "logs", OWN).location
    for named, told in ((("--task", OWN), f"task={OWN}"), ((), "task=kind_notes.yaml")):
        made = command("pairs", log, other, *named, "-o", tmp_path / "p.jsonl", "--overwrite")
        assert made.exit_code == 0, made.output
        assert told in made.stdout.replace("\n", "").replace(" ", "")
    people = command("annotate", log, "-o", tmp_path / "study", "--for", "csv", "--ask", "warmth")
    assert people.exit_code == 0, people.output
    assert "asked about: warmth" in people.stdout


def test_training_data_of_a_log_import_nothing_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "own_task_factors.py"
    module.write_text("def size(response, source, prompt):\n    return float(len(response))\n")
    content = yaml.safe_load(OWN.read_text(encoding="utf-8"))
    size = {"id": "size", "kind": "surface", "definition": "Size."}
    size["function"] = "own_task_factors:size"
    content["dataset"] = str(OWN.with_name("own_task.jsonl"))
    for name, factors, told in (("all", ["length", size], ["length"]), ("only", [size], [])):
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump({**content, "factors": factors}), encoding="utf-8")
        log = finished(tmp_path / "logs", path).location
        monkeypatch.setattr("own_task_factors.size", None)  # whoever calls it fails
        # As in a process that never saw the file.
        monkeypatch.setattr("profile_tasks.data.task_definition._places", {})
        made = command("export", log, "--format", "dpo", "--output", tmp_path / name)
        assert made.exit_code == 0, made.output
        card = json.loads((tmp_path / name / "card.json").read_text(encoding="utf-8"))
        assert list(card["chosen_over_rejected"]) == told
        monkeypatch.undo()
        monkeypatch.syspath_prepend(str(tmp_path))


def test_without_a_grader_a_task_of_judged_factors_alone_says_what_it_needs(tmp_path: Path) -> None:
    content = yaml.safe_load(OWN.read_text(encoding="utf-8"))
    content["factors"] = [content["factors"][-1]]
    content["dataset"] = str(OWN.with_name("own_task.jsonl"))
    path = tmp_path / "judged.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    told = command("cost", "demo", "--task", path, "--no-grader").stderr
    assert "all that it has need a grader (--model-role grader=MODEL)" in told


@pytest.mark.parametrize("name", ["dialogue", "code_review"])
def test_the_packaged_examples_run_out_of_the_box(name: str, tmp_path: Path) -> None:
    done = run("profile_tasks/preference", tmp_path, task=name, limit=3)
    assert done.status == "success", done.error
    assert read_run(done.location).task == name
    assert done.eval.task_args["task"] == name
    page = tmp_path / "report.html"
    assert command("report", done.location, "-o", page).exit_code == 0
    assert name in page.read_text(encoding="utf-8")


def test_a_simulated_batch_says_that_it_lacks_the_file_of_a_task(tmp_path: Path) -> None:
    message = {"role": "user", "content": "Of a task that nobody has read."}
    body = {"model": "planted/verbose", "messages": [message]}
    requests = tmp_path / "requests.jsonl"
    requests.write_text(json.dumps({"custom_id": "1", "body": body}), encoding="utf-8")
    for named, told in (((), "--task names the YAML file"), (("--task", "kind"), "is unknown")):
        arguments = [str(requests), "-o", str(tmp_path / "answers.jsonl"), *named]
        shown = CliRunner().invoke(answer_batch, arguments)
        assert shown.exit_code == 1
        assert told in shown.stderr


def test_a_wrong_definition_is_told_before_a_model_is_called(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(OWN.read_text(encoding="utf-8").replace("readability", "readable"))
    shutil.copy(OWN.with_name("own_task.jsonl"), tmp_path)
    with pytest.raises(ArgumentError, match=r"wrong\.yaml, field 'factors': 'readable' is unknown"):
        run("profile_tasks/preference", tmp_path, task=str(path))
    with pytest.raises(ValueError, match=r"did you mean 'dialogue'"):
        preference(task="dialoge")
