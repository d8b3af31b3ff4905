"""Files with wrong bytes: each is read with its meaning, or refused in one line.

    python benchmarks/mutated_files.py [--mutations 20000] [--seed 0]

Changes bytes of valid small files (preference data in four formats, an Inspect log in JSON), loads
each, and counts what became of it. In a file that is accepted, every record that the changed bytes
lie outside of must mean what it meant. Exit status 1 where one does not, or where something else
than a refusal was raised.
"""

import argparse
import csv
import io
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from profile_tasks.data.preferences import load_preferences

TOKENS = (
    *(
        sign.encode()
        for sign in ('"', '""', "\n", "\r", ",", ":", "{", "}", "[", "]", "[[[[", "\\")
    ),
    *(b" ", b"-", b"null", b"NaN", b"1e999", b"\\ud800", b"\0", b"\xff", b"\xe2", b"\xef\xbb\xbf"),
)
Meaning = Mapping[str, object]
"""What each record of a file means, by its id."""


@dataclass(frozen=True)
class Original:
    """A valid file.

    Attributes:
        ending: Of its name.
        content: Its bytes.
        spans: Where each record stands, by its id. Bytes outside of all (the header of a CSV file)
            say what all of them mean.
        load: What a file means.
    """

    ending: str
    content: bytes
    spans: Mapping[str, tuple[int, int]]
    load: Callable[[Path], Meaning]


def rows(count: int = 8) -> list[dict[str, object]]:
    """Annotated pairs, each of a source of its own."""
    return [
        {
            "id": f"pair-{n}",
            "task": "summarization",
            "prompt": f'Summarize {n}, in "one" line.',
            "source": f"Line {n},\nthe ferry left; naïve 船.",
            "response_a": f"A ferry {'left ' * (n % 3 + 1)}",
            "response_b": f'It {n} "came" back.',
            "preference": ("a", "b", "tie")[n % 3],
            "annotators": [("a", "b", "tie")[n % 3]] * 3,
            "group": f"g{n}",
            "factors": {"a": {"errors": n, "tone": None}, "b": {"errors": 0.5, "tone": 1.0}},
        }
        for n in range(count)
    ]


def preferences(path: Path) -> Meaning:
    """The pairs of a file with their sources."""
    return {
        pair.id: (pair, source.task, source.group, source.prompt, source.source, source.reference)
        for source in load_preferences(str(path)).sources
        for pair in source.pairs
    }


def logged(path: Path) -> Meaning:
    """What was measured on the samples of a log."""
    from profile_tasks.runs.inspect_log import read_run

    return {measured.source_id: measured for measured in read_run(str(path)).measurements}


def joined(
    ending: str, parts: Mapping[str, bytes], ends: tuple[bytes, bytes, bytes],
    load: Callable[[Path], Meaning] = preferences,
) -> Original:  # fmt: skip
    """A file of records with what stands before, between and behind them."""
    before, between, behind = ends
    content, spans = before, dict[str, tuple[int, int]]()
    for number, (name, part) in enumerate(parts.items()):
        content += between if number else b""
        spans[name] = (len(content), len(content) + len(part))
        content += part
    return Original(ending, content + behind, spans, load)


def originals(folder: Path) -> dict[str, Original]:
    """The valid files by the name of their format."""
    held = {str(row["id"]): row for row in rows()}
    lines = {name: json.dumps(row, ensure_ascii=False).encode() for name, row in held.items()}
    return {
        "JSONL": joined("jsonl", lines, (b"", b"\n", b"\n")),
        "JSON": joined("json", lines, (b"[", b",\n", b"]\n")),
        "CSV": _csv(held),
        "Parquet": _parquet(held, folder),
        "Inspect log": _log(folder),
    }


def _csv(held: Mapping[str, Mapping[str, object]]) -> Original:
    def line(cells: list[object]) -> bytes:
        text = io.StringIO()
        csv.writer(text).writerow(
            [json.dumps(c) if isinstance(c, dict | list) else c for c in cells]
        )
        return text.getvalue().encode()

    header = line(list(next(iter(held.values()))))
    parts = {name: line(list(row.values())) for name, row in held.items()}
    return joined("csv", parts, (header, b"", b""))


def _parquet(held: Mapping[str, Mapping[str, object]], folder: Path) -> Original:
    """A file with a row group for each row, so that it is known where a row stands."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "original.parquet"
    table = pa.Table.from_pylist([dict(row) for row in held.values()])
    pq.write_table(table, path, row_group_size=1, compression="none", use_dictionary=False)
    metadata = pq.ParquetFile(path).metadata
    spans = {}
    for number, name in enumerate(held):
        group = metadata.row_group(number)
        chunks = [group.column(c) for c in range(group.num_columns)]
        spans[name] = (
            min(chunk.data_page_offset for chunk in chunks),
            max(chunk.data_page_offset + chunk.total_compressed_size for chunk in chunks),
        )
    return Original("parquet", path.read_bytes(), spans, preferences)


def _log(folder: Path) -> Original:
    """A finished log of a planted annotator, one sample a line."""
    from inspect_ai import eval as inspect_eval
    from inspect_ai.log import write_eval_log

    (done,) = inspect_eval(
        "profile_tasks/summarization",
        task_args={"limit": 6, "max_pairs_per_source": 2, "setting": "discrimination"},
        model="planted/verbose",
        log_dir=str(folder),
        display="none",
        log_realtime=False,
    )
    path = folder / "original.json"
    write_eval_log(done, str(path))
    log = json.loads(path.read_bytes())
    needed = ("id", "epoch", "input", "target", "scores", "metadata", "store")
    samples = {
        sample["metadata"]["id"]: json.dumps({k: sample[k] for k in needed}).encode()
        for sample in log.pop("samples")
    }
    beginning = json.dumps(log).encode().removesuffix(b"}") + b', "samples": ['
    return joined("json", samples, (beginning, b",\n", b"]}\n"), logged)


def mutated(content: bytes, rng: random.Random) -> tuple[bytes, int, int]:
    """Other content, and from where to where the original was changed."""
    start = rng.randrange(len(content))
    end = min(start + rng.choice((1, 1, 1, 2, 8, 40)), len(content))
    place = rng.randrange(len(content))
    new = rng.choice(
        (
            bytes([content[start] ^ (1 << rng.randrange(8))]) + content[start + 1 : end],
            rng.randbytes(end - start),
            b"",
            rng.choice(TOKENS),
            rng.choice(TOKENS) + content[start:end],
            content[place : place + rng.choice((1, 8, 40, 400))],
        )
    )
    if rng.random() < 0.03:  # a file that was cut off
        new, end = b"", len(content)
    return content[:start] + new + content[end:], start, end


def outcome(original: Original, meant: Meaning, path: Path, rng: random.Random) -> tuple[str, str]:
    """What becomes of one mutation, and what was seen where it is wrong."""
    content, start, end = mutated(original.content, rng)
    path.write_bytes(content)
    try:
        found = original.load(path)
    except (OSError, ValueError) as error:  # what every command tells in one line
        told = str(error)
        named = path.name in told
        return ("refused" if named else "without its file"), told if not named else ""
    except Exception as error:
        return "traceback", f"{error!r:.300} at {start}-{end}: {content[start - 20 : start + 40]!r}"
    spans = original.spans.values()
    in_records = min(first for first, _ in spans) <= start and end <= max(e for _, e in spans)
    for name, (first, last) in original.spans.items():
        apart = end < first or start > last
        if in_records and apart and found.get(name) != meant[name]:
            return "meaning changed", f"{name}: {content[max(start - 30, 0) : start + 60]!r}"
    return "accepted", ""


OUTCOMES = ("accepted", "refused", "without its file", "traceback", "meaning changed")


def main() -> int:
    """Print a table, a row for each format."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mutations", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        files = originals(Path(name))
        print("| format | mutations | " + " | ".join(OUTCOMES) + " |")
        print("|---" * (len(OUTCOMES) + 2) + "|")
        for number, (label, original) in enumerate(files.items()):
            rng = random.Random(f"{options.seed}:{label}")  # noqa: S311 - no secret
            path = Path(name) / f"mutated.{original.ending}"
            path.write_bytes(original.content)
            meant = original.load(path)
            share = len(range(number, options.mutations, len(files)))
            counts = Counter[str]()
            for _ in range(share):
                what, seen = outcome(original, meant, path, rng)
                counts[what] += 1
                if seen and counts[what] <= 5:
                    print(f"{label}: {what}: {seen}", file=sys.stderr)
            wrong += sum(counts[what] for what in OUTCOMES[2:])
            print(f"| {label} | {share} | " + " | ".join(str(counts[o]) for o in OUTCOMES) + " |")
    return 1 if wrong else 0


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    sys.exit(main())
