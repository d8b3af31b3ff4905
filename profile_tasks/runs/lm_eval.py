"""What lm-eval leaves behind: results files, and the samples of this project's tasks.

A results file reports under the names of an Inspect log's metrics. Samples (``--log_samples``) hold
the answers as well, and what was measured on each source.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, cast, get_args

from profile_tasks.data.content_hash import content_hash
from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.data.task_definition import (
    PREFERENCE,
    TASK,
    TASK_DEFINITION,
    logged_definition,
    packaged_tasks,
)
from profile_tasks.runs.run import (
    COMPARED_SETTINGS,
    LIKELIHOOD,
    MEANT_OTHERWISE,
    OWN_LABELS,
    OWN_PAIRS,
    AnsweredSource,
    NothingReportedError,
    Run,
    finite_or_none,
    human_factors,
    stated,
    still_meant,
    utc,
)
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.settings import Pairing
from profile_tasks.solvers.target_scores import generation_pairs, response_text
from profile_tasks.whole_files import read_whole

MEASURED = "measured_sources"
"""The field of a sample that holds its measurement, and the metric that counts them."""

GROUPS = "measured_groups"
"""The metric that counts the groups of these."""

GRADING = "profile_tasks_grading"
"""What ``score-lm-eval`` adds to a results file: who graded which factors, and warnings."""

PLANTED_PROFILE = "balanced"
"""The planted annotator's profile where no argument names one."""

UNKNOWN_MODEL = "unknown"

_FIRST_AS_MEANT = 2.0
"""The first version of the tasks in lm-eval whose metrics mean what they mean today."""

_TASK = re.compile(
    rf"profile_({'|'.join((*packaged_tasks(), PREFERENCE))})_(generation|{LIKELIHOOD}"
    rf"|discrimination|{OWN_PAIRS})"
)
_SAMPLES = re.compile(r"samples_.+_(?P<date>\d{4}-\d\d-\d\dT[^_]+)\.jsonl")
_NAMES = ("peft", "delta", "pretrained", "model", "path", "engine", "profile")
"""Model arguments that name the model, in lm-eval's own order; the last is of planted models."""


def read_results(location: str | Path) -> dict[str, Any]:
    """A results file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no results file of lm-eval.
    """
    path = Path(location)
    if not path.is_file():
        raise FileNotFoundError(f"{location}: there is no such results file")
    try:
        results = json.loads(read_whole(path))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{location}: not JSON in UTF-8 ({error})") from error
    if not isinstance(results, dict) or not isinstance(results.get("results"), dict):
        raise ValueError(f"{location}: no results file of lm-eval: field 'results' is missing")
    return results


def results_beside(samples: str | Path) -> Path | None:
    """The results file that lm-eval wrote with a file of samples; None where it is gone.

    >>> results_beside("out/samples_profile_document_qa_generation_2026-01-02T03-04-05.6.jsonl")
    """
    named = _SAMPLES.fullmatch(Path(samples).name)
    if named is None:
        return None
    beside = Path(samples).with_name(f"results_{named['date']}.json")
    return beside if beside.is_file() else None


def lm_eval_name(task: str, kind: str = "") -> str:
    """What a task is called in lm-eval.

    Args:
        task: The task's key.
        kind: What is run of it; empty: the group of all.

    >>> lm_eval_name("summarization", "generation"), lm_eval_name("my_task#1a2b3c4d")
    ('profile_summarization_generation', 'profile_preference')
    """
    own_folder = (files("profile_tasks.task_configs") / task).is_dir()
    named = task if own_folder else PREFERENCE
    return "_".join(filter(None, ("profile", named, kind)))


def model_of(results: Mapping[str, Any]) -> str:
    """The model behind results, as ``<lm-eval's model type>/<name>``, which is Inspect's form too.

    lm-eval's own ``model_name`` is a random word where no argument names the model.

    >>> model_of({"config": {"model": "hf", "model_args": {"pretrained": "gpt2"}}})
    'hf/gpt2'
    >>> model_of({"config": {"model": "planted", "model_args": "profile=verbose,seed=1"}})
    'planted/verbose'
    """
    config = results.get("config") or {}
    kind, arguments = str(config.get("model") or "unknown"), config.get("model_args") or {}
    if isinstance(arguments, str):
        arguments = dict(part.partition("=")[::2] for part in arguments.split(","))
    if kind == "planted":
        arguments = {"profile": PLANTED_PROFILE} | arguments
    names = [str(arguments[name]) for name in _NAMES if arguments.get(name)]
    return f"{kind}/{names[0]}" if names else kind


def results_runs(results: Mapping[str, Any], location: str) -> tuple[Run, ...]:
    """The runs in a results file: generation and discrimination of the same sources are one.

    Log-likelihood tasks stand apart, and own pairs, whose texts another run wrote.

    Args:
        results: The file's JSON.
        location: Where it stands.

    Raises:
        NothingReportedError: It holds none of this project's tasks.
        ValueError: It is no results file of lm-eval, or a broken one.
    """
    tasks: dict[tuple[str, str], dict[str, str]] = {}
    for name in results["results"]:
        if found := _TASK.fullmatch(name):
            task, setting = found.groups()
            apart = setting if setting in (LIKELIHOOD, OWN_PAIRS) else ""
            tasks.setdefault((task, apart), {})[setting] = name
    if not tasks:
        held = ", ".join(results["results"]) or "none"
        raise NothingReportedError(location, f"results of other tasks: {held}")
    try:
        return tuple(
            _results_run(results, location, task, names) for (task, _), names in tasks.items()
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"{location}: a broken results file of lm-eval ({error!r})") from error


def _results_run(
    results: Mapping[str, Any], location: str, task: str, names: Mapping[str, str]
) -> Run:
    """One run of the lm-eval tasks of these names, by setting."""
    metrics: dict[str, float | None] = {}
    counts: dict[str, list[float | None]] = {MEASURED: [], GROUPS: []}
    for name in names.values():
        values = _plain(results["results"][name])
        for what, found in counts.items():
            found.append(values.pop(what, None))
        metrics |= values
    first = next(iter(names.values()))
    metadata = (results["configs"].get(first) or {}).get("metadata") or {}
    if (definition := metadata.get(TASK_DEFINITION)) is not None:
        logged_definition(definition)  # by its key it is found from now on
    task = str(metadata[TASK]) if task == PREFERENCE else task
    settings = _settings(metadata)
    grading = results.get(GRADING) or {}
    graders = tuple(grading.get("graders") or ())
    date = finite_or_none(results.get("date"))
    sources, groups = map(_least, counts.values())
    restated = None
    if (finite_or_none(metadata.get("version")) or _FIRST_AS_MEANT) < _FIRST_AS_MEANT:
        metrics = still_meant(metrics)
        restated = (
            f"the results are of an older version (task version {metadata['version']}), "
            f"{MEANT_OTHERWISE}: left out; run the tasks again"
        )
    run = Run(
        file=location,
        harness="lm-eval",
        model=model_of(results),
        task=task,
        name=first,
        setting="both" if len(names) == 2 else next(iter(names)),
        date="" if date is None else utc(datetime.fromtimestamp(date, UTC)),
        sources=sources,
        groups=sources if groups is None else groups,  # older results say no more
        data=str(metadata.get("data") or Path(str(settings["dataset"])).name),
        factors=human_factors(metrics),
        settings=settings,
        conditions=stated(
            {
                "lm_eval_task_version": metadata.get("version"),
                "prompt_version": metadata.get("prompt_version"),
                "data_hash": metadata.get("data_hash"),
                "own_factors": metadata.get("own_factors_hash"),
                "grader": ", ".join(graders) or None,
                OWN_LABELS: grading.get(OWN_LABELS),
                "judged_by": _judged_by(names),
                **{name: settings.get(name) for name in COMPARED_SETTINGS},
                "version": metadata.get("package_version"),
            }
        ),
        metrics=dict(sorted(metrics.items())),
        profile={"panel": grading["panel"]} if "panel" in grading else {},
        graders=graders,
        warnings=tuple(grading.get("warnings") or ()),
        restated=restated,
    )
    return replace(run, described=_described(run, results))


def _judged_by(settings: Iterable[str]) -> str | None:
    """How the model judged in these settings; None where it did not."""
    if LIKELIHOOD in settings:
        return "likelihood"
    return None if set(settings) == {"generation"} else "words"


def _least(counts: Sequence[float | None]) -> int | None:
    """The least count of several tasks; None where none of them says."""
    return min((int(n) for n in counts if n is not None), default=None)


def _settings(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The record of the settings; of older results, what ``--metadata`` held, or the defaults."""
    return {
        "dataset": metadata.get("dataset", "demo"),
        "seed": metadata.get("profile_seed", 0),
        "revision": metadata.get("dataset_revision"),
        "split": metadata.get("dataset_split"),
        "scores": metadata.get("scores", [1, 2, 3, 4, 5]),
        "pairing": metadata.get("pairing", "all"),
        "orders": metadata.get("orders", 2),
    } | (metadata.get("settings") or {})


def _described(run: Run, results: Mapping[str, Any]) -> dict[str, object]:
    config = results.get("config") or {}
    versions = results.get("versions") or {}
    return {
        "run at": run.date or None,
        "model": run.model,
        "sources": run.sources,
        "limit": config.get("limit"),
        "seed": config.get("random_seed"),
        "task versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "versions": f"lm-eval {results.get('lm_eval_version', 'unknown')}",
    }


def _plain(row: Mapping[str, Any]) -> dict[str, float | None]:
    """Metrics of lm-eval by their names; standard errors are left to the intervals."""
    return {
        name.removesuffix(",none"): finite_or_none(value)
        for name, value in row.items()
        if name.endswith(",none") and not name.endswith("_stderr,none")
    }


# Samples -----------------------------------------------------------------------------------------


def read_sampled_run(files: Sequence[str]) -> Run:
    """The run behind samples files, with the answers joined by source.

    Args:
        files: At most one of generation, one of discrimination and one of own pairs, of the same
            task. Samples of own pairs hold no texts: those of generation have to be there.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A line is no sample of this project, or the files do not go together.
    """
    given = ", ".join(files)
    if len(set(files)) < len(files):
        raise ValueError(f"{given}: a file is given twice")
    answers: dict[str, AnsweredSource] = {}
    measured: dict[str, list[SourceMeasurement]] = {}
    settings: dict[str, str] = {}
    for file in files:
        seen: set[str] = set()
        for place, answered, measurement in read_samples(file):
            name, setting = answered.source.id, _setting(measurement)
            if settings.setdefault(file, setting) != setting:
                raise ValueError(f"{place}: a sample of {setting} among those of {settings[file]}")
            if name in seen:
                raise ValueError(f"{place}: source {name!r} stands in the file twice")
            seen.add(name)
            known = answers.setdefault(name, answered)
            if known.source != answered.source:
                raise ValueError(
                    f"{place}: source {name!r} is not the same as in {files[0]}; give the "
                    "samples of one evaluation"
                )
            answers[name] = known if known.responses else answered
            measured.setdefault(name, []).append(measurement)
    tasks = {answered.source.task for answered in answers.values()}
    if len(tasks) != 1:
        raise ValueError(
            f"{given}: "
            + (f"samples of several tasks ({', '.join(sorted(tasks))})" if tasks else "no samples")
        )
    sides = [_side(setting) for setting in settings.values()]
    if len(sides) != len(set(sides)):
        raise ValueError(
            f"{given}: several files of one setting ({', '.join(settings.values())}); give "
            "at most one of each"
        )
    measurements = tuple(map(_joined, measured.values()))
    task = tasks.pop()
    return Run(
        file=given,
        harness="lm-eval",
        model=_answering_model(files),
        task=task,
        name=lm_eval_name(task),
        setting=(
            "both"
            if {"generation", "discrimination"} <= {*sides}
            else next(setting for setting in settings.values() if setting != OWN_PAIRS)
        ),
        sources=len(answers),
        settings={"pairing": _pairing(measurements)},
        conditions={"data_hash": content_hash(known.source for known in answers.values())},
        parts=settings,
        measurements=measurements,
        answers=tuple(answers.values()),
    )


def read_samples(location: str) -> Iterator[tuple[str, AnsweredSource, SourceMeasurement]]:
    """The samples in a file.

    Yields:
        Place (file and line), the source with what was written, and what was measured.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line is no sample of this project; its place is named.
    """
    path = Path(location)
    if not path.is_file():
        raise FileNotFoundError(f"{location}: there is no such file of samples")
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            place = f"{location}:{number}"
            try:
                sample = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{place}: not JSON in UTF-8 ({error})") from error
            if not isinstance(sample, dict) or MEASURED not in sample:
                raise ValueError(
                    f"{place}: no sample of this project: field {MEASURED!r} is missing; give a "
                    "samples_profile_*.jsonl file of a run with --log_samples"
                )
            try:
                measurement = SourceMeasurement.model_validate(sample[MEASURED])
            except ValueError as error:
                raise ValueError(
                    f"{place}: field {MEASURED!r} holds no measurement of a generation or "
                    "discrimination task"
                ) from error
            try:
                source = AnnotatedSource.model_validate(sample.get("doc"))
            except ValueError as error:
                raise ValueError(f"{place}: field 'doc' holds no annotated source") from error
            responses = _responses(sample, measurement)
            yield place, AnsweredSource(source, responses), measurement


def _responses(sample: Mapping[str, Any], measurement: SourceMeasurement) -> dict[int, str | None]:
    """What was written for each target score, None where it is missing, as the task read it."""
    scores = list(measurement.words_by_score or {})
    if not scores or measurement.own_picks is not None:  # then it was written elsewhere
        return {}
    answers = sample.get("resps")
    if (
        not isinstance(answers, list)
        or len(answers) != len(scores)
        or not all(isinstance(a, list) and a and isinstance(a[0], str) for a in answers)
    ):
        raise ValueError(
            f"source {measurement.source_id!r}: field 'resps' does not hold one text for each of "
            f"{len(scores)} target scores"
        )
    return {score: response_text(a[0]) for score, a in zip(scores, answers, strict=True)}


def _setting(measured: SourceMeasurement) -> str:
    if measured.own_picks is not None:
        return OWN_PAIRS
    if measured.words_by_score is not None:
        return "generation"
    if measured.picks is None:
        raise ValueError(
            f"source {measured.source_id!r}: the sample holds neither responses nor verdicts"
        )
    return "discrimination" if measured.margins is None else LIKELIHOOD


def _side(setting: str) -> str:
    """What the model does in a setting, in words or by likelihoods."""
    return "discrimination" if setting == LIKELIHOOD else setting


def _joined(parts: Sequence[SourceMeasurement]) -> SourceMeasurement:
    """What was measured on a source in several settings: the writer's, with the judge's verdicts.

    Raises:
        ValueError: The texts of the own pairs that were judged are not among the parts.
    """
    by_side = {_side(_setting(part)): part for part in parts}
    whole = by_side.get("generation", parts[0])
    if (judge := by_side.get("discrimination")) is not None:
        whole = whole.model_copy(update={"picks": judge.picks, "margins": judge.margins})
    if (own := by_side.get(OWN_PAIRS)) is not None:
        if "generation" not in by_side or _texts(own) != _texts(whole):
            raise ValueError(
                f"source {own.source_id!r}: samples of own pairs hold no texts; give those of the "
                "generation task that wrote what was judged, too"
            )
        whole = whole.model_copy(update={"own_picks": own.own_picks})
    return whole


def _texts(measured: SourceMeasurement) -> object:
    """What a measurement tells of the written texts."""
    return measured.words_by_score, measured.pairs_written


def _pairing(measured: Sequence[SourceMeasurement]) -> Pairing:
    """The pairing that gives the pairs of responses that were compared."""
    written = [each for each in measured if each.words_by_score is not None]
    for pairing in get_args(Pairing):
        if all(_compared_as(pairing, each) for each in written):
            return cast("Pairing", pairing)
    raise ValueError(
        f"source {written[0].source_id!r}: the compared responses are those of no pairing "
        f"({', '.join(get_args(Pairing))}); give samples as this version of the tasks logs them"
    )


def _compared_as(pairing: Pairing, measured: SourceMeasurement) -> bool:
    words = measured.words_by_score or {}
    expected = [
        pair
        for pair in generation_pairs(list(words), pairing, measured.source_id)
        if None not in (words[pair[0]], words[pair[1]])
    ]
    return [(pair.higher, pair.lower) for pair in measured.pairs_written or ()] == expected


def _answering_model(samples: Sequence[str]) -> str:
    """The model that answered, as the results files beside the samples name it.

    Raises:
        ValueError: The samples are those of several models.
    """
    models = {
        model_of(read_results(beside))
        for file in samples
        if (beside := results_beside(file)) is not None
    }
    if len(models) > 1:
        raise ValueError(
            f"{', '.join(samples)}: samples of several models ({', '.join(sorted(models))}); give "
            "those of one evaluation"
        )
    return models.pop() if models else UNKNOWN_MODEL
