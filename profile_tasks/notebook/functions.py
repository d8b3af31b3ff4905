"""The functions of the Python API: thin over what the commands of the same names use.

``import profile_tasks`` gives them, and loads this module when one of them is first asked for.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypedDict, Unpack, cast

from profile_tasks.data.preference import Preference
from profile_tasks.data.preferences import (
    PreferenceData,
    load_of_only_judge,
    load_preferences,
)
from profile_tasks.nearest_name import instead_of
from profile_tasks.notebook.result import (
    DIFFERENCE,
    IN_SLICE,
    INFLUENCE,
    LESS_ELSEWHERE,
    PEOPLE,
    Result,
    Row,
)
from profile_tasks.report.findings import Findings, findings
from profile_tasks.report.headline import headline
from profile_tasks.report.influence_rows import WHO
from profile_tasks.report.report_data import profile_of_metrics, profile_of_record
from profile_tasks.report.slice_panels import slice_notes
from profile_tasks.runs.compare import compare_runs, paired_study
from profile_tasks.runs.influence_json import influence_run
from profile_tasks.runs.labelled import labelled_run
from profile_tasks.runs.lm_eval import read_sampled_run
from profile_tasks.runs.reading import is_log, read_runs
from profile_tasks.runs.remeasured import remeasured
from profile_tasks.runs.run import Run, finite_or_none
from profile_tasks.runs.signature import data_signature, judges_signature, signature
from profile_tasks.scorers.factors.selection import FactorChoice
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.measurement.contributions import (
    contributions_record,
    measured_preferences,
    recorded_preferences,
)
from profile_tasks.scorers.measurement.recorded import chosen_factors, recorded_profile
from profile_tasks.scorers.measurement.recorded_judges import KAPPA, SHARES, RecordedJudges
from profile_tasks.scorers.statistics.coverage import of_few_sources
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.held_out import N_FOLDS
from profile_tasks.scorers.statistics.metric_catalogue import OWN_PREFIX
from profile_tasks.scorers.statistics.records import side
from profile_tasks.scorers.statistics.study import (
    HUMAN,
    JUDGE,
    MODEL_PERSPECTIVES,
    OWN,
    REPLICATES,
    SELF_AGREEMENT,
)
from profile_tasks.scorers.statistics.taste import MARGIN
from profile_tasks.settings import Control, DataSettings
from profile_tasks.solvers.recorded_answers import RECORDED_NOTE, recorded_models

SIMULATED = "SIMULATED: a planted annotator took part; its figures say nothing about any model"
_PLANTED = "planted/"


class Finished(Protocol):
    """A finished evaluation that knows its file, as Inspect's ``eval()`` returns it."""

    location: str


RunSource = str | os.PathLike[str] | Finished


class Reading(TypedDict, total=False):
    """How preferences are read.

    Attributes:
        task: Only the rows of this task; rows that name none count as this task.
        format: Name of a format (docs/data.md) or a YAML file that describes one; else the only one
            that fits.
        map: Columns of the data -> fields of ours.
        labels: Labels of the data -> "a", "b", "tie" or None.
        sources: File of source texts, for rows that name a ``source_id``.
        preference_column: Where the preference stands; another than ``preference`` is a judge's.
        factors_column: Where factor values of people stand.
        limit: At most so many sources, chosen by the seed.
        skip_bad_rows: Leave bad rows out, told in ``notes``, instead of stopping.
    """

    task: str | None
    format: str | None
    map: Mapping[str, str] | None
    labels: Mapping[str, str | None] | None
    sources: str | os.PathLike[str] | None
    preference_column: str
    factors_column: str
    limit: int | None
    skip_bad_rows: bool


def profile(
    data: object,
    factors: FactorChoice = "auto",
    *,
    control: Control = "none",
    slices: Sequence[str] = (),
    replicates: int = 2000,
    seed: int = 0,
    **reading: Unpack[Reading],
) -> Result:
    """The factor profile of recorded preferences: how strongly they follow each factor.

    The numbers of ``profile-tasks influence``; no model is asked.

    Args:
        data: A pandas or Polars frame of annotated pairs, the path of a file of them, or the name
            of a data set: "demo" (with ``task``), "tldr", "shp2", "webgpt".
        factors: Ids, words for several ("auto", "surface"; they need a task), taxonomy files
            (.yaml), and functions of your own: ``["length", my_function]``, or with a name
            ``{"exclamations": function}``. A function takes the response, and ``source`` and
            ``prompt`` where it has parameters of these names; it returns a number, NaN where the
            factor is missing.
        control: "system": ``adjusted_influence_control`` too, with the strengths of ``system_a``
            and ``system_b`` held fixed.
        slices: Columns by whose values the pairs are held apart, ``task`` and ``length_class``
            among them (docs/slices.md).
        replicates: Bootstrap replicates, at least 100.
        seed: Of everything random.
        **reading: As of ``Reading``: task, format, map, labels, sources, preference_column,
            factors_column, limit, skip_bad_rows.

    Returns:
        ``influence`` (tau_14, from -1 to 1) and ``adjusted_influence`` (log odds) of each factor;
        by slice ``influence_in_slice`` and ``difference_in_slice``, the same less that elsewhere.

    Raises:
        TypeError: A function of yours takes other arguments or returns no number, or there is no
            such argument.
        ValueError: The data, or a setting, are not as they should be; the message names the place.
    """
    _check_resampling(replicates, seed)
    loaded = _loaded(data, reading, seed, of="profile")
    record = recorded_profile(
        loaded,
        factors,
        control=control,
        slices=(slices,) if isinstance(slices, str) else slices,
        replicates=replicates,
        seed=seed,
    )
    run = influence_run(record, loaded.name)
    found = findings(run)
    task = _tasks(loaded)
    return Result(
        title=f"{loaded.judge or PEOPLE} in {loaded.title}: {record['n_pairs']:,} decided pairs in "
        f"{record['n_groups']:,} groups; {record['n_preference_ties']:,} preference ties left out",
        rows=(*_influences(found, task), *_in_slices(found, task)),
        words=(*_slice_words(found), *headline(found)),
        notes=(
            *_notes(loaded),
            *_small(found),
            *of_few_sources(record["n_groups"], alignments=False),
        ),
        record=record | {"signature": signature(run)},
        signature=signature(run),
    )


def judges(
    data: object,
    names: Sequence[str] = (),
    factors: FactorChoice = "auto",
    *,
    replicates: int = 2000,
    seed: int = 0,
    **reading: Unpack[Reading],
) -> Result:
    """People beside every judge whose verdicts the data record; no model is asked.

    The numbers of ``profile-tasks judges``. The data have columns ``judge_NAME``, ``picks_NAME`` or
    ``probability_NAME`` (docs/recorded.md).

    Args:
        data: As of ``profile``.
        names: Only these judges.
        factors: As of ``profile``.
        replicates: As of ``profile``.
        seed: As of ``profile``.
        **reading: As of ``profile``.

    Returns:
        ``influence`` on each preference, ``difference`` of each judge's from people's, and the same
        after one scale as ``departure``; by the names that runs have, of each judge
        ``discrimination_accuracy_half_credit``, ``discrimination_accuracy`` (of decided pairs),
        ``discrimination_kappa``, ``flip_rate``, ``first_position_rate`` and ``unreadable_rate``.

    Raises:
        TypeError, ValueError: As of ``profile``; nothing is recorded, or not of that name.
    """
    _check_resampling(replicates, seed)
    loaded = _loaded(data, reading, seed, of="judges", one_judge=False)
    models = recorded_models(loaded.sources, loaded.name, names)
    chosen = chosen_factors(loaded, factors)
    found = RecordedJudges.of_data(loaded, models, chosen, replicates=replicates, seed=seed)
    people = found.people()
    record: dict[str, Any] = {
        "data": loaded.name,
        "recorded": RECORDED_NOTE,
        "reference": found.reference,
        "replicates": replicates,
        "seed": seed,
        found.reference: people,
        "judges": {name: found.record(name) for name in found.measurements},
    }
    task = _tasks(loaded)
    whose = HUMAN if loaded.judge is None else "recorded"
    rows = list(_taus(people["factors"], task, found.reference, whose))
    for name, judged in record["judges"].items():
        rows += _taus(judged["factors"], task, name, MODEL_PERSPECTIVES[0])
        rows += _differences(judged["factors"], task, name, MODEL_PERSPECTIVES[0])
        rows += [
            Row(metric, _judged(judged, own), task, name, MODEL_PERSPECTIVES[0], n=n)
            for own, metric in {**SHARES, KAPPA: f"{MODEL_PERSPECTIVES[0]}_{KAPPA}"}.items()
            for n in [judged["n_decided" if own == "accuracy_decided" else "n"]]
        ]
    n = len(record["judges"])
    return Result(
        title=f"{loaded.title}: {n} judge{'s' * (n != 1)} beside {found.reference}",
        rows=tuple(rows),
        notes=(RECORDED_NOTE, *_notes(loaded)),
        record=record,
        signature=judges_signature(loaded, chosen, found),
    )


def contributions(
    source: object,
    names: Sequence[str] = (),
    factors: FactorChoice = "auto",
    *,
    human_labels: str | None = None,
    folds: int = N_FOLDS,
    seed: int = 0,
    **reading: Unpack[Reading],
) -> Result:
    """What each factor, and each level of factors, contributes; no model is asked.

    The numbers of ``profile-tasks contributions`` (docs/contributions.md).

    Args:
        source: As of ``profile``, maybe with verdicts as of ``judges``; or the Inspect log of a
            finished run, for which the next three, and how preferences are read, say nothing.
        names: Only these judges.
        factors: As of ``profile``.
        human_labels: A mapping from human labels to factors, as of ``influence --human-labels``: by
            them the reliability of recorded grades.
        folds: Into so many folds the sources are dealt, at least 2.
        seed: Of everything random.
        **reading: As of ``profile``.

    Returns:
        Of each preference and factor ``share`` of what all factors explain, ``contribution``,
        ``alone``, ``without`` (what the others explain without it) and ``lost``; ``explained`` by
        all; ``held_out_accuracy`` of the factors, and ``held_out_difference`` to length alone and
        to each judge. Alignments by level and correlations are in ``record``.

    Raises:
        TypeError, ValueError: As of ``profile`` and ``judges``; the log is damaged.
    """
    if folds < 2:
        raise ValueError(f"folds is {folds!r}; expected a whole number of at least 2")
    model = None
    if _is_finished(source):
        if names or human_labels is not None or reading or factors != "auto":
            raise ValueError(f"{source} is a log, for which only folds and seed say something")
        from profile_tasks.runs.inspect_log import read_run as read_log

        run = read_log(_location(cast("RunSource", source)), None)
        found = measured_preferences(run.measurements, load_taxonomy())
        model, line, title = run.model, signature(run), f"{run.model} on {run.task}"
        task: str | None = run.task
        notes = [note for each in (model, *run.graders) for note in _kind(each)]
    else:
        loaded = _loaded(source, reading, seed, of="contributions", one_judge=False)
        found = recorded_preferences(loaded, names, factors, human_labels)
        title, task, judged = loaded.title, _tasks(loaded), tuple(found.verdicts)
        chosen = chosen_factors(loaded, factors)
        line = data_signature("contributions", loaded, chosen, judges=judged, seed=seed)
        notes = [*([RECORDED_NOTE] if judged else ()), *_notes(loaded)]
    record = contributions_record(found, n_folds=folds, seed=seed)
    rows: list[Row] = []
    for whose, profile in record["profiles"].items():
        who = whose if model is None else PEOPLE if whose == HUMAN else model
        role = None if model is None else whose
        rows.append(Row("explained", Estimate.of_record(profile["explained"]), task, who, role))
        rows += [
            Row(quantity, Estimate.of_record(entry[quantity]), task, who, role, factor)
            for quantity in ("share", "contribution", "alone", "without", "lost")
            for factor, entry in profile["factors"].items()
        ]
    held_out = record["held_out"]
    accuracy = Estimate.of_record(held_out["accuracy"])
    rows.append(Row("held_out_accuracy", accuracy, task, "factors", n=held_out["n"]))
    rows += [
        Row(
            "held_out_difference",
            Estimate.of_record(beside["difference"]),
            task,
            f"factors \N{MINUS SIGN} {name}",
            n=beside["n"],
        )
        for name, beside in held_out["beside"].items()
    ]
    cautions = (c for profile in record["profiles"].values() for c in profile["cautions"])
    return Result(
        title=f"{title}: what each factor contributes",
        rows=tuple(rows),
        notes=tuple(dict.fromkeys((*notes, *cautions))),
        record=record,
        drawn="share",
        signature=line,
    )


def read_run(
    source: RunSource | Sequence[RunSource],
    factors: FactorChoice | None = None,
    *,
    own_labels: str | os.PathLike[str] | None = None,
    score: str | None = None,
) -> Result:
    """The profile of a finished run by perspective, its alignments and its accuracy.

    Args:
        source: An Inspect log (its file, or what ``eval()`` returned), a results file of lm-eval,
            samples that it logged (``.jsonl``, or a list of those of one run), or JSON of
            ``profile-tasks influence``.
        factors: None: those of the run, with its numbers as they are reported. Else as of
            ``profile``, measured on the texts of the log or the samples, no model being asked; what
            the run measured is taken as it stands there, and a word such as "auto" is all of that.
        own_labels: File of people's preferences among the texts that the model wrote: of a log, or
            of samples with those of the generation task (docs/own-labels.md).
        score: Name of the score, where a log holds several.

    Returns:
        By perspective ("human", "discrimination", "generation", "own") ``influence``,
        ``adjusted_influence`` and ``difference`` to people; ``alignment_tau_b`` and the other
        coefficients; ``self_agreement_...``, the gap and the standard metrics by their names. Where
        people judged what the model wrote, the same among these texts as ``own_influence``,
        ``own_difference``, ``own_alignment_tau_b`` and so on.

    Raises:
        FileNotFoundError: There is no such file.
        TypeError: As of ``profile``.
        ValueError: The file is none of these, a broken one, or of another task.
    """
    runs = _runs(source, factors, score, own_labels)
    found = [findings(run) for run in runs]
    return Result(
        title="; ".join(map(_titled, found)),
        rows=tuple(row for each in found for row in _run_rows(each)),
        words=tuple(said for each in found for said in (*_slice_words(each), *headline(each))),
        notes=tuple(
            dict.fromkeys(
                note
                for each in found
                for note in (*_kind(each.run.model), *_told(each.run), *_small(each))
            )
        ),
        record={
            "runs": [
                {
                    "model": run.model,
                    "task": run.task,
                    "metrics": dict(run.metrics),
                    "profile": dict(run.profile),
                }
                for run in runs
            ]
        },
        signature="\n".join(map(signature, runs)),
    )


def compare(
    first: RunSource,
    second: RunSource,
    factors: FactorChoice | None = None,
    *,
    score: str | None = None,
    margin: float = MARGIN,
    replicates: int = 2000,
    seed: int = 0,
) -> Result:
    """Two models on the same sources, from their Inspect logs: A less B, paired by source.

    The numbers of ``profile-tasks compare``.

    Args:
        first: Run A: its Inspect log, or what ``eval()`` returned.
        second: Run B, over the same data.
        factors: As of ``read_run``.
        score: Name of the score, where a log holds several.
        margin: Judges' tastes are equivalent where every departure, in tau, is shown to be smaller.
        replicates: As of ``profile``.
        seed: As of ``profile``.

    Returns:
        ``influence`` of people, A and B by perspective; ``difference``, A less B, of each factor,
        and of judges ``departure``, the same after one scale; the differences of alignments and of
        accuracy, as ``difference_alignment_...`` and so on.

    Raises:
        FileNotFoundError, TypeError: As of ``read_run``.
        ValueError: As of ``read_run``; the runs share no source or no factor, or are over other
            data.
    """
    _check_resampling(replicates, seed)
    runs = [_log(each, factors, score) for each in (first, second)]
    sampling: dict[str, int] = {"replicates": replicates, "seed": seed}
    record = compare_runs(runs[0], runs[1], margin=margin, **sampling)
    study, _, _ = paired_study(runs[0], runs[1], **sampling)
    task = runs[0].task
    models = [run.model for run in runs]
    if models[0] == models[1]:
        models = [f"{model} ({name})" for name, model in zip("AB", models, strict=True)]
    both = f"{models[0]} \N{MINUS SIGN} {models[1]}"
    not_live = [run.not_live for run in runs if run.not_live]  # said once, by ``_kind``
    rows: list[Row] = []
    for name, model in zip("AB", models, strict=True):
        for perspective in (HUMAN, *record["perspectives"]):
            if name == "B" and perspective == HUMAN:
                continue  # people are the same
            table = side(name, perspective)
            counts = study.profiles[table]
            rows += [
                Row(
                    INFLUENCE,
                    number,
                    task,
                    PEOPLE if perspective == HUMAN else model,
                    perspective,
                    factor,
                    int(counts.n_pairs - counts.missing[i]),
                )
                for i, (factor, number) in enumerate(study.influence(table).items())
            ]
    for perspective, compared in record["perspectives"].items():
        for factor, entry in compared["factors"].items():
            number = Estimate.of_record(entry)
            rows.append(Row(DIFFERENCE, number, task, both, perspective, factor))
            if "taste" in entry:
                departure = Estimate.of_record(entry["taste"])
                rows.append(Row("departure", departure, task, both, perspective, factor))
    rows += [
        Row(f"{DIFFERENCE}_{metric}", Estimate.of_record(entry), task, both)
        for metric, entry in {**record["alignments"], **record["agreement"]}.items()
    ]
    return Result(
        title=f"{models[0]} (A) less {models[1]} (B) on {task}: {record['n_sources']} sources in "
        f"{record['n_groups']} groups",
        rows=tuple(rows),
        words=tuple(record["words"]),
        notes=tuple(
            dict.fromkeys(
                (
                    *(n for run in runs for n in _kind(run.model)),
                    record["differ_in"],
                    *(n for n in record["notes"] if not any(each in n for each in not_live)),
                )
            )
        ),
        record=record,
        drawn=DIFFERENCE,
        signature="\n".join(record[f"signature_{name}"] for name in "ab"),
    )


# Preferences --------------------------------------------------------------------------------------


def _loaded(
    data: object, reading: Reading, seed: int, *, of: str, one_judge: bool = True
) -> PreferenceData:
    """The preferences; where only one judge's stand there, and that is allowed, they are its."""
    if unknown := [name for name in reading if name not in Reading.__annotations__]:
        known = Reading.__annotations__
        raise TypeError(f"{of}() has no argument {unknown[0]!r}{instead_of(unknown[0], known)}")
    formats = ("format", "map", "labels")
    settings = DataSettings.read({n: v for n, v in reading.items() if n in formats})
    sources = reading.get("sources")

    def load(column: str) -> PreferenceData:
        return load_preferences(
            data,
            task=reading.get("task"),
            format=settings.format,
            map=settings.map,
            labels=cast("Mapping[str, Preference | None] | None", settings.labels),  # checked
            source_file=None if sources is None else os.fspath(sources),
            preference_column=column,
            factors_column=reading.get("factors_column", "factors"),
            skip_bad_rows=reading.get("skip_bad_rows", False),
            limit=reading.get("limit"),
            seed=seed,
        )

    column = reading.get("preference_column", "preference")
    return load_of_only_judge(load, column) if one_judge else load(column)


def _notes(data: PreferenceData) -> Iterator[str]:
    """What was left out of the data, in words."""
    if data.read_as:
        yield data.read_as
    if data.skipped:
        yield f"{len(data.skipped)} bad rows left out; the first: {data.skipped[0]}"
    if data.judge and data.unjudged_pairs:
        yield f"{data.unjudged_pairs} pairs without a verdict in {data.judge!r} left out"
    if data.unjoined_rows:
        yield (
            f"{data.unjoined_rows} rows name a source_id, and no sources are given; factors that "
            "need the source are missing there"
        )


def _tasks(data: PreferenceData) -> str | None:
    return ", ".join(dict.fromkeys(s.task for s in data.sources if s.task)) or None


def _check_resampling(replicates: int, seed: int) -> None:
    if replicates < 100:
        raise ValueError(f"replicates is {replicates!r}; expected a whole number of at least 100")
    if seed < 0:
        raise ValueError(f"seed is {seed!r}; expected a whole number of at least 0")


# Runs ---------------------------------------------------------------------------------------------


def _is_finished(source: object) -> bool:
    """Whether this is an Inspect log, or what ``eval()`` returned."""
    if isinstance(source, str | os.PathLike):
        return is_log(Path(source))
    return isinstance(getattr(source, "location", None), str)


def _location(source: RunSource) -> str:
    if isinstance(source, str | os.PathLike):
        return str(Path(source).expanduser()) if "://" not in str(source) else str(source)
    return source.location.removeprefix("file://")


def _locations(source: RunSource | Sequence[RunSource]) -> list[str]:
    if isinstance(source, Sequence) and not isinstance(source, str):
        return [_location(each) for each in source]
    return [_location(source)]


def _runs(
    source: RunSource | Sequence[RunSource],
    factors: FactorChoice | None,
    score: str | None,
    own_labels: str | os.PathLike[str] | None,
) -> list[Run]:
    files = _locations(source)
    if all(file.endswith(".jsonl") for file in files):
        run = read_sampled_run(files)
        run = run if factors is None else remeasured(run, factors)
        return [_estimated(_labelled(run, own_labels), {})]
    if len(files) != 1:
        raise ValueError(
            f"{', '.join(files)}: several files are one run only where lm-eval logged them as "
            "samples (.jsonl); read others one by one"
        )
    if factors is not None or own_labels is not None:
        return [_log(files[0], factors, score, own_labels)]
    runs = list(read_runs(Path(files[0]), score))
    if any(run.is_audit for run in runs):
        raise ValueError(f"{files[0]}: an audit of a judge, which `profile-tasks report` shows")
    return runs


def _labelled(run: Run, own_labels: str | os.PathLike[str] | None) -> Run:
    return run if own_labels is None else labelled_run(run, os.fspath(own_labels))


def _log(
    source: RunSource,
    factors: FactorChoice | None,
    score: str | None,
    own_labels: str | os.PathLike[str] | None = None,
) -> Run:
    """A run of Inspect with its measurements, by other factors and with labels where these are."""
    file = _location(source)
    if "://" not in file and Path(file).is_file() and not is_log(Path(file)):
        raise ValueError(
            f"{file}: no Inspect log, and only logs and samples hold what this needs: the texts "
            "and verdicts of each source"
        )
    from profile_tasks.runs.inspect_log import read_run as read_log  # imports Inspect

    if factors is None and own_labels is None:
        return read_log(file, score)
    run = read_log(file, score, texts=True)
    measured = run if factors is None else remeasured(run, factors)
    return _estimated(_labelled(measured, own_labels), run.profile)


def _estimated(run: Run, reported: Mapping[str, Any]) -> Run:
    """A run with the numbers of its measurements, resampled as it was reported to be."""
    from profile_tasks.scorers.inspect.full_profile import metrics_and_profile

    metrics, record = metrics_and_profile(
        list(run.measurements),
        run.model,
        int(reported.get("replicates") or REPLICATES),
        int(reported.get("seed") or 0),
    )
    return replace(
        run,
        metrics={name: finite_or_none(value) for name, value in metrics.items()},
        profile=record,
        factors=run.measurements[0].factors,
    )


def _kind(model: str) -> Iterator[str]:
    """That a model is none, or did not answer in this run."""
    if _PLANTED in model:
        yield SIMULATED
    if model.startswith("recorded/"):
        yield RECORDED_NOTE


def _titled(found: Findings) -> str:
    sources = found.run.sources
    return f"{found.model} on {found.run.task} ({found.kind})" + (
        "" if sources is None else f": {sources:,} sources"
    )


def _told(run: Run) -> Iterator[str]:
    if run.restated:
        yield run.restated
    yield from run.warnings


# Rows ---------------------------------------------------------------------------------------------


def _run_rows(found: Findings) -> Iterator[Row]:
    task, model = found.run.task, found.model
    yield from _influences(found, task)
    for perspective, differences in found.differences.items():
        for factor, difference in differences.items():
            yield Row(DIFFERENCE, difference.number, task, model, perspective, factor)
    for perspective, taste in found.tastes.items():
        for factor, departure in taste.factors.items():
            yield Row("departure", departure.number, task, model, perspective, factor)
    known = found.run.profile.get("alignment_to_human", {})
    for perspective, by_coefficient in found.alignments.items():
        n = known.get(perspective, {}).get("n_factors")
        for coefficient, each in by_coefficient.items():
            name = f"alignment_{coefficient}"
            yield Row(name, each.number, task, model, perspective, n=n)
            if each.disattenuated.defined or each.disattenuated.reason:
                name += "_disattenuated"
                yield Row(name, each.disattenuated, task, model, perspective, n=n)
    for coefficient, each in found.self_agreement.items():
        yield Row(f"{SELF_AGREEMENT}_{coefficient}", each.number, task, model)
    for name, number in (*found.gap.items(), *found.metrics.items()):
        yield Row(name, number, task, model)
    yield from _in_slices(found, task)
    for row in () if found.own is None else _run_rows(found.own):
        own = OWN_PREFIX + row.quantity
        if own not in found.metrics:  # where those beside the profile stand too
            yield replace(row, quantity=own)


def _in_slices(found: Findings, task: str | None) -> Iterator[Row]:
    for sliced in found.slices:
        for label, parts in sliced.parts.items():
            part = f"{sliced.column}: {label}"
            for whose, held in parts.items():
                who = PEOPLE if whose == HUMAN else found.model
                for factor, each in held.factors.items():
                    at = (task, who, whose, factor, held.n_pairs, part)
                    yield Row(IN_SLICE, each.tau, *at)
                    yield Row(LESS_ELSEWHERE, each.difference, *at)
        for label, judged in sliced.judge.items():
            part = f"{sliced.column}: {label}"
            for name, number in judged.estimates.items():
                quantity = f"{name}_in_slice"
                n = judged.n_pairs
                yield Row(quantity, number, task, found.model, JUDGE, n=n, slice=part)


def _small(found: Findings) -> Iterator[str]:
    for sliced in found.slices:
        for note in slice_notes(sliced):
            yield f"by {sliced.column}: {note}"


def _slice_words(found: Findings) -> Iterator[str]:
    for sliced in found.slices:
        for whose, said in sliced.words.items():
            yield f"{WHO[whose]} by {sliced.column}: {said}"


def _influences(found: Findings, task: str | None) -> Iterator[Row]:
    profiles = dict(found.profiles)
    if OWN in found.run.profile:
        profiles[OWN] = profile_of_record(found.run.profile[OWN])
    elif any(name.startswith(f"tau_{OWN}_") for name in found.run.metrics):
        run = found.run
        profiles[OWN] = profile_of_metrics(run.metrics, OWN, run.factors, run.groups)
    for perspective, held in profiles.items():
        model = PEOPLE if perspective == HUMAN else found.model
        for quantity, attribute in (
            (INFLUENCE, "tau"),
            ("adjusted_influence", "adjusted"),
            ("adjusted_influence_control", "controlled"),
        ):
            for factor, influence in held.influences.items():
                number: Estimate = getattr(influence, attribute)
                if attribute == "tau" or number.defined or number.reason:
                    yield Row(quantity, number, task, model, perspective, factor, influence.n)


def _taus(
    factors: Mapping[str, Any], task: str | None, model: str, perspective: str
) -> Iterator[Row]:
    for factor, entry in factors.items():
        n = sum(entry[count] for count in ("concordant", "discordant", "tied"))
        yield Row(INFLUENCE, Estimate.of_record(entry, "tau"), task, model, perspective, factor, n)


def _judged(judged: Mapping[str, Any], metric: str) -> Estimate:
    """A share, or kappa, in the record of a judge."""
    number = Estimate.of_metrics(judged, metric)
    return replace(number, reason=judged[f"{metric}_reason"])


def _differences(
    factors: Mapping[str, Any], task: str | None, model: str, perspective: str
) -> Iterator[Row]:
    for factor, entry in factors.items():
        of = entry["difference"]
        yield Row(DIFFERENCE, Estimate.of_record(of), task, model, perspective, factor)
        yield Row("departure", Estimate.of_record(of["taste"]), task, model, perspective, factor)
