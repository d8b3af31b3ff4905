"""What a log tells Inspect's viewer: headline, columns, labels, and not to trust its texts."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, read_eval_log, recompute_metrics

from profile_tasks.document_qa import document_qa
from profile_tasks.scorers.statistics.estimate import is_interval_end
from profile_tasks.settings import Setting
from profile_tasks.tasks.feedback import document_qa_feedback
from profile_tasks.tasks.score_validity import document_qa_score_validity
from profile_tasks.tasks.self_guided import document_qa_self_guided

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


JUDGE = {
    "alignment_discrimination_tau_b": "judge alignment",
    "discrimination_accuracy_half_credit": "accuracy",
    "flip_rate": "flip rate",
}
WRITER = {"alignment_generation_tau_b": "writer alignment"}
BOTH = {"self_agreement_pearson": "self-agreement"} | JUDGE | WRITER
RATES = {"generation_missing_rate": "missing", "generation_identical_rate": "identical"}


def finished(task: Task, folder: Path) -> EvalLog:
    (written,) = inspect_eval(
        task,
        model="planted/verbose",
        log_dir=str(folder),
        display="none",
        log_realtime=False,
    )
    return read_eval_log(written.location, header_only=True)


@pytest.mark.parametrize(
    ("setting", "first"),
    [
        ("both", BOTH),
        ("generation", WRITER | {"rougeL": "ROUGE-L"} | RATES),
        ("discrimination", JUDGE | {"discrimination_kappa": "kappa"}),
    ],
)
def test_a_log_is_headed_by_short_words_for_the_points_that_matter(
    setting: Setting, first: dict[str, str], tmp_path: Path
) -> None:
    log = finished(document_qa(setting=setting, limit=3), tmp_path)
    assert heading(log, len(first)) == first
    assert log.results.headline.metric == next(iter(first))
    assert log.eval.viewer is not None
    assert log.eval.viewer.trust_content is False
    view = log.eval.viewer.task_samples_view
    columns = {column.id for column in view.columns}
    assert {f"score__factor_profile__{name}" for name in view.score_labels} <= columns


@pytest.mark.parametrize(
    ("task", "first"),
    [
        (
            document_qa_feedback,
            {
                "alignment_revision_self_less_none_tau_b": "self adds",
                "alignment_revision_none_tau_b": "align. none",
                "alignment_revision_self_tau_b": "align. self",
                "revision_win_rate_none": "wins none",
            },
        ),
        (
            document_qa_self_guided,
            {
                "decided_rate": "decided",
                "flip_rate": "flip rate",
                "unreadable_rate": "unreadable",
                "sample_identical_rate": "identical",
            },
        ),
        (
            document_qa_score_validity,
            {
                "score_validity_within": "r within",
                "score_compliance": "compliance",
                "score_validity_pooled": "r pooled",
                "score_validity_sources": "sources",
            },
        ),
    ],
)
def test_so_are_those_of_the_other_tasks(
    task: Callable[..., Task], first: dict[str, str], tmp_path: Path
) -> None:
    log = finished(task(limit=3), tmp_path)
    assert heading(log, len(first)) == first


def test_all_but_the_first_five_keep_their_name_as_their_label(inspect_log: Any) -> None:
    log = read_eval_log(str(inspect_log("verbose", "summarization")), header_only=True)
    (score,) = log.results.scores
    assert list(heading(log, 5)) == list(BOTH)
    assert len(score.metrics) > 400
    for name, metric in list(score.metrics.items())[5:]:
        assert metric.name == name


def test_of_the_points_that_are_printed_none_comes_after_an_end(read_inspect_log: Any) -> None:
    log = read_inspect_log("verbose", "summarization")
    recompute_metrics(log)  # what the scorer itself returns, and Inspect prints
    ends = [is_interval_end(name) for name in log.results.scores[0].metrics]
    assert ends == sorted(ends)
    assert sum(ends) == 6


def heading(log: EvalLog, n: int) -> dict[str, str]:
    """Names of the first metrics, as programs find them, and what the viewer calls them."""
    (score,) = log.results.scores
    return {name: metric.name for name, metric in list(score.metrics.items())[:n]}


@pytest.mark.slow
def test_no_run_is_warned_of_a_headline_that_is_not_there_yet(tmp_path: Path) -> None:
    """Inspect asks for the metrics first when no sample has been scored."""
    task, model = "profile_tasks/document_qa", "planted/verbose"
    command = ["eval", task, "-T", "limit=2", "--model", model, "--log-dir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "inspect_ai", *command, "--display", "plain"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert "self_agreement_pearson" in done.stdout
    assert "Headline" not in done.stdout + done.stderr
