"""Bars: what a run must meet, as a line of text with a small grammar, and files of them.

    bar         comparison [confidence]
              | "no worse than" LOG ["by" NUMBER] ["on" METRIC] [confidence]
    comparison  expression (">=" | ">" | "<=" | "<") expression
    expression  numbers, names of metrics, + - * /, parentheses, abs(expression)
    confidence  "with" NUMBER "%" "confidence"

Expressions are parsed by Python's own parser and evaluated here, node by node: nothing is executed.
"""

import ast
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profile_tasks.nearest_name import nearest
from profile_tasks.scorers.statistics.metric_catalogue import by_title, find, names

BARS_VERSION = 1
"""Version of the file's form."""

DEFAULT_METRICS = names(lambda metric: metric.gated)
"""What "no worse than LOG" looks at where it names no metric: those of them that both runs have."""

NO_WORSE_CONFIDENCE = 0.95
"""The one confidence that "no worse than LOG" can be asked with."""

LONGEST = 500
"""Characters that a bar may have."""

_CONFIDENCE = re.compile(r"(.*?)\s+with\s+(\d+(?:\.\d+)?)\s*%\s+confidence\s*", re.DOTALL)
_NO_WORSE = re.compile(
    r"""no\s+worse\s+than\s+(?:"(?P<quoted>[^"]+)"|(?P<bare>\S+))"""
    r"(?:\s+by\s+(?P<margin>\d*\.?\d+))?(?:\s+on\s+(?P<metric>[A-Za-z_]\w*))?\s*"
)
_RELATIONS: Mapping[type[ast.cmpop], str] = {
    ast.GtE: ">=",
    ast.Gt: ">",
    ast.LtE: "<=",
    ast.Lt: "<",
}
_ARITHMETIC = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}

Values = float | NDArray[np.float64]


class BarsError(ValueError):
    """A bar, or a file of bars, that cannot be read; the message says where and why."""


@dataclass(frozen=True)
class Expression:
    """An arithmetic expression over metrics.

    Attributes:
        text: As it was written.
        node: As it was parsed; only nodes of the grammar.
    """

    text: str
    node: ast.expr

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics in it, each once."""
        calls = {id(n.func) for n in ast.walk(self.node) if isinstance(n, ast.Call)}
        names = [
            n.id for n in ast.walk(self.node) if isinstance(n, ast.Name) and id(n) not in calls
        ]
        return tuple(dict.fromkeys(names))

    @property
    def inside_abs(self) -> "Expression | None":
        """What stands in abs(), where the whole expression is one."""
        if isinstance(self.node, ast.Call):
            return Expression(ast.unparse(self.node.args[0]), self.node.args[0])
        return None

    @property
    def has_abs(self) -> bool:
        """Whether there is an abs() anywhere."""
        return any(isinstance(node, ast.Call) for node in ast.walk(self.node))

    def value(self, values: Mapping[str, Values]) -> Values:
        """The expression over these values of the metrics, numbers or replicates.

        What is not defined, as a division by 0, is NaN or infinite.
        """
        with np.errstate(all="ignore"):
            value: Values = _value(self.node, values)
            return value

    @property
    def linear(self) -> Mapping[str, Fraction] | None:
        """Coefficient of each metric, where it is linear in all of them (constants aside).

        Exact for the decimals that were written, so that one bar has one form however it is put.
        """
        found = _linear(self.node)
        return None if found is None else {m: c for m, c in found.items() if m != _ONE}

    def less(self, other: "Expression") -> "Expression":
        """This expression - the other one."""
        node = ast.BinOp(self.node, ast.Sub(), other.node)
        return Expression(ast.unparse(node), node)


@dataclass(frozen=True)
class Inequality:
    """A bar for the run itself.

    Attributes:
        text: As it was written.
        left: Its left side.
        relation: ">=", ">", "<=" or "<".
        right: Its right side.
        confidence: Above 0.5 and below 1; None where the point estimate decides.
    """

    text: str
    left: Expression
    relation: str
    right: Expression
    confidence: float | None

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics in it, each once."""
        return tuple(dict.fromkeys((*self.left.metrics, *self.right.metrics)))


@dataclass(frozen=True)
class NoWorse:
    """A bar relative to another run, paired by source.

    Attributes:
        text: As it was written.
        baseline: The log of the other run, as it was written.
        margin: By how much the run may be worse, at least 0.
        metric: The metric; None for those of ``DEFAULT_METRICS`` that both runs have.
        confidence: 0.95, or None where the point estimate decides.
    """

    text: str
    baseline: str
    margin: float
    metric: str | None
    confidence: float | None

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metric that it names, if any."""
        return () if self.metric is None else (self.metric,)


Bar = Inequality | NoWorse


@dataclass(frozen=True)
class NamedBar:
    """A bar with the name that reports show.

    Attributes:
        name: Its name; the bar's own text where the file gives none.
        bar: The bar.
    """

    name: str
    bar: Bar


def parse_bar(text: str) -> Bar:
    """Read one bar.

    Args:
        text: A line of the grammar above.

    Raises:
        BarsError: It is no such line.

    Example:
        >>> bar = parse_bar("abs(tau_generation_length - tau_human_length) <= 0.2")
        >>> bar.left.metrics, bar.relation, bar.confidence
        (('tau_generation_length', 'tau_human_length'), '<=', None)
        >>> parse_bar("no worse than base.eval by 0.05 with 95% confidence").margin
        0.05
    """
    if len(text) > LONGEST:
        raise BarsError(f"a bar has at most {LONGEST} characters, and this one {len(text)}")
    shown = " ".join(text.split())
    body, confidence = shown, None
    if found := _CONFIDENCE.fullmatch(shown):
        body, confidence = found[1], float(found[2]) / 100
        if not 0.5 < confidence < 1:
            raise BarsError(f"{shown!r}: a confidence lies between 50 % and 100 %")
    if body.startswith("no worse"):
        return _no_worse(shown, body, confidence)
    return _inequality(shown, body, confidence)


def load_bars(path: Path) -> tuple[NamedBar, ...]:
    """Read a file of bars.

    Args:
        path: YAML: ``version: 1`` and ``bars``, a list of lines, or of ``name`` and ``bar``.

    Raises:
        BarsError: The file is missing, no YAML, or not of that form; file and place are named.
    """
    import yaml

    from profile_tasks.data.unique_keys import load_unique_keys

    try:
        content = load_unique_keys(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "not UTF-8"
        raise BarsError(f"{path}: cannot be read ({problem})") from error
    except (yaml.YAMLError, ValueError) as error:
        raise BarsError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from error
    given = _mapping(content, f"{path}", required=("version", "bars"))
    if given["version"] != BARS_VERSION or isinstance(given["version"], bool):
        raise BarsError(f"{path}: version is {given['version']!r}; expected {BARS_VERSION}")
    entries = given["bars"]
    if not isinstance(entries, list) or not entries:
        raise BarsError(f"{path}: bars is {entries!r}; expected a list of at least one bar")
    bars = tuple(_entry(entry, f"{path}: bars[{n}]") for n, entry in enumerate(entries, 1))
    names = [bar.name for bar in bars]
    if repeated := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise BarsError(f"{path}: {repeated[0]!r} stands there twice; name each bar once")
    return bars


def check_metrics(bars: Sequence[NamedBar], reported: Collection[str], path: Path) -> None:
    """Refuse a name that no run reports and the catalogue does not know: it is misspelt.

    Args:
        bars: The bars, in the order of the file.
        reported: Names of the metrics that the runs report.
        path: The file of the bars.

    Raises:
        BarsError: There is one; its place is named, and the nearest metric.
    """
    for n, named in enumerate(bars, 1):
        for metric in named.bar.metrics:
            if metric in reported or find(metric) is not None:
                continue
            known = dict.fromkeys([*filter(find, reported), *names(lambda m: "{" not in m.name)])
            near = by_title(metric, known) or nearest(metric, known)
            meant = "" if near is None else f"; did you mean {near!r}?"
            raise BarsError(f"{path}: bars[{n}]: no metric {metric!r}{meant}")


def _entry(entry: object, place: str) -> NamedBar:
    if isinstance(entry, str):
        name, text = " ".join(entry.split()), entry
    else:
        given = _mapping(entry, place, required=("bar",), optional=("name",))
        text = given["bar"]
        if not isinstance(text, str):
            raise BarsError(f"{place}.bar is {text!r}; expected a text")
        name = given.get("name", " ".join(text.split()))
        if not isinstance(name, str) or not name.strip():
            raise BarsError(f"{place}.name is {name!r}; expected a text")
    try:
        return NamedBar(name, parse_bar(text))
    except BarsError as error:
        raise BarsError(f"{place}: {error}") from error


def _mapping(
    content: object, place: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The content, once its keys are those that may and must be there."""
    known = [*required, *optional]
    if not isinstance(content, dict):
        raise BarsError(f"{place}: expected {' and '.join(known)}, got {content!r}")
    for key in content:
        if key not in known:
            raise BarsError(f"{place}: {key!r} is no key here. Must be one of: {', '.join(known)}")
    for key in required:
        if key not in content:
            raise BarsError(f"{place}: {key} is missing")
    return content


def _no_worse(shown: str, body: str, confidence: float | None) -> NoWorse:
    found = _NO_WORSE.fullmatch(body)
    if found is None:
        raise BarsError(
            f"{shown!r}: expected 'no worse than LOG [by MARGIN] [on METRIC] [with 95% confidence]'"
        )
    if confidence not in (None, NO_WORSE_CONFIDENCE):
        raise BarsError(f"{shown!r}: paired differences have 95 % intervals; write 95%")
    return NoWorse(
        text=shown,
        baseline=found["quoted"] or found["bare"],
        margin=float(found["margin"] or 0),
        metric=found["metric"],
        confidence=confidence,
    )


def _inequality(shown: str, body: str, confidence: float | None) -> Inequality:
    try:
        parsed = ast.parse(body.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BarsError(
            f"{shown!r}: expected a comparison such as 'flip_rate <= 0.2 with 95% confidence'"
        ) from error
    if not isinstance(parsed, ast.Compare) or len(parsed.ops) != 1:
        raise BarsError(f"{shown!r}: expected one comparison, with one of: >= > <= <")
    relation = _RELATIONS.get(type(parsed.ops[0]))
    if relation is None:
        raise BarsError(f"{shown!r}: compare with one of: >= > <= <")
    left, right = (
        Expression(ast.unparse(side), _checked(side, shown))
        for side in (parsed.left, parsed.comparators[0])
    )
    if not left.metrics and not right.metrics:
        raise BarsError(f"{shown!r}: names no metric")
    if confidence is not None:
        sides = [left, right] if not (left.metrics and right.metrics) else [left.less(right)]
        for side in sides:
            if (side.inside_abs or side).has_abs:
                raise BarsError(
                    f"{shown!r}: with confidence, abs() must be one whole side and the other a "
                    "number; an interval of anything else made of it would never reach 0"
                )
    return Inequality(shown, left, relation, right, confidence)


def _checked(node: ast.expr, shown: str) -> ast.expr:
    """The node, once all of it is of the grammar."""
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            _checked(left, shown)
            _checked(right, shown)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _checked(operand, shown)
        case ast.Call(func=ast.Name(id="abs"), args=[argument], keywords=[]):
            _checked(argument, shown)
        case ast.Name():
            pass
        case ast.Constant(value=int() | float() as number) if not isinstance(
            number, bool
        ) and math.isfinite(number):
            pass
        case _:
            raise BarsError(
                f"{shown!r}: {ast.unparse(node)!r} is not allowed. A bar holds numbers, metrics, "
                "+ - * / and abs()"
            )
    return node


_ONE = ""
"""Stands for no metric: what it is the coefficient of is the constant."""

_Coefficients = dict[str, Fraction]


def _linear(node: ast.expr) -> _Coefficients | None:
    """The coefficients, that of the constant among them; None where it is not linear."""
    match node:
        case ast.Name(id=name):
            return {name: Fraction(1)}
        case ast.Constant(value=number):
            return {_ONE: Fraction(repr(number))}
        case ast.UnaryOp(operand=operand):
            return _sum({}, _linear(operand), Fraction(-1))
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            sign = Fraction(1 if isinstance(op, ast.Add) else -1)
            return _sum(_linear(left), _linear(right), sign)
        case ast.BinOp(left=left, op=op, right=right):
            return _product(_linear(left), _linear(right), divided=isinstance(op, ast.Div))
    return None


def _sum(
    one: _Coefficients | None, other: _Coefficients | None, factor: Fraction
) -> _Coefficients | None:
    """One + factor * the other."""
    if one is None or other is None:
        return None
    none = Fraction(0)
    added = {name: one.get(name, none) + factor * other.get(name, none) for name in one | other}
    return {name: number for name, number in added.items() if number}


def _product(
    one: _Coefficients | None, other: _Coefficients | None, *, divided: bool
) -> _Coefficients | None:
    """One * the other, or one / the other: linear where what it is multiplied by is a number."""
    if not divided and one is not None and one.keys() <= {_ONE}:
        one, other = other, one
    if other is None or not other.keys() <= {_ONE}:
        return None
    factor = other.get(_ONE, Fraction(0))
    if divided:
        return _sum({}, one, 1 / factor) if factor else None
    return _sum({}, one, factor)


def _value(node: ast.expr, values: Mapping[str, Values]) -> Any:  # noqa: ANN401 - as numpy has it
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_value(left, values), _value(right, values))
        case ast.UnaryOp(operand=operand):
            return np.negative(_value(operand, values))
        case ast.Call(args=[argument]):
            return np.abs(_value(argument, values))
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=number):
            return np.float64(number)  # type: ignore[arg-type]
    raise AssertionError(f"{ast.dump(node)} is not of the grammar")
