"""The alignment of two profiles, and what is no profile."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]


def test_a_profile_aligns_with_itself_and_against_its_mirror(run: Run, tmp_path: Path) -> None:
    profile = {"length": 0.3, "fluency": 0.1, "hallucination": -0.4, "novel_words": 0.0}
    mirror = {factor: -value for factor, value in profile.items()}
    (tmp_path / "a.json").write_text(json.dumps(profile))
    (tmp_path / "b.json").write_text(json.dumps({**mirror, "formality": 0.2, "absent": None}))
    same = json.loads(
        run("align", tmp_path / "a.json", tmp_path / "a.json", "--format", "json").stdout
    )
    assert (same["tau_b"], same["n_factors"]) == (1, 4)
    assert same["p_value_method"] == "exact"
    other = json.loads(
        run("align", tmp_path / "a.json", tmp_path / "b.json", "--format", "json").stdout
    )
    assert other["tau_b"] == pytest.approx(-1)
    assert other["pearson"] == pytest.approx(-1)
    assert other["only_in_b"] == ["absent", "formality"]


def test_influence_records_align(run: Run, tmp_path: Path) -> None:
    record = run("influence", "demo", "--task", "summarization", "--format", "json").stdout
    (tmp_path / "a.json").write_text(record)
    shown = run("align", tmp_path / "a.json", tmp_path / "a.json").stdout
    assert re.search(r"tau_b\s+\+1\.000", shown)


def test_too_few_shared_factors_are_not_aligned(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"length": 0.3, "fluency": 0.1}')
    record = json.loads(
        run("align", tmp_path / "a.json", tmp_path / "a.json", "--format", "json").stdout
    )
    assert record["tau_b"] is None
    assert "3" in record["reason"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON in UTF-8"),
        ("[1, 2]", "expected the JSON of `profile-tasks influence`"),
        ('{"length": "long"}', "factor 'length' is 'long'; expected a number or null"),
        ('{"length": {"value": 0.3}}', "factor 'length' has no field 'tau'"),
        ('{"length": Infinity}', "factor 'length' is inf; expected a number or null"),
        (f'{{"length": {"9" * 400}}}', "expected a number or null"),
        ("[" * 100_000, "not JSON in UTF-8"),
    ],
)
def test_what_is_no_profile_is_named(run: Run, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.json").write_text(content)
    assert message in run("align", tmp_path / "a.json", tmp_path / "a.json", exit_code=1).stderr


def test_a_missing_file_is_named(run: Run) -> None:
    assert "nowhere.json" in run("align", "nowhere.json", "nowhere.json", exit_code=2).stderr
