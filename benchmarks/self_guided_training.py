"""A real training run: a small model is trained on preferences, and its profile moves.

    python benchmarks/self_guided_training.py [--output FILE] [--work FOLDER]
    python benchmarks/self_guided_training.py --quick     # a smaller run, a few minutes
    python benchmarks/self_guided_training.py --quick --model-only --work small   # model and data

A causal language model of 3.4 million parameters is built and trained from scratch on generated
requests and responses, with the project's own prompts. It then writes several responses to other
requests, a judge ranks them, `profile-tasks export` makes DPO data of the ranking and
`profile-tasks train` trains LoRA adapters on them. Before and after, `inspect eval` measures what
the model writes for held-out requests, and `profile-tasks compare` says what moved. All of it by
the commands that a user types; the full run writes its table into docs/self-guided.md.

The model is real and so is its training. THE JUDGE IS A SIMULATION (the planted annotator), so that
the direction in which the training must move the profile is known beforehand; the texts are made
from templates. No figure here says anything about another model or about people.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from profile_tasks.solvers.requests import GenerationRequest, NeutralRequest

TASK = "instruction_following"
FACTORS = "length,sentence_count,lexical_diversity"
MAX_TOKENS = 160

ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # So small a model gains nothing from threads, and on a busy machine they wait for each other.
    "OMP_NUM_THREADS": "1",
}

PAGE = Path(__file__).parents[1] / "docs" / "self-guided.md"
BEGIN, END = "<!-- training run: begin -->", "<!-- training run: end -->"

_ADJECTIVES = ("busy", "famous", "green", "hidden", "modern", "narrow", "old", "quiet", "small")
_THINGS = ("bakery", "bridge", "castle", "ferry", "garden", "harbour", "library", "market", "mill")
_PLACES = (
    "Basel",
    "Bergen",
    "Bilbao",
    "Bremen",
    "Ghent",
    "Graz",
    "Leeds",
    "Lucca",
    "Oslo",
    "Turku",
)
_SENTENCES = (
    "The {thing} stands in {place}.",
    "It is {adjective} and well kept.",
    "Visitors to {place} like the {thing}.",
    "It opens at nine.",
    "Most people come on foot.",
    "A guide tells its story.",
    "The {adjective} {thing} was built long ago.",
    "Entry costs little.",
    "In winter the {thing} closes early.",
    "Children from {place} come here often.",
    "There is a bench outside.",
    "Many call it the heart of {place}.",
    "The best time is the morning.",
    "Nearby you can have tea.",
    "It was repaired last year.",
)


@dataclass(frozen=True)
class Sizes:
    """How large a run is.

    Attributes:
        texts: Generated texts that the model is trained on from scratch.
        sources: Requests that it then writes samples for.
        heldout: Requests that it is measured on; in no training data.
        preference_epochs: Passes over the preference data.
        neutral: Whether to measure what is written without a target score, too.
        judges: Simulated judges, one training run each.
    """

    texts: int = 10_000
    sources: int = 100
    heldout: int = 80
    preference_epochs: int = 3
    neutral: bool = True
    judges: tuple[str, ...] = ("planted/concise", "planted/verbose")


QUICK = Sizes(
    texts=8_000,
    sources=40,
    heldout=30,
    preference_epochs=4,
    neutral=False,
    judges=("planted/concise",),
)


@dataclass(frozen=True)
class Topic:
    """What a request is about."""

    adjective: str
    thing: str
    place: str

    @property
    def request(self) -> str:
        """The request."""
        return f"Describe the {self.adjective} {self.thing} in {self.place}."

    def response(self, sentences: int, rng: random.Random) -> str:
        """A response of so many sentences, in any order."""
        fields = vars(self)
        return " ".join(line.format(**fields) for line in rng.sample(_SENTENCES, sentences))


def topics(seed: int) -> list[Topic]:
    """All topics in a random order."""
    every = [Topic(*parts) for parts in product(_ADJECTIVES, _THINGS, _PLACES)]
    random.Random(seed).shuffle(every)  # noqa: S311 - no secret
    return every


def training_texts(about: Sequence[Topic], count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Requests and responses; with a target score the response is the longer the higher it is.

    So before the preference training the model writes as one who likes length, with much noise.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(count):
        topic = rng.choice(about)
        if rng.random() < 0.4:
            sentences = rng.randint(1, 8)
            yield NeutralRequest(TASK, topic.request, None).render(), topic.response(sentences, rng)
        else:
            score = rng.randint(1, 5)
            sentences = rng.randint(score, score + 3)
            request = GenerationRequest(TASK, topic.request, None, score).render()
            yield request, topic.response(sentences, rng)


def build_model(texts: Sequence[str], folder: Path, seed: int) -> int:
    """Save an untrained model with a tokenizer of its own; returns the number of its parameters.

    Its tokens may span words, so that the fixed words of the prompts are few tokens, which is what
    makes a run of minutes on two cores.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<user>", "<assistant>", "<end>"]
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=1024,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",  # noqa: S106 - no password
        eos_token="<end>",  # noqa: S106
        model_max_length=512,
    )
    fast.chat_template = (
        "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}"
        "{% if message['role'] == 'assistant' %}<end>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=1024,
            hidden_size=256,
            intermediate_size=688,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            pad_token_id=0,
            bos_token_id=None,
            eos_token_id=3,
        )
    )
    model.save_pretrained(folder)
    return sum(parameter.numel() for parameter in model.parameters())


def write_lines(path: Path, records: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> None:
    """Write JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")


def preference_rows(about: Sequence[Topic], seed: int) -> Iterator[dict[str, Any]]:
    """The requests in the project's schema; each with a pair, since a data file has pairs."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    for number, topic in enumerate(about):
        yield {
            "id": f"{number}",
            "task": TASK,
            "prompt": topic.request,
            "response_a": topic.response(2, rng),
            "response_b": topic.response(6, rng),
            "preference": "a",
            "group": f"topic-{number}",
        }


class Commands:
    """Runs the project's commands in a folder, and times them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds: dict[str, float] = {}

    def run(self, step: str, *command: str) -> str:
        """Run one command; its output. A failure ends the run with what it printed."""
        started = time.monotonic()
        bin_folder = Path(sys.executable).parent
        done = subprocess.run(  # noqa: S603 - commands of this script
            [str(bin_folder / command[0]), *command[1:]],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | ENVIRONMENT,
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        self.seconds[step] = time.monotonic() - started
        print(f"{step}: {self.seconds[step]:.0f} s", file=sys.stderr, flush=True)
        return done.stdout

    def evaluate(self, step: str, task: str, model: str, *arguments: str) -> Path:
        """Run an Inspect task with a local model; the log."""
        logs = self.folder / "logs" / step
        self.run(
            step,
            *("inspect", "eval", f"profile_tasks/{task}", "--model", f"hf/{Path(model).name}"),
            *("-M", f"model_path={model}", "--max-tokens", f"{MAX_TOKENS}", "--seed", "0"),
            *("--max-connections", "64", "--display", "none", "--log-dir", str(logs)),
            *("-T", f"factors={FACTORS}", *arguments),
        )
        (log,) = logs.glob("*.eval")
        return log


def train_base(commands: Commands, sizes: Sizes, about: Sequence[Topic], seed: int) -> int:
    """Build the model and train it from scratch into ``base/model``; returns its parameters."""
    work = commands.folder
    texts = list(training_texts(about, sizes.texts, seed))
    parameters = build_model([text for pair in texts[:2000] for text in pair], work / "new", seed)
    write_lines(
        work / "texts.jsonl",
        (
            {
                "prompt": [{"role": "user", "content": request}],
                "completion": [{"role": "assistant", "content": response}],
            }
            for request, response in texts
        ),
    )
    commands.run(
        "train from scratch",
        *("profile-tasks", "train", "texts.jsonl", "--model", "new", "--method", "sft"),
        *("--no-lora", "--learning-rate", "1e-3", "--batch-size", "16"),
        *("--save-steps", "100000", "--seed", f"{seed}"),
        *("--output", "base"),
    )
    return parameters


@dataclass(frozen=True)
class Measured:
    """What a model wrote for the held-out requests.

    Attributes:
        log: Of the responses for target scores.
        words: Mean length of those without a score; None where that was not measured.
    """

    log: Path
    words: float | None


def measured(commands: Commands, name: str, model: str, sizes: Sizes) -> Measured:
    """Let a model write for the held-out requests."""
    log = commands.evaluate(
        f"{name}: measure", TASK, model, "-T", "dataset=heldout.jsonl", "-T", "setting=generation"
    )
    if not sizes.neutral:
        return Measured(log, None)
    neutral = commands.evaluate(
        f"{name}: write without a score",
        f"{TASK}_self_guided",
        model,
        *("-T", "dataset=heldout.jsonl", "-T", "samples=2"),
        *("--model-role", "judge=planted/concise"),
    )
    return Measured(log, _metrics(neutral)["sample_words"])


def _metrics(log: Path) -> dict[str, float]:
    from inspect_ai.log import read_eval_log

    results = read_eval_log(str(log), header_only=True).results
    assert results is not None  # noqa: S101 - a finished log
    return {name: metric.value for name, metric in results.scores[0].metrics.items()}


def trained_on(
    commands: Commands, judge: str, sizes: Sizes, before: Measured, seed: int
) -> dict[str, Any]:
    """Train on one judge's preferences and compare: the record of this run."""
    name = judge.partition("/")[2]
    log = commands.evaluate(
        f"{name}: sample and judge",
        f"{TASK}_self_guided",
        "base/model",
        *("-T", "dataset=sources.jsonl", "--model-role", f"judge={judge}"),
    )
    commands.run(
        f"{name}: export",
        *("profile-tasks", "export", str(log), "--format", "dpo", "--prompts", "both"),
        *("--pairs", "all", "--margin", "0.3", "--seed", f"{seed}", "--output", f"{name}/data"),
    )
    commands.run(
        f"{name}: train",
        *("profile-tasks", "train", f"{name}/data", "--model", "base/model", "--method", "dpo"),
        *(
            "--epochs",
            f"{sizes.preference_epochs}",
            "--learning-rate",
            "1e-3",
            "--sft-weight",
            "0.5",
            "--batch-size",
            "16",
        ),
        *("--seed", f"{seed}", "--save-steps", "20", "--output", f"{name}/run"),
    )
    after = measured(commands, name, f"{name}/run/model", sizes)
    compared = json.loads(
        commands.run(
            f"{name}: compare",
            *("profile-tasks", "compare", str(after.log), str(before.log)),
            *("--format", "json"),
        )
    )
    folder = commands.folder / name
    run = json.loads((folder / "run" / "training.json").read_text(encoding="utf-8"))
    card = json.loads((folder / "data" / "card.json").read_text(encoding="utf-8"))
    length = compared["perspectives"]["generation"]["factors"]["length"]
    return {
        "judge": judge,
        "pairs": card["splits"],
        "chosen_over_rejected_length": card["chosen_over_rejected"]["length"]["tau"],
        "steps": run["steps"],
        "heldout_accuracy": run["evaluation"]["eval_rewards/accuracies"],
        "length": {key: length[key] for key in ("a", "b", "value", "ci_low", "ci_high", "p_value")},
        "words": {"before": before.words, "after": after.words},
    }


def prepare(commands: Commands, sizes: Sizes, seed: int) -> int:
    """Write the requests and train the model that is to learn from them; its parameters."""
    every = topics(seed)
    base, rest = every[: len(every) // 2], every[len(every) // 2 :]
    for name, about in (
        ("sources", rest[: sizes.sources]),
        ("heldout", rest[sizes.sources :][: sizes.heldout]),
    ):
        write_lines(commands.folder / f"{name}.jsonl", preference_rows(about, seed))
    return train_base(commands, sizes, base, seed)


def training_run(commands: Commands, sizes: Sizes, seed: int) -> dict[str, Any]:
    """The whole run in a folder; its record."""
    parameters = prepare(commands, sizes, seed)
    before = measured(commands, "before", "base/model", sizes)
    runs = [trained_on(commands, judge, sizes, before, seed) for judge in sizes.judges]
    return {
        "seed": seed,
        "parameters": parameters,
        "texts": sizes.texts,
        "sources": sizes.sources,
        "heldout_sources": sizes.heldout,
        "runs": runs,
        "seconds": {step: round(seconds, 1) for step, seconds in commands.seconds.items()},
    }


def table(record: dict[str, Any]) -> str:
    """The record as the table of docs/self-guided.md."""
    lines = [
        f"{record['parameters'] / 1e6:.1f} million parameters, trained from scratch on "
        f"{record['texts']:,} generated texts; {record['sources']} sources to train on, "
        f"{record['heldout_sources']} other ones to measure on; seed {record['seed']}.",
        "",
        "| judge (simulated) | DPO pairs: train, held out | held-out accuracy | "
        "`tau_generation_length` before | after | after less before, 95 % | "
        "mean words without a score, before | after |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in record["runs"]:
        length, words = run["length"], run["words"]
        lines.append(
            f"| `{run['judge']}` | {run['pairs']['train']['pairs']}, "
            f"{run['pairs']['heldout']['pairs']} | {run['heldout_accuracy']:.2f} | "
            f"{length['b']:+.3f} | {length['a']:+.3f} | {length['value']:+.3f} "
            f"({length['ci_low']:+.3f} to {length['ci_high']:+.3f}) | "
            f"{_shown(words['before'])} | {_shown(words['after'])} |"
        )
    return "\n".join(lines)


def _shown(words: float | None) -> str:
    return "-" if words is None else f"{words:.1f}"


def main() -> None:
    """Run, print the table, and write it into the page after a full run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller run; the page stays")
    parser.add_argument("--model-only", action="store_true", help="stop before the preferences")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="an empty folder for models, data and logs")
    parser.add_argument("--output", type=Path, help="write the record as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        commands, sizes = Commands(work.resolve()), QUICK if options.quick else Sizes()
        if options.model_only:
            prepare(commands, sizes, options.seed)
            return
        record = training_run(commands, sizes, options.seed)
    if options.output:
        options.output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(table(record))
    if not options.quick:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.partition(BEGIN)[0], page.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{table(record)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
