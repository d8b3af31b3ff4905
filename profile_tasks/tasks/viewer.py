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


def headline_metric(setting: Setting) -> HeadlineMetric:
    """The one number of a run: how far the model judges, or else writes, by what people follow."""
    asked = "generation" if setting == "generation" else "discrimination"
    return HeadlineMetric(scorer=_SCORER, metric=f"alignment_{asked}_tau_b")
