"""A finished run with people's labels of the pairs that it wrote, from the texts that it holds."""

from dataclasses import replace

from profile_tasks.runs.run import OWN_LABELS, Run
from profile_tasks.scorers.measurement.own_labels import labelled_own_pairs, read_own_labels


def labelled_run(run: Run, file: str) -> Run:
    """The run with what people say of the pairs that it wrote, and without its metrics.

    Args:
        run: A run with its measurements and, in the same order, its answers.
        file: Recorded preferences among the written texts, as of ``read_own_labels``.

    Raises:
        ValueError: As of ``read_own_labels``; the run wrote nothing, or none of the labels is about
            a pair that it wrote.
    """
    if len(run.answers) != len(run.measurements) or not any(a.responses for a in run.answers):
        raise ValueError(
            f"{run.file}: holds no texts that the model wrote for target scores, which labels of "
            "people could be about; give a run with setting generation or both"
        )
    labels = read_own_labels(file, run.task)
    measurements = tuple(
        labels.labelled(measured, answered.source, answered.responses)
        for answered, measured in zip(run.answers, run.measurements, strict=True)
    )
    notes = labels.notes(measurements)
    if not labelled_own_pairs(measurements):
        raise ValueError(f"{run.file}: {'; '.join(notes)}")
    return replace(
        run,
        metrics={},
        profile={},
        measurements=measurements,
        conditions={**run.conditions, OWN_LABELS: labels.name},
        warnings=(*run.warnings, *notes[1:]),
    )
