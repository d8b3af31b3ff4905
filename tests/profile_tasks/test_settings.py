"""Every argument of every task, stated once: read, refused, shown to people and to programs."""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import ModelOutput, get_model
from inspect_ai.util import registry_info

from profile_tasks import _registry
from profile_tasks.scorers.inspect.arguments import ArgumentError, OneLineError
from profile_tasks.settings import (
    CONDITIONS,
    DEFAULT_SCORES,
    FeedbackSettings,
    GraderValidationSettings,
    JudgeAuditSettings,
    LmEvalSettings,
    PreferenceFeedbackSettings,
    PreferenceJudgeAuditSettings,
    PreferenceScoreValiditySettings,
    PreferenceSelfGuidedSettings,
    PreferenceSettings,
    ProfileSettings,
    ScoreValiditySettings,
    SelfGuidedSettings,
    SettingError,
    Settings,
    choices_of,
    expected_of,
    takes,
)
from profile_tasks.task_configs.run_settings import METADATA_NAMES

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

SETTINGS: dict[str, type[Settings]] = {
    "": ProfileSettings,
    "_feedback": FeedbackSettings,
    "_self_guided": SelfGuidedSettings,
    "_score_validity": ScoreValiditySettings,
    "_judge_audit": JudgeAuditSettings,
}
OF_A_DEFINITION: dict[str, type[Settings]] = {
    "preference": PreferenceSettings,
    "preference_feedback": PreferenceFeedbackSettings,
    "preference_self_guided": PreferenceSelfGuidedSettings,
    "preference_score_validity": PreferenceScoreValiditySettings,
    "preference_judge_audit": PreferenceJudgeAuditSettings,
}
TASKS: dict[str, type[Settings]] = (
    {
        f"{task}{kind}": settings
        for task in ("summarization", "instruction_following", "document_qa")
        for kind, settings in SETTINGS.items()
    }
    | OF_A_DEFINITION
    | {"grader_validation": GraderValidationSettings}
)
CLASSES = (*SETTINGS.values(), GraderValidationSettings, LmEvalSettings)


def task(name: str) -> Any:
    return getattr(_registry, name)


def registered_tasks() -> set[str]:
    named = {name: getattr(_registry, name) for name in _registry.__all__}
    return {name for name, found in named.items() if registry_info(found).type == "task"}


def test_every_task_is_looked_at_here() -> None:
    assert TASKS.keys() == registered_tasks()


@pytest.mark.parametrize(("name", "settings"), TASKS.items())
def test_python_inspect_and_help_see_the_settings_as_arguments(
    name: str, settings: type[Settings]
) -> None:
    *parameters, unknown = inspect.signature(task(name)).parameters.values()
    fields = settings.model_fields
    assert [parameter.name for parameter in parameters] == list(fields)
    for parameter in parameters:
        field = fields[parameter.name]
        assert field.is_required() or parameter.default == field.default
        assert "Annotated" not in str(parameter)
        assert f"\n    {parameter.name}: {field.description}" in task(name).__doc__
    assert parameters[0].name == ("task" if name in OF_A_DEFINITION else "dataset")
    # Without it, Inspect leaves out what it does not know, and the task runs on its defaults.
    assert unknown.kind is inspect.Parameter.VAR_KEYWORD
    assert not task(name).__doc__.startswith("\n")


@pytest.mark.parametrize("settings", CLASSES)
def test_every_setting_has_one_line_of_help_and_says_what_it_may_be(
    settings: type[Settings],
) -> None:
    for name, field in settings.model_fields.items():
        assert field.description, name
        assert "\n" not in field.description
        assert expected_of(field), name


@pytest.mark.parametrize("settings", CLASSES)
def test_defaults_are_what_the_settings_allow(settings: type[Settings]) -> None:
    required = {"dataset": "pairs.jsonl"} if settings is GraderValidationSettings else {}
    plain = settings.read(required)
    assert settings.read(plain.record()) == plain
    assert plain.record().keys() == settings.model_fields.keys()


def test_a_misspelt_argument_is_refused_with_the_nearest_and_all_there_are() -> None:
    for name, settings in TASKS.items():
        with pytest.raises(SettingError) as error:
            task(name)(limt=2)
        assert str(error.value) == (
            f"limt is no setting of {name}; did you mean 'limit'? Must be one of: "
            + ", ".join(settings.model_fields)
        )


def test_a_name_that_is_like_no_other_is_refused_without_a_guess() -> None:
    with pytest.raises(SettingError, match=r"zzz is no setting of document_qa\. Must be one of: d"):
        task("document_qa")(zzz=None)


def test_a_wrong_name_is_told_before_a_wrong_value() -> None:
    with pytest.raises(SettingError, match=r"^dateset is no setting"):
        ProfileSettings.read({"limit": 0, "dateset": "x"})


@pytest.mark.parametrize("argument", [{"limt": 2}, {"dateset": "mine.jsonl"}, {"factor": "length"}])
def test_inspect_refuses_it_before_a_model_is_called(
    argument: dict[str, object], tmp_path: Path
) -> None:
    asked = []

    def answer(*request: object) -> ModelOutput:
        asked.append(request)
        return ModelOutput.from_content("mockllm/model", "Verdict: A")

    with pytest.raises(ArgumentError, match=f"^{next(iter(argument))} is no setting of summar"):
        inspect_eval(
            "profile_tasks/summarization",
            task_args=argument,
            model=get_model("mockllm/model", custom_outputs=answer, memoize=False),
            log_dir=str(tmp_path),
            display="none",
            log_realtime=False,
        )
    assert not asked
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factor": "length"}, "factor is no setting of factor_profile; did you mean 'factors'?"),
        ({"judge_batch": "two"}, "judge_batch is 'two'. Must be one of: all, one"),
        ({"factors": "lenght"}, "Factor 'lenght' is unknown; did you mean 'length'?"),
    ],
)
def test_scoring_a_log_tells_wrong_arguments_of_the_scorer(
    arguments: dict[str, str], message: str, tmp_path: Path
) -> None:
    # What `inspect score --scorer profile_tasks/factor_profile -S ...` calls: it takes a
    # ValueError for a scorer that is not there.
    from inspect_ai._eval.score import resolve_scorers

    log = finished(task("document_qa"), tmp_path, limit=1, setting="discrimination")
    given = {"task": "document_qa", **arguments}
    with pytest.raises(OneLineError, match=re.escape(message)):
        resolve_scorers(log, "profile_tasks/factor_profile", given)


def test_only_the_first_argument_may_come_without_its_name() -> None:
    @takes(SelfGuidedSettings)
    def named(settings: SelfGuidedSettings) -> str:
        return settings.dataset

    assert named("pairs.jsonl") == "pairs.jsonl"
    with pytest.raises(TypeError, match="too many positional arguments"):
        named("pairs.jsonl", "sources.jsonl")


@pytest.mark.parametrize(
    ("given", "parsed"),
    [("1,3,5", (1, 3, 5)), ([5, 1], (1, 5)), (["2", "10"], (2, 10)), (DEFAULT_SCORES,) * 2],
)
def test_scores_are_read_as_a_command_line_gives_them(given: Any, parsed: tuple[int, ...]) -> None:
    assert ProfileSettings(scores=given).target_scores == parsed


@pytest.mark.parametrize(
    ("given", "parsed"),
    [
        (None, None),
        ("none", ("none",)),
        ("factor, self", ("self", "factor")),
        (["evaluator", "none"], ("none", "evaluator")),
    ],
)
def test_conditions_are_read_as_a_command_line_gives_them(
    given: str | list[str] | None, parsed: tuple[str, ...] | None
) -> None:
    assert FeedbackSettings(condition=given).conditions == parsed


@pytest.mark.parametrize(
    ("settings", "name", "value", "problem"),
    [
        (FeedbackSettings, "condition", "nobody",
         f"condition 'nobody' is unknown. Must be one or several of: {', '.join(CONDITIONS)}"),
        (FeedbackSettings, "condition", "", "condition '' is unknown"),
        (FeedbackSettings, "condition", [], "name each one once"),
        (FeedbackSettings, "condition", "self,self", "name each one once"),
        (FeedbackSettings, "condition", 3, "condition is 3; expected one or several of none, self"),
        (FeedbackSettings, "most_factors", True, "most_factors is True; expected a whole number"),
        (ProfileSettings, "scores", [1, 2.5], "scores is [1, 2.5]; expected at least two diff"),
        (ProfileSettings, "scores", "0,1", "scores is '0,1'; expected at least two different"),
        (ProfileSettings, "scores", 5, "scores is 5; expected at least two different"),
        (ProfileSettings, "factors", [1], "factors is [1]; expected auto, core, surface, all"),
        (ProfileSettings, "orders", 2.0, "orders is 2.0. Must be one of: 1, 2"),
        (ProfileSettings, "limit", True, "limit is True; expected a whole number of at least 1"),
        (ProfileSettings, "revision", 12, "revision is 12; expected a text, or None"),
        (ProfileSettings, "dataset", None, "dataset is None; expected a text"),
        (ProfileSettings, "allow_self_grading", 1, "allow_self_grading is 1; expected true or"),
        (SelfGuidedSettings, "temperature", float("nan"), "temperature is nan; expected more than"),
        (ProfileSettings, "sources", "", "sources is ''; expected a text, or None"),
        (GraderValidationSettings, "limit", 1,
         "dataset is missing; expected a file of annotated pairs with human labels, -T dataset="),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_what_is_expected(
    settings: type[Settings], name: str, value: object, problem: str
) -> None:
    with pytest.raises(SettingError) as error:
        settings.read({name: value})
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


def test_the_path_of_a_file_is_its_text(tmp_path: Path) -> None:
    settings = ProfileSettings.read({"dataset": tmp_path / "a.jsonl", "sources": tmp_path})
    assert (settings.dataset, settings.sources) == (f"{tmp_path}/a.jsonl", str(tmp_path))


def finished(built: Task | Any, tmp_path: Path, **arguments: object) -> EvalLog:
    (log,) = inspect_eval(
        built,
        task_args=arguments,
        model="planted/balanced",
        log_dir=str(tmp_path),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success", log.error
    return read_eval_log(log.location, header_only=True)


@pytest.mark.parametrize("name", ["document_qa", "document_qa_feedback", "document_qa_self_guided"])
def test_the_log_holds_every_setting_as_one_record(name: str, tmp_path: Path) -> None:
    log = finished(task(name), tmp_path, limit=1, seed=4, factors=["length", "readability"])
    settings = TASKS[name].read({"limit": 1, "seed": 4, "factors": ["length", "readability"]})
    assert log.eval.metadata is not None
    assert log.eval.metadata["settings"] == settings.record()
    assert log.eval.task_args == settings.record()  # the defaults too, for who looks there
    assert log.eval.task_args_passed.keys() == {"limit", "seed", "factors"}


@pytest.mark.slow
def test_the_settings_import_nothing_that_others_would_wait_for() -> None:
    code = "import sys, profile_tasks.settings; print(*(m for m in sys.modules if '.' not in m))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(run.stdout.split())
    assert {"pydantic", "profile_tasks"} <= loaded
    assert not loaded & {"inspect_ai", "lm_eval", "numpy", "pandas", "scipy", "yaml", "click"}


SNIPPET = """
from profile_tasks.settings import ProfileSettings, takes

@takes(ProfileSettings)
def summarization(settings: ProfileSettings) -> int:
    return settings.seed

summarization(limit=3, scores=[1, 5], factors=["length"], setting="both")
summarization(limt=3)
summarization(limit="3")
summarization(setting="neither")
reveal_type(summarization())
"""


@pytest.mark.slow
def test_a_type_checker_knows_names_types_and_choices(tmp_path: Path, repository: Path) -> None:
    api = pytest.importorskip("mypy.api", reason="the extra lint has the type checker")
    file = tmp_path / "snippet.py"
    file.write_text(SNIPPET)
    options = ["--strict", "--no-error-summary", "--cache-dir", str(tmp_path / "cache")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPYPATH", str(repository))
        printed, _, _ = api.run([*options, str(file)])
    told = [line.partition("snippet.py:")[2] for line in printed.splitlines()]
    assert 'Unexpected keyword argument "limt" for "summarization"; did you mean "limit"' in told[0]
    assert told[0].startswith("9:")
    wrong = [line for line in told if "incompatible type" in line]
    assert [line.split(":")[0] for line in wrong] == ["10", "11"]
    assert "\"Literal['both', 'generation', 'discrimination']\"" in wrong[1]
    assert 'Revealed type is "int"' in told[-1]


def described(name: str, settings: type[Settings]) -> str:
    field = settings.model_fields[name]
    choices = ", ".join(f"`{choice}`" for choice in choices_of(field))
    values = choices or expected_of(field)
    default = field.default
    if isinstance(default, tuple):
        default = ",".join(map(str, default))
    elif isinstance(default, bool):
        default = str(default).lower()
    shown = "required" if field.is_required() else "none" if default is None else f"`{default}`"
    return f"| `{name}` | {field.description} | {values} | {shown} |"


def section(title: str, settings: type[Settings], shown_before: set[str]) -> str:
    """A section of docs/settings.md as it has to be."""
    rows = {name: described(name, settings) for name in settings.model_fields}
    new = [row for row in rows.values() if row not in shown_before]
    same = [f"`{name}`" for name, row in rows.items() if row in shown_before]
    shown_before |= set(rows.values())
    return "\n".join(
        [
            f"## {title}",
            "",
            "| argument | what it is | values | default |",
            "|---|---|---|---|",
            *new,
            *(["", f"As above: {', '.join(same)}."] if same else []),
        ]
    )


def test_the_page_of_arguments_says_what_the_settings_say(repository: Path) -> None:
    page = (repository / "docs" / "settings.md").read_text(encoding="utf-8")
    shown: set[str] = set()
    for title, settings in (
        ("`summarization`, `instruction_following`, `document_qa`", ProfileSettings),
        ("`preference`, `preference_<kind>`", PreferenceSettings),
        ("`<task>_feedback`", FeedbackSettings),
        ("`<task>_self_guided`", SelfGuidedSettings),
        ("`<task>_score_validity`", ScoreValiditySettings),
        ("`<task>_judge_audit`", JudgeAuditSettings),
        ("`grader_validation`", GraderValidationSettings),
    ):
        assert section(title, settings, shown) in page


def test_the_page_of_lm_eval_says_what_the_metadata_may_hold(repository: Path) -> None:
    page = (repository / "docs" / "lm-eval.md").read_text(encoding="utf-8")
    rows = [
        described(name, LmEvalSettings).replace(f"`{name}`", f"`{named}`", 1)
        for named, name in METADATA_NAMES.items()
    ]
    assert "\n".join(["| name | meaning | values | default |", "|---|---|---|---|", *rows]) in page
