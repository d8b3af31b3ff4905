"""What the measurement costs on top of the model calls.

    python benchmarks/overhead.py ../shared/data/pandalm.jsonl [--task instruction_following]

Runs two Inspect tasks in turn, A B A B ..., and prints the median ratio of their wall times:

* A, this project's task over the file, both settings: calls, factors, bootstrap, metrics, log;
* B, a bare task that sends the planted annotator the very same requests, one sample a source,
  and scores nothing.

Both run against ``planted/verbose`` in one process, after one warm-up run of each. Absolute times
are noise on shared machines; the ratio of neighbours is not.
"""

import argparse
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog
from inspect_ai.model import get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect

from profile_tasks.data.preferences import AnnotatedSource, load_preferences
from profile_tasks.settings import DEFAULT_SCORES, ProfileSettings
from profile_tasks.solvers.requests import DiscriminationRequest, GenerationRequest
from profile_tasks.tasks.profile_task import profile_task

MODEL = "planted/verbose"


def requests_of(source: AnnotatedSource) -> list[str]:
    """Every request that the task sends for one source."""
    written = [
        GenerationRequest(source.task, source.prompt, source.source, score).render()
        for score in DEFAULT_SCORES
    ]
    judged = [
        DiscriminationRequest(source.task, source.prompt, source.source, a, b).render()
        for pair in source.pairs
        for a, b in (
            (pair.response_a, pair.response_b),
            (pair.response_b, pair.response_a),
        )
    ]
    return written + judged


@solver
def bare_calls() -> Solver:
    """Send the requests and keep nothing."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        requests = state.metadata["requests"]
        await collect(*(get_model().generate(request) for request in requests))
        return state

    return solve


@scorer(metrics=[mean()])
def no_score() -> Scorer:
    """A constant."""

    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=1)

    return score


def bare_task(file: str, task: str) -> Task:
    """The same model calls without the measurement."""
    sources = load_preferences(file, task=task).sources
    return Task(
        dataset=MemoryDataset(
            [
                Sample(id=s.id, input=s.prompt, metadata={"requests": requests_of(s)})
                for s in sources
            ]
        ),
        solver=bare_calls(),
        scorer=no_score(),
    )


def full_task(file: str, task: str) -> Task:
    """This project's task over the file, with the arguments' defaults."""
    return profile_task(task, ProfileSettings(dataset=file))


def timed(build: Callable[[], Task]) -> tuple[float, int]:
    """Wall seconds from building the task to its finished log, and its model calls."""
    with tempfile.TemporaryDirectory() as log_dir:
        gc.collect()  # no run pays for the garbage of the one before
        start = time.perf_counter()
        (log,) = eval(build(), model=MODEL, log_dir=log_dir, display="none")
        seconds = time.perf_counter() - start
        if log.status != "success":
            raise RuntimeError(f"the run ended as {log.status}: {log.error}")
        return seconds, model_calls(log)


def model_calls(log: EvalLog) -> int:
    """Model calls in a log."""
    return sum(event.event == "model" for sample in log.samples or [] for event in sample.events)


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--task", default="instruction_following")
    parser.add_argument("--runs", type=int, default=9)
    arguments = parser.parse_args()
    file = str(arguments.file)

    def full() -> Task:
        return full_task(file, arguments.task)

    def bare() -> Task:
        return bare_task(file, arguments.task)

    calls = {timed(full)[1], timed(bare)[1]}  # also the warm-up
    if len(calls) != 1:
        raise RuntimeError(f"the two tasks made different numbers of calls: {calls}")
    pairs = [(timed(full)[0], timed(bare)[0]) for _ in range(arguments.runs)]
    ratios = [a / b for a, b in pairs]
    result = {
        "file": arguments.file.name,
        "model_calls": calls.pop(),
        "runs": arguments.runs,
        "median_ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "median_seconds": {
            "task": round(statistics.median(a for a, _ in pairs), 2),
            "bare": round(statistics.median(b for _, b in pairs), 2),
        },
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
