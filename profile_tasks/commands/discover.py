"""``profile-tasks discover``: from preference pairs to named factors, tested on other sources."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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
from profile_tasks.settings import JudgeSettings
from profile_tasks.whole_files import write_whole

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

    from profile_tasks.discovery.contrasts import Contrasts
    from profile_tasks.discovery.discovery import Discovery
    from profile_tasks.discovery.proposing import Proposed


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
    "--at-most",
    type=click.IntRange(1, 50),
    default=5,
    show_default=True,
    help="Candidates that are tested; each makes the test of all stricter.",
)
@click.option(
    "--train-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="Share of the sources to find candidates on; they are tested on the others.",
)
@click.option(
    "--proposer",
    metavar="MODEL",
    help="A model, as Inspect names them, that reads pairs and proposes factors.",
)
@click.option("--grader", metavar="MODEL", help="Who grades its proposals; by default itself.")
@click.option("-M", "model_args", multiple=True, metavar="KEY=VALUE", help="A model argument.")
@click.option(
    "--shown",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="Pairs that the proposer is shown.",
)
@click.option(
    "--graded",
    type=click.IntRange(1),
    default=150,
    show_default=True,
    help="Pairs of each half of the sources that the grader compares.",
)
@settings_options(JudgeSettings, ["judge_orders"])
@click.option(
    "--log-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("logs"),
    show_default=True,
    help="Where the Inspect logs of what models said go.",
)
@click.option("--dry-run", is_flag=True, help="Only say what models would be asked.")
@click.option("--replicates", type=click.IntRange(100, 1_000_000), default=1000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@FORMAT_OPTION
@click.pass_context
def discover(
    ctx: click.Context,
    /,
    file: str,
    output: Path | None,
    at_most: int,
    train_share: float,
    replicates: int,
    seed: int,
    proposer: str | None,
    grader: str | None,
    model_args: Sequence[str],
    shown: int,
    graded: int,
    judge_orders: Literal[1, 2],
    log_dir: Path,
    dry_run: bool,
    format_: str,
    **_: object,
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
    from profile_tasks.discovery.discovery import discover as discovered
    from profile_tasks.discovery.factors_file import factors_file
    from profile_tasks.discovery.proposing import planned, proposed
    from profile_tasks.runs.signature import data_signature, hashed

    if given(ctx, ["grader", "model_args", "dry_run"]) and proposer is None:
        raise Unusable(
            "--grader, -M and --dry-run go with --proposer; without it no model is asked"
        )
    judging = JudgeSettings.read({"judge_orders": judge_orders})

    def propose(train: "Contrasts", held_out: "Contrasts") -> "Proposed":
        plan = planned(
            train,
            held_out,
            shown=shown,
            graded=graded,
            judging=judging,
            at_most=at_most,
            seed=seed,
        )
        say(_budget(plan.budget), err=not dry_run)
        if dry_run:
            raise _DryRun
        models = {
            role: called_grader(name, model_args, role)
            for role, name in (("proposer", proposer), ("grader", grader or proposer))
            if name is not None
        }

        def ask(task: "Task", role: str) -> "EvalLog":
            roles = {role: models[role]}
            return run_to_end(task, log_dir, model="none/none", roles=dict(roles))

        return proposed(plan, train, held_out, ask)

    try:
        data = load_recorded(file, ctx.params, seed=seed)
        with nullcontext() if proposer else progress("searching and testing"):
            found = discovered(
                data,
                ctx.params["factors"],
                at_most=at_most,
                train_share=train_share,
                replicates=replicates,
                seed=seed,
                propose=propose if proposer else None,
            )
        record = found.record() | {"judge": data.judge, **data.identity}
    except _DryRun:
        return
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    record["notes"] = _notes(proposer, grader)
    record["signature"] = data_signature(
        "discover",
        data,
        found.train.known,
        judges=() if data.judge is None else (data.judge,),
        proposer=proposer,
        grader=grader or proposer,
        at_most=at_most,
        train_share=train_share,
        seed=seed,
    )
    if output is not None and found.found:
        write_whole(output, factors_file(found, hashed(data.name, data.content_hash)))
    _print(format_, record, found, output)


class _DryRun(Exception):  # noqa: N818 - nothing went wrong
    """The budget is told, and no model is asked."""


def _budget(budget: Record) -> str:
    return (
        f"models: at most {budget['proposer']:,} requests to the proposer and "
        f"{budget['grader']:,} to the grader, unless an answer has to be repaired or is cached"
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
    accuracy = record["accuracy"]
    lines = [
        "adds: change in the log-odds of being preferred per root mean square, with "
        f"{', '.join(record['controlled']) or 'no factor'} held fixed, by direction and by size; "
        f"p adjusted over {len(record['tested'])} tests (Holm); all on the other sources"
    ]
    if left_out := record["known"][len(record["controlled"]) :]:
        lines.append(f"too few sources to hold {', '.join(left_out)} fixed too")
    if against := [e["factor"] for e in record["tested"] if not e["same_way"] and e["p_value"]]:
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
    shown = [
        each.added.estimate.smallest_shown for each in found.tested if each.p_holm == each.p_holm
    ]
    if shown and not record["found"]:
        lines.append(
            "a single test of these would have shown, with a chance of 80 %, an addition of "
            f"{number(min(shown))} to {number(max(shown))} and more"
        )
    if proposals := record["proposals"]:
        lines.append(
            f"proposed {proposals['n_proposed']}, of different meaning {proposals['n_merged']}; "
            f"{proposals['requests']} requests; missing of what was graded where they were found: "
            + ", ".join(f"{p['factor']} {p['missing']:.0%}" for p in proposals["proposals"])
        )
        lines += [f"problem: {each}" for each in proposals["problems"][:3]]
    if record["n_ties"]:
        lines.append(f"{record['n_ties']:,} preference ties left out")
    return lines


def _flat(each: Record) -> dict[str, Any]:
    """A test as CSV has it."""
    flat: dict[str, Any] = {}
    for name, value in each.items():
        if isinstance(value, dict):
            flat |= {
                name: value["value"],
                f"{name}_ci_low": value["ci_low"],
                f"{name}_ci_high": value["ci_high"],
                f"{name}_reason": value["reason"],
            }
        else:
            flat[name] = value
    return flat
