"""What is claimed of a model that writes and judges by people's own taste, and of another.

    python benchmarks/same_taste.py [--data ../shared/data] [--studies 100]

Real sources and annotated responses, planted tastes: people, judge and writer follow the same
weights of the surface factors, each with noise of their own ("one taste"); or the writer follows
others than it judges by ("two tastes"). Each study draws sources from the file; the planted
annotator writes, judges the annotated pairs and its own, and its labels stand in for people's. A
SIMULATION: it says nothing about a model, and what the measurement must say of it is known.

Prints, of each file and case, over the studies: the mean of self-agreement and how often its
interval holds 1, the mean gap with its two parts and how often the interval of the taste part holds
0, and how many factors are said to differ in taste between people and judge.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource, load_preferences
from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import resolve_factors
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement, measure_source
from profile_tasks.scorers.measurement.tables import run_study
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.records import difference_record
from profile_tasks.scorers.statistics.study import GAP, GAP_PARTS, HUMAN, JUDGE
from profile_tasks.solvers.both_orders import PairVerdict, by_pair, discrimination_requests
from profile_tasks.solvers.own_pairs import OwnPairs
from profile_tasks.solvers.requests import GenerationRequest
from profile_tasks.solvers.target_scores import generation_pairs
from profile_tasks.solvers.verdict import read_pick

DATA = Path(__file__).parents[2] / "shared" / "data"
FILES = ("summeval.jsonl", "tldr_llmeval2.jsonl")
SCORES = (1, 2, 3, 4, 5)
SOURCES = 50
TEMPERATURE = 0.5

ONE_TASTE = {"length": 1.0, "novel_words": -0.6, "lexical_diversity": 0.5, "readability": 0.4}
ANOTHER = {"length": -0.8, "novel_words": 0.7, "mean_sentence_length": 0.8, "extractiveness": -0.5}


@dataclass(frozen=True)
class Claims:
    """What one study says.

    Attributes:
        self_agreement: Pearson, without the noise.
        gap: The paper's.
        texts: Its shift of texts.
        taste: The rest of it.
        differing: Factors said to differ in taste between people and judge.
    """

    self_agreement: Estimate
    gap: Estimate
    texts: Estimate
    taste: Estimate
    differing: int


@lru_cache(maxsize=4)
def sources_of(path: Path) -> tuple[AnnotatedSource, ...]:
    """The sources of a file."""
    return load_preferences(str(path)).sources


def claims(path: Path, *, one_taste: bool, number: int) -> Claims:
    """Simulate a study, and read what it says."""
    everything = sources_of(path)
    rng = np.random.default_rng([number, one_taste])
    chosen = rng.choice(len(everything), min(SOURCES, len(everything)), replace=False)
    profile = planted_profile(
        "balanced",
        ONE_TASTE if one_taste else ANOTHER,
        TEMPERATURE,
        None if one_taste else ONE_TASTE,
    )
    people = planted_profile("balanced", ONE_TASTE, TEMPERATURE)
    model = PlantedAnnotator(profile, seed=number)
    labels = PlantedAnnotator(people, seed=10_000 + number)
    factors = resolve_factors("surface", "summarization")
    study = run_study(
        measured(_relabelled(everything[at], labels), factors, model) for at in chosen.tolist()
    )
    parts = study.gap_parts()
    differences = difference_record(study, JUDGE, HUMAN, same_pairs=True)["factors"].values()
    return Claims(
        study.self_agreement()["pearson"],
        study.estimates[GAP],
        *(parts[name] for name in GAP_PARTS),
        sum(each["taste"]["verdict"] == "differs in taste" for each in differences),
    )


def _relabelled(source: AnnotatedSource, people: PlantedAnnotator) -> AnnotatedSource:
    """The source with preferences of these people, who see each pair once."""
    requests = discrimination_requests(source, orders=1)
    picks = [read_pick(people.answer(request.render())) for request in requests]
    preference = {"first": "a", "second": "b"}
    pairs = [
        AnnotatedPair(
            **(pair.model_dump() | {"preference": preference[str(pick)], "annotators": ()})
        )
        for pair, pick in zip(source.pairs, picks, strict=True)
    ]
    return source.model_copy(update={"pairs": tuple(pairs)})


def measured(
    source: AnnotatedSource, factors: Sequence[Factor], model: PlantedAnnotator
) -> SourceMeasurement:
    """What the measurement makes of a source about which this model wrote and judged."""
    written: dict[int, str | None] = {
        score: model.answer(
            GenerationRequest(
                source.task, source.prompt, source.source, score, SCORES[0], SCORES[-1]
            ).render()
        )
        for score in SCORES
    }
    own = OwnPairs(source, written, "all", 2)
    picks = [read_pick(model.answer(each.render())) for each in own.requests()]
    judged = iter(
        read_pick(model.answer(each.render())) for each in discrimination_requests(source, 2)
    )
    return measure_source(
        source,
        factors,
        verdicts=[PairVerdict((next(judged), next(judged))) for _ in source.pairs],
        responses_by_score=written,
        generation_pairs=generation_pairs(list(written), "all", source.id),
        own_verdicts=own.verdicts([PairVerdict(both) for both in by_pair(picks, 2)]),
    )


def lines(name: str, case: str, found: Sequence[Claims]) -> Iterator[str]:
    """What the studies of one case say, in a row of the table."""
    agreement = [each.self_agreement for each in found]
    known = [each.value for each in agreement if each.defined]
    taste = [each.taste for each in found if each.taste.has_interval]
    cells = [
        name.removesuffix(".jsonl"),
        case,
        f"{np.mean(known):.3f} ({min(known):.2f} to {max(known):.2f})",
        f"{sum(each.has_interval and each.high > 1 - 1e-6 for each in agreement)} of {len(found)}",
        f"{np.mean([each.gap.value for each in found]):+.2f}",
        f"{np.mean([each.texts.value for each in found]):+.2f}",
        f"{np.mean([each.taste.value for each in found]):+.2f}",
        f"{sum(each.low <= 0 <= each.high for each in taste)} of {len(taste)}",
        f"{np.mean([each.differing for each in found]):.2f}",
        f"{sum(each.differing > 0 for each in found)} of {len(found)}",
    ]
    yield "| " + " | ".join(cells) + " |"


def _one(job: tuple[Path, bool, int]) -> Claims:
    path, one_taste, number = job
    return claims(path, one_taste=one_taste, number=number)


def main() -> None:
    """Simulate, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of recorded pairs")
    parser.add_argument("--studies", type=int, default=100)
    options = parser.parse_args()
    if missing := [name for name in FILES if not (options.data / name).is_file()]:
        sys.exit(f"{options.data}: no {missing[0]} there; name the folder with --data")
    print(
        "| file | case | self-agreement r (range) | its interval holds 1 | gap | texts | taste "
        "| taste's holds 0 | factors that differ | studies with one |\n"
        "|---|---|---|---|--:|--:|--:|---|--:|---|"
    )
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name in FILES:
            for case, one_taste in (("one taste", True), ("two tastes", False)):
                jobs = [(options.data / name, one_taste, n) for n in range(options.studies)]
                found = list(pool.map(_one, jobs, chunksize=2))
                print(*lines(name, case, found), sep="\n", flush=True)


if __name__ == "__main__":
    main()
