"""What the three tasks measure of a real model, SmolLM2-135M-Instruct, on human preferences.

    python benchmarks/real_model.py [--data ../shared/data] [--work FOLDER] [--page FILE]

Serves the model on this machine (``smollm2.py`` says what to install), lets Inspect evaluate it on
30 sources of each of three files of human preferences, and lets lm-eval judge the same pairs by the
log-likelihoods of the two verdicts, with the weights as float32 (``pip install '.[hf]'``). Writes
the table into docs/findings.md. Nothing is simulated here. Two hours of one core; what stands in
the folder of an earlier run is not asked again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from calibration import write
from smollm2 import NAME, float32, missing, served

from profile_tasks.runs.reading import read_runs
from profile_tasks.runs.run import Run

DATA = Path(__file__).parents[2] / "shared" / "data"
PAGE = Path(__file__).parents[1] / "docs" / "findings.md"
FILES = {
    "summarization": "tldr_llmeval2",
    "instruction_following": "pandalm",
    "document_qa": "qa_feedback",
}
"""Task -> its human preferences; where they come from stands in the README beside them."""

SETTINGS: Mapping[str, Mapping[str, int | str]] = {
    "summarization": {"max_pairs_per_source": 2, "scores": "1,2,3,4,5"},
    "instruction_following": {"max_pairs_per_source": 2, "scores": "1,2,3,4,5"},
    # Its sources are the longest, and a request of 900 tokens takes this model half a minute.
    "document_qa": {"max_pairs_per_source": 1, "scores": "1,5"},
}
SOURCES, MAX_TOKENS = 30, 160


@dataclass(frozen=True)
class Measured:
    """The runs of one task.

    Attributes:
        asked: Inspect's, of the model as writer and as judge in words.
        likelihood: lm-eval's, of the model as judge by log-likelihood; None where it was not run.
    """

    asked: Run
    likelihood: Run | None


def command(*arguments: str, **environment: str) -> None:
    """Run a command of this environment.

    Raises:
        subprocess.CalledProcessError: It failed; what it said stands on the terminal.
    """
    program = str(Path(sys.executable).parent / arguments[0])
    offline = {"HF_HUB_OFFLINE": "1", "NO_PROXY": "127.0.0.1"}
    subprocess.run(  # noqa: S603 - commands of this script
        [program, *arguments[1:]], check=True, env=os.environ | offline | environment,
        stdout=sys.stderr,
    )  # fmt: skip


def found(folder: Path, pattern: str, make: Callable[[], None]) -> Run:
    """The one run in a folder, made where it is not there yet."""
    if not list(folder.rglob(pattern)):
        make()
    (file,) = folder.rglob(pattern)
    (run,) = read_runs(file)
    return run


def question(task: str, data: Path) -> list[str]:
    """Inspect's command that asks the served model, which writes and judges."""
    settings = {"dataset": data, "limit": SOURCES, "own_pairs": "false", **SETTINGS[task]}
    return [
        *("inspect", "eval", f"profile_tasks/{task}"),
        *("--model", f"openai-api/local/{NAME}", "--temperature", "0"),
        *("--max-tokens", f"{MAX_TOKENS}", "--max-connections", "1", "--max-samples", "1"),
        *(part for each in settings.items() for part in ("-T", "{}={}".format(*each))),
    ]


def asked(task: str, data: Path, folder: Path) -> Run:
    """Let Inspect ask the served model."""

    def run() -> None:
        with served(cached=True) as address:
            command(
                *question(task, data),
                *("--display", "plain", "--log-dir", str(folder)),
                LOCAL_BASE_URL=address,
                LOCAL_API_KEY="none",
            )

    return found(folder, "*.eval", run)


def judged_by_likelihood(task: str, data: Path, folder: Path, weights: Callable[[], Path]) -> Run:
    """Let lm-eval hold the log-likelihoods of the two verdicts against each other."""

    def run() -> None:
        settings = {"dataset": str(data), "limit": SOURCES, **SETTINGS[task]}
        command(
            *("profile-tasks", "lm-eval", "--model", "hf", "--device", "cpu"),
            *("--model_args", f"pretrained={weights()},dtype=float32"),
            *("--tasks", f"profile_{task}_discrimination_loglikelihood", "--apply_chat_template"),
            *("--metadata", json.dumps(settings), "--output_path", str(folder)),
        )

    return found(folder, "results_*.json", run)


# The table ----------------------------------------------------------------------------------------

Shown = Callable[[Measured], str]


def _scores(of: Measured) -> list[int]:
    return list(of.asked.settings["scores"])


def rows() -> Iterator[tuple[str, Shown]]:
    """What a row is called, and what stands in it."""
    yield "sources", lambda of: f"{of.asked.sources}"
    yield "**as writer**, for target scores", lambda of: ", ".join(map(str, _scores(of)))
    for name, label in (
        ("missing", "texts missing"),
        ("truncated", f"cut off at {MAX_TOKENS} tokens"),
        ("echo", "echo of the request"),
        ("score_talk", "talk of the score"),
        ("loop", "loops"),
        ("identical", "pairs of equal texts"),
    ):
        yield label, _share(f"generation_{name}_rate")
    yield (
        "mean words at score 1, at score 5",
        lambda of: ", ".join(f"{of.asked.metrics[f'words_at_score_{n}']:.0f}" for n in (1, 5)),
    )
    yield "tau of length: people", _asked("tau_human_length")
    yield "tau of length: writer", _asked("tau_generation_length")
    yield "alignment of the writer with people, tau_b", _asked("alignment_generation_tau_b")
    yield from _of_judge("by the word", lambda of: of.asked)
    yield from _of_judge("by likelihood", lambda of: of.likelihood)


def _of_judge(how: str, run: Callable[[Measured], Run | None]) -> Iterator[tuple[str, Shown]]:
    def cell(show: Callable[[Run], str]) -> Shown:
        return lambda of: show(found) if (found := run(of)) else "not run"

    def estimate(name: str, *, signed: bool = False) -> Shown:
        return cell(lambda found: found.estimate(name).text(signed=signed))

    yield f"**as judge {how}**, both orders", lambda of: ""
    yield f"unreadable verdicts, {how}", estimate("unreadable_rate")
    yield f"first position picked, {how}", estimate("first_position_rate")
    yield f"flips, {how}", estimate("flip_rate")
    decided = "discrimination_decided_pairs"
    yield (
        f"pairs that people and judge decide, {how}",
        cell(lambda found: f"{found.metrics[decided]:.0f}"),
    )
    yield f"accuracy, half credit, {how}", estimate("discrimination_accuracy_half_credit")
    yield f"tau of length: judge {how}", estimate("tau_discrimination_length", signed=True)
    alignment = estimate("alignment_discrimination_tau_b", signed=True)
    yield f"alignment of the judge {how} with people, tau_b", alignment


def _asked(name: str) -> Shown:
    return lambda of: of.asked.estimate(name).text()


def _share(name: str) -> Shown:
    def shown(of: Measured) -> str:
        value = of.asked.metrics.get(name)
        return "not defined" if value is None else f"{value:.2f}"

    return shown


def table(measured: Mapping[str, Measured]) -> str:
    """The runs as a table, one task a column."""
    heads = [f"{task} ({FILES[task]})" for task in measured]
    lines = [["", *heads], ["---", *["---"] * len(heads)]]
    lines += [[label, *map(shown, measured.values())] for label, shown in rows()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def measure(data: Path, work: Path, *, by_likelihood: Sequence[str]) -> dict[str, Measured]:
    """Run what is not there yet; by likelihood these tasks alone."""

    def weights() -> Path:
        folder = work / "float32"
        return folder if (folder / "config.json").exists() else float32(folder)

    runs = {}
    for task, name in FILES.items():
        file = (data / f"{name}.jsonl").resolve()
        runs[task] = Measured(
            asked(task, file, work / task / "asked"),
            judged_by_likelihood(task, file, work / task / "likelihood", weights)
            if task in by_likelihood
            else None,
        )
    return runs


def main() -> None:
    """Measure, print the table and write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of recorded pairs")
    parser.add_argument(
        "--work", type=Path, help="a folder for logs, kept, and read where they are"
    )
    parser.add_argument(
        "--by-likelihood", nargs="*", choices=tuple(FILES), default=tuple(FILES), metavar="TASK",
        help="judge by likelihood in these tasks alone: half of the time",
    )  # fmt: skip
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    if absent := missing():
        sys.exit(absent)
    if gone := [name for name in FILES.values() if not (options.data / f"{name}.jsonl").is_file()]:
        sys.exit(f"{options.data}: no {gone[0]}.jsonl there; name the folder with --data")
    with tempfile.TemporaryDirectory() as temporary:
        work = (options.work or Path(temporary)).resolve()
        measured = measure(options.data, work, by_likelihood=options.by_likelihood)
        print(table(measured))
        write(options.page, table(measured), "smollm2")


if __name__ == "__main__":
    main()
