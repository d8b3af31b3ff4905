"""``profile-tasks cost``: what a run will ask of its models, before it."""

from typing import TYPE_CHECKING, Any

import click

from profile_tasks.commands.printing import FORMAT_OPTION, emit, say
from profile_tasks.commands.recorded import given
from profile_tasks.commands.settings_options import settings_options
from profile_tasks.commands.task_name import TaskName
from profile_tasks.commands.unusable import Unusable
from profile_tasks.settings import JudgeAuditSettings, ProfileSettings

if TYPE_CHECKING:
    from profile_tasks.data.preferences import PreferenceData
    from profile_tasks.scorers.factors.factor import Factor
    from profile_tasks.tasks.request_cost import RequestCost, RequestCount

_ELSEWHERE = ("dataset", "grader_cache", "allow_self_grading", "unieval_checkpoint")
"""Settings that are no options here: the command's argument, and what changes no count."""


_OF_A_PROFILE = [name for name in ProfileSettings.model_fields if name not in _ELSEWHERE]
_OF_AN_AUDIT = [name for name in JudgeAuditSettings.model_fields if name not in _ELSEWHERE]

_AUDIT = "_judge_audit"
"""How the name of a task ends that audits a judge."""


@click.command(epilog="Example: profile-tasks cost demo --task summarization")
@click.argument("dataset")
@click.option(
    "--task",
    required=True,
    type=TaskName([_AUDIT]),
)
@settings_options(ProfileSettings, _OF_A_PROFILE)
@settings_options(JudgeAuditSettings, [n for n in _OF_AN_AUDIT if n not in _OF_A_PROFILE])
@click.option("--no-grader", is_flag=True, help="Run without a grader: auto is then surface.")
@click.option(
    "--graders",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Models in the role grader; each is asked everything.",
)
@click.option("--epochs", type=click.IntRange(1), default=1, show_default=True)
@FORMAT_OPTION
@click.pass_context
def cost(
    ctx: click.Context,
    /,
    dataset: str,
    task: str,
    no_grader: bool,
    graders: int,
    epochs: int,
    format_: str,
    **options: object,
) -> None:
    """Requests and estimated tokens of a run on DATASET; no model is called.

    DATASET and the options are the arguments of the task (inspect eval ... -T setting=...).
    """
    # Inspect takes seconds to import, so that --help must not wait for it.
    from profile_tasks.data.task_definition import read_definition
    from profile_tasks.tasks.request_cost import audit_cost, request_cost

    audited = task.endswith(_AUDIT)
    own, other = (_OF_AN_AUDIT, _OF_A_PROFILE) if audited else (_OF_A_PROFILE, _OF_AN_AUDIT)
    names = [name for name in other if name not in own] + ["no_grader", "graders"] * audited
    if foreign := given(ctx, names):
        raise Unusable(f"{task} has no argument {', '.join(foreign)}")
    if no_grader and given(ctx, ["graders"]):
        raise Unusable("--no-grader asks no grader, and --graders says how many; give one of them")
    chosen = {name: value for name, value in options.items() if name in own}
    try:
        if audited:
            audit = JudgeAuditSettings.read({"dataset": dataset, **chosen})
            key = read_definition(task.removesuffix(_AUDIT)).key
            data, factors = _loaded(audit, key, grader=False)
            found = audit_cost(data, audit, epochs)
        else:
            settings = ProfileSettings.read({"dataset": dataset, **chosen})
            key = read_definition(task).key
            data, factors = _loaded(settings, key, grader=not no_grader)
            found = request_cost(data, factors, settings, epochs, graders)
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    for row in data.skipped:
        say(f"skipped: {row}", err=True)
    rows = _rows(found)
    record = {
        "data": data.name,
        "task": f"{key}{_AUDIT * audited}",
        "n_sources": found.n_sources,
        "n_pairs": found.n_pairs,
        "factors": [factor.id for factor in factors],
        "requests": rows,
        "notes": found.notes,
    }
    title = (
        f"{data.name}, {record['task']}: {found.n_sources} sources with {found.n_pairs} annotated "
        f"pairs, {len(factors)} factor{'s' * (len(factors) > 1)}"
    )
    emit(format_, record, rows, title, [_printed(row) for row in rows])
    for note in found.notes if format_ == "table" else ():
        say(f"- {note}")


def _loaded(
    settings: ProfileSettings | JudgeAuditSettings, task: str, *, grader: bool
) -> "tuple[PreferenceData, list[Factor]]":
    """The data of a run and its factors; what a run would refuse is refused."""
    from profile_tasks.data.preferences import recorded_factors
    from profile_tasks.data.sources import check_sources, load_data
    from profile_tasks.scorers.factors.selection import measured_factors, needing_grader
    from profile_tasks.scorers.measurement.slice_labels import check_slices

    profiled = settings if isinstance(settings, ProfileSettings) else None
    data = load_data(settings, task)
    factors = measured_factors(
        settings.factors,
        task,
        grader=grader,
        learned_by=profiled.learned_by if profiled else {},
        recorded=recorded_factors(data.sources),
    )
    check_sources(task, data, profiled.setting if profiled else "discrimination")
    if profiled is not None:
        check_slices(data.sources, profiled.slice_columns)
    if not grader and (graded := needing_grader(factors)):
        why = "leave --no-grader out, or" if profiled else "this task asks none:"
        raise ValueError(
            f"factors {', '.join(graded)} need a grader; {why} choose factors that need none "
            "(--factors surface)"
        )
    return data, list(factors)


def _rows(found: "RequestCost") -> list[dict[str, Any]]:
    """One row a purpose, and under those of a role its total."""
    rows = []
    for role, purposes in found.purposes.items():
        counts: dict[str, RequestCount] = {name: found.by_purpose[name] for name in purposes}
        for purpose, count in (counts | {"total": found.total(role)}).items():
            rows.append(
                {
                    "role": role,
                    "purpose": purpose,
                    "requests": count.requests,
                    "requests_per_source": round(count.requests / found.n_sources, 2),
                    "input_tokens": count.input_tokens,
                    "output_tokens": count.output_tokens,
                }
            )
    return rows


def _printed(row: dict[str, Any]) -> dict[str, str]:
    return {
        "role": row["role"],
        "purpose": row["purpose"],
        "requests": f"{row['requests']:,}",
        "a source": f"{row['requests_per_source']:,.1f}",
        "~ input tokens": f"{row['input_tokens']:,}",
        "~ output tokens": f"{row['output_tokens']:,}",
    }
