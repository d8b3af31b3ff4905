"""What a log tells Inspect's viewer: headline, columns, labels, and not to trust its texts."""

import subprocess
import sys
from pathlib import Path

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.log import read_eval_log

from profile_tasks.document_qa import document_qa
from profile_tasks.settings import Setting

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


@pytest.mark.parametrize(
    ("setting", "headline"),
    [
        ("both", "self_agreement_pearson"),
        ("generation", "alignment_generation_tau_b"),
        ("discrimination", "alignment_discrimination_tau_b"),
    ],
)
def test_the_headline_is_a_metric_of_the_log(
    setting: Setting, headline: str, tmp_path: Path
) -> None:
    (written,) = inspect_eval(
        document_qa(setting=setting, limit=3),
        model="planted/verbose",
        log_dir=str(tmp_path),
        display="none",
        log_realtime=False,
    )
    log = read_eval_log(written.location, header_only=True)
    assert log.results.headline.metric == headline
    assert next(iter(log.results.scores[0].metrics)) == headline
    assert log.eval.viewer is not None
    assert log.eval.viewer.trust_content is False
    view = log.eval.viewer.task_samples_view
    columns = {column.id for column in view.columns}
    assert {f"score__factor_profile__{name}" for name in view.score_labels} <= columns


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
