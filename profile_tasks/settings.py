"""Every argument of every task, stated once: name, type, default, choices and one line of help.

The Inspect tasks and scorers, lm-eval's ``--metadata``, ``profile-tasks cost`` and the record in
each log read them here, and so do editors, ``help()`` and docs/settings.md. An unknown name or a
wrong value is refused in one line, before a model is called.

Nothing but pydantic is imported: Inspect imports the tasks in other people's evaluations too, and
the ``--help`` of a command waits for its options.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, Signature, getdoc
from typing import (
    Annotated,
    Any,
    Literal,
    Never,
    ParamSpec,
    Self,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo

from profile_tasks.nearest_name import instead_of

# Choices ------------------------------------------------------------------------------------------

Setting = Literal["both", "generation", "discrimination"]
Pairing = Literal["all", "half", "adjacent"]
Orders = Literal[1, 2]
JudgeBatch = Literal["all", "one"]
Grading = Literal["single", "batched"]
LearnedBy = Literal["judged", "unieval"]
Condition = Literal["none", "self", "evaluator", "factor"]
Tournament = Literal["round_robin", "knock_out"]
Measure = Literal["both", "likelihood", "compliance"]
JudgeBy = Literal["words", "likelihood"]
FaultyTexts = Literal["count", "missing"]
Control = Literal["none", "system"]
ProbeName = Literal[
    "position",
    "repeat",
    "wording",
    "null_pairs",
    "padding",
    "style",
    "self_preference",
    "authority",
    "injection",
]

CONDITIONS: tuple[Condition, ...] = get_args(Condition)
PROBES: tuple[ProbeName, ...] = get_args(ProbeName)
DEFAULT_SCORES = (1, 2, 3, 4, 5)
MOST_FACTORS = 3
"""How many factors feedback names to be changed, and how many to be kept."""
MAXIMUM_SAMPLES = 64
UNIEVAL_CHECKPOINT = "MingZhong/unieval-sum"
"""The authors' checkpoint for summarization, on the Hugging Face hub."""

# Types --------------------------------------------------------------------------------------------
# A text among the annotations says what is expected, where that is no choice.


def _path_as_text(value: object) -> object:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _as_tuple(names: str | Sequence[str]) -> str | tuple[str, ...]:
    return names if isinstance(names, str) else tuple(names)


def _rising(scores: Sequence[int | str] | int | str) -> tuple[int, ...]:
    listed = scores.split(",") if isinstance(scores, str) else scores
    listed = [listed] if isinstance(listed, int) else listed
    try:
        numbers = sorted({int(score) for score in listed})
    except ValueError:
        numbers = []
    if len(numbers) < 2 or numbers[0] < 1 or len(numbers) != len(listed):
        raise ValueError(f"is {scores!r}; expected {_SEVERAL_SCORES}")
    return tuple(numbers)


def _conditions(given: str | Sequence[str] | None) -> tuple[Condition, ...] | None:
    return None if given is None else cast("tuple[Condition, ...]", _some_of(CONDITIONS, given))


def _probes(given: str | Sequence[str]) -> str | tuple[str, ...]:
    return "all" if given == "all" else _some_of(PROBES, given)


def _some_of(choices: Sequence[str], given: str | Sequence[str]) -> tuple[str, ...]:
    """Those of the choices that are given, each once, in the order of the choices."""
    names = [name.strip() for name in (given.split(",") if isinstance(given, str) else given)]
    if unknown := [name for name in names if name not in choices]:
        raise ValueError(
            f"{unknown[0]!r} is unknown. Must be one or several of: {', '.join(choices)}"
        )
    if not names or len(set(names)) < len(names):
        raise ValueError(f"is {given!r}; name each one once")
    return tuple(name for name in choices if name in names)


def _pairs(given: object) -> dict[str, str] | None:
    """What a mapping says, or the text "theirs=ours,theirs=ours"; lists, as Inspect splits them."""
    if given is None or isinstance(given, Mapping):
        return given if given is None else {str(k): v for k, v in given.items()}
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, Sequence):
        raise ValueError(f"is {given!r}; expected {_PAIRS}")
    pairs = [str(part).strip().rpartition("=") for part in parts]
    if not all(theirs and ours for theirs, _, ours in pairs):
        raise ValueError(f"is {given!r}; expected {_PAIRS}")
    return {theirs.strip(): ours.strip() for theirs, _, ours in pairs}


def _labelled(given: object) -> dict[str, str | None] | None:
    pairs = _pairs(given)
    if pairs is None:
        return None
    labels = {
        theirs: None if ours in (None, "none", "null") else ours for theirs, ours in pairs.items()
    }
    if wrong := [each for each in labels.items() if each[1] not in ("a", "b", "tie", None)]:
        theirs, ours = wrong[0]
        raise ValueError(f"maps {theirs!r} to {ours!r}; expected a, b, tie or none")
    return labels


_PAIRS = "theirs=ours, several with commas, or a mapping"
_SEVERAL_SCORES = "at least two different whole numbers >= 1, e.g. 1,2,3,4,5"

_Count = Annotated[int, Field(ge=1)]
_Text = Annotated[str, BeforeValidator(_path_as_text), Field(min_length=1)]
_Names = Annotated[str | Sequence[str], Field(min_length=1), AfterValidator(_as_tuple)]

Flag = Annotated[bool, "true or false"]
Seed = Annotated[int, Field(ge=0), "a whole number of at least 0"]
Count = Annotated[_Count, "a whole number of at least 1"]
AtMost = Annotated[_Count | None, "a whole number of at least 1, or None"]
Text = Annotated[_Text, "a text"]
OptionalText = Annotated[_Text | None, "a text, or None"]
Selection = Annotated[_Names, "auto, core, surface, all, factor ids or a YAML file"]
NamedTask = Annotated[
    _Text | Mapping[str, Any], "the name of a task, or the YAML file of one of yours"
]
Names = Annotated[_Names | None, "names, or None"]
Mapped = Annotated[Mapping[str, str] | None, BeforeValidator(_pairs), _PAIRS]
Labelled = Annotated[Mapping[str, str | None] | None, BeforeValidator(_labelled), _PAIRS]
Scores = Annotated[Sequence[int | str] | int | str, AfterValidator(_rising), _SEVERAL_SCORES]
Conditions = Annotated[
    str | Sequence[str] | None,
    AfterValidator(_conditions),
    f"one or several of {', '.join(CONDITIONS)}, or None",
]
Probes = Annotated[
    str | Sequence[str],
    AfterValidator(_probes),
    f"all, or one or several of {', '.join(PROBES)}",
]

# Settings -----------------------------------------------------------------------------------------


class SettingError(ValueError):
    """A setting that does not exist, or cannot have its value.

    Attributes:
        name: The setting, as it was given.
        problem: What is wrong with it, and what would be right.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name, self.problem = name, problem


class Settings(BaseModel):
    """Arguments that go together. Fields say what there is; the text below each is its help."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        defer_build=True,  # what is only imported need not wait
    )

    @field_validator("*", mode="before")
    @classmethod
    def _one_of_the_choices(cls, value: object, info: ValidationInfo) -> object:
        """Refuse what is no choice, or only equals one: True is in (1, 2)."""
        choices = choices_of(cls.model_fields[str(info.field_name)])
        if choices and not any(value == c and type(value) is type(c) for c in choices):
            raise ValueError(f"is {value!r}. Must be one of: {', '.join(map(str, choices))}")
        return value

    @classmethod
    def read(cls, given: Mapping[str, object], of: str = "") -> Self:
        """The settings that are given, the others as by default.

        Args:
            given: Name of a setting -> its value.
            of: What the settings are of, for the message about a name that there is not.

        Raises:
            SettingError: There is no such setting, one is missing, or it cannot have its value.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            problems = error.errors(include_url=False)
        first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
        name = str(first["loc"][0])
        raise SettingError(name, _problem(cls, name, given, first, of))

    def record(self) -> dict[str, Any]:
        """Every setting with its value as JSON has it, for the log."""
        return self.model_dump(mode="json")


def _problem(
    cls: type[Settings], name: str, given: Mapping[str, object], found: Mapping[str, Any], of: str
) -> str:
    known = cls.model_fields
    if found["type"] == "extra_forbidden":
        return f"is no setting{of and f' of {of}'}{instead_of(name, known)}"
    if found["type"] == "missing":
        return f"is missing; expected {expected_of(known[name])}"
    if found["type"] == "value_error":
        return str(found["ctx"]["error"])
    return f"is {given[name]!r}; expected {expected_of(known[name])}"


def choices_of(field: FieldInfo) -> tuple[str | int, ...]:
    """The values that a setting chooses from; none where it is no choice."""
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def expected_of(field: FieldInfo) -> str:
    """Which values a setting may have, in words."""
    choices = choices_of(field)
    return ", ".join(map(str, choices)) or [w for w in field.metadata if isinstance(w, str)][-1]


class DataSettings(Settings):
    """Which data a task takes."""

    dataset: Text = "demo"
    """demo, tldr, shp2, webgpt, or a file of annotated pairs (.jsonl, .csv, .parquet, ...)."""
    format: OptionalText = None
    """Format of the file, or a YAML file of yours; else the only one that fits."""
    map: Mapped = None
    """Columns of the file as fields of ours: winner=preference,text_1=response_a."""
    labels: Labelled = None
    """Labels of the file as preferences: model_a=a,model_b=b,both=tie,skip=none."""
    sources: OptionalText = None
    """File of source texts by source_id, for data that keep them apart."""
    revision: OptionalText = None
    """Revision of a public data set, instead of the pinned one."""
    split: OptionalText = None
    """Split of a public data set, instead of the usual one."""


class SourceSettings(Settings):
    """Which of the sources are taken."""

    limit: AtMost = None
    """Use this many sources, chosen by the seed."""
    seed: Seed = 0
    """Seed of every choice and of the bootstrap."""
    skip_bad_rows: Flag = False
    """Leave bad rows out, counted in the log, instead of stopping."""


class PairSettings(SourceSettings):
    """Which of the sources, and of their annotated pairs."""

    max_pairs_per_source: AtMost = None
    """Use at most this many annotated pairs of each source."""


class PairingSettings(Settings):
    """Which written responses are compared."""

    pairing: Pairing = "all"
    """Compare all pairs of written responses, a random half, or those of adjacent scores."""
    faulty_texts: FaultyTexts = "count"
    """Texts that echo the request, talk of the score or loop: counted, or made missing too."""


class AskingSettings(PairingSettings):
    """What a model is asked for."""

    scores: Scores = DEFAULT_SCORES
    """Target scores of the generation setting."""
    orders: Orders = 2
    """Show each pair in 2 orders, or in 1."""

    @property
    def target_scores(self) -> tuple[int, ...]:
        """The target scores, rising."""
        return cast("tuple[int, ...]", self.scores)  # as they are once they have been checked


class VerdictSettings(Settings):
    """How a model says which of two responses is better."""

    judge_by: JudgeBy = "words"
    """The model judges in words, or by which verdict it finds likelier (hf, vllm, echo, ...)."""


class JudgeSettings(Settings):
    """What a grader is asked in one request."""

    judge_orders: Orders = 2
    """Show the grader each pair in 2 orders, or in 1 that is drawn by chance."""
    judge_batch: JudgeBatch = "all"
    """All judged factors in one grader request, or one factor a request."""
    grading: Grading = "single"
    """Each response and each pair in a grader request of its own, or a source's batched."""


class GraderSettings(JudgeSettings):
    """How a grader is asked."""

    grader_cache: Flag = True
    """Take the grader's answers from, and put them into, Inspect's cache."""


class GradingSettings(GraderSettings):
    """How an evaluated model's responses are graded."""

    allow_self_grading: Flag = False
    """Let the evaluated model grade where no model has the role grader."""


class SlicingSettings(Settings):
    """By what a run is held apart."""

    slices: Names = None
    """Columns of the data, task or length_class: profiles and the judge's metrics in each part."""

    @property
    def slice_columns(self) -> tuple[str, ...]:
        """The columns, each once."""
        given = self.slices.split(",") if isinstance(self.slices, str) else self.slices or ()
        return tuple(dict.fromkeys(name.strip() for name in given))


class MeasuringSettings(SlicingSettings, GradingSettings, PairingSettings):
    """What is measured on the responses to a source."""

    factors: Selection = "auto"
    """auto is core with a grader, else surface; ids may also name what the data record."""
    fluency: LearnedBy = "judged"
    """Found by the grader (judged), or by a local model (unieval)."""
    coherence: LearnedBy = "judged"
    """Found by the grader (judged), or by a local model (unieval)."""
    unieval_checkpoint: Text = UNIEVAL_CHECKPOINT
    """Folder, or name on the hub, of the UniEval checkpoint."""
    control: Control = "none"
    """Beside the adjusted influence, one with the strength of system_a and system_b held fixed."""

    @property
    def learned_by(self) -> dict[str, LearnedBy]:
        """How each factor that UniEval was trained for is found, by its id."""
        return {"fluency": self.fluency, "coherence": self.coherence}


class NamedTaskSettings(Settings):
    """Which task is meant, where the name of what is run does not say so."""

    task: NamedTask
    """A packaged task by its name (dialogue, code_review, ...), or the YAML file of your own."""


class ScoredTaskSettings(Settings):
    """Which samples a scorer is for."""

    task: OptionalText = None
    """The task whose factors are meant; else that of the scored samples."""


# Of tasks -----------------------------------------------------------------------------------------


class ProfileSettings(
    VerdictSettings, MeasuringSettings, AskingSettings, PairSettings, DataSettings
):
    """Settings of ``summarization``, ``instruction_following`` and ``document_qa``."""

    setting: Setting = "both"
    """The model writes (generation), judges (discrimination), or does both."""
    own_pairs: Flag = True
    """With setting=both, let the model also judge the pairs that it wrote; else it does nothing."""

    @property
    def writes(self) -> bool:
        """Whether the model is asked to write."""
        return self.setting != "discrimination"

    @property
    def judges(self) -> bool:
        """Whether the model is asked to judge."""
        return self.setting != "generation"

    @property
    def judged_own(self) -> Pairing | None:
        """Which of the pairs that it wrote the model is asked to judge; None: none of them."""
        return self.pairing if self.own_pairs and self.setting == "both" else None


class PreferenceSettings(ProfileSettings, NamedTaskSettings):
    """Settings of ``preference``: those of the named tasks, and which task it is."""


class FeedbackSettings(VerdictSettings, GradingSettings, PairSettings, DataSettings):
    """Settings of the tasks ``<task>_feedback``."""

    factors: Selection = "auto"
    """auto is core with a grader, else surface."""
    condition: Conditions = None
    """Conditions under which drafts are revised; all that the run allows where it is left out."""
    profiles: OptionalText = None
    """Log of a run that wrote for scores, for factor feedback; or own: this run writes first."""
    most_factors: Count = MOST_FACTORS
    """Name at most so many factors in factor feedback."""
    allow_self_grading: Flag = False
    """Let the evaluated model compare drafts and grade where no model has the role grader."""

    @property
    def conditions(self) -> tuple[Condition, ...] | None:
        """The conditions in the order of ``CONDITIONS``; None: all that the run allows."""
        return cast("tuple[Condition, ...] | None", self.condition)


class PreferenceFeedbackSettings(FeedbackSettings, NamedTaskSettings):
    """Settings of ``preference_feedback``."""


class WinnerSettings(Settings):
    """How winners are found, and by what they are compared with losers."""

    factors: Selection = "surface"
    """Surface factors by which winners and losers are compared."""
    tournament: Tournament = "round_robin"
    """Let every two samples meet (n (n - 1) requests), or the winners of each round (2 (n - 1))."""


class SelfGuidedSettings(VerdictSettings, WinnerSettings, SourceSettings, DataSettings):
    """Settings of the tasks ``<task>_self_guided``; of the data only the sources are used."""

    samples: Annotated[int, Field(ge=2, le=MAXIMUM_SAMPLES), f"2 to {MAXIMUM_SAMPLES}"] = 4
    """Responses to each source, n."""
    temperature: Annotated[
        float,
        Field(gt=0, le=2),
        "more than 0 and at most 2: without it all samples are alike",
    ] = 1.0
    """Of their sampling."""


class PreferenceSelfGuidedSettings(SelfGuidedSettings, NamedTaskSettings):
    """Settings of ``preference_self_guided``."""


class ScoreValiditySettings(VerdictSettings, PairSettings, DataSettings):
    """Settings of the tasks ``<task>_score_validity``."""

    texts: OptionalText = None
    """Inspect log or lm-eval samples of a run that wrote for scores; else annotated responses."""
    measure: Measure = "both"
    """How likely the texts are (likelihood), whether the best is judged better (compliance)."""


class PreferenceScoreValiditySettings(ScoreValiditySettings, NamedTaskSettings):
    """Settings of ``preference_score_validity``."""


class JudgeAuditSettings(VerdictSettings, PairSettings, DataSettings):
    """Settings of the tasks ``<task>_judge_audit``."""

    probes: Probes = "all"
    """What is looked at: one or several, with commas."""
    factors: Selection = "surface"
    """Factors whose influence is compared between wordings; no grader is asked."""

    @property
    def chosen_probes(self) -> tuple[ProbeName, ...]:
        """The probes, in the order of ``PROBES``."""
        return PROBES if self.probes == "all" else cast("tuple[ProbeName, ...]", self.probes)


class PreferenceJudgeAuditSettings(JudgeAuditSettings, NamedTaskSettings):
    """Settings of ``preference_judge_audit``."""


class LabelledDataSettings(Settings):
    """Which data a grader is validated on."""

    dataset: Annotated[Text, "a file of annotated pairs with human labels, -T dataset=FILE"]
    """A file of annotated pairs with human labels in factors."""
    format: OptionalText = None
    """Format of the file, or a YAML file of yours; else the only one that fits."""
    map: Mapped = None
    """Columns of the file as fields of ours: text_1=response_a,text_2=response_b."""


class LabelSettings(GraderSettings):
    """Which human labels a grader is held against, and how often."""

    labels: OptionalText = None
    """A YAML file that maps the labels to factors, instead of the packaged one."""
    factors: Names = None
    """Only the labels of these factor ids; taxonomy files (.yaml) add your own factors."""
    retest: Flag = False
    """Ask for everything a second time, to see whether the grader agrees with itself."""


class GraderValidationSettings(LabelSettings, PairSettings, LabelledDataSettings):
    """Settings of ``grader_validation``."""


class DiscoverySettings(JudgeSettings):
    """Settings of ``profile-tasks discover``."""

    at_most: Annotated[int, Field(ge=1, le=50), "1 to 50"] = 5
    """Candidates that are tested; each makes the test of all stricter."""
    train_share: Annotated[float, Field(gt=0, lt=1), "more than 0 and less than 1"] = 0.5
    """Share of the sources to find candidates on; they are tested on the others."""
    shown: Count = 40
    """Pairs that the proposer is shown."""
    graded: Count = 150
    """Pairs of each half of the sources that the grader compares."""
    replicates: Annotated[int, Field(ge=100, le=1_000_000), "100 to 1,000,000"] = 1000
    """Of the bootstrap of influences."""
    seed: Seed = 0
    """Seed of every choice and of the bootstrap."""


class LmEvalSettings(SlicingSettings, AskingSettings, PairSettings, DataSettings):
    """Settings of the tasks in lm-eval: what ``--metadata`` may hold, by the names of Inspect."""

    factors: Selection = "auto"
    """auto is surface; ids may also name what the data record; score-lm-eval adds graded ones."""
    limit: AtMost = None
    """Use this many sources, chosen by the seed; lm-eval's --limit takes the first."""
    task: Annotated[NamedTask | None, "the name of a task, or the YAML file of one of yours"] = None
    """Of the tasks profile_preference_*: a packaged task by its name, or the YAML file of yours."""
    texts: OptionalText = None
    """Log or samples of a run that wrote: for own pairs; for validity, else annotated responses."""


# Functions of settings ----------------------------------------------------------------------------

_P = ParamSpec("_P")
_S = TypeVar("_S", bound=Settings)
_R = TypeVar("_R")


def takes(settings: Callable[_P, _S]) -> Callable[[Callable[[_S], _R]], Callable[_P, _R]]:
    """Let a function of settings be called with the single arguments.

    Editors and type checkers see them as those of the settings' class. Inspect and ``help()`` read
    a signature and a docstring made of its fields; the signature ends in ``**unknown``, without
    which Inspect would leave out a misspelt argument with a warning and run with the defaults.

    Args:
        settings: The class of the settings.

    Raises:
        SettingError: By the function: as of ``Settings.read``.

    >>> @takes(SourceSettings)
    ... def drawn(settings: SourceSettings) -> str:
    ...     return f"{settings.limit} by seed {settings.seed}"
    >>> drawn(limit=3)
    '3 by seed 0'
    """
    model = cast("type[_S]", settings)

    def taking(build: Callable[[_S], _R]) -> Callable[_P, _R]:
        @wraps(build)
        def built(*args: _P.args, **given: _P.kwargs) -> _R:
            arguments = signature.bind_partial(*args, **given).arguments
            unknown = arguments.pop("unknown", {})
            return build(model.read(arguments | unknown, of=build.__name__))

        fields = model.model_fields.items()
        built.__annotations__ = {
            **{name: field.annotation for name, field in fields},
            "return": build.__annotations__["return"],
        }
        built.__annotations__ = get_type_hints(built)  # without what pydantic checks
        lines = [f"    {name}: {field.description}" for name, field in fields]
        built.__doc__ = "\n".join([getdoc(build) or "", "", "Args:", *lines])
        signature = _signature(model, built.__annotations__)
        vars(built)["__signature__"] = signature
        return built

    return taking


def _signature(model: type[Settings], types: Mapping[str, Any]) -> Signature:
    """The arguments as Python has them; the first one may be given without its name."""
    kinds = [Parameter.POSITIONAL_OR_KEYWORD] + [Parameter.KEYWORD_ONLY] * len(model.model_fields)
    parameters = [
        Parameter(
            name,
            kind,
            default=Parameter.empty if field.is_required() else field.default,
            annotation=types[name],
        )
        for kind, (name, field) in zip(kinds, model.model_fields.items(), strict=False)
    ]
    unknown = Parameter("unknown", Parameter.VAR_KEYWORD, annotation=Never)
    return Signature([*parameters, unknown], return_annotation=types["return"])
