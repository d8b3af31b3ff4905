"""Pairs of what two systems answered to the same inputs, in the project's schema, for judging.

Inputs are matched by themselves, and answers by their epoch; where a run has the same input several
times, the samples' ids tell which. Nobody has judged the pairs: their rows hold no votes. On which
side an answer stands is chance by a hash, and the same whatever the order of the runs.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from profile_tasks.runs.outputs import CUT_OFF, Output, Prompt, SystemRun

Row = dict[str, Any]

ONLY_HERE = "input only in this run"
OTHER_EPOCH = "epoch only in this run"
AMBIGUOUS = "input stands several times, under other ids"
OTHER_SIDE = "the other run's answer is left out"


@dataclass(frozen=True)
class PairedRuns:
    """The pairs of two runs, and what became of every sample.

    Attributes:
        runs: The two runs.
        rows: A pair a row.
        left_out: Why samples of each run stand in no pair -> how many of the first, of the second.
            With the pairs they are all samples of a run.
        notes: What else a reader must know, in words.
    """

    runs: tuple[SystemRun, SystemRun]
    rows: tuple[Row, ...]
    left_out: Mapping[str, tuple[int, int]]
    notes: tuple[str, ...]


def named_apart(runs: Sequence[SystemRun], names: Sequence[str] = ()) -> tuple[SystemRun, ...]:
    """The runs with names that tell their systems apart.

    Args:
        runs: The runs.
        names: What to call the systems, in this order; without any, each is called by its model,
            and where several runs are of one model, by the file too.

    Raises:
        ValueError: The names are not one a run, or not different.
    """
    if names and len(names) != len(runs):
        raise ValueError(f"{len(names)} names for {len(runs)} runs; give --name once for each")
    found = list(names) or [run.system for run in runs]
    if not names:
        twice = {name for name, n in Counter(found).items() if n > 1}
        found = [
            f"{run.system} ({Path(run.file).stem})" if run.system in twice else run.system
            for run in runs
        ]
    if len(set(found)) < len(found) or not all(name.strip() for name in found):
        raise ValueError(
            f"the systems are called {', '.join(map(repr, found))}; give each a name of its own "
            "(--name, once for each run)"
        )
    return tuple(replace(run, system=name) for run, name in zip(runs, found, strict=True))


def paired(
    runs: Sequence[SystemRun], *, task: str | None = None, keep_cut_off: bool = False
) -> tuple[PairedRuns, ...]:
    """The pairs of every two runs.

    Args:
        runs: At least two, with different names of their systems.
        task: What rows name as their task; by default that of this project's runs.
        keep_cut_off: Keep answers that a limit cut off.

    Raises:
        ValueError: Two runs have no input in common, or no pair is left of them; or they were asked
            in different words, and nothing says what the request was.
    """
    several = any(output.epoch > 1 for run in runs for output in run.outputs)
    made = []
    for first, second in combinations(runs, 2):
        pairing = _Pairing(first, second, keep_cut_off)
        pairing.check()
        rows = [
            _row(pair, (first, second), runs, task, several_epochs=several)
            for pair in pairing.pairs
        ]
        made.append(
            PairedRuns((first, second), tuple(rows), pairing.left_out(), tuple(pairing.notes()))
        )
    return tuple(_with_one_reference(made))


class _Pairing:
    """The answers of two runs, matched."""

    def __init__(self, first: SystemRun, second: SystemRun, keep_cut_off: bool) -> None:
        self.runs = first, second
        self.keep_cut_off = keep_cut_off
        self.pairs: list[tuple[Output, Output]] = []
        self.counts = Counter[str](), Counter[str]()
        self.other_ids = 0
        by_key = [_by_key(run.outputs) for run in self.runs]
        self.in_common = by_key[0].keys() & by_key[1].keys()
        for key in dict.fromkeys([*by_key[0], *by_key[1]]):
            self._match(by_key[0].get(key, []), by_key[1].get(key, []))

    def _match(self, *outputs: list[Output]) -> None:
        """The answers of both runs to one input."""
        ids = [{output.id for output in side} for side in outputs]
        once = all(len(each) == 1 for each in ids)
        self.other_ids += once and ids[0] != ids[1]
        # Where each run has the input once, its text is enough.
        sides = [{("" if once else o.id, o.epoch): o for o in side} for side in outputs]
        for place in dict.fromkeys([*sides[0], *sides[1]]):
            both = [side.get(place) for side in sides]
            one, two = both
            if one is not None and two is not None and not (self._flaw(one) or self._flaw(two)):
                self.pairs.append((one, two))
                continue
            for i, output in enumerate(both):
                if output is not None:
                    others = outputs[1 - i]
                    if both[1 - i] is not None:
                        alone = OTHER_SIDE
                    elif not others:
                        alone = ONLY_HERE
                    elif once or any(other.id == output.id for other in others):
                        alone = OTHER_EPOCH
                    else:
                        alone = AMBIGUOUS
                    self.counts[i][self._flaw(output) or alone] += 1

    def _flaw(self, output: Output) -> str | None:
        if output.flaw == CUT_OFF and self.keep_cut_off and output.text:
            return None
        return output.flaw

    def check(self) -> None:
        names = " and ".join(run.file for run in self.runs)
        if not self.in_common:
            mixed = len({run.harness for run in self.runs}) > 1
            remedy = (
                "name the field of lm-eval's documents that holds what is the input in the Inspect "
                "log (--prompt-field)"
                if mixed
                else "give two runs of one benchmark"
            )
            raise ValueError(f"{names}: no input is in both; {remedy}")
        if not self.pairs:
            why = "; ".join(
                f"{run.file}: " + ", ".join(f"{why} {n}" for why, n in counts.items())
                for run, counts in zip(self.runs, self.counts, strict=True)
            )
            raise ValueError(f"{names}: no pair of answers is left ({why})")

    def left_out(self) -> dict[str, tuple[int, int]]:
        first, second = self.counts
        return {why: (first[why], second[why]) for why in sorted({*first, *second})}

    def notes(self) -> list[str]:
        used = [output for pair in self.pairs for output in pair]
        counted = {
            "inputs have another id in the other run; matched by their text": self.other_ids,
            "samples have an id that the other run has too, but with another text: are the data "
            "of one version?": self._same_id_other_text(),
            "pairs are of equal answers": sum(a.text == b.text for a, b in self.pairs),
            "pairs have the request as the data set holds it: the runs sent other words round it, "
            "or more than one": sum(a.sent is None or a.sent != b.sent for a, b in self.pairs),
            "pairs have no reference: the runs have different targets": sum(
                a.reference != b.reference for a, b in self.pairs
            ),
            "answers are kept though a limit cut them off": sum(o.flaw is not None for o in used),
            "answers may be cut off: nothing says why they ended": sum(not o.ended for o in used),
        }
        lines = [f"{n} {what}" for what, n in counted.items() if n]
        for run in self.runs:
            if run.status != "success":
                lines.append(f"{run.file} did not finish (status: {run.status})")
            if run.score is not None:
                lines.append(
                    f"{run.file} is a run of this project: of each source the text for target "
                    f"score {run.score} is taken"
                )
        return lines

    def _same_id_other_text(self) -> int:
        keys = [defaultdict[str, set[str]](set) for _ in self.runs]
        for run, found in zip(self.runs, keys, strict=True):
            for output in run.outputs:
                found[output.id].add(output.key)
        return sum(not keys[0][id_] & keys[1][id_] for id_ in keys[0].keys() & keys[1].keys())


def _by_key(outputs: Sequence[Output]) -> dict[str, list[Output]]:
    found: dict[str, list[Output]] = {}
    for output in outputs:
        found.setdefault(output.key, []).append(output)
    return found


def _row(
    pair: tuple[Output, Output],
    of: tuple[SystemRun, SystemRun],
    runs: Sequence[SystemRun],
    task: str | None,
    *,
    several_epochs: bool,
) -> Row:
    sides = list(zip(pair, of, strict=True))
    sides.sort(key=lambda side: side[1].system)
    one, two = (output for output, _ in sides)
    name = one.id if one.id == two.id else one.key[:12]
    if several_epochs:
        name += f":epoch-{one.epoch}"
    if len(runs) > 2:
        name += ":" + "-".join(run.system for _, run in sides)
    if int(hashlib.sha256(f"{one.key}:{name}".encode()).hexdigest(), 16) % 2:
        sides.reverse()
    (a, run_a), (b, run_b) = sides
    wrote = {run_a.system: "a", run_b.system: "b"}
    row: Row = {
        "id": name,
        "task": task or one.task or None,
        "group": one.group,
        "prompt": _request(one, two, " and ".join(run.file for run in of)),
        "source": one.source,
        "reference": one.reference if one.reference == two.reference else None,
        "response_a": a.text,
        "response_b": b.text,
        "system_a": run_a.system,
        "system_b": run_b.system,
        "annotators": [],  # nobody was asked
        "factors": {"a": dict(a.scores), "b": dict(b.scores)} if a.scores or b.scores else None,
    }
    kept = {field: value for field, value in row.items() if value is not None or field == "source"}
    return kept | {f"written_by_{run.system}": wrote.get(run.system) for run in runs}


def _request(one: Output, two: Output, names: str) -> Prompt:
    if one.sent is not None and one.sent == two.sent:
        return one.sent
    if one.prompt is None:
        raise ValueError(
            f"{names}: the runs sent different requests for sample {one.id!r} (a chat template, or "
            "other examples); name the field of the document that holds the request "
            "(--prompt-field)"
        )
    return one.prompt


def _with_one_reference(made: Sequence[PairedRuns]) -> list[PairedRuns]:
    """Rows in which one request has one reference, as the schema wants it, or none."""
    held: dict[str, set[str]] = defaultdict(set)
    for each in made:
        for row in each.rows:
            if "reference" in row:
                held[row["group"]].add(row["reference"])
    clash = {group for group, references in held.items() if len(references) > 1}
    changed = []
    for each in made:
        rows = tuple(
            {k: v for k, v in row.items() if k != "reference" or row["group"] not in clash}
            for row in each.rows
        )
        lost = sum("reference" in row for row in each.rows) - sum("reference" in r for r in rows)
        note = f"{lost} pairs have no reference: their input has several"
        changed.append(replace(each, rows=rows, notes=(*each.notes, *([note] if lost else ()))))
    return changed
