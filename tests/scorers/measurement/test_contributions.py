"""Which preferences contributions are of, and how reliable a run's grades are."""

import math

import numpy as np
import pytest

from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.grading.record import FactorGrading
from profile_tasks.scorers.measurement.contributions import (
    contributions_record,
    measured_preferences,
)
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement

FACTORS = ("length", "coherence", "charm")


def measured(number: int, rng: np.random.Generator, *, flipped: int = 1) -> SourceMeasurement:
    """Four pairs; people and the model prefer the longer, the model gave no verdict on the last."""
    signs = rng.choice([-1, 1], size=(4, 3)).tolist()
    return SourceMeasurement(
        source_id=f"s{number}",
        group=f"g{number}",
        factors=FACTORS,
        human=tuple(row[0] for row in signs),
        annotated=tuple(map(tuple, signs)),
        picks=(*(("a" if row[0] > 0 else "b",) for row in signs[:3]), (None,)),
        grading={
            "coherence": FactorGrading(asked=5, missing=0, both_orders=5, flipped=flipped),
            "charm": FactorGrading(asked=8, missing=0),
        },
    )


def preferences(**options: int):
    rng = np.random.default_rng(0)
    return measured_preferences([measured(i, rng, **options) for i in range(30)], load_taxonomy())


def test_reliability_is_of_the_factors_that_were_asked_for_in_both_orders():
    assert preferences().reliability == {"coherence": 1 - 30 / 120}
    assert preferences(flipped=0).reliability == {"coherence": 1.0}


def test_a_factor_that_nobody_knows_has_no_level():
    assert preferences().levels == {"length": 1, "coherence": 3}


def test_verdicts_stand_beside_the_rows_of_people():
    found = preferences()
    table, said = found.tables["human"], found.verdicts["discrimination"]
    assert said.shape == table.preference.shape
    known = np.isfinite(said)
    assert np.count_nonzero(~known) == 30
    assert (said[known] == table.preference[known]).all()


def test_the_record_is_json_and_says_of_few_pairs_that_intervals_cover_less():
    record = contributions_record(preferences(), seed=1)
    assert record["seed"] == 1
    assert record["profiles"]["human"]["cautions"]
    assert record["profiles"]["human"]["factors"]["length"]["share"]["value"] == pytest.approx(
        1, abs=0.05
    )
    (aligned,) = record["alignment"]
    assert aligned["by_level"]["3"]["n_factors"] == 1

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)
        elif isinstance(value, float):
            assert math.isfinite(value)

    walk(record)
