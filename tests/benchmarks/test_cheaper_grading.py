"""What docs/cost.md says of cheaper grading comes from these estimators, held to known ends."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture
def benchmark(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    import cheaper_grading

    yield cheaper_grading
    del sys.modules["cheaper_grading"]


def test_a_regression_on_what_says_everything_needs_no_more_sources(benchmark: ModuleType) -> None:
    """Where a cheap factor is the graded one, a quarter is as good as all; where chance, not."""
    rng = np.random.default_rng(1)
    net, counted = rng.integers(-3, 4, 400).astype(float), np.full(400, 3.0)
    for x, expected in ((net, 1.0), (rng.normal(size=400), 2.0)):
        draws = [benchmark.draw(rng, x[:, None], net, counted, 0.25) for _ in range(50)]
        widths = np.array([[half for _, half in one] for one in draws]).mean(axis=0)
        assert widths[1] / widths[0] == pytest.approx(2, abs=0.1)
        assert widths[2] / widths[0] == pytest.approx(expected, abs=0.1)


def test_an_interval_that_always_holds_is_wider_at_every_number(benchmark: ModuleType) -> None:
    for n in (30, 100, 1000, 10_000):
        assert benchmark.sequence(100, 0.1, n) > 1.3 * benchmark.half_width(0.1, n)


def test_batched_grading_is_counted_as_cheaper(
    benchmark: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark.requests(["summarization=demo"], 2)
    written, judged = capsys.readouterr().out.splitlines()
    assert float(written.rpartition("ratio ")[2]) < float(judged.rpartition("ratio ")[2]) < 0.5
