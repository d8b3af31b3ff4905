"""The planted grader: a simulated grader whose answers follow from the texts by stated rules.

It lets the whole taxonomy run offline with a known answer. IT IS A SIMULATION: its rules count
words, they understand nothing, and no figure obtained with it says anything about a text, a
language model or people. The rules, each as simple as it can be:

- Words are case-folded, without a final "'s". A *content word* is none of ``STOP_WORDS`` (what
  stands before an apostrophe neither) and no "...n't". A line break ends a sentence. The *lead* of
  a source is its first two sentences.
- A *fact* is a clause that holds a content word: a sentence is cut at ``;`` and ``:``, at a comma
  with and, but, or, so, yet, while, whereas or although, and at because. Equal facts count once.
- *Key facts* are the source's clauses, as many as are asked for, spread evenly over the source.
- *covered*: at least half of the key fact's content words are in the response.

Labels of a fact:

- ``hallucination``: *absent* where less than 0.7 of its content words are in the source. Otherwise
  *contradicted* where the source has clauses with at least 0.7 of them, and either the fact is
  negated and none of these clauses is, or the other way round. Otherwise *supported*.
- ``off_focus``: *on* where it shares a content word with the request or the source's lead.
- ``helpfulness``: *yes* where it shares a content word with the request, or holds a digit.
- ``misinformation``: *wrong* where it holds a word of ``ABSOLUTE_WORDS``, else *accurate*.
- ``citation_precision``: *none* without a mark like [2]. Otherwise *supported* where the passages
  with these marks hold at least 0.7 of its content words, else *unsupported*. A passage begins with
  its mark at the start of a line.
- any other factor, or one whose values were replaced: the first of the values offered where the
  fact shares a content word with the factor's question, else the last.

Verdicts compare a score of each response; scores that differ by less than 1e-9 are equal:

- ``fluency``: share of sentences with an end mark, minus the distance of the mean sentence length
  from 18 words as a share of 18.
- ``coherence``: share of the sentences after the first that share a content word with the one
  before, or start with one of ``CONNECTIVES``; 1 for a single sentence, 0 for none.
- ``intent_alignment``: share of the content words of request and lead that the response holds.
- ``formality_alignment``: minus the distance between its casual rate and the source's (the
  request's where there is no source). The casual rate is contractions, exclamation marks and
  ``PERSONAL_WORDS`` per word.
- ``receptiveness``: 1 over the number of the first sentence that shares a content word with the
  request; 0 where none does.
- a factor with a definition of ``hidden.HIDDEN``: 1 where the response shows it, else 0.
- any other factor: how many words of the response are content words of its definition.

With an error rate, that share of the single decisions (labels, covered or not, verdicts) is
replaced by another of the values offered, each chosen by the request's text and the seed. At 0
every answer is exact, and swapping two responses mirrors every verdict.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType

from profile_tasks.planted.grader_request import (
    AskedBatch,
    AskedFacts,
    AskedKeyFacts,
    AskedLabel,
    AskedVerdicts,
    parse_grader_request,
)
from profile_tasks.planted.hidden import BY_DEFINITION
from profile_tasks.scorers.factors.words import sentences

GRADER_RULES_VERSION = 2
"""Changes with any rule, so that no cached answer by other rules is reused."""

_MARK = re.compile(r"\[(\d+)\]")
_PASSAGE = re.compile(r"^\[(\d+)\]", re.MULTILINE)
SUPPORTED_SHARE = 0.7
COVERED_SHARE = 0.5
LEAD_SENTENCES = 2
FLUENT_SENTENCE_WORDS = 18
VERDICTS = ("first", "second", "equal")


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


STOP_WORDS = _set_of(
    "a about after again all also am an and any are as at be because been before being both but by "
    "can cannot could did do does doing down during each few for from further had has have having "
    "he her here hers him his how i if in into is it its just may me might more most must my "
    "neither never no nobody none nor not nothing of off on once only or other our out over own "
    "same shall she should so some such than that the their them then there these they this those "
    "through to too under until up very was we were what when where whether which while who whom "
    "whose why will with without would yet you your yours"
)
NEGATIONS = _set_of("not no never without neither nor none nobody nothing cannot")
ABSOLUTE_WORDS = _set_of(
    "all always every everybody everyone everything guaranteed impossible never nobody none nothing"
)
PERSONAL_WORDS = _set_of("i me my mine we us our ours you your yours")
CONNECTIVES = _set_of(
    "afterwards also and because besides but finally first however instead meanwhile next second "
    "so still then therefore thus yet"
)

_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:'[^\W_]+)*")
_CONTRACTION = re.compile(r".*(?:n't|'re|'ve|'ll|'d|'m)")  # 's may as well be a possessive
_LIST_MARK = re.compile(r"^[ \t]*(?:[-*+>•]|#{1,6}|\d{1,3}[.)])[ \t]+", re.MULTILINE)
_CUT = re.compile(
    r"[;:](?: |\Z)|, (?:and|but|or|so|yet|while|whereas|although) |,? because ",
    re.IGNORECASE,
)
_END_MARK = re.compile(r"[.!?][\"'”’)\]]*\Z")


@dataclass(frozen=True)
class PlantedGrader:
    """Answers grader requests by the rules of this module.

    Attributes:
        seed: Seed of its errors.
        error_rate: Share of its single decisions that are replaced by another value, 0 to 1.

    Raises:
        ValueError: The error rate is no number from 0 to 1.

    >>> from profile_tasks.scorers.factors.facts import KeyFactsRequest
    >>> PlantedGrader().answer(KeyFactsRequest("Sum up.", "It rained; the match was off.").render())
    '{"key_facts": ["It rained", "the match was off."]}'
    """

    seed: int = 0
    error_rate: float = 0.0

    def __post_init__(self) -> None:
        rate = self.error_rate
        is_number = isinstance(rate, int | float) and not isinstance(rate, bool)
        if not is_number or not 0 <= rate <= 1:
            raise ValueError(f"planted error_rate is {rate!r}; expected a number from 0 to 1")

    def answer(self, request: str) -> str:
        """The JSON object that a rendered grader request asks for.

        Raises:
            ValueError: The text is not a grader request of this project.
        """
        asked = parse_grader_request(request)
        content: dict[str, object]
        if isinstance(asked, AskedKeyFacts):
            content = {"key_facts": key_facts(asked.source, asked.most)}
        elif isinstance(asked, AskedBatch):
            content = self._on_batch(asked, request)
        else:
            content = self._on_one(asked, request)
        # As in a web page, "<" is escaped, so that no text of the material can stand in the answer
        # as a tag, e.g. the one that ends a model's thoughts.
        return json.dumps(content).replace("<", "\\u003c")

    def _on_batch(self, asked: AskedBatch, request: str) -> dict[str, object]:
        """Each entry as the answer to its question alone, but for the chance of its errors."""
        verdicts = isinstance(asked.requests[0], AskedVerdicts)
        entries, number = ("verdicts", "pair") if verdicts else ("responses", "response")
        return {
            entries: [
                {number: n} | self._on_one(one, f"{number} {n}\n{request}")
                for n, one in enumerate(asked.requests, start=1)
            ]
        }

    def _on_one(self, asked: AskedFacts | AskedVerdicts, request: str) -> dict[str, object]:
        if isinstance(asked, AskedFacts):
            return self._on_facts(asked, request)
        return {
            factor: self._decided(verdict(factor, asked), VERDICTS, request, factor)
            for factor in asked.definitions
        }

    def _on_facts(self, asked: AskedFacts, request: str) -> dict[str, object]:
        content: dict[str, object] = {}
        if asked.listing:
            content["facts"] = [
                {"fact": fact} | self._labels(number, fact, asked, request)
                for number, fact in enumerate(clauses(asked.response), start=1)
            ]
        elif asked.facts is not None:
            content["labels"] = [
                {"number": number} | self._labels(number, fact, asked, request)
                for number, fact in enumerate(asked.facts, start=1)
            ]
        if asked.key_facts is not None:
            content["covered"] = [
                number
                for number, fact in enumerate(asked.key_facts, start=1)
                if self._covers(number, fact, asked, request)
            ]
        return content

    def _labels(self, number: int, fact: str, asked: AskedFacts, request: str) -> dict[str, object]:
        return {
            asked_label.id: self._decided(
                fact_label(asked_label, fact, asked),
                asked_label.values,
                request,
                f"{asked_label.id} of fact {number}",
            )
            for asked_label in asked.labels
        }

    def _covers(self, number: int, fact: str, asked: AskedFacts, request: str) -> bool:
        right = "yes" if is_covered(fact, asked.response) else "no"
        return self._decided(right, ("yes", "no"), request, f"key fact {number}") == "yes"

    def _decided(self, right: str, values: Sequence[str], request: str, item: str) -> str:
        """The right value, or by the error rate another one."""
        # A text from a data set may hold half a surrogate pair.
        text = f"{self.seed}\n{item}\n{request}".encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(text).digest()
        if int.from_bytes(digest[:8]) >= self.error_rate * 2**64:
            return right
        others = [value for value in values if value != right]
        return others[int.from_bytes(digest[8:16]) % len(others)]


# --- rules: facts --------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def clauses(text: str) -> tuple[str, ...]:
    """The clauses of a text that count as facts, each once and on one line.

    >>> clauses("It rained, and the match was off. **Note:** it did!")
    ('It rained', 'the match was off.', 'Note')
    """
    lines = (" ".join(sentence.split()) for sentence in _sentences(text))
    parts = (part.strip() for line in lines for part in _CUT.split(line))
    return tuple(dict.fromkeys(part for part in parts if content_words(part)))


def key_facts(source: str, most: int) -> tuple[str, ...]:
    """At most so many of the source's clauses, spread evenly over it.

    >>> key_facts("One came. Two left. Three slept. Four sang.", 2)
    ('One came.', 'Three slept.')
    """
    found = clauses(source)
    size = min(len(found), most)
    return tuple(found[index * len(found) // size] for index in range(size))


def is_covered(key_fact: str, response: str) -> bool:
    """Whether a response conveys a key fact."""
    return _share_in(content_words(key_fact), content_words(response)) >= COVERED_SHARE


def fact_label(asked: AskedLabel, fact: str, shown: AskedFacts) -> str:
    """The label of a fact, by the rule of its factor."""
    values, rule = LABEL_RULES.get(asked.id, (frozenset(), None))
    if rule is not None and values <= set(asked.values):
        return rule(fact, shown.source or "", shown.prompt)
    return asked.values[0 if content_words(fact) & content_words(asked.question) else -1]


def _hallucination(fact: str, source: str, prompt: str) -> str:
    words = content_words(fact)
    if _share_in(words, content_words(source)) < SUPPORTED_SHARE:
        return "absent"
    alike = [c for c in clauses(source) if _share_in(words, content_words(c)) >= SUPPORTED_SHARE]
    if alike and all(_is_negated(clause) != _is_negated(fact) for clause in alike):
        return "contradicted"
    return "supported"


def _off_focus(fact: str, source: str, prompt: str) -> str:
    return "on" if content_words(fact) & (content_words(prompt) | _lead(source)) else "off"


def _helpfulness(fact: str, source: str, prompt: str) -> str:
    useful = content_words(fact) & content_words(prompt) or any(map(str.isdigit, fact))
    return "yes" if useful else "no"


def _misinformation(fact: str, source: str, prompt: str) -> str:
    return "accurate" if ABSOLUTE_WORDS.isdisjoint(_words(fact)) else "wrong"


def _citation_precision(fact: str, source: str, prompt: str) -> str:
    marks = set(_MARK.findall(fact))
    if not marks:
        return "none"
    _, *passages = _PASSAGE.split(source)
    cited = [
        text for mark, text in zip(passages[::2], passages[1::2], strict=True) if mark in marks
    ]
    words = content_words(_MARK.sub("", fact))
    held = _share_in(words, content_words(" ".join(cited)))
    return "supported" if held >= SUPPORTED_SHARE else "unsupported"


LABEL_RULES: Mapping[str, tuple[frozenset[str], Callable[[str, str, str], str]]] = MappingProxyType(
    {
        "hallucination": (frozenset({"supported", "absent", "contradicted"}), _hallucination),
        "off_focus": (frozenset({"on", "off"}), _off_focus),
        "helpfulness": (frozenset({"yes", "no"}), _helpfulness),
        "misinformation": (frozenset({"accurate", "wrong"}), _misinformation),
        "citation_precision": (
            frozenset({"supported", "unsupported", "none"}),
            _citation_precision,
        ),
    }
)
"""Factor -> the labels that its rule may give, and the rule of (fact, source, prompt)."""


# --- rules: verdicts -----------------------------------------------------------------------------


def verdict(factor: str, asked: AskedVerdicts) -> str:
    """Which response shows more of a factor: first, second or equal."""
    difference = score(factor, asked.first, asked) - score(factor, asked.second, asked)
    if abs(difference) < 1e-9:
        return "equal"
    return "first" if difference > 0 else "second"


def score(factor: str, response: str, asked: AskedVerdicts) -> float:
    """How much of a factor a response shows, by the factor's rule."""
    rule = SCORES.get(factor) or BY_DEFINITION.get(asked.definitions[factor])
    if rule is not None:
        return rule(response, asked.source or "", asked.prompt)
    wanted = content_words(asked.definitions[factor])
    return float(sum(word in wanted for word in _words(response)))


def _fluency(response: str, source: str, prompt: str) -> float:
    found = _sentences(response)
    count = max(len(found), 1)
    ended = sum(_END_MARK.search(sentence) is not None for sentence in found) / count
    length = sum(len(_words(sentence)) for sentence in found) / count
    return ended - abs(length - FLUENT_SENTENCE_WORDS) / FLUENT_SENTENCE_WORDS


def _coherence(response: str, source: str, prompt: str) -> float:
    found = _sentences(response)
    if len(found) < 2:
        return float(len(found))
    linked = [
        bool(content_words(before) & content_words(after))
        or not CONNECTIVES.isdisjoint(_words(after)[:1])
        for before, after in pairwise(found)
    ]
    return sum(linked) / len(linked)


def _intent_alignment(response: str, source: str, prompt: str) -> float:
    return _share_in(content_words(prompt) | _lead(source), content_words(response))


def _formality_alignment(response: str, source: str, prompt: str) -> float:
    return -abs(_casual_rate(response) - _casual_rate(source or prompt))


def _receptiveness(response: str, source: str, prompt: str) -> float:
    wanted = content_words(prompt)
    for number, sentence in enumerate(_sentences(response), start=1):
        if wanted & content_words(sentence):
            return 1 / number
    return 0.0


SCORES: Mapping[str, Callable[[str, str, str], float]] = MappingProxyType(
    {
        "fluency": _fluency,
        "coherence": _coherence,
        "intent_alignment": _intent_alignment,
        "formality_alignment": _formality_alignment,
        "receptiveness": _receptiveness,
    }
)
"""Factor -> its score of (response, source, prompt); larger is more."""


# --- words ---------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def content_words(text: str) -> frozenset[str]:
    """The distinct words of a text that carry content.

    >>> sorted(content_words("The dog's owner didn't pay 9.50."))
    ['9.50', 'dog', 'owner', 'pay']
    """
    return frozenset(
        word
        for word in _words(text)
        if word.partition("'")[0] not in STOP_WORDS and not word.endswith("n't")
    )


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    found: list[str] = _WORD.findall(_without_bold(text).replace("\u2019", "'").casefold())
    return tuple(word.removesuffix("'s") for word in found)


@lru_cache(maxsize=1024)
def _sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text without bold marks and list marks; a line break ends one."""
    plain = _LIST_MARK.sub("", _without_bold(text))
    return tuple(sentence for line in plain.splitlines() for sentence in sentences(line))


def _without_bold(text: str) -> str:
    return text.replace("**", "")


def _lead(source: str) -> frozenset[str]:
    return content_words(" ".join(_sentences(source)[:LEAD_SENTENCES]))


def _share_in(words: frozenset[str], others: frozenset[str]) -> float:
    """The share of words that are among the others; 0 of none."""
    return len(words & others) / max(len(words), 1)


def _is_negated(text: str) -> bool:
    return any(word in NEGATIONS or word.endswith("n't") for word in _words(text))


def _casual_rate(text: str) -> float:
    """Contractions, exclamation marks and personal words per word."""
    words = _words(text)
    contractions = sum(_CONTRACTION.fullmatch(word) is not None for word in words)
    personal = sum(word.partition("'")[0] in PERSONAL_WORDS for word in words)
    return (contractions + personal + text.count("!")) / max(len(words), 1)
