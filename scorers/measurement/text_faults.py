"""Texts that are no answer to what was asked: echoes of the request, talk of the score, loops.

Small models write them often, and each has a length, a readability and all other factors. So their
rates stand beside the profile, and a run may count them as missing (``faulty_texts``). What is one
is this implementation's choice: rules on words, which a reader can check.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.data.task_definition import definition_of
from profile_tasks.scorers.factors.words import words
from profile_tasks.settings import FaultyTexts

TextFault = Literal["echo", "score_talk", "loop"]
TEXT_FAULTS: tuple[TextFault, ...] = get_args(TextFault)

ECHOED, REPEATED = 0.8, 0.5
"""Share of a text's runs of words from which on it is an echo, and a loop."""

_ECHO_RUN, _LOOP_RUN = 5, 4
"""Words in a row that count as one run of the request, and of the text itself."""

_SHORTEST_LOOP = 20
"""Words; shorter texts repeat themselves by chance."""

_SCORE_TALK = re.compile(
    r"\btarget\s+score\b|\bscores?\s*(?:of|:|is|=)\s*[1-9]\b(?![.:]\d|\s*(?:to|[-\u2013])\s*\d)"
    r"|\brat(?:ed|ing)\s*(?:of|as|it|:)?\s*(?:an?\s+)?[1-9]\b(?!\.\d)"
    r"|\bon\s+(?:a|the)\s+scale\s+(?:of|from)?\s*\d"
    r"|\bi\s+(?:would\s+)?(?:give|rate|score)\s+(?:it|this)\s+(?:an?\s+)?[1-9]\b",
    re.IGNORECASE,
)
"""In English alone."""


def text_faults(
    source: AnnotatedSource, written: Mapping[int, str | None]
) -> dict[int, tuple[TextFault, ...]]:
    """What is wrong with each text that a model wrote about a source, by target score.

    Args:
        source: What was asked.
        written: Target score -> text; None where there is none.
    """
    write = definition_of(source.task).prompts.write
    instruction = write.format(score=max(written), low=1, high=5, sections="")
    request = f"{instruction}\n{source.prompt}"
    asked = set(_runs(words(request.casefold()), _ECHO_RUN))
    material = f"{source.prompt}\n{source.source or ''}"
    named = {match.group().casefold() for match in _SCORE_TALK.finditer(material)}
    return {
        score: tuple(_faults(text, asked, named))
        for score, text in written.items()
        if text is not None
    }


def measured_texts(
    written: Mapping[int, str | None],
    faults: Mapping[int, Sequence[TextFault]],
    faulty_texts: FaultyTexts,
) -> dict[int, str | None]:
    """What was written, with texts missing that have a fault where such are made missing."""
    missing = faults if faulty_texts == "missing" else {}
    return {score: None if missing.get(score) else text for score, text in written.items()}


def _faults(text: str, asked: set[tuple[str, ...]], named: set[str]) -> list[TextFault]:
    said = words(text.casefold())
    found: list[TextFault] = []
    if (runs := _runs(said, _ECHO_RUN)) and sum(r in asked for r in runs) >= ECHOED * len(runs):
        found.append("echo")
    talk = {match.group().casefold() for match in _SCORE_TALK.finditer(text)}
    if talk - named:
        found.append("score_talk")
    repeated = _runs(said, _LOOP_RUN)
    if len(said) >= _SHORTEST_LOOP and len(set(repeated)) <= (1 - REPEATED) * len(repeated):
        found.append("loop")
    return found


def _runs(said: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """Every run of so many words."""
    return [tuple(said[at : at + length]) for at in range(len(said) - length + 1)]
