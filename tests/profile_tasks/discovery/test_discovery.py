"""What is planted is found again, nothing else is, and neither order nor sides matter."""

import json
import time

import pytest

from profile_tasks.discovery.candidates import form_features
from profile_tasks.discovery.discovery import discover
from profile_tasks.scorers.factors.factor import surface_function
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.settings import DiscoverySettings

FLIPPED = {"a": "b", "b": "a"}


def test_a_question_at_the_end_is_found_first(rows, loaded) -> None:
    found = discover(loaded(rows(300)))
    first = found.tested[0]
    assert first.passed
    assert first.added.estimate.value > 0
    assert first.influence["tau"] > 0.2
    assert first.gain.value > 0
    asks = [("?" in one) - ("?" in two) for one, two in
            zip(found.held_out.preferred, found.held_out.other, strict=True)]  # fmt: skip
    assert first.candidate.held_out.tolist() == asks


def test_what_people_like_less_is_found_too(rows, loaded) -> None:
    first = discover(loaded(rows(300, asking=-2.0))).tested[0]
    assert first.passed
    assert first.added.estimate.value < 0


def test_where_length_alone_counts_nothing_is_claimed(rows, loaded) -> None:
    claimed = [discover(loaded(rows(240, asking=0.0, seed=seed))).found for seed in range(8)]
    assert sum(map(bool, claimed)) <= 1


def test_a_known_factor_is_not_found_again(rows, loaded, tmp_path) -> None:
    path = tmp_path / "known.yaml"
    path.write_text(
        "version: 1\nfactors:\n- {id: asks, kind: surface, tasks: [instruction_following], "
        "definition: Questions., pattern: '[?]'}\n",
        encoding="utf-8",
    )
    assert not discover(loaded(rows(300)), f"{path},length,asks").found


def test_rows_and_sides_may_stand_in_any_order(rows, loaded) -> None:
    there = rows(160)
    back = [
        row
        | {
            "response_a": row["response_b"],
            "response_b": row["response_a"],
            "preference": FLIPPED[row["preference"]],
        }
        for row in reversed(there)
    ]
    one, two = (json.dumps(discover(loaded(each)).record()) for each in (there, back))
    assert one == two


def test_the_seed_says_which_sources_are_searched(rows, loaded) -> None:
    data = loaded(rows(160))
    one, two, other = (
        discover(data, settings=DiscoverySettings(seed=s)).record() for s in (1, 1, 2)
    )
    assert one == two
    assert one["tested"] != other["tested"]


def test_the_record_is_json_and_counts_everything_that_was_tried(rows, loaded) -> None:
    record = discover(loaded(rows(200)), settings=DiscoverySettings(at_most=3)).record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert len(record["tested"]) == 3
    assert record["tried"]["form"] > 0
    assert record["tried"]["wording"] > 10
    assert record["found"] == [each["factor"] for each in record["tested"] if each["passed"]]
    assert [each["p_adjusted"] for each in record["tested"]] == sorted(
        each["p_adjusted"] for each in record["tested"]
    )


def test_the_most_adjusted_p_is_holms(rows, loaded) -> None:
    tested = discover(loaded(rows(200)), settings=DiscoverySettings(at_most=4)).tested
    p = sorted(each.added.p_value for each in tested)
    assert tested[0].p_holm == pytest.approx(min(1.0, 4 * p[0]))


def test_texts_that_never_differ_leave_nothing_to_test(rows, loaded) -> None:
    alike = [row | {"response_a": "same", "response_b": "same"} for row in rows(40)]
    found = discover(loaded(alike))
    assert (found.tested, found.record()["accuracy"]["known"]["value"]) == ([], 0.5)


def test_features_of_form_are_factors_that_the_taxonomy_lacks() -> None:
    ids = [factor.id for factor in form_features()]
    assert len(ids) == len(set(ids)) >= 30
    assert not set(ids) & load_taxonomy().keys()
    assert all(factor.pattern for factor in form_features())


@pytest.mark.parametrize("piece", ["| ", "|", "**a", "? ", "`a", " ", "\n ", "(", "1.", "A"])
def test_no_text_takes_a_feature_of_form_long(piece: str) -> None:
    text = piece * (120_000 // len(piece)) + "x"
    start = time.process_time()
    for factor in form_features():
        surface_function(factor)(text, None, "")
    assert time.process_time() - start < 1.0
