"""``profile-tasks cost``: what a run will ask of its models, before it."""

from typing import TYPE_CHECKING, Any

import click

from profile_tasks.commands.known_name import KnownName
from profile_tasks.commands.printing import FORMAT_OPTION, emit, say
from profile_tasks.commands.settings_options import settings_options
from profile_tasks.commands.unusable import Unusable
from profile_tasks.settings import ProfileSettings

if TYPE_CHECKING:
    from profile_tasks.data.preferences import PreferenceData
    from profile_tasks.tasks.request_cost import RequestCost, RequestCount

_ELSEWHERE = ("dataset", "grader_cache", "allow_self_grading", "unieval_checkpoint")
"""Settings that are no options here: the command's argument, and what changes no count."""


@click.command(epilog="Example: profile-tasks cost demo --task summarization")
@click.argument("dataset")
@click.option(
    "--task",
    required=True,
    type=KnownName(["summarization", "instruction_following", "document_qa"]),
)
@settings_options(
    ProfileSettings, [name for name in ProfileSettings.model_fields if name not in _ELSEWHERE]
)
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
def cost(
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
    from profile_tasks.data.preferences import recorded_factors
    from profile_tasks.data.sources import load_data
    from profile_tasks.scorers.factors.selection import measured_factors, needing_grader
    from profile_tasks.tasks.request_cost import request_cost

    try:
        settings = ProfileSettings.read({"dataset": dataset, **options})
        data = load_data(settings, task)
        factors = measured_factors(
            settings.factors,
            task,
            grader=not no_grader,
            learned_by=settings.learned_by,
            recorded=recorded_factors(data.sources),
        )
        _check_sources(data, task, settings)
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    if no_grader and (graded := needing_grader(factors)):
        raise Unusable(
            f"factors {', '.join(graded)} need a grader; leave --no-grader out, or choose factors "
            "that need none (--factors surface)"
        )
    for row in data.skipped:
        say(f"skipped: {row}", err=True)
    found = request_cost(data, factors, settings, epochs, graders)
    rows = _rows(found)
    record = {
        "data": data.name,
        "task": task,
        "n_sources": found.n_sources,
        "n_pairs": found.n_pairs,
        "factors": [factor.id for factor in factors],
        "requests": rows,
        "notes": found.notes,
    }
    title = (
        f"{data.name}, {task}: {found.n_sources} sources with {found.n_pairs} annotated pairs, "
        f"{len(factors)} factor{'s' * (len(factors) > 1)}"
    )
    emit(format_, record, rows, title, [_printed(row) for row in rows])
    for note in found.notes if format_ == "table" else ():
        say(f"- {note}")


def _check_sources(data: "PreferenceData", task: str, settings: ProfileSettings) -> None:
    """Refuse what a run would refuse."""
    if data.unjoined_rows:
        raise ValueError(
            f"{data.name}: {data.unjoined_rows} rows name a source_id but hold no source; "
            "give the file that holds the sources: --sources FILE"
        )
    without = sum(source.source is None for source in data.sources)
    if task == "summarization" and settings.writes and without:
        raise ValueError(
            f"{data.name}: {without} of {len(data.sources)} sources have no text, so there is "
            "nothing to summarize; use --setting discrimination, or data with sources"
        )


def _rows(found: "RequestCost") -> list[dict[str, Any]]:
    """One row a purpose, and under those of a role its total."""
    from profile_tasks.tasks.request_cost import PURPOSES

    rows = []
    for role, purposes in PURPOSES.items():
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
