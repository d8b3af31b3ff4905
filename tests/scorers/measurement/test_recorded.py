"""Recorded preferences as one table: which factors are computed, which are read from the data."""

from pathlib import Path

import numpy as np
import pytest

from profile_tasks.data.preferences import (
    AnnotatedPair,
    AnnotatedSource,
    PreferenceData,
    load_preferences,
)
from profile_tasks.data.task_definition import packaged_tasks
from profile_tasks.scorers.factors.selection import resolve_factors
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.measurement.recorded import human_comparisons

TASKS = packaged_tasks()

CORE = [factor.id for factor in resolve_factors("core", "summarization")]
SURFACE = [factor.id for factor in resolve_factors("surface", "summarization")]


def data_of(*tasks: str, factors_a: dict | None = None, factors_b: dict | None = None):
    """A source a task, with one pair: its first response is longer, and preferred."""
    pair = AnnotatedPair(
        id="p",
        response_a="The ferry left at nine.",
        response_b="It left.",
        preference="a",
        factors_a=factors_a or {},
        factors_b=factors_b or {},
    )
    sources = tuple(
        AnnotatedSource(id=t, group=t, task=t, prompt="Say.", source="A ferry left.", pairs=(pair,))
        for t in tasks
    )
    return PreferenceData(sources, (), 0, 0, "test")


@pytest.mark.parametrize("selection", ["auto", "surface"])
def test_without_a_grader_the_surface_factors_are_compared(selection: str) -> None:
    assert list(human_comparisons(data_of("summarization"), selection).factors) == SURFACE


def test_data_of_several_tasks_have_the_factors_of_any_of_them() -> None:
    table = human_comparisons(data_of("instruction_following", "summarization"))
    assert list(table.factors) == SURFACE


@pytest.mark.parametrize("selection", ["core", "all", "hallucination,length,fluency"])
def test_factors_that_need_a_grader_are_named_with_the_remedy(selection: str) -> None:
    with pytest.raises(ValueError, match="need a grader model") as error:
        human_comparisons(data_of("summarization"), selection)
    named, remedy = str(error.value).split(" need a grader model")
    assert {"hallucination", "fluency"} <= set(named.removeprefix("factors ").split(", "))
    assert "length" not in named
    assert "--factors length,readability" in remedy
    assert "-T factors=... with --model-role grader=..." in remedy


def test_recorded_values_stand_in_for_a_grader() -> None:
    data = data_of("summarization", factors_a={"coherence": 2}, factors_b={"coherence": 4})
    table = human_comparisons(data, "coherence,length")
    assert table.factors == ("coherence", "length")
    np.testing.assert_array_equal(table.manifestation, [[-1, 1]])


def test_core_is_possible_where_all_graded_factors_are_recorded() -> None:
    graded = [name for name in CORE if load_taxonomy()[name].graded]
    values = dict.fromkeys(graded, 1.0)
    data = data_of("summarization", factors_a=values, factors_b={**values, "fluency": 0.0})
    table = human_comparisons(data, "core")
    assert list(table.factors) == CORE
    assert table.manifestation[0, CORE.index("fluency")] == 1
    assert table.manifestation[0, CORE.index("coherence")] == 0

    values.pop("off_focus")
    with pytest.raises(ValueError, match="factors off_focus need a grader"):
        human_comparisons(data_of("summarization", factors_a=values), "core")


def test_a_recorded_name_may_not_be_that_of_a_computed_factor() -> None:
    data = data_of("summarization", factors_a={"length": 3})
    with pytest.raises(ValueError, match="'length' is computed here and also recorded"):
        human_comparisons(data, "length")


def test_human_labels_of_summeval_are_used_as_they_are_recorded(shared_data: Path) -> None:
    data = load_preferences(str(shared_data / "summeval.jsonl"), task="summarization", limit=20)
    table = human_comparisons(data, "coherence,fluency,length")
    assert table.factors == ("coherence", "fluency", "length")
    pair = data.sources[0].pairs[0]
    expected = np.sign(pair.factors_a["coherence"] - pair.factors_b["coherence"])
    assert table.manifestation[0, 0] == expected


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A taxonomy file with a computed and a judged factor of one's own."""
    (tmp_path / "counted_marks.py").write_text(
        "def full_stops(response, source, prompt):\n    return float(response.count('.'))\n"
    )
    (tmp_path / "mine.yaml").write_text(
        "version: 1\n"
        "factors:\n"
        "  - {id: full_stops, kind: surface, tasks: [summarization], definition: Full stops.,\n"
        "     function: 'counted_marks:full_stops'}\n"
        "  - {id: warmth, kind: judged, tasks: [summarization], definition: How warm it is.}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return "mine.yaml"


def test_a_taxonomy_file_adds_computed_factors(mine: str) -> None:
    table = human_comparisons(data_of("summarization"), f"{mine},full_stops,length")
    assert table.factors == ("full_stops", "length")
    np.testing.assert_array_equal(table.manifestation, [[0, 1]])


def test_a_judged_factor_of_ones_own_is_read_from_the_data(mine: str) -> None:
    data = data_of("summarization", factors_a={"warmth": 1}, factors_b={"warmth": 0})
    assert list(human_comparisons(data, mine).factors) == [*SURFACE, "full_stops", "warmth"]
    with pytest.raises(ValueError, match="factors warmth need a grader"):
        human_comparisons(data_of("summarization"), mine)


def test_rows_without_a_task_have_the_surface_factors_of_every_task() -> None:
    measured = set(human_comparisons(data_of("")).factors)
    assert "length" in measured
    assert measured == set.intersection(
        *(set(human_comparisons(data_of(task)).factors) for task in TASKS)
    )
    assert human_comparisons(data_of(""), "length").factors == ("length",)
