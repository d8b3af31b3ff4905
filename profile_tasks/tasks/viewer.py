"""How Inspect's log viewer shows a run: its headline, columns and labels."""

from inspect_ai.log import HeadlineMetric
from inspect_ai.viewer import TaskSamplesColumn, TaskSamplesView, ViewerConfig

from profile_tasks.settings import Setting

_SCORER = "factor_profile"

VIEWER = ViewerConfig(
    # Sources and responses come from data sets and models.
    trust_content=False,
    task_samples_view=TaskSamplesView(
        name="factor profile",
        columns=[
            TaskSamplesColumn(id="sampleStatus"),
            TaskSamplesColumn(id="sampleId"),
            TaskSamplesColumn(id="input"),
            TaskSamplesColumn(id="answer"),
            TaskSamplesColumn.score(_SCORER, "annotated_pairs"),
            TaskSamplesColumn.score(_SCORER, "judged_as_human"),
            TaskSamplesColumn.score(_SCORER, "written_pairs"),
            TaskSamplesColumn(id="tokens"),
            TaskSamplesColumn(id="duration"),
        ],
        multiline=False,
        score_labels={
            "annotated_pairs": "annotated pairs",
            "judged_as_human": "judged as by people",
            "written_pairs": "pairs written",
        },
    ),
)


def headline_metric(setting: Setting, *, own_pairs: bool) -> HeadlineMetric:
    """The one number of a run: whether it writes as it judges, else how far it follows people."""
    if setting == "both" and own_pairs:
        return HeadlineMetric(scorer=_SCORER, metric="self_agreement_pearson")
    asked = "generation" if setting == "generation" else "discrimination"
    return HeadlineMetric(scorer=_SCORER, metric=f"alignment_{asked}_tau_b")
