"""How time and memory grow with the rows, from a thousand to a million.

    python benchmarks/growth.py [--small] [--most ROWS] [--output growth.json]

A step that takes ten times as long for ten times the rows has the exponent 1 between the two sizes,
a quadratic one 2, one that does not look at the rows 0. Each command runs in a process of its own,
whose start, measured on ten rows, is taken off; each part of the statistics runs in this process.
Printed are exponents, and the peak memory of the commands; CPU time, never shown, is the median of
interleaved turns. Data are random, from fixed seeds: groups of five pairs, 13 recorded factors.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from speed import in_own_process, random_table, random_texts

N_FACTORS, PAIRS_OF_A_GROUP = 13, 5
SIZES = (1_000, 10_000, 100_000, 1_000_000)
SMALL = (100, 1_000)
LIMIT = 1.3
"""The greatest exponent that is not told; noise and caches that overflow make .1 to .2."""
TEXTS_PER_ROW = 1 / 20
"""Surface factors take more of a text than all statistics of a row."""


@dataclass(frozen=True)
class Growth:
    """How one kind of work grows.

    Attributes:
        work: What is done.
        sizes: Rows, ascending.
        exponents: Of its time, between each two of the sizes; NaN where the start is all.
        peak_megabytes: Of the whole process at each size, of a command.
    """

    work: str
    sizes: tuple[int, ...]
    exponents: tuple[float, ...]
    peak_megabytes: tuple[int, ...] = ()

    @property
    def is_too_fast(self) -> bool:
        """Whether the time grows faster than the rows at sizes where something else is noise."""
        return self.sizes[-1] >= 10_000 and self.exponents[-1] > LIMIT

    def __str__(self) -> str:
        told = "  ".join(f"{exponent:5.2f}" for exponent in self.exponents)
        peak = (
            f"  peak {', '.join(map(str, self.peak_megabytes))} MB" if self.peak_megabytes else ""
        )
        return f"{told}  {self.work}{peak}{'  FASTER THAN THE ROWS' if self.is_too_fast else ''}"


def exponents(sizes: Sequence[int], seconds: Sequence[float]) -> tuple[float, ...]:
    """Slopes of log time over log size; NaN where a time is not above 0.

    >>> [round(slope, 6) for slope in exponents((10, 100, 1000), (1.0, 10.0, 1000.0))]
    [1.0, 2.0]
    """
    return tuple(
        math.log(after / before) / math.log(larger / smaller)
        if before > 0 and after > 0
        else math.nan
        for smaller, larger, before, after in zip(
            sizes, sizes[1:], seconds, seconds[1:], strict=False
        )
    )


def write_rows(n: int, lines: Path, columns: Path) -> None:
    """The same pairs as JSONL and as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(n)
    writer = None
    with lines.open("w", encoding="utf-8") as written:
        for start in range(0, n, 50_000):
            size = min(50_000, n - start)
            recorded = rng.integers(0, 9, (2, size, N_FACTORS)) / 2
            preferred = rng.choice(["a", "b", "tie"], size, p=[0.48, 0.42, 0.1])
            rows = [
                {
                    "id": f"p{start + row}",
                    "prompt": f"Question {(start + row) // PAIRS_OF_A_GROUP} about a thing?",
                    "response_a": "some text of a few words " * 4,
                    "response_b": "other words stand here in this text " * 4,
                    "preference": str(preferred[row]),
                    "group": f"g{(start + row) // PAIRS_OF_A_GROUP}",
                    "factors": {
                        side: {f"f{index}": float(value) for index, value in enumerate(values[row])}
                        for side, values in zip("ab", recorded, strict=True)
                    },
                }
                for row in range(size)
            ]
            written.writelines(json.dumps(row) + "\n" for row in rows)
            table = pa.Table.from_pylist(rows)
            writer = writer or pq.ParquetWriter(columns, table.schema)
            writer.write_table(table)
    if writer is not None:
        writer.close()


def spent_by(command: Sequence[str]) -> tuple[float, int]:
    """CPU seconds of a command, and its peak memory in MB.

    Raises:
        SystemExit: It failed.
    """
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said = process.stderr.read().decode() if process.stderr else ""
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {said}")
    unit = 1 if sys.platform == "darwin" else 1000
    return used.ru_utime + used.ru_stime, used.ru_maxrss * unit // 1_000_000


def commands(sizes: Sequence[int], turns: int) -> list[Growth]:
    """`influence` of files of recorded factors."""
    main = "from profile_tasks.cli import main; main()"
    growths = []
    with tempfile.TemporaryDirectory() as folder:
        files = {
            n: {kind: Path(folder, f"{n}.{kind}") for kind in ("jsonl", "parquet")}
            for n in (10, *sizes)
        }
        for n, both in files.items():
            in_own_process(write_rows, n, both["jsonl"], both["parquet"])
        for kind in ("jsonl", "parquet"):
            used: dict[int, list[tuple[float, int]]] = defaultdict(list)
            for turn in range(turns):
                for n, both in files.items():
                    if turn and n >= 100_000:
                        continue  # long enough to stand alone
                    asked = ["influence", str(both[kind]), "--format", "json"]
                    used[n].append(spent_by([sys.executable, "-c", main, *asked]))
            seconds = {n: statistics.median(each for each, _ in spent) for n, spent in used.items()}
            start = seconds.pop(10)
            growths.append(
                Growth(
                    f"profile-tasks influence, .{kind}, {N_FACTORS} recorded factors",
                    tuple(sizes),
                    exponents(sizes, [each - start for each in seconds.values()]),
                    tuple(max(peak for _, peak in used[n]) for n in sizes),
                )
            )
            print(growths[-1], flush=True)
    return growths


def jobs(n: int) -> Mapping[str, Callable[[], object]]:
    """Parts of the statistics over a table of n pairs, and surface factors of some texts."""
    from profile_tasks.scorers.factors.surface import factor_values
    from profile_tasks.scorers.factors.taxonomy import load_taxonomy
    from profile_tasks.scorers.statistics.adjusted import adjusted_influence
    from profile_tasks.scorers.statistics.influence import group_sums, profile_of
    from profile_tasks.scorers.statistics.resampling import bootstrap_taus
    from profile_tasks.scorers.statistics.significance import influence_tests

    table = random_table(n, N_FACTORS, missing=0.03)
    n_groups = int(table.group.max()) + 1
    responses, sources = random_texts(max(5, int(n * TEXTS_PER_ROW)))
    factors = [factor for factor in load_taxonomy().values() if factor.kind == "surface"]
    return {
        "tau_14": lambda: profile_of(table),
        "sums by group": lambda: group_sums(table, n_groups),
        "cluster bootstrap, B = 200": lambda: bootstrap_taus([table], replicates=200),
        "p-values by all sign flips": lambda: influence_tests(table),
        "adjusted influence": lambda: adjusted_influence(table),
        "surface factors, a text for 20 rows": lambda: factor_values(
            factors, responses, sources, [""] * len(responses)
        ),
    }


def parts(sizes: Sequence[int], turns: int) -> list[Growth]:
    """The parts of the statistics, each size in turn."""
    built = {n: jobs(n) for n in sizes}
    growths = []
    for work, warm_up in built[sizes[0]].items():
        warm_up()  # libraries are loaded once
        spent: dict[int, list[float]] = defaultdict(list)
        for _ in range(turns):
            for n in sizes:
                start = time.process_time()
                built[n][work]()
                spent[n].append(time.process_time() - start)
        medians = [statistics.median(spent[n]) for n in sizes]
        growths.append(Growth(work, tuple(sizes), exponents(sizes, medians)))
        print(growths[-1], flush=True)
    return growths


def main() -> None:
    """Measure, print, and write the file that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="two small sizes, in seconds")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="rows of the greatest size")
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    sizes = SMALL if options.small else tuple(n for n in SIZES if n <= options.most)
    if len(sizes) < 2:
        parser.error(f"--most: growth needs two sizes; say {SIZES[1]:,} or more, without commas")
    turns = 1 if options.small else 3
    print(f"exponents of the time between {', '.join(f'{n:,}' for n in sizes)} rows")
    # Linux counts the memory of the process that starts another to the other's peak: these first.
    growths = commands(sizes, turns) + parts(sizes, turns)
    if options.output is not None:
        content = [asdict(growth) for growth in growths]
        options.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
