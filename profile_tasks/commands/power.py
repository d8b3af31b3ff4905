"""``profile-tasks power``: how many sources a study needs, from a pilot or from assumptions."""

import math
from typing import TYPE_CHECKING, Any

import click

from profile_tasks.commands.printing import FORMAT_OPTION, Record, emit, say
from profile_tasks.commands.progress import progress
from profile_tasks.commands.recorded import (
    RECORDED_OPTIONS,
    given,
    load_recorded,
    load_two_judges,
    recorded_options,
)
from profile_tasks.commands.unusable import Unusable

if TYPE_CHECKING:
    from profile_tasks.scorers.statistics.power import Goal, PowerCurve, SampleSize, StudyDesign
    from profile_tasks.scorers.statistics.source_population import SourcePopulation

_PILOT = (*RECORDED_OPTIONS, "second_preference_column", "effect")
_ASSUMED = ("responses", "tau", "tie_rate", "preference_tie_rate", "source_spread", "factors_count")

_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command(epilog="Example: profile-tasks power pilot.jsonl")
@click.argument("file", required=False)
@click.option(
    "--width", type=click.FloatRange(0, 1, min_open=True), help="Wanted: 95 % interval of tau ± so."
)
@click.option(
    "--effect", type=click.FloatRange(0, 1), help="Influence to find; by default the pilot's own."
)
@click.option(
    "--difference", type=click.FloatRange(0, 1), help="Difference of two judges' taus to find."
)
@click.option(
    "--agreement",
    type=click.FloatRange(0.5, 1, min_open=True, max_open=True),
    help="Share of pairs on which a made-up second judge agrees.  [default: 0.8]",
)
@click.option(
    "--alignment",
    type=click.FloatRange(0, 1, min_open=True),
    help="Plan an alignment instead: wanted is a 95 % interval of r ± so.",
)
@click.option("--holm", is_flag=True, help="Adjust the tests for the number of factors.")
@click.option("--power", "power_", type=_SHARE, default=0.8, show_default=True)
@click.option(
    "--assurance",
    type=_SHARE,
    default=0.5,
    show_default=True,
    help="Share of studies whose interval is to be so narrow.",
)
@recorded_options
@click.option("--second-preference-column", help="The second judge's preferences in FILE.")
@click.option("--responses", type=click.IntRange(2, 20), help="Assumed responses to a source.")
@click.option("--tau", type=click.FloatRange(-1, 1), help="Assumed influence of a factor.")
@click.option(
    "--tie-rate",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Assumed share of pairs that show the factor alike.",
)
@click.option(
    "--preference-tie-rate",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Assumed share of pairs without a preference.",
)
@click.option(
    "--source-spread",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Assumed standard deviation of tau between sources.",
)
@click.option(
    "--factors-count",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Assumed number of factors tested (--holm).",
)
@click.option("--at", default="20,50,100,200,500,1000", show_default=True, help="Sources to show.")
@click.option("--most", type=click.IntRange(8, 10**7), default=100_000, show_default=True)
@click.option("--simulations", type=click.IntRange(100, 100_000), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@FORMAT_OPTION
@click.pass_context
def power(
    ctx: click.Context,
    /,
    file: str | None,
    width: float | None,
    effect: float | None,
    difference: float | None,
    agreement: float | None,
    alignment: float | None,
    holm: bool,
    power_: float,
    assurance: float,
    at: str,
    most: int,
    simulations: int,
    seed: int,
    format_: str,
    **_: object,
) -> None:
    """Number of sources that a study needs, from the pilot FILE or from assumptions.

    FILE is as in `influence`: recorded preferences, whose sources are drawn with replacement.
    Without FILE, sources are made up from --responses, --tau and the other assumptions. With
    --alignment, FILE may also be an Inspect log, whose alignment and self-agreement are planned.
    """
    if alignment is not None:
        _plan_alignments(ctx, file, alignment)
        return
    # The statistics take seconds to import, so that --help must not wait for them.
    from profile_tasks.scorers.statistics.power import StudyDesign, power_curves
    from profile_tasks.scorers.statistics.source_population import DEFAULT_AGREEMENT

    _check_options(ctx, file)
    about_sources = ctx.params
    try:
        design = StudyDesign(
            width=width,
            effect=effect if file is not None else abs(about_sources["tau"]),
            difference=difference,
            power=power_,
            assurance=assurance,
            holm=holm,
            sources=_numbers(at, most),
            most=most,
            simulations=simulations,
            seed=seed,
        )
        agreement = DEFAULT_AGREEMENT if agreement is None else agreement
        with progress("simulating studies"):
            if file is None:
                title, population = _assumed(about_sources, design, agreement)
            else:
                title, population = _pilot(file, about_sources, design, agreement)
            curves = power_curves(population, design)
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    record = {
        "title": title,
        "method": population.method,
        "n_groups": population.n_groups,
        "power": power_,
        "assurance": assurance,
        "holm": holm,
        "most": most,
        "simulations": simulations,
        "seed": seed,
        "goals": {curve.goal: _goal_record(curve, population) for curve in curves},
    }
    if format_ == "table":
        _print_tables(title, population, design, curves)
    else:
        emit(format_, record, _rows(record), title, [])


def _plan_alignments(ctx: click.Context, file: str | None, width: float) -> None:
    from profile_tasks.commands.alignment_power import emit_plans, plan_alignments

    if file is None:
        raise Unusable(
            "--alignment needs a pilot FILE: an Inspect log, or preferences of two judges"
        )
    other = ["width", "effect", "difference", "agreement", "holm", *_ASSUMED]
    if options := given(ctx, other):
        raise Unusable(f"{options[0]} plans something else than --alignment; ask for one of them")
    chosen = ctx.params
    try:
        sources = _numbers(chosen["at"], chosen["most"])
        plans = plan_alignments(file, chosen, sources, width, chosen["most"], chosen["seed"])
    except (ImportError, OSError, ValueError) as error:
        raise Unusable(str(error)) from error
    emit_plans(plans, f"pilot {file}", width, chosen["most"], chosen["format_"])


def _check_options(ctx: click.Context, file: str | None) -> None:
    """Refuse options that would have no effect."""
    if file is None:
        if lacking := [f"--{name}" for name in ("responses", "tau") if not given(ctx, [name])]:
            raise Unusable(
                f"give a pilot FILE, or assumptions: {' and '.join(lacking)} "
                f"{'is' if len(lacking) == 1 else 'are'} missing"
            )
        if options := given(ctx, _PILOT):
            raise Unusable(
                f"{options[0]} goes with a pilot FILE; leave it out, or give the file"
                + (" (the influence to find is --tau)" if options[0] == "--effect" else "")
            )
    elif options := given(ctx, _ASSUMED):
        raise Unusable(
            f"{options[0]} is an assumption in place of a pilot; leave it out, or leave FILE out"
        )
    elif given(ctx, ["agreement"]) and given(ctx, ["second_preference_column"]):
        raise Unusable(
            "--agreement makes a second judge up, and --second-preference-column names a real one; "
            "leave one out"
        )
    second_judge = given(ctx, ["agreement", "second_preference_column"])
    if second_judge and not given(ctx, ["difference"]):
        raise Unusable(
            f"{second_judge[0]} is about a second judge; give the --difference that is to be found"
        )


def _numbers(at: str, most: int) -> tuple[int, ...]:
    """The numbers of sources to show, in order."""
    try:
        numbers = sorted({int(number) for number in at.split(",")})
    except ValueError:
        numbers = []
    if not numbers or numbers[0] < 1 or numbers[-1] > most:
        raise ValueError(
            f"--at is {at!r}; give whole numbers from 1 to {most} (--most), with commas"
        )
    return tuple(numbers)


def _assumed(
    about_sources: Record, design: "StudyDesign", agreement: float
) -> tuple[str, "SourcePopulation"]:
    from profile_tasks.scorers.statistics.source_population import Assumptions, assumed_population

    assumptions = Assumptions(
        responses=about_sources["responses"],
        tau=about_sources["tau"],
        tie_rate=about_sources["tie_rate"],
        preference_tie_rate=about_sources["preference_tie_rate"],
        source_spread=about_sources["source_spread"],
        factors=about_sources["factors_count"],
    )
    population = assumed_population(
        assumptions, difference=design.difference, agreement=agreement, seed=design.seed
    )
    title = (
        f"assumed: {assumptions.responses} responses to a source, tau {assumptions.tau:+g} with "
        f"standard deviation {assumptions.source_spread:g} between sources, "
        f"{assumptions.tie_rate:.0%} ties in the factor, "
        f"{assumptions.preference_tie_rate:.0%} in the preference"
    )
    return title, population


def _pilot(
    file: str, about_sources: Record, design: "StudyDesign", agreement: float
) -> tuple[str, "SourcePopulation"]:
    from profile_tasks.scorers.measurement.recorded import human_comparisons
    from profile_tasks.scorers.statistics.influence import profile_of
    from profile_tasks.scorers.statistics.source_population import (
        check_difference,
        pilot_population,
        pilot_with_second_judge,
    )

    second_column = about_sources["second_preference_column"]
    data = (
        load_two_judges(file, about_sources, seed=design.seed, second_column=second_column)
        if second_column is not None
        else (load_recorded(file, about_sources, seed=design.seed),)
    )
    table, *second = (human_comparisons(each, about_sources["factors"]) for each in data)
    profile = profile_of(table)
    judged = " and ".join(each.judge for each in data if each.judge)
    title = f"pilot {data[0].name}{f', {judged}' if judged else ''}: "
    title += f"{profile.n_pairs} decided pairs in {profile.n_groups} groups"
    if second:
        return title, pilot_population(table, *second)
    if design.difference is None:
        return title, pilot_population(table)
    check_difference(design.difference, agreement)
    return title, pilot_with_second_judge(table, agreement, seed=design.seed)


def _goal_record(curve: "PowerCurve", population: "SourcePopulation") -> dict[str, Any]:
    taus = population.taus
    factors = {}
    for i, factor in enumerate(curve.factors):
        size = curve.needed[i] if curve.needed else None
        factors[factor] = {
            "tau": _finite(taus[0][i]),
            **({"second_tau": _finite(taus[1][i])} if len(taus) > 1 else {}),
            "curve": {
                str(n): _finite(v) for n, v in zip(curve.sources, curve.values[:, i], strict=True)
            },
            "needed": size.n if size else None,
            "needed_low": size.low if size else None,
            "needed_high": size.high if size else None,
            "value": _finite(size.value) if size else None,
            "error": _finite(size.error) if size else None,
            "reason": size.reason if size else population.reasons[i],
        }
    return {
        "wanted": curve.wanted,
        "method": curve.method,
        "needed_by_all": curve.needed_by_all,
        "factors": factors,
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _rows(record: Record) -> list[Record]:
    """One row a goal, factor and number of sources; ``needed`` marks the number that it needs."""
    rows: list[Record] = []
    for goal, goal_record in record["goals"].items():
        for factor, found in goal_record["factors"].items():
            same = {"goal": goal, "factor": factor, "tau": found["tau"]}
            rows += [
                {
                    **same,
                    "sources": int(n),
                    "value": value,
                    "needed": False,
                    "needed_low": None,
                    "needed_high": None,
                    "reason": found["reason"] if value is None else None,
                }
                for n, value in found["curve"].items()
            ]
            if found["needed"] is not None or found["reason"] is not None:
                rows.append(
                    {
                        **same,
                        "sources": found["needed"],
                        "value": found["value"],
                        "needed": True,
                        "needed_low": found["needed_low"],
                        "needed_high": found["needed_high"],
                        "reason": found["reason"],
                    }
                )
    return rows


def _print_tables(
    title: str,
    population: "SourcePopulation",
    design: "StudyDesign",
    curves: "tuple[PowerCurve, ...]",
) -> None:
    say(title)
    for curve in curves:
        say("")
        emit("table", {}, [], _heading(curve, design), _printed_rows(curve, population, design))
        if len(curve.needed) > 1:
            number = curve.needed_by_all
            planned = sum(not math.isnan(size.value) for size in curve.needed)
            shown = "not reached by all" if number is None else f"{number:,} sources"
            say(f"for each of {planned} factors: {shown}")
        for size in curve.needed:
            if size.reason:
                say(f"{size.factor}: {size.reason}")
    say("")
    for note in _notes(population, design, curves):
        say(note)


def _heading(curve: "PowerCurve", design: "StudyDesign") -> str:
    if curve.goal == "width":
        typical = "median" if design.assurance == 0.5 else f"{design.assurance:.0%} quantile"
        return f"95 % interval of tau, ± ({typical} of the studies), by number of sources"
    adjusted = ", Holm" if design.holm else ""
    if curve.goal == "difference":
        return f"power to find a difference of {curve.wanted:g} between two judges{adjusted}"
    size = "each factor's own size" if curve.wanted is None else f"size {curve.wanted:g}"
    return f"power to find an influence of {size}{adjusted}"


def _printed_rows(
    curve: "PowerCurve", population: "SourcePopulation", design: "StudyDesign"
) -> list[dict[str, str]]:
    if curve.goal == "width":
        goal = f"for ±{curve.wanted:g}" if curve.wanted is not None else ""
    else:
        goal = f"for {design.power:.0%}"
    rows = []
    for i, factor in enumerate(curve.factors):
        tau = population.taus[0][i]
        row = {"factor": factor, "tau": "-" if math.isnan(tau) else f"{tau:+.3f}"}
        for n, value in zip(curve.sources, curve.values[:, i].tolist(), strict=True):
            row[f"{n:,}"] = _cell(curve.goal, value)
        if curve.needed:
            row[goal] = _needed(curve.needed[i], design)
        rows.append(row)
    return rows


def _cell(goal: "Goal", value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"±{value:.2f}" if goal == "width" else f"{value:.0%}"


def _needed(size: "SampleSize", design: "StudyDesign") -> str:
    if math.isnan(size.value):
        return "-"
    if size.n is None:
        return f"> {design.most:,}"
    if size.low is None or size.high is None:
        return f"{size.n:,}"
    return f"{size.n:,} [{size.low:,}, {size.high:,}]"


def _notes(
    population: "SourcePopulation", design: "StudyDesign", curves: "tuple[PowerCurve, ...]"
) -> list[str]:
    notes = [population.method, *(f"{curve.goal}: {curve.method}" for curve in curves)]
    if population.n_groups is not None:
        notes.append(
            f"[ , ]: 95 % range of the number, for what {population.n_groups} groups know of the "
            "spread between sources; the size to find is taken as given"
        )
    error = 1.96 * math.sqrt(design.power * (1 - design.power) / design.simulations)
    notes.append(
        f"{design.simulations:,} studies simulated at each number, seed {design.seed}: a power of "
        f"{design.power:.0%} is exact to ±{100 * error:.1f} points"
    )
    return [f"- {note}" for note in notes]
