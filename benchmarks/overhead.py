"""What the measurement costs on top of the model calls.

    python benchmarks/overhead.py ../shared/data/pandalm.jsonl [--task instruction_following]

Runs two Inspect tasks in turn, A B A B ..., and prints the median ratio of their CPU times, once
for each number of sources:

* A, this project's task over the file, both settings: calls, factors, bootstrap, metrics, log;
* B, a bare task that sends the planted annotator the very same requests (those in a log of A), one
  sample a source, in one round, and scores nothing.

Both run against ``planted/verbose`` in one process, after one warm-up run of each. Absolute times
are noise on shared machines; the ratio of neighbours is not.
"""

import argparse
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import ChatMessage, GenerateConfig, get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect

from profile_tasks.settings import ProfileSettings
from profile_tasks.tasks.profile_task import profile_task

MODEL = "planted/verbose"

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


def overhead(full: Callable[[], Task], runs: int) -> dict[str, object]:
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print one JSON object a number of sources."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--task", default="instruction_following")
    parser.add_argument(
        "--sources", type=int, nargs="+", default=[12], help="how many, each in turn"
    )
    parser.add_argument("--runs", type=int, default=9)
    given = parser.parse_args(arguments)
    for sources in given.sources:
        settings = ProfileSettings(dataset=str(given.file), limit=sources)
        found = overhead(partial(profile_task, given.task, settings), given.runs)
        print(json.dumps({"file": given.file.name, **found}), flush=True)


if __name__ == "__main__":
    main()
