"""The model's own pairs, of what it wrote for target scores in a finished log, as pairs to judge.

They are the pairs that the model itself is asked about where it judges its own texts
(``solvers.own_pairs``); whoever else judges them can be held against the writer on the same texts.
Which side the text for the higher score stands on is chance by a hash.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from profile_tasks.annotation.project import WRITER
from profile_tasks.data.preferences import AnnotatedPair, PreferenceData
from profile_tasks.runs.inspect_log import answered, open_log
from profile_tasks.runs.run import AnsweredSource
from profile_tasks.scorers.inspect.evaluated_model import evaluated_model
from profile_tasks.settings import Pairing
from profile_tasks.solvers.both_orders import shown_swapped
from profile_tasks.solvers.own_pairs import OwnPairs
from profile_tasks.solvers.score_conditioned_generation import has_responses
from profile_tasks.solvers.target_scores import generation_pairs
from profile_tasks.untrusted_text import without_halves


def written_pairs(location: str, pairing: Pairing = "all") -> tuple[PreferenceData, dict[str, int]]:
    """The pairs of a log, and how many texts or pairs were left out for which reason.

    Args:
        location: A log of one of the tasks that write for target scores.
        pairing: Which pairs of target scores.

    Raises:
        FileNotFoundError: There is no such log.
        ValueError: The run did not finish, or wrote nothing.
    """
    log = open_log(location)
    if log.header.status != "success":
        raise ValueError(
            f"{location}: an unfinished run (status: {log.header.status}); finish it first, for "
            "example with inspect eval-retry"
        )
    model, left_out = evaluated_model(log.header), Counter[str]()
    epochs = log.header.eval.config.epochs or 1
    sources = []
    asked: set[tuple[str, frozenset[str]]] = set()
    for sample in log.samples():
        if not has_responses(sample.get("store") or {}):
            continue
        each = answered(sample)
        suffix = f":epoch-{sample['epoch']}" if epochs > 1 else ""
        pairs = tuple(_pairs(each, pairing, model, suffix, asked, left_out))
        if pairs:
            changed = {"id": f"{each.source.id}{suffix}", "pairs": pairs}
            sources.append(each.source.model_copy(update=changed))
    if not sources:
        raise ValueError(
            f"{location}: holds no two different texts for target scores; give a log of "
            "a task in which the model writes, with setting generation or both"
        )
    data = PreferenceData(
        sources=tuple(sources), skipped=(), other_task_rows=0, unjoined_rows=0,
        name=Path(location).name, judges=(WRITER,),
    )  # fmt: skip
    return data, dict(left_out)


def _pairs(
    each: AnsweredSource,
    pairing: Pairing,
    model: str,
    suffix: str,
    asked: set[tuple[str, frozenset[str]]],
    left_out: Counter[str],
) -> Iterator[AnnotatedPair]:
    whole = {
        score: without_halves(text)
        for score, text in each.texts.items()
        if score not in each.cut_off
    }
    left_out["texts that a limit cut off"] += len(each.texts) - len(whole)
    left_out["texts that are missing"] += len(each.responses) - len(each.texts)
    responses = {score: whole.get(score) for score in each.responses}
    own = OwnPairs(each.source, responses, pairing, orders=1)
    there = [
        pair
        for pair in generation_pairs(list(responses), pairing, each.source.id)
        if whole.keys() >= set(pair)
    ]
    left_out["pairs of equal texts"] += len(there) - len(own.asked)
    for (high, low), texts in own.asked.items():
        # Asked twice, people may answer differently, and no label could be both.
        if (about := (each.source.id, frozenset(texts))) in asked:
            left_out["pairs of the same two texts as another"] += 1
            continue
        asked.add(about)
        swapped = shown_swapped(*texts)
        a, b = texts[::-1] if swapped else texts
        yield AnnotatedPair(
            id=f"{each.source.id}:{high}-{low}{suffix}",
            response_a=a,
            response_b=b,
            preference=None,
            extra={
                "score_a": low if swapped else high,
                "score_b": high if swapped else low,
                "writer": model,
                WRITER: "b" if swapped else "a",
            },
        )
