"""Known answers, asked of the package as it is installed: what the instrument recovers here.

Every check plants a truth and measures it by the road that users take: a task run by Inspect or
lm-eval and read as any finished run, or a study resampled as any other. SIMULATION: no number here
is about a model or about people; a check that fails says that numbers of this installation cannot
be trusted.
"""

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from inspect_ai import eval as inspect_eval
from inspect_ai.model import get_model
from scipy import stats

from profile_tasks.lm_eval_runner.run import OwnTaskManager
from profile_tasks.runs.inspect_log import read_run
from profile_tasks.runs.run import Run
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.significance import influence_tests
from profile_tasks.scorers.statistics.study import Study
from profile_tasks.task_configs.planted_lm import PlantedLM

TASK = "summarization"
SOURCES = 8
"""So many demonstration sources a run."""

STUDIES, GROUPS, PAIRS = 200, 60, 3
"""Simulated studies, sources of each, pairs of a source."""

TRUE_TAU = 0.5
SURE = 0.999
"""A share of the simulated studies fails a check where chance reaches it more rarely than this."""

ERROR_RATE = 0.2
"""Of the planted grader, whose decisions on both orders of a pair err independently."""


@dataclass(frozen=True)
class KnownAnswer:
    """What was planted, and what was found.

    Attributes:
        name: What is checked.
        expected: The truth, in words.
        found: What was measured, in words.
        holds: Whether it is what it should be.
    """

    name: str
    expected: str
    found: str
    holds: bool


Check = Callable[[Path], KnownAnswer]


def checks() -> dict[str, Check]:
    """Name of each check -> the check, which keeps its logs in a folder that it is given."""
    return {
        "a judge and writer for length": partial(_taste, sign=1),
        "a judge and writer against length": partial(_taste, sign=-1),
        "opposite tastes align oppositely": _opposite_alignments,
        "a judge by position": _position,
        "a grader of a known error rate": _grader,
        "Inspect and lm-eval, number for number": _both_harnesses,
        "intervals of simulated studies": _coverage,
        "tests of simulated studies": _level,
    }


def known_answers() -> Iterator[KnownAnswer]:
    """Run every check, one after the other, in a folder that is removed.

    Yields:
        What was found; a check that ends in an error does not hold, and says the error.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, check in checks().items():
            try:
                yield check(Path(folder))
            except Exception as error:
                yield KnownAnswer(name, "no error", f"{type(error).__name__}: {error}", holds=False)


# In Inspect ---------------------------------------------------------------------------------------


def _run(
    folder: Path,
    profile: str = "verbose",
    *,
    grader: str | None = None,
    limit: int | None = SOURCES,
    setting: str = "both",
    **planted: Any,  # noqa: ANN401 - arguments of the planted model
) -> Run:
    graded_by = grader and get_model(grader, memoize=False, error_rate=ERROR_RATE)
    with redirect_stdout(io.StringIO()):  # Inspect's banner
        (log,) = inspect_eval(
            f"profile_tasks/{TASK}",
            task_args={"limit": limit, "setting": setting},
            model=get_model(f"planted/{profile}", memoize=False, **planted),
            model_roles={"grader": graded_by} if graded_by else None,
            log_dir=str(folder),
            display="none",
            log_realtime=False,
        )
    if log.status != "success":
        raise RuntimeError(log.error.message if log.error else f"the run ended as {log.status}")
    return read_run(log.location)


def _taste(folder: Path, *, sign: int) -> KnownAnswer:
    """Without noise the only weight decides every pair, read and written."""
    run = _run(folder, weights={"length": float(sign)}, temperature=0.0)
    names = ("tau_discrimination_length", "tau_generation_length", "self_agreement_pearson")
    judge, writer, own = (run.metrics[name] for name in names)
    return KnownAnswer(
        f"a judge and writer {'for' if sign > 0 else 'against'} length",
        f"tau {sign:+d} as judge and as writer, self-agreement 1",
        f"tau {_number(judge)} and {_number(writer)}, self-agreement {_number(own)}",
        holds=judge == writer == sign and own is not None and own > 0.99,
    )


def _opposite_alignments(folder: Path) -> KnownAnswer:
    """The demonstration labels have a taste for fuller texts."""
    name = "alignment_discrimination_tau_b"
    ends = [
        _run(folder, profile, limit=None, setting="discrimination").estimate(name)
        for profile in ("verbose", "concise")
    ]
    return KnownAnswer(
        "opposite tastes align oppositely",
        "planted/verbose above 0, planted/concise below 0",
        " and ".join(map(str, ends)),
        holds=ends[0].low > 0 > ends[1].high,
    )


def _position(folder: Path) -> KnownAnswer:
    """A judge that likes nothing but the first place names it always, and flips with the order."""
    run = _run(
        folder, weights={"length": 0.0}, temperature=0.0, position_bias=1.0,
        setting="discrimination",
    )  # fmt: skip
    first, flips = (run.metrics[name] for name in ("first_position_rate", "flip_rate"))
    return KnownAnswer(
        "a judge by position",
        "the first shown in every verdict, every pair flips",
        f"first {_number(first)}, flips {_number(flips)}",
        holds=first == flips == 1,
    )


def _grader(folder: Path) -> KnownAnswer:
    """Orders err independently: of three values, one of two wrong ones is named."""
    run = _run(folder, grader="planted/grader")
    flips = run.metrics["grader_flip_rate"]
    expected = 1 - (1 - ERROR_RATE) ** 2 - ERROR_RATE**2 / 2
    return KnownAnswer(
        "a grader of a known error rate",
        f"verdicts flip in {expected:.2f} of its pairs, give or take 0.05",
        f"in {_number(flips)}",
        holds=flips is not None and abs(flips - expected) < 0.05,
    )


# In lm-eval ---------------------------------------------------------------------------------------


def _both_harnesses(folder: Path) -> KnownAnswer:
    from lm_eval import simple_evaluate

    ours = _run(folder).metrics
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):  # lm-eval's bars
        results = simple_evaluate(
            model=PlantedLM(profile="verbose"),
            tasks=[f"profile_{TASK}"],
            task_manager=OwnTaskManager(metadata={"limit": SOURCES}),
            bootstrap_iters=0,
        )
    theirs = {
        name.removesuffix(",none"): value
        for row in (results or {})["results"].values()
        for name, value in row.items()
        if name.startswith(("tau_", "alignment_", "flip_rate", "discrimination_"))
        and name.endswith(",none")
    }
    gaps = [
        abs(value - other)
        for name, value in theirs.items()
        if (other := ours.get(name)) is not None and not np.isnan(value)
    ]
    return KnownAnswer(
        "Inspect and lm-eval, number for number",
        "the same influences, alignments and rates, to 1e-12",
        f"{len(gaps)} numbers, farthest apart by {max(gaps, default=np.nan):.1g}",
        holds=len(gaps) > 30 and max(gaps) < 1e-12,
    )


# In simulated studies -----------------------------------------------------------------------------


def _study(seed: int) -> Comparisons:
    """Sources differ in how strongly a factor drives their preferences; another one drives none."""
    drawn = np.random.default_rng(seed)
    strength = np.repeat(TRUE_TAU + 0.3 * drawn.choice([-1, 1], GROUPS), PAIRS)
    preference = drawn.choice([-1, 1], GROUPS * PAIRS)
    follows = np.where(drawn.random(GROUPS * PAIRS) < (1 + strength) / 2, 1, -1)
    manifestation = np.column_stack([preference * follows, drawn.choice([-1, 1], GROUPS * PAIRS)])
    return Comparisons(
        preference.astype(np.int8),
        manifestation.astype(np.int8),
        np.zeros(manifestation.shape, dtype=bool),
        np.repeat(np.arange(GROUPS), PAIRS).astype(np.int32),
        ("driving", "idle"),
        "human",
    )


def _coverage(_: Path) -> KnownAnswer:
    inside = [
        found.low <= TRUE_TAU <= found.high
        for seed in range(STUDIES)
        for found in [Study({"human": _study(seed)}, replicates=100).influence("human")["driving"]]
    ]
    return _share_of_studies(
        "intervals of simulated studies", f"hold the true tau {TRUE_TAU} in 95 %", inside, 0.95
    )


def _level(_: Path) -> KnownAnswer:
    told = [float(influence_tests(_study(seed)).p_value[1]) <= 0.05 for seed in range(STUDIES)]
    return _share_of_studies(
        "tests of simulated studies", "tell an influence where there is none in 5 %", told, 0.05
    )


def _share_of_studies(name: str, expected: str, seen: list[bool], share: float) -> KnownAnswer:
    least, most = stats.binom.interval(SURE, STUDIES, share)
    return KnownAnswer(
        name,
        f"{expected}, by chance {least / STUDIES:.0%} to {most / STUDIES:.0%}",
        f"in {sum(seen) / STUDIES:.1%} of {STUDIES} studies",
        holds=bool(least <= sum(seen) <= most),
    )


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"
