"""A finished run measured by other factors, from the texts that its file holds, without a model.

So a factor that somebody thinks of afterwards, say a Python function, is measured on people, judge
and writer alike.
"""

from collections.abc import Sequence
from dataclasses import replace

from profile_tasks.data.preferences import recorded_factors
from profile_tasks.nearest_name import instead_of
from profile_tasks.runs.run import AnsweredSource, Run
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import (
    FactorChoice,
    needing_grader,
    read_selection,
    with_recorded,
)
from profile_tasks.scorers.factors.taxonomy import own_factors_hash, taxonomy_of
from profile_tasks.scorers.measurement.source_measurement import (
    Manifestations,
    SourceMeasurement,
    measure_source,
)


def remeasured(run: Run, factors: FactorChoice) -> Run:
    """The run with the measurements of these factors, and without the metrics of the others.

    Args:
        run: A run with its measurements and, in the same order, its answers.
        factors: Ids, taxonomy files and functions. What the run measured is taken as it stands
            there, graded factors too; all else is computed from the texts. "auto", or another word
            for several factors, stands for what the run measured.

    Raises:
        ValueError: A factor is unknown, or needs a grader and was not measured; the file does not
            hold the texts.
    """
    if len(run.answers) != len(run.measurements):
        raise ValueError(f"{run.file}: holds no texts that other factors could be measured on")
    asked = read_selection(factors, taxonomy_of([run.task]))
    there = run.measurements[0].factors
    known = with_recorded(
        asked, recorded_factors(answered.source for answered in run.answers), grader=False
    )
    names = asked.names
    if asked.word is not None:
        own = asked.functions.union(*asked.from_files.values())
        names = (*there, *(name for name in known if name in own and name not in there))
    if unknown := [name for name in names if name not in known and name not in there]:
        choices = dict.fromkeys((*there, *known))
        raise ValueError(f"factor {unknown[0]!r} is unknown{instead_of(unknown[0], choices)}")
    if again := sorted(asked.functions.intersection(there)):
        raise ValueError(
            f"{run.file}: factor {again[0]!r} was measured in the run; name your function otherwise"
        )
    computed = [known[name] for name in names if name not in there]
    if graded := needing_grader(computed):
        raise ValueError(
            f"{run.file}: factors {', '.join(graded)} need a grader model, and the run did not "
            "measure them"
        )
    definitions = own_factors_hash(computed)
    return replace(
        run,
        factors=names,
        conditions=dict(run.conditions) | ({"own_factors": definitions} if definitions else {}),
        metrics={},
        profile={},
        measurements=tuple(
            _measured(answered, measurement, names, computed)
            for answered, measurement in zip(run.answers, run.measurements, strict=True)
        ),
    )


def _measured(
    answered: AnsweredSource,
    found: SourceMeasurement,
    names: Sequence[str],
    computed: Sequence[Factor],
) -> SourceMeasurement:
    written = found.pairs_written
    anew = found.model_copy(update={"factors": (), "values": {}, "recorded": ()})
    if computed:
        anew = measure_source(
            answered.source,
            computed,
            responses_by_score=None if written is None else answered.responses,
            generation_pairs=[(pair.higher, pair.lower) for pair in written or ()],
        )
    new = {factor: at for at, factor in enumerate(anew.factors)}
    old = {factor: at for at, factor in enumerate(found.factors)}

    def joined(there: Manifestations, here: Manifestations) -> Manifestations:
        """The signs of each pair: as computed, else as the run has them."""
        return tuple(
            tuple(after[new[name]] if name in new else before[old[name]] for name in names)
            for before, after in zip(there, here, strict=True)
        )

    return found.model_copy(
        update={
            "factors": tuple(names),
            "annotated": joined(found.annotated, anew.annotated),
            "written": joined(found.written, anew.written),
            "values": {
                f: v for f, v in (*found.values.items(), *anew.values.items()) if f in names
            },
            "recorded": tuple(f for f in (*found.recorded, *anew.recorded) if f in names),
        }
    )
