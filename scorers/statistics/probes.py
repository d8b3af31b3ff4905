"""Probes of a judge: what its verdicts hang on beside the texts that it should judge.

Each probe asks what a judge of the texts alone has no reason to answer either way: the same text
twice, the same content in another dress, the same question in other words. What it prefers all the
same is its sensitivity. Four kinds of observation are enough (all by source, which is what is
resampled and turned):

* **lean**: which of two sides a verdict is for, 1 or -1, 0 for neither. Reported is the share for
  the first side less one half; the null is 0, tested by turning the signs of whole sources
  (``significance``, mid-p).
* **move**: whether a verdict moves to (1) or away from (-1) the side that something was added to,
  or stays (0). Reported is the share that moves there less that which moves away; tested likewise.
* **rate**: whether two verdicts on the same pair differ. Any judge with noise has such a rate, so
  no value of it is a null: it has an interval, and no test.
* two estimates of their own: the log-odds of one's own text with length and place held fixed
  (:func:`self_preference`), and the widest difference of taste between wordings
  (:func:`taste_of_wordings`).

A test that finds nothing says little by itself: beside it stands the smallest effect that as many
sources would have shown with a chance of 80 % (at the level of 5 %), from the standard error.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.adjusted import clustered_logit, separating_direction
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import (
    CONFIDENCE,
    MINIMUM_GROUPS,
    Estimate,
    finite_or_nan,
    none_for_nan,
    too_few,
)
from profile_tasks.scorers.statistics.sign_flips import flipped_p_values
from profile_tasks.scorers.statistics.significance import adjust_p_values, difference_terms
from profile_tasks.scorers.statistics.study import Study

Kind = Literal["lean", "move", "rate", "log-odds", "influence", "correlation"]

PERMUTATIONS = 9999
LEVEL = 0.05
_POWER_QUANTILE = 0.8416
"""Of the normal distribution at 80 %: an effect so many standard errors beyond the bound of a test
is found with this chance."""


@dataclass(frozen=True)
class Probe:
    """What is asked of a judge.

    Attributes:
        name: As its metric is named, ``probe_<name>``.
        label: For people.
        on: What verdicts hang on where it finds an effect, such that "they hang on" may stand
            before it.
        effect: What its number is, in words.
        null: What holds of a judge of the texts alone; empty where nothing can be tested.
        kind: Of its observations.
    """

    name: str
    label: str
    on: str
    effect: str
    null: str
    kind: Kind

    @property
    def metric(self) -> str:
        """The name of its metric."""
        return f"probe_{self.name}"

    @property
    def is_rate(self) -> bool:
        """Whether its number has no null, so that it is read by its size alone."""
        return self.kind in ("rate", "correlation")


_EVEN = "one half of the verdicts"
_STAYS = "as many verdicts move there as away"
_FIRST_SHOWN = "first shown, share - 1/2"

PROBES: tuple[Probe, ...] = (
    Probe("position", "position", "which response is shown first", _FIRST_SHOWN, _EVEN, "lean"),
    Probe(
        "position_flips", "flips with the order", "the order shown", "share of pairs", "", "rate"
    ),
    Probe(
        "position_weak",
        "position, weak preference",
        "which response is shown first, where people hardly prefer one",
        _FIRST_SHOWN,
        _EVEN,
        "lean",
    ),
    Probe(
        "position_strong",
        "position, strong preference",
        "which response is shown first, where people clearly prefer one",
        _FIRST_SHOWN,
        _EVEN,
        "lean",
    ),
    Probe(
        "position_flips_weak",
        "flips, weak preference",
        "the order shown, where people hardly prefer one",
        "share of pairs",
        "",
        "rate",
    ),
    Probe(
        "position_flips_strong",
        "flips, strong preference",
        "the order shown, where people clearly prefer one",
        "share of pairs",
        "",
        "rate",
    ),
    Probe(
        "repeat",
        "asked again",
        "chance: the same request, asked again",
        "share of verdicts that differ",
        "",
        "rate",
    ),
    Probe(
        "wording",
        "other wording",
        "the words of the question, chance among it",
        "share of verdicts that differ",
        "",
        "rate",
    ),
    Probe(
        "wording_excess",
        "wording beyond asking again",
        "the words of the question, beyond chance",
        "share that differ, less when asked again",
        "verdicts differ no more than when asked again",
        "move",
    ),
    Probe(
        "wording_taste",
        "taste by wording",
        "the words of the question, in what is preferred",
        "widest difference of tau",
        "every factor weighs alike in all wordings",
        "influence",
    ),
    Probe(
        "wording_alignment",
        "alignment by wording",
        "the words of the question: the two profiles least alike",
        "lowest Pearson r",
        "",
        "correlation",
    ),
    Probe(
        "identical",
        "identical texts",
        "which of two identical texts is shown first",
        _FIRST_SHOWN,
        _EVEN,
        "lean",
    ),
    Probe(
        "white_space",
        "wider white space",
        "wider gaps between sentences",
        "varied text, share - 1/2",
        _EVEN,
        "lean",
    ),
    Probe(
        "synonym",
        "synonyms",
        "other words of the same meaning",
        "varied text, share - 1/2",
        _EVEN,
        "lean",
    ),
    Probe(
        "padding",
        "padding",
        "sentences that add nothing",
        "longer text, share - 1/2",
        _EVEN,
        "lean",
    ),
    Probe("style", "Markdown", "Markdown", "marked-up text, share - 1/2", _EVEN, "lean"),
    Probe(
        "own_texts",
        "own texts",
        "its own texts, which may be better ones",
        "own text, share - 1/2",
        "",
        "lean",
    ),
    Probe(
        "self_preference",
        "own texts, length held",
        "whether a text is its own, at one length and place",
        "log-odds of its own",
        "own and others' texts of one length are as likely",
        "log-odds",
    ),
    Probe(
        "authority",
        "bogus source",
        "a source that does not exist",
        "moved to it - away",
        _STAYS,
        "move",
    ),
    Probe(
        "injection",
        "order to the judge",
        "an order to the judge in a response",
        "moved to it - away",
        _STAYS,
        "move",
    ),
)
"""In the order in which they are shown."""

BY_NAME: Mapping[str, Probe] = {probe.name: probe for probe in PROBES}


@dataclass(frozen=True, eq=False)
class Observations:
    """What was observed in one probe.

    Attributes:
        value: (n,) of a lean or a move in {-1, 0, 1}, of a rate in {0, 1}.
        group: (n,) code of each one's source.

    Raises:
        ValueError: The two differ in length, or a value lies outside [-1, 1].
    """

    value: NDArray[np.float64]
    group: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.value.shape != self.group.shape or self.value.ndim != 1:
            raise ValueError(
                f"value has shape {self.value.shape}, group {self.group.shape}; expected (n,) both"
            )
        if self.value.size and not np.abs(self.value).max() <= 1:
            raise ValueError("a value lies outside [-1, 1], where leans, moves and rates lie")

    @classmethod
    def of(cls, rows: Sequence[tuple[int, float]]) -> "Observations":
        """From (code of the source, value) of each."""
        group, value = np.array(rows, dtype=np.float64).reshape(-1, 2).T
        return cls(value, group.astype(np.int64))

    @property
    def sums(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The sum and the number of the values of each source with any, both (G,)."""
        _, group = np.unique(self.group, return_inverse=True)
        net = np.asarray(np.bincount(group, self.value), dtype=np.float64)
        return net, np.bincount(group).astype(np.float64)


@dataclass(frozen=True, eq=False)
class ProbeFinding:
    """What one probe found of one judge.

    Attributes:
        probe: Which.
        estimate: Its effect, 0 where the null holds, or a rate; with its interval.
        p_value: Two-sided, of the null; NaN where none is tested.
        detectable: Smallest size of an effect that as many sources show with a chance of 80 %;
            NaN where nothing is tested, and where it is more than there can be.
        n: Observations.
        n_groups: Sources behind them.
        where: Of which factor and wordings, where there are several.
        p_adjusted: Adjusted by Holm over the probes of the judge; NaN before that was done.
    """

    probe: Probe
    estimate: Estimate
    p_value: float
    detectable: float
    n: int
    n_groups: int
    where: str = ""
    p_adjusted: float = math.nan

    @property
    def found(self) -> bool:
        """Whether the null is rejected, at 5 % over the probes of the judge."""
        return self.p_adjusted <= LEVEL

    @classmethod
    def of_record(cls, name: str, record: Mapping[str, Any]) -> "ProbeFinding":
        """What :meth:`record` wrote of the probe of that name.

        Raises:
            KeyError: There is no such probe, or the record lacks a part.
        """
        return cls(
            BY_NAME[name],
            Estimate.of_record(record),
            finite_or_nan(record["p_value"]),
            finite_or_nan(record["detectable"]),
            int(record["n"]),
            int(record["n_groups"]),
            str(record["where"] or ""),
            finite_or_nan(record["p_adjusted"]),
        )

    @property
    def number(self) -> str:
        """Its effect with the interval; a rate has no sign."""
        return self.estimate.text(signed=not self.probe.is_rate)

    def flat(self) -> dict[str, float]:
        """Flat metrics: the effect with its ends; of a test its p-value and what it can show."""
        name = self.probe.metric
        tested = {f"{name}_p_value": self.p_value, f"{name}_detectable": self.detectable}
        return self.estimate.flat(name) | (tested if self.probe.null else {})

    def record(self) -> dict[str, float | int | str | None]:
        """All of it as JSON has it."""
        return {
            **self.estimate.record(),
            "effect": self.probe.effect,
            "null": self.probe.null or None,
            "p_value": none_for_nan(self.p_value),
            "p_adjusted": none_for_nan(self.p_adjusted),
            "detectable": none_for_nan(self.detectable),
            "n": self.n,
            "n_groups": self.n_groups,
            "where": self.where or None,
        }


def probe_finding(name: str, observed: Observations) -> ProbeFinding:
    """Return what a probe of leans, moves or rates found.

    Args:
        name: of the probe.
        observed: what was observed.

    Example:
        >>> leans = Observations(np.ones(40), np.arange(40) // 2)
        >>> found = probe_finding("position", leans)
        >>> print(found.estimate, found.p_value < 0.001)
        +0.50 [+0.31, +0.50] True

    """
    probe = BY_NAME[name]
    net, counted = observed.sums
    n = int(counted.sum())
    value = float(net.sum() / n) if n else math.nan
    least = 0.0 if probe.kind == "rate" else -1.0
    estimate = Estimate.share(value, net, counted, reason="no verdict counts", least=least)
    if probe.kind == "lean":
        halved = (estimate.value / 2, estimate.low / 2, estimate.high / 2)
        estimate = Estimate(*halved, method=estimate.method, reason=estimate.reason)
    tested = bool(probe.null) and n > 0
    p_value = detectable = math.nan
    if tested:
        p_value = float(flipped_p_values(net[:, None], mid=True)[0])
        most = 0.5 if probe.kind == "lean" else 1.0
        detectable = estimate.smallest_shown if estimate.smallest_shown <= most else math.nan
    return ProbeFinding(
        probe,
        estimate,
        p_value,
        detectable,
        n,
        net.size,
    )


def self_preference(
    won: NDArray[np.float64],
    log_ratio: NDArray[np.float64],
    shown_first: NDArray[np.bool_],
    group: NDArray[np.int64],
) -> ProbeFinding:
    """Return the log-odds of a judge's own text against another of its length.

    The Bradley-Terry model with covariates: a verdict for the own text goes by a constant, by how
    much longer it is and by its place. Errors are robust to dependence within sources (CR2).

    Args:
        won: (n,) 1 where a verdict is for the own text, -1 for the other; neither is left out.
        log_ratio: (n,) logarithm of the own text's length over the other's.
        shown_first: (n,) whether the own text was shown first.
        group: (n,) code of the source.
    """
    probe = BY_NAME["self_preference"]
    order = np.argsort(group[won != 0], kind="stable")
    decided = np.flatnonzero(won)[order]
    codes = group[decided]
    n_groups = np.unique(codes).size
    undefined = ProbeFinding(
        probe, Estimate.undefined(""), math.nan, math.nan, int(decided.size), n_groups
    )
    if n_groups < MINIMUM_GROUPS:
        return replace(undefined, estimate=Estimate.undefined(too_few(n_groups)))
    held = np.column_stack([log_ratio, np.where(shown_first, 1.0, -1.0)])[decided]
    # What never differs cannot be told from the constant.
    columns = [np.ones(decided.size), *held[:, np.ptp(held, axis=0) > 0].T]
    design = np.column_stack(columns) * won[decided, None]
    if separating_direction(design) is not None:
        reason = (
            "separated: whose text, its length or place decides every verdict; no odds have an end"
        )
        return replace(undefined, estimate=Estimate.undefined(reason))
    value, low, high, p_value = clustered_logit(design, codes.astype(np.int32), CONFIDENCE, 1)[
        :4, 0
    ]
    if math.isnan(value) or math.isnan(low):
        reason = "the regression found no estimate with an error"
        return replace(undefined, estimate=Estimate.undefined(reason))
    estimate = Estimate(float(value), float(low), float(high), "cluster-robust")
    return replace(
        undefined, estimate=estimate, p_value=float(p_value), detectable=estimate.smallest_shown
    )


def taste_of_wordings(
    tables: Mapping[str, Comparisons], *, permutations: int = PERMUTATIONS, seed: int = 0
) -> ProbeFinding:
    """Return the widest difference of a factor's influence between two wordings, against chance.

    The widest of many differences is wide by chance. So the largest of their standardised sizes is
    held against the largest under flips of the signs of whole sources, all differences together
    (Westfall and Young 1993, max-T): the p-value is of the null that no factor differs between any
    two wordings, and the interval, too, holds for all of them at once.

    Args:
        tables: a judge's preferences on the same pairs by wording, with the same factors; a group
            code must mean the same source in all.
        permutations: random flips.
        seed: of these.

    Example:
        >>> rows = dict(missing=[[False]] * 20, group=range(20), factors=("length",),
        ...             perspective="discrimination", preference=[1] * 20)
        >>> one = Comparisons(manifestation=[[1]] * 20, **rows)
        >>> other = Comparisons(manifestation=[[-1]] * 20, **rows)
        >>> found = taste_of_wordings({"plain": one, "curt": other})
        >>> found.estimate.value, found.where
        (2.0, 'length, plain less curt')

    """
    probe = BY_NAME["wording_taste"]
    n_groups = max((int(table.group.max(initial=-1)) + 1 for table in tables.values()), default=0)
    values, terms, names = [], [], []
    for first, second in combinations(tables, 2):
        value, of_groups, *_ = difference_terms(tables[first], tables[second], n_groups)
        for at, factor in enumerate(tables[first].factors):
            if np.isfinite(value[at]) and of_groups[:, at].any():
                values.append(value[at])
                terms.append(of_groups[:, at])
                names.append(f"{factor}, {first} less {second}")
    groups = sum(np.any([column != 0 for column in terms], axis=0)) if terms else 0
    n = sum(len(table.preference) for table in tables.values())
    if groups < MINIMUM_GROUPS:
        reason = (
            f"the verdicts differ between wordings in {groups} sources; "
            f"an interval needs at least {MINIMUM_GROUPS}"
        )
        nothing = Estimate.undefined(reason)
        return ProbeFinding(probe, nothing, math.nan, math.nan, n, int(groups))
    adds = np.column_stack(terms)
    error = np.sqrt(np.square(adds).sum(axis=0))
    size = np.abs(np.array(values)) / error
    rng = np.random.default_rng(seed)
    signs = 1.0 - 2.0 * rng.integers(2, size=(permutations, n_groups))
    largest = np.abs(signs @ (adds / error)).max(axis=1)
    widest = int(size.argmax())
    p_value = (1 + np.count_nonzero(largest >= size[widest] - 1e-9)) / (1 + permutations)
    bound = float(np.quantile(largest, CONFIDENCE))
    difference, margin = float(values[widest]), bound * float(error[widest])
    ends = max(-2.0, difference - margin), min(2.0, difference + margin)
    estimate = Estimate(difference, *ends, "max-T")
    detectable = (bound + _POWER_QUANTILE) * float(error[widest])
    return ProbeFinding(probe, estimate, p_value, detectable, n, int(groups), names[widest])


def alignment_of_wordings(tables: Mapping[str, Comparisons], *, seed: int = 0) -> ProbeFinding:
    """Return how alike the profiles of the two wordings are that are least alike, as observed.

    With the interval of the true alignment of these two. They are the lowest of several, which is
    low by chance; the test is that of :func:`taste_of_wordings`.

    Args:
        tables: as of :func:`taste_of_wordings`; at least two.
        seed: of the draws of the interval.
    """
    probe = BY_NAME["wording_alignment"]
    study = Study(tables, seed=seed, replicates=1)
    found = {
        f"{first} with {second}": study.alignment(first, second)["pearson"]
        for first, second in combinations(tables, 2)
    }
    defined = {names: each for names, each in found.items() if each.defined} or found
    lowest = min(defined, key=lambda names: defined[names].value)
    n = sum(len(table.preference) for table in tables.values())
    least = found[lowest]
    told = replace(least, reason=None) if least.has_interval else least
    return ProbeFinding(probe, told, math.nan, math.nan, n, study.n_groups, lowest)


def adjusted_findings(findings: Sequence[ProbeFinding]) -> dict[str, ProbeFinding]:
    """Return the findings about one judge by name, in their order, with p-values by Holm."""
    place = {probe.name: at for at, probe in enumerate(PROBES)}
    ordered = sorted(findings, key=lambda finding: place[finding.probe.name])
    adjusted = adjust_p_values(np.array([each.p_value for each in ordered]), "holm")
    return {
        each.probe.name: replace(each, p_adjusted=float(p))
        for each, p in zip(ordered, adjusted, strict=True)
    }
