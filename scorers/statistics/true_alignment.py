"""The alignment of two true profiles, of which sampling error shows something else.

The observed correlation of two profiles is drawn towards 0 by the errors of both, and raised where
they share pairs and with them errors. A bootstrap adds the errors once more. So the true
correlation is found by a test of each one that it might have:

* **Pearson.** With true profiles of given lengths at a given angle in the plane of the observed
  ones, errors are added and the correlation that would be observed is noted. What is rejected at
  neither side is in the interval; what is observed more or less half the time is the estimate,
  median unbiased and without the noise. A correlation is rejected relative to the end of the scale
  alone (CLs; Read 2002, Journal of Physics G 28): profiles that by luck are more alike than even
  equal tastes make them would else get an interval without width, or none.
* **tau_b and rho.** Draws of both true profiles: the correlation from its confidence distribution
  above, the lengths from theirs, and the profiles from the normal posterior given both.
* **Distance.** Root mean square difference of the influences, without the noise: always estimable,
  but not free of scale (a noisier judge of one taste is at a distance).
* **Unrelated tastes**, the null: random weights on the same factors over the same pairs, which
  keep how the factors go together, with the errors that the two profiles share taken off. Factors
  are not exchangeable, so permuting them is no such null.

docs/method.md has the reasons, docs/calibration.md what all of it covers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.alignment import (
    COEFFICIENTS,
    Coefficient,
    alignment_replicates,
    observed_alignment,
)
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import (
    CONFIDENCE,
    FEW_GROUPS,
    MINIMUM_GROUPS,
    Estimate,
)
from profile_tasks.scorers.statistics.influence import group_sums, profile_of
from profile_tasks.scorers.statistics.sampling_error import ProfileErrors, profile_errors

METHOD = "true coefficient, by inverting tests"

DRAWS = 1000
"""Of errors, and of true profiles."""

NOT_TOLD_FROM_NOISE = 0.025
"""A profile of which more of the drawn lengths are 0 may as well have none."""

_RANK_TAIL = 0.3
"""How much of 1 - confidence an interval of rank coefficients leaves out on either side: the middle
97 % of the draws cover 95 %, the middle 95 % cover 93 to 94 %."""

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrueAlignment:
    """What is known of the alignment of two true profiles.

    Attributes:
        coefficients: the observed coefficients, with the interval of the true one and, where it
            can be estimated, the coefficient without the noise (``Estimate.disattenuated``).
        distance: root mean square difference of the true profiles, 0 to 2.
        unrelated: share of unrelated tastes that come as close, 0 to 1; NaN where none is drawn.
        refusal: why the alignment cannot be estimated, in words; None where it can.
        n_factors: factors that both profiles define.
        n_groups: groups with a pair that counts, in one of the two at least.

    """

    coefficients: Mapping[Coefficient, Estimate]
    distance: Estimate
    unrelated: float
    refusal: str | None
    n_factors: int
    n_groups: int


def true_alignment(
    first: Comparisons,
    second: Comparisons,
    *,
    known: NDArray[np.bool_] | None = None,
    names: tuple[str, str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    confidence: float = CONFIDENCE,
    spread: Sequence[NDArray[np.float64]] = (),
) -> TrueAlignment:
    """Return what is known of the alignment of two tables' true profiles.

    Args:
        first: one judge's preferences.
        second: another's, over the same factors. A group code must mean the same source in both.
        known: bool (F,), the factors that may count; those that a table does not define never do.
        names: what to call the two; by default their perspectives.
        draws: of errors, and of true profiles.
        seed: of those.
        confidence: coverage wanted, between 0 and 1.
        spread: (K, F) of either table, rows of what a panel of K graders adds to the errors of
            both (``grader_panel``); none without a panel.

    Raises:
        ValueError: the factors of the two differ.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> manifestation = rng.choice([-1, 1], (600, 4))
        >>> utility = manifestation @ [3, 1, -1, 0]
        >>> tables = [
        ...     Comparisons(
        ...         np.sign(utility + 3 * rng.logistic(size=600)), manifestation,
        ...         np.zeros((600, 4), bool), np.arange(600) // 4, ("a", "b", "c", "d"), who,
        ...     )
        ...     for who in ("human", "discrimination")
        ... ]
        >>> found = true_alignment(*tables)
        >>> found.refusal, round(found.coefficients["pearson"].disattenuated, 1)
        (None, 1.0)

    """
    if first.factors != second.factors:
        raise ValueError(f"the factors differ: {first.factors} and {second.factors}")
    profiles = [profile_of(table) for table in (first, second)]
    counts = np.isfinite(profiles[0].tau) & np.isfinite(profiles[1].tau)
    counts &= True if known is None else known
    groups = [_counted_groups(table, counts) for table in (first, second)]
    n_codes = 1 + max(int(table.group.max(initial=-1)) for table in (first, second))
    (net, counted), (other, counted_there) = (
        [each[:, counts] for each in group_sums(table, n_codes)] for table in (first, second)
    )

    def same(sign: int) -> bool:
        return np.array_equal(counted, counted_there) and np.array_equal(net, sign * other)

    return aligned(
        TwoProfiles(
            tau=np.array([profile.tau[counts] for profile in profiles]),
            n_groups=int(np.union1d(*groups).size),
            fewest=min(each.size for each in groups),
            same=lambda: same(1),
            opposite=lambda: same(-1),
            errors=lambda: profile_errors([first, second], counts, spread),
            gram=lambda: _gram(second, counts),
        ),
        names=names or (first.perspective, second.perspective),
        draws=draws,
        seed=seed,
        confidence=confidence,
    )


@dataclass(frozen=True, eq=False)
class TwoProfiles:
    """What an alignment rests on; what takes long is looked at where it is needed.

    Attributes:
        tau: (2, F) influences that both define.
        n_groups: groups with a pair that counts, in one of the two at least.
        fewest: groups with such a pair in the one that has fewer.
        same: whether the two have the same sums in every group.
        opposite: whether they have the opposite ones.
        errors: of the two profiles.
        gram: (F, F), as of ``unrelated_tastes``.

    """

    tau: _Array
    n_groups: int
    fewest: int
    same: Callable[[], bool]
    opposite: Callable[[], bool]
    errors: Callable[[], ProfileErrors]
    gram: Callable[[], _Array]


def aligned(
    two: TwoProfiles, *, names: tuple[str, str], draws: int, seed: int, confidence: float
) -> TrueAlignment:
    """Return what is known of the alignment of two true profiles.

    Args:
        two: the profiles.
        names: what to call them.
        draws: as of ``true_alignment``.
        seed: likewise.
        confidence: likewise.
    """
    observed, reason = observed_alignment(*two.tau)
    coefficients: dict[Coefficient, Estimate] = {
        # Pearson's r, of which most is known, comes first.
        name: Estimate(observed[name], method=METHOD, reason=reason, n_groups=two.n_groups)
        for name in reversed(COEFFICIENTS)
    }
    nothing = TrueAlignment(
        coefficients,
        Estimate.undefined(reason or "", METHOD),
        np.nan,
        reason,
        two.tau.shape[1],
        two.n_groups,
    )
    if reason is not None:
        return nothing
    # A profile of few groups is the less certain one, whatever the other rests on. Of so few even
    # what was observed says nothing.
    if two.fewest < MINIMUM_GROUPS:
        few = (
            f"groups with decided pairs: {two.fewest}; an alignment needs at least {MINIMUM_GROUPS}"
        )
        return replace(
            nothing,
            coefficients=dict.fromkeys(coefficients, Estimate.undefined(few, METHOD)),
            distance=Estimate.undefined(few, METHOD),
            refusal=few,
        )
    why = _no_interval(two)
    if why is not None:
        return replace(
            nothing,
            coefficients={
                # Without any noise, what was observed is an estimate, though without an interval.
                name: replace(e, reason=why, disattenuated=e.value if why in _NO_NOISE else np.nan)
                for name, e in coefficients.items()
            },
            distance=Estimate.undefined(why, METHOD),
            refusal=why,
        )
    rng = np.random.default_rng(seed)
    errors = two.errors()
    x, y = errors.tau - errors.tau.mean(axis=1, keepdims=True)
    raw = errors.draws(draws, rng)
    centred, again = (
        each - each.mean(axis=2, keepdims=True) for each in (raw, errors.draws(draws, rng))
    )
    pearson = pearson_interval(x, y, centred, again, confidence)
    drawn = alignment_replicates(
        *true_profiles(
            x,
            y,
            np.vstack([errors.rows, errors.spread]),
            pearson.lengths,
            pearson.curve,
            draws,
            rng,
        )
    )
    unrelated = unrelated_tastes(x, y, centred, two.gram(), rng)
    ends: dict[Coefficient, tuple[float, float, float]] = {
        "pearson": (pearson.low, pearson.estimate, pearson.high),
        "spearman": _of_orders(drawn.spearman, pearson, confidence),
        "tau_b": _of_orders(drawn.tau_b, pearson, confidence),
    }
    refusal = _not_told_from_noise(names, pearson)
    return TrueAlignment(
        coefficients={
            name: replace(
                coefficients[name],
                low=low,
                high=high,
                disattenuated=estimate if refusal is None else np.nan,
                likely=None if name == "pearson" else getattr(drawn, name),
                reason=refusal,
            )
            for name, (low, estimate, high) in ends.items()
        },
        distance=distance(errors.tau[0], errors.tau[1], raw, confidence),
        unrelated=unrelated,
        refusal=refusal,
        n_factors=errors.n_factors,
        n_groups=errors.n_groups,
    )


# When to refuse ----------------------------------------------------------------------------------

_ALL_THE_SAME = (
    "all verdicts are the same: the alignment is 1 on these pairs, and they do not tell how far "
    "below 1 elsewhere"
)
_ALL_OPPOSITE = (
    "all verdicts are the opposite: the alignment is -1 on these pairs, and they do not tell how "
    "far above -1 elsewhere"
)
_ALL_ALIKE = "all sources show the same influences, which does not tell how far others would differ"
_NO_NOISE = (_ALL_THE_SAME, _ALL_OPPOSITE, _ALL_ALIKE)
_WITHIN = "; r within "
_NO_SPREAD = 1e-12


def _no_interval(two: TwoProfiles) -> str | None:
    if two.same():
        return _ALL_THE_SAME
    if two.opposite():
        return _ALL_OPPOSITE
    if np.abs(two.errors().rows).max() < _NO_SPREAD:
        return _ALL_ALIKE
    return None


def _not_told_from_noise(names: tuple[str, str], found: "PearsonInterval") -> str | None:
    nothing = (found.lengths <= 0).mean(axis=1)
    weak = [
        f"the {name} profile"
        for name, share in zip(names, nothing, strict=True)
        if share > NOT_TOLD_FROM_NOISE
    ]
    if not weak:
        return None
    are = "is" if len(weak) == 1 else "are"
    return (
        f"not estimable: {' and '.join(weak)} {are} not told from noise alone"
        f"{_WITHIN}[{found.low:.2f}, {found.high:.2f}]"
    )


def _counted_groups(table: Comparisons, counts: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the codes of the groups in which one of these factors is counted."""
    known = ~table.missing[:, counts].all(axis=1)
    return np.unique(table.group[(table.preference != 0) & known])


# Pearson's r, by test inversion ------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PearsonInterval:
    """The correlation of two true profiles.

    Attributes:
        low: lower end of the interval.
        estimate: median unbiased, without the noise.
        high: upper end.
        lengths: (2, draws) of the two true profiles; 0 where noise alone is as long.
        curve: angles between the true profiles, and the chance that as little is observed.

    """

    low: float
    estimate: float
    high: float
    lengths: _Array
    curve: tuple[_Array, _Array]


def pearson_interval(
    x: _Array, y: _Array, first: _Array, second: _Array, confidence: float = CONFIDENCE
) -> PearsonInterval:
    """Return the interval of the correlation of two true profiles.

    Args:
        x: (F,) observed profile, centred.
        y: (F,) the other, centred.
        first: (2, draws, F) errors of both, centred; the lengths are drawn with these.
        second: likewise, independent of them; correlations are drawn with these.
        confidence: coverage wanted, between 0 and 1.
    """
    a, b = true_length(x, first[0]), true_length(y, first[1])
    tail, angles = (1 - confidence) / 2, np.linspace(0, np.pi, 33)
    up, down = _tails(angles, x, y, second, a, b)
    most_up, most_down = (min(1.0, max(2 * float(p), 1e-3)) for p in (up[0], down[-1]))
    ends = []
    for level, downwards in ((tail * most_up, False), (0.5, True), (tail * most_down, True)):
        tried, tails, width = angles, (up, down), 0.15
        for zoom in range(4):
            crossing = (
                _crossing(tried, tails[1], level)
                if downwards
                else _crossing(tried[::-1], tails[0][::-1], level)
            )
            if zoom < 3:
                tried = np.linspace(max(0.0, crossing - width), min(np.pi, crossing + width), 13)
                tails, width = _tails(tried, x, y, second, a, b), width / 5
        ends.append(float(np.cos(crossing)))
    low, estimate, high = ends
    return PearsonInterval(
        low, min(max(estimate, low), high), high, np.array([a, b]), (angles, down)
    )


def true_length(x: _Array, errors: _Array) -> _Array:
    """Return draws of a true profile's length: what added to each error is as long as observed.

    Args:
        x: (F,) observed profile.
        errors: (draws, F) of it.

    Returns:
        (draws,); 0 where noise alone is as long.
    """
    square = x @ x
    along = errors @ x / np.sqrt(square)
    room = along**2 - (errors**2).sum(axis=1) + square
    return np.where(room > 0, np.maximum(0, np.sqrt(np.maximum(room, 0)) - along), 0)


def _tails(
    angles: _Array, x: _Array, y: _Array, errors: _Array, a: _Array, b: _Array
) -> tuple[_Array, _Array]:
    """Return the chances (T,) that as much, and as little, is observed as was.

    Args:
        angles: (T,) between the true profiles, which lie in the plane of the observed ones.
        x: observed profile.
        y: the other.
        errors: (2, draws, F) of both.
        a: (draws,) lengths of the first true profile.
        b: those of the second.
    """
    u, v = x / np.sqrt(x @ x), y / np.sqrt(y @ y)
    middle, across = _plane(u, v)
    cos, sin = np.cos(angles / 2)[:, None], np.sin(angles / 2)[:, None]
    ex, ey = errors
    parts = [(e @ middle, e @ across) for e in (ex, ey)]
    ex_first, ey_first = (cos * along + sin * aside for along, aside in parts)
    ex_second, ey_second = (cos * along - sin * aside for along, aside in parts)
    xx = a**2 + 2 * a * ex_first + (ex**2).sum(axis=1)
    yy = b**2 + 2 * b * ey_second + (ey**2).sum(axis=1)
    xy = a * b * np.cos(angles)[:, None] + a * ey_first + b * ex_second + (ex * ey).sum(axis=1)
    # Errors may take a whole profile away, which rounding puts below 0.
    drawn = xy / np.sqrt(np.maximum(xx * yy, np.finfo(np.float64).tiny))
    seen = u @ v
    return (drawn >= seen - 1e-12).mean(axis=1), (drawn <= seen + 1e-12).mean(axis=1)


def _plane(u: _Array, v: _Array) -> tuple[_Array, _Array]:
    """Return the unit vectors half way between two others, and across; any where they coincide."""
    other = np.arange(len(u)) - (len(u) - 1) / 2.0
    found = []
    for w in (u + v, u - v):
        vector = w if w @ w > 1e-12 else other - u * (u @ other)
        found.append(vector / np.sqrt(vector @ vector))
    return found[0], found[1]


def _crossing(angles: _Array, chances: _Array, level: float) -> float:
    """Return the angle at which the chance first reaches a level."""
    above = chances >= level
    if not above.any():
        return float(angles[-1])
    i = int(above.argmax())
    if i == 0:
        return float(angles[0])
    before, after = chances[i - 1], chances[i]
    return float(angles[i - 1] + (angles[i] - angles[i - 1]) * (level - before) / (after - before))


# Rank coefficients, from draws of the true profiles ----------------------------------------------


def true_profiles(
    x: _Array,
    y: _Array,
    rows: _Array,
    lengths: _Array,
    curve: tuple[_Array, _Array],
    draws: int,
    rng: np.random.Generator,
) -> tuple[_Array, _Array]:
    """Return draws (draws, F) of both true profiles.

    Args:
        x: (F,) observed profile, centred.
        y: (F,) the other, centred.
        rows: (G, 2 F) of ``ProfileErrors``.
        lengths: as of ``pearson_interval``.
        curve: likewise.
        draws: how many.
        rng: of the draws.
    """
    n = len(x)
    k = n - 1
    # Centred profiles have k dimensions; in these coordinates their covariance has full rank.
    basis = np.linalg.qr(np.column_stack([np.ones(n), np.eye(n)[:, 1:]]))[0][:, 1:]
    observed = np.concatenate([x @ basis, y @ basis])
    scaled = np.hstack([rows[:, :n] @ basis, rows[:, n:] @ basis])
    noise = scaled.T @ scaled
    angles, chances = curve
    rising = np.maximum.accumulate(chances)
    r = np.cos(np.interp(rng.random(draws), rising, angles, right=np.pi, left=0))
    a, b = lengths[:, rng.integers(lengths.shape[1], size=draws)] / np.sqrt(k)
    g, h = rng.standard_normal((2, draws, k))
    mixed = r[:, None] * g + np.sqrt(1 - r**2)[:, None] * h
    prior = np.hstack([a[:, None] * g, b[:, None] * mixed])
    values, vectors = np.linalg.eigh(noise)
    root = vectors * np.sqrt(np.maximum(values, 0))
    errors = rng.standard_normal((draws, 2 * k)) @ root.T
    spread = np.array([[a * a, r * a * b], [r * a * b, b * b]]).transpose(2, 0, 1)
    covariance = np.einsum("dij,kl->dikjl", spread, np.eye(k)).reshape(draws, 2 * k, 2 * k)
    ridge = 1e-9 * np.trace(noise) * np.eye(2 * k)
    residual = (observed - prior - errors)[..., None]
    moved = prior + (covariance @ np.linalg.solve(covariance + noise + ridge, residual))[..., 0]
    return moved[:, :k] @ basis.T, moved[:, k:] @ basis.T


def _of_orders(
    drawn: _Array, pearson: PearsonInterval, confidence: float
) -> tuple[float, float, float]:
    """Lower end, median, upper end; all that there is where nothing is known of r.

    Profiles of noise that by luck are more alike than even equal tastes make them draw one order
    nearly always: r is rejected relative to the end of its scale, its draws are not.
    """
    low, median, high = _middle(drawn, confidence)
    if np.isfinite(median) and (pearson.low, pearson.high) == (-1, 1):
        return -1.0, median, 1.0
    return low, median, high


def _middle(drawn: _Array, confidence: float) -> tuple[float, float, float]:
    if np.isnan(drawn).all():  # of profiles that may as well be noise alone no draw has an order
        return np.nan, np.nan, np.nan
    tail = _RANK_TAIL * (1 - confidence)
    low, median, high = np.nanquantile(drawn, (tail, 0.5, 1 - tail)).tolist()
    return low, median, high


# Distance, and the null --------------------------------------------------------------------------


def distance(x: _Array, y: _Array, errors: _Array, confidence: float = CONFIDENCE) -> Estimate:
    """Return the root mean square difference of two true profiles; its value is the median draw.

    Args:
        x: (F,) observed influences.
        y: (F,) the other's.
        errors: (2, draws, F) of both.
        confidence: coverage wanted, between 0 and 1.
    """
    tail = (1 - confidence) / 2
    if not (x - y).any():
        return Estimate.undefined("the profiles are the same")
    drawn = true_length(x - y, errors[0] - errors[1]) / np.sqrt(len(x))
    low, median, high = np.quantile(drawn, (tail, 0.5, 1 - tail)).tolist()
    return Estimate(median, low, high, "length of the difference without the noise")


def unrelated_tastes(
    x: _Array, y: _Array, errors: _Array, gram: _Array, rng: np.random.Generator
) -> float:
    """Return the share of unrelated tastes that align with a profile as well as another one does.

    Args:
        x: (F,) observed profile, centred.
        y: (F,) the other, centred, in whose place random tastes are put.
        errors: (2, draws, F) of both, centred.
        gram: (F, F) profile that a weight on one factor gives the others, over the second's pairs.
        rng: of the tastes.

    Returns:
        One-sided p-value, above 0.
    """
    ex, ey = errors
    draws, n_factors = ex.shape
    a, b = true_length(x, ex), true_length(y, ey)
    mixed = rng.permutation(draws)
    tastes = rng.standard_normal((draws, n_factors)) @ gram.T
    tastes -= tastes.mean(axis=1, keepdims=True)
    tastes /= np.linalg.norm(tastes, axis=1, keepdims=True)
    xs = a[mixed, None] * x / np.sqrt(x @ x) + ex
    ys = b[mixed, None] * tastes + ey
    shared = (ex * ey).sum(axis=1).mean()
    lengths = np.sqrt((xs**2).sum(axis=1) * (ys**2).sum(axis=1))
    drawn = ((xs * ys).sum(axis=1) - shared) / lengths
    seen = (x @ y - shared) / np.sqrt((x @ x) * (y @ y))
    return float((1 + np.count_nonzero(drawn >= seen - 1e-12)) / (1 + draws))


def _gram(table: Comparisons, counts: NDArray[np.bool_]) -> _Array:
    """Return how each factor's manifestations go with the amounts of the others, (F, F).

    Amounts are not known, so signs stand in for them, over their root mean square.
    """
    signs = table.manifestation[table.preference != 0][:, counts].astype(np.float64)
    size = np.sqrt(np.mean(signs**2, axis=0))
    return np.asarray(signs.T @ (signs / np.where(size > 0, size, 1.0)) / len(signs))


# Two alignments ----------------------------------------------------------------------------------


def alignment_difference(
    first: Estimate, second: Estimate, confidence: float = CONFIDENCE
) -> Estimate:
    """Return one alignment less another, of the observed values, with the true one's interval.

    Pearson's is put together from the intervals of both (MOVER; Zou 2007, Psychological Methods
    12), those of rank coefficients from draws of both true values. What raises both at once is not
    taken off: how far their errors go together is known too little, and doing so covered less. What
    raises one and lowers the other counts: of a judge and a writer of opposite tastes, people's
    noise does, and the interval of the gap covered 80 % without.

    Where one of the two cannot be estimated, or they rest on fewer than ``FEW_GROUPS`` groups, it
    reaches from the lower end of one less the upper end of the other to the opposite. Few sources
    give an estimate mostly where they happen to show a strong profile, and of those the narrower
    interval covered 82 to 91 %.

    Args:
        first: an alignment, with ``disattenuated``.
        second: the one taken away.
        confidence: coverage wanted, that of both.
    """
    reason = next((each.reason for each in (first, second) if not each.defined), None)
    if reason is not None:
        return Estimate.undefined(reason, METHOD)
    refusal = first.reason or second.reason
    drawn = None if first.drawn is None or second.drawn is None else first.drawn - second.drawn
    groups = [each.n_groups for each in (first, second) if each.n_groups is not None]
    found = Estimate(
        first.value - second.value,
        method=METHOD,
        # Without the interval of the one that is refused, which is not that of the difference.
        reason=refusal and refusal.partition(_WITHIN)[0],
        n_groups=min(groups, default=None),
        disattenuated=first.disattenuated - second.disattenuated,
    )
    if not (first.has_interval and second.has_interval):
        return found
    likely, correlation = None, min(0.0, _correlation(first.drawn, second.drawn))
    if first.likely is not None and second.likely is not None:
        likely = _difference_of_draws(first.likely, second.likely, correlation)
    if np.isnan(found.disattenuated) or min(groups, default=FEW_GROUPS) < FEW_GROUPS:
        low, high = first.low - second.high, first.high - second.low
    elif likely is not None:
        low, _, high = _middle(likely, confidence)
    else:
        low, high = mover(
            (first.low, first.disattenuated, first.high),
            (second.low, second.disattenuated, second.high),
            correlation,
        )
    return replace(found, low=low, high=high, drawn=drawn, likely=likely)


def mover(
    first: tuple[float, float, float], second: tuple[float, float, float], correlation: float
) -> tuple[float, float]:
    """Return the interval of a difference from those of its two parts.

    Args:
        first: low, estimate, high.
        second: those of what is taken away.
        correlation: of the two estimates.

    Example:
        >>> low, high = mover((0.4, 0.5, 0.6), (0.1, 0.2, 0.3), 0.0)
        >>> round(low, 3), round(high, 3)
        (0.159, 0.441)

    """
    (low1, r1, high1), (low2, r2, high2) = first, second
    down = (r1 - low1) ** 2 + (high2 - r2) ** 2 - 2 * correlation * (r1 - low1) * (high2 - r2)
    up = (high1 - r1) ** 2 + (r2 - low2) ** 2 - 2 * correlation * (high1 - r1) * (r2 - low2)
    return r1 - r2 - float(np.sqrt(max(0.0, down))), r1 - r2 + float(np.sqrt(max(0.0, up)))


def _difference_of_draws(first: _Array, second: _Array, correlation: float) -> _Array:
    """Draws of one true value less those of another, which go together by so much (a copula)."""
    if correlation == 0 or np.isnan(first).all() or np.isnan(second).all():
        return first - np.roll(second, len(second) // 2)
    a, b = np.random.default_rng(0).standard_normal((2, len(first)))
    b = correlation * a + np.sqrt(1 - min(1.0, correlation**2)) * b
    one, other = (
        np.nanquantile(drawn, (each.argsort().argsort() + 0.5) / each.size, method="inverted_cdf")
        for drawn, each in ((first, a), (second, b))
    )
    apart: _Array = one - other
    return apart


def _correlation(first: _Array | None, second: _Array | None) -> float:
    if first is None or second is None:
        return 0.0
    known = np.isfinite(first) & np.isfinite(second)
    a, b = first[known], second[known]
    if a.size < 2 or a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
