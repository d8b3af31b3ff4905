"""How fast the project is beside what other packages take for the same, and beside a floor.

    python benchmarks/speed.py [--small] [--most ROWS] [--parts PART ...] [--output speed.json]

One command for the whole of docs/speed.md: the statistics here, then `growth.py`,
`lm_eval_speed.py` and `overhead.py`. It ends with one table, each ratio beside what the project
promises of it, if anything.

Prints ratios, never times: a machine's speed cancels out of a ratio, and most of its noise too.
Within one comparison the candidates run in turn, A B C A B C ..., each for a few milliseconds of
CPU time at least; a ratio is that of the medians, and the range after it that of the single turns.
Before anything is timed, it is checked that the candidates give the same numbers; where they do
not, the run ends. A peer that is not installed is skipped with a word (benchmarks/README.md).
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import group_sums, profile_of

if TYPE_CHECKING:
    import pandas as pd

Job = Callable[[], object]
Result = TypeVar("Result")

TURN_SECONDS = 0.005
PAIRS_OF_A_GROUP = 10
SLOW_REPLICATES = 1_000
"""Bootstraps that handle every pair take minutes with more."""

TEXTS = {"text_b": -1, "both": 0, "text_a": 1}
"""What feedback-forensics calls a sign."""


@dataclass(frozen=True)
class Ratio:
    """One result.

    Attributes:
        work: what this project did.
        relation: ``times as fast as`` a peer, or ``times as long as`` a floor that no
            implementation can pass.
        other: the peer or the floor.
        ratio: of the medians over the turns.
        low: smallest ratio of one turn.
        high: greatest.
        limit: what the project promises, at least or at most; None where it promises nothing.

    """

    work: str
    relation: str
    other: str
    ratio: float
    low: float
    high: float
    limit: float | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the ratio is within its limit."""
        if self.limit is None:
            return True
        return self.ratio >= self.limit if "fast" in self.relation else self.ratio <= self.limit

    def row(self) -> str:
        """A row of the table."""
        limit = "" if self.limit is None else f"{self.limit:g}{'' if self.is_kept else ' MISSED'}"
        ratio = f"{self.ratio:.2f} | {self.low:.2f} - {self.high:.2f}"
        return f"| {self.work} | {self.relation} {self.other} | {ratio} | {limit} |"

    def __str__(self) -> str:
        return (
            f"{self.ratio:10.1f} {self.relation} {self.other}  [{self.low:.1f} - {self.high:.1f}]"
        )


class Report:
    """Prints every result at once and keeps it for the file."""

    def __init__(self, turns: int) -> None:
        self.turns = turns
        self.ratios: list[Ratio] = []
        self.checks: dict[str, float] = {}
        self.peak_megabytes: dict[str, int] = {}
        self.skipped: list[str] = []
        self.growth: list[dict[str, Any]] = []

    def compare(
        self,
        work: str,
        ours: Job,
        *,
        peers: Mapping[str, Job] | None = None,
        floors: Mapping[str, Job] | None = None,
        turns: int | None = None,
    ) -> None:
        """Time our job and the others in turn."""
        self.add(timed_ratios(work, ours, peers or {}, floors or {}, turns or self.turns))

    def add(self, ratios: Sequence[Ratio]) -> None:
        """Print and keep the results of one comparison."""
        print(f"\n{ratios[0].work}")
        print(*ratios, sep="\n", flush=True)
        self.ratios += ratios

    def check(self, name: str, difference: float, limit: float) -> None:
        """End the run where the greatest difference of two results is above the limit."""
        if not difference <= limit:
            raise SystemExit(f"{name}: the results differ by {difference}, more than {limit}")
        self.checks[name] = difference

    def skip(self, peer: str, error: ImportError) -> None:
        """Say that a peer is missing."""
        self.skipped.append(peer)
        print(f"\n{peer} is skipped: {error}")

    def peak(self, work: str, megabytes: int) -> None:
        """Print and keep the peak memory of a process."""
        print(f"\n{work}\n{megabytes:10} MB at the peak of the whole process")
        self.peak_megabytes[work] = megabytes


def timed_ratios(
    work: str, ours: Job, peers: Mapping[str, Job], floors: Mapping[str, Job], turns: int
) -> list[Ratio]:
    """Run all jobs in turn and return our ratio to each of the others."""
    jobs = {work: ours, **peers, **floors}
    calls = {name: calls_of_a_turn(job) for name, job in jobs.items()}
    seconds = {name: np.empty(turns) for name in jobs}
    for turn in range(turns):
        for name, job in jobs.items():
            seconds[name][turn] = seconds_of(job, calls[name])

    def ratio(relation: str, other: str, over: str, under: str) -> Ratio:
        single = seconds[over] / seconds[under]
        return Ratio(
            work=work,
            relation=relation,
            other=other,
            ratio=float(np.median(seconds[over]) / np.median(seconds[under])),
            low=float(single.min()),
            high=float(single.max()),
        )

    return [ratio("times as fast as", peer, peer, work) for peer in peers] + [
        ratio("times as long as", floor, work, floor) for floor in floors
    ]


def calls_of_a_turn(job: Job) -> int:
    """Calls that last about TURN_SECONDS; the first call is the warm-up."""
    cold = seconds_of(job, 1)
    warm = cold if cold > 1 else seconds_of(job, 1)
    return max(1, round(TURN_SECONDS / max(warm, 1e-6)))


def seconds_of(job: Job, calls: int) -> float:
    """Mean CPU seconds of a call."""
    start = time.process_time()
    for _ in range(calls):
        job()
    return (time.process_time() - start) / calls


def random_table(n: int, n_factors: int, *, missing: float = 0.0) -> Comparisons:
    """Pairs of sources of ten pairs on average, without preference ties."""
    rng = np.random.default_rng(n)
    manifestation = np.empty((n, n_factors), np.int8, order="F")
    absent = np.zeros((n, n_factors), np.bool_, order="F")
    for index in range(n_factors):  # by column: the table may be most of the memory
        manifestation[:, index] = rng.integers(-1, 2, n, dtype=np.int8)
        if missing:
            absent[:, index] = rng.random(n, dtype=np.float32) < missing
            manifestation[absent[:, index], index] = 0
    manifestation.setflags(write=False)
    absent.setflags(write=False)
    return Comparisons(
        preference=rng.integers(0, 2, n, dtype=np.int8) * 2 - 1,
        manifestation=manifestation,
        missing=absent,
        group=np.sort(rng.integers(0, max(1, n // PAIRS_OF_A_GROUP), n, dtype=np.int32)),
        factors=tuple(f"factor_{index}" for index in range(n_factors)),
        perspective="human",
    )


def read_all(table: Comparisons) -> list[int]:
    """Read every byte of the table once, eight at a time."""
    arrays = (table.manifestation.T, table.missing.T, table.preference, table.group)
    return [int(words(array).sum()) for array in arrays]


def words(array: NDArray[np.generic]) -> NDArray[np.uint64]:
    """View the bytes of an array as 64-bit words, leaving out the last seven at most."""
    octets = array.reshape(-1).view(np.uint8)
    return octets[: octets.size // 8 * 8].view(np.uint64)


def floors_of(table: Comparisons) -> dict[str, Job]:
    """What any implementation has to do at least."""
    manifestation = table.manifestation.T
    return {
        "reading all bytes of the table once (uint64 sums)": lambda: read_all(table),
        "reading the manifestations alone (uint64 sum)": lambda: words(manifestation).sum(),
        "manifestation.sum()": manifestation.sum,
    }


def influence(report: Report, n: int, n_factors: int, *, with_peers: bool) -> None:
    """tau_14 against feedback-forensics, pandas and the mere reading."""
    table = random_table(n, n_factors)
    tau = profile_of(table).tau
    peers: dict[str, Job] = {}
    if with_peers:
        frame = table.to_frame()
        peers["pandas melt and groupby"] = lambda: pandas_taus(frame, table.factors)
        by_pandas = pandas_taus(frame, table.factors)
        report.check(f"tau_14 by pandas, {n:,} pairs", greatest(tau - by_pandas), 1e-12)
        try:
            strength = feedback_forensics_job(table)
        except ImportError as error:
            report.skip("feedback-forensics", error)
        else:
            peers["the strength metric of feedback-forensics"] = strength
            report.check(
                f"tau_14 by feedback-forensics, {n:,} pairs", greatest(tau - strength()), 1e-12
            )
    report.compare(
        f"tau_14, {n:,} pairs x {n_factors} factors",
        lambda: profile_of(table),
        peers=peers,
        floors=floors_of(table),
    )
    gaps = random_table(n, n_factors, missing=0.03)
    report.compare(
        f"tau_14, {n:,} pairs x {n_factors} factors, 3 % of the cells missing",
        lambda: profile_of(gaps),
        floors=floors_of(gaps),
    )
    n_groups = int(table.group.max()) + 1
    report.compare(
        f"sums by group, {n:,} pairs x {n_factors} factors",
        lambda: group_sums(table, n_groups),
        floors=floors_of(table),
    )


def pandas_taus(frame: "pd.DataFrame", factors: Sequence[str]) -> NDArray[np.float64]:
    """tau_14 as a few lines of pandas."""
    decided = frame[frame["preference"] != 0]
    agreement = decided[list(factors)].mul(decided["preference"], axis=0)
    long = agreement.melt(var_name="factor", value_name="agreement").dropna()
    means = long.groupby("factor", sort=False)["agreement"].mean()
    return means.loc[list(factors)].to_numpy(dtype=np.float64)


def feedback_forensics_job(table: Comparisons) -> Callable[[], NDArray[np.float64]]:
    """The strength metric, and no other, of a frame of votes that is already built."""
    os.environ["FF_AVAIL_METRICS"] = '["strength"]'  # read when the package is imported
    import pandas as pd
    from feedback_forensics.app.metrics import compute_annotator_metrics

    columns = {"preferred_text": table.preference}
    columns |= dict(zip(table.factors, table.manifestation.T, strict=True))
    votes = pd.DataFrame(
        {name: pd.Categorical.from_codes(signs + 1, list(TEXTS)) for name, signs in columns.items()}
    )
    names = {factor: {"annotator_in_row_name": factor} for factor in table.factors}

    def strengths() -> NDArray[np.float64]:
        # A shallow copy, because the function replaces columns of the frame it is given.
        computed = compute_annotator_metrics(
            votes.copy(deep=False), names, list(table.factors), "preferred_text"
        )
        found = computed["metrics"]["strength"]
        return np.array([found[factor]["strength"] for factor in table.factors])

    return strengths


def write_parquet(path: str, n: int, n_factors: int) -> int:
    """Write a random table; return the peak of this process in MB."""
    random_table(n, n_factors, missing=0.03).to_parquet(path)
    return peak_megabytes()


def profile_from_parquet(path: str) -> int:
    """Read a table and take its profile; return the peak of this process in MB."""
    profile_of(Comparisons.from_parquet(path))
    return peak_megabytes()


def parquet_ratios(path: str, work: str, turns: int) -> list[Ratio]:
    """Time reading a file and profiling its table."""
    import pyarrow.parquet as pq

    table = Comparisons.from_parquet(path)
    return timed_ratios(
        f"{work}, from the file",
        lambda: profile_of(Comparisons.from_parquet(path)),
        {},
        {"pyarrow.parquet.read_table": lambda: pq.read_table(path)},
        turns,
    ) + timed_ratios(f"{work}, in memory", lambda: profile_of(table), {}, floors_of(table), turns)


def peak_megabytes() -> int:
    """Greatest resident memory of this process so far."""
    unit = 1 if platform.system() == "Darwin" else 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // 1_000_000


def parquet(report: Report, n: int, n_factors: int) -> None:
    """tau_14 of a table that is read from Parquet, each step in a process of its own."""
    work = f"tau_14, {n:,} pairs x {n_factors} factors, 3 % of the cells missing"
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "comparisons.parquet"))
        report.peak(f"to_parquet, {n:,} pairs", in_own_process(write_parquet, path, n, n_factors))
        report.peak(f"{work}, from_parquet", in_own_process(profile_from_parquet, path))
        ratios = in_own_process(parquet_ratios, path, work, report.turns)
    report.add(ratios[:1])
    report.add(ratios[1:])


def in_own_process(job: Callable[..., Result], *arguments: object) -> Result:
    """Run a job in a fresh interpreter, whose peak memory is the job's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(job, *arguments).result()


def bootstrap(report: Report, n: int, n_groups: int, replicates: int) -> None:
    """Replicates of 13 factors' tau_14 by drawing groups."""
    from profile_tasks.scorers.statistics.resampling import bootstrap_taus

    table = random_table(n, 13)
    table = Comparisons(
        table.preference,
        table.manifestation,
        table.missing,
        np.sort(np.random.default_rng(1).integers(0, n_groups, n)).astype(np.int32),
        table.factors,
        table.perspective,
    )
    (ours,) = bootstrap_taus([table], replicates=replicates)
    net, counted = group_sums(table, n_groups)
    present = counted[:, 0] > 0
    sums = scipy_replicates_of_sums(net[present], counted[present], replicates)
    limit = 10 / np.sqrt(replicates)  # several standard errors of a standard deviation
    report.check(
        f"standard errors by scipy, B = {replicates:,}",
        greatest(sums.std(axis=0) / ours.std(axis=0) - 1),
        float(limit),
    )
    peers: dict[str, Job] = {
        "scipy.stats.bootstrap over the groups' sums, vectorised": lambda: scipy_replicates_of_sums(
            net[present], counted[present], replicates
        )
    }
    if replicates <= SLOW_REPLICATES:
        rows = np.split(np.arange(n), np.flatnonzero(np.diff(table.group)) + 1)
        frame = table.to_frame().set_index("group")
        peers["scipy.stats.bootstrap over the groups' pairs"] = lambda: scipy_replicates_of_pairs(
            table, rows, replicates
        )
        peers["pandas, the rows of the groups drawn"] = lambda: pandas_replicates(frame, replicates)
    report.compare(
        f"cluster bootstrap, B = {replicates:,}, 13 factors, {n:,} pairs in {n_groups:,} groups",
        lambda: bootstrap_taus([table], replicates=replicates),
        peers=peers,
        turns=3,
    )


def scipy_replicates_of_sums(
    net: NDArray[np.float64], counted: NDArray[np.float64], replicates: int
) -> NDArray[np.float64]:
    """(B, F) with scipy, factor by factor, given what makes ours fast: the sums of each group."""
    from scipy.stats import bootstrap as scipy_bootstrap

    return np.stack(
        [
            scipy_bootstrap(
                columns,
                lambda net, counted, axis: net.sum(axis=axis) / counted.sum(axis=axis),
                paired=True,
                vectorized=True,
                n_resamples=replicates,
                batch=min(replicates, 1000),
                method="percentile",
                rng=0,
            ).bootstrap_distribution
            for columns in zip(net.T, counted.T, strict=True)
        ],
        axis=1,
    )


def scipy_replicates_of_pairs(
    table: Comparisons, rows: Sequence[NDArray[np.intp]], replicates: int
) -> NDArray[np.float64]:
    """(B, F) with scipy, factor by factor, from the pairs of the groups that it draws."""
    from scipy.stats import bootstrap as scipy_bootstrap

    def statistic(drawn: NDArray[np.intp], agreement: NDArray[np.int8]) -> float:
        return float(agreement[np.concatenate([rows[group] for group in drawn])].mean())

    return np.stack(
        [
            scipy_bootstrap(
                (np.arange(len(rows)),),
                lambda drawn, agreement=agreement: statistic(drawn, agreement),
                vectorized=False,
                n_resamples=replicates,
                method="percentile",
                rng=0,
            ).bootstrap_distribution
            for agreement in (table.manifestation * table.preference[:, None]).T
        ],
        axis=1,
    )


def pandas_replicates(frame: "pd.DataFrame", replicates: int) -> NDArray[np.float64]:
    """(B, F) with pandas: the rows of the groups drawn, which are the frame's index."""
    rng = np.random.default_rng(0)
    groups = frame.index.unique().to_numpy()
    taus = []
    for _ in range(replicates):
        drawn = frame.loc[rng.choice(groups, groups.size)]
        agreement = drawn.drop(columns="preference").mul(drawn["preference"].to_numpy(), axis=0)
        taus.append(agreement.mean().to_numpy(dtype=np.float64))
    return np.array(taus)


def alignments(report: Report, replicates: int) -> None:
    """The alignment of every pair of bootstrap replicates."""
    from scipy.stats import kendalltau, pearsonr, spearmanr

    from profile_tasks.scorers.statistics.alignment import alignment_replicates

    rng = np.random.default_rng(2)
    profile = rng.normal(size=13)
    a, b = profile + rng.normal(size=(2, replicates, 13))

    def loop(*correlations: Callable[..., Any]) -> NDArray[np.float64]:
        return np.array(
            [[f(x, y).statistic for x, y in zip(a, b, strict=True)] for f in correlations]
        )

    ours = alignment_replicates(a, b)
    report.check(
        "alignments by scipy",
        greatest(loop(kendalltau, spearmanr, pearsonr) - [ours.tau_b, ours.spearman, ours.pearson]),
        1e-12,
    )
    report.compare(
        f"tau_b, rho and r of {replicates:,} replicates of 13 factors",
        lambda: alignment_replicates(a, b),
        peers={
            "scipy.stats.kendalltau alone, in a loop": lambda: loop(kendalltau),
            "kendalltau, spearmanr and pearsonr, in a loop": lambda: loop(
                kendalltau, spearmanr, pearsonr
            ),
        },
    )


def texts(report: Report, n: int) -> None:
    """Surface factors and ROUGE-L of texts of 200 words."""
    from profile_tasks.scorers.factors.surface import factor_values
    from profile_tasks.scorers.factors.taxonomy import load_taxonomy
    from profile_tasks.scorers.measurement.standard_metrics import rouge, rouge_l

    responses, references = random_texts(n)
    pairs = list(zip(responses, references, strict=True))
    factors = [factor for factor in load_taxonomy().values() if factor.kind == "surface"]
    prompts = [""] * n
    report.compare(
        f"{len(factors)} surface factors of {n:,} texts of 200 words",
        lambda: factor_values(factors, responses, references, prompts),
        floors={"str.split of the texts": lambda: [text.split() for text in responses]},
    )
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError as error:
        report.skip("rouge-score", error)
        return
    alone = RougeScorer(["rougeL"], use_stemmer=False)
    three = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    theirs = [alone.score(reference, response)["rougeL"].fmeasure for response, reference in pairs]
    report.check(
        "ROUGE-L F1 by rouge_score",
        greatest(np.array(theirs) - [rouge_l(*pair) for pair in pairs]),
        1e-6,
    )
    report.compare(
        f"ROUGE-L of {n:,} pairs of 200 words",
        lambda: [rouge_l(*pair) for pair in pairs],
        peers={
            "rouge_score's ROUGE-L": lambda: [
                alone.score(reference, response) for response, reference in pairs
            ]
        },
    )
    report.compare(
        f"ROUGE-1, -2 and -L of {n:,} pairs of 200 words",
        lambda: [rouge(*pair) for pair in pairs],
        peers={
            "rouge_score's three": lambda: [
                three.score(reference, response) for response, reference in pairs
            ]
        },
    )


def random_texts(n: int, n_words: int = 200) -> tuple[list[str], list[str]]:
    """Responses of made-up words, and references that keep about two thirds of them."""
    rng = np.random.default_rng(4)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    vocabulary = ["".join(rng.choice(letters, size)) for size in rng.integers(2, 10, 3000)]
    frequency = 1 / np.arange(1, 3001)
    drawn = rng.choice(3000, (2, n, n_words), p=frequency / frequency.sum())
    kept = np.where(rng.random((n, n_words)) < 2 / 3, drawn[0], drawn[1])
    responses, references = (
        [" ".join(vocabulary[word] for word in text) for text in side] for side in (drawn[0], kept)
    )
    return responses, references


def greatest(difference: NDArray[np.float64]) -> float:
    """Greatest absolute value."""
    return float(np.abs(difference).max())


def measured_by(script: str, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """What another benchmark of this folder writes, run in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "results.json")
        command = [sys.executable, str(Path(__file__).with_name(script)), *arguments]
        subprocess.run([*command, "--output", str(output)], check=True)  # noqa: S603 - of this folder
        return json.loads(output.read_text(encoding="utf-8"))


def tables(report: Report, *, small: bool, most: int) -> None:
    """Influence, bootstrap and alignments."""
    # First of all: Linux counts the memory of the process that starts another to the other's peak.
    parquet(report, 20_000 if small else most, 13)
    for n in (2_000,) if small else (10_000, 100_000, 1_000_000, 10_000_000):
        if n <= most:
            influence(report, n, 20, with_peers=n <= 100_000)
    for replicates in (100,) if small else (1_000, 10_000):
        bootstrap(report, 1_000 if small else 10_000, 100 if small else 1_000, replicates)
    alignments(report, 50 if small else 1_000)


def growth(report: Report, *, small: bool, most: int) -> None:
    """Exponents, from a thousand to a million rows."""
    sizes = ["--small"] if small else ["--most", str(most)]
    report.growth += measured_by("growth.py", *sizes)


def lm_eval_tasks(report: Report, *, small: bool) -> None:
    """Start-up and requests a second of the lm-eval tasks."""
    found = measured_by("lm_eval_speed.py", *(["--small"] if small else []))
    report.ratios += [Ratio(**each) for each in found["ratios"]]


def inspect_tasks(report: Report, *, small: bool) -> None:
    """The Inspect tasks beside their bare model calls."""
    found = measured_by("overhead.py", *(["--small"] if small else []))
    report.ratios += [Ratio(**each) for each in found["ratios"]]


PARTS = ("tables", "texts", "growth", "lm-eval", "inspect")


def main() -> None:
    """Measure, print, and write the file that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--most", type=int, default=10_000_000, help="rows of the greatest table")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    small, most = options.small, options.most
    report = Report(turns=3 if small else 9)
    run: dict[str, Callable[[], None]] = {
        "tables": lambda: tables(report, small=small, most=most),
        "texts": lambda: texts(report, 20 if small else 1_000),
        "growth": lambda: growth(report, small=small, most=most),
        "lm-eval": lambda: lm_eval_tasks(report, small=small),
        "inspect": lambda: inspect_tasks(report, small=small),
    }
    for part in options.parts:
        run[part]()
    print("\n| work | | ratio | range | limit |\n|---|---|---:|---:|---:|")
    print(*(ratio.row() for ratio in report.ratios), sep="\n")
    if options.output is not None:
        content = {
            "ratios": [asdict(ratio) for ratio in report.ratios],
            "growth": report.growth,
            "peak_megabytes": report.peak_megabytes,
            "greatest_differences": report.checks,
            "skipped": report.skipped,
            "turns": report.turns,
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
            "versions": {name: version(name) for name in ("numpy", "pandas", "pyarrow", "scipy")},
        }
        options.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
