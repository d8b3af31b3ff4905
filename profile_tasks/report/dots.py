"""Values with their intervals as dots in rows on one shared axis, such that a page can draw them.

A report's influences and a board's metrics are the same picture, drawn by ``parts.html``.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from profile_tasks.scorers.statistics.estimate import Estimate

_MOST_TICKS = 5


@dataclass(frozen=True)
class Axis:
    """An axis from ``low`` to ``high``, with the values at which it is marked."""

    low: float
    high: float
    ticks: tuple[float, ...]

    @classmethod
    def holding(cls, found: Iterable[Estimate]) -> "Axis":
        """The axis that shows 0 and every value with its interval, between round ends.

        >>> Axis.holding([Estimate(0.4, 0.1, 0.9)]).ticks
        (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
        >>> Axis.holding([]).ticks
        (0.0, 0.5, 1.0)
        """
        ends = [end for each in found for end in each.cells() if end is not None]
        low, high = min([0.0, *ends]), max([0.0, *ends])
        if low == high:
            return cls(0.0, 1.0, (0.0, 0.5, 1.0))
        rough = (high - low) / _MOST_TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * 0.9)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        ticks = tuple(round(place * step, 10) for place in range(first, last + 1))
        return cls(ticks[0], ticks[-1], ticks)

    def at(self, value: float) -> float:
        """Where a value lies, in % of the axis.

        >>> INFLUENCE.at(-1), INFLUENCE.at(0.5)
        (0.0, 75.0)
        """
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    @staticmethod
    def label(value: float) -> str:
        """A value as the axis is marked with it.

        >>> Axis.label(-0.5), Axis.label(1.0)
        ('−0.5', '1')
        """
        return f"{value:g}".replace("-", "−")


INFLUENCE = Axis(-1.0, 1.0, (-1.0, -0.5, 0.0, 0.5, 1.0))


@dataclass(frozen=True)
class Dot:
    """One value: whose it is, which decides shape and colour, and where it lies, in %."""

    whose: str
    at: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, whose: str, found: Estimate, axis: Axis) -> "Dot":
        """The dot of a defined value."""
        ends = (axis.at(found.low), axis.at(found.high)) if found.has_interval else (None, None)
        return cls(whose, axis.at(found.value), *ends)


@dataclass(frozen=True)
class DotRow:
    """The dots of one factor.

    Attributes:
        name: Of the factor.
        dots: One for each who has a value.
        said: What is said of each, with the counts behind it.
        mark: A character beside the name, where a difference is told.
        keys: What the rows can be sorted by -> value; without a name where there is none.
    """

    name: str
    dots: tuple[Dot, ...]
    said: tuple[str, ...]
    mark: str = ""
    keys: Mapping[str, float] = field(default_factory=dict)
