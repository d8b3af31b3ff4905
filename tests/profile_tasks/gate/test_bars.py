"""What a bar may say, and how a file of bars is checked."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from profile_tasks.gate.bars import (
    BarsError,
    Inequality,
    NoWorse,
    load_bars,
    parse_bar,
)


def test_a_comparison_is_read() -> None:
    bar = parse_bar("  alignment_generation_tau_b >= 0.4\n with 95% confidence ")
    assert isinstance(bar, Inequality)
    assert (bar.left.metrics, bar.relation) == (("alignment_generation_tau_b",), ">=")
    assert bar.right.value({}) == 0.4
    assert bar.confidence == 0.95
    assert bar.text == "alignment_generation_tau_b >= 0.4 with 95% confidence"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abs(a - b) > 0", 3.0),
        ("-a + 2 * b > 0", 8.0),
        ("(a + b) / 2 > 0", 3.5),
        ("a - b - 1 > 0", -4.0),
        ("1e-1 * a > 0", 0.2),
    ],
)
def test_expressions_are_arithmetic(text: str, expected: float) -> None:
    bar = parse_bar(text)
    assert isinstance(bar, Inequality)
    assert bar.left.value({"a": 2.0, "b": 5.0}) == pytest.approx(expected)
    # Replicates take the same way.
    drawn = bar.left.value({"a": np.array([2.0, 2.0]), "b": np.array([5.0, 5.0])})
    np.testing.assert_allclose(drawn, [expected, expected])


def test_a_division_by_zero_is_not_defined() -> None:
    bar = parse_bar("a / b > 0")
    assert isinstance(bar, Inequality)
    assert np.isnan(bar.left.value({"a": 0.0, "b": 0.0}))


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true') > 0",
        "a.b > 0",
        "a[0] > 0",
        "max(a, b) > 0",
        "abs(a, b) > 0",
        "abs(*a) > 0",
        "a ** 9 > 0",
        "a @ b > 0",
        "(lambda: 1)() > 0",
        "[a for a in b] > 0",
        "'a' > 0",
        "True > a",
        "1e999 > a",
        "(a > 0) > 0",
        "(a := 1) > 0",
        "a if b else c > 0",
        "not a > 0",
        "a > 0 and b > 0",
    ],
)
def test_nothing_but_the_grammar_is_allowed(text: str) -> None:
    with pytest.raises(BarsError):
        parse_bar(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "expected one comparison"),
        ("0 < a < 1", "expected one comparison"),
        ("a == 1", "compare with one of: >= > <= <"),
        ("a >=", "expected a comparison such as"),
        ("1 > 0", "names no metric"),
        ("a >= 1 with 100% confidence", "between 50 % and 100 %"),
        ("a >= 1 with 50% confidence", "between 50 % and 100 %"),
        ("a >= 1 with 0% confidence", "between 50 % and 100 %"),
        ("a >= 1 with confidence", "expected a comparison such as"),
        ("max(a) > 0", r"'max\(a\)' is not allowed"),
        ("abs(a) + 1 >= 0 with 95% confidence", r"abs\(\) must be one whole side"),
        ("abs(a) >= b with 95% confidence", r"abs\(\) must be one whole side"),
        ("no worse than", "expected 'no worse than LOG"),
        ("no worse than a.eval by -1", "expected 'no worse than LOG"),
        ("no worse than a.eval on x with 90% confidence", "write 95%"),
        ("a" * 501, "at most 500 characters"),
        ("(" * 400 + "a", "expected a comparison"),
    ],
)
def test_what_is_wrong_with_a_bar_is_told(text: str, message: str) -> None:
    with pytest.raises(BarsError, match=message):
        parse_bar(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no worse than base.eval", ("base.eval", 0.0, None, None)),
        (
            "no worse than logs/b.eval by 0.05 on flip_rate with 95% confidence",
            ("logs/b.eval", 0.05, "flip_rate", 0.95),
        ),
        ('no worse than "my base.eval" by .1', ("my base.eval", 0.1, None, None)),
    ],
)
def test_a_baseline_is_read(
    text: str, expected: tuple[str, float, str | None, float | None]
) -> None:
    bar = parse_bar(text)
    assert isinstance(bar, NoWorse)
    assert (bar.baseline, bar.margin, bar.metric, bar.confidence) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 0", {"a": 1}),
        ("-a > 0", {"a": -1}),
        ("1 - a / 4 > 0", {"a": Fraction(-1, 4)}),
        ("2 * (a - 0.5) * 3 > 0", {"a": 6}),
        ("b - 2 - (a + 1) > 0", {"a": -1, "b": 1}),
        # As the decimals were written: as floats 0.1 + 0.2 is not 0.3.
        ("0.1 * a + 0.2 * a - 0.3 * a > 0", {}),
        ("a - a + b > 0", {"b": 1}),
        ("a * a > 0", None),
        ("1 / a > 0", None),
        ("a / (2 - 2) > 0", None),
        ("a * b > 0", None),
        ("abs(a) > 0", None),
    ],
)
def test_the_coefficients_of_a_linear_expression_are_exact(
    text: str, expected: dict[str, Fraction] | None
) -> None:
    bar = parse_bar(text)
    assert isinstance(bar, Inequality)
    assert bar.left.linear == expected


def test_two_sides_make_the_left_one_less_the_right_one() -> None:
    bar = parse_bar("a > b")
    assert isinstance(bar, Inequality)
    assert bar.left.less(bar.right).linear == {"a": 1, "b": -1}


def written(folder: Path, text: str) -> Path:
    path = folder / "bars.yaml"
    path.write_text(text)
    return path


def test_a_file_holds_lines_and_named_bars(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "version: 1\nbars:\n  - flip_rate <= 0.2\n  - name: length\n    bar: a < 1\n",
    )
    bars = load_bars(path)
    assert [bar.name for bar in bars] == ["flip_rate <= 0.2", "length"]
    assert [bar.bar.text for bar in bars] == ["flip_rate <= 0.2", "a < 1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nbars: [a < 1]\nbar: x\n", "'bar' is no key here. Must be one of: version"),
        ("bars: [a < 1]\n", "version is missing"),
        ("version: 2\nbars: [a < 1]\n", "version is 2; expected 1"),
        ("version: true\nbars: [a < 1]\n", "version is True; expected 1"),
        ("version: 1\nbars: []\n", r"bars is \[\]; expected a list"),
        ("version: 1\nbars: a < 1\n", "expected a list"),
        ("version: 1\nbars: [{name: x}]\n", r"bars\[1\]: bar is missing"),
        ("version: 1\nbars: [a < 1, {bar: b < 1, nam: x}]\n", r"bars\[2\]: 'nam' is no key"),
        ("version: 1\nbars: [{bar: 3}]\n", r"bars\[1\].bar is 3; expected a text"),
        ("version: 1\nbars: [{bar: a < 1, name: 3}]\n", r"bars\[1\].name is 3"),
        ("version: 1\nbars: [3]\n", r"bars\[1\]: expected bar"),
        ("version: 1\nbars: [a < 1, a < 1]\n", "'a < 1' stands there twice"),
        ("version: 1\nbars: [a == 1]\n", r"bars\[1\]: 'a == 1': compare with"),
        ("version: 1\nversion: 1\nbars: [a < 1]\n", "not valid YAML .*line 2, key 'version'"),
        ("version: [\n", "not valid YAML"),
        ("", "expected version and bars"),
        ("- a < 1\n", "expected version and bars"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BarsError, match=message) as error:
        load_bars(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BarsError, match=r"no\.yaml: cannot be read \(No such file"):
        load_bars(tmp_path / "no.yaml")
