"""What a log tells Inspect's viewer: headline, columns, labels, and not to trust its texts."""

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
    assert log.eval.headline_metric is not None
    assert log.eval.headline_metric.metric == headline
    (score,) = log.results.scores
    assert headline in score.metrics
    assert log.eval.viewer is not None
    assert log.eval.viewer.trust_content is False
    view = log.eval.viewer.task_samples_view
    columns = {column.id for column in view.columns}
    assert {f"score__factor_profile__{name}" for name in view.score_labels} <= columns
