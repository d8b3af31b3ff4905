"""A plan: a folder with what is to be run, its requests, and in the end the log.

    plan.json               task, settings, models
    requests-1/MODEL.jsonl  what does not depend on any answer
    requests-2/MODEL.jsonl  what follows from the first answers, and so on
    TASK_MODEL.eval         the log, once everything is answered

Each step runs the task over the answers that are there. Everything is made in a folder of its own
and put in place whole, so that a step that is broken off can be given again.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from inspect_ai.log import EvalLog, read_eval_log_sample_summaries, write_eval_log
from inspect_ai.model import GenerateConfig, Model
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from profile_tasks import __version__
from profile_tasks.nearest_name import instead_of
from profile_tasks.offline.answers import Problems
from profile_tasks.offline.batch_lines import SENT
from profile_tasks.offline.exchange import WAITS, Exchange
from profile_tasks.offline.provider import offline_model
from profile_tasks.scorers.grading.grader import ROLE
from profile_tasks.scorers.inspect.arguments import OneLineError
from profile_tasks.secrets import key_names
from profile_tasks.solvers.offline_answers import OFFLINE_NOTE
from profile_tasks.untrusted_text import file_name
from profile_tasks.whole_files import read_whole, write_whole

_PLAN, _REQUESTS, _IDS, _HALF = "plan.json", "requests-", "ids", ".half-"

_SAMPLES_AT_ONCE = 128
"""Samples that wait side by side; more of them gain nothing, and each takes memory."""


class AskedModel(BaseModel):
    """A model that answers elsewhere.

    Attributes:
        model: Its name, as the endpoint calls it.
        settings: Of its requests, as of ``SENT``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1)
    settings: dict[str, Any] = {}

    @field_validator("settings")
    @classmethod
    def _can_be_sent(cls, settings: dict[str, Any]) -> dict[str, Any]:
        for name in settings:
            if name not in SENT:
                raise ValueError(f"setting {name!r} reaches no request{instead_of(name, SENT)}")
        if names := key_names(settings):
            raise ValueError(
                f"{names[0]} is a key, and the requests stand in files; give it to whatever sends "
                "them"
            )
        GenerateConfig.model_validate(settings)
        return settings


class Plan(BaseModel):
    """What is to be run.

    Attributes:
        task: Name of an Inspect task of this project.
        settings: Its arguments.
        epochs: How often each source is asked about.
        model: The evaluated model.
        graders: The models in the role ``grader``.
        version: Of the package that planned it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    settings: dict[str, Any] = {}
    epochs: int = Field(default=1, ge=1)
    model: AskedModel
    graders: tuple[AskedModel, ...] = ()
    version: str = __version__


@dataclass(frozen=True)
class Step:
    """What came of running a plan over the answers that are there.

    Attributes:
        requests: What is still asked: file -> number of requests; nothing where the log is written.
        log: The log; None while something is asked.
        problems: What is wrong with the answers.
    """

    requests: dict[Path, int]
    log: Path | None
    problems: Problems


class PlanError(ValueError):
    """A plan, or the answers to it, cannot be used."""


def begin(plan: Plan, folder: Path) -> Step:
    """Write a plan, and the requests that depend on no answer.

    Raises:
        PlanError: The folder holds a plan, or the task cannot be run so.
    """
    with _alone(folder):
        if list(folder.glob(f"{_REQUESTS}*")):
            raise PlanError(
                f"{folder} holds the requests of a plan already; name another folder, or remove it"
            )
        write_whole(folder / _PLAN, plan.model_dump_json(indent=2) + "\n")
        try:
            return _step(folder, plan, (), allow_missing=False)
        except BaseException:  # what cannot be run may hold whatever was typed, as a key
            (folder / _PLAN).unlink()
            raise


def go_on(
    folder: Path,
    answers: Sequence[Path],
    *,
    allow_missing: bool = False,
    advance: Callable[[], object] = lambda: None,
) -> Step:
    """Run a plan over the answers: the log where nothing is asked any more, else what is.

    Args:
        folder: That of the plan.
        answers: Files of answers, in any order; those to earlier requests too.
        allow_missing: Take requests that were planned and not answered as answered by nothing.
        advance: Called when a file of answers is read.

    Raises:
        PlanError: There is no plan, it asks something else by now, one request has two different
            answers, or the run fails.
        OSError: A file cannot be read or written.
    """
    path = folder / _PLAN
    if not path.is_file():
        raise PlanError(f"{folder} holds no {_PLAN}; begin with profile-tasks plan")
    try:
        plan = Plan.model_validate_json(read_whole(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise PlanError(f"{path}: {where}: {first['msg']}; plan anew") from error
    with _alone(folder):
        return _step(folder, plan, answers, allow_missing=allow_missing, advance=advance)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Within it nobody else works in the folder, and nothing is left of who was broken off."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise PlanError(f"{folder}: another command works there; wait for its end") from None
    try:
        for half in folder.glob(f"{_HALF}*"):
            shutil.rmtree(half, ignore_errors=True)
        yield
    finally:
        lock.release()


def _step(
    folder: Path,
    plan: Plan,
    answers: Sequence[Path],
    *,
    allow_missing: bool,
    advance: Callable[[], object] = lambda: None,
) -> Step:
    if find_spec("openai") is None:
        raise PlanError(
            "OpenAI's package reads and writes the form of batch files: pip install openai"
        )
    half = Path(tempfile.mkdtemp(prefix=_HALF, dir=folder))
    asked, logs = half / "asked", half / "logs"
    asked.mkdir()
    before = _plans(folder)
    exchange = Exchange(asked, [each / _IDS for each in before], allow_missing=allow_missing)
    try:
        exchange.answers.read(answers, advance)
        different = exchange.answers.problems.places["different"]
        if different:
            raise PlanError(
                f"{exchange.answers.problems.counts['different']} requests have two answers that "
                f"say different things, first {different[0]}; remove one of the two"
            )
        log = _run(plan, exchange, logs)
        if before and (unasked := exchange.unasked(plan=1)):
            raise PlanError(
                f"{unasked} requests of {before[0]} are not asked any more: the data, the "
                f"settings or the package (planned with {plan.version}, this is {__version__}) "
                "changed since; plan anew in another folder"
            )
        if not exchange.requests:
            return Step({}, _finished(folder, plan, log, exchange), exchange.answers.problems)
        exchange.close()
        place = _put(asked, folder, before)
        counts = {place / file: number for file, number in sorted(exchange.requests.items())}
        return Step(counts, None, exchange.answers.problems)
    finally:
        exchange.close()
        shutil.rmtree(half, ignore_errors=True)


def _plans(folder: Path) -> list[Path]:
    """The folders of requests so far, the first one first."""
    found = {int(n): p for p in folder.glob(f"{_REQUESTS}*") if (n := p.name[9:]).isdigit()}
    return [found[number] for number in sorted(found)]


def _put(asked: Path, folder: Path, before: Sequence[Path]) -> Path:
    """Put requests in place; where the last ones are still these, they stay."""
    if before and _same_lines(asked / _IDS, before[-1] / _IDS):
        return before[-1]
    place = folder / f"{_REQUESTS}{len(before) + 1}"
    asked.replace(place)
    return place


def _same_lines(one: Path, other: Path) -> bool:
    return one.stat().st_size == other.stat().st_size and (
        set(one.read_bytes().split()) == set(other.read_bytes().split())
    )


def _run(plan: Plan, exchange: Exchange, logs: Path) -> EvalLog:
    """The header of a run's log. A sample that waits for answers is scored as far as it came."""
    from inspect_ai import eval as inspect_eval

    import profile_tasks.scorers.inspect.full_profile  # noqa: F401 - registers its hook

    shared = plan.settings.get("grader_cache", True) is not False
    graders = [_called(each, exchange, shared=shared) for each in plan.graders]
    try:
        done = inspect_eval(
            f"profile_tasks/{plan.task}",
            task_args=plan.settings,
            model=_called(plan.model, exchange, shared=False),
            model_roles={ROLE: graders} if graders else None,
            epochs=plan.epochs,
            log_dir=str(logs),
            log_format="eval",
            display="none",
            log_realtime=False,
            log_header_only=True,
            max_samples=_SAMPLES_AT_ONCE,
            adaptive_connections=False,
            fail_on_error=False,
        )
    except OneLineError as error:
        raise PlanError(str(error)) from error
    if not done or done[0].status == "cancelled":
        raise KeyboardInterrupt
    (log,) = done
    failed = [
        f"source {summary.id}: {summary.error}"
        for summary in read_eval_log_sample_summaries(log.location)
        # A scorer may refuse what a solver did not end.
        if summary.error is not None and WAITS not in f"{summary.error} {summary.limit_reason}"
    ]
    if failed:
        raise PlanError(f"{len(failed)} samples failed, first {failed[0]}")
    if log.status != "success" and not exchange.requests:
        raise PlanError(log.error.message if log.error else f"the run ended as {log.status}")
    return log


def _called(asked: AskedModel, exchange: Exchange, *, shared: bool) -> Model:
    config = GenerateConfig.model_validate(asked.settings)
    return offline_model(asked.model, config, exchange, shared=shared)


def _finished(folder: Path, plan: Plan, log: EvalLog, exchange: Exchange) -> Path:
    """Put the log of a run in place that was answered whole; it says what it is."""
    log.eval.metadata = {
        **(log.eval.metadata or {}),
        "offline": {
            "note": OFFLINE_NOTE,
            "plan": exchange.digest(),
            "answered": exchange.answered(),
            "missing": exchange.missing,
        },
    }
    write_eval_log(log, log.location, header_only=True)
    place = folder / f"{file_name(f'{plan.task}_{plan.model.model}')}.eval"
    Path(log.location).replace(place)
    return place
