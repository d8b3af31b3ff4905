"""Pairs become records: each once, split by source, in the columns of TRL and nothing else."""

import json
from dataclasses import replace

import pytest

from profile_tasks.solvers.requests import GenerationRequest, NeutralRequest
from profile_tasks.training.data import COLUMNS
from profile_tasks.training.export import (
    ExportedData,
    ExportSettings,
    card_text,
    export_pairs,
    held_out_groups,
    json_lines,
)
from profile_tasks.training.pairs import FoundPairs, TrainingPair


def pair(number: int, chosen: str = "Short.", rejected: str = "Long and wordy.", **other: object):
    fields = {
        "source_id": f"s{number}",
        "group": f"g{number}",
        "task": "document_qa",
        "prompt": f"Question {number}?",
        "source": f"Document {number}.",
        "chosen": chosen,
        "rejected": rejected,
        "margin": 1.0,
    }
    return TrainingPair(**(fields | other))


def exported(pairs: list[TrainingPair], format_: str = "dpo", **settings: object) -> ExportedData:
    found = FoundPairs(
        name="log.eval",
        origin="self-guided",
        pairs=tuple(pairs),
        groups=tuple(p.group for p in pairs),
        left_out={},
        description={"model": "hf/local"},
    )
    return export_pairs([found], ExportSettings(format_, **settings))


TEN = [pair(number) for number in range(10)]


@pytest.mark.parametrize("conversational", [True, False])
@pytest.mark.parametrize("format_", ["dpo", "sft", "kto"])
def test_records_have_the_columns_of_the_method_and_nothing_else(
    format_: str, conversational: bool
) -> None:
    data = exported(TEN, format_, conversational=conversational)
    for record in data.train + data.heldout:
        assert tuple(record) == COLUMNS[format_]
        assert isinstance(record["prompt"], list) == conversational


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        ("dpo", [{"chosen": "Short.", "rejected": "Long and wordy."}]),
        ("sft", [{"completion": "Short."}]),
        (
            "kto",
            [
                {"completion": "Short.", "label": True},
                {"completion": "Long and wordy.", "label": False},
            ],
        ),
    ],
)
def test_the_chosen_response_is_the_one_to_learn(
    format_: str, expected: list[dict[str, object]]
) -> None:
    data = exported([TEN[0]], format_, heldout=0, conversational=False)
    assert [{k: v for k, v in r.items() if k != "prompt"} for r in data.train] == expected


def test_of_a_pair_that_stands_twice_the_greater_margin_counts() -> None:
    twice = [pair(0, margin=0.2), pair(0, margin=0.8), pair(0, margin=0.5)]
    (record,) = exported(twice, "jsonl", heldout=0).train
    assert record["margin"] == 0.8


def test_the_prompt_is_the_neutral_request_of_the_tasks() -> None:
    request = NeutralRequest("document_qa", "Question 0?", "Document 0.").render()
    (record,) = exported([TEN[0]], heldout=0).train
    assert record["prompt"] == [{"role": "user", "content": request}]
    assert record["chosen"] == [{"role": "assistant", "content": "Short."}]
    (record,) = exported([TEN[0]], heldout=0, conversational=False).train
    assert record["prompt"] == f"{request}\n\n"


def test_for_the_lowest_score_the_worse_response_is_the_wanted_one() -> None:
    wanted = {
        record["prompt"][0]["content"]: record["chosen"][0]["content"]
        for record in exported([TEN[0]], heldout=0, prompts="both").train
    }
    fields = ("document_qa", "Question 0?", "Document 0.")
    assert wanted == {
        NeutralRequest(*fields).render(): "Short.",
        GenerationRequest(*fields, score=5).render(): "Short.",
        GenerationRequest(*fields, score=1).render(): "Long and wordy.",
    }


def test_no_group_stands_on_both_sides() -> None:
    twice = [replace(p, prompt=f"{p.prompt} {i}") for p in TEN for i in range(2)]
    data = exported(twice, "jsonl", heldout=0.3)
    train, heldout = ({r["group"] for r in part} for part in (data.train, data.heldout))
    assert not train & heldout
    assert (len(train), len(heldout)) == (7, 3)


def test_a_filter_or_another_format_moves_no_group_to_the_other_side() -> None:
    weak = [replace(p, margin=0.1) if number % 2 else p for number, p in enumerate(TEN)]
    every, strong = exported(weak, "jsonl"), exported(weak, "jsonl", margin=0.5)
    held = {record["group"] for record in every.heldout}
    assert {record["group"] for record in strong.heldout} <= held
    assert not {record["group"] for record in strong.train} & held


def test_a_share_of_groups_is_held_out_and_some_are_left_to_train_on() -> None:
    names = [f"{n}" for n in range(20)]
    assert len(held_out_groups(names, 0.25, 0)) == 5
    assert len(held_out_groups(names, 0.01, 0)) == 1
    assert len(held_out_groups(["a", "b"], 0.99, 0)) == 1
    assert held_out_groups(["a"], 0.5, 0) == held_out_groups(names, 0, 0) == frozenset()
    assert held_out_groups(names, 0.5, 0) != held_out_groups(names, 0.5, 1)


def test_a_held_out_prompt_that_is_trained_on_under_another_group_is_left_out() -> None:
    same = [replace(p, prompt="Why?", source=None, chosen=f"Text {n}.") for n, p in enumerate(TEN)]
    data = exported(same, heldout=0.2)
    assert (len(data.train), len(data.heldout)) == (8, 0)
    assert data.card["left_out"] == {"held out, but its text is trained on": 2}


def test_what_cannot_teach_is_left_out_and_counted() -> None:
    data = exported(
        [
            *TEN,
            TEN[0],
            pair(11, "Same.", "Same."),
            pair(12, " "),
            pair(13, "Half \ud83d"),
            pair(14, margin=0.1),
            pair(15, "A.", "B."),
            pair(15, "B.", "A."),
        ],
        margin=0.5,
    )
    assert data.card["left_out"] == {
        "below the margin": 1,
        "blank response": 1,
        "contradicted by another pair": 2,
        "duplicate": 1,
        "half of a character": 1,
        "identical responses": 1,
    }
    assert len(data.train) + len(data.heldout) == 10


def test_kto_leaves_a_response_out_that_is_both_chosen_and_rejected() -> None:
    chain = [pair(0, "A.", "B."), pair(0, "B.", "C.")]
    data = exported(chain, "kto", heldout=0, conversational=False)
    assert {record["completion"]: record["label"] for record in data.train} == {
        "A.": True,
        "C.": False,
    }
    assert data.card["left_out"] == {"response both chosen and rejected (kto)": 1}


def test_sft_has_each_chosen_response_once() -> None:
    data = exported([pair(0), pair(0, rejected="Longer still.")], "sft", heldout=0)
    assert len(data.train) == 1


def test_a_margin_that_no_pair_reaches_names_the_greatest() -> None:
    with pytest.raises(ValueError, match=r"no pair reaches the margin 2; the greatest .* is 1 "):
        exported(TEN, margin=2)


def test_pairs_without_votes_have_no_margin_to_filter_by() -> None:
    unknown = [replace(p, margin=None) for p in TEN]
    assert len(exported(unknown).train) == 9
    with pytest.raises(ValueError, match="Without votes there is no margin: leave --margin out"):
        exported(unknown, margin=0.5)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"format_": "grpo"}, "format is 'grpo'. Must be one of: dpo, sft, kto, jsonl"),
        ({"heldout": 1.0}, "heldout is 1.0; expected 0 or more and below 1"),
        ({"margin": -1.0}, "margin is -1.0; expected 0 or more"),
        ({"format_": "jsonl", "prompts": "both"}, "jsonl holds the parts of a prompt"),
    ],
)
def test_settings_out_of_range_are_told(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        exported(TEN, **settings)


def test_the_same_pairs_and_seed_give_the_same_bytes() -> None:
    first, second = (exported(TEN, "jsonl", seed=3) for _ in range(2))
    assert json_lines(first.train) == json_lines(second.train)
    assert first.card == second.card
    assert first.card["splits"]["train"]["sha256"] != exported(TEN, "jsonl").card["splits"]["train"]


def test_the_chosen_response_stands_on_either_side_of_the_own_schema() -> None:
    many = [pair(number) for number in range(40)]
    sides = [record["preference"] for record in exported(many, "jsonl").train]
    assert 5 < sides.count("a") < 31
    for record in exported(many, "jsonl").train:
        assert record[f"response_{record['preference']}"] == "Short."


def test_the_card_says_what_the_data_teach_and_reads_no_name_as_markdown() -> None:
    found = FoundPairs(
        name="`|\n# <b>log</b>",
        origin="self-guided",
        pairs=tuple(TEN),
        groups=tuple(p.group for p in TEN),
        left_out={"tie": 3},
        description={"model": "planted/concise"},
    )
    card = export_pairs([found], ExportSettings("dpo")).card
    assert card["chosen_over_rejected"]["length"]["tau"] == -1
    assert card["words"] == {"chosen": 1.0, "rejected": 3.0}
    text = card_text(json.loads(json.dumps(card, allow_nan=False)))
    assert "SIMULATED" in text
    assert "| `length` | -1.000 |" in text
    assert "`\ufffd\ufffd\ufffd# <b>log</b>`" in text
    assert "tie 3" in text
