"""``profile-tasks discover``: from preference pairs to named factors, tested on other sources."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profile_tasks.commands.grader_run import called_grader, run_to_end
from profile_tasks.commands.printing import (
    FORMAT_OPTION,
    Record,
    emit,
    estimate,
    number,
    p_value,
    reasons,
    say,
    say_signature,
)
from profile_tasks.commands.progress import progress
from profile_tasks.commands.recorded import given, load_recorded, recorded_options
from profile_tasks.commands.settings_options import settings_options
from profile_tasks.commands.unusable import Unusable
from profile_tasks.settings import DiscoverySettings
from profile_tasks.whole_files import write_whole

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

    from profile_tasks.data.preferences import PreferenceData
    from profile_tasks.discovery.discovery import Discovery
    from profile_tasks.discovery.proposing import Ask


_SETTINGS = ("at_most", "train_share", "shown", "graded", "judge_orders", "replicates", "seed")
_OF_MODELS = ("grader", "model_args", "shown", "graded", "judge_orders", "dry_run")


@click.command(epilog="Example: profile-tasks discover pairs.jsonl -o factors.yaml")
@click.argument("file")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Taxonomy file for what is found; no file where nothing is.",
)
@recorded_options
@click.option(
    "--proposer",
    metavar="MODEL",
    help="A model, as Inspect names them, that reads pairs and proposes factors.",
)
@click.option("--grader", metavar="MODEL", help="Who grades its proposals; by default itself.")
@click.option("-M", "model_args", multiple=True, metavar="KEY=VALUE", help="A model argument.")
@click.option(
    "--log-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("logs"),
    show_default=True,
    help="Where the Inspect logs of what models said go.",
)
@click.option("--dry-run", is_flag=True, help="Only say what models would be asked.")
@settings_options(DiscoverySettings, _SETTINGS)
@FORMAT_OPTION
@click.pass_context
def discover(
    ctx: click.Context,
    /,
    file: str,
    output: Path | None,
    proposer: str | None,
    grader: str | None,
    model_args: Sequence[str],
    log_dir: Path,
    dry_run: bool,
    format_: str,
    **options: Any,  # noqa: ANN401 - of the data, and settings
) -> None:
    """Factors that are not in the taxonomy, found in the pairs of FILE and tested.

    Half of the sources are searched for words, phrases and features of form by which preferred
    responses differ from the others beside the known factors (--factors). The few that stand out
    most are tested on the other half: does each add to the known ones? What passes goes into a
    taxonomy file, which every --factors and -T factors= takes. FILE is as of influence.

    With --proposer a model reads pairs of the first half and proposes factors in words, which are
    graded on pairs of both halves and tested with the others.
    """
    # The statistics take seconds to import, so that --help must not wait for them.
    from profile_tasks.discovery.contrasts import contrasts_of, split_by_group
    from profile_tasks.discovery.discovery import searched
    from profile_tasks.discovery.factors_file import factors_file
    from profile_tasks.discovery.proposing import Proposed, planned, proposed
    from profile_tasks.runs.signature import hashed

    if proposer is None and (alone := given(ctx, _OF_MODELS)):
        raise Unusable(f"{', '.join(alone)}: only with --proposer; without it no model is asked")
    roles = {"proposer": proposer, "grader": grader or proposer}
    try:
        settings = DiscoverySettings.read({name: options[name] for name in _SETTINGS})
        data = load_recorded(file, options, seed=settings.seed)
        contrasts = contrasts_of(data, options["factors"])
        parts = split_by_group(contrasts, settings.train_share, settings.seed)
        asked = Proposed()
        if proposer is not None:
            plan = planned(*parts, settings)
            say(_budget(plan.budget), err=not dry_run)
            if dry_run:
                return
            asked = proposed(plan, *parts, _asking(roles, model_args, log_dir))
        with progress("searching and testing"):
            found = searched(*parts, settings, asked)
            record = found.record() | {"judge": data.judge, **data.identity}
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    record["notes"] = _notes(proposer, grader)
    record["signature"] = _signature(data, found, roles)
    if output is not None and found.found:
        write_whole(output, factors_file(found, hashed(data.name, data.content_hash)))
    _print(format_, record, found, output)


def _asking(roles: Mapping[str, str | None], model_args: Sequence[str], log_dir: Path) -> "Ask":
    """Runs tasks with the models of these names by role."""
    models = {
        role: called_grader(name, model_args, role)
        for role, name in roles.items()
        if name is not None
    }

    def ask(task: "Task", role: str) -> "EvalLog":
        return run_to_end(task, log_dir, model="none/none", roles={role: models[role]})

    return ask


def _budget(budget: Record) -> str:
    return (
        f"models: at most {budget['proposer']:,} requests to the proposer and "
        f"{budget['grader']:,} to the grader, unless an answer has to be repaired or is cached"
    )


def _signature(data: "PreferenceData", found: "Discovery", roles: Mapping[str, str | None]) -> str:
    from profile_tasks.runs.signature import data_signature

    return data_signature(
        "discover",
        data,
        found.train.known,
        judges=() if data.judge is None else (data.judge,),
        **roles,
        **{name: getattr(found.settings, name) for name in ("at_most", "train_share", "seed")},
    )


def _notes(*models: str | None) -> list[str]:
    """What must be said of the models that were asked."""
    from profile_tasks.solvers.simulated_answers import PROPOSER_SIMULATION_NOTE, SIMULATED

    simulated = any(name is not None and SIMULATED in name for name in models)
    return [f"SIMULATED: {PROPOSER_SIMULATION_NOTE}"] if simulated else []


def _print(format_: str, record: Record, found: "Discovery", output: Path | None) -> None:
    columns = [_flat(each) for each in record["tested"]]
    if format_ != "table":
        emit(format_, record, columns, "", [])
        return
    for line in (*record["notes"], *_said(record)):
        say(line)
    emit("table", record, columns, _title(record), [_printed(each) for each in record["tested"]])
    reasons((each["factor"], each["added"]["reason"]) for each in record["tested"])
    for line in _explained(record, found):
        say(line)
    for log in (record["proposals"] or {}).get("logs", ()):
        say(f"log: {log}", whole=True)
    if output is not None:
        say(f"written: {output}" if record["found"] else f"nothing is written to {output}")
    say_signature(record["signature"])


def _said(record: Record) -> list[str]:
    """What was found, in words."""
    tested, found = record["tested"], record["found"]
    if not tested:
        return ["nothing was found: no candidate differs in enough sources to be tested"]
    if not found:
        return [
            f"nothing was found: none of the {len(tested)} candidates is told to add to the known "
            "factors on other sources"
        ]
    words = "adds" if len(found) == 1 else "add"
    return [
        f"found: {', '.join(found)} {words} to the known factors on sources that nothing was "
        "chosen by",
        *(
            f"{each['factor']}: {'more' if each['direction'] > 0 else 'less'} of it is "
            f"preferred. {each['definition']}"
            for each in tested
            if each["passed"]
        ),
    ]


def _title(record: Record) -> str:
    train, held_out, tried = record["train"], record["held_out"], record["tried"]
    proposed = f", {tried['proposed']} proposals" if tried["proposed"] else ""
    return (
        f"tried on {train['n_pairs']:,} pairs of {train['n_groups']:,} sources: {tried['form']} "
        f"features of form, {tried['wording']:,} words and phrases{proposed}; "
        f"{len(record['tested'])} tested on {held_out['n_pairs']:,} pairs of "
        f"{held_out['n_groups']:,} others"
    )


def _printed(each: Record) -> dict[str, str]:
    return {
        "candidate": each["factor"],
        "adds [95 %]": estimate(each["added"]),
        "p Holm": p_value(each["p_adjusted"]),
        "found": "yes" if each["passed"] else "",
        "tau [95 %]": estimate(each, "tau"),
        "n": f"{each['n']:,}",
        "accuracy gained [95 %]": estimate(each["gain"]),
        "what it is": each["pattern"] or each["definition"],
    }


def _explained(record: Record, found: "Discovery") -> list[str]:
    """What the numbers are, and what they rest on."""
    accuracy, width = record["accuracy"], found.held_out.controls.shape[1]
    lines = [
        "adds: change in the log-odds of being preferred per root mean square, with "
        f"{', '.join(record['controlled']) or 'no factor'} held fixed, by direction and by size; "
        f"p adjusted over {record['n_tests']} tests (Holm); all on the other sources"
    ]
    if few := [e["factor"] for e in record["tested"] if e["n_controls"] < width]:
        lines.append(f"known in few sources, so beside the first of these alone: {', '.join(few)}")
    if left_out := record["known"][len(record["controlled"]) :]:
        lines.append(f"too few sources to hold {', '.join(left_out)} fixed too")
    turns = [t for t in found.tested if t.train.direction * t.added.direction < 0]
    if against := [each.candidate.factor.id for each in turns]:
        lines.append(f"points another way than where it was found: {', '.join(against)}")
    lines += [
        f"cannot be told apart: {one} and {two}; keep the one that says better what it is"
        for one, two in record["alike"]
    ]
    lines.append(
        f"accuracy on the other sources: known factors {estimate(accuracy['known'])}"
        + (
            f"; with the found ones {estimate(accuracy['with_found'])}, that is "
            f"{estimate(accuracy['gain'])} more (chosen for adding here, so somewhat too much)"
            if record["found"]
            else ""
        )
    )
    tests = [each.added.estimate for each in found.tested]
    shown = [each.smallest_shown for each in tests if each.defined]
    if shown and not record["found"]:
        lines.append(
            "a single test of these would have shown, with a chance of 80 %, an addition of "
            f"{number(min(shown))} to {number(max(shown))} and more"
        )
    if proposals := record["proposals"]:
        lines.append(
            f"proposed {proposals['n_proposed']}, of different meaning {proposals['n_merged']}; "
            f"{proposals['requests']} requests"
        )
        if unknown := [f"{p['factor']} {p['missing']:.0%}" for p in proposals["proposals"]]:
            missing = ", ".join(unknown)
            lines.append(f"missing of what was graded where they were found: {missing}")
        lines += [f"problem: {each}" for each in proposals["problems"][:3]]
    if record["n_ties"]:
        lines.append(f"{record['n_ties']:,} preference ties left out")
    return lines


def _flat(each: Record) -> dict[str, Any]:
    """A test as CSV has it."""
    flat: dict[str, Any] = {}
    for name, value in each.items():
        of = value if isinstance(value, dict) else {"value": value}
        flat |= {name if key == "value" else f"{name}_{key}": it for key, it in of.items()}
    return flat
