"""The words and sentences of a text, in whatever script it is written.

A *word* is what stands between white space. Chinese, Japanese, Thai, Lao, Khmer, Burmese and a few
more are written without spaces; there each grapheme cluster is a word, a character with its marks
as a reader sees it. What stands in one piece with them, as Latin letters and digits may, is
split by Unicode text segmentation (UAX #29), which agrees on all but Katakana. Text without such
characters is never segmented: an English word is ``str.split``'s.

Words as they stand are counted (`word_count`). Where words are compared (`words`), they are
case-folded, with punctuation and symbols stripped at the edges, leaving out what then holds no
letter or digit: the bullet ``-`` or a lone emoji is no word of these.

The language, for the sentences, is that of the script, so English stands for every language in
Latin letters.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import regex

V = TypeVar("V")

# Line_Break=SA: Thai, Lao, Khmer, Myanmar, and smaller scripts of the region, written alike.
_UNSPACED = r"(?:[[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}]&&[\p{L}\p{Nl}]]|\p{Line_Break=SA})"
GRAPHEME = rf"(?={_UNSPACED})\X"
"""Pattern (of ``regex``, V1) of a word in a script without spaces: one grapheme cluster."""

_STARTS_GRAPHEME = regex.compile(_UNSPACED, regex.V1)
# \b of the flag W is a word boundary of UAX #29.
_SEGMENT = regex.compile(
    rf"{GRAPHEME}|.+?(?:\b|(?={_UNSPACED}))", regex.V1 | regex.WORD | regex.DOTALL
)
_BEYOND_LATIN = re.compile("[^\x00-\u036f\u2000-\u2bff]")

_SCRIPTS = {
    "ja": r"[\p{Hiragana}\p{Katakana}]",
    "zh": r"\p{Han}",
    "th": r"\p{Thai}",
    "lo": r"\p{Lao}",
    "km": r"\p{Khmer}",
    "my": r"\p{Myanmar}",
    "bo": r"\p{Tibetan}+",
    "ko": r"\p{Hangul}+",
    "ar": r"\p{Arabic}+",
    "he": r"\p{Hebrew}+",
    "ru": r"\p{Cyrillic}+",
    "el": r"\p{Greek}+",
    "hy": r"\p{Armenian}+",
    "ka": r"\p{Georgian}+",
    "am": r"\p{Ethiopic}+",
    "hi": r"\p{Devanagari}+",
    "bn": r"\p{Bengali}+",
    "pa": r"\p{Gurmukhi}+",
    "gu": r"\p{Gujarati}+",
    "ta": r"\p{Tamil}+",
    "te": r"\p{Telugu}+",
    "kn": r"\p{Kannada}+",
    "ml": r"\p{Malayalam}+",
    "si": r"\p{Sinhala}+",
    "en": r"\p{Latin}+",
    "und": r"[\p{L}--\p{Common}]+",
}
"""Language -> a word, or about one, in its script. ``und`` is any other script."""
_WORD_OF = regex.compile(
    "|".join(f"(?P<{language}>{word})" for language, word in _SCRIPTS.items()), regex.V1
)

WITHOUT_STOPS = {"th", "lo", "bo"}
"""Languages in which what ends a sentence, a space or a sign, also stands elsewhere."""

_INITIAL_AND_WIDE_SPACE = re.compile(r"(\b[A-Z]\s*)[^\S\x00-\x7f](?=\.)")
_MARKS = re.compile("[^A-Za-z0-9_ \n][^A-Za-z0-9_ \n]{3}")
_RUN = re.compile(r"([^\w\s])\1{3,}")
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
_LONGEST = 10_000
_PIECE = re.compile(rf".{{1,{_LONGEST}}}(?:\s|\Z)|.{{{_LONGEST}}}", re.DOTALL)


class ByWord(dict[str, V]):
    """What a function says of a word, computed once and looked up without a call.

    Words come by the million, distinct ones by the ten thousand. Where more than `most` are kept,
    all are forgotten: a corpus in many languages must not fill the memory.
    """

    def __init__(self, function: Callable[[str], V], most: int = 1 << 17) -> None:
        super().__init__()
        self._function = function
        self._most = most

    def __missing__(self, word: str) -> V:
        if len(self) >= self._most:
            self.clear()
        said = self[word] = self._function(word)
        return said


@lru_cache(maxsize=256)
def beyond_latin(text: str) -> str:
    """The distinct characters of a text that may be of another script than Latin.

    None, as in English, or a few, so that nothing else has to look at the whole text.

    >>> beyond_latin("“naïve” – 5 cm"), beyond_latin("5 мм")
    ('', 'м')
    """
    return "" if text.isascii() else "".join(set(_BEYOND_LATIN.findall(text)))


def without_spaces(text: str) -> bool:
    """Whether some of a text is in a script that is written without spaces.

    >>> without_spaces("два слова"), without_spaces("two 词")
    (False, True)
    """
    return _STARTS_GRAPHEME.search(beyond_latin(text)) is not None


@lru_cache(maxsize=256)
def word_count(text: str) -> int:
    """How many words a text has, as they stand; grapheme clusters in scripts without spaces.

    >>> word_count("- Yes, it is."), word_count("我用Python写。"), word_count("ที่นี่")
    (4, 4, 2)
    """
    chunks = _chunks(text)
    if text.isascii() or not without_spaces(text):
        return len(chunks)
    return sum(len(_segments(chunk)) for chunk in text.split())


@lru_cache(maxsize=256)
def words(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared.

    >>> words("- “Don’t!”"), words("我用Python写。")
    (("don't",), ('我', '用', 'python', '写'))
    """
    found = _chunks(text)
    if not text.isascii() and without_spaces(text):
        found = [segment for chunk in found for segment in _segments(chunk)]
    return tuple(filter(None, map(_BARE.__getitem__, found)))


@lru_cache(maxsize=256)
def language(text: str) -> str:
    """The language for which the script stands in which most words of a text are written.

    Han stands for Chinese, with kana for Japanese; Cyrillic for Russian, Arabic for Arabic,
    Devanagari for Hindi, and so on; Latin, and a text without letters, for English.

    >>> language("Où est-ce?"), language("我用Python写。"), language("漢字と"), language("Да")
    ('en', 'zh', 'ja', 'ru')
    """
    if text.isascii() or not beyond_latin(text):
        return "en"
    found = Counter(match.lastgroup or "und" for match in _WORD_OF.finditer(text))
    if found["ja"]:
        found["ja"] += found.pop("zh", 0)
    return max(found, key=found.__getitem__) if found else "en"


@lru_cache(maxsize=256)
def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, as sentencex segments its language; each holds a letter or digit.

    Of the languages `WITHOUT_STOPS` these are passages that nothing is claimed of.

    >>> sentences("It left at 9 a.m. Nobody saw it!"), sentences("你好。再见。")
    (('It left at 9 a.m.', 'Nobody saw it!'), ('你好。', '再见。'))
    """
    import sentencex  # imported late: other people's evaluations must not pay for it

    # sentencex takes valid UTF-8 only, and a model can emit half a surrogate pair. Its time grows
    # with the square of a block and of a run of marks, and a model can loop: so runs are
    # shortened, and blocks that are longer than any prose are cut at white space.
    # A wide space between an initial and a full stop makes it panic.
    valid = text
    if not text.isascii():
        valid = text.encode("utf-8", "replace").decode("utf-8")
        valid = _INITIAL_AND_WIDE_SPACE.sub(r"\1 ", valid)
    if _MARKS.search(valid):  # found faster than four that are equal, and as a rule none are
        valid = _RUN.sub(r"\1\1\1", valid)
    spoken = language(text)
    if spoken == "km":  # sentencex does not know its full stops
        valid = re.sub("(?<=[\u17d4\u17d5])", "\n\n", valid)
    blocks = _BLANK_LINES.split(valid)
    if len(valid) > _LONGEST:
        blocks = [piece for block in blocks for piece in _PIECE.findall(block)]
    found = [part.strip() for block in blocks for part in sentencex.segment(spoken, block)]
    return tuple(part for part in found if part[:1].isalnum() or any(map(str.isalnum, part)))


@lru_cache(maxsize=256)
def _chunks(text: str) -> list[str]:
    """What stands between white space, case-folded, which moves no white space."""
    return text.replace("\u2019", "'").casefold().split()


def _segments(chunk: str) -> list[str]:
    """The words of what stands between white space; only scripts without spaces are split."""
    if not without_spaces(chunk):
        return [chunk]
    return [part for part in _SEGMENT.findall(chunk) if any(map(str.isalnum, part))]


def _bare(word: str) -> str:
    """Strip punctuation and symbols (Unicode P* and S*) at the edges; "" where nothing is left."""
    if word.isalnum():  # so are most
        return word
    start, end = 0, len(word)
    while start < end and unicodedata.category(word[start])[0] in "PS":
        start += 1
    while start < end and unicodedata.category(word[end - 1])[0] in "PS":
        end -= 1
    return word[start:end] if any(map(str.isalnum, word)) else ""


_BARE = ByWord(_bare)
