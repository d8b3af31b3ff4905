"""A factor given as a pattern: what it counts, and what a file may say."""

import math
from pathlib import Path

import pytest
import yaml

from profile_tasks.scorers.factors import counted_pattern
from profile_tasks.scorers.factors.counted_pattern import CountedPattern
from profile_tasks.scorers.factors.factor import Factor, surface_function
from profile_tasks.scorers.factors.surface import factor_values
from profile_tasks.scorers.factors.taxonomy import load_taxonomy, own_factors_hash

QUESTIONS = {
    "id": "asks",
    "kind": "surface",
    "tasks": ["summarization"],
    "definition": "Question marks.",
    "pattern": r"\?",
}


def loaded(tmp_path: Path, **fields: object) -> Factor:
    entry = {name: value for name, value in (QUESTIONS | fields).items() if value is not None}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "factors": [entry]}), encoding="utf-8")
    return load_taxonomy(path)[str(entry["id"])]


def test_matches_are_counted(tmp_path: Path) -> None:
    assert surface_function(loaded(tmp_path))("Why? Who? I.", None, "") == 2.0


def test_matches_are_counted_per_word_as_length_counts_words(tmp_path: Path) -> None:
    asked = surface_function(loaded(tmp_path, per="word"))
    assert asked("Why? Who? I am.", None, "") == 0.5
    assert math.isnan(asked(" ", None, ""))


def test_a_pattern_is_a_factor_among_others(tmp_path: Path) -> None:
    factors = [loaded(tmp_path), load_taxonomy()["length"]]
    assert factor_values(factors, ["a b?"], [None], [""]).tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"pattern": "("}, r"field 'pattern': '\(' is no regular expression"),
        ({"pattern": "a*"}, "matches nothing at all"),
        ({"pattern": None}, "field 'function': is missing. A surface factor needs one, or a patt"),
        ({"function": "math:fsum"}, "stands beside 'function'"),
        ({"pattern": None, "function": "a:b", "per": "word"}, "field 'per'"),
        ({"per": "line"}, "field 'per'"),
        ({"kind": "judged"}, "field 'pattern': is for surface factors only"),
    ],
)
def test_what_cannot_be_counted_is_refused(
    tmp_path: Path, fields: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        loaded(tmp_path, **fields)


def test_a_pattern_that_runs_wild_is_stopped_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_pattern, "PATTERN_SECONDS", 0.05)
    with pytest.raises(ValueError, match=r"factor 'wild'.*not found within 0\.05 s.*40,001"):
        CountedPattern("wild", r"(?:a|aa|b?a)+$")("a" * 40_000 + "!")


def test_a_pattern_takes_the_place_of_a_packaged_function_and_back(tmp_path: Path) -> None:
    counted = loaded(tmp_path, id="markdown", pattern=r"#")
    assert (counted.pattern, counted.function) == ("#", None)
    path = tmp_path / "back.yaml"
    path.write_text(
        "version: 1\nfactors:\n- {id: markdown, function: 'math:fsum'}\n", encoding="utf-8"
    )
    back = load_taxonomy(path, {"markdown": counted})["markdown"]
    assert (back.pattern, back.function) == (None, "math:fsum")


def test_hashes_of_factors_without_a_pattern_are_what_they_were(tmp_path: Path) -> None:
    by_function = loaded(tmp_path, pattern=None, function="math:fsum")
    assert own_factors_hash([by_function]) == "61dfb42e"
    assert own_factors_hash([loaded(tmp_path)]) != own_factors_hash([loaded(tmp_path, per="word")])
