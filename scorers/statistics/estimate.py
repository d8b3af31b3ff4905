"""Estimate: a number with its interval, or why it has none; its text, JSON and flat metrics.

Intervals of resampled numbers are made here, in five ways (docs/calibration.md has what each one
covers). Others follow from a model of their own, and come as Estimates too: those of a regression
(``adjusted``), of a factor's rank (``ranks``) and of an alignment (``true_alignment``).

* **Korn-Graubard**, for shares and influences, which have ends: the exact binomial interval of
  Clopper and Pearson, with the number of observations that would vary as much as the groups do
  (Korn & Graubard 1998, Survey Methodology 24). It has a width where every group says the same.
* **linearised**, for differences of two of these: Student's, of the error of a ratio of sums, and
  of one pair more on which the two differ. Where few sources differ, resampling sees too little.
* **percentile**, for what is reckoned from several numbers: its tails are widened as Student's t is
  wider than the normal distribution, since G resampled groups spread too little by (G - 1) / G and
  in tails too short (the expanded percentile interval of Hesterberg 2015, The American Statistician
  69).
* **symmetric**, for the alignment of a grader's labels with people's: as far on both sides of the
  estimate as 95 % of the replicates lie from it (Hall 1988, JRSS B 50).
* **jackknife**, for what is a mean over random halves (``reliability`` says why).
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95

MINIMUM_GROUPS = 8
"""Fewer groups give no interval."""

FEW_GROUPS = 50
"""Of fewer groups less can be said, and what is said is said with a caution
(``coverage`` has the words)."""

MINIMUM_DEFINED = 0.95
"""Where a statistic is defined in a smaller share of the replicates, there is no interval."""

ENDS = ("_ci_low", "_ci_high")
"""What the names of metrics end in that are an estimate's interval."""

RANK_ENDS = ("_low", "_high")
"""The same of a rank in a record of influences."""

STANDARD_ERROR = "_stderr"
"""What the name of a standard error ends in, as lm-eval has it."""


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; NaN with a reason where either is not defined.

    Attributes:
        value: the point estimate.
        low: lower end of the interval.
        high: upper end.
        method: which interval it is; empty where none was asked for.
        reason: why the value is NaN, or else why there is no interval; None where both are there.
        drawn: (B,) bootstrap replicates that the interval was made of, NaN where undefined.
            Estimates whose replicates were drawn together are held against each other by them.
        n_groups: groups behind the value; None leaves the tails as they are.
        limit: greatest absolute value, where a symmetric interval ends.
        disattenuated: of an alignment, the value without the sampling noise, which lies in the
            interval as the observed one need not; NaN where it cannot be estimated.
        likely: of a rank coefficient, (B,) draws of the true value, which has few possible ones.
        effective: number of independent observations that would vary as much, of a Korn-Graubard
            interval; NaN elsewhere.
        least: lower end of the scale of such a one, whose upper end is 1.
        freedom: degrees of freedom of its error; NaN: those of the groups, ``n_groups - 1``.

    Example:
        >>> print(Estimate(0.5, 0.4, 0.6))
        +0.50 [+0.40, +0.60]
        >>> Estimate.undefined("there are no pairs").record()
        {'value': None, 'ci_low': None, 'ci_high': None, 'reason': 'there are no pairs'}

    """

    value: float
    low: float = math.nan
    high: float = math.nan
    method: str = ""
    reason: str | None = None
    drawn: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)
    n_groups: int | None = field(default=None, repr=False)
    limit: float = field(default=math.inf, repr=False)
    disattenuated: float = math.nan
    likely: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)
    effective: float = field(default=math.nan, repr=False)
    least: float = field(default=0.0, repr=False)
    freedom: float = field(default=math.nan, repr=False)

    @classmethod
    def undefined(cls, reason: str, method: str = "") -> Self:
        """Return NaN, without an interval either."""
        return cls(math.nan, method=method, reason=reason)

    @classmethod
    def share(
        cls,
        value: float,
        score: NDArray[np.float64],
        counted: NDArray[np.float64],
        drawn: NDArray[np.float64] | None = None,
        reason: str | None = None,
        *,
        least: float = 0.0,
        confidence: float = CONFIDENCE,
    ) -> Self:
        """Return a share, or an influence, with its Korn-Graubard interval.

        Args:
            value: ``score.sum() / counted.sum()``, on the scale from ``least`` to 1; NaN where
                nothing counts.
            score: (G,) sum of what the observations of each group score, each from ``least`` to 1.
            counted: (G,) number of observations of each group. Below ``MINIMUM_GROUPS`` groups
                with any there is no interval.
            drawn: (B,) bootstrap replicates of the value, for differences to others.
            reason: why the value is NaN, where it is.
            least: of the scale: 0 of a share, -1 of tau_14, which is 2 * share - 1.
            confidence: coverage wanted, between 0 and 1.

        Raises:
            ValueError: ``confidence`` is not between 0 and 1.

        Example:
            >>> print(Estimate.share(1.0, np.ones(12), np.ones(12)))
            +1.00 [+0.68, +1.00]

        """
        counts = counted > 0
        total = float(counted.sum())
        deviation = score[counts] - value * counted[counts]
        return cls.share_of_sums(
            value,
            int(np.count_nonzero(counts)),
            total,
            float(deviation @ deviation),
            drawn,
            reason,
            least=least,
            confidence=confidence,
        )

    @classmethod
    def share_of_sums(
        cls,
        value: float,
        n_groups: int,
        total: float,
        squares: float,
        drawn: NDArray[np.float64] | None = None,
        reason: str | None = None,
        *,
        least: float = 0.0,
        confidence: float = CONFIDENCE,
    ) -> Self:
        """Return what :meth:`share` does, of sums over groups.

        Args:
            value: as there.
            n_groups: groups with an observation.
            total: number of observations.
            squares: sum over groups of the squares of ``score - value * counted``.
            drawn: as there.
            reason: as there.
            least: as there.
            confidence: as there.

        Raises:
            ValueError: as there.
        """
        method = "Korn-Graubard"
        if math.isnan(value):
            return cls.undefined(reason or "", method)
        share = (value - least) / (1 - least)
        estimate = cls(
            value,
            method=method,
            drawn=drawn,
            n_groups=n_groups,
            effective=_effective(share, n_groups, squares / (total * (1 - least)) ** 2),
            least=least,
        )
        return estimate.at(confidence)

    def at(self, confidence: float) -> Self:
        """Return the estimate with its interval at another confidence.

        Args:
            confidence: coverage wanted, between 0 and 1.

        Raises:
            ValueError: ``confidence`` is not between 0 and 1, or the estimate has no replicates
                that an interval could be made of.

        Example:
            >>> print(Estimate.share(1.0, np.ones(12), np.ones(12)).at(0.5))
            +1.00 [+0.88, +1.00]

        """
        if math.isnan(self.effective):
            return self._resampled(confidence)
        _check_confidence(confidence)
        groups = self.n_groups or 0
        if groups < MINIMUM_GROUPS:
            return replace(self, low=math.nan, high=math.nan, reason=too_few(groups))
        span = 1 - self.least
        share = (self.value - self.least) / span
        low, high = (
            self.least + span * end
            for end in _clopper_pearson(share, self.effective, self._freedom, confidence)
        )
        return replace(self, low=min(low, self.value), high=max(high, self.value))

    @property
    def _freedom(self) -> float:
        return (self.n_groups or 0) - 1.0 if math.isnan(self.freedom) else self.freedom

    def with_spread(
        self, variance: float, freedom: float, source: str, confidence: float = CONFIDENCE
    ) -> Self:
        """Return a share, or an influence, whose interval bears another variance too.

        Both variances are added, and their degrees of freedom are Satterthwaite's (1946, Biometrics
        Bulletin 2): those of the greater part, or more.

        Args:
            variance: of the value, of another source than the groups; NaN where it is not known,
                and then there is no interval.
            freedom: its degrees of freedom, 1 at least.
            source: of it, in words.
            confidence: coverage wanted, between 0 and 1.

        Example:
            >>> alike = Estimate.share(0.5, np.tile([0.0, 1.0], 50), np.ones(100))
            >>> print(alike, alike.with_spread(0.05**2, 2, "graders"))
            +0.50 [+0.40, +0.60] +0.50 [+0.33, +0.67]

        """
        if not self.has_interval or variance < _NO_VARIANCE:
            return self
        method = f"{self.method}, with the spread of {source}"
        if math.isnan(variance):
            reason = f"how far {source} differ is not known"
            return replace(self, low=math.nan, high=math.nan, method=method, reason=reason)
        share = (self.value - self.least) / (1 - self.least)
        # At an end of the scale, as if half an observation told otherwise.
        share = min(max(share, 0.5 / self.effective), 1 - 0.5 / self.effective)
        binomial = share * (1 - share)
        of_share = variance / (1 - self.least) ** 2
        total, together = added_variance(
            binomial / self.effective, self._freedom, of_share, freedom
        )
        return replace(
            self, method=method, effective=binomial / float(total), freedom=float(together)
        ).at(confidence)

    def _resampled(self, confidence: float) -> Self:
        if self.drawn is None:
            raise ValueError("only estimates with replicates have an interval at any confidence")
        of = (self.value, self.drawn, self.n_groups, self.reason)
        if self.method == "symmetric":
            return self.symmetric(*of, limit=self.limit, confidence=confidence)
        return self.percentile(*of, confidence=confidence)

    @classmethod
    def percentile(
        cls,
        value: float,
        drawn: NDArray[np.float64],
        n_groups: int | None = None,
        reason: str | None = None,
        *,
        confidence: float = CONFIDENCE,
    ) -> Self:
        """Return a difference of shares or influences, with its percentile interval.

        Undefined replicates are left out as long as they are few: above 5 % of them the rest are a
        selection, and there is no interval.

        Args:
            value: the estimate; NaN where it is not defined.
            drawn: (B,) bootstrap replicates of it, NaN where undefined.
            n_groups: groups behind it, for which the tails are widened. Below ``MINIMUM_GROUPS``
                there is no interval.
            reason: why the value is NaN, where it is.
            confidence: coverage wanted, between 0 and 1.

        Raises:
            ValueError: ``confidence`` is not between 0 and 1, or ``drawn`` not (B,) with B > 0.

        Example:
            >>> Estimate.percentile(50, np.arange(101.0), confidence=0.5).low
            25.0
            >>> Estimate.percentile(50, np.arange(101.0), 10, confidence=0.5).low.__round__(1)
            22.9

        """
        method = "percentile" if n_groups is None else "percentile, expanded"
        values, no_interval = _defined(drawn, confidence, n_groups)
        if math.isnan(value):
            return cls.undefined(reason or "", method)
        estimate = cls(value, method=method, drawn=drawn, n_groups=n_groups)
        if no_interval is not None:
            return replace(estimate, reason=no_interval)
        tail = _tail(confidence, n_groups)
        low, high = np.quantile(values, (tail, 1 - tail)).tolist()
        return replace(estimate, low=low, high=high)

    @classmethod
    def symmetric(
        cls,
        value: float,
        drawn: NDArray[np.float64],
        n_groups: int | None = None,
        reason: str | None = None,
        *,
        limit: float = 1,
        confidence: float = CONFIDENCE,
    ) -> Self:
        """Return an alignment, or a difference of several, with its symmetric interval.

        Args:
            value: as in :meth:`percentile`.
            drawn: likewise.
            n_groups: likewise.
            reason: likewise.
            limit: the greatest absolute value that it can have.
            confidence: as in :meth:`percentile`.

        Raises:
            ValueError: as in :meth:`percentile`.

        Example:
            >>> drawn = 0.5 + np.arange(-0.5, 0.51, 0.01)
            >>> estimate = Estimate.symmetric(0.7, drawn)
            >>> round(estimate.low, 3), estimate.high
            (0.05, 1)

        """
        method = "symmetric"
        values, no_interval = _defined(drawn, confidence, n_groups)
        if math.isnan(value):
            return cls.undefined(reason or "", method)
        estimate = cls(value, method=method, drawn=drawn, n_groups=n_groups, limit=limit)
        if no_interval is not None:
            return replace(estimate, reason=no_interval)
        radius = float(np.quantile(np.abs(values - value), 1 - 2 * _tail(confidence, n_groups)))
        return replace(estimate, low=max(-limit, value - radius), high=min(limit, value + radius))

    @classmethod
    def student(
        cls,
        value: float,
        error: float,
        n_groups: int,
        drawn: NDArray[np.float64] | None = None,
        reason: str | None = None,
        *,
        limit: float = math.inf,
        confidence: float = CONFIDENCE,
    ) -> Self:
        """Return a difference with Student's interval of its linearised error.

        Args:
            value: the estimate; NaN where it is not defined.
            error: its standard error.
            n_groups: groups behind it. Below ``MINIMUM_GROUPS`` there is no interval.
            drawn: (B,) replicates of it, for differences to others.
            reason: why the value is NaN, where it is.
            limit: greatest absolute value that it can have.
            confidence: coverage wanted, between 0 and 1.

        Raises:
            ValueError: ``confidence`` is not between 0 and 1.

        Example:
            >>> print(Estimate.student(0.3, 0.1, 20))
            +0.30 [+0.09, +0.51]

        """
        from scipy.special import stdtrit

        _check_confidence(confidence)
        method = "linearised"
        if math.isnan(value):
            return cls.undefined(reason or "", method)
        estimate = cls(value, method=method, drawn=drawn, n_groups=n_groups, limit=limit)
        if n_groups < MINIMUM_GROUPS:
            return replace(estimate, reason=too_few(n_groups))
        margin = float(stdtrit(n_groups - 1, (1 + confidence) / 2)) * error
        return replace(estimate, low=max(-limit, value - margin), high=min(limit, value + margin))

    @classmethod
    def jackknife(cls, values: NDArray[np.float64], n_groups: int) -> Self:
        """Return entry 0 with an interval from the others, each with one block left out.

        Args:
            values: (K + 1,), on a scale where errors are about normal.
            n_groups: groups behind it; below ``MINIMUM_GROUPS`` there is no interval.

        Example:
            >>> Estimate.jackknife(np.array([0.5, 0.4, 0.6]), 20).low.__round__(2)
            -0.77

        """
        from scipy.special import stdtrit

        left_out = values[1:][np.isfinite(values[1:])]
        estimate = cls(float(values[0]), method="jackknife")
        if n_groups < MINIMUM_GROUPS:
            reason = f"groups: {n_groups}; a jackknife interval needs at least {MINIMUM_GROUPS}"
            return replace(estimate, reason=reason)
        if left_out.size / max(1, values.size - 1) < MINIMUM_DEFINED:
            reason = (
                f"defined in only {left_out.size} of {values.size - 1} samples with a block of "
                f"groups left out; an interval needs {MINIMUM_DEFINED:.0%} of them"
            )
            return replace(estimate, reason=reason)
        k = left_out.size
        error = np.sqrt((k - 1) / k * np.square(left_out - left_out.mean()).sum())
        margin = float(stdtrit(k - 1, (1 + CONFIDENCE) / 2) * error)
        return replace(estimate, low=estimate.value - margin, high=estimate.value + margin)

    @classmethod
    def of_record(cls, record: Mapping[str, Any], value: str = "value") -> Self:
        """Return what :meth:`record` wrote, without the replicates.

        Args:
            record: JSON with ``ci_low`` and ``ci_high``; what is no finite number there is NaN.
            value: name of the value in it.
        """
        numbers = (record.get(value), record.get("ci_low"), record.get("ci_high"))
        number, low, high = map(finite_or_nan, numbers)
        return cls(number, low, high, reason=record.get("reason"))

    @classmethod
    def of_metrics(
        cls, metrics: Mapping[str, Any], name: str, ends: tuple[str, str] = ENDS
    ) -> Self:
        """Return what :meth:`flat` wrote; NaN where the metrics hold no finite number of it."""
        names = flat_names(name, ends)
        value, low, high = (finite_or_nan(metrics.get(each)) for each in names)
        return cls(value, low, high)

    @property
    def defined(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    @property
    def says_nothing(self) -> bool:
        """Whether there is neither a value nor a reason for that, as where nothing was reported."""
        return not self.defined and self.reason is None

    @property
    def excludes_zero(self) -> bool:
        """Whether there is an interval that lies wholly on one side of 0."""
        return self.has_interval and not self.low <= 0 <= self.high

    @property
    def smallest_shown(self) -> float:
        """Smallest value of which such an interval leaves 0 out with a chance of 80 %.

        Half the width of a 95 % interval times (1.96 + 0.84) / 1.96; NaN without an interval.

        Example:
            >>> round(Estimate(0.05, -0.1, 0.2).smallest_shown, 2)
            0.21

        """
        return 1.43 * (self.high - self.low) / 2

    def overlaps(self, other: "Estimate") -> bool | None:
        """Return whether the two intervals overlap; None where one is missing.

        Example:
            >>> Estimate(0.5, 0.4, 0.6).overlaps(Estimate(0.7, 0.6, 0.8))
            True

        """
        if not (self.has_interval and other.has_interval):
            return None
        return self.low <= other.high and other.low <= self.high

    @property
    def error(self) -> float:
        """Standard deviation of the replicates; NaN where there is no interval of them.

        Also where all are alike, as of a rate of 0: that tells nothing of the error.
        """
        if self.drawn is None or not self.has_interval:
            return math.nan
        known = self.drawn[np.isfinite(self.drawn)]
        return float(known.std(ddof=1)) if known.size and np.ptp(known) else math.nan

    def without_noise(self) -> Self:
        """Return an alignment without the sampling noise, in the interval of the true one."""
        return replace(self, value=self.disattenuated)

    def absolute(self) -> Self:
        """Return the absolute value, whose interval reaches down to 0 where this one holds 0.

        Example:
            >>> print(Estimate(-0.1, -0.4, 0.2).absolute())
            +0.10 [+0.00, +0.40]

        """
        least, most = sorted((abs(self.low), abs(self.high)))
        low = 0.0 if self.low <= 0 <= self.high else least
        return replace(self, value=abs(self.value), low=low, high=most)

    def record(self) -> dict[str, float | str | None]:
        """Return the estimate as JSON has it: NaN is None, with the reason."""
        return {
            "value": none_for_nan(self.value),
            **self.interval(),
            "reason": self.reason,
        }

    def interval(self) -> dict[str, float | None]:
        """Return the interval as :meth:`record` has it, for a value under a name of its own."""
        return {"ci_low": none_for_nan(self.low), "ci_high": none_for_nan(self.high)}

    def cells(self) -> tuple[float | None, float | None, float | None]:
        """Return the value and its ends as three cells of a table; None is an empty one."""
        return none_for_nan(self.value), none_for_nan(self.low), none_for_nan(self.high)

    def flat(self, name: str, ends: tuple[str, str] = ENDS) -> dict[str, float]:
        """Return the flat metrics of a harness: the value, then its ends.

        Args:
            name: of the value.
            ends: what the names of the two ends have behind it.

        Example:
            >>> Estimate(0.5, 0.4, 0.6).flat("kappa")
            {'kappa': 0.5, 'kappa_ci_low': 0.4, 'kappa_ci_high': 0.6}

        """
        return dict(zip(flat_names(name, ends), (self.value, self.low, self.high), strict=True))

    def text(self, digits: int = 2, *, signed: bool = True) -> str:
        """Return the value and its interval in one cell.

        Args:
            digits: decimals of the value; the ends have two.
            signed: with a sign, as of influences and alignments; shares have none.
        """
        if not self.defined:
            return "not defined"
        sign = "+z" if signed else "z"  # z: no -0.00
        ends = self.ends_text(f"{{:{sign}.2f}}".format) or "no interval"
        return f"{self.value:{sign}.{digits}f} [{ends}]"

    def ends_text(self, number: Callable[[float], str], between: str = ", ") -> str:
        """Return both ends of the interval, empty where there is none.

        Args:
            number: how one end is written.
            between: what stands between the two.

        Example:
            >>> Estimate(0.5, 0.4, 0.6).ends_text("{:.1f}".format, " to ")
            '0.4 to 0.6'

        """
        return f"{number(self.low)}{between}{number(self.high)}" if self.has_interval else ""

    def __str__(self) -> str:
        return self.text()


def none_for_nan(value: float) -> float | None:
    """Return the value as JSON can hold it, which has no NaN."""
    return None if math.isnan(value) else float(value)


def nan_for_none(value: float | None) -> float:
    """Return the value as arithmetic can take it."""
    return math.nan if value is None else float(value)


def finite_or_nan(value: object) -> float:
    """Return a number that a file may hold; NaN for anything else, infinity among it."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        return math.nan
    return float(value)


def flat_names(name: str, ends: tuple[str, str] = ENDS) -> tuple[str, str, str]:
    """Return the names that a value and its ends have among flat metrics.

    Example:
        >>> flat_names("kappa")
        ('kappa', 'kappa_ci_low', 'kappa_ci_high')

    """
    low, high = ends
    return name, f"{name}{low}", f"{name}{high}"


def flat_metrics(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """Return each name with its value, then its ends, as of :meth:`Estimate.flat`."""
    return {
        key: number for name, each in estimates.items() for key, number in each.flat(name).items()
    }


def standard_errors(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """Return the standard error of each estimate under the name that lm-eval looks for."""
    return {f"{name}{STANDARD_ERROR}": each.error for name, each in estimates.items()}


def reasons(estimates: Mapping[str, Estimate]) -> dict[str, str]:
    """Return why an estimate is NaN, or has no interval, by its name."""
    return {name: each.reason for name, each in estimates.items() if each.reason}


def is_interval_end(metric: str) -> bool:
    """Return whether a metric is an end of another one's interval.

    Example:
        >>> is_interval_end("kappa_ci_low"), is_interval_end("kappa")
        (True, False)

    """
    return metric.endswith(ENDS)


def with_standard_errors(names: Iterable[str]) -> list[str]:
    """Return each metric with its standard error behind it; the ends of intervals have none."""
    return [
        each
        for name in names
        for each in ((name,) if is_interval_end(name) else (name, f"{name}{STANDARD_ERROR}"))
    ]


def added_variance(
    first: ArrayLike, freedom: ArrayLike, second: ArrayLike, of_second: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum of two variances and its degrees of freedom (Satterthwaite 1946).

    Args:
        first: of one source.
        freedom: of its estimate.
        second: of another source.
        of_second: the degrees of freedom of that one's.

    Example:
        >>> total, freedom = added_variance(1.0, 20, 1.0, 2)
        >>> float(total), round(float(freedom), 1)
        (2.0, 7.3)

    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    total = a + b
    return total, total**2 / (a**2 / np.asarray(freedom) + b**2 / np.asarray(of_second))


def widening(confidence: float, n_groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return by how much an interval must be wider for groups so few (Hesterberg 2015).

    Resampled groups spread too little by (G - 1) / G, and Student's t has longer tails.

    Example:
        >>> widening(0.95, np.array([8, 20, 200])).round(2).tolist()
        [1.29, 1.1, 1.01]

    """
    from scipy.special import ndtri, stdtrit

    tail = (1 - confidence) / 2
    spread = np.sqrt(n_groups / (n_groups - 1))
    return np.asarray(spread * stdtrit(n_groups - 1, tail) / ndtri(tail))


def _defined(
    drawn: NDArray[np.float64], confidence: float, n_groups: int | None
) -> tuple[NDArray[np.float64], str | None]:
    """Return the defined replicates, and why there is no interval, if so."""
    _check_confidence(confidence)
    if drawn.ndim != 1 or drawn.size == 0:
        raise ValueError(f"replicates has shape {drawn.shape}; expected (B,) with B > 0")
    values = drawn[np.isfinite(drawn)]
    if n_groups is not None and n_groups < MINIMUM_GROUPS:
        return values, too_few(n_groups)
    if values.size / drawn.size < MINIMUM_DEFINED:
        reason = (
            f"only {values.size} of {drawn.size} replicates are defined; "
            f"an interval needs {MINIMUM_DEFINED:.0%} of them"
        )
        return values, reason
    return values, None


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must lie between 0 and 1")


def too_few(n_groups: int) -> str:
    """Return why so few groups have no interval."""
    return f"groups: {n_groups}; an interval needs at least {MINIMUM_GROUPS}"


_NO_VARIANCE = 1e-15


def _effective(share: float, groups: int, squares: float) -> float:
    """Return how many independent observations would vary as much as these groups do.

    Args:
        share: from 0 to 1.
        groups: how many.
        squares: of what each adds to the deviation of the share.
    """
    if groups == 1:
        return 1.0
    variance = groups / (groups - 1) * squares
    # Where all groups say the same, each counts as one observation.
    return max(1.0, share * (1 - share) / variance) if variance > _NO_VARIANCE else float(groups)


def _clopper_pearson(
    share: float, n: float, freedom: float, confidence: float
) -> tuple[float, float]:
    """Return the ends of the exact binomial interval, n being known with so much freedom."""
    from scipy.special import betaincinv, ndtri, stdtrit

    tail = (1 - confidence) / 2
    n *= (ndtri(tail) / stdtrit(freedom, tail)) ** 2
    k = share * n
    low = 0.0 if k <= _ROUNDING else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k >= n - _ROUNDING else float(betaincinv(k + 1, n - k, 1 - tail))
    return low, high


_ROUNDING = 1e-12


def _tail(confidence: float, n_groups: int | None) -> float:
    """Return the share of replicates beyond either end."""
    from scipy.special import ndtr, ndtri

    tail = (1 - confidence) / 2
    if n_groups is None:
        return tail
    return float(ndtr(ndtri(tail) * widening(confidence, np.array(n_groups))))
