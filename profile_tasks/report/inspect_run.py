"""A finished Inspect log, read as a ``Run``.

The numbers stand in the log's header. The samples are read one at a time for what the header does
not have: lengths, how factors go together, examples.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.report.examples import (
    LoudestPairs,
    MeasuredSource,
    known_factors,
    packaged_factors,
)
from profile_tasks.report.factor_correlation import FactorCorrelation
from profile_tasks.report.report_data import (
    MODEL_PERSPECTIVES,
    PERSPECTIVES,
    Number,
    Run,
    alignments_of_metrics,
    differences_of_record,
    mean_words_of,
    metric,
    profile_of_metrics,
    profile_of_record,
    recorded,
    standard_metrics_of,
)
from profile_tasks.report.unusable import UnusableInput
from profile_tasks.scorers.grading.record import SourceGrades
from profile_tasks.scorers.inspect.evaluated_model import evaluated_model
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.untrusted_text import shown

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalScore

EXAMPLE_SOURCES = 500
"""Examples are looked for in this many sources, a random choice of them: finding the loudest pairs
of a surface factor means computing it on every text again."""

_WANTED = {"id", "scores", "metadata", "store"}


def inspect_run(path: Path, score: str | None = None) -> Run:
    """The run in an Inspect log.

    Args:
        path: A ``.eval`` or ``.json`` log.
        score: Name of the score, where the log holds several of this project.

    Raises:
        UnusableInput: The log cannot be read, is of another eval, or holds no results.
    """
    from inspect_ai.log import read_eval_log

    is_json = path.suffix == ".json"
    try:
        log = read_eval_log(str(path), header_only=not is_json)
    except Exception as error:  # Inspect raises what its readers raise: KeyError, BadZipFile, ...
        raise UnusableInput(path, f"not a whole Inspect log ({_problem(error)})") from error
    chosen = _own_score(log, path, score)
    try:
        samples = _json_samples(log) if is_json else _eval_samples(path)
        return _run(log, chosen, path, _source_ids(log), samples)
    except UnusableInput:
        raise
    except Exception as error:
        raise UnusableInput(
            path, f"a damaged log, or one of another version of profile-tasks ({_problem(error)})"
        ) from error


def _own_score(log: "EvalLog", path: Path, name: str | None) -> "EvalScore":
    from profile_tasks.scorers.inspect.full_profile import SCORER, is_own_score

    own = [score for score in (log.results.scores if log.results else ())
           if is_own_score(score.name)]  # fmt: skip
    if not own and any(is_own_score(scorer.name) for scorer in log.eval.scorers or ()):
        raise UnusableInput(path, f"the run holds no results (status: {log.status})")
    if not own:
        raise UnusableInput(
            path,
            f"a log of {shown(log.eval.task)}, without a score of profile_tasks/{SCORER}; a report "
            "needs a log of this project's tasks",
        )
    names = ", ".join(score.name for score in own)
    if name is None and len(own) > 1:
        raise UnusableInput(path, f"holds several scores; name one (--score): {names}")
    wanted = [score for score in own if name in (None, score.name)]
    if not wanted:
        raise UnusableInput(path, f"holds no score {name!r}; it holds: {names}")
    return wanted[0]


def _source_ids(log: "EvalLog") -> list[str]:
    return [str(id_) for id_ in log.eval.dataset.sample_ids or ()]


def _eval_samples(path: Path) -> Iterator[Mapping[str, Any]]:
    # Inspect's own reader looks the file's directory up anew for each sample. The format is a zip
    # of JSON; importing inspect_ai.log teaches zipfile its compression.
    import zipfile

    with zipfile.ZipFile(path) as archive:
        for name in sorted(n for n in archive.namelist() if n.startswith("samples/")):
            yield _parsed(archive.read(name))


def _parsed(content: bytes) -> dict[str, Any]:
    """A sample's JSON; its events, nine tenths of it, only where they do not come last."""
    from pydantic_core import from_json

    # Unescaped quotes stand in no text, so this can only be a key. Where it is not the key of the
    # sample itself, or not all that is wanted comes before it, everything is parsed.
    beginning, key, _ = content.partition(b',"events":[')
    if key:
        with suppress(ValueError):
            sample: dict[str, Any] = from_json(beginning + b"}")
            if sample.keys() >= _WANTED:
                return sample
    try:
        whole: dict[str, Any] = from_json(content)
    except ValueError:  # e.g. half a surrogate pair, which only json reads
        whole = json.loads(content)
    return whole


def _json_samples(log: "EvalLog") -> Iterator[Mapping[str, Any]]:
    for sample in log.samples or ():
        yield {
            "id": sample.id,
            "scores": {n: {"metadata": s.metadata} for n, s in (sample.scores or {}).items()},
            "metadata": sample.metadata,
            "store": sample.store,
        }


def _run(
    log: "EvalLog",
    score: "EvalScore",
    path: Path,
    ids: Sequence[str],
    samples: Iterator[Mapping[str, Any]],
) -> Run:
    metrics = {name: entry.value for name, entry in score.metrics.items()}
    record = (score.metadata or {}).get("profile", {})
    about = log.eval.metadata or {}
    own = about.get("own_factors", {})
    drawn = set(sorted(ids, key=_draw)[:EXAMPLE_SOURCES])
    words: dict[int, list[int]] = {}
    factors: tuple[str, ...] = ()
    correlations: dict[str, FactorCorrelation] = {}
    loudest: LoudestPairs | None = None
    seen: set[str] = set()
    for sample in samples:
        metadata = ((sample.get("scores") or {}).get(score.name) or {}).get("metadata")
        if not metadata:
            continue  # the sample failed and has no score; the counts of the profile leave it out
        measured = SourceMeasurement.model_validate(metadata)
        if loudest is None:
            factors = measured.factors
            loudest = LoudestPairs(known_factors(factors, own))
            correlations = {t: FactorCorrelation(len(factors)) for t in ("annotated", "written")}
        correlations["annotated"].add(measured.annotated)
        correlations["written"].add(measured.written)
        for target, length in (measured.words_by_score or {}).items():
            if length is not None:
                words.setdefault(target, []).append(length)
        source = str(sample.get("id"))
        if source in drawn and source not in seen:  # of several epochs, the first
            with suppress(ValueError):  # texts that this version cannot place: no example then
                loudest.add(_measured_source(sample, metadata, measured))
        seen.add(source)
    if loudest is None:
        raise UnusableInput(path, f"no sample has a score (status: {log.status})")
    absent = []
    if not record:
        absent.append(
            "The log lacks the full profile (it was scored again, or is of an older version): "
            "ranks, adjusted influence, tests and ceilings are not shown. complete_log adds them."
        )
    perspectives = [p for p in PERSPECTIVES if p in record or f"tau_{p}_{factors[0]}" in metrics]
    absent += [
        f"No {name} setting was run." for name in MODEL_PERSPECTIVES if name not in perspectives
    ]
    return Run(
        file=shown(path.name),
        kind="Inspect log",
        model=shown(evaluated_model(log)),
        task=shown(log.eval.task.rpartition("/")[2]),
        factors=tuple(shown(factor) for factor in factors),
        profiles={
            p: profile_of_record(record[p])
            if p in record
            else profile_of_metrics(metrics, p, factors)
            for p in perspectives
        },
        differences=differences_of_record(record.get("difference_to_human", {})),
        alignments=alignments_of_metrics(metrics, record.get("alignment_to_human")),
        gap=_with_reason(metric(metrics, "alignment_gap_tau_b"), record),
        metrics=standard_metrics_of(metrics),
        human_bar={
            name: recorded(found["tau_b"])
            for name, found in record.get("annotators", {}).get("alignment", {}).items()
        },
        correlations={
            table: found.matrix() for table, found in correlations.items() if found.n_pairs
        },
        words={target: tuple(lengths) for target, lengths in sorted(words.items())},
        mean_words=mean_words_of(metrics),
        examples=loudest.examples(),
        examples_from=(len(drawn & seen), len(seen)),
        measured=_measured(log, record, about, own, len(seen)),
        warnings=_warnings(log, record, about),
        graders=tuple(shown(g) for g in record.get("grading", {}).get("graders", ())),
        absent=tuple(absent),
    )


def _measured_source(
    sample: Mapping[str, Any], metadata: Mapping[str, Any], measured: SourceMeasurement
) -> MeasuredSource:
    from profile_tasks.solvers.score_conditioned_generation import (
        has_responses,
        written_responses,
    )

    store = sample.get("store") or {}
    grades = metadata.get("grades")
    return MeasuredSource(
        annotated=AnnotatedSource.model_validate(sample["metadata"]),
        measurement=measured,
        written=written_responses(store)[0] if has_responses(store) else {},
        grades=None if grades is None else SourceGrades.model_validate(grades),
    )


def _draw(id_: str) -> str:
    """A random order of sources that is the same each time."""
    return hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()


def _with_reason(number: Number, record: Mapping[str, Any]) -> Number:
    reason = record.get("reasons", {}).get("alignment_gap_tau_b")
    return Number(number.value, number.low, number.high, shown(reason) if reason else None)


def _measured(
    log: "EvalLog",
    record: Mapping[str, Any],
    about: Mapping[str, Any],
    own: Mapping[str, Any],
    n_sources: int,
) -> dict[str, str]:
    arguments, config = log.eval.task_args, log.eval.config
    graders = ", ".join(record.get("grading", {}).get("graders", ())) or "none"
    entries: dict[str, object] = {
        "run at": log.eval.created,
        "status": log.status,
        "model": evaluated_model(log),
        "grader": graders,
        "data": about.get("data", log.eval.dataset.name),
        "sources": f"{n_sources} scored of {about.get('loaded_sources', '?')} loaded",
        "annotated pairs": about.get("loaded_pairs"),
        "bad rows skipped": about.get("skipped_rows"),
        "epochs": config.epochs,
        "setting": arguments.get("setting"),
        "target scores": arguments.get("scores"),
        "pairing": arguments.get("pairing"),
        "orders shown to the model": arguments.get("orders"),
        "orders shown to the grader": arguments.get("judge_orders"),
        "seed of the choices": arguments.get("seed"),
        "seed of the statistics": record.get("seed"),
        "bootstrap replicates": record.get("replicates"),
        "task version": log.eval.task_version,
        "prompt version": about.get("prompt_version"),
        "grader prompt version": about.get("grader_prompt_version"),
        "factors of the user's own": ", ".join(own) or None,
        "versions": ", ".join(f"{name} {v}" for name, v in log.eval.packages.items()),
    }
    return {label: shown(value) for label, value in entries.items() if value is not None}


def _warnings(
    log: "EvalLog", record: Mapping[str, Any], about: Mapping[str, Any]
) -> tuple[str, ...]:
    from profile_tasks.planted.annotator import SIMULATION_NOTE

    found = [*record.get("grading", {}).get("warnings", ()), about.get("grader_warning")]
    found.append(about.get("factors_note"))
    if log.status != "success":
        found.append(f"the run did not finish (status: {log.status}): only some sources count")
    if (model := evaluated_model(log)).startswith("planted/"):
        found.append(f"{model} is {SIMULATION_NOTE}")
    known = packaged_factors()
    unknown = [f for f in about.get("factors", ()) if f not in known]
    if unknown:
        found.append(f"factors of the user's own, defined in the log: {', '.join(unknown)}")
    return tuple(dict.fromkeys(shown(text) for text in found if text))


def _problem(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"[:200]
