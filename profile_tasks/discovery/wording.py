"""Candidates of wording: words and phrases that one response says and the other does not.

A candidate is a factor with a pattern, so that what is found is usable wherever factors are. Words
are those of ``words``; what they are counted by here, to choose among thousands, may differ from
the pattern in a repeated phrase, and every test goes by the pattern.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

from profile_tasks.discovery.contrasts import Contrasts
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.taxonomy import free_id
from profile_tasks.scorers.factors.words import without_spaces, words
from profile_tasks.scorers.statistics.log_odds import log_odds

LONGEST_PHRASE = 3
LONGEST_WORD = 40
"""Longer ones, as addresses and keys, are no wording."""
MOST_WORDINGS = 400
"""So many, by log-odds, go into the regression."""
FREQUENT = 0.5
"""A wording that stands in more than this share of the texts is compared per word."""

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Wordings:
    """Words and phrases that stand out.

    Attributes:
        factors: Each as a factor.
        signs: (n, K) which response shows more of each: 1 the preferred.
        n_tried: How many were compared.
    """

    factors: tuple[Factor, ...]
    signs: _Array
    n_tried: int


def standing_out(
    contrasts: Contrasts, least_groups: int, taken: Collection[str] = (), most: int = MOST_WORDINGS
) -> Wordings:
    """The words and phrases that preferred responses say most, or least, by log-odds.

    Args:
        contrasts: The pairs.
        least_groups: In so many groups a wording must differ between the two responses.
        taken: Ids that others have.
        most: How many.
    """
    from scipy.sparse import csr_array

    said, phrases = _counts(contrasts)
    if not phrases:
        return Wordings((), np.zeros((len(contrasts), 0)), 0)
    n = len(contrasts)
    first, second = said[:n], said[n:]
    differs = ((first - second) != 0).tocsr()
    member = csr_array((np.ones(n), (contrasts.group, np.arange(n))), (len(contrasts.groups), n))
    in_groups = np.asarray(((member @ differs) > 0).sum(axis=0)).reshape(-1)
    eligible = np.flatnonzero(in_groups >= least_groups)
    if not eligible.size:
        return Wordings((), np.zeros((n, 0)), 0)
    z = log_odds(first, second, contrasts.group).z[eligible]
    strongest = np.lexsort((eligible, -np.abs(z).round(9)))
    length = np.maximum(1, [len(words(text)) for text in (*contrasts.preferred, *contrasts.other)])
    in_texts = np.asarray((said > 0).sum(axis=0)).reshape(-1) / (2 * n)
    factors: list[Factor] = []
    columns: dict[bytes, _Array] = {}
    ids = set(taken)
    by_phrase = said.tocsc()
    for at in eligible[strongest].tolist():
        per_word = bool(in_texts[at] > FREQUENT)
        counts = by_phrase[:, [at]].toarray()[:, 0] / (length if per_word else 1)
        signs = np.sign(counts[:n] - counts[n:])
        if signs.tobytes() in columns:  # says nothing that a stronger one does not
            continue
        columns[signs.tobytes()] = signs
        factors.append(wording_factor(phrases[at], ids, per_word=per_word))
        ids.add(factors[-1].id)
        if len(factors) == most:
            break
    return Wordings(tuple(factors), np.column_stack(list(columns.values())), int(eligible.size))


def _counts(contrasts: Contrasts) -> tuple[Any, list[str]]:
    """How often each phrase stands in each text, (2 n, K) sparse, preferred first; the phrases."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(analyzer=phrases_of, dtype=np.int64)
    try:
        counts = vectorizer.fit_transform((*contrasts.preferred, *contrasts.other))
    except ValueError:  # it finds no phrase at all
        return None, []
    return counts.tocsr(), vectorizer.get_feature_names_out().tolist()


def phrases_of(text: str) -> Iterator[str]:
    """The words and phrases of a text, with a space between words.

    >>> list(phrases_of("Well, no."))
    ['well', 'no', 'well no']
    """
    own = words(text)
    for length in range(1, LONGEST_PHRASE + 1):
        for start in range(len(own) - length + 1):
            phrase = own[start : start + length]
            if all(len(word) <= LONGEST_WORD and word.isprintable() for word in phrase):
                yield " ".join(phrase)


def wording_factor(phrase: str, taken: Collection[str] = (), *, per_word: bool = False) -> Factor:
    r"""The factor of a word or phrase.

    Args:
        phrase: Its words, as of ``words``, with a space between them.
        taken: Ids that it may not have.
        per_word: Whether it is counted per word of the response.

    >>> found = wording_factor("for example")
    >>> found.id, found.pattern
    ('says_for_example', '(?i)(?<!\\w)for\\W+example(?!\\w)')
    """
    named = re.sub(r"[^a-z0-9]+", "_", phrase).strip("_")
    # Of other scripts code points: an id that does not depend on what else was found.
    named = (named or "_".join(f"u{ord(c):x}" for c in phrase if c.isalnum()))[:40]
    stem = f"{'rate_of' if per_word else 'says'}_{named}"
    how = "How often, per word," if per_word else "How often"
    return Factor(
        free_id(stem, taken),
        level=1,
        kind="surface",
        definition=f"{how} the response says “{phrase}”.",
        unit="matches per word" if per_word else "matches",
        more=f"more of “{phrase}”",
        pattern=_pattern(phrase),
        per="word" if per_word else None,
    )


def _pattern(phrase: str) -> str:
    """The pattern of a phrase: its words, with what is no letter or digit between them."""
    pieces = phrase.split(" ")
    spaced = [not without_spaces(piece) for piece in pieces]
    pattern = r"(?i)" + (r"(?<!\w)" if spaced[0] else "")
    for at, piece in enumerate(pieces):
        if at:
            pattern += r"\W+" if spaced[at - 1] and spaced[at] else r"\W*"
        pattern += regex.escape(piece, special_only=True).replace("'", "['’]")
    return pattern + (r"(?!\w)" if spaced[-1] else "")
