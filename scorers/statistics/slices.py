"""Slices: whether a factor drives preferences as strongly in one part of the pairs as in the rest.

A slice is the pairs that share a label: a language, a category, long texts. Each slice is held
against all other pairs in two ways, since a slice may differ in what its texts are like as well as
in what is preferred:

* the **marginal** influence there less that elsewhere, tested by turning the signs of whole sources
  (as two models are compared). Where one factor decides more, the others decide fewer pairs, so
  that their tau shrinks too;
* the **adjusted** one: in the logistic regression on all factors, the part of each factor that
  holds in the slice alone (an interaction), cluster-robust (``adjusted``). This is what the
  measurement of tests calls differential functioning, with factors as the items.

Both p-values are adjusted by Benjamini and Hochberg over all slices and factors of a label.

Of a run, each perspective is held apart so, and beside it stands how the judge does in each slice.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.adjusted import adjusted_influence
from profile_tasks.scorers.statistics.alignment import COEFFICIENTS
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import (
    ENDS,
    MINIMUM_GROUPS,
    STANDARD_ERROR,
    Estimate,
    too_few,
)
from profile_tasks.scorers.statistics.significance import adjust_p_values
from profile_tasks.scorers.statistics.study import AGREEMENT, HUMAN, JUDGE, Study

_IN, _REST = "slice", "rest"
_PART = "\0in the slice"
"""What the interaction of a factor is called; no factor's name holds it."""


@dataclass(frozen=True, eq=False)
class Slice:
    """The pairs of one label, beside all others.

    Attributes:
        label: The label.
        n_pairs: Pairs with a preference.
        n_groups: Their groups.
        influence: Factor -> tau_14 in the slice.
        difference: Factor -> tau_14 in the slice less that in all other pairs.
        p_value: (F,) of the differences, in the order of the factors; NaN: no test.
        p_adjusted: (F,) the same, by Benjamini and Hochberg.
        interaction: (F,) change of the adjusted influence in the slice, in log-odds per root mean
            square of the factor there.
        interaction_p_value: (F,) of it.
        interaction_p_adjusted: (F,) the same, by Benjamini and Hochberg.
        reasons: Factor by factor, why there is no interaction, or None.
    """

    label: str
    n_pairs: int
    n_groups: int
    influence: dict[str, Estimate]
    difference: dict[str, Estimate]
    p_value: NDArray[np.float64]
    p_adjusted: NDArray[np.float64]
    interaction: NDArray[np.float64]
    interaction_p_value: NDArray[np.float64]
    interaction_p_adjusted: NDArray[np.float64]
    reasons: tuple[str | None, ...]


@dataclass(frozen=True, eq=False)
class Sliced:
    """A table by the values of one label.

    Attributes:
        factors: The F factors.
        slices: The slices with enough groups, the largest first.
        too_small: Label -> groups, of those with fewer; they count among the rest.
        n_unlabelled: Pairs with a preference that have no label; they count among the rest.
    """

    factors: tuple[str, ...]
    slices: tuple[Slice, ...]
    too_small: dict[str, int]
    n_unlabelled: int


def sliced(
    comparisons: Comparisons,
    labels: Sequence[str | None],
    *,
    replicates: int = 2000,
    seed: int = 0,
    least_groups: int = MINIMUM_GROUPS,
) -> Sliced:
    """Hold the influences in each slice against those in all other pairs.

    Of two slices that make up all pairs, the second one's differences are the first one's turned
    round; both are told, and adjusted as if they were two.

    Args:
        comparisons: The table.
        labels: (n,) the label of each row; None: it has none.
        replicates: Bootstrap replicates.
        seed: Of everything random.
        least_groups: A slice of fewer groups, or with fewer beside it, is not looked at.

    Raises:
        ValueError: ``labels`` has another number of rows.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> taste = np.repeat([1.5, -1.5], 200)  # two languages, opposite tastes
        >>> length = rng.choice([-1, 1], size=400)
        >>> preference = np.sign(taste * length + rng.logistic(size=400))
        >>> table = Comparisons(
        ...     preference, length[:, None], np.zeros((400, 1), bool), np.arange(400) // 4,
        ...     ("length",), "human",
        ... )
        >>> found = sliced(table, ["en"] * 200 + ["de"] * 200)
        >>> [each.label for each in found.slices], found.slices[0].p_adjusted.round(3).tolist()
        (['de', 'en'], [0.0])

    """
    n = len(comparisons.preference)
    if len(labels) != n:
        raise ValueError(f"labels has {len(labels)} rows; expected {n}, one a pair")
    decided = comparisons.preference != 0
    held = np.array(["" if label is None else label for label in labels], dtype=object)
    labelled = np.array([label is not None for label in labels], dtype=bool)
    known: list[tuple[str, NDArray[np.bool_]]] = []
    too_small: dict[str, int] = {}
    for label in sorted(set(held[labelled & decided])):
        inside = labelled & (held == label)
        least = min(_groups(comparisons, inside & decided), _groups(comparisons, ~inside & decided))
        if least < least_groups:
            too_small[label] = least
        else:
            known.append((label, inside))
    known.sort(key=lambda each: -int((each[1] & decided).sum()))
    found = [_slice(comparisons, *each, replicates=replicates, seed=seed) for each in known]
    return Sliced(
        comparisons.factors,
        _adjusted_over_all(found),
        too_small,
        int((decided & ~labelled).sum()),
    )


@dataclass(frozen=True, eq=False)
class JudgedSlice:
    """How a judge does on the pairs of one label.

    Attributes:
        n_pairs: Pairs that it was asked about.
        n_groups: Their groups.
        estimates: Alignment with people, by coefficient, accuracy and flip rate, by the names that
            the metrics of a whole run have. Of too few groups, and where one is not defined, NaN
            with the reason.
    """

    n_pairs: int
    n_groups: int
    estimates: dict[str, Estimate]


JUDGED_BY_SLICE = (
    *(f"alignment_{JUDGE}_{coefficient}" for coefficient in COEFFICIENTS),
    "discrimination_accuracy_half_credit",
    "flip_rate",
)
"""Metrics of a run that it has by slice too."""


def judged_slices(
    study: Study, labels: Mapping[str, Sequence[str | None]]
) -> dict[str, JudgedSlice]:
    """How the judge of a run does in each slice, by label; empty where it judged nothing.

    Args:
        study: The run.
        labels: Name of a table, or of the table of verdicts -> the label of each of its rows.
    """
    if AGREEMENT not in study.shares:
        return {}
    return {
        label: _judged(study, labels, label)
        for label in sorted({label for label in labels[AGREEMENT] if label is not None})
    }


def _judged(study: Study, labels: Mapping[str, Sequence[str | None]], label: str) -> JudgedSlice:
    def inside(name: str, table: Comparisons) -> Comparisons:
        return _rows(table, np.array([each == label for each in labels[name]], dtype=bool))

    verdicts = inside(AGREEMENT, study.shares[AGREEMENT])
    n_groups = len(np.unique(verdicts.group))
    found = {name: Estimate.undefined(too_few(n_groups)) for name in JUDGED_BY_SLICE}
    if n_groups >= MINIMUM_GROUPS:
        tables = {name: inside(name, study.tables[name]) for name in (HUMAN, JUDGE)}
        panel = study.panel
        if panel is not None:  # what each grader says, of the rows of the slice
            own = {name: tuple(inside(name, t) for t in panel.tables[name]) for name in tables}
            panel = replace(panel, tables=own)
        part = replace(
            study,
            tables=tables,
            shares={AGREEMENT: verdicts},
            votes=None,
            systems={},
            panel=panel,
        )
        aligned = part.alignment(HUMAN, JUDGE)
        every = {f"alignment_{JUDGE}_{name}": each for name, each in aligned.items()}
        every |= part.influence(AGREEMENT)
        found = {name: every[name] for name in JUDGED_BY_SLICE}
    n_pairs = len(verdicts.preference) // 2  # a pair has two rows there
    return JudgedSlice(
        n_pairs,
        n_groups,
        # Slices are resampled one by one: their replicates were not drawn together.
        {name: replace(e, n_groups=n_groups, drawn=None) for name, e in found.items()},
    )


_NO_ENDS = (*ENDS, STANDARD_ERROR)
"""So no metric's name ends: it would be that of another's interval or error."""


def slice_identifier(column: str, label: str) -> str:
    """What the metrics of a slice end in, as a word that programs can read.

    The column and the label, in Unicode's form NFKC; whatever is no letter, digit or underscore
    becomes one underscore.

    Example:
        >>> slice_identifier("language", "pt-BR"), slice_identifier("kind", "news & views")
        ('language_pt_BR', 'kind_news_views')
    """
    characters = unicodedata.normalize("NFKC", f"{column}_{label}")
    kept = [each if f"a{each}".isidentifier() else " " for each in characters]
    return re.sub(" +", "_", "".join(kept))


def metric_in_slice(metric: str, column: str, label: str) -> str:
    """The name of a metric of one slice alone.

    Example:
        >>> metric_in_slice("flip_rate", "language", "de")
        'flip_rate_in_language_de'
    """
    return f"{metric}_in_{slice_identifier(column, label)}"


def metrics_in_slices(
    judged: Mapping[str, Mapping[str, Mapping[str, Estimate]]],
) -> dict[str, Estimate]:
    """The metrics of every slice by their names; NaN with the reason where labels share a name.

    Args:
        judged: Column -> label -> metric of a whole run -> what it is in the slice.
    """
    problems = identifier_problems(judged)
    found: dict[str, Estimate] = {}
    for column, by_label in judged.items():
        for label, estimates in by_label.items():
            if slice_identifier(column, label).endswith(_NO_ENDS):
                continue  # there is no name that it could have
            problem = problems.get((column, label))
            for metric, each in estimates.items():
                name = metric_in_slice(metric, column, label)
                found[name] = Estimate.undefined(problem) if problem else each
    return found


def identifier_problems(labels: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], str]:
    """Column and label of each slice that has no metrics of its own -> why.

    Two slices would have the same; or one's would read as the end of an interval.
    """
    problems: dict[tuple[str, str], str] = {}
    known: dict[str, tuple[str, str]] = {}
    for slice_ in ((column, label) for column, of_column in labels.items() for label in of_column):
        column, label = slice_
        name = slice_identifier(column, label)
        if name.endswith(_NO_ENDS):
            problems[slice_] = (
                f"slices: metrics of label {label!r} of {column!r} would end in {name!r}, as the "
                "ends of an interval do; write the label otherwise"
            )
        elif (other := known.setdefault(name, slice_)) != slice_:
            problems[other] = problems[slice_] = (
                f"slices: labels {other[1]!r} of {other[0]!r} and {label!r} of {column!r} would "
                f"both have metrics that end in {name!r}; write one of them otherwise"
            )
    return problems


def check_identifiers(labels: Mapping[str, Sequence[str]]) -> None:
    """Check that every slice has metrics of its own.

    Args:
        labels: Column -> its labels.

    Raises:
        ValueError: As of ``identifier_problems``.
    """
    for problem in identifier_problems(labels).values():
        raise ValueError(problem)


def _groups(comparisons: Comparisons, rows: NDArray[np.bool_]) -> int:
    return len(np.unique(comparisons.group[rows]))


def _slice(
    comparisons: Comparisons,
    label: str,
    inside: NDArray[np.bool_],
    *,
    replicates: int,
    seed: int,
) -> Slice:
    study = Study(
        {_IN: _rows(comparisons, inside), _REST: _rows(comparisons, ~inside)},
        replicates=replicates,
        seed=seed,
    )
    difference, tests = study.difference(_IN, _REST, names=(_IN, _REST))
    adjusted = adjusted_influence(_with_interactions(comparisons, inside))
    count = len(comparisons.factors)
    unknown = np.full(count, np.nan)
    return Slice(
        label,
        study.profiles[_IN].n_pairs,
        _groups(comparisons, inside & (comparisons.preference != 0)),
        study.influence(_IN),
        difference,
        tests.p_value,
        unknown,
        adjusted.coefficient[count:],
        adjusted.p_value[count:],
        unknown,
        tuple(
            reason and reason.replace(_PART, f", {label}") for reason in adjusted.reasons[count:]
        ),
    )


def _adjusted_over_all(found: Sequence[Slice]) -> tuple[Slice, ...]:
    if not found:
        return ()
    marginal, interaction = (
        adjust_p_values(np.concatenate([getattr(each, name) for each in found]), "fdr_bh")
        for name in ("p_value", "interaction_p_value")
    )
    at = np.cumsum([len(each.p_value) for each in found])[:-1]
    return tuple(
        replace(each, p_adjusted=p, interaction_p_adjusted=q)
        for each, p, q in zip(found, np.split(marginal, at), np.split(interaction, at), strict=True)
    )


def _rows(comparisons: Comparisons, rows: NDArray[np.bool_]) -> Comparisons:
    return Comparisons(
        comparisons.preference[rows],
        comparisons.manifestation[rows],
        comparisons.missing[rows],
        comparisons.group[rows],
        comparisons.factors,
        comparisons.perspective,
    )


def _with_interactions(comparisons: Comparisons, inside: NDArray[np.bool_]) -> Comparisons:
    """The same pairs, each factor twice: everywhere, and in the slice alone."""
    within = comparisons.manifestation * inside[:, None]
    return Comparisons(
        comparisons.preference,
        np.hstack([comparisons.manifestation, within]),
        np.hstack([comparisons.missing, comparisons.missing & inside[:, None]]),
        comparisons.group,
        (*comparisons.factors, *(f"{factor}{_PART}" for factor in comparisons.factors)),
        comparisons.perspective,
    )
