"""What cheaper ways of grading save, and what they do to profiles and their intervals.

    python benchmarks/cheaper_grading.py requests summarization=posts.jsonl
    python benchmarks/cheaper_grading.py profiles --limit 60 summarization=posts.jsonl
    python benchmarks/cheaper_grading.py orders if_llmbar_judges.jsonl
    python benchmarks/cheaper_grading.py subsample summeval.jsonl:coherence,fluency
    python benchmarks/cheaper_grading.py stopping summeval.jsonl:coherence,fluency

``requests`` counts, as ``profile-tasks cost`` does. ``profiles`` runs tasks with the planted
annotator and the planted grader (SIMULATIONS), which errs at the given rate; beside the settings
stands what two gradings of the very same default differ by, since part of any move is noise. The
others take recorded human labels, or recorded verdicts of real judges in both orders, as a graded
factor; which sources a study has is drawn by chance.
"""

import argparse
import json
import math
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog
from inspect_ai.model import get_model
from numpy.typing import NDArray
from scipy.stats import norm, t

from profile_tasks.data.preferences import load_preferences
from profile_tasks.data.task_definition import packaged_tasks
from profile_tasks.document_qa import document_qa
from profile_tasks.instruction_following import instruction_following
from profile_tasks.scorers.factors.selection import measured_factors, resolve_factors
from profile_tasks.scorers.measurement.recorded import human_comparisons
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import group_sums
from profile_tasks.settings import ProfileSettings
from profile_tasks.solvers.both_orders import shown_swapped
from profile_tasks.summarization import summarization
from profile_tasks.tasks.request_cost import request_cost

TASKS = packaged_tasks()

BUILD = {
    "summarization": summarization,
    "instruction_following": instruction_following,
    "document_qa": document_qa,
}
SETTINGS: dict[str, dict[str, object]] = {
    "half price": {"judge_orders": 1, "pairing": "half"},
    "batched": {"grading": "batched"},
    "batched, half": {"grading": "batched", "pairing": "half"},
}
PERSPECTIVES = ("human", "discrimination", "generation")
SHARES = (0.25, 0.5, 0.75)
LEVEL = 0.95

_Array = NDArray[np.float64]


# What is asked ------------------------------------------------------------------------------------


def requests(entries: Sequence[str], limit: int | None) -> None:
    """A line a data set: the grader's requests and tokens of a source, single and batched."""
    for entry in entries:
        task, _, dataset = entry.partition("=")
        data = load_preferences(dataset, task=task, limit=limit)
        factors = measured_factors("core", task, grader=True, learned_by={})
        for setting in ("both", "discrimination"):
            found = {
                grading: request_cost(
                    data, factors, ProfileSettings(grading=grading, setting=setting)
                ).total("grader")
                for grading in ("single", "batched")
            }
            n = len(data.sources)
            tokens = {name: c.input_tokens + c.output_tokens for name, c in found.items()}
            print(
                f"{Path(dataset).stem:22} {setting:15} {n:4} sources  requests "
                + " -> ".join(f"{c.requests / n:5.1f}" for c in found.values())
                + "  tokens "
                + " -> ".join(f"{each / n:7,.0f}" for each in tokens.values())
                + f"  ratio {tokens['batched'] / tokens['single']:.2f}"
            )


# What it does to profiles -------------------------------------------------------------------------


def profiles(entries: Sequence[str], limit: int | None, error_rate: float) -> None:
    """A line a data set and setting: requests, mean move of the graded factors, interval widths."""
    print(f"simulated; the grader's error rate is {error_rate}; human / judge / writer")
    for entry in entries:
        task, _, dataset = entry.partition("=")
        default, again = (metrics(run(task, dataset, limit, error_rate, seed)) for seed in (0, 1))
        print(f"{Path(dataset).stem:22} {'the same again':15} {compared(default, again)}")
        for name, setting in SETTINGS.items():
            other = metrics(run(task, dataset, limit, error_rate, 0, **setting))
            print(f"{Path(dataset).stem:22} {name:15} {compared(default, other)}")


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


def compared(before: dict[str, float], after: dict[str, float]) -> str:
    """Requests, mean absolute change of the graded factors' influence, ratio of interval widths."""
    graded = [
        name.removeprefix("grader_missing_rate_")
        for name in before
        if name.startswith("grader_missing_rate_")
    ]

    def of(run: dict[str, float], who: str, end: str = "") -> _Array:
        return np.array([run.get(f"tau_{who}_{factor}{end}", math.nan) for factor in graded])

    def widths(run: dict[str, float], who: str) -> _Array:
        return of(run, who, "_ci_high") - of(run, who, "_ci_low")

    asked = [run["grader_requests"] for run in (before, after)]
    moved = (np.nanmean(abs(of(before, who) - of(after, who))) for who in PERSPECTIVES)
    wider = (np.nanmean(widths(after, w)) / np.nanmean(widths(before, w)) for w in PERSPECTIVES)
    return (
        f"requests {asked[0]:6.0f} -> {asked[1]:6.0f} ({asked[1] / asked[0]:.2f})  moved "
        + " / ".join(f"{move:.3f}" for move in moved)
        + "  widths x "
        + " / ".join(f"{ratio:.2f}" for ratio in wider)
    )


# Of recorded labels -------------------------------------------------------------------------------


def sums(table: Comparisons) -> tuple[_Array, _Array]:
    """Net and counted of each group, as ``group_sums`` has them."""
    return group_sums(table, 1 + int(table.group.max()))


def half_width(error: float, n: int) -> float:
    """Half of the interval of a mean with this standard error over n sources."""
    return float(t.ppf((1 + LEVEL) / 2, n - 1)) * error


def linearised(net: _Array, counted: _Array) -> tuple[float, _Array]:
    """tau_14, and what each source adds to its error."""
    tau = net.sum() / counted.sum()
    return tau, (net - tau * counted) / counted.mean()


def orders(entries: Sequence[str]) -> None:
    """A line a judge: its verdicts as a factor, in both orders and in one drawn by chance."""
    for entry in entries:
        pairs = [json.loads(line) for line in Path(entry).read_text(encoding="utf-8").splitlines()]
        codes = {group: code for code, group in enumerate({p["group"]: 0 for p in pairs})}
        for judge in sorted({name for p in pairs for name in p if name.startswith("picks_")}):
            rows = []
            for pair in pairs:
                picks, human = pair.get(judge) or (), SIGN.get(pair["preference"], 0)
                if human and len(picks) == 2 and None not in picks:
                    one, other = SIGN[picks[0]], -SIGN[picks[1]]
                    drawn = other if shown_swapped(pair["response_a"], pair["response_b"]) else one
                    both = one if one == other else 0
                    rows.append((codes[pair["group"]], human * both, human * drawn))
            if len(rows) < 50:
                continue
            group, both, drawn = np.array(rows).T
            counted = np.bincount(group).astype(float)
            found = [linearised(np.bincount(group, net), counted) for net in (both, drawn)]
            errors = [u.std() / math.sqrt((counted > 0).sum()) for _, u in found]
            print(
                f"{Path(entry).stem:28} {judge:40} pairs {len(rows):4}  tau {found[0][0]:+.2f} -> "
                f"{found[1][0]:+.2f}  widths x {errors[1] / errors[0]:.2f}"
            )


SIGN = {"first": 1, "second": -1, "tie": 0, "a": 1, "b": -1}


def labelled(entry: str) -> tuple[str, Comparisons, list[str]]:
    """The table of a file with its surface factors and labels, and the names of the labels."""
    path, _, names = entry.partition(":")
    data = load_preferences(path)
    surface = [factor.id for factor in resolve_factors("surface", data.sources[0].task)]
    table = human_comparisons(data, ",".join([*surface, names]))
    return Path(path).stem, table, names.split(",")


def subsample(entries: Sequence[str], studies: int) -> None:
    """A line a label: widths and coverage where only a share of the sources is graded.

    A study draws as many sources as the file has, with replacement, and grades a random share of
    them. ``alone`` takes these sources only; ``regression`` the regression estimator with the
    surface factors of all sources (Sarndal, Swensson & Wretman 1992, chapter 6).
    """
    rng = np.random.default_rng(0)
    for entry in entries:
        stem, table, names = labelled(entry)
        net, counted = sums(table)
        surface = [i for i, name in enumerate(table.factors) if name not in names]
        for name in names:
            index = table.factors.index(name)
            kept = counted[:, index] > 0
            y, c = net[kept, index], counted[kept, index]
            x = net[np.ix_(kept, surface)]
            x = x[:, x.std(axis=0) > 0]
            truth, u = linearised(y, c)
            left = residuals(x, u)
            explained = 1 - left.var(ddof=x.shape[1] + 1) / u.var(ddof=1)
            print(f"{stem:14} {name:16} sources {len(y):4} R2 of surface factors {explained:+.2f}")
            for share in SHARES:
                found = [draw(rng, x, y, c, share) for _ in range(studies)]
                line = f"    graded {share:4.0%}"
                for column, label in ((1, "alone"), (2, "regression")):
                    widths = np.mean([f[column][1] / f[0][1] for f in found])
                    covered = np.mean([abs(f[column][0] - truth) <= f[column][1] for f in found])
                    line += f"  {label}: widths x {widths:.2f}, coverage {covered:.3f}"
                covered = np.mean([abs(f[0][0] - truth) <= f[0][1] for f in found])
                print(f"{line}  (all: coverage {covered:.3f})")


def draw(
    rng: np.random.Generator, x: _Array, y: _Array, c: _Array, share: float
) -> list[tuple[float, float]]:
    """tau_14 and half its interval in one study: of all sources, of the share, by regression."""
    rows = rng.integers(0, len(y), len(y))
    x, y, c = x[rows], y[rows], c[rows]
    n = round(share * len(y))  # the first ones, since the rows are in the order of chance
    whole, u = linearised(y, c)
    part, v = linearised(y[:n], c[:n])
    inner = x[:n] - x[:n].mean(axis=0)
    slope = np.linalg.lstsq(inner, v, rcond=None)[0]
    moved = part + float((x.mean(axis=0) - x[:n].mean(axis=0)) @ slope)
    left = (v - inner @ slope).var(ddof=min(x.shape[1] + 1, n - 1)) / n
    fitted = ((x - x.mean(axis=0)) @ slope).var() / len(y)
    return [
        (whole, half_width(u.std(ddof=1) / math.sqrt(len(y)), len(y))),
        (part, half_width(v.std(ddof=1) / math.sqrt(n), n)),
        (moved, half_width(math.sqrt(left + fitted), n)),
    ]


def residuals(x: _Array, u: _Array) -> _Array:
    """What a regression on the columns leaves of u."""
    centred = x - x.mean(axis=0)
    return u - u.mean() - centred @ np.linalg.lstsq(centred, u, rcond=None)[0]


def stopping(entries: Sequence[str], studies: int, half: float) -> None:
    """A line a label: sources graded and coverage of three ways to end at intervals of +-half.

    ``planned`` knows the spread and takes the fixed number; ``by width`` looks every ten sources
    from 30 on and stops at the first ordinary interval that is narrow enough; ``always valid`` does
    so with the asymptotic confidence sequence of Waudby-Smith et al. (2024, Annals of Statistics
    52), tuned to the planned number; ``by verdict`` stops when the ordinary interval leaves out 0,
    and is drawn from sources without influence.
    """
    rng = np.random.default_rng(0)
    for entry in entries:
        stem, table, names = labelled(entry)
        net, counted = sums(table)
        for name in names:
            index = table.factors.index(name)
            kept = counted[:, index] > 0
            y, c = net[kept, index], counted[kept, index]
            truth, u = linearised(y, c)
            planned = max(30, math.ceil((norm.ppf((1 + LEVEL) / 2) * u.std() / half) ** 2))
            looks = np.arange(30, 20 * planned, 10)
            ways: dict[str, Callable[[float, int], float]] = {
                "by width": half_width,
                "always valid": partial(sequence, planned),
            }
            print(f"{stem:14} {name:16} tau {truth:+.2f} planned {planned} sources", end="")
            covered = []
            for _ in range(studies):
                rows = rng.integers(0, len(y), planned)
                tau, v = linearised(y[rows], c[rows])
                error = v.std(ddof=1) / math.sqrt(planned)
                covered.append(abs(tau - truth) <= half_width(error, planned))
            print(f", coverage {np.mean(covered):.3f}", end="")
            for label, way in ways.items():
                ends = [walk(rng, y, c, looks, way, half) for _ in range(studies)]
                n = np.mean([end[0] for end in ends])
                covered = [abs(tau - truth) <= within for _, tau, within in ends]
                print(f"  {label}: x {n / planned:.2f}, coverage {np.mean(covered):.3f}", end="")
            # Without influence: each source as it is, or with its sign turned.
            found = [falsely(rng, y, c, np.arange(30, 1001, 10)) for _ in range(studies)]
            print(f"  by verdict: 0 left out in {np.mean(found):.2f} of studies of none")


def sequence(planned: int, error: float, n: int) -> float:
    """Half of the asymptotic confidence sequence after n sources."""
    alpha = 1 - LEVEL
    a = -2 * math.log(alpha)
    rho2 = (a + math.log(a) + 1) / planned
    scale = (n * rho2 + 1) / (n * rho2) * math.log((n * rho2 + 1) / alpha**2)
    return error * math.sqrt(scale)


def walk(
    rng: np.random.Generator,
    y: _Array,
    c: _Array,
    looks: NDArray[np.int_],
    way: Callable[[float, int], float],
    half: float,
) -> tuple[int, float, float]:
    """Where a study stops: sources, tau_14, half of its interval."""
    rows = rng.integers(0, len(y), looks[-1])
    y, c = y[rows], c[rows]
    n, tau, within = 0, 0.0, 1.0
    for n in map(int, looks):
        tau, v = linearised(y[:n], c[:n])
        within = way(v.std(ddof=1) / math.sqrt(n), n)
        if within <= half:
            break
    return n, tau, within


def falsely(rng: np.random.Generator, y: _Array, c: _Array, looks: NDArray[np.int_]) -> bool:
    """Whether any look at sources without influence has an ordinary interval without 0."""
    rows = rng.integers(0, len(y), looks[-1])
    y, c = y[rows] * rng.choice([1, -1], looks[-1]), c[rows]
    for n in map(int, looks):
        tau, v = linearised(y[:n], c[:n])
        if abs(tau) > half_width(v.std(ddof=1) / math.sqrt(n), n):
            return True
    return False


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["requests", "profiles", "orders", "subsample", "stopping"])
    parser.add_argument("data", nargs="*", help="task=dataset, a file, or file:label,label")
    parser.add_argument("--error-rate", type=float, default=0.1)
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--half", type=float, default=0.1)
    options = parser.parse_intermixed_args()
    entries = options.data or [f"{task}=demo" for task in TASKS]
    match options.what:
        case "requests":
            requests(entries, options.limit)
        case "profiles":
            profiles(entries, options.limit, options.error_rate)
        case "orders":
            orders(options.data)
        case "subsample":
            subsample(options.data, options.studies)
        case "stopping":
            stopping(options.data, options.studies, options.half)


if __name__ == "__main__":
    main()
