"""The data that settings name, and whether they allow what a model is asked for.

The model must be shown what the annotators saw.
"""

from profile_tasks.data.preferences import PreferenceData, load_preferences
from profile_tasks.data.task_definition import definition_of
from profile_tasks.settings import DataSettings, PairSettings, Setting, Settings

_ABOUT_DATA = {*DataSettings.model_fields, *PairSettings.model_fields}


def load_data(settings: Settings, task: str | None = None) -> PreferenceData:
    """The data that settings name, as far as they speak of data.

    Args:
        settings: Those of a task.
        task: The key of a task; None takes the rows of all.

    Raises:
        PreferenceDataError: As of ``load_preferences``.
    """
    # A grader is validated on data whose labels are factors', which is another setting.
    about = _ABOUT_DATA if isinstance(settings, DataSettings) else _ABOUT_DATA - {"labels"}
    named = settings.model_dump(include=about)
    return load_preferences(task=task, source_file=named.pop("sources", None), **named)


def check_sources(task: str, data: PreferenceData, setting: Setting) -> None:
    """Refuse data that lack the sources that a setting needs.

    Args:
        task: The key of a task.
        data: The data.
        setting: What the model is asked for.

    Raises:
        ValueError: Rows name sources that they do not hold, or there is nothing to write about.
    """
    if data.unjoined_rows:
        raise ValueError(
            f"{data.name}: {data.unjoined_rows} rows name a source_id but hold no source; "
            "give the file that holds the sources: sources=FILE"
        )
    if setting == "discrimination":
        return
    for field, section in definition_of(task).sections:
        without = [source for source in data.sources if not getattr(source, field)]
        if section.required and without:
            raise ValueError(
                f"{data.name}: {len(without)} of {len(data.sources)} sources have no {field}, the "
                f"first with pair {without[0].pairs[0].id!r}, so there is nothing to write a "
                f"{definition_of(task).words.response} of; use setting=discrimination (in "
                f"lm-eval, the discrimination task), or give every row a {field!r}"
            )
