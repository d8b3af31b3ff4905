"""The logs of all shards of some data as one log, such as one run of all the data leaves.

It is an ordinary log: its samples are those of the shards, as they stand there, and its metrics are
taken over all of them, once. So whatever reads a run reads it. Samples are copied one at a time;
what is held of each is its scores.
"""

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from inspect_ai.log import (
    EvalDataset,
    EvalError,
    EvalLog,
    EvalSample,
    EvalSpec,
    EvalStats,
    recompute_metrics,
    write_eval_log,
)
from inspect_ai.model import ModelUsage
from pydantic_core import from_json

from profile_tasks.data.shards import Shard, Split
from profile_tasks.runs.inspect_log import (
    InspectLog,
    damaged,
    open_log,
    stored_samples,
    stored_summaries,
    without_events,
)
from profile_tasks.runs.words import first_named
from profile_tasks.scorers.inspect.complete_log import complete_log
from profile_tasks.whole_files import written_beside

_FIELDS = frozenset({"id", "epoch", "scores"})
_SUMMARIES = "summaries.json"
_NAMED = 3

_HOW_SENT = frozenset(
    {
        "adaptive_connections",
        "attempt_timeout",
        "batch",
        "cache",
        "cache_prompt",
        "extra_headers",
        "max_connections",
        "max_retries",
        "stream_idle_timeout",
        "timeout",
    }
)
"""What of a model's configuration changes no answer, and may differ from shard to shard."""


def shard_logs(locations: Iterable[str], split: Split) -> list[InspectLog]:
    """The log of each shard, in the order of the shards.

    Args:
        locations: Logs, in any order. One that did not finish may stand beside one that did.
        split: What the shards are shards of.

    Raises:
        FileNotFoundError: There is no such log.
        ValueError: A log is of no shard, or not of all of it; a shard has no finished log, or two;
            or the shards were not all run in one way.
    """
    of_shard: dict[str, list[InspectLog]] = {shard.data_hash: [] for shard in split.shards}
    for location in locations:
        log = open_log(location)
        if not location.endswith(".eval"):
            raise ValueError(
                f"{location}: a log in JSON; `inspect log convert --to eval` makes it one that "
                "can be merged"
            )
        about = log.header.eval.metadata or {}
        if about.get("data_hash") not in of_shard:
            raise ValueError(
                f"{location}: a run of other data, {_named_data(about)}, than any of the "
                f"{len(split.shards)} shards of {_named_data(split.about)}; leave it out, or run "
                "the whole shard as it was written"
            )
        of_shard[about["data_hash"]].append(log)
    numbered = list(enumerate(zip(split.shards, of_shard.values(), strict=True), 1))
    if lost := [shard.file for _, (shard, found) in numbered if not found]:
        raise ValueError(
            f"no log of {len(lost)} of {len(numbered)} shards: {first_named(lost, _NAMED)}; run "
            "them, or name their logs too"
        )
    logs = [_finished(shard, found) for _, (shard, found) in numbered]
    _check_alike(logs)
    return logs


def write_merged(
    logs: Sequence[InspectLog],
    split: Split,
    target: Path,
    advance: Callable[[], object] = lambda: None,
) -> EvalLog:
    """Write one log of the shards' logs; nothing stands there before it is whole.

    Args:
        logs: As of ``shard_logs``.
        split: What the shards are shards of.
        target: Where to.
        advance: Called after each sample.

    Returns:
        What was written, without its samples.

    Raises:
        OSError: It cannot be written.
        ValueError: A log is damaged, or holds another number of samples than its header says; or
            one sample stands in two.
    """
    samples: list[EvalSample] = []
    of_sample: dict[str, str] = {}
    with written_beside(target) as half, zipfile.ZipFile(half, "w") as archive:
        for log in logs:
            before = len(samples)
            for info, content, sample in _stored(log):
                if (other := of_sample.setdefault(info.filename, log.location)) != log.location:
                    raise ValueError(
                        f"{log.location}: sample {info.filename!r} stands in {other} too; no "
                        "source may be in two shards"
                    )
                samples.append(sample)
                archive.writestr(info, content)
                advance()
            total = log.header.results.total_samples if log.header.results else 0
            if len(samples) - before != total:
                raise ValueError(
                    f"{log.location}: holds {len(samples) - before} of its {total} samples; "
                    "run the shard again, with its samples in the log"
                )
        merged = _header(logs, split)
        merged.samples = samples
        recompute_metrics(merged)
        merged = complete_log(merged)
        merged.samples = []
        _write_rest(merged, logs, archive, half.with_name("header.eval"))
    merged.location = str(target)
    return merged


# The logs -----------------------------------------------------------------------------------------


def _finished(shard: Shard, found: Sequence[InspectLog]) -> InspectLog:
    finished = [log for log in found if log.header.status == "success"]
    if not finished:
        last = found[-1]
        raise ValueError(
            f"{last.location}: an unfinished run of shard {shard.file} (status: "
            f"{last.header.status}); `inspect eval-retry {last.location}` goes on with it"
        )
    if len(finished) > 1:
        places = " and ".join(log.location for log in finished)
        raise ValueError(f"shard {shard.file} has {len(finished)} logs, {places}; name one of them")
    (log,) = finished
    config, results = log.header.eval.config, log.header.results
    total = shard.sources * (config.epochs or 1)
    ran = 0 if results is None else results.total_samples
    if results is not None and results.logged_samples is not None:
        ran = min(ran, results.logged_samples)
    if ran != total:
        raise ValueError(
            f"{log.location}: a run of {ran} of the {total} samples of shard {shard.file} (--limit "
            "or --sample-id?); run all of it"
        )
    return log


def _check_alike(logs: Sequence[InspectLog]) -> None:
    """Refuse shards that were not run in one way.

    Values that may hold a key are compared, and not shown.
    """
    first = logs[0]
    ours, hidden = _asked(first.header.eval), _hidden(first.header.eval)
    for log in logs[1:]:
        theirs = _asked(log.header.eval)
        for name in dict.fromkeys((*ours, *theirs)):
            if ours.get(name) != theirs.get(name):
                raise ValueError(
                    f"{log.location}: run otherwise than {first.location}: {name} is "
                    f"{theirs.get(name)!r:.200} here and {ours.get(name)!r:.200} there; run one of "
                    "them again"
                )
        for name, value in _hidden(log.header.eval).items():
            if hidden[name] != value:
                raise ValueError(
                    f"{log.location}: run with another {name} than {first.location}; run one of "
                    "them again"
                )


def _asked(spec: EvalSpec) -> dict[str, object]:
    """What makes the answers and numbers of a run comparable with those of another."""
    about = spec.metadata or {}
    config = spec.model_generate_config.model_dump(exclude_none=True, exclude=set(_HOW_SENT))
    settings = {k: v for k, v in (about.get("settings") or {}).items() if k != "dataset"}
    return {
        "task": spec.task,
        "task version": spec.task_version,
        "model": spec.model,
        "epochs": spec.config.epochs or 1,
        **settings,
        **config,
        **{
            name: about.get(name)
            for name in (
                "prompt_version",
                "grader",
                "grader_prompt_version",
                "factors",
                "own_factors_hash",
                "wordings_version",
                "probe_texts_version",
            )
        },
        "scorers": [(scorer.name, scorer.options) for scorer in spec.scorers or ()],
        "reducer of epochs": spec.config.epochs_reducer,
    }


def _hidden(spec: EvalSpec) -> dict[str, object]:
    roles = spec.model_roles or {}
    # A recorded model's file is the shard itself.
    return {
        "model argument (-M)": {
            name: value
            for name, value in spec.model_args.items()
            if value != spec.task_args.get("dataset")
        },
        "model in a role": {
            name: [
                (each.model, each.args, each.config.model_dump(exclude=set(_HOW_SENT)))
                for each in (role if isinstance(role, list) else [role])
            ]
            for name, role in roles.items()
        },
    }


def _named_data(about: Mapping[str, Any]) -> str:
    return f"{about.get('data', 'not stated')}#{about.get('data_hash', 'not stated')}"


# The samples --------------------------------------------------------------------------------------


def _stored(log: InspectLog) -> Iterator[tuple[zipfile.ZipInfo, bytes, EvalSample]]:
    """Each sample as it stands in a log, and with nothing but its scores and whether it failed."""
    try:
        summaries = from_json(stored_summaries(log))
        failed = {(each["id"], each["epoch"]) for each in summaries if each.get("error")}
        for info, content in stored_samples(log):
            sample = without_events(content, _FIELDS)
            place = sample["id"], sample["epoch"]
            scored = EvalSample(
                id=sample["id"],
                epoch=sample["epoch"],
                input="",
                target="",
                scores=sample.get("scores"),
                error=_FAILED if place in failed else None,
            )
            yield info, content, scored
    except Exception as error:  # as many kinds as there are places to damage
        raise damaged(log.location, error) from error


_FAILED = EvalError(message="as the log of the shard says", traceback="", traceback_ansi="")


# The log of all -----------------------------------------------------------------------------------


def _header(logs: Sequence[InspectLog], split: Split) -> EvalLog:
    """What the log of one run of all the data would hold beside samples and metrics."""
    specs = [log.header.eval for log in logs]
    first = specs[0]
    about = dict(first.metadata or {})
    versions = sorted({str((spec.metadata or {}).get("package_version")) for spec in specs})
    about |= {
        **{name: value for name, value in split.about.items() if name != "prompt_version"},
        "package_version": ", ".join(versions),
        "settings": {**about.get("settings", {}), **split.settings},
        "shards": {
            "of": len(logs),
            "files": [shard.file for shard in split.shards],
            "data_hashes": [shard.data_hash for shard in split.shards],
            "eval_ids": [spec.eval_id for spec in specs],
        },
    }
    # Only shards of one model are merged, so all of them were planned, or none.
    if planned := [each for spec in specs if (each := (spec.metadata or {}).get("offline"))]:
        about["offline"] = {
            **planned[0],
            "plan": ", ".join(each["plan"] for each in planned),
            "answered": sum(each["answered"] for each in planned),
            "missing": sum(each["missing"] for each in planned),
        }
    # The same shards make the same log.
    ours = sha256("".join(spec.eval_id for spec in specs).encode()).hexdigest()[:22]
    passed = {name: value for name, value in split.settings.items() if value not in (None, False)}
    spec = first.model_copy(
        update={
            "eval_set_id": None,
            "eval_id": ours,
            "run_id": ours,
            "task_id": ours,
            "created": min(spec.created for spec in specs),
            "task_args": {**first.task_args, **split.settings},
            "task_args_passed": {**first.task_args_passed, **passed},
            "dataset": EvalDataset(
                name=about["data"],
                samples=sum(spec.dataset.samples or 0 for spec in specs),
                sample_ids=[id_ for spec in specs for id_ in spec.dataset.sample_ids or ()],
                shuffled=False,
            ),
            "metadata": about,
        }
    )
    stats = [log.header.stats for log in logs]
    return EvalLog(
        status="success",
        eval=spec,
        plan=logs[0].header.plan,
        stats=EvalStats(
            started_at=min(each.started_at for each in stats),
            completed_at=max(each.completed_at for each in stats),
            model_usage=_usage(each.model_usage for each in stats),
            role_usage=_usage(each.role_usage for each in stats),
        ),
    )


def _usage(parts: Iterable[Mapping[str, ModelUsage]]) -> dict[str, ModelUsage]:
    total: dict[str, ModelUsage] = {}
    for part in parts:
        for name, usage in part.items():
            total[name] = total[name] + usage if name in total else usage
    return total


def _write_rest(
    merged: EvalLog, logs: Sequence[InspectLog], archive: zipfile.ZipFile, beside: Path
) -> None:
    """All but the samples: as Inspect itself writes it, and the summaries of all shards."""
    write_eval_log(merged, str(beside))
    with zipfile.ZipFile(beside) as written:
        for info in written.infolist():
            if info.filename != _SUMMARIES:
                archive.writestr(info, written.read(info.filename))
        kind = written.getinfo(_SUMMARIES)
    with archive.open(kind, "w", force_zip64=True) as summaries:
        summaries.write(b"[")
        for number, log in enumerate(logs):
            inside = stored_summaries(log).strip()[1:-1]
            summaries.write((b"," if number and inside else b"") + inside)
        summaries.write(b"]")
