"""What a result is of, in one line to copy into a paper: ``task:...|data:...|...|version:...``.

As sacrebleu's: parts with their names, in one order. Results of one signature were made in the same
way on the same data. A part is absent where the file does not state it; of the options that are
seldom changed, also where one is as by default.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from profile_tasks import __version__
from profile_tasks.data.content_hash import short_hash
from profile_tasks.data.preferences import PreferenceData
from profile_tasks.runs.run import Run, stated
from profile_tasks.runs.words import first_named
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.taxonomy import own_factors_hash
from profile_tasks.settings import ProfileSettings

if TYPE_CHECKING:  # most of what is signed has no judge
    from profile_tasks.scorers.measurement.recorded_judges import RecordedJudges

_FIRST = (
    "task",
    "task_version",
    "lm_eval_task_version",
    "data",
    "sources",
    "factors",
    "own_factors",
    "setting",
    "orders",
    "judged_by",
    "model",
    "grader",
)
_LAST = ("seed", "version")
_OF_THE_DATA = ("data_hash", "pairs")
"""Conditions that the part ``data`` stands for."""

_SELDOM_CHANGED = {
    "replicates": 2000,
    **stated(ProfileSettings().record()),
}

_NUMBERS = re.compile(r"\d+( \d+)+")
"""A list of numbers, as conditions hold it."""

_NAMED = 3
"""So many names are listed; more are counted and hashed."""


def signature(run: Run) -> str:
    """The line of a finished run.

    >>> signature(Run("log.eval", "inspect", "x/m", "document_qa", "qa", "both", data="my pairs"))
    'task:document_qa|data:my%20pairs|setting:both|model:x/m|grader:none'
    """
    return signature_line(_facts(run))


def shared_signature(runs: Sequence[Run]) -> str:
    """One line of several runs; a part in which they differ is ``*``.

    >>> runs = [Run("", "inspect", model, "document_qa", "qa", "both") for model in ("x", "y")]
    >>> shared_signature(runs)
    'task:document_qa|setting:both|model:*|grader:none'
    """
    parts = [_parts(_facts(run)) for run in runs]
    values = {
        name: {each.get(name) for each in parts}
        for name in _ordered(name for each in parts for name in each)
    }
    return "|".join(
        f"{name}:{next(iter(found)) if len(found) == 1 else '*'}" for name, found in values.items()
    )


def data_signature(
    task: str, data: PreferenceData, factors: Sequence[Factor], **facts: object
) -> str:
    """The line of what a command computes from recorded preferences.

    Args:
        task: Name of the command.
        data: The preferences.
        factors: The factors.
        **facts: Other parts, as of ``signature_line``.
    """
    return signature_line(
        {
            "task": task,
            "data": hashed(data.name, data.content_hash),
            "factors": tuple(factor.id for factor in factors),
            "own_factors": own_factors_hash(factors),
            **facts,
            "version": __version__,
        }
    )


def judges_signature(
    data: PreferenceData, factors: Sequence[Factor], found: "RecordedJudges"
) -> str:
    """The line of judges whose verdicts the data record.

    Args:
        data: As of ``data_signature``.
        factors: As there.
        found: The judges.
    """
    return data_signature(
        "judges",
        data,
        factors,
        judges=tuple(found.measurements),
        reference=found.reference,
        replicates=found.replicates,
        seed=found.seed,
    )


def signature_line(facts: Mapping[str, object]) -> str:
    """The line of these parts.

    Args:
        facts: Name of a part -> its value. None, an empty text and what is as by default are left
            out; of names in a tuple more than ``_NAMED`` are counted and hashed.
    """
    return "|".join(f"{name}:{value}" for name, value in _parts(facts).items())


def wrapped(signature: str, width: int) -> list[str]:
    """The lines of a signature that is wider than a terminal, broken behind its bars.

    Joined as they stand they are the signature again.

    Args:
        signature: The line, maybe with a word before it.
        width: Columns of the terminal.

    >>> wrapped("task:qa|model:x/m|seed:0", 12)
    ['task:qa|', 'model:x/m|', 'seed:0']
    """
    from rich.cells import cell_len, chop_cells

    lines = [""]
    for part in re.findall(r"[^|]*\||[^|]+", signature):
        if cell_len(lines[-1] + part) <= width:
            lines[-1] += part
        else:  # a part that no line holds, as a hostile name, is cut where the line ends
            lines += chop_cells(part, width)
    return [line for line in lines if line]


def hashed(name: str, hash_: object) -> str:
    """A name with the hash of what it stands for; as far as either is known.

    >>> hashed("pairs.csv", "1a2b3c4d"), hashed("pairs.csv", None)
    ('pairs.csv#1a2b3c4d', 'pairs.csv')
    """
    return f"{name}#{hash_}" if hash_ else name


def difference(first: Run, second: Run) -> str:
    """In which parts the signatures of two runs, A and B, differ, in a sentence.

    >>> a, b = (Run("", "inspect", model, "document_qa", "qa", "both") for model in ("x", "y"))
    >>> difference(a, b), difference(a, a)
    ('the two differ in: model', 'the two signatures are the same')
    """
    facts = [_facts(run) for run in (first, second)]
    a, b = map(_parts, facts)
    told = [
        _differ(name, first, second, facts)
        for name in _ordered((*a, *b))
        if a.get(name) != b.get(name)
    ]
    return f"the two differ in: {'; '.join(told)}" if told else "the two signatures are the same"


def _facts(run: Run) -> dict[str, object]:
    """What is known of a run, by the names of the parts."""
    named = "" if run.data == "not stated" else run.data
    conditions = {n: value for n, value in run.conditions.items() if n not in _OF_THE_DATA}
    return {
        "grader": None if run.harness == "influence" else "none",
        **conditions,
        "task": run.name if run.harness == "influence" else run.task,
        "data": hashed(named, run.conditions.get("data_hash")),
        "sources": run.sources,
        "factors": run.factors,
        "setting": run.setting,
        "model": run.model,
    }


def _parts(facts: Mapping[str, object]) -> dict[str, str]:
    """The parts as they are written, in their order."""
    shown = {}
    for name in _ordered(facts):
        value = facts[name]
        always = name in _FIRST or name in _LAST
        if value in (None, "", ()) or (not always and value == _SELDOM_CHANGED.get(name)):
            continue
        shown[name] = _written(value)
    return shown


def _ordered(names: Iterable[str]) -> list[str]:
    known = dict.fromkeys(names)
    between = [name for name in known if name not in (*_FIRST, *_LAST)]
    return [name for name in (*_FIRST, *between, *_LAST) if name in known]


def _written(value: object) -> str:
    """A value as one word in which no part ends."""
    if isinstance(value, tuple):
        if len(value) > _NAMED:
            return hashed(str(len(value)), short_hash(sorted(value)))
        return ",".join(map(_written, sorted(value)))
    text = _said(value)
    if _NUMBERS.fullmatch(text):
        text = text.replace(" ", ",")
    return "".join(
        c if c.isprintable() and c not in "|%` " else quote(c, safe="", errors="surrogatepass")
        for c in text
    )


# Two in words -------------------------------------------------------------------------------------


def _differ(name: str, first: Run, second: Run, facts: list[dict[str, Any]]) -> str:
    """How two runs differ in a part; of the model its name alone, which is said beside it."""
    label = name.replace("_", " ")
    if name == "model":
        return label
    if name == "data":
        return _data(first, second)
    a, b = (each.get(name) for each in facts)
    if name == "factors":
        alone = {"A": sorted({*first.factors} - {*second.factors})}
        alone["B"] = sorted({*second.factors} - {*first.factors})
        only = [
            f"only {side}: {first_named(which, _NAMED)}" for side, which in alone.items() if which
        ]
        return f"{label} ({'; '.join(only)})"
    return f"{label} ({_said(a)} / {_said(b)})"


def _data(first: Run, second: Run) -> str:
    a, b = (run.conditions.get("data_hash") for run in (first, second))
    if a != b or not a:
        hashes = f"hash {a or 'not stated'} / {b or 'not stated'}" if a or b else ""
        names = f"{first.data} / {second.data}" if first.data != second.data else ""
        return f"data ({', '.join(filter(None, (names, hashes)))})"
    return f"name of the data ({first.data} / {second.data}, of one hash)"


def _said(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "not stated" if value is None else str(value)
