"""The field's standard metrics, reported beside a factor profile.

ROUGE against a reference, and readings of the discrimination perspective: accuracy in three forms
and Cohen's kappa against the human preference, and how far the verdicts depend on the position in
which a response was shown. Pure functions; what is undefined is NaN, never 0.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import regex

from profile_tasks.scorers.factors.words import GRAPHEME, beyond_latin
from profile_tasks.scorers.statistics.kappa import kappa_of_labels
from profile_tasks.solvers.both_orders import PairVerdict

_TOKEN = re.compile(r"[a-z0-9]+")
# Beside these, words of other scripts: a grapheme cluster, or letters and digits with their marks.
_OTHER = r"[[\p{L}\p{Nd}]--\p{Latin}--[\p{Common}&&\p{L}]--[0-9]]"
_TOKEN_OF_ANY_SCRIPT = regex.compile(
    rf"{_TOKEN.pattern}|{GRAPHEME}|(?:(?!{GRAPHEME}){_OTHER}[\p{{M}}\p{{Join_Control}}]*)+",
    regex.V1,
)


@dataclass(frozen=True)
class RougeF1:
    """F1 of ROUGE-1, ROUGE-2 and ROUGE-L, each between 0 and 1."""

    rouge1: float
    rouge2: float
    rougeL: float  # noqa: N815 - the metric's own spelling, and its name in the results


def rouge(response: str, reference: str) -> RougeF1:
    """ROUGE-1, ROUGE-2 and ROUGE-L F1 of a response against a reference (Lin 2004).

    The numbers of Google's ``rouge_score`` with its default tokenisation: lower case, split at
    everything but a-z and 0-9, no stemming, ROUGE-L over the whole text. Beside these tokens, which
    are all there are of Latin letters, stand those of other scripts, which it leaves out: words of
    letters and digits, in scripts without spaces each grapheme cluster (`words`). As there, a text
    without tokens scores 0, and so does ROUGE-2 where a text has fewer than two.

    >>> rouge("The cat sat down.", "The cat lay down.")
    RougeF1(rouge1=0.75, rouge2=0.3333333333333333, rougeL=0.75)
    >>> rouge("Кот сел.", "Кот лёг!")
    RougeF1(rouge1=0.5, rouge2=0.0, rougeL=0.5)
    """
    ours, theirs = _tokens(response), _tokens(reference)
    return RougeF1(
        rouge1=_ngram_f1(ours, theirs, 1),
        rouge2=_ngram_f1(ours, theirs, 2),
        rougeL=_subsequence_f1(ours, theirs),
    )


def rouge_l(response: str, reference: str) -> float:
    """ROUGE-L F1 alone, as in `rouge` and several times as fast.

    >>> rouge_l("The cat sat down.", "The cat lay down.")
    0.75
    """
    return _subsequence_f1(_tokens(response), _tokens(reference))


def half_credit_accuracy(human: npt.ArrayLike, model: npt.ArrayLike) -> float:
    """Share of pairs on which model and human prefer the same response; a tie counts one half.

    `human` and `model` are preferences of shape (n,) in {-1, 0, 1} over the same pairs, without
    missing ones; verdicts that disagree between the orders are a tie of the model. Every pair with
    a human preference counts, so that leaving the hard ones undecided gains nothing; NaN where
    there are none. Between 0 and 1, and 0.5 by chance.

    Raises ValueError where the shapes differ or a value is none of the three.

    >>> half_credit_accuracy([1, -1, 1, 0], [1, -1, 0, 1])
    0.8333333333333334
    """
    human, model = _preferences(human, model)
    preferred = human != 0
    return mean((1 + human * model)[preferred].tolist()) / 2


def discrimination_accuracy(human: npt.ArrayLike, model: npt.ArrayLike) -> float:
    """Share of pairs on which model and human prefer the same response.

    `human` and `model` are preferences of shape (n,) in {-1, 0, 1} over the same pairs, without
    missing ones. Only pairs on which neither side ties count; NaN where there are none. Between
    0 and 1, and 0.5 by chance.

    Raises ValueError where the shapes differ or a value is none of the three.

    >>> discrimination_accuracy([1, -1, 1, 0], [1, 1, 0, 1])
    0.5
    """
    human, model = _preferences(human, model)
    decided = (human != 0) & (model != 0)
    return float(np.mean(human[decided] == model[decided])) if decided.any() else math.nan


def decided_pairs(human: npt.ArrayLike, model: npt.ArrayLike) -> int:
    """Number of pairs that `discrimination_accuracy` is a share of: those that neither side ties.

    >>> decided_pairs([1, -1, 1, 0], [1, 1, 0, 1])
    2
    """
    human, model = _preferences(human, model)
    return int(np.count_nonzero(human * model))


@dataclass(frozen=True)
class TieCalibration:
    """Accuracy of margins at the threshold that serves them best, and that threshold."""

    accuracy: float
    threshold: float


def tie_calibration(human: npt.ArrayLike, margins: npt.ArrayLike) -> TieCalibration:
    """Pairwise accuracy with tie calibration (Deutsch, Foster & Freitag 2023, EMNLP).

    A margin predicts a tie where its absolute value is at most the threshold, and else the side of
    its sign; the accuracy is the share of pairs whose human preference, ties among them, is what
    is predicted. Of all thresholds, 0 and every absolute margin, the one of the greatest accuracy
    is taken, the least of several. It is chosen on the pairs that it is measured on, so the
    accuracy errs on the high side; compare it with that of other models alone.

    Args:
        human: (n,) preferences in {-1, 0, 1}.
        margins: (n,) finite, above 0 where the first response is likelier to be preferred.

    Raises:
        ValueError: The shapes differ, a preference is none of the three, or a margin not finite.

    >>> tie_calibration([1, -1, 0, 1], [3.0, -2.0, 0.5, 0.6])
    TieCalibration(accuracy=1.0, threshold=0.5)
    """
    margin = np.asarray(margins, dtype=np.float64)
    if not np.isfinite(margin).all():
        raise ValueError("a margin is not finite; leave the pair out")
    human, sign = _preferences(human, np.sign(margin))
    if not human.size:
        return TieCalibration(math.nan, math.nan)
    size = np.abs(margin)
    order = np.argsort(size, kind="stable")
    # Right where the first k by size are predicted ties: the human ties among them, and the signs
    # of the others. Equal sizes are ties together, so only the last of them ends a threshold.
    ties = np.cumsum(human[order] == 0)
    signs = np.cumsum((human * sign)[order] > 0)
    right = ties + signs[-1] - signs
    thresholds = size[order]
    last = np.flatnonzero(np.append(np.diff(thresholds) > 0, True))
    right, thresholds = right[last], thresholds[last]
    if thresholds[0] > 0:
        right, thresholds = np.append(signs[-1], right), np.append(0.0, thresholds)
    best = int(right.argmax())
    return TieCalibration(float(right[best] / human.size), float(thresholds[best]))


def discrimination_kappa(human: npt.ArrayLike, model: npt.ArrayLike) -> float:
    """Cohen's kappa between model and human over first better, tie and second better.

    `human` and `model` are preferences of shape (n,) in {-1, 0, 1} over the same pairs, without
    missing ones. Between -1 and 1, and 0 by chance (Cohen 1960, unweighted). NaN where chance
    already gives full agreement, that is where both always give the same one verdict, and where
    there are no pairs.

    Raises ValueError where the shapes differ or a value is none of the three.

    >>> discrimination_kappa([1, 1, -1, 0], [1, 1, -1, 0])
    1.0
    """
    return kappa_of_labels(*_preferences(human, model))


def verdict_rates(verdicts: Sequence[PairVerdict]) -> dict[str, float]:
    """How verdicts behave, by name of the metric; between 0 and 1, NaN where nothing could count.

    ``flip_rate`` is the share of verdicts that flip, among those with two readable picks;
    ``first_position_rate`` the share of picks of the response shown first, among readable picks
    that are no tie; ``unreadable_rate`` the share of picks that could not be read.

    >>> verdict_rates([PairVerdict(("first", "second")), PairVerdict(("first", "first"))])
    {'flip_rate': 0.5, 'first_position_rate': 0.75, 'unreadable_rate': 0.0}
    """
    picks = [pick for verdict in verdicts for pick in verdict.picks]
    positions = [pick for pick in picks if pick in ("first", "second")]
    return {
        "flip_rate": mean(v.flipped for v in verdicts if v.flipped is not None),
        "first_position_rate": mean(pick == "first" for pick in positions),
        "unreadable_rate": mean(pick is None for pick in picks),
    }


def mean(values: Iterable[float]) -> float:
    """The mean; NaN of nothing.

    >>> mean([1, 2]), mean([])
    (1.5, nan)
    """
    listed = list(values)
    return math.fsum(listed) / len(listed) if listed else math.nan


def _tokens(text: str) -> list[str]:
    lower = text.lower()
    found: list[str] = (_TOKEN_OF_ANY_SCRIPT if beyond_latin(lower) else _TOKEN).findall(lower)
    return found


def _subsequence_f1(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """F1 of the longest common subsequence."""
    from rapidfuzz.distance import LCSseq

    return _f1(LCSseq.similarity(ours, theirs), len(ours), len(theirs))


def _ngram_f1(ours: Sequence[str], theirs: Sequence[str], n: int) -> float:
    ours_n, theirs_n = (
        Counter(zip(*(tokens[i:] for i in range(n)), strict=False)) for tokens in (ours, theirs)
    )
    return _f1((ours_n & theirs_n).total(), ours_n.total(), theirs_n.total())


def _f1(shared: int, ours: int, theirs: int) -> float:
    if not shared:
        return 0.0
    precision, recall = shared / ours, shared / theirs
    return 2 * precision * recall / (precision + recall)


def _preferences(
    human: npt.ArrayLike, model: npt.ArrayLike
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Both as int8 arrays, checked."""
    arrays = np.asarray(human), np.asarray(model)
    if arrays[0].ndim != 1 or arrays[0].shape != arrays[1].shape:
        raise ValueError(
            "The human and model preferences must both have shape (n,), "
            f"not {arrays[0].shape} and {arrays[1].shape}."
        )
    for perspective, values in zip(("human", "model"), arrays, strict=True):
        for index in np.flatnonzero(~np.isin(values, (-1, 0, 1)))[:1]:
            raise ValueError(
                f"The {perspective} preference of pair number {index} is {values[index]}. "
                "Must be one of: -1, 0, 1; leave pairs with a missing one out."
            )
    return arrays[0].astype(np.int8), arrays[1].astype(np.int8)
