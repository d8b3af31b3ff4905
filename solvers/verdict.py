"""Reading a pairwise verdict from what a model wrote."""

import re
from typing import Literal

Verdict = Literal["A", "B", "tie"]

# Bounded, so that no completion can make the patterns backtrack for long.
_DECORATION = r"[\s*_`\"'“”‘’()\[\]{}<>$]{0,6}"
_BEFORE = _DECORATION + r"(?:\\(?:boxed|text|textbf)\{)?" + _DECORATION
_SUBJECT = r"(?:(?:response|summary|answer|option)\s+)?"
_NAMED = r"(?:(?P<letter>[AB])|(?P<tie>tied?|draw|equal|equally good|neither|both))(?!\w|['’]\w)"
# A letter is a verdict only where its sentence stops or gives a reason: "A" may be an article,
# and "A or B" names nothing.
_AFTER = _DECORATION + r"(?:$|(?<=\()|[.,;:!–—-]|\b(?:because|since|as|is|it|wins?)\b)"

_MARKED = re.compile(
    r"\b(?:verdict|answer|choice|decision|winner|preference|preferred|better|best"
    r"|i\s+(?:would\s+)?(?:prefer|choose|pick|select))"
    r"(?:\s+(?:response|summary|answer|one|option))?"
    + _DECORATION
    + r"(?:[:：=]|\bis\b|\s)"
    + _BEFORE
    + _SUBJECT
    + _BEFORE
    + _NAMED
    + _AFTER,
    re.IGNORECASE | re.MULTILINE,
)
_ELEMENT = re.compile(r"<(verdict|answer|choice)>\s*" + _NAMED + r"\s*</\1>", re.IGNORECASE)
_ALONE = re.compile(
    r"^" + _BEFORE + _SUBJECT + _BEFORE + _NAMED + _DECORATION + r"[.!]?" + _DECORATION + r"$",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"(?<![\w'’])(?-i:(?P<letter>[AB]))" + _DECORATION + r"(?:is|was|wins|reads|seems|would\s+be)\b"
    r"(?:\s+(?:clearly|slightly|much|the|overall|also|a\s+bit|far|somewhat))*"
    r"(?:\s+(?:better|best|preferred|preferable|stronger|superior|winner)\b|(?<=wins)\b)",
    re.IGNORECASE,
)


def read_verdict(completion: str) -> Verdict | None:
    r"""The verdict a completion names, or None when it names none or contradicts itself.

    In falling order of trust: a marked verdict ("Verdict: A", ``{"answer": "B"}``; the last one
    counts, for models that think aloud first); the last or first line being just the letter; a
    plain statement ("Response B is better"), if all statements agree. A tie counts only when the
    model says so in a marked verdict or as its whole line. Nothing is guessed: "A good summary
    would ..." is not a verdict.

    >>> read_verdict("Both are short, but the first is exact.\n**Verdict: A**")
    'A'
    >>> read_verdict("(B)")
    'B'
    >>> read_verdict("Verdict: tie")
    'tie'
    >>> read_verdict("A good summary keeps the facts.") is None
    True
    """
    marked = sorted(
        (match.start(), _verdict(match))
        for pattern in (_MARKED, _ELEMENT)
        for match in pattern.finditer(completion)
    )
    if marked:
        return marked[-1][1]
    lines = [line.strip() for line in completion.splitlines() if line.strip()]
    for line in (*lines[-1:], *lines[:1]):
        if alone := _ALONE.match(line):
            return _verdict(alone)
    stated: set[Verdict] = {_verdict(match) for match in _STATED.finditer(completion)}
    return stated.pop() if len(stated) == 1 else None


def _verdict(match: re.Match[str]) -> Verdict:
    letter = match.group("letter")
    if letter is None:
        return "tie"
    return "A" if letter in "Aa" else "B"
