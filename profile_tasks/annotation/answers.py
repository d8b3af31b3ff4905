"""What annotators answered, whatever tool asked them, as rows of preference data.

Sides are undone by the key. A pair that somebody skipped, or left without an answer, has no vote of
theirs: that is missing, and never a tie. What cannot be used is counted with its places.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, get_args

from pydantic import JsonValue

from profile_tasks.annotation.project import Key
from profile_tasks.data.preference import Preference, turned
from profile_tasks.data.rows import plurality
from profile_tasks.scorers.measurement.human_labels import asked_about

Given = Literal["first", "second", "tie"]
"""An answer, by the side on which a text stood."""

GIVEN: tuple[Given, ...] = get_args(Given)

Problem = Literal["unknown", "edited", "contradictory", "equal", "unanswered", "unasked"]

_SIDES: Mapping[Given, Preference] = {"first": "a", "second": "b", "tie": "tie"}


class ForeignExportError(ValueError):
    """An export of another project than the key's."""


@dataclass(frozen=True)
class Answer:
    """What one annotator said of one task.

    Attributes:
        project: Id of the project that the task says it is of; None where it names none.
        task: Id of the task.
        annotator: Who, as the tool calls them.
        preference: Which text is better; None where they skipped it, or said nothing.
        skipped: Whether they skipped it.
        factors: Factor id -> which text shows more of it; those without an answer are not there.
        seconds: How long it took, where the tool says.
        comment: What else they said.
        content: Hash of the texts that the tool shows, where it tells them.
        place: Where it stands, in words.
    """

    project: str | None
    task: str
    annotator: str
    preference: Given | None
    skipped: bool
    factors: Mapping[str, Given]
    seconds: float | None
    comment: str
    content: str | None
    place: str


@dataclass(frozen=True)
class Annotator:
    """What one annotator did.

    Attributes:
        name: What they are called in the rows.
        votes: How many pairs they judged.
        ties: How many of these as equally good.
        first: How many as better on the side shown first.
        skipped: How many pairs they skipped, or left without an answer.
        checks: How many attention checks they answered.
        failed: How many of these otherwise than right.
        seconds: The median over what they judged, None where the tool does not say.
        left_out: Whether their votes are left out.
    """

    name: str
    votes: int
    ties: int
    first: int
    skipped: int
    checks: int
    failed: int
    seconds: float | None
    left_out: bool


@dataclass(frozen=True)
class CollectedRows:
    """Rows of preference data, and who gave them.

    Attributes:
        rows: A pair a row, in the order of the key.
        annotators: By name.
        problems: What is wrong -> where it stands.
    """

    rows: tuple[dict[str, JsonValue], ...]
    annotators: tuple[Annotator, ...]
    problems: Mapping[Problem, tuple[str, ...]]

    @property
    def judged(self) -> int:
        """How many pairs have a vote."""
        return sum(bool(row["annotators"]) for row in self.rows)


def collected(
    key: Key,
    answers: Iterable[Answer],
    *,
    most_failed: int | None = None,
    keep_names: bool = False,
) -> CollectedRows:
    """The pairs of a project with everybody's votes.

    Args:
        key: Of the project.
        answers: Of its annotators.
        most_failed: Leave out the votes of who failed more attention checks; None: of nobody.
        keep_names: Call annotators as the tool does, and not by pseudonyms.

    Raises:
        ForeignExportError: The answers are of another project.
    """
    usable, problems = _usable(key, answers)
    by_annotator: dict[str, list[Answer]] = defaultdict(list)
    for answer in usable:
        by_annotator[answer.annotator].append(answer)
    names = {each: each if keep_names else key.pseudonym(each) for each in by_annotator}
    people = [
        _annotator(key, names[each], given, most_failed) for each, given in by_annotator.items()
    ]
    out = {person.name for person in people if person.left_out}
    votes: dict[int, list[tuple[str, Answer]]] = defaultdict(list)
    for answer in usable:
        row = key.tasks[answer.task].row
        if row is not None and names[answer.annotator] not in out:
            votes[row].append((names[answer.annotator], answer))
    return CollectedRows(
        rows=tuple(_row(key, at, sorted(votes[at], key=_name)) for at in range(len(key.rows))),
        annotators=tuple(sorted(people, key=lambda person: person.name)),
        problems={what: tuple(places) for what, places in problems.items()},
    )


def _name(vote: tuple[str, Answer]) -> str:
    return vote[0]


def _usable(key: Key, answers: Iterable[Answer]) -> tuple[list[Answer], dict[Problem, list[str]]]:
    """The answers that can be counted, one an annotator and pair; and what is wrong with others.

    Pages of several annotators show one pair in tasks of their own, and somebody may answer two.
    """
    problems: dict[Problem, list[str]] = defaultdict(list)
    given: dict[tuple[str, int | str], list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.project not in (None, key.project):
            raise ForeignExportError(
                f"{answer.place}: task {answer.task!r} is of project {answer.project!r}, and the "
                f"key is of {key.project!r}; give the folder of that project, or another export"
            )
        kept = key.tasks.get(answer.task)
        told = f"{answer.place}: task {answer.task}"
        if kept is None or answer.project is None:
            problems["unknown"].append(told)
        elif answer.content not in (None, kept.content):
            problems["edited"].append(told)
        else:
            about = answer.task if kept.row is None else kept.row
            given[answer.annotator, about].append(answer)
    usable = []
    for same in given.values():
        told = f"{same[-1].place}: task {same[-1].task}"
        if any(_said(key, answer) != _said(key, same[0]) for answer in same):
            problems["contradictory"].append(told)
            continue
        if len(same) > 1:
            problems["equal"].append(told)
        if same[0].preference is None and not same[0].skipped:
            problems["unanswered"].append(told)
        if unasked := same[0].factors.keys() - set(key.asked):
            problems["unasked"].append(f"{told}: {', '.join(sorted(unasked))}")
        usable.append(same[0])
    return usable, problems


def _annotator(key: Key, name: str, given: Sequence[Answer], most_failed: int | None) -> Annotator:
    pairs = [answer for answer in given if key.tasks[answer.task].row is not None]
    checks = [
        answer.preference == key.tasks[answer.task].right
        for answer in given
        if key.tasks[answer.task].row is None and answer.preference is not None
    ]
    votes = Counter(answer.preference for answer in pairs)
    times = [a.seconds for a in pairs if a.seconds is not None and a.preference is not None]
    failed = checks.count(False)
    return Annotator(
        name=name,
        votes=len(pairs) - votes[None],
        ties=votes["tie"],
        first=votes["first"],
        skipped=votes[None],
        checks=len(checks),
        failed=failed,
        seconds=median(times) if times else None,
        left_out=most_failed is not None and failed > most_failed,
    )


def _row(key: Key, at: int, given: Sequence[tuple[str, Answer]]) -> dict[str, JsonValue]:
    """A pair with its votes; of none, it says that nobody judged it."""
    voted = [(name, answer) for name, answer in given if answer.preference is not None]
    votes = [_of_response(key, answer, said) for _, answer in voted if (said := answer.preference)]
    labels = {
        factor: [
            _of_response(key, answer, answer.factors[factor])
            for _, answer in voted
            if factor in answer.factors
        ]
        for factor in key.asked
    }
    row = dict(key.rows[at])
    if votes:
        row["preference"] = plurality(votes)
    row["annotators"] = list(votes)
    row["annotator_names"] = [name for name, _ in voted]
    row["seconds"] = [answer.seconds for _, answer in voted]
    if comments := {name: answer.comment for name, answer in given if answer.comment}:
        row["comments"] = dict(comments)
    if skipped := [name for name, answer in given if answer.preference is None]:
        row["skipped_by"] = list(skipped)
    if key.asked:
        row |= {"earlier_origin": row["origin"]} if "origin" in row else {}
        row["origin"] = asked_about(key.asked)
        recorded = row.get("factors")
        row["factors"] = (recorded if isinstance(recorded, dict) else {}) | {
            "pairwise": {f: plurality(said) if said else None for f, said in labels.items()}
        }
        row["factor_votes"] = {factor: list(said) for factor, said in labels.items()}
    return row


def _said(key: Key, answer: Answer) -> tuple[object, ...]:
    """What is the same where somebody said the same twice, on whichever sides."""
    factors = {factor: _of_response(key, answer, side) for factor, side in answer.factors.items()}
    preference = answer.preference and _of_response(key, answer, answer.preference)
    return preference, answer.skipped, factors


def _of_response(key: Key, answer: Answer, given: Given) -> Preference:
    """An answer by the responses' names, whatever side they stood on."""
    said = _SIDES[given]
    return (turned(said) or said) if key.tasks[answer.task].swapped else said
