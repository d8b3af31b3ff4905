"""What columns of recorded answers mean: verdicts, what is missing, and what is refused."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.data.preferences import (
    AnnotatedSource,
    PreferenceDataError,
    load_preferences,
)
from profile_tasks.solvers.both_orders import PairVerdict
from profile_tasks.solvers.recorded_answers import RecordedModel, recorded_models, recorded_names


def sources_of(path: Path, *columns: dict[str, Any]) -> tuple[AnnotatedSource, ...]:
    """One pair a row, all about one source, with these columns."""
    rows = [
        {
            "id": f"r{at}",
            "task": "instruction_following",
            "prompt": "Say it.",
            "response_a": f"one {at}",
            "response_b": f"two {at}",
            "preference": "a",
            **columns_of_row,
        }
        for at, columns_of_row in enumerate(columns)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return load_preferences(str(path)).sources


def model_of(tmp_path: Path, *columns: dict[str, Any]) -> RecordedModel:
    (model,) = recorded_models(sources_of(tmp_path / "f.jsonl", *columns), "f.jsonl")
    return model


def verdict_of(tmp_path: Path, **columns: Any) -> PairVerdict:
    return model_of(tmp_path, columns).verdicts["r0"]


def test_picks_by_position_are_the_verdict_with_its_flip(tmp_path: Path) -> None:
    flipped = verdict_of(tmp_path, judge_x="tie", picks_x=["first", "first"])
    assert (flipped.preference, flipped.flipped, flipped.unreadable) == (0, True, 0)
    agreeing = verdict_of(tmp_path, judge_x="b", picks_x=["second", "first"])
    assert (agreeing.preference, agreeing.flipped) == (-1, False)
    one_order = verdict_of(tmp_path, judge_x="b", picks_x=["second"])
    assert (one_order.preference, one_order.flipped, one_order.picks) == (-1, None, ("second",))


@pytest.mark.parametrize(("column", "preference"), [("a", 1), ("b", -1), ("tie", 0), (None, None)])
def test_a_verdict_alone_says_nothing_of_orders_and_positions(
    tmp_path: Path, column: str | None, preference: int | None
) -> None:
    verdict = verdict_of(tmp_path, judge_x=column)
    assert (verdict.preference, verdict.flipped) == (preference, None)
    assert not {"first", "second"} & set(verdict.picks)
    assert verdict.unreadable == (column is None)
    assert verdict.exchanged().preference == (None if preference is None else -preference)


def test_a_missing_pick_makes_the_verdict_missing_and_counts(tmp_path: Path) -> None:
    half = verdict_of(tmp_path, judge_x=None, picks_x=["first", None])
    assert (half.preference, half.unreadable) == (None, 1)
    # Where the picks are there, null in the other column takes nothing away.
    assert verdict_of(tmp_path, judge_x=None, picks_x=["first", "second"]).preference == 1
    absent = model_of(tmp_path, {"judge_x": "a"}, {}).verdicts["r1"]
    assert (absent.preference, absent.unreadable) == (None, 1)


@pytest.mark.parametrize("column", ["picks_x", "probability_x"])
def test_a_row_with_nothing_of_a_judge_of_both_orders_lacks_two_answers(
    tmp_path: Path, column: str
) -> None:
    known = ["first", "second"] if column == "picks_x" else [0.9, 0.2]
    model = model_of(tmp_path, {column: known}, {column: None}, {})
    assert [model.verdicts[row].unreadable for row in ("r0", "r1", "r2")] == [0, 2, 2]


def test_probabilities_become_margins_in_which_a_liking_for_a_position_cancels(
    tmp_path: Path,
) -> None:
    verdict = verdict_of(tmp_path, probability_x=[0.9, 0.6])
    assert verdict.margins == pytest.approx((math.log(9), math.log(1.5)))
    assert verdict.picks == ("first", "first")
    assert (verdict.preference, verdict.flipped) == (1, True)
    assert verdict.margin == pytest.approx((math.log(9) - math.log(1.5)) / 2)
    assert verdict_of(tmp_path, judge_x="a", probability_x=[0.9, 0.6]) == verdict
    assert verdict_of(tmp_path, judge_x="tie", probability_x=[0.9, 0.6]) == verdict  # of the picks
    sure = verdict_of(tmp_path, probability_x=[1, 0.0])
    assert sure.preference == 1
    assert all(math.isfinite(margin) for margin in sure.margins)
    missing = verdict_of(tmp_path, probability_x=[0.9, None])
    assert (missing.picks, missing.margins, missing.preference) == (("first", None), (), None)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"judge_x": "A"}, r"'judge_x' is 'A'; expected 'a', 'b', 'tie', or null"),
        ({"judge_x": 1}, r"'judge_x' is 1; expected 'a', 'b', 'tie', or null"),
        ({"judge_x": False}, r"'judge_x' is False|'judge_x' is false"),
        ({"picks_x": "first"}, r"'picks_x' is 'first'; expected a list \[as recorded, swapped\]"),
        ({"picks_x": []}, r"'picks_x' is \[\]; expected a list"),
        ({"picks_x": ["first"] * 3}, r"'picks_x' is .*; expected a list"),
        ({"picks_x": ["a", "b"]}, r"'picks_x' holds 'a'; expected 'first', 'second', 'tie'"),
        ({"picks_x": '["first"'}, r"'picks_x' is broken JSON"),
        ({"probability_x": [1.2, 0.1]}, r"'probability_x' holds 1.2; expected probabilities"),
        ({"probability_x": [True]}, r"'probability_x' holds .*; expected probabilities"),
        ({"probability_x": ["0.5"]}, r"'probability_x' holds '0.5'; expected probabilities"),
        (
            {"judge_x": "a", "picks_x": ["second", "first"]},
            r"'judge_x' is 'a', but the picks by order make 'b'; correct one of them",
        ),
        (
            {"judge_x": "a", "picks_x": ["first", None]},
            r"'judge_x' is 'a', but the picks by order make none \(null\)",
        ),
        (
            {"picks_x": ["second"], "probability_x": [0.7]},
            r"'picks_x' is .*, but those in 'probability_x' make",
        ),
        ({"texts_x": ["one"]}, r"'texts_x' is .*; expected \{\"1\": text"),
        ({"texts_x": {"good": "one"}}, r"'texts_x' holds the score 'good'; expected"),
        ({"texts_x": {"1": 5}}, r"'texts_x' holds 5 for score 1; expected"),
    ],
)
def test_a_wrong_value_is_named_with_row_column_and_what_was_expected(
    tmp_path: Path, columns: dict[str, Any], told: str
) -> None:
    good = {"judge_x": "a"} if "texts_x" not in columns else {"texts_x": None}
    with pytest.raises(PreferenceDataError, match=rf"^f\.jsonl: row 'r1': field {told}"):
        model_of(tmp_path, good, columns)


def test_csv_holds_the_same_as_json_in_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text(
        "id,task,prompt,response_a,response_b,preference,judge_x,picks_x\n"
        'r0,instruction_following,Say it.,one,two,a,b,"[""second"", ""first""]"\n'
        "r1,instruction_following,Say it.,one,three,a,,\n",
        encoding="utf-8",
    )
    (model,) = recorded_models(load_preferences(str(path)).sources, path.name)
    assert model.verdicts["r0"] == PairVerdict(("second", "first"))
    assert model.verdicts["r1"].preference is None


def test_names_are_found_in_the_columns_and_a_wrong_one_is_told_what_there_is(
    tmp_path: Path,
) -> None:
    columns = {"judge_gpt": "a", "picks_palm": ["first"], "texts_writer": {"1": "a", "2": "b"}}
    sources = sources_of(tmp_path / "f.jsonl", columns)
    assert recorded_names(sources) == ("gpt", "palm", "writer")
    assert [m.name for m in recorded_models(sources, "f", ["palm"])] == ["palm"]
    with pytest.raises(PreferenceDataError, match="nothing is recorded of 'plam'; did you mean"):
        recorded_models(sources, "f.jsonl", ["plam"])
    with pytest.raises(PreferenceDataError, match=r"no column of recorded answers \(judge_<name>"):
        recorded_models(sources_of(tmp_path / "g.jsonl", {}), "g.jsonl")


def test_a_wrong_column_of_one_model_does_not_hinder_another(tmp_path: Path) -> None:
    sources = sources_of(tmp_path / "f.jsonl", {"judge_x": "a", "judge_notes": "a long remark"})
    (model,) = recorded_models(sources, "f.jsonl", ["x"])
    assert model.verdicts["r0"].preference == 1


def test_a_writer_has_one_text_for_each_score_of_a_source(tmp_path: Path) -> None:
    texts = {"2": "better", "1": "worse", "5": " "}
    model = model_of(tmp_path, {"texts_x": texts}, {"texts_x": None}, {"texts_x": texts})
    (source,) = load_preferences(str(tmp_path / "f.jsonl")).sources
    assert model.written(source) == {1: "worse", 2: "better", 5: None}
    assert model.judged(source) is None
    with pytest.raises(PreferenceDataError, match=r"row 'r1'.*differs from that of row 'r0'"):
        model_of(tmp_path, {"texts_x": texts}, {"texts_x": {"1": "other"}})
