"""Whether `profile-tasks discover` finds what is planted, and claims what is not there.

    python benchmarks/discovery.py [--runs N] [--nulls N] [--models N] [--data FOLDER] [--small]

SIMULATION: in the first three tables planted annotators (no people, no language model) prefer among
texts that are put together from stock sentences, by length and, where it says so, by a hidden
factor that the taxonomy does not hold; in the third, planted models propose and grade. The last
one, with --data, is of human preferences: what is proposed without a model, and held-out accuracy
with and without it.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from inspect_ai import Task
from inspect_ai.log import EvalLog

from profile_tasks.commands.grader_run import called_grader, run_to_end
from profile_tasks.data.preferences import (
    AnnotatedPair,
    AnnotatedSource,
    PreferenceData,
    load_preferences,
)
from profile_tasks.discovery.candidates import selected
from profile_tasks.discovery.contrasts import contrasts_of, split_by_group
from profile_tasks.discovery.discovery import (
    Discovery,
    computed_candidates,
    discover,
    searched,
)
from profile_tasks.discovery.held_out_tests import predictions, tested
from profile_tasks.discovery.proposing import planned, proposed
from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile
from profile_tasks.planted.hidden import HIDDEN
from profile_tasks.scorers.factors.words import sentences
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.held_out import half_credit, half_credit_difference
from profile_tasks.settings import DiscoverySettings
from profile_tasks.solvers.requests import DiscriminationRequest

SOURCES, PAIRS = 150, 2
SHOWN = 0.35
"""Share of the texts that show a hidden factor, each of them by itself."""

HIDDEN_SENTENCES: Mapping[str, Sequence[str]] = {
    "asks_back": (
        "What do you think of it?",
        "Which of these fits your case?",
        "Have you looked at it before?",
        "Shall I say more about one of them?",
        "Does this help?",
    ),
    "own_experience": (
        "In my experience it takes a while.",
        "That holds in my experience.",
        "In my experience, patience pays.",
        "Little goes wrong, in my experience.",
    ),
    "exclaims": ("Good luck with it!", "That is quite something!", "It works!"),
}

FILES = ("llmbar.jsonl", "haluquestqa.jsonl", "pandalm.jsonl", "qa_feedback.jsonl")
OUTER_FOLDS = 5


def stock() -> list[str]:
    """The sentences that texts are made of: those of the demonstration data, without questions."""
    found: dict[str, None] = {}
    for task in ("summarization", "instruction_following", "document_qa"):
        for source in load_preferences("demo", task=task).sources:
            for pair in source.pairs:
                for text in (pair.response_a, pair.response_b):
                    found |= dict.fromkeys(sentences(text))
    return [each for each in found if not any(rule(each) for rule in HIDDEN.values())]


def planted_data(
    weights: Mapping[str, float], temperature: float, seed: int, sentences_: Sequence[str]
) -> PreferenceData:
    """Preferences of a planted annotator among texts of stock sentences."""
    random = np.random.default_rng(seed)
    profile = planted_profile("verbose", weights=weights, temperature=temperature)
    annotator = PlantedAnnotator(profile, seed)

    def text() -> str:
        own = list(random.choice(sentences_, random.integers(2, 8), replace=False))
        shown = [said for said in HIDDEN_SENTENCES.values() if random.random() < SHOWN]
        return " ".join([*own, *(str(random.choice(said)) for said in shown)])

    sources = []
    for number in range(SOURCES):
        prompt = f"Tell me about number {number}."
        pairs = []
        for k in range(PAIRS):
            a, b = text(), text()
            pair = AnnotatedPair(id=f"{number}-{k}", response_a=a, response_b=b, preference="a")
            request = DiscriminationRequest("instruction_following", prompt, None, a, b)
            first = annotator.answer(request.render()) == "Verdict: A"
            pairs.append(pair.model_copy(update={"preference": "a" if first else "b"}))
        sources.append(
            AnnotatedSource(
                id=str(number),
                group=f"{number:03}",
                task="instruction_following",
                prompt=prompt,
                pairs=tuple(pairs),
            )
        )
    return PreferenceData(tuple(sources), (), 0, 0, "planted")


def found_again(discovery: Discovery, hidden: str, among: int = 3) -> bool:
    """Whether one of the first found factors is the hidden one: nearly always the same sign."""
    rule = HIDDEN[hidden]
    held_out = discovery.held_out
    texts = zip(held_out.preferred, held_out.other, strict=True)
    truth = np.array([rule(one) - rule(two) for one, two in texts])
    return any(
        abs(np.corrcoef(np.nan_to_num(each.candidate.held_out), truth)[0, 1]) >= ALIKE
        for each in discovery.found[:among]
    )


ALIKE = 0.8
"""A found factor is the hidden one where the signs of the two correlate at least so much."""

TEMPERATURE = 0.5
PLANTED = (
    ("asks_back", 1.0),
    ("own_experience", 1.0),
    ("exclaims", -1.0),
    ("asks_back", 0.6),
    ("own_experience", 0.6),
)
"""Hidden factors with their weights; length weighs 1, and noise is logistic of this scale. A weight
of 1 is 2 in log-odds."""
NULLS: Mapping[str, tuple[Mapping[str, float], float]] = {
    "length and noise": ({"length": 1.0}, 0.5),
    "length, hardly any noise": ({"length": 1.0}, 0.1),
    "noise alone": ({"length": 0.0}, 1.0),
}


def recovery(runs: int) -> Iterator[str]:
    """The first table in Markdown."""
    sentences_ = stock()
    yield "| hidden factor (SIMULATED) | runs | among the first three | first | beside it, a run |"
    yield "|---|---|---|---|---|"
    for hidden, weight in PLANTED:
        weights = {"length": 1.0, hidden: weight}
        done = [
            without_models(planted_data(weights, TEMPERATURE, seed, sentences_), seed)
            for seed in range(runs)
        ]
        again = [found_again(each, hidden) for each in done]
        first = [found_again(each, hidden, 1) for each in done]
        beside = np.mean([len(each.found) - hit for each, hit in zip(done, again, strict=True)])
        odds = f"{weight / TEMPERATURE:+.1f}".replace("-", "−")
        counts = f"{runs} | {sum(again)} | {sum(first)} | {beside:.2f}"
        yield f"| {hidden}, {odds} in log-odds | {counts} |"


def claims(runs: int) -> Iterator[str]:
    """The second table in Markdown."""
    sentences_ = stock()
    yield "| preference (SIMULATED) | runs | nothing claimed | share |"
    yield "|---|---|---|---|"
    for name, (weights, temperature) in NULLS.items():
        quiet = sum(
            not without_models(planted_data(weights, temperature, seed, sentences_), seed).found
            for seed in range(runs)
        )
        yield f"| {name} | {runs} | {quiet} | {quiet / runs:.1%} |"


def without_models(data: PreferenceData, seed: int) -> Discovery:
    """A discovery of form and wording."""
    return discover(data, settings=DiscoverySettings(seed=seed))


def with_models(data: PreferenceData, seed: int, folder: Path) -> Discovery:
    """A discovery in which a planted proposer proposes and a planted grader grades."""

    def ask(task: Task, role: str) -> EvalLog:
        model = called_grader("planted/grader", (), role)
        return run_to_end(task, folder, model="none/none", roles={role: model})

    settings = DiscoverySettings(seed=seed)
    parts = split_by_group(contrasts_of(data), settings.train_share, seed)
    asked = proposed(planned(*parts, settings), *parts, ask)
    return searched(*parts, settings, asked)


def proposals(runs: int) -> Iterator[str]:
    """The table of planted proposers in Markdown: of what is found, judged factors alone."""
    sentences_ = stock()
    yield "| planted proposer and grader (SIMULATED) | runs | among the first three | claims |"
    yield "|---|---|---|---|"
    for hidden, weights in (
        ("asks_back", {"length": 1.0, "asks_back": 1.0}),
        ("own_experience", {"length": 1.0, "own_experience": 1.0}),
        ("none: length and noise", {"length": 1.0}),
    ):
        again = claimed = 0
        for seed in range(runs):
            data = planted_data(weights, TEMPERATURE, seed, sentences_)
            with TemporaryDirectory() as folder:
                done = with_models(data, seed, Path(folder))
            judged = replace(
                done, tested=[t for t in done.tested if t.candidate.factor.kind == "judged"]
            )
            again += hidden in HIDDEN and found_again(judged, hidden)
            claimed += bool(done.found)
        yield f"| {hidden} | {runs} | {again if hidden in HIDDEN else '–'} | {claimed} |"


def written(estimate: Estimate, *, signed: bool = True) -> str:
    """An estimate as the page has it."""
    return estimate.text(signed=signed).replace("-", "−")


def people(folder: Path) -> Iterator[str]:
    """The third table in Markdown."""
    yield (
        "| pairs | n (sources) | tried | tested | found | known factors | with what is found "
        "| gain | gain of all tested |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for name in FILES:
        data = load_preferences(folder / name)
        whole = discover(data)
        every = contrasts_of(data)
        without, beside, selected_ = cross_validated(data)
        ones = np.ones(len(every), np.int8)
        cells = [
            name.removesuffix(".jsonl"),
            f"{len(every)} ({every.n_groups})",
            str(whole.selected.n_form + whole.selected.n_wordings),
            ", ".join(f"`{each.candidate.factor.id}`" for each in whole.tested),
            ", ".join(f"`{each.candidate.factor.id}`" for each in whole.found) or "none",
            written(half_credit(ones, without, every.group), signed=False),
            written(half_credit(ones, beside, every.group), signed=False),
            written(half_credit_difference(ones, beside, without, every.group)),
            written(half_credit_difference(ones, selected_, without, every.group)),
        ]
        yield f"| {' | '.join(cells)} |"


def cross_validated(data: PreferenceData) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions for every pair by discovery on the other folds' sources.

    By the known factors; with what was found there, test included; with all that was tested there.
    """
    every = contrasts_of(data)
    fold = np.random.default_rng(0).permutation(len(every.groups)) % OUTER_FOLDS
    predicted = np.zeros((3, len(every)), np.int8)
    for number in range(OUTER_FOLDS):
        out = fold[every.group] == number
        inner, outer = every.where(~out), every.where(out)
        # The controls are as many in all three, so that only what was found makes a difference.
        train, held_out = split_by_group(inner, 0.5, seed=number)
        width = train.controls.shape[1]
        chosen = selected(train, at_most=DiscoverySettings().at_most)
        tests = tested(
            train,
            held_out,
            computed_candidates(train, held_out, chosen.factors),
            replicates=100,
            seed=0,
        )
        found = [each.candidate.factor for each in tests if each.passed]
        inner, outer = inner.with_controls(width), outer.with_controls(width)
        for row, factors in enumerate(((), found, chosen.factors)):
            beside = computed_candidates(inner, outer, factors)
            predicted[row, out] = predictions(inner, outer, beside)
    return predicted[0], predicted[1], predicted[2]


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--nulls", type=int, default=200)
    parser.add_argument("--models", type=int, default=10, help="runs with planted models")
    parser.add_argument("--data", type=Path, help="folder of human preferences")
    parser.add_argument("--small", action="store_true", help="two runs of each")
    options = parser.parse_args(arguments)
    runs, nulls = (2, 2) if options.small else (options.runs, options.nulls)
    tables = [recovery(runs), claims(nulls), proposals(1 if options.small else options.models)]
    if options.data is not None:
        tables.append(people(options.data))
    for table in tables:
        for line in table:
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
