"""What finished runs report, whatever file holds them; what is of no use is refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import Sample
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import get_model
from inspect_ai.scorer import includes

from profile_tasks.runs.reading import finished_runs, is_log, read_runs
from profile_tasks.runs.run import COMPARED_SETTINGS, NothingReportedError

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn


def test_lm_eval_and_inspect_report_the_same_run(inspect_log: Any, lm_eval_results: Any) -> None:
    (ours,) = read_runs(inspect_log("verbose"))
    (theirs,) = read_runs(lm_eval_results("verbose"))
    assert (ours.harness, theirs.harness) == ("inspect", "lm-eval")
    for same in ("model", "task", "setting", "sources", "data", "factors"):
        assert getattr(ours, same) == getattr(theirs, same)
    assert ours.model == "planted/verbose"
    assert theirs.metrics.keys() <= ours.metrics.keys()
    assert "alignment_gap_tau_b_ci_low" in theirs.metrics
    for name, value in theirs.metrics.items():
        if value is None:
            assert ours.metrics[name] is None, name
        else:
            assert value == pytest.approx(ours.metrics[name], rel=0, abs=1e-12), name
    shared = ours.conditions.keys() & theirs.conditions.keys()
    assert {"seed", "scores", "pairing", "orders"} <= shared
    assert {n: ours.conditions[n] for n in shared} == {n: theirs.conditions[n] for n in shared}
    same = ours.settings.keys() & theirs.settings.keys()
    assert {"dataset", "factors", *COMPARED_SETTINGS} <= same
    assert {n: ours.settings[n] for n in same} == {n: theirs.settings[n] for n in same}


def test_the_metrics_are_those_of_the_log(inspect_log: Any) -> None:
    path = inspect_log("concise", setting="generation")
    (run,) = read_runs(path)
    (score,) = read_eval_log(str(path), header_only=True).results.scores
    assert run.setting == "generation"
    assert set(run.metrics) == set(score.metrics)
    assert run.metrics["tau_generation_length"] == score.metrics["tau_generation_length"].value
    assert "discrimination_accuracy" not in run.metrics


def test_a_log_in_json_reports_the_same(inspect_log: Any, tmp_path: Path) -> None:
    log = inspect_log("concise", setting="generation")
    write_eval_log(read_eval_log(str(log)), str(tmp_path / "log.json"), format="json")
    (first,), (second,) = (read_runs(path) for path in (log, tmp_path / "log.json"))
    assert (second.metrics, second.conditions) == (first.metrics, first.conditions)


def test_likelihoods_are_a_run_of_their_own(lm_eval_results: Any) -> None:
    tasks = "profile_summarization_generation,profile_summarization_discrimination_loglikelihood"
    runs = read_runs(lm_eval_results("concise", tasks))
    assert [run.setting for run in runs] == ["generation", "discrimination_loglikelihood"]
    assert "alignment_generation_tau_b" not in runs[1].metrics


def changed(file: Path, folder: Path, **parts: Any) -> Path:
    found = json.loads(file.read_text(encoding="utf-8"))
    path = folder / "results_changed.json"
    path.write_text(json.dumps(found | parts))
    return path


def test_what_is_not_finite_is_not_defined(lm_eval_results: Any, tmp_path: Path) -> None:
    results = json.loads(lm_eval_results("verbose").read_text())["results"]
    row = results["profile_summarization_generation"]
    row["tau_generation_length,none"] = float("nan")  # lm-eval writes NaN, which JSON has not
    row["rouge1,none"] = float("inf")
    (run,) = read_runs(changed(lm_eval_results("verbose"), tmp_path, results=results))
    assert run.metrics["tau_generation_length"] is None
    assert run.metrics["rouge1"] is None


def test_a_log_of_another_task_reports_nothing(tmp_path: Path) -> None:
    (log,) = inspect_eval(
        Task(dataset=[Sample(input="a", target="b")], scorer=includes(), name="arithmetic"),
        model=get_model("planted/balanced"),
        log_dir=str(tmp_path),
        display="none",
        log_realtime=False,
        fail_on_error=False,
    )
    with pytest.raises(NothingReportedError, match="a log of another task, arithmetic"):
        finished_runs(Path(log.location))


def test_an_unfinished_run_reports_nothing(inspect_log: Any, tmp_path: Path) -> None:
    log = read_eval_log(str(inspect_log("concise", setting="generation")))
    log.status = "error"
    write_eval_log(log, str(tmp_path / "failed.eval"))
    with pytest.raises(NothingReportedError, match=r"an unfinished run \(status: error\)") as told:
        finished_runs(tmp_path / "failed.eval")
    assert told.value.why.endswith(": `inspect eval-retry FILE` goes on with it")


def test_a_profile_of_people_is_no_run_of_a_model(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text(json.dumps({"n_pairs": 3, "factors": {"length": {"tau": 0.5}}}))
    (run,) = read_runs(file)
    assert (run.harness, run.model, run.factors) == ("influence", "people", ("length",))
    with pytest.raises(NothingReportedError, match="a profile of recorded preferences"):
        finished_runs(file)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.eval", "nothing", "not an Inspect log"),
        ("a.json", '{"version": 2, "status": "success"}', "not an Inspect log"),
        ("a.json", "{", r"neither an Inspect log nor a results file .* \(not JSON, or cut off: "),
        ("a.json", '{"n_pairs": 3, "factors": {"len', r"\(not JSON, or cut off: "),
        ("a.json", "[" * 100_000, r"\(not JSON, or cut off: "),
        ("a.txt", "hello", r"\(not JSON, or cut off: "),
        ("a.json", "[1, 2]", r"\(not a JSON object\)"),
        ("a.json", '{"a": 1}', r"\(no 'results'\)"),
        ("a.json", '{"results": {}}', r"\(no 'configs'\)"),
        ("a.json", '{"results": {"mmlu": {}}, "configs": {}}', "results of other tasks: mmlu"),
        ("a.json", '{"n_pairs": 3, "factors": {}, "perspective": "x"}', "perspective 'x' is unk"),
        ("a.json", '{"n_pairs": 3, "factors": {}, "annotators": 1}', "not as this version writes"),
        (
            "a.json",
            '{"results": {"profile_document_qa_generation": 1}, "configs": {}}',
            "a broken results file of lm-eval",
        ),
    ],
)
def test_a_file_of_no_use_is_named_in_one_line(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=problem) as error:
        read_runs(tmp_path / name)
    assert str(error.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no\.eval: there is no such file"):
        read_runs(tmp_path / "no.eval")
    with pytest.raises(ValueError, match=r"a folder; name the logs in it, e\.g\. with \*\.eval"):
        read_runs(tmp_path)


def test_a_log_is_told_by_its_ending_and_its_first_key(tmp_path: Path) -> None:
    for name, text, expected in (
        ("a.eval", "", True),
        ("log.json", '{\n "version": 2}', True),
        ("rows.json", '[{"version": 2}]', False),
        ("results.json", '{"results": {}}', False),
        ("rows.jsonl", '{"version": 2}', False),
    ):
        (tmp_path / name).write_text(text)
        assert is_log(tmp_path / name) is expected, name
    assert not is_log(tmp_path / "nowhere.json")


def test_older_results_keep_what_they_meant_as_today(lm_eval_results: Any, tmp_path: Path) -> None:
    file = lm_eval_results("verbose")
    configs = json.loads(file.read_text())["configs"]
    for config in configs.values():
        config["metadata"]["version"] = 1.0
    (today,), (older,) = read_runs(file), read_runs(changed(file, tmp_path, configs=configs))
    assert today.restated is None
    assert older.metrics == {n: v for n, v in today.metrics.items() if "_ci_" not in n}
    assert older.restated is not None
    assert "(task version 1.0), whose intervals were bootstrap ones" in older.restated
    assert older.restated.endswith("left out; run the tasks again")


def test_results_tell_groups_and_older_ones_sources(lm_eval_results: Any, tmp_path: Path) -> None:
    results = json.loads(lm_eval_results("verbose").read_text())["results"]
    for row in results.values():
        if "measured_groups,none" in row:
            row["measured_groups,none"] = 9
    (run,) = read_runs(changed(lm_eval_results("verbose"), tmp_path, results=results))
    assert (run.sources, run.groups) == (24, 9)
    for row in results.values():
        row.pop("measured_groups,none", None)
    (run,) = read_runs(changed(lm_eval_results("verbose"), tmp_path, results=results))
    assert (run.sources, run.groups) == (24, 24)
