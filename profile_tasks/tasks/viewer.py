"""How Inspect's log viewer shows a run: columns and labels.

Its headline is the first printed metric, as Inspect has it where a task declares none. One that is
declared by name is warned of as missing in every run, whose metrics are first asked for when no
sample has been scored yet. Beside it stand the next four (``LEADING`` in the metric catalogue).
"""

from inspect_ai.viewer import TaskSamplesColumn, TaskSamplesView, ViewerConfig

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
