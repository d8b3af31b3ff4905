"""Reading a pairwise verdict from what a model wrote.

A wrong reading is worse than none: an unreadable verdict is missing and counted, a wrong one is a
vote that nobody cast. So a letter counts only where the words around it make it a choice.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

Verdict = Literal["A", "B", "tie"]

_END_OF_THOUGHTS = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_LATEX = re.compile(r"\\(?:boxed|text|textbf|mathrm)\{([^{}]*)\}")
_ELEMENT = re.compile(r"<(verdict|answer|choice)>([^<]*)</\1>", re.IGNORECASE)
_DECORATION = re.compile(r"[*`$\\\u200b]")

_KIND = r"(?:response|summary|answer|option)"
# "A", "(B)", "Response A", "the second summary"; quotes and brackets may stand around a letter.
_NAME = (
    rf"(?:the\s+)?(?:(?:{_KIND}[\s-]{{0,3}})?[\"'(\[{{<\s]{{0,6}}(?P<letter>[AB])(?!\w|'\w)"
    rf"|(?P<place>first|second)\b(?:\s+{_KIND})?)"
)
_TIE = (
    r"(?:it'?s\s+)?(?:an?\s+)?(?:tied?|draw|neither(?:\s+is\s+better)?"
    r"|(?:(?:both|a\s+and\s+b)(?:\s+are)?\s+)?equal(?:ly\s+good)?|both)"
)
_BETTER = r"(?:better|best|winner|preferred|preferable|stronger|superior)"
_ADVERBS = (
    r"(?:\s+(?:clearly|slightly|much|the|a|overall|also|bit|far|somewhat|definitely"
    r"|significantly))*"
)
_IS_BETTER = rf"(?:is|was|seems|appears|looks|reads){_ADVERBS}\s+{_BETTER}\b"

# What may follow a named response so that the name is the choice: the end of the line, a stop, a
# reason, or a comparison that it wins. "A or B", "A is worse", "A summary should" do not.
_CHOICE = re.compile(
    rf"\W{{0,6}}(?:clearly\s+)?{_NAME}(?P<tail>[^\w\n/]{{0,6}}$"
    r"|\s*[\"')\]}]{0,3}\s*[.,;:!(–—-](?!\s*(?:or|and|nor)\b|\s*[AB]\W*$)"
    rf"|\s*>|\s+(?:because|since|as|over|wins)\b|\s+{_IS_BETTER})",
    re.IGNORECASE,
)
_TIE_CHOICE = re.compile(rf"\W{{0,6}}{_TIE}\W{{0,6}}$", re.IGNORECASE)
_ALONE = re.compile(rf"\W{{0,6}}{_NAME}[^\w/]{{0,6}}$", re.IGNORECASE)

_SEPARATOR = r"[\"')\]\s]{0,4}(?:is\b\s*:?|[:=,→–—-]+|\n)"
_VERDICT = re.compile(rf"\bverdict(?:{_SEPARATOR}|\s)", re.IGNORECASE)
_MARKER = re.compile(
    r"\b(?:answer|choice|decision|winner|preference|preferred|better|best|pick|selected|selection"
    r"|judge?ment|conclusion|overall|result)"
    rf"(?:\s+(?:one|{_KIND}))?(?:\s+here|\s+of\s+the\s+two)?{_SEPARATOR}",
    re.IGNORECASE,
)

_REACH = 200
"""Characters behind a marker in which its choice must begin."""

# Statements in running text. A clause that denies, doubts or offers alternatives states nothing,
# and "better written" praises a part.
_NO_STATEMENT = re.compile(
    r"\b(?:neither|nor|or|if|whether|not|no|never|hardly|unclear|unsure|may|might|could|some)\b"
    r"|n't\b",
    re.IGNORECASE,
)
_CAPITAL = rf"(?:{_KIND}[\s-])?[\"'(\[]{{0,3}}(?-i:(?P<letter>[AB]))(?!\w|'\w)"
_CHOOSES = re.compile(
    r"\b(?:I|we|readers|people|users|asked)(?:'d|\s+would|\s+will)?\s+"
    r"(?:say|prefer|choose|pick|select|favou?r|go\s+with|vote\s+for|lean\s+towards?)\s+"
    rf"{_CAPITAL}",
    re.IGNORECASE,
)
_FINDS = re.compile(rf"\b(?:find|finds)\s+{_CAPITAL}\s+better\b", re.IGNORECASE)
_STATES = re.compile(
    rf"(?:^\W*|[,:(]\s*|\b(?:that|think|believe|say|so|but|overall|therefore|the)\s+"
    rf"|(?={_KIND}[\s-])\b)"
    rf"{_CAPITAL}[\"')\]]{{0,3}}\s+(?:{_IS_BETTER}|(?:clearly\s+)?wins\b)"
    rf"(?=\s*(?:$|[,:(]|than\b|overall|because|since|as\b|of\b|one\b|here\b|{_KIND}))",
    re.IGNORECASE,
)
_FIRST_OR_SECOND = re.compile(
    rf"\b(?P<place>first|second)\s+{_KIND}\s+(?:{_IS_BETTER}|wins\b)", re.IGNORECASE
)


def read_verdict(completion: str, *, truncated: bool = False) -> Verdict | None:
    r"""The verdict a completion names, or None when it names none or contradicts itself.

    In falling order of trust: what stands behind the word "verdict" (the last one counts, for
    models that think aloud first); the last or first line being just the letter; what stands
    behind another marker ("Final answer: B", ``{"choice": "A"}``); plain statements ("Response B
    is better"), if all agree. A tie counts only when the model says so behind a marker or as its
    whole line. Nothing is guessed: "A good summary would ..." is not a verdict.

    >>> read_verdict("Both are short, but the first is exact.\n**Verdict: A**")
    'A'
    >>> read_verdict("(B)")
    'B'
    >>> read_verdict("Verdict: tie")
    'tie'
    >>> read_verdict("A good summary keeps the facts.") is None
    True

    Args:
        completion: What the model wrote.
        truncated: It was cut off; then only what stands behind "verdict" counts, because the
            next words could have turned the rest around.
    """
    text = _plain(completion)
    if _contradictory_line(text):
        return None
    marked = _last_choice(_VERDICT, text)
    if marked or truncated:
        return marked
    return _whole_line(text) or _last_choice(_MARKER, text) or _stated(text)


def _plain(completion: str) -> str:
    """The words without thoughts, markup and typographic variants."""
    text = _END_OF_THOUGHTS.split(unicodedata.normalize("NFKC", completion))[-1]
    text = _ELEMENT.sub(r"\n\1: \2\n", text)
    text = _LATEX.sub(r"\1", _LATEX.sub(r"\1", text))
    text = _DECORATION.sub("", text).replace("_", " ")
    return text.translate(str.maketrans("“”‘’", "\"\"''"))


def _contradictory_line(text: str) -> bool:
    """Whether one line names two verdicts, as an echo of the instruction does."""
    for line in text.splitlines():
        found = {
            choice
            for match in _VERDICT.finditer(line)
            if (choice := _choice(line[match.end() : match.end() + _REACH], stop=True))
        }
        if len(found) > 1:
            return True
    return False


def _last_choice(marker: re.Pattern[str], text: str) -> Verdict | None:
    choices = (_choice(text[match.end() : match.end() + _REACH]) for match in marker.finditer(text))
    return next((choice for choice in reversed(list(choices)) if choice), None)


def _whole_line(text: str) -> Verdict | None:
    """The verdict that is the whole last or first line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in (*lines[-1:], *lines[:1]):
        if _TIE_CHOICE.fullmatch(line):
            return "tie"
        won = _CHOICE.match(line)
        alone = _ALONE.fullmatch(line) or (won if won and ">" in won.group("tail") else None)
        if alone:
            return _named(alone)
    return None


def _choice(after: str, *, stop: bool = False) -> Verdict | None:
    """The choice that the text behind a marker begins with."""
    line = after.lstrip("\n\r\t #>-:").split("\n", 1)[0]
    if "?" in line:
        return None
    if stop:
        line = re.split(r"[\"'.,;]", line.lstrip("\"' "), maxsplit=1)[0]
    if _TIE_CHOICE.fullmatch(line):
        return "tie"
    match = _CHOICE.match(line)
    return None if match is None else _named(match)


def _named(match: re.Match[str]) -> Verdict | None:
    letter, place = match.group("letter"), match.groupdict().get("place")
    if letter is None:
        return "A" if (place or "").casefold() == "first" else "B"
    if (
        letter == "a"
        and "tail" in match.re.groupindex
        and match.group("tail").strip()[:1].isalpha()
    ):
        return None  # an article: "a is better" is nobody's verdict
    return "A" if letter in "Aa" else "B"


def _stated(text: str) -> Verdict | None:
    """The response that the text calls the better one, if it calls only one so."""
    stated = set(_statements(text))
    return stated.pop() if len(stated) == 1 else None


def _statements(text: str) -> Iterator[Verdict]:
    """The responses that sentences of the text call the better one."""
    for sentence in re.split(r"[.!?;\n]", text):
        if _NO_STATEMENT.search(sentence):
            continue
        for pattern in (_CHOOSES, _FINDS, _STATES):
            for match in pattern.finditer(sentence):
                yield "A" if match.group("letter") == "A" else "B"
        for match in _FIRST_OR_SECOND.finditer(sentence):
            yield "A" if match.group("place").casefold() == "first" else "B"
