"""What is claimed of a model that writes and judges by people's own taste, and of another.

    python benchmarks/same_taste.py [--data ../shared/data] [--studies 100]

Real sources and annotated responses, planted tastes: people, judge and writer follow the same
weights of the surface factors, each with noise of their own ("one taste"); or the writer follows
others than it judges by ("two tastes"). Each study draws sources from the file; the planted
annotator writes, judges the annotated pairs and its own, and its labels stand in for people's. A
SIMULATION: it says nothing about a model, and what the measurement must say of it is known.

Prints, of each file and case, over the studies: the mean of self-agreement and how often its
interval holds 1, the mean gap with its two parts and how often the interval of the taste part holds
0, and how many factors are said to differ in taste between people and judge. Then, of people who
label what the model wrote: how often the intervals hold the truth, which is that of all sources
that the studies draw from.
"""

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource, load_preferences
from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import resolve_factors
from profile_tasks.scorers.measurement.own_labels import labelled_own_pairs
from profile_tasks.scorers.measurement.source_measurement import (
    OwnLabelling,
    SourceMeasurement,
    measure_source,
)
from profile_tasks.scorers.measurement.tables import run_study
from profile_tasks.scorers.statistics.alignment import observed_alignment
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.records import difference_record
from profile_tasks.scorers.statistics.study import GAP, GAP_PARTS, HUMAN, JUDGE, WRITER, Study
from profile_tasks.solvers.both_orders import (
    PairVerdict,
    by_pair,
    discrimination_requests,
)
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

OWN_FILE, TIMES = "tldr_llmeval2.jsonl", 2
"""Sources that people's labels are about, and how often the model writes about each."""

PEOPLE, LABELLED, OWN_SOURCES = 6, (3, 10), (12, 24, 50)
"""Tastes of people, labelled pairs a source, sources of a study."""

SPREAD, TIE = 0.35, 0.15
"""How far people's weights vary from source to source; utilities so small are ties."""


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
    people = planted_profile("balanced", ONE_TASTE, TEMPERATURE)
    model = planted_model(one_taste=one_taste, seed=number)
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


def planted_model(*, one_taste: bool, seed: int) -> PlantedAnnotator:
    """A model that judges by people's taste, and writes by it or by another."""
    writes, judges = (ONE_TASTE, None) if one_taste else (ANOTHER, ONE_TASTE)
    return PlantedAnnotator(planted_profile("balanced", writes, TEMPERATURE, judges), seed=seed)


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


# People who label what the model wrote ------------------------------------------------------------


def written_about(job: tuple[Path, bool, int, int]) -> SourceMeasurement:
    """What a model wrote about a source of a file, and judged of that; another time, another."""
    path, one_taste, at, time = job
    source = sources_of(path)[at]
    about = source.model_copy(update={"pairs": (), "group": f"{source.group}:{time}"})
    model = planted_model(one_taste=one_taste, seed=1000 * at + time)
    return measured(about, resolve_factors("surface", "summarization"), model)


def labelled(
    records: Sequence[SourceMeasurement], pairs: int, rng: np.random.Generator
) -> list[SourceMeasurement]:
    """The records with labels of people of some taste on so many pairs of each."""
    weights = 0.8 * rng.standard_normal(len(records[0].factors))
    found = []
    for record in records:
        signs = np.array([[sign or 0 for sign in row] for row in record.written or ()])
        utility = signs @ (weights + SPREAD * rng.standard_normal(weights.size))
        utility += rng.logistic(size=len(signs))
        different = [n for n, pair in enumerate(record.pairs_written or ()) if not pair.identical]
        kept = rng.permutation(different)[:pairs].tolist()
        said = [
            int(np.sign(u)) * (abs(u) >= TIE) if n in kept else None for n, u in enumerate(utility)
        ]
        people = OwnLabelling(
            labels="planted",
            preferences=tuple(said),
            votes=((),) * len(said),
            places=(None,) * len(said),
        )
        found.append(record.model_copy(update={"own_human": people}))
    return found


def _drawn(everything: Study, n: int, rng: np.random.Generator) -> Study:
    """A study of so many of these sources, drawn with replacement."""
    tables = {name: everything.tables[name] for name in (HUMAN, JUDGE, WRITER)}
    group = tables[HUMAN].group
    sources = [np.flatnonzero(group == code) for code in np.unique(group)]
    chosen = [sources[at] for at in rng.integers(len(sources), size=n)]
    rows, code = np.concatenate(chosen), np.repeat(np.arange(n), [own.size for own in chosen])
    return Study(
        {
            name: Comparisons(
                table.preference[rows], table.manifestation[rows], table.missing[rows], code,
                table.factors, table.perspective,
            )
            for name, table in tables.items()
        }
    )  # fmt: skip


def own_intervals(
    job: tuple[Sequence[SourceMeasurement], int, int, int],
) -> tuple[float, dict[int, dict[str, list[bool]]]]:
    """What one taste of people has: true r with the writer, and whether each interval holds.

    The intervals are those of so many studies, by sources of a study and what they are of.
    """
    records, pairs, taste, studies = job
    people = labelled(records, pairs, np.random.default_rng([taste, pairs]))
    everything = run_study(labelled_own_pairs(people))
    tau = {name: everything.profiles[name].tau for name in (HUMAN, JUDGE, WRITER)}
    judge, writer = (observed_alignment(tau[HUMAN], tau[name])[0] for name in (JUDGE, WRITER))
    held: dict[int, dict[str, list[bool]]] = {}
    for n in OWN_SOURCES:
        rng = np.random.default_rng([taste, pairs, n])
        held[n] = defaultdict(list)
        for _ in range(studies):
            study = _drawn(everything, n, rng)
            aligned = study.true_alignment(HUMAN, WRITER).coefficients
            differences, _ = study.difference(WRITER, HUMAN)
            known: list[tuple[str, Estimate, float]] = [
                *(("tau", *each) for each in zip(
                    study.influence(HUMAN).values(), tau[HUMAN], strict=True)),
                *(("difference", *each) for each in zip(
                    differences.values(), tau[WRITER] - tau[HUMAN], strict=True)),
                *((name, aligned[name], value) for name, value in writer.items()),
                ("gap", study.gap()["tau_b"], judge["tau_b"] - writer["tau_b"]),
            ]  # fmt: skip
            for what, estimate, value in known:
                if estimate.has_interval:
                    held[n][what].append(estimate.low - 1e-9 <= value <= estimate.high + 1e-9)
    return writer["pearson"], held


def own_lines(
    case: str,
    pairs: int,
    found: Sequence[tuple[float, Mapping[int, Mapping[str, Sequence[bool]]]]],
) -> Iterator[str]:
    """What the intervals of all tastes hold, in rows of the table."""
    r = [each for each, _ in found]
    for n in OWN_SOURCES:
        cells = [case, str(pairs), str(n), f"{min(r):+.2f} to {max(r):+.2f}"]
        for what in ("tau", "difference", "pearson", "spearman", "tau_b", "gap"):
            by_taste = [held[n][what] for _, held in found if held[n][what]]
            holds = np.concatenate(by_taste) if by_taste else np.array([np.nan])
            least = min((np.mean(each) for each in by_taste), default=np.nan)
            cells.append(f"{100 * holds.mean():.1f} ({100 * least:.0f})")
        yield "| " + " | ".join(cells) + " |"


def _one(job: tuple[Path, bool, int]) -> Claims:
    path, one_taste, number = job
    return claims(path, one_taste=one_taste, number=number)


def own_table(path: Path, studies: int, pool: ProcessPoolExecutor) -> Iterator[str]:
    """The table of people who label what a model wrote about the sources of a file."""
    yield (
        "\n| model | pairs a source | sources | true r, people and writer | tau of people "
        "| writer less people | Pearson r | rho | tau_b | gap, tau_b |\n"
        "|---|--:|--:|---|--:|--:|--:|--:|--:|--:|"
    )
    times, sources = range(TIMES), range(min(len(sources_of(path)), 40 * studies))
    for case, one_taste in (("one taste", True), ("two tastes", False)):
        about = [(path, one_taste, at, n) for n in times for at in sources]
        records = list(pool.map(written_about, about, chunksize=10))
        for pairs in LABELLED:
            tastes = [(records, pairs, taste, studies) for taste in range(PEOPLE)]
            yield from own_lines(case, pairs, list(pool.map(own_intervals, tastes)))


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
        print(*own_table(options.data / OWN_FILE, options.studies, pool), sep="\n")


if __name__ == "__main__":
    main()
