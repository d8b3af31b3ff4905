"""Training data are checked record by record, before a model is loaded."""

import json
from pathlib import Path

import pytest

from profile_tasks.training.data import TrainingDataError, read_training_data

USER = [{"role": "user", "content": "Why?"}]
ANSWER = [{"role": "assistant", "content": "So."}]
DPO = {"prompt": USER, "chosen": ANSWER, "rejected": ANSWER}
PLAIN = {"prompt": "Why?", "completion": "So.", "label": True}


def write(path: Path, *records: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(f"{json.dumps(r, ensure_ascii=False)}\n" for r in records), encoding="utf-8"
    )
    return path


def test_a_folder_holds_what_to_train_on_and_perhaps_what_to_evaluate_on(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", DPO, DPO)
    assert len(read_training_data(tmp_path, "dpo").heldout) == 0
    write(tmp_path / "heldout.jsonl", DPO)
    data = read_training_data(tmp_path, "dpo")
    assert (len(data.train), len(data.heldout), data.conversational) == (2, 1, True)
    assert set(data.files) == {"train.jsonl", "heldout.jsonl"}


def test_a_file_is_enough_and_another_one_can_be_held_out(tmp_path: Path) -> None:
    train, held = write(tmp_path / "a.jsonl", PLAIN), write(tmp_path / "b.jsonl", PLAIN, PLAIN)
    data = read_training_data(train, "kto", held)
    assert (len(data.train), len(data.heldout), data.conversational) == (1, 2, False)


def test_a_line_separator_within_a_text_ends_no_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", PLAIN | {"completion": "One\u2028two\x85three."})
    assert read_training_data(path, "kto").train[0]["completion"] == "One\u2028two\x85three."


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (PLAIN, r"a.jsonl:2: the record has prompt, completion, label; dpo needs .*--method kto"),
        (DPO | {"margin": 1}, r"a.jsonl:2: the record has .*margin; dpo needs"),
        ([1], "a.jsonl:2: the record has list"),
        (DPO | {"chosen": "So."}, "a.jsonl:2: field 'chosen' and the prompt are not of one kind"),
        (
            DPO | {"chosen": []},
            "field 'chosen' must end with a message of the assistant",
        ),
        (DPO | {"prompt": ANSWER}, "a.jsonl:2: field 'prompt' must end with a message of the user"),
        (DPO | {"prompt": [{"role": "user"}]}, "a.jsonl:2: field 'prompt' holds a message"),
        (
            {"prompt": "Why?", "chosen": "So.", "rejected": "No."},
            "a.jsonl:2: the prompt is not of the kind of the first record's",
        ),
    ],
)
def test_a_bad_record_is_told_with_its_place(record: object, told: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", DPO, record)
    with pytest.raises(TrainingDataError, match=told):
        read_training_data(path, "dpo")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (PLAIN | {"label": 1}, "field 'label' is 1; expected true or false"),
        (PLAIN | {"completion": "  "}, "field 'completion' is no text, or a blank one"),
        (PLAIN | {"prompt": 3}, "field 'prompt' is no text"),
    ],
)
def test_a_bad_value_is_told(record: object, told: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match=told):
        read_training_data(write(tmp_path / "a.jsonl", record), "kto")


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="there is no such file; give a folder"):
        read_training_data(tmp_path, "dpo")
    (tmp_path / "a.jsonl").write_bytes(b"\xff\n")
    with pytest.raises(TrainingDataError, match="not UTF-8"):
        read_training_data(tmp_path / "a.jsonl", "dpo")
    (tmp_path / "a.jsonl").write_text("\n")
    with pytest.raises(TrainingDataError, match="holds no records"):
        read_training_data(tmp_path / "a.jsonl", "dpo")
    (tmp_path / "a.jsonl").write_text("{")
    with pytest.raises(TrainingDataError, match=r"a.jsonl:1: not JSON"):
        read_training_data(tmp_path / "a.jsonl", "dpo")
    write(tmp_path / "a.jsonl", PLAIN)
    conversational = write(
        tmp_path / "b.jsonl", {"prompt": USER, "completion": ANSWER, "label": False}
    )
    with pytest.raises(TrainingDataError, match="one is conversational and the other plain"):
        read_training_data(tmp_path / "a.jsonl", "kto", conversational)
