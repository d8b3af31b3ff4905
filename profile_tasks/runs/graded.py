"""A finished run as recorded preferences: the grader's word on each annotated pair stands in it.

So whatever reads recorded factors reads a run's graded ones, without asking a model again.
"""

from collections.abc import Mapping
from pathlib import Path

from profile_tasks.data.preference import PREFERENCE_SIGNS, Preference
from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource, PreferenceData
from profile_tasks.runs.run import Run
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.scorers.statistics.study import JUDGE

_PREFERENCES: Mapping[int, Preference] = {sign: name for name, sign in PREFERENCE_SIGNS.items()}


def graded_preferences(run: Run, whose: str = "preference") -> PreferenceData:
    """The annotated pairs of a run, each with its grades as recorded factors.

    A grade is 1 for the response that shows more of the factor and 0 for the other one, 0 for both
    where neither does; it is absent where it is missing. Factors that are computed are computed
    anew. Of several epochs the first counts.

    Args:
        run: With its measurements and, in the same order, its answers.
        whose: "preference" of people, or "discrimination": of the model as a judge.

    Raises:
        ValueError: Nobody is called so, the model judged nothing, or no grader graded.
    """
    if whose not in ("preference", JUDGE):
        raise ValueError(
            f"{run.file}: a run holds no preference {whose!r}. Must be one of: preference, {JUDGE}"
        )
    computed = {factor.id for factor in load_taxonomy().values() if not factor.graded}
    sources: dict[str, AnnotatedSource] = {}
    for answered, measured in zip(run.answers, run.measurements, strict=True):
        if measured.source_id not in sources:
            sources[measured.source_id] = _graded(answered.source, measured, computed, whose)
    if not run.graders:
        raise ValueError(
            f"{run.file}: no grader graded in this run (--model-role grader=...), so it holds no "
            "grades that could be corrected"
        )
    planted = any("planted/" in grader for grader in run.graders)
    simulated = " (SIMULATED: no evidence about any model)" if planted else ""
    return PreferenceData(
        tuple(sources.values()),
        (),
        0,
        0,
        run.data,
        judge=None if whose == "preference" else run.model,
        read_as=f"grades of {', '.join(run.graders)}{simulated}, out of {Path(run.file).name}",
    )


def _graded(
    source: AnnotatedSource, measured: SourceMeasurement, computed: set[str], whose: str
) -> AnnotatedSource:
    judged = measured.discrimination if whose == JUDGE else measured.human
    if judged is None:
        raise ValueError(f"source {source.id!r}: the model judged no annotated pair in this run")
    pairs = zip(source.pairs, measured.annotated, judged, strict=True)
    return source.model_copy(
        update={
            "pairs": tuple(
                _with_grades(
                    pair,
                    {
                        f: s
                        for f, s in zip(measured.factors, signs, strict=True)
                        if f not in computed
                    },
                    None if preference is None else _PREFERENCES[preference],
                    people=whose != JUDGE,
                )
                for pair, signs, preference in pairs
            )
        }
    )


def _with_grades(
    pair: AnnotatedPair,
    grades: Mapping[str, int | None],
    preference: Preference | None,
    *,
    people: bool,
) -> AnnotatedPair:
    # What people recorded of a graded factor is their label of it, and no grade where one lacks.
    sides = {
        name: {f: v for f, v in recorded.items() if f not in grades}
        | {f: float(side * sign > 0) for f, sign in grades.items() if sign is not None}
        for name, recorded, side in (
            ("factors_a", pair.factors_a, 1),
            ("factors_b", pair.factors_b, -1),
        )
    }
    votes = pair.annotators if people else ()
    return pair.model_copy(update={**sides, "preference": preference, "annotators": votes})
