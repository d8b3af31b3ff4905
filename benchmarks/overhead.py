"""What the measurement costs on top of the model calls.

    python benchmarks/overhead.py [FILE] [--task TASK] [--sources N ...] [--runs N] [--small]

Runs two Inspect tasks in turn, A B A B ..., and prints the median ratio of their CPU times, once
for each number of sources:

* A, this project's task over the file, both settings: calls, factors, bootstrap, metrics, log;
* B, a bare task that sends the planted annotator the very same requests (those in a log of A), one
  sample a source, in one round, and scores nothing.

Without a FILE, sources have two pairs of texts of 60 made-up words. Both run against
``planted/verbose`` in one process, after one warm-up run of each. Absolute times are noise on
shared machines; the ratio of neighbours is not.
"""

import argparse
import gc
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import ChatMessage, GenerateConfig, get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect
from speed import Ratio, random_texts

from profile_tasks.settings import ProfileSettings
from profile_tasks.tasks.profile_task import profile_task

MODEL = "planted/verbose"
LIMITS = {12: 1.6, 500: 1.2, 3000: 1.1}
"""Sources -> the greatest ratio that this project promises from so many on."""

Requests = Mapping[str, Sequence[tuple[Sequence[ChatMessage], GenerateConfig]]]
"""Id of a sample -> its requests."""


def requests_in(log: EvalLog) -> Requests:
    """Every request that a run sent."""
    return {
        str(sample.id): [
            (event.input, event.config) for event in sample.events if isinstance(event, ModelEvent)
        ]
        for sample in log.samples or []
    }


@solver
def bare_calls(requests: Requests) -> Solver:
    """Send the requests and keep nothing."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = get_model()
        sent = requests[str(state.sample_id)]
        await collect(*(model.generate(list(input_), config=config) for input_, config in sent))
        return state

    return solve


@scorer(metrics=[mean()])
def no_score() -> Scorer:
    """A constant."""

    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=1)

    return score


def bare_task(requests: Requests) -> Task:
    """The same model calls without the measurement."""
    samples = [Sample(id=id_, input=str(sent[0][0][-1].text)) for id_, sent in requests.items()]
    return Task(dataset=MemoryDataset(samples), solver=bare_calls(requests), scorer=no_score())


def timed(build: Callable[[], Task]) -> tuple[float, Requests]:
    """CPU seconds from building the task to its finished log, and what it asked."""
    with tempfile.TemporaryDirectory() as log_dir:
        gc.collect()  # no run pays for the garbage of the one before
        start = time.process_time()
        (log,) = eval(build(), model=MODEL, log_dir=log_dir, display="none")
        seconds = time.process_time() - start
        if log.status != "success":
            message = log.error.message if log.error else ""
            raise RuntimeError(f"the run ended as {log.status}: {message}")
        return seconds, requests_in(read_eval_log(log.location, resolve_attachments=True))


def overhead(full: Callable[[], Task], runs: int) -> dict[str, Any]:
    """How a task compares with its bare model calls.

    Raises:
        RuntimeError: The two made different numbers of calls.
    """
    _, requests = timed(full)  # also the warm-up

    def bare() -> Task:
        return bare_task(requests)

    calls = {sum(map(len, asked.values())) for asked in (requests, timed(bare)[1])}
    if len(calls) != 1:
        raise RuntimeError(f"the two tasks made different numbers of calls: {calls}")
    pairs = [(timed(full)[0], timed(bare)[0]) for _ in range(runs)]
    ratios = [a / b for a, b in pairs]
    return {
        "sources": len(requests),
        "model_calls": calls.pop(),
        "runs": runs,
        "median_ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "median_cpu_seconds": {
            "task": round(statistics.median(a for a, _ in pairs), 2),
            "bare": round(statistics.median(b for _, b in pairs), 2),
        },
    }


def write_pairs(file: Path, n_sources: int) -> None:
    """Annotated pairs of as many sources."""
    drawn = random.Random(0)  # noqa: S311 - no secret
    responses, others = random_texts(2 * n_sources, 60)
    rows = [
        {
            "id": str(n),
            "group": str(n // 2),
            "prompt": f"Write text {n // 2}.",
            "response_a": response,
            "response_b": other,
            "preference": drawn.choice(["a", "b", "tie"]),
        }
        for n, (response, other) in enumerate(zip(responses, others, strict=True))
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def as_ratio(found: Mapping[str, Any]) -> Ratio:
    """As `speed.py` prints it."""
    sources, ratios = found["sources"], found["ratios"]
    return Ratio(
        f"{sources:,} sources, {found['model_calls']:,} requests",
        "times as long as",
        "a bare Inspect task",
        found["median_ratio"],
        min(ratios),
        max(ratios),
        LIMITS.get(max((size for size in LIMITS if size <= sources), default=0)),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print one JSON object a number of sources."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--task", default="instruction_following")
    parser.add_argument(
        "--sources", type=int, nargs="+", default=[12, 115, 500], help="how many, each in turn"
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="three sources, one run")
    parser.add_argument("--output", type=Path, help="write the ratios as JSON")
    given = parser.parse_args(arguments)
    sizes, runs = ([3], 1) if given.small else (given.sources, given.runs)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        file = given.file or Path(folder, "made_up.jsonl")
        if given.file is None:
            write_pairs(file, max(sizes))
        for sources in sizes:
            settings = ProfileSettings(dataset=str(file), limit=sources)
            found = overhead(partial(profile_task, given.task, settings), runs)
            print(json.dumps({"file": file.name, **found}), flush=True)
            ratios.append(asdict(as_ratio(found)))
    if given.output is not None:
        given.output.write_text(json.dumps({"ratios": ratios}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
