"""Surface factors: properties of a response computed from its text, with no model.

Each factor is a pure function ``(response, source=None, prompt="") -> float`` that returns NaN
where the factor is missing for that response; missing is never 0. A factor of your own is a
function of the same three arguments, named in a taxonomy file.

Words, sentences and languages are those of `words`. `length` and `source_compression` count words
as they stand; all others take them as they are compared.
"""

import math
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import compress, pairwise
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from profile_tasks.scorers.factors.factor import Factor, surface_function
from profile_tasks.scorers.factors.words import (
    WITHOUT_STOPS,
    ByWord,
    language,
    sentences,
    word_count,
    words,
)

if TYPE_CHECKING:
    import pyphen

_WINDOW = 50
"""Words in one window of the moving-average type-token ratio."""

_FENCED_CODE = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[^`\n]*$.*?(?:^[ \t]*\1|\Z)", re.MULTILINE | re.DOTALL
)
_BEGINS_ELEMENT = frozenset("#-*+0123456789")
_HEADING = re.compile(r" {0,3}#{1,6}(?=\s|\Z)")
_THEMATIC_BREAK = r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,})\r?$"
_LIST_ITEM = re.compile(rf"[ \t]*(?!{_THEMATIC_BREAK})(?:[-*+]|\d{{1,9}}[.)])[ \t]+\S")
# The text of a span stops at the next pair of delimiters, which keeps the search linear.
_BOLD = re.compile(
    r"\*\*(?![\s*])(?:(?!\*\*)[^\n])+(?<!\s)\*\*"
    r"|(?<!\w)__(?![\s_])(?:(?!__)[^\n])+(?<!\s)__(?!\w)"
)


def factor_values(
    factors: Sequence[Factor],
    responses: Sequence[str],
    sources: Sequence[str | None],
    prompts: Sequence[str],
) -> npt.NDArray[np.float64]:
    """Values of surface factors over a corpus.

    `responses`, `sources` and `prompts` have one entry a response (n); returned is an array of
    shape (n, F), a column for each of the F `factors`, NaN where a factor is missing. Every
    distinct (response, source, prompt) is computed once.

    Raises ValueError where the three lengths differ, a factor is not a surface one, or a
    function returns an infinite value; TypeError where it returns no real number. What a function
    raises itself passes through with a note that names the factor and the response.

    >>> from profile_tasks.scorers.factors.selection import resolve_factors
    >>> factors = resolve_factors("length, novel_words", "summarization")
    >>> factor_values(factors, ["A cat.", "A dog sat."], ["a cat sat", None], ["", ""])
    array([[ 2.,  0.],
           [ 3., nan]])
    """
    if not len(responses) == len(sources) == len(prompts):
        raise ValueError(
            "Responses, sources and prompts must be equally many, "
            f"not {len(responses)}, {len(sources)} and {len(prompts)}."
        )
    functions = [surface_function(factor) for factor in factors]
    rows: dict[tuple[str, str | None, str], int] = {}
    texts = zip(responses, sources, prompts, strict=True)
    row_of = np.array([rows.setdefault(text, len(rows)) for text in texts], dtype=np.intp)
    values = np.empty((len(rows), len(factors)))
    for (response, source, prompt), row in rows.items():
        for column, (factor, function) in enumerate(zip(factors, functions, strict=True)):
            try:
                value = function(response, source, prompt)
            except Exception as error:
                error.add_note(f"Raised by factor {factor.id!r} on the response {response!r:.60}")
                raise
            values[row, column] = _checked(value, factor, response)
    return values[row_of]


def length(response: str, source: str | None = None, prompt: str = "") -> float:
    """Words of the response: ``len(response.split())``, or grapheme clusters without spaces.

    Unit words, and grapheme clusters in scripts that are written without spaces (`words`); range 0
    to infinity, never missing. A core factor of PROFILE (Oh et al. 2025).

    >>> length("Yes, it is."), length("今天下雨。")
    (3.0, 4.0)
    """
    return float(word_count(response))


def novel_words(response: str, source: str | None = None, prompt: str = "") -> float:
    """Share of the response's distinct words that are absent from the source.

    Words are case-folded with punctuation stripped at the edges. Unit share, range 0 to 1;
    missing where there is no source with words, or no word in the response. After the novel
    words of DecipherPref (Hu et al. 2023).

    >>> novel_words("The cat slept.", source="A cat: the cat!")
    0.3333333333333333
    """
    source_words, own = _vocabulary(source or ""), set(words(response))
    if not source_words or not own:
        return math.nan
    return len(own - source_words) / len(own)


def sentence_count(response: str, source: str | None = None, prompt: str = "") -> float:
    """Sentences of the response, as sentencex segments its language, told from the script.

    A segment counts when it holds a letter or digit, so a rule or a stray mark does not; a
    heading or list item that sentencex sets apart counts as one. Unit sentences, range 0 to
    infinity; missing where the script does not mark the end of a sentence (Thai, Lao, Tibetan).
    This implementation's choice.

    >>> sentence_count("It rained. Did it? It did!"), sentence_count("下雨了。雨停了。")
    (3.0, 2.0)
    """
    if language(response) in WITHOUT_STOPS:
        return math.nan
    return float(len(sentences(response)))


def mean_sentence_length(response: str, source: str | None = None, prompt: str = "") -> float:
    """Words per sentence of the response.

    Sentences as in `sentence_count`. Unit words per sentence, range 0 (never reached) to
    infinity; missing where there is no sentence. This implementation's choice.

    >>> mean_sentence_length("It rained. Then the sun came out.")
    3.5
    """
    count = sentence_count(response)
    return len(words(response)) / count if count else math.nan


def lexical_diversity(response: str, source: str | None = None, prompt: str = "") -> float:
    """Moving-average type-token ratio of the response, window of 50 words.

    The mean, over all windows of 50 successive words, of the share of distinct words in the
    window (MATTR; Covington & McFall 2010). Unit distinct words per word, range 0 (never reached)
    to 1; missing where there is no word.

    The window makes the ratio comparable across lengths, but only from 50 words on. A shorter
    response gets the ratio over all its words, which falls as a text grows: between two responses
    of which one is shorter than the window, the shorter one is favoured for its length alone.

    >>> lexical_diversity("the cat and the dog")
    0.8
    """
    own = words(response)
    if not own:
        return math.nan
    width = min(_WINDOW, len(own))
    final = len(own) - width
    if not final:
        return len(set(own)) / width
    # Each window holds `width` words, less those that stand in it a further time: in the windows
    # that reach from behind `position - width` to `before`.
    repeated, last = 0, dict[str, int]()
    for position, word in enumerate(own):
        if word in last:
            before = last[word]
            if position - before < width:
                repeated += (before if before < final else final) + 1
                if position >= width:
                    repeated -= position - width + 1
        last[word] = position
    every = width * (final + 1)
    return (every - repeated) / every


def readability(response: str, source: str | None = None, prompt: str = "") -> float:
    """Flesch reading ease of the response; higher is easier.

    206.835 - 1.015 words per sentence - 84.6 syllables per word (Flesch 1948), for English. A
    word's syllables are pyphen's hyphenation points plus one. Hyphenation leaves one letter alone
    neither at a word's start nor at its end, so "about" counts as one syllable and values lie
    above those of a hand count: compare them with each other, not with published bands. Unit
    points, range minus infinity to 122.235 (121.22 for one-word sentences of one syllable);
    missing where there is no word, and where most words are in another script than Latin: the
    formula and its syllables are of English, which no other language in Latin script is told from.

    >>> round(readability("The cat sat. The dog ran."), 3), readability("Кот сел.")
    (119.19, nan)
    """
    own = words(response)
    if not own or language(response) != "en":
        return math.nan
    syllables = sum(map(_SYLLABLES.__getitem__, own))
    return 206.835 - 1.015 * len(own) / len(sentences(response)) - 84.6 * syllables / len(own)


def markdown(response: str, source: str | None = None, prompt: str = "") -> float:
    r"""Markdown headings, list items and bold spans of the response.

    Counted, outside fenced code and each as one element:

    - ATX headings: a line that starts with one to six ``#`` and then white space or its end,
      after at most three spaces;
    - list items: a line that starts with ``-``, ``*``, ``+``, ``1.`` or ``1)`` (any number of up
      to nine digits), then white space and text, at any indentation; not a rule (``* * *``);
    - bold spans: ``**text**`` or ``__text__`` within one line, with no space just inside the
      delimiters and, for underscores, no letter or digit just outside.

    Nothing else counts: no italics, inline code, links, tables, quotes, underlined headings. Unit
    elements, range 0 to infinity, never missing. This implementation's choice of elements; their
    syntax follows CommonMark.

    >>> markdown("# Plan\n\n1. **Buy** it\n2. Use it")
    4.0
    """
    # Each search is made only where it can find something: most texts have no such mark at all.
    fenced = "```" in response or "~~~" in response
    text = _FENCED_CODE.sub("", response) if fenced else response
    begun = [line for line in text.split("\n") if line.lstrip(" \t")[:1] in _BEGINS_ELEMENT]
    found = sum(bool(_HEADING.match(line) or _LIST_ITEM.match(line)) for line in begun)
    if "**" in text or "__" in text:
        found += len(_BOLD.findall(text))
    return float(found)


def extractiveness(response: str, source: str | None = None, prompt: str = "") -> float:
    """Density of extractive fragments: how long the passages are that the response copies.

    Greedy fragments are the longest runs of words that response and source share, taken from the
    response's start to its end; the density is the sum of their squared lengths over the
    response's words (Grusky et al. 2018, Newsroom, over this module's words). So it is the length
    of the fragment that an average word is copied in. Unit words, range 0 (no shared word) to the
    response's words; missing where there is no source with words, or no word in the response.

    >>> extractiveness("the old cat slept", source="There the old cat sat.")
    2.25
    """
    source_words, own = words(source or ""), words(response)
    if not source_words or not own:
        return math.nan
    vocabulary, (first, again) = _vocabulary(source or ""), _neighbours(source or "")
    # A word of a fragment of its own counts once, and so do those of longer ones, to begin with.
    total = sum(map(vocabulary.__contains__, own))
    pairs = list(pairwise(own))
    end = 0
    for start in compress(range(len(pairs)), map(first.__contains__, pairs)):
        if start < end:
            continue
        longest = resume = 0
        pair = pairs[start]
        for position in (first[pair], *again.get(pair, ())):
            # As published, the search resumes behind a match, not within it. Only a source
            # passage that repeats itself shows the difference; keeping it keeps the numbers.
            if position >= resume:
                shared = _shared_run(own, start, source_words, position)
                longest = max(longest, shared)
                resume = position + shared
        total += longest * longest - longest
        end = start + longest
    return total / len(own)


def source_compression(response: str, source: str | None = None, prompt: str = "") -> float:
    """Words of the source per word of the response, both counted as in `length`.

    The compression of Grusky et al. 2018 (Newsroom). Unit source words per response word, range
    0 (never reached) to infinity; missing where source or response has no word.

    Within one source it mirrors `length` exactly: of two responses, the one with fewer words has
    the higher compression, always. Its influence is minus that of length on pairs that share a
    source, so the two together count the same evidence twice.

    >>> source_compression("A cat sat.", source="Once upon a time a cat sat down")
    2.6666666666666665
    """
    source_length, response_length = word_count(source or ""), word_count(response)
    if not source_length or not response_length:
        return math.nan
    return source_length / response_length


# A source recurs over its responses, and a response over its factors: both are read once.


@lru_cache(maxsize=128)
def _vocabulary(source: str) -> frozenset[str]:
    return frozenset(words(source))


@lru_cache(maxsize=128)
def _neighbours(
    source: str,
) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], list[int]]]:
    """Where each pair of neighbours in the source first stands, and where again, if it does."""
    first: dict[tuple[str, str], int] = {}
    again: dict[tuple[str, str], list[int]] = {}
    for position, pair in enumerate(pairwise(words(source))):
        if first.setdefault(pair, position) != position:
            again.setdefault(pair, []).append(position)
    return first, again


@cache
def _hyphenation() -> tuple["pyphen.Pyphen", dict[str, tuple[int, Sequence[int]] | None], int]:
    """Pyphen of English, its patterns by their letters, and how many letters the shortest has.

    A pattern is the levels of the places between its letters, from an offset on. What is but the
    beginning of a longer one has None, so that who looks for the longer ones knows when to stop.
    """
    import pyphen

    english = pyphen.Pyphen(lang="en_US")
    patterns: dict[str, tuple[int, Sequence[int]] | None] = {}
    for letters, pattern in english.hd.patterns.items():
        for end in range(1, len(letters)):
            patterns.setdefault(letters[:end])
        patterns[letters] = pattern
    return english, patterns, min(map(len, english.hd.patterns))


def _syllables(word: str) -> int:
    """``len(pyphen.positions(word)) + 1``, which looks for no letters that begin no pattern."""
    english, patterns, shortest = _hyphenation()
    last = len(word) - english.right
    if last < english.left:
        return 1
    pointed = f".{word.lower()}."
    levels = [0] * (len(pointed) + 1)
    for start in range(min(len(pointed) - 1, last + 2)):
        for end in range(start + shortest, len(pointed) + 1):
            letters = pointed[start:end]
            if letters not in patterns:
                break
            if pattern := patterns[letters]:
                offset, values = pattern
                for place, level in enumerate(values, start + offset):
                    if level > levels[place]:  # noqa: PLR1730 - max takes twice as long
                        levels[place] = level
    # A word is hyphenated at odd levels. The point before it moves its places by one.
    return 1 + sum(level % 2 for level in levels[english.left + 1 : last + 2])


_SYLLABLES = ByWord(_syllables)


def _shared_run(own: Sequence[str], start: int, source_words: Sequence[str], position: int) -> int:
    """Length of the run of words from `start` in one and `position` in the other; two are equal."""
    most = min(len(own) - start, len(source_words) - position)
    for shared in range(2, most):
        if own[start + shared] != source_words[position + shared]:
            return shared
    return most


def _checked(value: object, factor: Factor, response: str) -> float:
    """Accept a real number, NaN for missing; refuse what would pass silently as something else."""
    if type(value) is float and not math.isinf(value):
        return value
    where = f"Factor {factor.id!r} returned {value!r} for the response {response!r:.60}"
    if isinstance(value, bool) or not isinstance(value, float | Real):
        raise TypeError(f"{where}. It must return an int or float, NaN where it is missing.")
    if math.isinf(value):
        raise ValueError(f"{where}. It must be finite, or NaN where it is missing.")
    return float(value)
