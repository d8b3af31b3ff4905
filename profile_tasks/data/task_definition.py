"""Tasks as data: what a model is asked for, in which words, and by which factors it is measured.

A task is a YAML file. The packaged ones stand in ``task_definitions/``; users write their own in
the same shape (docs/own-task.md). What is asked, shown, measured and loaded by default is read here
and nowhere else.

A task is known by its key: the name of a packaged one, and of another the name with a hash of its
definition, so that two definitions of one name are never taken for one task. A definition that this
process has read, from a file or out of a log, is found by its key.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path
from reprlib import repr as briefly
from string import Formatter
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from profile_tasks.data.preference import Preference, label_of
from profile_tasks.data.unique_keys import RepeatedKeyError, load_unique_keys
from profile_tasks.nearest_name import instead_of

ReferenceMetric = Literal["rouge1", "rouge2", "rougeL"]
REFERENCE_METRICS: tuple[ReferenceMetric, ...] = get_args(ReferenceMetric)
"""Standard metrics of a response against a reference."""

VERDICT_LINES = ("Verdict: A", "Verdict: B")
"""The two answers of a judge, which every prompt that asks for one has to name."""

RESERVED_TAGS = (
    "response_a",
    "response_b",
    "response",
    "first_response",
    "second_response",
    "key_facts",
    "facts",
    "draft",
    "other_draft",
    "feedback",
    "proposals",
)
"""Tags of what is shown beside a prompt and its source; no task may take one for these."""

_FOLDER = Path(__file__).parent / "task_definitions"
_ENDINGS = (".yaml", ".yml")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")
_TAG = re.compile(r"[a-z]+(_[a-z]+)*")
_LONGEST_WORDS = 80

_EXPECTED = {
    "string_type": "expected text; yes, no, on, off, numbers and dates are put in quotes",
    "tuple_type": "expected a list, as in [a, b]",
    "dict_type": "expected a mapping of names to values",
    "model_type": "expected a mapping of fields",
    "bool_type": "expected true or false",
}
"""What pydantic says in Python's words, in those of YAML."""

_ALONE = ("sections",)
FIELDS_OF_PROMPTS: Mapping[str, tuple[str, ...]] = {
    "write": ("sections", "score", "low", "high"),
    "write_neutral": _ALONE,
    "judge": _ALONE,
    "criticise": _ALONE,
    "compare_drafts": _ALONE,
    "revise": _ALONE,
    "revise_by_feedback": _ALONE,
}
"""What each prompt has to hold in braces; it may hold nothing else there."""


class TaskDefinitionError(ValueError):
    """A task that there is not, or whose definition cannot be used."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Words(_Part):
    """What things are called, in feedback and in the other wordings of a judge's question.

    Attributes:
        response: What the model writes: "summary".
        responses: Several of them: "summaries".
        about: What they are about: "the text".
        people: Whose preference is asked for: "readers".
    """

    response: str
    responses: str
    about: str
    people: str

    @field_validator("*")
    @classmethod
    def _a_few_words(cls, text: str) -> str:
        if not text.strip() or len(text) > _LONGEST_WORDS or not text.isprintable():
            raise ValueError(
                f"is {text[:90]!r}; expected 1 to {_LONGEST_WORDS} characters, one line"
            )
        if {"{", "}", "<", ">"} & set(text):
            raise ValueError(f"is {text!r}; expected words without braces and angle brackets")
        return text


class Prompts(_Part):
    """The words a model is asked with. ``FIELDS_OF_PROMPTS`` says what each holds in braces.

    Attributes:
        write: Write one response for a target score.
        write_neutral: Write one; no score is named.
        judge: Say which of two responses is better.
        criticise: Say what is to be changed in a draft of one's own. This and what follows have
            words for every task, in ``solvers/prompts.py``; None: those.
        compare_drafts: Say which of two drafts is better, and what is to be changed in the first.
        revise: Revise a draft without feedback.
        revise_by_feedback: Revise it with feedback.
    """

    write: str
    write_neutral: str
    judge: str
    criticise: str | None = None
    compare_drafts: str | None = None
    revise: str | None = None
    revise_by_feedback: str | None = None

    @field_validator("*")
    @classmethod
    def _a_template(cls, template: str | None, info: ValidationInfo) -> str | None:
        if template is not None:
            _check_template(template, FIELDS_OF_PROMPTS[str(info.field_name)])
        return template

    @field_validator("judge")
    @classmethod
    def _asks_for_a_verdict(cls, template: str) -> str:
        for line in VERDICT_LINES:
            if line not in template:
                raise ValueError(
                    f'names no "{line}", by which the verdict is read; end it with: Answer with '
                    'exactly one line: "Verdict: A" or "Verdict: B".'
                )
        return template

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        """No two prompts begin alike, since a simulated model tells them apart by their words."""
        heads: dict[str, str] = {}
        for name, template in self:
            if template is not None:
                head = template.partition("{sections}")[0]
                if heads.setdefault(head, name) != name:
                    raise ValueError(
                        f"{heads[head]} and {name} are the same up to {{sections}}; begin one of "
                        "them otherwise"
                    )
        return self


class Section(_Part):
    """A text of the data, as it is shown.

    Attributes:
        tag: Between which tags it stands.
        required: Whether there is nothing to write without it.
    """

    tag: str
    required: bool = False

    @field_validator("tag")
    @classmethod
    def _a_tag(cls, tag: str) -> str:
        if not _TAG.fullmatch(tag):
            raise ValueError(f"is {tag!r}; expected lower-case letters, parted by underscores")
        if tag in RESERVED_TAGS:
            raise ValueError(f"is {tag!r}, which responses and drafts are shown in; take another")
        return tag


class Sections(_Part):
    """What is shown beside responses: the fields ``prompt`` and ``source`` of the data.

    Attributes:
        prompt: The request; of a conversation, all its turns.
        source: The text to work on, where there is one.
    """

    prompt: Section = Section(tag="request")
    source: Section = Section(tag="source")

    @model_validator(mode="after")
    def _different_tags(self) -> Self:
        if self.prompt.tag == self.source.tag:
            raise ValueError(f"prompt and source have one tag, {self.prompt.tag!r}; take two")
        return self


_Value = str | int | float | bool | None
_Values = _Value | list[_Value]
_FactorEntry = dict[str, _Values | dict[str, _Values]]
"""A factor as a file states it. It is no deeper, so that no file can be endless inside."""

_OF_THE_DATA = frozenset({"dataset", "format", "map", "labels"})
"""Where data come from by default is no part of what a task is: data have a hash of their own."""


class TaskDefinition(_Part):
    """A task.

    Attributes:
        name: In headings, names of logs, and the column ``task`` of data.
        version: Of the definition; raised by whoever changes it.
        about: What it is, in a sentence.
        words: What things are called.
        prompts: What a model is asked.
        sections: What it is shown.
        metrics: Of ``REFERENCE_METRICS``; measured where sources have a reference.
        factors: Ids of the taxonomy that fit; a mapping is a factor of the task's own, as in a
            taxonomy file (docs/factors.md).
        dataset: The task's own data, which ``dataset=demo`` stands for: a file (in a file's
            definition relative to it), or the name of a public set.
        format: Format of the task's files, as of the setting ``format``.
        map: As of the setting ``map``.
        labels: As of the setting ``labels``.
    """

    name: str
    version: Annotated[int, Field(ge=1)] = 1
    about: str = ""
    words: Words
    prompts: Prompts
    sections: Sections = Sections()
    metrics: tuple[ReferenceMetric, ...] = ()
    factors: Annotated[tuple[str | _FactorEntry, ...], Field(min_length=1)]
    dataset: str | None = None
    format: str | None = None
    map: dict[str, str] | None = None
    labels: dict[str, Preference | None] | None = None

    @field_validator("name")
    @classmethod
    def _a_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"is {name!r}; expected lower-case letters, digits and underscores")
        return name

    @field_validator("metrics", "factors", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        return tuple(given) if isinstance(given, list) else given

    @field_validator("metrics", mode="before")
    @classmethod
    def _known_metrics(cls, given: object) -> object:
        for name in given if isinstance(given, list | tuple) else ():
            if name not in REFERENCE_METRICS:
                raise ValueError(f"{name!r} is unknown{instead_of(str(name), REFERENCE_METRICS)}")
        return given

    @field_validator("labels", mode="before")
    @classmethod
    def _labels_as_texts(cls, given: object) -> object:
        return {label_of(k): v for k, v in given.items()} if isinstance(given, dict) else given

    @cached_property
    def hash(self) -> str:
        """Of all that the task is; not of where its data come from."""
        # Only here: numpy takes longer to import than --help may take, which needs the names alone.
        from profile_tasks.data.content_hash import short_hash

        told = self.model_dump(mode="json", exclude=set(_OF_THE_DATA), exclude_defaults=True)
        return short_hash(told)

    @cached_property
    def key(self) -> str:
        """By which the task is known: its name, and behind it the hash of one that is no package's.

        >>> definition_of("summarization").key
        'summarization'
        """
        packaged = self.name in _names() and self.hash == _packaged(self.name).hash
        return self.name if packaged else f"{self.name}{_HASH}{self.hash}"

    @property
    def place(self) -> str:
        """Where it stands, for messages about it."""
        return _places.get(self.key, f"task {self.name!r}")

    @property
    def own(self) -> bool:
        """Whether it is none of this package's."""
        return self.key != self.name

    @property
    def of_factors(self) -> str:
        """By what factors say that they are meant for it: its name, where no package's task has it.

        >>> definition_of("summarization").of_factors
        'summarization'
        """
        return self.key if self.name in _names() else self.name

    @property
    def answers_the_source(self) -> bool:
        """Whether a response is to the source alone, as a summary is, and no request needed."""
        return self.sections.source.required and not self.sections.prompt.required

    def shown(self, prompt: str, source: str | None) -> dict[str, str | None]:
        """The texts of a source by the tags that they stand between, in the order shown."""
        return {self.sections.prompt.tag: prompt, self.sections.source.tag: source}

    def without_data(self) -> Self:
        """The definition without where its data are, which is none of what it is."""
        return self.model_copy(update=dict.fromkeys(_OF_THE_DATA))

    def record(self) -> dict[str, Any]:
        """The definition as JSON has it, from which ``read_definition`` makes it again."""
        return self.model_dump(mode="json", exclude_defaults=True)


def is_meant(key: str, asked: str) -> bool:
    """Whether somebody means the task with this key, by its key, its name or its file.

    Raises:
        TaskDefinitionError: As of ``read_definition``.

    >>> is_meant("my_task#1a2b3c4d", "my_task"), is_meant("dialogue", "document_qa")
    (True, False)
    """
    return asked in (key, name_of(key)) or task_key(asked) == key


PREFERENCE = "preference"
"""What the task is called, in Inspect and in lm-eval, that takes a definition."""

TASK, TASK_DEFINITION = "task", "task_definition"
"""Where a log's metadata hold a task's key, and its definition where that is no package's."""


def task_metadata(key: str) -> dict[str, Any]:
    """What a reader of a log or of results must know about the task."""
    own = own_definition(key)
    return {TASK: key} | ({} if own is None else {TASK_DEFINITION: own.record()})


_HASH = "#"
_known: dict[str, TaskDefinition] = {}
"""Definitions that this process has read, by their keys, beside the packaged ones."""
_places: dict[str, str] = {}
"""Where each of them stood when it was first read."""


@cache
def _names() -> tuple[str, ...]:
    # From Z to A, in which the three tasks of the first version stand first, in their order.
    return tuple(sorted((path.stem for path in _FOLDER.glob("*.yaml")), reverse=True))


@cache
def _packaged(name: str) -> TaskDefinition:
    return _read_file(_FOLDER / f"{name}.yaml")


def packaged_tasks() -> tuple[str, ...]:
    """Names of the tasks in this package.

    >>> "summarization" in packaged_tasks()
    True
    """
    return _names()


def known_definitions() -> tuple[TaskDefinition, ...]:
    """All definitions of this package, and those that this process has read."""
    return (*map(_packaged, _names()), *_known.values())


def name_of(key: str) -> str:
    """The name in a task's key.

    >>> name_of("dialogue"), name_of("my_task#1a2b3c4d")
    ('dialogue', 'my_task')
    """
    return key.partition(_HASH)[0]


def definition_of(key: str) -> TaskDefinition:
    """The definition of the task with this key.

    Raises:
        TaskDefinitionError: There is no such task, or nothing read here defines it.

    >>> definition_of("summarization").words.responses
    'summaries'
    """
    if key in _names():
        return _packaged(key)
    if key in _known:
        return _known[key]
    raise _unknown(key)


def is_file(given: str) -> bool:
    """Whether somebody names a task by its file."""
    return given.lower().endswith(_ENDINGS)


def is_known(key: str) -> bool:
    """Whether the task with this key is packaged, or was read by this process."""
    return key in _names() or key in _known


def is_given_here(key: str) -> bool:
    """Whether the task is packaged, or somebody here named its file or gave its definition.

    What only a log or data define is somebody else's word.
    """
    return key in _names() or key in _places


def own_definition(key: str | None) -> TaskDefinition | None:
    """The definition of the task with this key; None where it is a packaged one, or not known."""
    return None if key is None else _known.get(key)


def task_key(given: str | None) -> str | None:
    """A task that somebody names, as data are asked for it: of a YAML file, the key.

    Raises:
        TaskDefinitionError: As of ``read_definition``.
    """
    return given if given is None or not is_file(given) else read_definition(given).key


def read_definition(given: str | Path | Mapping[str, Any]) -> TaskDefinition:
    """A task by its name or key, by its YAML file, or by what such a file holds.

    Args:
        given: Which one. What a log holds is read by ``logged_definition``.

    Raises:
        TaskDefinitionError: There is no such task or file, or the definition cannot be used; the
            message names place, field and remedy.
    """
    if isinstance(given, Mapping):
        place = f"task {given.get('name')!r}"
        definition = _checked(dict(given), place)
        return remembered(definition, _places.get(definition.key, place))
    if is_file(str(given)):
        path = Path(given).expanduser()
        if not path.is_file():
            raise TaskDefinitionError(
                f"there is no file {str(given)!r} that defines a task (the working folder is "
                f"{Path.cwd()})"
            )
        return remembered(_read_file(path), str(given))
    return definition_of(str(given))


def logged_definition(held: Mapping[str, Any]) -> TaskDefinition:
    """The task that a log defines; as of ``read_definition``, but nobody here has given it."""
    return remembered(_checked(dict(held), f"task {held.get('name')!r}"))


def remembered(definition: TaskDefinition, place: str | None = None) -> TaskDefinition:
    """The definition, which from now on is found by its key.

    Args:
        definition: The definition. Of two with one key, which differ in where their data are, that
            one is found which was read last from a place.
        place: Where it stands; None: in data.
    """
    if definition.own and place is None:
        _known.setdefault(definition.key, definition)
    elif definition.own and place is not None:
        _known[definition.key], _places[definition.key] = definition, place
    return definition


def _unknown(name: str) -> TaskDefinitionError:
    meant = instead_of(name, (*_names(), *_known))
    return TaskDefinitionError(
        f"task {name!r} is unknown{meant}; or the YAML file of a task of yours"
    )


def _read_file(path: Path) -> TaskDefinition:
    try:
        held = load_unique_keys(path.read_text(encoding="utf-8-sig"))
    except RepeatedKeyError as error:
        raise TaskDefinitionError(
            f"{path}: {error}: is given twice; keep one of the two"
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        told = " ".join(str(error).split())
        raise TaskDefinitionError(f"{path}: not readable as YAML in UTF-8 ({told})") from error
    if not isinstance(held, dict):
        raise TaskDefinitionError(
            f"{path}: is no mapping of fields; expected {', '.join(TaskDefinition.model_fields)}"
        )
    for name, endings in (("dataset", None), ("format", _ENDINGS)):
        value = held.get(name)
        if (
            isinstance(value, str)
            and Path(value).suffix
            and (not endings or value.endswith(endings))
        ):
            held[name] = str((path.parent / Path(value).expanduser()).resolve())
    return _checked(held, str(path))


def _checked(held: dict[Any, Any], place: str) -> TaskDefinition:
    try:
        return TaskDefinition.model_validate(held)
    except ValidationError as error:
        raise TaskDefinitionError(f"{place}, {_told(error)}") from error


def _told(error: ValidationError) -> str:
    """The first problem of a definition, unknown fields before others: field, problem, remedy."""
    problems = error.errors(include_url=False)
    first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    where, known = _place_in(first["loc"])
    name = ".".join(where)
    if first["type"] == "extra_forbidden":
        return f"field {name!r} is unknown{instead_of(where[-1], known)}"
    if first["type"] == "missing":
        return f"field {name!r} is missing (docs/own-task.md shows a whole file)"
    if first["type"] == "value_error":
        return f"field {name!r} {first['ctx']['error']}"
    found = briefly(first["input"])[:160]
    if name == "factors" and len(first["loc"]) > 1:
        number = int(first["loc"][1]) + 1
        return (
            f"field 'factors', entry {number}, is {found}: expected the id of a factor, or a "
            "mapping of the fields of one of your own (docs/factors.md)"
        )
    return f"field {name!r} is {found}: {_EXPECTED.get(first['type'], first['msg'].lower())}"


def _place_in(location: Iterable[int | str]) -> tuple[list[str], list[str]]:
    """The names down to a field, without what pydantic puts between, and its neighbours' names."""
    part: type[BaseModel] | None = TaskDefinition
    where: list[str] = []
    known: list[str] = []
    for name in map(str, location):
        if part is None:
            break
        known = list(part.model_fields)
        where.append(name)
        inner = part.model_fields[name].annotation if name in known else None
        part = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None
    return where, known


def _check_template(template: str, fields: tuple[str, ...]) -> None:
    """Refuse a template that holds something else in braces, or lacks what it needs.

    Raises:
        ValueError: What is wrong with it.
    """
    allowed = ", ".join(f"{{{name}}}" for name in fields)
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"has a brace alone ({error}); one that is meant is doubled") from error
    found = [name for _, name, _, _ in parts if name is not None]
    for _, name, spec, conversion in parts:
        if name is not None and (name not in fields or spec or conversion):
            told = f"{name}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}"
            raise ValueError(f"holds {{{told}}}; it may hold {allowed} and nothing else in braces")
    for name in fields:
        if name not in found:
            raise ValueError(f"lacks {{{name}}}; it has to hold {allowed}")
    if found.count("sections") > 1 or not re.search(r"^\{sections\}$", template, re.MULTILINE):
        raise ValueError(
            "has to hold {sections} once, alone on its line, with no space before or behind it: "
            "the texts stand there"
        )
