"""Training data from pairs: selected, split by source, and written in the formats of TRL.

``dpo`` has ``prompt``, ``chosen``, ``rejected``; ``sft`` has ``prompt``, ``completion``; ``kto``
has ``prompt``, ``completion``, ``label``; ``jsonl`` is the project's own schema (docs/data.md),
which the tasks and ``profile-tasks influence`` read. Nothing else stands in a record: what the data
are is in the data card. Everything here is a function of the pairs and the seed.
"""

import hashlib
import io
import json
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import jsonlines

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource, PreferenceData
from profile_tasks.data.task_definition import definition_of, name_of
from profile_tasks.scorers.factors.factor import OnlyInALog
from profile_tasks.scorers.factors.taxonomy import taxonomy_of
from profile_tasks.scorers.factors.words import word_count
from profile_tasks.scorers.measurement.recorded import human_comparisons
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.records import influence_record
from profile_tasks.scorers.statistics.study import HUMAN, Study
from profile_tasks.solvers.prompts import PROMPT_VERSION
from profile_tasks.solvers.requests import GenerationRequest, NeutralRequest
from profile_tasks.training.pairs import MARGIN_UNITS, FoundPairs, TrainingPair

ExportFormat = Literal["dpo", "sft", "kto", "jsonl"]
EXPORT_FORMATS: tuple[str, ...] = get_args(ExportFormat)

Prompts = Literal["neutral", "scores", "both"]
PROMPTS: tuple[str, ...] = get_args(Prompts)

LOWEST, HIGHEST = 1, 5
"""Target scores of the prompts ``scores``."""

Record = dict[str, Any]


@dataclass(frozen=True)
class ExportSettings:
    """How pairs become data.

    Attributes:
        format: One of ``EXPORT_FORMATS``.
        conversational: Messages with roles instead of plain texts; not for ``jsonl``.
        prompts: Ask without a score ("neutral"); with one ("scores": for the highest score the
            chosen response is wanted, for the lowest the rejected one); or "both".
        margin: Keep pairs with at least this margin; a pair without one is kept at 0 only.
        heldout: Share of the groups that is held out, 0 to below 1.
        seed: Of the split, and of the sides in ``jsonl``.

    Raises:
        ValueError: A value is out of range, or two do not go together.
    """

    format: ExportFormat
    conversational: bool = True
    prompts: Prompts = "neutral"
    margin: float = 0.0
    heldout: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("format", self.format, EXPORT_FORMATS),
            ("prompts", self.prompts, PROMPTS),
        ):
            if value not in choices:
                raise ValueError(f"{name} is {value!r}. Must be one of: {', '.join(choices)}")
        if not self.margin >= 0:
            raise ValueError(f"margin is {self.margin}; expected 0 or more")
        if not 0 <= self.heldout < 1:
            raise ValueError(f"heldout is {self.heldout}; expected 0 or more and below 1")
        if self.format == "jsonl" and self.prompts != "neutral":
            raise ValueError(
                "jsonl holds the parts of a prompt, not its wording; leave prompts out, or choose "
                "dpo, sft or kto"
            )


@dataclass(frozen=True)
class ExportedData:
    """The data, ready to be written.

    Attributes:
        train: Records to train on, at least one.
        heldout: Records of groups that no training record is of.
        card: What the data are, as JSON.
    """

    train: tuple[Record, ...]
    heldout: tuple[Record, ...]
    card: Mapping[str, Any]


def export_pairs(found: Sequence[FoundPairs], settings: ExportSettings) -> ExportedData:
    """Select pairs, split them by group and turn them into records.

    Args:
        found: The inputs, all of one origin, so that their margins have one unit.
        settings: How.

    Raises:
        ValueError: The inputs are of several origins, or no pair is left to train on.
    """
    origins = {each.origin for each in found}
    if len(origins) != 1:
        raise ValueError(
            f"the inputs are of several kinds ({', '.join(sorted(origins))}), whose margins have "
            "different units; export them one by one"
        )
    left_out: Counter[str] = Counter()
    for each in found:
        left_out.update(each.left_out)
    read = [pair for each in found for pair in each.pairs]
    pairs = _selected(read, settings.margin, left_out)
    if not pairs:
        raise ValueError(_nothing_left(found, settings, left_out, len(read)))
    held = held_out_groups(
        (group for each in found for group in each.groups), settings.heldout, settings.seed
    )
    no_records: Counter[str] = Counter()
    splits = {
        name: _Split(tuple(part), tuple(_records(part, settings, no_records)))
        for name, part in _split(pairs, held, left_out).items()
    }
    if not splits["train"].records:
        raise ValueError(
            f"all {len(pairs)} pairs are of groups that are held out; lower --heldout "
            f"({settings.heldout:g}), or export more sources"
        )
    card = {
        **_card_of_settings(settings),
        **_card_of_inputs(found),
        "seed": settings.seed,
        "heldout_share": settings.heldout,
        "margin": {
            "least": settings.margin,
            "unit": MARGIN_UNITS[found[0].origin],
            **_margins(pairs),
        },
        "pairs_found": len(read) + sum(sum(each.left_out.values()) for each in found),
        "pairs_read": len(read),
        "left_out": {why: n for why, n in sorted((left_out + no_records).items()) if n},
        "records_left_out": {why: n for why, n in sorted(no_records.items()) if n},
        "splits": {name: split.card() for name, split in splits.items()},
        "words": {
            side: statistics.fmean(word_count(getattr(pair, side)) for pair in pairs)
            for side in ("chosen", "rejected")
        },
        "chosen_over_rejected": chosen_profile(pairs, seed=settings.seed),
    }
    return ExportedData(splits["train"].records, splits["heldout"].records, card)


@dataclass(frozen=True)
class _Split:
    """Pairs that are trained on, or held out, and the records made of them."""

    pairs: tuple[TrainingPair, ...]
    records: tuple[Record, ...]

    def card(self) -> Record:
        return {
            "groups": len({pair.group for pair in self.pairs}),
            "pairs": len(self.pairs),
            "records": len(self.records),
            "sha256": _digest(self.records),
        }


def _split(
    pairs: Iterable[TrainingPair], held: frozenset[str], left_out: Counter[str]
) -> dict[str, list[TrainingPair]]:
    """The pairs to train on, and those held out; no text stands on both sides."""
    split: dict[str, list[TrainingPair]] = {"train": [], "heldout": []}
    for pair in pairs:
        split["heldout" if pair.group in held else "train"].append(pair)
    trained_on = {_material(pair) for pair in split["train"]}
    clear = [pair for pair in split["heldout"] if _material(pair) not in trained_on]
    left_out["held out, but its text is trained on"] += len(split["heldout"]) - len(clear)
    return split | {"heldout": clear}


def _card_of_settings(settings: ExportSettings) -> Record:
    return {
        "format": settings.format,
        "conversational": settings.conversational and settings.format != "jsonl",
        "prompts": settings.prompts,
        "prompt_version": PROMPT_VERSION,
    }


def _card_of_inputs(found: Sequence[FoundPairs]) -> Record:
    return {
        "origin": found[0].origin,
        "inputs": [
            {"name": each.name, **each.description, "groups": len(set(each.groups))}
            for each in found
        ],
        "simulated": any("planted/" in v for each in found for v in each.description.values()),
    }


def held_out_groups(groups: Iterable[str], share: float, seed: int) -> frozenset[str]:
    """The groups that are held out: a share of all, at least one of two or more.

    Which ones depends on their names and the seed alone, so that a filter of the pairs, or another
    format, moves no group from one side to the other.

    >>> len(held_out_groups(["a", "b", "c", "d"], 0.25, seed=0))
    1
    """
    listed = sorted(set(groups))
    if share == 0 or len(listed) < 2:
        return frozenset()
    count = min(max(1, round(share * len(listed))), len(listed) - 1)
    return frozenset(sorted(listed, key=lambda group: _hash(f"{seed}:{group}"))[:count])


def training_prompt(pair: TrainingPair, score: int | None, *, conversational: bool) -> Any:  # noqa: ANN401 - text or messages
    """What the model is asked, in the words of the tasks.

    A plain prompt ends with an empty line, so that no token reaches from it into the response.
    """
    request = _request(pair, score)
    if conversational:
        return [{"role": "user", "content": request}]
    return f"{request}\n\n"


def chosen_profile(pairs: Sequence[TrainingPair], *, seed: int) -> dict[str, Any]:
    """The factor profile of chosen over rejected: what these data teach, in surface factors.

    Without those that a Python function computes which only the log names.
    """
    data = PreferenceData(
        sources=tuple(_annotated(index, pair) for index, pair in enumerate(pairs)),
        skipped=(),
        other_task_rows=0,
        unjoined_rows=0,
        name="pairs",
    )
    tasks = {pair.task for pair in pairs}
    meant = {definition_of(task).of_factors for task in tasks}
    ids = [
        factor.id
        for factor in taxonomy_of(tasks).values()
        if factor.kind == "surface" and factor.mirrors is None and meant & set(factor.tasks)
        if not isinstance(factor.function, OnlyInALog)
    ]
    if not ids:
        return {}
    study = Study({HUMAN: human_comparisons(data, ids)}, replicates=1000, seed=seed)
    record = influence_record(study, HUMAN)
    kept = ("concordant", "discordant", "tied", "missing", "reason")
    return {
        factor: {
            "tau": values["tau"],
            **Estimate.of_record(values, "tau").interval(),
            **{key: values[key] for key in kept},
        }
        for factor, values in record["factors"].items()
    }


def _selected(
    pairs: Iterable[TrainingPair], margin: float, left_out: Counter[str]
) -> list[TrainingPair]:
    """The pairs that can be trained on, each once."""
    kept: dict[tuple[str, str, str], TrainingPair] = {}
    for pair in pairs:
        if reason := _unusable(pair, margin):
            left_out[reason] += 1
            continue
        key = (_request(pair), pair.chosen, pair.rejected)
        if key in kept:
            left_out["duplicate"] += 1
            if (pair.margin or 0.0) > (kept[key].margin or 0.0):
                kept[key] = pair
        else:
            kept[key] = pair
    contradicted = {key for key in kept if (key[0], key[2], key[1]) in kept}
    left_out["contradicted by another pair"] += len(contradicted)
    return [pair for key, pair in kept.items() if key not in contradicted]


def _unusable(pair: TrainingPair, margin: float) -> str | None:
    if not pair.chosen.strip() or not pair.rejected.strip():
        return "blank response"
    if pair.chosen == pair.rejected:
        return "identical responses"
    try:
        f"{pair.prompt}{pair.source}{pair.chosen}{pair.rejected}".encode()
    except UnicodeEncodeError:
        return "half of a character"
    if pair.margin is None:
        return "margin not known" if margin > 0 else None
    return "below the margin" if pair.margin < margin else None


def _nothing_left(
    found: Sequence[FoundPairs], settings: ExportSettings, left_out: Counter[str], n_read: int
) -> str:
    names = ", ".join(each.name for each in found)
    why = ", ".join(f"{reason}: {n}" for reason, n in left_out.most_common() if n)
    margins = [p.margin for each in found for p in each.pairs if p.margin is not None]
    if left_out["below the margin"] and margins:
        return (
            f"{names}: no pair reaches the margin {settings.margin:g}; the greatest of {n_read} "
            f"pairs is {max(margins):g} ({MARGIN_UNITS[found[0].origin]}). Lower --margin"
        )
    remedy = ". Without votes there is no margin: leave --margin out" * bool(
        left_out["margin not known"]
    )
    return f"{names}: no pair to train on is left ({why or 'there were none'}){remedy}"


def _records(
    pairs: Sequence[TrainingPair], settings: ExportSettings, left_out: Counter[str]
) -> list[Record]:
    """The records of a split, each once."""
    if settings.format == "jsonl":
        return [_own_record(pair, settings.seed) for pair in pairs]
    asked = {"neutral": (None,), "scores": (HIGHEST, LOWEST), "both": (None, HIGHEST, LOWEST)}
    # One text must not be taught as the answer for the highest and for the lowest score.
    both = {(pair.source_id, pair.chosen) for pair in pairs} & {
        (pair.source_id, pair.rejected) for pair in pairs
    }
    unique: dict[str, Record] = {}
    for pair in pairs:
        for score in asked[settings.prompts]:
            # For the lowest score the worse response is the one that was asked for.
            swapped = replace(pair, chosen=pair.rejected, rejected=pair.chosen)
            wanted = swapped if score == LOWEST else pair
            ambiguous = (wanted.source_id, wanted.chosen) in both
            if settings.format == "sft" and score is not None and ambiguous:
                left_out["response both chosen and rejected (sft)"] += 1
                continue
            for record in _asked(wanted, score, settings):
                unique.setdefault(json.dumps(record, sort_keys=True), record)
    records = list(unique.values())
    if settings.format != "kto":
        return records
    labels: dict[str, set[bool]] = {}
    for record in records:
        labels.setdefault(_without_label(record), set()).add(record["label"])
    clear = [record for record in records if len(labels[_without_label(record)]) == 1]
    left_out["response both chosen and rejected (kto)"] += (len(records) - len(clear)) // 2
    return clear


def _asked(pair: TrainingPair, score: int | None, settings: ExportSettings) -> Iterator[Record]:
    prompt = training_prompt(pair, score, conversational=settings.conversational)
    chosen, rejected = (
        [{"role": "assistant", "content": text}] if settings.conversational else text
        for text in (pair.chosen, pair.rejected)
    )
    if settings.format == "dpo":
        yield {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    else:
        label = {"label": True} if settings.format == "kto" else {}
        yield {"prompt": prompt, "completion": chosen, **label}
        if settings.format == "kto":
            yield {"prompt": prompt, "completion": rejected, "label": False}


def _without_label(record: Record) -> str:
    return json.dumps([record["prompt"], record["completion"]])


def _own_record(pair: TrainingPair, seed: int) -> Record:
    """A pair in the project's schema; on which side the chosen one stands is chance."""
    name = _hash(json.dumps([_request(pair), pair.chosen, pair.rejected]))
    chosen_first = int(_hash(f"{seed}:{name}"), 16) % 2 == 0
    first, second = (pair.chosen, pair.rejected) if chosen_first else (pair.rejected, pair.chosen)
    record = {
        "id": name[:16],
        "task": name_of(pair.task),
        "prompt": pair.prompt,
        "source": pair.source,
        "response_a": first,
        "response_b": second,
        "preference": "a" if chosen_first else "b",
        "group": pair.group,
    }
    return record if pair.margin is None else {**record, "margin": pair.margin}


def _material(pair: TrainingPair) -> str:
    """The text that a pair is about, whatever its white space: its source, else its prompt."""
    return " ".join((pair.source or pair.prompt).split())


def _request(pair: TrainingPair, score: int | None = None) -> str:
    if score is None:
        return NeutralRequest(pair.task, pair.prompt, pair.source).render()
    return GenerationRequest(
        pair.task, pair.prompt, pair.source, score, low=LOWEST, high=HIGHEST
    ).render()


def _annotated(index: int, pair: TrainingPair) -> AnnotatedSource:
    return AnnotatedSource(
        id=f"{index}",
        group=pair.group,
        task=pair.task,
        prompt=pair.prompt,
        source=pair.source,
        pairs=(
            AnnotatedPair(
                id=f"{index}",
                response_a=pair.chosen,
                response_b=pair.rejected,
                preference="a",
            ),
        ),
    )


def _margins(pairs: Sequence[TrainingPair]) -> dict[str, float | int | None]:
    known = sorted(pair.margin for pair in pairs if pair.margin is not None)
    if not known:
        return {"lowest": None, "median": None, "highest": None}
    return {"lowest": known[0], "median": statistics.median(known), "highest": known[-1]}


def json_lines(records: Iterable[Record]) -> str:
    """Records as JSON Lines."""
    text = io.StringIO()
    with jsonlines.Writer(text) as writer:
        writer.write_all(records)
    return text.getvalue()


def _digest(records: Sequence[Record]) -> str:
    return hashlib.sha256(json_lines(records).encode()).hexdigest()


def _hash(text: str) -> str:
    # A group's name may hold half a surrogate pair.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def card_text(card: Mapping[str, Any]) -> str:
    """The data card as Markdown, with the header by which ``datasets`` loads the folder."""
    splits = {name: split for name, split in card["splits"].items() if split["records"]}
    lines = ["---", "configs:", "- config_name: default", "  data_files:"]
    for name in splits:
        lines += [f"  - split: {name}", f"    path: {name}.jsonl"]
    words = card["words"]
    lines += [
        "---",
        "",
        f"# Preference data for training: {card['format']}",
        "",
        "Made by `profile-tasks export`. The texts come from a model or from a data set and are "
        "untrusted; their licences are those of their sources.",
        "",
    ]
    if card["simulated"]:
        lines += [
            "**SIMULATED**: a planted annotator took part. These data say nothing about any model "
            "or about people.",
            "",
        ]
    lines += ["| | |", "|---|---|"]
    for each in card["inputs"]:
        lines += [f"| {_code(key)} | {_code(value)} |" for key, value in each.items()]
    kind = "conversational" if card["conversational"] else "plain"
    lines += [
        f"| preferences | {card['origin']} |",
        f"| form | {card['format']}, {kind}, prompts: {card['prompts']} "
        f"(prompt version {card['prompt_version']}) |",
        f"| margin | at least {card['margin']['least']:g}; {card['margin']['unit']} |",
        f"| held out | {card['heldout_share']:g} of the groups, seed {card['seed']} |",
        f"| mean words | chosen {words['chosen']:.1f}, rejected {words['rejected']:.1f} |",
        "",
        "| split | groups | pairs | records |",
        "|---|---|---|---|",
    ]
    lines += [f"| {n} | {s['groups']} | {s['pairs']} | {s['records']} |" for n, s in splits.items()]
    lines += [
        "",
        f"{counted(card)}.",
        "",
    ]
    lines += [
        "What the data teach, in surface factors: tau_14 of the chosen over the rejected response "
        "over all pairs, with 95 % intervals (groups resampled).",
        "",
        "| factor | tau | 95 % |",
        "|---|---|---|",
    ]
    for factor, found in card["chosen_over_rejected"].items():
        tau = Estimate.of_record(found, "tau")
        value = f"{tau.value:+.3f}" if tau.defined else "-"
        ends = tau.ends_text("{:+.3f}".format, " to ") or "-"
        lines.append(f"| `{factor}` | {value} | {ends} |")
    return "\n".join(lines) + "\n"


def counted(card: Mapping[str, Any]) -> str:
    """What became of every pair, in words: the numbers add up."""
    written = sum(split["pairs"] for split in card["splits"].values())
    records = card["records_left_out"]
    pairs = {why: n for why, n in card["left_out"].items() if why not in records}
    lost = sum(pairs.values())
    return (
        f"{card['pairs_found']} pairs found = {written} written + {lost} left out"
        + (f" ({_listed(pairs)})" if lost else "")
        + "".join(f"; records left out: {why} {n}" for why, n in records.items())
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{why} {n}" for why, n in counts.items()) or "none"


def _code(value: object) -> str:
    """A name from outside as code, which Markdown does not read."""
    shown = "".join(
        c if c.isprintable() and c not in "`|" else "\N{REPLACEMENT CHARACTER}" for c in f"{value}"
    )
    return f"`{shown}`"
