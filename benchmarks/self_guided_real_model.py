"""The improvement loop on a real model that judges its own samples by likelihood, measured.

    python benchmarks/self_guided_real_model.py MODEL [--prompts FILE ...] [--work FOLDER]
        [--train 48] [--heldout 30] [--seed 0] [--output FILE] [--page]

MODEL is the folder of a transformers model with a chat template. Its prompts are those of the
demonstration data and of FILEs in the project's schema, each once, drawn by the seed into sources
to train on and held-out ones. The model writes samples to the first, judges them against each other
by likelihood in both orders, and is trained on what it prefers (DPO, LoRA). Before and after, on
the held-out sources: how its winners differ from its losers, how much it writes, and whether the
untrained model, as a judge of both, prefers the new texts. Whether its judging is worth learning
from is measured on the prompts' own pairs, which people judged.

A folder that is given keeps what was done: the same command goes on where it stopped. --page writes
the table into docs/self-guided.md.
"""

import argparse
import json
import math
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scipy import stats
from self_guided_training import FACTORS, PAGE, TASK, Commands, write_lines

BEGIN, END = "<!-- real model: begin -->", "<!-- real model: end -->"

SAMPLES, HELDOUT_SAMPLES = 3, 2
LONGEST = 300
"""Characters of a prompt."""

WIN_RATE, WORDS = 0.6, 10
"""Effects of which it is said how many sources would show them."""


def rows_by_prompt(files: Sequence[str]) -> list[dict[str, Any]]:
    """The first annotated pair of each prompt in these data that takes no document."""
    from profile_tasks.data.preferences import load_preferences

    found: dict[str, dict[str, Any]] = {}
    for file in ("demo", *files):
        for source in load_preferences(file, task=TASK).sources:
            pair = source.pairs[0]
            if source.source is None and len(source.prompt) <= LONGEST:
                found.setdefault(
                    source.prompt.casefold(),
                    {
                        "id": source.id,
                        "task": TASK,
                        "prompt": source.prompt,
                        "response_a": pair.response_a,
                        "response_b": pair.response_b,
                        "preference": pair.preference,
                        "group": source.id,
                    },
                )
    return list(found.values())


class Loop:
    """The steps of the loop in a folder; one that was done there is not done again."""

    def __init__(self, folder: Path, model: Path, seed: int) -> None:
        self.commands = Commands(folder)
        self.folder, self.model, self.seed = folder, model, seed

    def evaluate(self, step: str, task: str, model: Path, *arguments: str) -> Path:
        """The log of an evaluation."""
        logs = self.folder / "logs" / step
        if not (done := sorted(logs.glob("*.eval"))):
            return self.commands.evaluate(step, task, str(model), *arguments)
        return done[-1]

    def samples(self, step: str, model: Path, data: str, count: int) -> Path:
        """The log of samples that the model wrote and judged."""
        return self.evaluate(
            step,
            f"{TASK}_self_guided",
            model,
            *("-T", f"dataset={data}", "-T", f"samples={count}", "-T", "judge_by=likelihood"),
        )

    def verdicts(self, step: str, data: str) -> dict[str, float]:
        """What comes out where the untrained model judges the pairs of a file by likelihood."""
        return metrics(
            self.evaluate(
                step,
                TASK,
                self.model,
                "-T",
                f"dataset={data}",
                "-T",
                "setting=discrimination",
                *("-T", "judge_by=likelihood"),
            )
        )

    def train(self, log: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """Train on what the model preferred: the card of the data, and the run's record."""
        card, record = self.folder / "data" / "card.json", self.folder / "run" / "training.json"
        if not card.exists():
            options = ("--seed", f"{self.seed}", "--output", "data")
            self.commands.run(
                "export", "profile-tasks", "export", str(log), "--format", "dpo", *options
            )
        if not (self.folder / "run" / "model").exists():
            options = ("--epochs", "2", "--batch-size", "4", "--learning-rate", "5e-4")
            self.commands.run(
                "train",
                *("profile-tasks", "train", "data", "--model", str(self.model), "--method", "dpo"),
                *options,
                *("--device", "cpu", "--seed", f"{self.seed}", "--output", "run"),
            )
        return json.loads(card.read_text("utf-8")), json.loads(record.read_text("utf-8"))


def metrics(log: Path) -> dict[str, float]:
    """The metrics of a finished log; NaN where one is not defined."""
    from inspect_ai.log import read_eval_log

    results = read_eval_log(str(log), header_only=True).results
    assert results is not None  # noqa: S101 - a finished log
    return {name: metric.value for name, metric in results.scores[0].metrics.items()}


def texts_by_source(log: Path) -> dict[str, list[str | None]]:
    """What was written to each source, in the order of the samples' seeds."""
    from profile_tasks.runs.inspect_log import open_log, score_metadata
    from profile_tasks.scorers.inspect.self_guided_scorer import SCORER, SelfGuidedRanking

    found = {}
    for sample in open_log(str(log)).samples():
        ranking = SelfGuidedRanking.model_validate(score_metadata(sample, SCORER))
        found[ranking.source_id] = [written.text for written in ranking.samples]
    return found


def paired_rows(
    rows: Sequence[Mapping[str, Any]],
    after: Mapping[str, list[str | None]],
    before: Mapping[str, list[str | None]],
) -> list[dict[str, Any]]:
    """Each new text beside the old one of the same seed; "preferred" is the new one."""
    return [
        {
            **{name: row[name] for name in ("task", "prompt", "group")},
            "id": f"{row['id']}-{index}",
            "response_a": new,
            "response_b": old,
            "preference": "a",
        }
        for row in rows
        for index, (new, old) in enumerate(zip(after[row["id"]], before[row["id"]], strict=True))
        if new is not None and old is not None and new != old
    ]


def mean_difference(differences: Sequence[float]) -> dict[str, float]:
    """Mean over sources with its 95 % interval by Student's t, and the sources' deviation."""
    mean, error = float(stats.tmean(differences)), float(stats.sem(differences))
    reach = float(stats.t.ppf(0.975, len(differences) - 1)) * error
    return {
        "value": mean,
        "ci_low": mean - reach,
        "ci_high": mean + reach,
        "deviation": error * math.sqrt(len(differences)),
        "n": len(differences),
    }


def words_difference(
    after: Mapping[str, list[str | None]], before: Mapping[str, list[str | None]]
) -> dict[str, float]:
    """Words that are written after the training less those before, by source."""
    from profile_tasks.scorers.factors.words import word_count

    def words(texts: list[str | None]) -> float:
        return float(stats.tmean([word_count(text or "") for text in texts]))

    return mean_difference([words(after[name]) - words(before[name]) for name in before])


def scatter(found: Mapping[str, float]) -> float:
    """Standard deviation over sources that an interval of their mean comes from."""
    return (found["ci_high"] - found["ci_low"]) / (2 * 1.96) * math.sqrt(found["groups"])


def sources_needed(deviation: float, effect: float) -> int | None:
    """Sources in which an effect would show in four of five runs, at 5 % two-sided.

    None where the deviation is not known, as of too few sources.

    >>> sources_needed(0.5, 0.1)
    196
    """
    if math.isnan(deviation):
        return None
    return math.ceil(round((2.8 * deviation / effect) ** 2, 6))


def measured(loop: Loop, rows: Sequence[Mapping[str, Any]], trained: Path) -> dict[str, Any]:
    """What the held-out sources show of the model before and after."""
    logs = {
        name: loop.samples(f"held out, {name}", model, "heldout.jsonl", HELDOUT_SAMPLES)
        for name, model in (("before", loop.model), ("after", trained))
    }
    texts = {name: texts_by_source(log) for name, log in logs.items()}
    pairs = paired_rows(rows, texts["after"], texts["before"])
    write_lines(loop.folder / "pairs.jsonl", pairs)
    won = loop.verdicts("after against before", "pairs.jsonl")
    words = words_difference(texts["after"], texts["before"])
    influence = json.loads(
        loop.commands.run(
            "factors of the new texts",
            "profile-tasks",
            "influence",
            "pairs.jsonl",
            *("--factors", FACTORS, "--format", "json"),
        )
    )
    share = "discrimination_accuracy_half_credit"
    win_rate = {
        "value": won[share],
        "ci_low": won[f"{share}_ci_low"],
        "ci_high": won[f"{share}_ci_high"],
        "flips": won["flip_rate"],
        "pairs": len(pairs),
        "groups": len({row["group"] for row in pairs}),
    }
    return {
        "self_guided": {name: metrics(log) for name, log in logs.items()},
        "words": words,
        "win_rate": win_rate,
        "needed": {
            "win_rate": sources_needed(scatter(win_rate), WIN_RATE - 0.5),
            "words": sources_needed(words["deviation"], WORDS),
        },
        "influence": influence["factors"],
    }


def looped(loop: Loop, files: Sequence[str], train: int, heldout: int) -> dict[str, Any]:
    """The whole loop; its record."""
    rows = rows_by_prompt(files)
    if len(rows) < train + heldout:
        sys.exit(
            f"{len(rows)} prompts without a document, of at most {LONGEST} characters, are there, "
            f"and {train + heldout} are wanted; give more --prompts"
        )
    random.Random(loop.seed).shuffle(rows)  # noqa: S311 - no secret
    sources, others = rows[:train], rows[train:][:heldout]
    write_lines(loop.folder / "sources.jsonl", sources)
    write_lines(loop.folder / "heldout.jsonl", others)
    people = loop.verdicts("as people", "heldout.jsonl")
    log = loop.samples("sample and judge", loop.model, "sources.jsonl", SAMPLES)
    card, run = loop.train(log)
    accuracy = "discrimination_accuracy_half_credit"
    return {
        "seed": loop.seed,
        "sources": len(sources),
        "heldout_sources": len(others),
        "judging_as_people": {
            "value": people[accuracy],
            "ci_low": people[f"{accuracy}_ci_low"],
            "ci_high": people[f"{accuracy}_ci_high"],
            "flips": people["flip_rate"],
            "pairs": len(others),
        },
        "training": metrics(log),
        "pairs": card["splits"],
        "steps": run["steps"],
        "evaluation": run["evaluation"],
        **measured(loop, others, loop.folder / "run" / "model"),
        "seconds": {step: round(taken, 1) for step, taken in loop.commands.seconds.items()},
    }


def table(record: Mapping[str, Any]) -> str:
    """The record as the table of docs/self-guided.md."""
    before, after = (record["self_guided"][name] for name in ("before", "after"))
    rows = [
        (
            "judges pairs as they are labelled, with half credit",
            "",
            "",
            _ends(record["judging_as_people"]),
        ),
        ("judging flips", f"{before['flip_rate']:.2f}", f"{after['flip_rate']:.2f}", ""),
        (
            "words of a sample",
            f"{before['sample_words']:.1f}",
            f"{after['sample_words']:.1f}",
            _ends(record["words"], "{:+.1f}"),
        ),
        (
            "cut off at the token limit",
            f"{before['sample_truncated_rate']:.2f}",
            f"{after['sample_truncated_rate']:.2f}",
            "",
        ),
        *(
            (
                f"winners over losers: `{factor}`",
                _tau(before, factor),
                _tau(after, factor),
                "",
            )
            for factor in FACTORS.split(",")
        ),
        *(
            (f"new texts over old ones: `{factor}`", "", "", _ends(found, "{:+.2f}", "tau"))
            for factor, found in record["influence"].items()
        ),
        ("win rate of the new texts", "", "", _ends(record["win_rate"])),
    ]
    lines = [
        f"{record['sources']} sources to train on, {record['pairs']['train']['pairs']} pairs in "
        f"{record['steps']} steps; {record['heldout_sources']} held-out sources; seed "
        f"{record['seed']}. Intervals are 95 %, by source.",
        "",
        "| on held-out sources | before | after | difference, or of both |",
        "|---|---|---|---|",
        *(f"| {' | '.join(cells)} |" for cells in rows),
        "",
        f"At this scatter a true win rate of {WIN_RATE} would show (in four of five runs) from "
        f"about {record['needed']['win_rate'] or '(unknown)'} sources on, a change by {WORDS} "
        f"words from about {record['needed']['words'] or '(unknown)'}.",
    ]
    return "\n".join(lines)


def _tau(found: Mapping[str, float], factor: str) -> str:
    name = f"tau_self_guided_{factor}"
    ends = {"value": found[name], "ci_low": found[f"{name}_ci_low"]}
    return _ends(ends | {"ci_high": found[f"{name}_ci_high"]}, "{:+.2f}")


def _ends(found: Mapping[str, Any], form: str = "{:.2f}", value: str = "value") -> str:
    middle, low, high = (form.format(found[name]) for name in (value, "ci_low", "ci_high"))
    return f"{middle} ({low} to {high})" if math.isfinite(found["ci_low"]) else middle


def main() -> None:
    """Run the loop, and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="folder of a transformers model")
    parser.add_argument("--prompts", nargs="*", default=[], help="files of annotated pairs")
    parser.add_argument("--train", type=int, default=48, help="sources to train on")
    parser.add_argument("--heldout", type=int, default=30, help="sources to measure on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="a folder that keeps what was done")
    parser.add_argument("--output", type=Path, help="write the record as JSON")
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work: Path = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        files = [str(Path(file).resolve()) for file in options.prompts]
        loop = Loop(work.resolve(), options.model.resolve(), options.seed)
        record = looped(loop, files, options.train, options.heldout)
    if options.output:
        options.output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(table(record))
    if options.page:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.partition(BEGIN)[0], page.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{table(record)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
