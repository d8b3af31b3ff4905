"""Proposed factors: a model reads contrasting pairs and says what tells preferred responses apart.

What it says is a text that untrusted texts had a part in, and a grader will read it. So a
definition is one line of limited length, without anything that looks like a tag.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from profile_tasks.scorers.factors.grader_answer import (
    Reading,
    UnreadableAnswerError,
    object_schema,
    own_objects,
)
from profile_tasks.scorers.factors.proposal_prompts import (
    CONTRAST_LINE,
    KNOWN_LINE,
    LONGEST_DEFINITION,
    MERGE_PROMPT,
    PROPOSAL_LINE,
    PROPOSAL_PROMPT,
)
from profile_tasks.solvers.sections import render_sections
from profile_tasks.untrusted_text import one_line


@dataclass(frozen=True)
class ContrastingPair:
    """Two responses to one request, as they are shown.

    Attributes:
        prompt: The request.
        first: The response shown first.
        second: The one shown second.
        first_preferred: Whether the first is the preferred one.
    """

    prompt: str
    first: str
    second: str
    first_preferred: bool


@dataclass(frozen=True)
class Proposal:
    """A factor that a model proposes.

    Attributes:
        name: What it is called: lower-case letters, digits and underscores.
        definition: What a grader reads.
    """

    name: str
    definition: str


@dataclass(frozen=True)
class ProposalRequest:
    """By which properties do the preferred responses differ from the others?

    Attributes:
        pairs: What is shown, at least one pair.
        known: Definitions of the factors that are known already.
        most: How many factors may be proposed.
    """

    pairs: tuple[ContrastingPair, ...]
    known: tuple[str, ...]
    most: int

    def render(self) -> str:
        """The text of the request."""
        lines: list[str] = []
        sections: dict[str, str | None] = {}
        for number, pair in enumerate(self.pairs, start=1):
            first, second = 2 * number - 1, 2 * number
            preferred = first if pair.first_preferred else second
            lines.append(
                CONTRAST_LINE.format(
                    first=first, second=second, request=number, preferred=preferred
                )
            )
            sections |= {
                f"request_{number}": pair.prompt,
                f"response_{first}": pair.first,
                f"response_{second}": pair.second,
            }
        return PROPOSAL_PROMPT.format(
            pairs="\n".join(lines),
            most=self.most,
            known="\n".join(KNOWN_LINE.format(definition=one_line(each)) for each in self.known),
            sections=render_sections(sections),
        )

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        entry = object_schema({"name": {"type": "string"}, "definition": {"type": "string"}})
        return object_schema({"factors": {"type": "array", "items": entry}})

    @property
    def material(self) -> tuple[str, ...]:
        """The untrusted texts that are shown."""
        return tuple(text for p in self.pairs for text in (p.prompt, p.first, p.second))

    def read(self, *answers: str) -> Reading[tuple[Proposal, ...]]:
        """The proposals, those of the last answer that has any; none is an answer too."""
        try:
            contents = own_objects(answers, ["factors"], self.material)
        except UnreadableAnswerError as error:
            return Reading(None, (str(error),))
        readings = [_proposals(content.get("factors"), self.most) for content in contents]
        readable = [reading for reading in readings if reading.value is not None]
        return (readable or readings)[-1]


def _proposals(entries: object, most: int) -> Reading[tuple[Proposal, ...]]:
    if not isinstance(entries, list):
        return Reading(None, ('"factors" must be a list of objects',))
    found, problems = [], []
    for number, entry in enumerate(entries[:most], start=1):
        named = entry if isinstance(entry, Mapping) else {}
        name, definition = named.get("name"), named.get("definition")
        if not isinstance(definition, str) or not (worded := _worded(definition)):
            problems.append(f'entry {number} of "factors" needs a "definition", one sentence')
            continue
        found.append(Proposal(_name(name if isinstance(name, str) else worded), worded))
    if problems and not found:
        return Reading(None, tuple(problems))
    return Reading(tuple(found), tuple(problems))


def _worded(definition: str) -> str:
    """A definition as a grader may read it; "" where it is blank or no sentence any more."""
    text = one_line(re.sub(r"<[^>]*>|[<>{}]", " ", definition))
    return text if 0 < len(text) <= LONGEST_DEFINITION else ""


def _name(said: str) -> str:
    """A name as an id begins: a few words of Latin letters."""
    words = re.sub(r"[^a-z0-9]+", "_", said.casefold()).strip("_")[:40].strip("_")
    return words if words[:1].isalpha() else f"proposed_{words}".strip("_")


@dataclass(frozen=True)
class MergeRequest:
    """Which definitions mean the same?

    Attributes:
        definitions: At least two.
    """

    definitions: tuple[str, ...]

    def render(self) -> str:
        """The text of the request."""
        listed = "\n".join(
            PROPOSAL_LINE.format(number=number, definition=definition)
            for number, definition in enumerate(self.definitions, start=1)
        )
        return MERGE_PROMPT.format(
            last=len(self.definitions), sections=render_sections({"proposals": listed})
        )

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        numbers = {"type": "array", "items": {"type": "integer"}}
        return object_schema({"same": {"type": "array", "items": numbers}})

    def read(self, *answers: str) -> Reading[tuple[tuple[int, ...], ...]]:
        """The places of definitions that mean the same, from 0 on; each stands once."""
        try:
            contents = own_objects(answers, ["same"], self.definitions)
        except UnreadableAnswerError as error:
            return Reading(None, (str(error),))
        readings = [_parts(content.get("same"), len(self.definitions)) for content in contents]
        readable = [reading for reading in readings if reading.value is not None]
        return (readable or readings)[-1]


def _parts(said: object, last: int) -> Reading[tuple[tuple[int, ...], ...]]:
    parts: Sequence[object] = said if isinstance(said, list) else ()
    numbers = [n for part in parts if isinstance(part, list) for n in part]
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in numbers)
    if not whole or sorted(numbers) != list(range(1, last + 1)):
        return Reading(None, (f'"same" must hold each number from 1 to {last} once',))
    return Reading(tuple(tuple(n - 1 for n in part) for part in parts if isinstance(part, list)))
