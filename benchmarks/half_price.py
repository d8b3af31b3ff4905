"""What the half-price setting of the grader changes: `-T judge_orders=1 -T pairing=half`.

    python benchmarks/half_price.py
    python benchmarks/half_price.py --error-rate 0.1 --limit 60 summarization=posts.jsonl

Runs each task twice with the planted annotator and the planted grader (SIMULATIONS), which errs at
the given rate, and prints the grader's requests and how far each profile moved. Beside it stands
what two gradings of the very same default setting differ by, since part of any move is noise.
"""

import argparse
import tempfile

import numpy as np
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog
from inspect_ai.model import get_model

from profile_tasks.data.preferences import TASKS
from profile_tasks.document_qa import document_qa
from profile_tasks.instruction_following import instruction_following
from profile_tasks.summarization import summarization

BUILD = {
    "summarization": summarization,
    "instruction_following": instruction_following,
    "document_qa": document_qa,
}
HALF_PRICE = {"judge_orders": 1, "pairing": "half"}
PERSPECTIVES = ("human", "discrimination", "generation")


def main() -> None:
    """Print one line a data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", default=[f"{task}=demo" for task in TASKS])
    parser.add_argument("--error-rate", type=float, default=0.1)
    parser.add_argument("--limit", type=int, default=None)
    options = parser.parse_args()
    print(f"simulated; the grader's error rate is {options.error_rate}")
    print(
        f"{'data':30} {'requests':>17} {'ratio':>6}   mean |change of tau| of graded factors "
        "(human, judge, writer)  alignments (judge, writer)"
    )
    for entry in options.data:
        task, _, dataset = entry.partition("=")
        runs = {
            name: metrics(run(task, dataset, options.limit, options.error_rate, seed, **setting))
            for name, seed, setting in (
                ("default", 0, {}),
                ("again", 1, {}),
                ("half", 0, HALF_PRICE),
            )
        }
        default, half = runs["default"], runs["half"]
        requests = (default["grader_requests"], half["grader_requests"])
        print(
            f"{entry.rsplit('/', 1)[-1]:30} {requests[0]:8.0f} {requests[1]:8.0f} "
            f"{requests[1] / requests[0]:6.2f}   half price: {changes(default, half)}  "
            f"again: {changes(default, runs['again'])}"
        )


def run(
    task: str, dataset: str, limit: int | None, error_rate: float, seed: int, **setting: object
) -> EvalLog:
    """One evaluation with the core factors."""
    with tempfile.TemporaryDirectory() as folder:
        (log,) = inspect_eval(
            BUILD[task],
            task_args={"dataset": dataset, "limit": limit, "grader_cache": False, **setting},
            model="planted/balanced",
            model_roles={
                "grader": get_model(
                    "planted/grader", memoize=False, error_rate=error_rate, seed=seed
                )
            },
            log_dir=folder,
            display="none",
        )
    if log.status != "success":
        raise SystemExit(f"{task} on {dataset} failed: {log.error}")
    return log


def metrics(log: EvalLog) -> dict[str, float]:
    """Every metric of the run."""
    if log.results is None:
        raise SystemExit("the run has no results")
    (score,) = log.results.scores
    return {name: metric.value for name, metric in score.metrics.items()}


def changes(before: dict[str, float], after: dict[str, float]) -> str:
    """Mean absolute change of the graded factors' influence, and change of the alignments."""
    graded = [
        name.removeprefix("grader_missing_rate_")
        for name in before
        if name.startswith("grader_missing_rate_")
    ]
    moved = [
        np.nanmean([abs(before[f"tau_{who}_{f}"] - after[f"tau_{who}_{f}"]) for f in graded])
        for who in PERSPECTIVES
    ]
    aligned = [
        after[f"alignment_{who}_tau_b"] - before[f"alignment_{who}_tau_b"]
        for who in PERSPECTIVES[1:]
    ]
    return " ".join(f"{move:.3f}" for move in moved) + " " + " ".join(f"{a:+.2f}" for a in aligned)


if __name__ == "__main__":
    main()
