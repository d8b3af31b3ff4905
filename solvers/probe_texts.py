"""What the probes of a judge change in a text: by rule, from the lists in ``probe_texts.yaml``.

Every rule leaves what the text says as it is, so a judge who looks at nothing else has no reason to
prefer either. A rule that finds nothing to change gives None, and that text is not asked about.
``traces`` says which rules left their mark on a text: planted biases go by it.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LONGER_BY = 0.5
"""By what share of its words a text is made longer at least."""

LETTER = "{letter}"

_SENTENCE_GAP = re.compile(r"(?<=[.!?]) (?=\S)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_WIDE_GAP = re.compile(r"(?<=\S)  (?=\S)")
_MARKUP = re.compile(r"\*\*(?=\S)|^[ \t]*(?:[-*+•]|\d{1,3}[.)]|#{1,6})[ \t]+", re.MULTILINE)
_OPENING = re.compile(r"\A(\W*\S+(?: \S+)?)(.*)\Z", re.DOTALL)
"""The first two words of a sentence, and the rest."""


@dataclass(frozen=True)
class ProbeLists:
    """The lists of ``probe_texts.yaml``.

    Attributes:
        version: Goes up with every change.
        synonyms: Word in lower case -> another that says the same.
        fillers: Sentences that add nothing.
        citations: Sources that do not exist.
        injections: Orders to the judge, with ``LETTER`` where the text is named.
    """

    version: int
    synonyms: Mapping[str, str]
    fillers: tuple[str, ...]
    citations: tuple[str, ...]
    injections: tuple[str, ...]

    @property
    def ordered(self) -> tuple[str, ...]:
        """The orders with either letter."""
        return tuple(each.replace(LETTER, letter) for each in self.injections for letter in "AB")


@cache
def probe_lists() -> ProbeLists:
    """The lists, read once."""
    import yaml

    held = yaml.safe_load(_data("probe_texts.yaml"))
    lists = {name: tuple(held[name]) for name in ("fillers", "citations", "injections")}
    return ProbeLists(version=held["version"], synonyms=held["synonyms"], **lists)


def with_white_space(text: str) -> str | None:
    """The text with wider gaps between sentences; of one sentence, between its first two words.

    >>> with_white_space("It rained. We stayed.")
    'It rained.  We stayed.'
    """
    varied = _SENTENCE_GAP.sub("  ", text)
    if varied == text:
        varied = re.sub(r"(?<=\S) (?=\S)", "  ", text, count=1)
    return None if varied == text else varied


def with_synonyms(text: str) -> str | None:
    """The text with every listed word exchanged for its synonym; None where it has none.

    >>> with_synonyms("Maybe it is big."), with_synonyms("It is.")
    ('Perhaps it is large.', None)
    """
    known = probe_lists().synonyms

    def exchanged(found: re.Match[str]) -> str:
        word = found.group()
        other = known[word.lower()]
        return other[0].upper() + other[1:] if word[0].isupper() else other

    varied = _listed(tuple(known)).sub(exchanged, text)
    return None if varied == text else varied


def padded(text: str) -> str:
    """The text with sentences behind it that add nothing: half as long again at least.

    As many as it takes, from one that the text draws on; all of them at most.
    """
    fillers = probe_lists().fillers
    first, wanted = _drawn(text, len(fillers)), LONGER_BY * len(text.split())
    added: list[str] = []
    for at in range(len(fillers)):
        added.append(fillers[(first + at) % len(fillers)])
        if len(" ".join(added).split()) >= wanted:
            break
    return _behind(text, " ".join(added))


def marked_up(text: str) -> tuple[str, str] | None:
    r"""The text with Markdown and without: one of the two is the text itself.

    Where it has bold, headings or lists, they are taken off; else its sentences become a list, the
    first two words of each bold. None where there is nothing to mark.

    >>> marked_up("It rained all day. We stayed.")
    ('- **It rained** all day.\n- **We stayed.**', 'It rained all day. We stayed.')
    """
    plain = _MARKUP.sub("", text).replace("**", "")
    if plain != text:
        return (text, plain) if plain.strip() else None
    parts = filter(None, _SENTENCE_END.split(text.strip()))
    marked = "\n".join(_OPENING.sub(r"- **\1**\2", part) for part in parts)
    return (marked, text) if marked else None


def with_citation(text: str) -> str:
    """The text with a source behind it that does not exist."""
    citations = probe_lists().citations
    return _behind(text, citations[_drawn(text, len(citations))])


def with_injection(text: str, letter: str) -> str:
    """The text with an order behind it to choose it.

    Args:
        text: The text.
        letter: "A" or "B", as it is shown.
    """
    injections = probe_lists().injections
    return _behind(text, injections[_drawn(text, len(injections))].replace(LETTER, letter))


def traces(text: str) -> dict[str, int]:
    """How often each rule left its mark on a text, by the name of its probe.

    Of synonyms the number of them, of all else 1 or 0. A text may bear a mark of its own.
    """
    lists = probe_lists()
    return {
        "white_space": int(bool(_WIDE_GAP.search(text))),
        "synonym": len(_listed(tuple(lists.synonyms.values())).findall(text)),
        "padding": int(any(each in text for each in lists.fillers)),
        "style": int(bool(_MARKUP.search(text))),
        "authority": int(any(each in text for each in lists.citations)),
        "injection": int(any(each in text for each in lists.ordered)),
    }


@cache
def _listed(words: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)


def _behind(text: str, added: str) -> str:
    """In a paragraph of its own where the text has several lines."""
    return f"{text.rstrip()}{chr(10) * 2 if chr(10) in text.strip() else ' '}{added}"


def _drawn(text: str, n: int) -> int:
    """A number below n that the text draws: always the same, whatever else is asked."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[0] % n


def _data(name: str) -> str:
    return (files("profile_tasks.solvers") / name).read_text(encoding="utf-8")
