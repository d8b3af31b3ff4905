"""Inspect logs, the only place that opens one: the header, then the samples one at a time.

A log of thousands of sources is gigabytes of transcripts. What is read of it here is the scores,
and where texts are wanted the metadata and the store of a sample. Inspect's own readers build each
sample whole, or parse ten times as long (``read_eval_log_samples_by_id`` with ``exclude_fields``).
So the samples of a ``.eval`` file, a zip of JSON, are read by its layout as inspect-ai 0.3.285
writes it; a test says so.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from inspect_ai.log import EvalLog, EvalScore, read_eval_log
from pydantic_core import from_json

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.data.task_definition import TASK, TASK_DEFINITION, logged_definition
from profile_tasks.runs.run import (
    A_FOLDER,
    AUDIT,
    COMPARED_SETTINGS,
    MEANT_OTHERWISE,
    OWN_LABELS,
    PROBES,
    AnsweredSource,
    NothingReportedError,
    Run,
    finite_or_none,
    human_factors,
    stated,
    still_meant,
    utc,
)
from profile_tasks.scorers.inspect.evaluated_model import evaluated_model
from profile_tasks.scorers.inspect.full_profile import SCORER, every_metric, is_own_score
from profile_tasks.scorers.inspect.probe_scorer import JUDGE_AUDIT
from profile_tasks.scorers.measurement.own_labels import left_out
from profile_tasks.scorers.measurement.probed_source import ProbedSource, judge_findings
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.scorers.statistics.study import SELF_AGREEMENT
from profile_tasks.solvers.score_conditioned_generation import has_responses, written_responses

LoggedSample = Mapping[str, Any]
"""A sample as JSON has it: "id", "epoch", "scores", "metadata" and "store", at least."""

_READ = frozenset({"id", "epoch", "scores", "metadata", "store"})
_SAMPLES = "samples/"
_COMPARED_HERE = ("own_pairs", "fluency", "coherence", "control")
"""Settings among a run's conditions that lm-eval's tasks do not have."""
_WARNINGS = ("grader_warning", "factors_note")
_PRINTED_CONFIG = ("temperature", "top_p", "max_tokens", "reasoning_effort")


@dataclass(frozen=True)
class InspectLog:
    """An opened log.

    Attributes:
        location: File, or address that Inspect can read.
        header: Everything but the samples.
        held: The samples of a log in JSON, which can only be parsed as a whole.
        fields: What is read of a sample.
    """

    location: str
    header: EvalLog
    held: tuple[LoggedSample, ...] | None = None
    fields: frozenset[str] = _READ

    def samples(self) -> Iterator[LoggedSample]:
        """The samples by epoch and id, as Inspect reads them, each parsed when it is wanted.

        Raises:
            ValueError: The log is damaged.
        """
        try:
            yield from _zipped(self) if self.held is None else self.held
        except Exception as error:  # as many kinds as there are places to damage
            raise damaged(self.location, error) from error


def open_log(location: str, fields: frozenset[str] = _READ) -> InspectLog:
    """Open a log and read its header.

    Args:
        location: File, or address that Inspect can read.
        fields: What to read of a sample. More than by default takes longer: then its events are
            parsed too.

    Raises:
        FileNotFoundError: There is no such log.
        ValueError: The file is no log, or a folder.
    """
    if "://" not in location and Path(location).is_dir():
        raise ValueError(f"{location}: {A_FOLDER}")
    if "://" not in location and not Path(location).is_file():
        raise FileNotFoundError(f"{location}: there is no such log")
    try:
        if location.endswith(".json"):
            log = _of_json(location, fields)
        else:
            header = read_eval_log(location, header_only=True)
            log = InspectLog(location, header, fields=fields)
    except FileNotFoundError:
        raise
    except Exception as error:  # Inspect raises what its readers raise: KeyError, BadZipFile, ...
        raise ValueError(f"{location}: not an Inspect log ({_problem(error)})") from error
    if (definition := (log.header.eval.metadata or {}).get(TASK_DEFINITION)) is not None:
        try:
            logged_definition(definition)  # by its key it is found from now on
        except (AttributeError, ValueError) as error:
            raise damaged(location, error) from error
    return log


def score_name(log: InspectLog, score: str | None = None) -> str:
    """Name of the score of this project that is meant.

    Args:
        log: The log.
        score: As the user named it; None where the log holds one.

    Raises:
        ValueError: The log holds no such score, or several and none is named.
    """
    header = log.header
    names = [each.name for each in _own_scores(header)]
    if header.results is None:  # cut off; its samples have the names of the scorers
        names = list(_own_scorers(header))
    if score is None and len(names) > 1:
        raise ValueError(
            f"{log.location}: holds several scores; name one (--score): {', '.join(names)}"
        )
    if not names or score not in (None, *names):
        raise _no_score(log, score, names)
    return score or names[0]


def inspect_run(log: InspectLog, score: str | None = None) -> Run:
    """What the header says of a run.

    A log of an older version, or one that was scored again, lacks what this version reports: there
    it is computed anew from the samples.

    Args:
        log: The log.
        score: Name of the score; None: the last one of this project.

    Raises:
        NothingReportedError: A log of another task.
        ValueError: The log holds no such score.
    """
    header, reported = log.header, _reported(log, score)
    about, settings = header.eval.metadata or {}, _settings(header)
    metrics: dict[str, float | None] = {}
    profile: Mapping[str, Any] = {}
    scored = restated = None
    if reported is not None:
        metrics, profile, restated = _as_meant_today(log, reported)
        scored = reported.scored_samples
    grading = profile.get("grading") or {}
    graders = tuple(grading.get("graders") or ())
    # The scorer knows what it measured, whatever the task that uses it is called.
    named = (options.get("task") for options in _own_scorers(header).values())
    tasks = (about.get(TASK), *named)
    labels = profile.get(OWN_LABELS) or {}
    warnings = [
        *(grading.get("warnings") or ()),
        *map(about.get, _WARNINGS),
        *(left_out(places, why) for why, places in labels.get("unused", {}).items()),
    ]
    return Run(
        file=log.location,
        harness="inspect",
        model=evaluated_model(header),
        task=str(next(filter(None, tasks), header.eval.task.rpartition("/")[2])),
        name=header.eval.task,
        setting=str(settings.get("setting", "both")),
        status=header.status,
        date=utc(datetime.fromisoformat(header.stats.completed_at or header.eval.created)),
        sources=None if scored is None else scored // (header.eval.config.epochs or 1),
        data=str(about.get("data", "not stated")),
        factors=human_factors(metrics),
        settings=settings,
        conditions=conditions_of(header, graders) | stated({OWN_LABELS: labels.get("file")}),
        described=_described(header, profile, graders),
        metrics=dict(sorted(metrics.items())),
        profile=profile,
        graders=graders,
        warnings=tuple(filter(None, warnings)),
        restated=restated,
        score=reported.name if reported else score,
    )


def judge_audit_run(log: InspectLog) -> Run | None:
    """What the header says of an audit of a judge, which has metrics alone; None: no such log.

    A log that holds a profile too is read for that.
    """
    header, about = log.header, log.header.eval.metadata or {}
    asked = _options_of(header).get(JUDGE_AUDIT)
    if asked is None or _own_scorers(header):
        return None
    scores = header.results.scores if header.results else ()
    reported = next((score for score in scores if score.name == JUDGE_AUDIT), None)
    found = reported.metrics.items() if reported else ()
    metrics = {name: finite_or_none(each.value) for name, each in found}
    groups = metrics.get("measured_groups")
    scored = reported.scored_samples if reported else None
    return Run(
        file=log.location,
        harness="inspect",
        model=evaluated_model(header),
        task=str(about.get(TASK) or asked.get("task") or header.eval.task.rpartition("/")[2]),
        name=header.eval.task,
        setting=AUDIT,
        status=header.status,
        date=utc(datetime.fromisoformat(header.stats.completed_at or header.eval.created)),
        sources=None if scored is None else scored // (header.eval.config.epochs or 1),
        groups=None if groups is None else int(groups),
        data=str(about.get("data", "not stated")),
        settings=_settings(header),
        conditions=conditions_of(header, ())
        | stated({name: about.get(name) for name in ("wordings_version", "probe_texts_version")}),
        described=_described(header, {}, ()),
        metrics=metrics,
        score=JUDGE_AUDIT,
    )


def probed_sources(log: InspectLog) -> list[ProbedSource]:
    """What the judge said in the probes of each source of an audit.

    Raises:
        ValueError: The log is damaged.
    """
    found = []
    for sample in log.samples():
        if metadata := score_metadata(sample, JUDGE_AUDIT):
            try:
                found.append(ProbedSource.model_validate(metadata))
            except ValueError as error:
                raise damaged(log.location, error) from error
    return found


def with_probes(run: Run, log: InspectLog) -> Run:
    """An audit with all that its probes found, as metrics do not hold it, in ``profile``.

    It is what the task's own metrics are taken from, found anew from the samples.

    Raises:
        ValueError: The log is damaged, or holds no samples.
    """
    records = probed_sources(log)
    if not records:
        raise ValueError(f"{run.file}: the log holds no samples, which an audit is read from")
    seed = run.settings.get("seed")
    found = judge_findings(records, seed=seed if isinstance(seed, int) else 0)
    return replace(run, profile={PROBES: {name: each.record() for name, each in found.items()}})


def read_run(location: str, score: str | None = None, *, texts: bool = False) -> Run:
    """A run with what was measured on each sample.

    Args:
        location: File, or address that Inspect can read.
        score: Name of the score; None where the log holds one of this project.
        texts: Whether to keep the sources and what was written too.

    Raises:
        FileNotFoundError: There is no such log.
        ValueError: The file is no log, or a damaged one; it holds no score of this project, or
            holds several and none is named.
    """
    log = open_log(location)
    name = score_name(log, score)
    read = [(answered(s) if texts else None, m) for s, m in scored_samples(log, name)]
    if not read:
        raise _no_score(log, score)
    return replace(
        inspect_run(log, name),
        measurements=tuple(measurement for _, measurement in read),
        answers=tuple(answer for answer, _ in read if answer is not None),
    )


def with_measurements(run: Run, score: str | None = None) -> Run:
    """A run whose header was read, with what was measured; nothing where the log has no samples.

    Raises:
        ValueError: As of ``read_run``.
    """
    log = open_log(run.file)
    return replace(run, measurements=_measurements(log, score_name(log, score)))


def _measurements(log: InspectLog, score: str) -> tuple[SourceMeasurement, ...]:
    return tuple(measurement for _, measurement in scored_samples(log, score))


def scored_samples(log: InspectLog, score: str) -> Iterator[tuple[LoggedSample, SourceMeasurement]]:
    """The samples that have a score, with what was measured on each.

    Raises:
        ValueError: The log is damaged.
    """
    for sample in log.samples():
        # A sample that failed has no score; the counts of the profile leave it out.
        if metadata := score_metadata(sample, score):
            try:
                measurement = SourceMeasurement.model_validate(metadata)
            except ValueError as error:
                raise damaged(log.location, error) from error
            yield sample, measurement


def score_metadata(sample: LoggedSample, score: str) -> Mapping[str, Any]:
    """What a scorer recorded about a sample; empty where it did not score it."""
    return ((sample.get("scores") or {}).get(score) or {}).get("metadata") or {}


def answers(log: InspectLog) -> Iterator[AnsweredSource]:
    """The sources about which the model was asked to write for target scores, sample by sample.

    Raises:
        ValueError: The log is damaged.
    """
    for sample in log.samples():
        if has_responses(sample.get("store") or {}):
            try:
                source = answered(sample)
            except ValueError as error:
                raise damaged(log.location, error) from error
            yield source


def answered(sample: LoggedSample) -> AnsweredSource:
    """The source of a sample, with what was written about it.

    Raises:
        ValueError: The sample is about no source.
    """
    source, store = AnnotatedSource.model_validate(sample["metadata"]), sample.get("store") or {}
    if not has_responses(store):
        return AnsweredSource(source)
    responses, cut_off = written_responses(store)
    return AnsweredSource(source, responses, tuple(cut_off))


# The header --------------------------------------------------------------------------------------


def _own_scores(header: EvalLog) -> list[EvalScore]:
    scores = header.results.scores if header.results else ()
    return [score for score in scores if is_own_score(score.name)]


def _own_scorers(header: EvalLog) -> dict[str, Mapping[str, Any]]:
    """This project's scorers of profiles that were used: name -> what they were called with."""
    return {name: options for name, options in _options_of(header).items() if is_own_score(name)}


def _options_of(header: EvalLog) -> dict[str, Mapping[str, Any]]:
    scorers = header.eval.scorers or ()
    return {scorer.name.rpartition("/")[2]: scorer.options or {} for scorer in scorers}


def _reported(log: InspectLog, score: str | None) -> EvalScore | None:
    """The score of that name, or the last one; None where the run was cut off before it."""
    header, scores = log.header, _own_scores(log.header)
    if not scores and not _own_scorers(header):
        raise NothingReportedError(log.location, f"a log of another task, {header.eval.task}")
    if score is not None:
        score_name(log, score)
    return next((each for each in reversed(scores) if score in (None, each.name)), None)


def _as_meant_today(
    log: InspectLog, reported: EvalScore
) -> tuple[dict[str, float | None], Mapping[str, Any], str | None]:
    """Metrics and profile of a score as this version means them, and what was changed for that."""
    metrics = {name: finite_or_none(found.value) for name, found in reported.metrics.items()}
    profile: Mapping[str, Any] = (reported.metadata or {}).get("profile") or {}
    if SELF_AGREEMENT in profile:  # since version 3, if only to say that there is none
        return metrics, profile, None
    older = (
        f"the log is of an older version (task version {log.header.eval.task_version}), "
        f"{MEANT_OTHERWISE}: "
        if profile
        else ""
    )
    try:
        measured = list(_measurements(log, reported.name))
    except ValueError:  # so old that its measurements are others
        measured = []
    if not measured:
        lacking = older or "the log lacks the full profile, by which its version is known: "
        return still_meant(metrics), {}, f"{lacking}left out, since no samples give them anew"
    every, profile = every_metric(reported, measured, evaluated_model(log.header))
    anew = {name: finite_or_none(value) for name, value in every.items()}
    restated = f"{older}all is computed anew from its samples" if older else None
    return still_meant(metrics) | anew, profile, restated


def _settings(header: EvalLog) -> Mapping[str, Any]:
    """The record of the settings; of older logs, and of other tasks, the task's arguments."""
    return (header.eval.metadata or {}).get("settings") or header.eval.task_args


def conditions_of(header: EvalLog, graders: Sequence[str]) -> dict[str, str | int | float | None]:
    """What tells a run of any task apart, as ``Run.conditions`` has it.

    Args:
        header: The header of its log.
        graders: The models that graded.
    """
    about, settings = header.eval.metadata or {}, _settings(header)
    epochs = header.eval.config.epochs
    # Not the model's headers or arguments, which may hold a key.
    sampling = {n: getattr(header.eval.model_generate_config, n) for n in _PRINTED_CONFIG}
    return stated(
        {
            "task_version": header.eval.task_version,
            "prompt_version": about.get("prompt_version"),
            "data_hash": about.get("data_hash"),
            "pairs": about.get("loaded_pairs"),
            "own_factors": about.get("own_factors_hash"),
            **{name: settings.get(name) for name in (*COMPARED_SETTINGS, *_COMPARED_HERE)},
            "judged_by": (
                None
                if settings.get("setting") == "generation"
                else settings.get("judge_by", "words")
            ),
            # A log that was scored again names those who did in its score alone.
            "grader": ", ".join(graders) or about.get("grader"),
            "grader_prompt_version": about.get("grader_prompt_version"),
            **{
                name: settings.get(name) if graders or about.get("grader") else None
                for name in ("judge_orders", "judge_batch", "grading")
            },
            "epochs": epochs if epochs != 1 else None,
            **sampling,
            "version": about.get("package_version"),
        }
    )


def _described(
    header: EvalLog, profile: Mapping[str, Any], graders: Sequence[str]
) -> dict[str, object]:
    about, settings = header.eval.metadata or {}, _settings(header)
    labels = profile.get(OWN_LABELS)
    return {
        "run at": header.eval.created,
        "status": header.status,
        "model": evaluated_model(header),
        "grader": ", ".join(graders) or "none",
        "data": about.get("data", header.eval.dataset.name),
        "sources": about.get("loaded_sources", "?"),
        "annotated pairs": about.get("loaded_pairs"),
        "bad rows skipped": about.get("skipped_rows"),
        "people's labels of own pairs": labels
        and f"{labels['n_labelled']} of {labels['n_pairs']} ({labels['file']})",
        "merged of shards": (about.get("shards") or {}).get("of"),
        "epochs": header.eval.config.epochs,
        "setting": settings.get("setting"),
        "probes": _listed(settings.get("probes")),
        "target scores": settings.get("scores"),
        "pairing": settings.get("pairing"),
        "the model judged by": settings.get("judge_by"),
        "orders shown to the model": settings.get("orders"),
        "orders shown to the grader": settings.get("judge_orders"),
        "seed of the choices": settings.get("seed"),
        "seed of the statistics": profile.get("seed"),
        "bootstrap replicates": profile.get("replicates"),
        "task version": header.eval.task_version,
        "prompt version": about.get("prompt_version"),
        "grader prompt version": about.get("grader_prompt_version"),
        "factors of the user's own": ", ".join(about.get("own_factors", ())) or None,
        "versions": ", ".join(f"{name} {v}" for name, v in header.eval.packages.items()),
    }


def _listed(names: object) -> object:
    return ", ".join(map(str, names)) if isinstance(names, list | tuple) else names


# The file ----------------------------------------------------------------------------------------


def _of_json(location: str, fields: frozenset[str]) -> InspectLog:
    """A log in JSON. Its metrics may be NaN, over which Inspect's reader of headers stumbles."""
    with _opened(location) as file:
        content = _json(file.read())
    if not isinstance(content, dict):
        raise TypeError("not a JSON object")
    samples = content.pop("samples", None) or ()
    header = read_eval_log(io.BytesIO(json.dumps(content).encode()), format="json")
    header.location = location
    held = tuple({name: sample.get(name) for name in fields} for sample in samples)
    return InspectLog(location, header, held, fields)


def _zipped(log: InspectLog) -> Iterator[LoggedSample]:
    for _, content in stored_samples(log):
        yield without_events(content, log.fields)


def stored_samples(log: InspectLog) -> Iterator[tuple[zipfile.ZipInfo, bytes]]:
    """The samples of a ``.eval`` file as they stand in it, in the order of ``samples``.

    Importing inspect_ai.log has taught zipfile to read them.
    """
    numbers = {str(i) for i in log.header.eval.dataset.sample_ids or () if isinstance(i, int)}

    def place(name: str) -> tuple[int, str]:
        id_, _, epoch = name.removesuffix(".json").rpartition("_epoch_")
        id_ = id_.removeprefix(_SAMPLES)
        return int(epoch), id_.zfill(20) if id_ in numbers else id_

    with _opened(log.location) as file, zipfile.ZipFile(file) as archive:
        # A sample that was logged again stands there twice; the last one is read.
        names = {name for name in archive.namelist() if name.startswith(_SAMPLES)}
        for name in sorted(names, key=place):
            yield archive.getinfo(name), archive.read(name)


def stored_summaries(log: InspectLog) -> bytes:
    """The summaries of a ``.eval`` file's samples: a JSON array, as it stands there."""
    with _opened(log.location) as file, zipfile.ZipFile(file) as archive:
        return archive.read("summaries.json")


def without_events(content: bytes, fields: frozenset[str]) -> LoggedSample:
    """A sample's JSON; its events, nine tenths of it, only where they do not come last."""
    # Unescaped quotes stand in no text, so this can only be a key. Where it is not the key of the
    # sample itself, or not all that is read comes before it, everything is parsed.
    beginning, key, _ = content.partition(b',"events":[')
    if key:
        with suppress(ValueError):
            sample: dict[str, Any] = from_json(beginning + b"}")
            if sample.keys() >= fields:
                return sample
    whole: dict[str, Any] = _json(content)
    return whole


def _json(content: bytes) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        return from_json(content)
    except ValueError:  # e.g. half a surrogate pair, which only json reads
        return json.loads(content)


def _opened(location: str) -> IO[bytes]:
    if "://" not in location:
        return Path(location).open("rb")
    import fsspec

    opened: IO[bytes] = fsspec.open(location, "rb").open()
    return opened


# Errors ------------------------------------------------------------------------------------------


def _no_score(log: InspectLog, score: str | None, held: Sequence[str] = ()) -> ValueError:
    wanted = f"score of profile_tasks/{SCORER}" if score is None else f"score {score!r}"
    there = f"; it holds: {', '.join(held)}" if held else ""
    status = f"(status: {log.header.status})"
    return ValueError(f"{log.location}: no sample has a {wanted}{there} {status}")


def damaged(location: str, error: Exception) -> ValueError:
    """What is said of a log that cannot be read as this version writes it."""
    return ValueError(
        f"{location}: a damaged log, or one of another version of profile-tasks ({_problem(error)})"
    )


def _problem(error: Exception) -> str:
    first_line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first_line}"[:200] if first_line else type(error).__name__
