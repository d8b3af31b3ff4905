"""The file of what was found: read back as factors, evidence beside them, hostile words inert."""

import pytest

from profile_tasks.discovery.discovery import discover
from profile_tasks.discovery.factors_file import factors_file
from profile_tasks.scorers.factors.selection import resolve_factors


@pytest.fixture
def written(rows, loaded):
    return factors_file(discover(loaded(rows(300))), "pairs.jsonl#1234")


def test_it_is_read_back_as_the_found_factors(written, rows, loaded, tmp_path) -> None:
    path = tmp_path / "factors.yaml"
    path.write_text(written, encoding="utf-8")
    found = [each.candidate.factor for each in discover(loaded(rows(300))).found]
    read = {f.id: f for f in resolve_factors(str(path), "instruction_following")}
    for factor in found:
        assert read[factor.id].pattern == factor.pattern
        assert read[factor.id].citation == "profile-tasks discover, pairs.jsonl#1234"


def test_the_evidence_stands_beside_each(written) -> None:
    assert "# held out: tau +0." in written.replace("  #", "#")
    assert "p is adjusted over 5 tests (Holm)" in written
    assert "features of form" in written


def test_nothing_in_a_name_ends_a_comment(rows, loaded) -> None:
    hostile = factors_file(discover(loaded(rows(300))), "a\nversion: 2\x1b[31m")
    assert hostile.splitlines()[1] == "# In: a version: 2�[31m; seed 0."
    assert hostile.count("\nversion: ") == 1
