"""Training data as ``profile-tasks export`` writes them, checked before a model is loaded."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

Method = Literal["dpo", "sft", "kto"]
METHODS: tuple[str, ...] = get_args(Method)

COLUMNS: Mapping[Method, tuple[str, ...]] = {
    "dpo": ("prompt", "chosen", "rejected"),
    "sft": ("prompt", "completion"),
    "kto": ("prompt", "completion", "label"),
}
"""What a record of each method holds, and nothing else."""

Record = dict[str, Any]


class TrainingDataError(ValueError):
    """Training data that cannot be used; the message names the place and the remedy."""


@dataclass(frozen=True)
class TrainingData:
    """The records to train on and those held out.

    Attributes:
        train: At least one.
        heldout: None or more.
        conversational: Whether texts are messages with roles, in all records alike.
        files: Name of each file -> SHA-256 of its content.
    """

    train: tuple[Record, ...]
    heldout: tuple[Record, ...]
    conversational: bool
    files: Mapping[str, str]


def read_training_data(data: Path, method: Method, heldout: Path | None = None) -> TrainingData:
    """Read and check training data.

    Args:
        data: Folder with ``train.jsonl`` and perhaps ``heldout.jsonl``, or a JSON Lines file.
        method: Which columns the records must have.
        heldout: A JSON Lines file to evaluate on, instead of the folder's.

    Raises:
        TrainingDataError: A file is missing, or a record is not of the method's format.
    """
    train_file = data / "train.jsonl" if data.is_dir() else data
    if heldout is None and data.is_dir() and (data / "heldout.jsonl").is_file():
        heldout = data / "heldout.jsonl"
    parts: dict[str, tuple[Record, ...]] = {}
    files, forms = {}, {}
    for name, path in (("train", train_file), ("heldout", heldout)):
        parts[name] = ()
        if path is None:
            continue
        content = _content(path)
        known = path.name if path.name not in files else f"{name} {path.name}"
        files[known] = hashlib.sha256(content).hexdigest()
        parts[name], forms[known] = _records(path, content, method)
    if len(files) > len(set(files.values())):
        raise TrainingDataError(
            f"{heldout} holds the records to train on; evaluate on others (--heldout)"
        )
    if len(set(forms.values())) > 1:
        raise TrainingDataError(
            f"of {' and '.join(forms)} one is conversational and the other plain; export both alike"
        )
    return TrainingData(parts["train"], parts["heldout"], any(forms.values()), files)


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise TrainingDataError(
            f"{path}: there is no such file; give a folder that profile-tasks export wrote, or a "
            "JSON Lines file"
        )
    return path.read_bytes()


def _records(path: Path, content: bytes, method: Method) -> tuple[tuple[Record, ...], bool]:
    """The records of a file, and whether they are conversational."""
    records: list[Record] = []
    conversational: bool | None = None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TrainingDataError(f"{path}: not UTF-8 ({error.reason})") from error
    # Not splitlines(): a response may hold a line separator that JSON leaves as it is.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = _checked(line, method)
            messages = isinstance(record["prompt"], list)
            if conversational not in (None, messages):
                raise TrainingDataError("the prompt is not of the kind of the first record's")
        except TrainingDataError as error:
            raise TrainingDataError(f"{path}:{number}: {error}") from None
        conversational = messages
        records.append(record)
    if not records:
        raise TrainingDataError(f"{path}: holds no records")
    return tuple(records), bool(conversational)


def _checked(line: str, method: Method) -> Record:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise TrainingDataError(f"not JSON ({error})") from error
    wanted = COLUMNS[method]
    if not isinstance(record, dict) or set(record) != set(wanted):
        held = ", ".join(map(str, record)) if isinstance(record, dict) else type(record).__name__
        meant = [name for name, columns in COLUMNS.items() if {*columns} == {*record}]
        remedy = f"; these are {meant[0]} records: --method {meant[0]}" if meant else ""
        raise TrainingDataError(
            f"the record has {held}; {method} needs {', '.join(wanted)} (profile-tasks export "
            f"--format {method}){remedy}"
        )
    for name in wanted:
        value = record[name]
        if name == "label":
            if not isinstance(value, bool):
                raise TrainingDataError(f"field 'label' is {value!r}; expected true or false")
        elif isinstance(value, list) != isinstance(record["prompt"], list):
            raise TrainingDataError(f"field {name!r} and the prompt are not of one kind")
        elif isinstance(value, list):
            _check_messages(name, value)
        elif not isinstance(value, str) or not value.strip():
            raise TrainingDataError(f"field {name!r} is no text, or a blank one")
    return record


def _check_messages(name: str, messages: list[Any]) -> None:
    for message in messages:
        if (
            not isinstance(message, dict)
            or set(message) != {"role", "content"}
            or not isinstance(message["content"], str)
            or message["role"] not in ("system", "user", "assistant")
        ):
            raise TrainingDataError(
                f"field {name!r} holds a message that is not of the form "
                '{"role": "system", "user" or "assistant", "content": text}'
            )
    last = "user" if name == "prompt" else "assistant"
    if not messages or messages[-1]["role"] != last or not messages[-1]["content"].strip():
        raise TrainingDataError(f"field {name!r} must end with a message of the {last}, not blank")
