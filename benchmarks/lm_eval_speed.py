"""What the lm-eval tasks cost beside the same requests written as Jinja templates in YAML.

    python benchmarks/lm_eval_speed.py [--small] [--output FILE]

Two comparisons, in turn, A B A B ..., as ratios of medians:

* start-up: from the start of the process to the first request at a model, ``profile-tasks lm-eval``
  beside the stock command with ``--include_path``, the same task and the same data;
* requests per second at a model that answers at once: each kind of task beside a YAML task with one
  row a request, whose prompts are Jinja templates. Timed is lm-eval's ``evaluate``: building the
  requests, running them, processing the results and every metric. For our tasks these are all
  factors, profiles, alignments and bootstrap intervals; for the YAML task the mean of one number.
  Neither loads a tokenizer nor logs samples. Before anything is timed, it is checked that both send
  the very same requests. With the loading of the data (ours checks every row, the YAML task has
  rows that are already expanded) stands apart.

The data are drawn from words made up here, with a fixed seed. Times are noise on a shared machine;
ratios in one run are not.
"""

import argparse
import gc
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from speed import Ratio

TASK = "summarization"
PAIRS_OF_A_SOURCE = 2
LIKELIHOOD = ("discrimination_loglikelihood", "score_validity")
KINDS = ("generation", "discrimination", *LIKELIHOOD)
LIMITS = {"start-up": 5.0, "requests per second": 2.5}
"""The least ratios that this project promises."""

_SYLLABLES = ("ka", "lo", "mi", "ren", "su", "tal", "vo", "zi", "pe", "dra")
VOCABULARY = [
    "".join(syllables) for length in range(1, 5) for syllables in product(_SYLLABLES, repeat=length)
][:3000]
FREQUENCIES = 1 / np.arange(1, len(VOCABULARY) + 1) / np.sum(1 / np.arange(1, len(VOCABULARY) + 1))


class AnswersAtOnce(LM):
    """The same answer to every request."""

    answer = ""

    def generate_until(self, requests: Sequence[Instance], **_: object) -> list[str]:
        """One text."""
        return [self.answer] * len(requests)

    def loglikelihood(self, requests: Sequence[Instance], **_: object) -> list[tuple[float, bool]]:
        """One number."""
        return [(-1.0, False)] * len(requests)

    def loglikelihood_rolling(self, requests: Sequence[Instance], **_: object) -> list[float]:
        """No task asks for it."""
        raise NotImplementedError


def ratio(
    work: str, ours: Sequence[float], others: Sequence[float], least: float | None = None
) -> Ratio:
    """Of CPU seconds by turn."""
    single = np.array(others) / np.array(ours)
    middle = float(np.median(others) / np.median(ours))
    beside = "the stock command" if work.startswith("start-up") else "the same requests in YAML"
    return Ratio(
        work, "times as fast as", beside, middle, float(single.min()), float(single.max()), least
    )


# Data --------------------------------------------------------------------------------------------


def words(rng: np.random.Generator, count: int) -> str:
    """Sentences of ten made-up words, which are as frequent as their rank says (Zipf)."""
    drawn = rng.choice(len(VOCABULARY), count, p=FREQUENCIES)
    return " ".join(
        VOCABULARY[word].capitalize() if n % 10 == 0 else VOCABULARY[word] + "." * (n % 10 == 9)
        for n, word in enumerate(drawn)
    )


def write_pairs(file: Path, n_sources: int) -> None:
    """Annotated pairs of as many sources of 200 words, with responses of 40 and 30."""
    rng = np.random.default_rng(0)
    with file.open("w", encoding="utf-8") as lines:
        for n in range(n_sources):
            source = words(rng, 200)
            for pair in range(PAIRS_OF_A_SOURCE):
                row = {
                    "id": f"{n}-{pair}",
                    "task": TASK,
                    "group": str(n),
                    "prompt": f"Sum up text {n}.",
                    "source": source,
                    "response_a": words(rng, 40),
                    "response_b": words(rng, 30),
                    "preference": str(rng.choice(["a", "b", "tie"])),
                }
                lines.write(json.dumps(row) + "\n")


# The same requests in YAML -----------------------------------------------------------------------

GAP = "\n\n"
"""Between a request and the answer whose likelihood is asked for."""

PEER_MODULE = '''
"""One number a request."""


def length(doc, results):
    return {"number": len(results[0].split())}


def likelihood(doc, results):
    return {"number": results[0][0]}
'''


def sections(*tags: str) -> str:
    """The sections of a request with Jinja's fields in them."""
    return "\n\n".join(f"<{tag}>\n{{{{{field}}}}}\n</{tag}>" for tag, field in map(_field, tags))


def _field(tag: str) -> tuple[str, str]:
    return tag, "prompt" if tag == "request" else tag


def peer_task(kind: str, rows: Path) -> dict[str, Any]:
    """Configuration of the YAML task with one row a request."""
    from profile_tasks.data.task_definition import definition_of

    prompts = definition_of(TASK).prompts
    if kind == "generation":
        prompt = prompts.write.format(
            score="{{score}}", low=1, high=5, sections=sections("request", "source")
        )
    elif kind == "score_validity":
        prompt = prompts.write_neutral.format(sections=sections("request", "source")) + "{{gap}}"
    else:
        prompt = prompts.judge.format(
            sections=sections("request", "source", "response_a", "response_b")
        )
    if kind == "discrimination_loglikelihood":
        prompt += (
            f"{{{{{GAP!r}}}}}"  # Jinja drops a template's last line break, not an expression's
        )
    likely = kind in LIKELIHOOD
    return {
        "task": f"yaml_{kind}",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(rows)}},
        "test_split": "test",
        "doc_to_text": prompt,
        "doc_to_target": "{{continuation}}" if likely else "",
        "process_results": "!function peer." + ("likelihood" if likely else "length"),
        "metric_list": [{"metric": "number", "aggregation": "mean", "higher_is_better": True}],
    } | (
        {"output_type": "loglikelihood", "target_delimiter": ""}
        if likely
        else {
            "output_type": "generate_until",
            "generation_kwargs": {
                "until": [],
                "max_gen_toks": 2048 if kind == "generation" else 1024,
                "do_sample": False,
            },
        }
    )


def expanded(kind: str, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of the YAML task for one pair."""
    from profile_tasks.task_configs.likelihood_task import VERDICTS

    if kind == "generation":
        if row["id"].endswith("-0"):  # once a source
            yield from (row | {"score": score} for score in range(1, 6))
        return
    if kind == "score_validity":
        for side in ("response_a", "response_b"):
            yield row | {"gap": GAP, "continuation": row[side]}
        if row["id"].endswith(f"-{PAIRS_OF_A_SOURCE - 1}"):  # once a source
            yield row | {"gap": "", "continuation": GAP}
        return
    swapped = {"response_a": row["response_b"], "response_b": row["response_a"]}
    for shown in (row, row | swapped):
        if kind == "discrimination":
            yield shown
        else:
            yield from (shown | {"continuation": verdict} for verdict in VERDICTS)


def write_peer(folder: Path, kind: str, pairs: Path) -> None:
    """The YAML task, its Python side, and its data."""
    import yaml

    rows = folder / f"{kind}.jsonl"
    with pairs.open(encoding="utf-8") as read, rows.open("w", encoding="utf-8") as written:
        for line in read:
            for row in expanded(kind, json.loads(line)):
                written.write(json.dumps(row) + "\n")
    (folder / "peer.py").write_text(PEER_MODULE, encoding="utf-8")
    text = yaml.safe_dump(peer_task(kind, rows), sort_keys=False)
    for name in ("length", "likelihood"):  # a tag is not a text
        text = text.replace(f"'!function peer.{name}'", f"!function peer.{name}")
    (folder / f"{kind}.yaml").write_text(text, encoding="utf-8")


# Requests per second -----------------------------------------------------------------------------

Load = Callable[[], Any]


def loaders(kind: str, folder: Path, pairs: Path) -> tuple[Load, Load]:
    """Load our task, and the YAML task."""
    from lm_eval.tasks import TaskManager

    from profile_tasks.lm_eval_runner.run import OwnTaskManager

    ours = OwnTaskManager(metadata={"dataset": str(pairs)})
    theirs = TaskManager(include_path=str(folder), include_defaults=False)
    return (
        lambda: ours.load([f"profile_{TASK}_{kind}"]),
        lambda: theirs.load([f"yaml_{kind}"]),
    )


def evaluated(load: Load, limit: int | None = None) -> tuple[float, float]:
    """CPU seconds of loading the task, and of evaluating it."""
    from lm_eval.evaluator import evaluate

    gc.collect()  # no turn pays for the garbage of the one before
    start = time.process_time()
    tasks = load()
    loaded = time.process_time()
    evaluate(AnswersAtOnce(), tasks, limit=limit, log_samples=False, bootstrap_iters=0)
    return loaded - start, time.process_time() - loaded


def requests_of(load: Load) -> list[tuple[Any, ...]]:
    """Everything that a task sends."""
    (task,) = load()["tasks"].values()
    task.build_all_requests()
    return [instance.args for instance in task.instances]


def check_equal(kind: str, ours: Load, theirs: Load) -> int:
    """The number of requests, which must be the same in both.

    Raises:
        SystemExit: They are not.
    """
    sent, other = requests_of(ours), requests_of(theirs)
    if sent != other:
        different = next(
            (pair for pair in zip(sent, other, strict=False) if len(set(map(str, pair))) > 1), None
        )
        raise SystemExit(f"{kind}: the tasks send different requests: {different}")
    return len(sent)


def throughput(kind: str, n_sources: int, turns: int) -> list[Ratio]:
    """Requests per second beside the YAML task."""
    # A writer's answer is a text that is worth measuring; a judge's is a verdict.
    AnswersAtOnce.answer = (
        words(np.random.default_rng(1), 40) if kind == "generation" else "Verdict: A"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = folder / "pairs.jsonl"
        write_pairs(pairs, n_sources)
        write_peer(folder, kind, pairs)
        ours, theirs = loaders(kind, folder, pairs)
        n_requests = check_equal(kind, ours, theirs)
        for load in (ours, theirs):
            evaluated(load, limit=10)  # libraries are loaded once
        seconds = np.array([[evaluated(ours), evaluated(theirs)] for _ in range(turns)])
    work = f"{n_requests:,} requests of {kind}, {n_sources:,} sources"
    mine, other = seconds[:, 0], seconds[:, 1]
    return [
        ratio(work, mine[:, 1], other[:, 1], LIMITS["requests per second"]),
        ratio(f"{work}, with loading", mine.sum(axis=1), other.sum(axis=1)),
    ]


# Start-up ----------------------------------------------------------------------------------------


def run_command(which: str) -> None:
    """The command line, with lm-eval's own dummy model, whose first request ends the process."""
    from lm_eval.models.dummy import DummyLM

    from profile_tasks.task_configs import FOLDER

    DummyLM.generate_until = lambda *_, **__: os._exit(0)
    arguments = ["--model", "dummy", "--tasks", f"profile_{TASK}_generation"]
    if which == "ours":
        from profile_tasks.cli import main

        main(["lm-eval", *arguments])
    else:
        from lm_eval.__main__ import cli_evaluate

        sys.argv = ["lm_eval", *arguments, "--include_path", str(FOLDER)]
        cli_evaluate()


def started(which: str) -> float:
    """CPU seconds from the start of the process to the first request."""
    before = os.times()
    done = subprocess.run(  # noqa: S603 - this file
        [sys.executable, __file__, "--command", which],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    after = os.times()
    if done.returncode:
        raise RuntimeError(f"the {which} command ended with {done.returncode}: {done.stderr}")
    return sum(after[2:4]) - sum(before[2:4])  # of children


def start_up(turns: int) -> Ratio:
    """From the command to the first request, beside the stock command."""
    started("ours"), started("stock")  # files are read from the disk once
    seconds = [(started("ours"), started("stock")) for _ in range(turns)]
    mine, other = zip(*seconds, strict=True)
    return ratio("start-up, to the first request", mine, other, LIMITS["start-up"])


def main() -> None:
    """Measure, print, and write the file that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="small sizes, one turn")
    parser.add_argument("--sources", type=int, help="sources (5,000)")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS)
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    parser.add_argument("--command", choices=["ours", "stock"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.command:
        run_command(options.command)
        raise SystemExit("no request came")
    os.environ["HF_HUB_OFFLINE"] = "1"
    logging.disable(logging.WARNING)
    turns = 1 if options.small else options.turns
    ratios: list[Ratio] = []
    for kind in options.kinds:
        ratios += throughput(kind, options.sources or (20 if options.small else 5_000), turns)
        print(*(f"{each.work}\n{each}" for each in ratios[-2:]), sep="\n", flush=True)
    ratios.append(start_up(turns))
    print(f"{ratios[-1].work}\n{ratios[-1]}")
    if options.output is not None:
        content = {"turns": turns, "ratios": [asdict(ratio) for ratio in ratios]}
        options.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
