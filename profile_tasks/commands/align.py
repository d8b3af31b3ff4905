"""``profile-tasks align``: the alignment of two factor profiles."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from profile_tasks.commands.printing import (
    FORMAT_OPTION,
    Record,
    emit,
    estimate,
    number,
    say,
    say_signature,
)
from profile_tasks.commands.recorded import (
    RECORDED_OPTIONS,
    given,
    load_recorded,
    load_two_judges,
    recorded_options,
)
from profile_tasks.commands.unusable import Unusable
from profile_tasks.whole_files import read_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from profile_tasks.data.preferences import PreferenceData
    from profile_tasks.scorers.statistics.comparisons import Comparisons
    from profile_tasks.scorers.statistics.estimate import Estimate


@click.command(epilog="Example: profile-tasks align people.json model.json")
@click.argument("a")
@click.argument("b")
@click.option("--replicates", type=click.IntRange(100, 1_000_000), default=2000, show_default=True)
@recorded_options
@click.option("--second-preference-column", help="Column of B's preferences, where it differs.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@FORMAT_OPTION
@click.pass_context
def align(
    ctx: click.Context,
    /,
    a: str,
    b: str,
    replicates: int,
    second_preference_column: str | None,
    seed: int,
    format_: str,
    **_: object,
) -> None:
    """Alignment of two factor profiles, or of two files of recorded preferences.

    A and B are profiles: JSON of `influence`, or {"factor": value} maps. Or both are recorded
    preferences, as `influence` reads them: then the true alignment is told too, with its interval
    and without the sampling noise. Groups of one name in both are the same sources. Two judges of
    the same pairs may be two columns of one file.
    """
    from profile_tasks.scorers.statistics.records import aligned_profiles, aligned_tables

    try:
        profiles = [read_profile(Path(name)) for name in (a, b) if _is_profile(Path(name))]
        if len(profiles) == 1:
            raise ValueError(
                f"{a} and {b}: one is a profile and the other is not; give two profiles (JSON of "
                "`profile-tasks influence`), or two files of preferences"
            )
        if profiles:
            about = [*RECORDED_OPTIONS, "second_preference_column", "replicates"]
            if options := given(ctx, about):
                raise ValueError(
                    f"{options[0]} is about files of preferences, and {a} is a profile, in which "
                    "there are no sources; leave it out, or give the preferences"
                )
            record = aligned_profiles(*profiles)
            record["signature"] = _signature_of_profiles((a, b), profiles)
        else:
            first_column = ctx.params["preference_column"]
            columns = (first_column, second_preference_column or first_column)
            data = _data(a, b, columns, ctx.params, seed)
            tables = _tables(data, ctx.params["factors"])
            names = _names((a, b), columns)
            record = aligned_tables(*tables, names=names, replicates=replicates, seed=seed)
            record["signature"] = _signature_of_data(data, ctx.params)
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    if format_ == "table":
        say(_in_words(record))
    title = f"alignment over {record['n_factors']} shared factors"
    if "n_groups" in record:
        title += f", {record['n_groups']} groups ({record['n_shared_groups']} in both)"
    emit(format_, record, _rows(record), title, _printed(record))
    if format_ == "table":
        for line in _notes(record):
            say(line)
        say_signature(record["signature"])


def _is_profile(path: Path) -> bool:
    """Whether a file is a profile: a JSON object rather than rows, or a missing one."""
    if path.suffix.lower() != ".json":
        return False
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    start = read_whole(path, 1000).removeprefix(b"\xef\xbb\xbf").lstrip()
    return not start.startswith(b"[")


def _names(files: tuple[str, str], columns: tuple[str, str]) -> tuple[str, str]:
    """What the two are called: the column of a recorded judge, else the file."""
    first, second = (
        Path(file).name if column == "preference" else column
        for file, column in zip(files, columns, strict=True)
    )
    return files if first == second else (first, second)


def _data(
    a: str, b: str, columns: tuple[str, str], options: Record, seed: int
) -> "Sequence[PreferenceData]":
    """The preferences in two files, or two columns of one."""
    second = columns[1]
    if second is not None and a == b:
        return load_two_judges(a, options, seed=seed, second_column=second)
    return [
        load_recorded(name, options, seed=seed, preference_column=column)
        for name, column in zip((a, b), columns, strict=True)
    ]


def _tables(data: "Sequence[PreferenceData]", factors: str) -> "list[Comparisons]":
    """The tables of both, with shared codes of groups."""
    from profile_tasks.scorers.measurement.recorded import human_comparisons
    from profile_tasks.scorers.measurement.tables import shared_group_codes

    codes = shared_group_codes(*(each.sources for each in data))
    return [human_comparisons(each, factors, codes) for each in data]


def _signature_of_data(data: "Sequence[PreferenceData]", options: Record) -> str:
    from profile_tasks.runs.signature import data_signature, hashed
    from profile_tasks.scorers.measurement.recorded import chosen_factors

    first, second = data
    chosen = [chosen_factors(each, options["factors"]) for each in data]
    return data_signature(
        "align",
        first,
        [factor for factor in chosen[0] if factor in chosen[1]],
        data_b=hashed(second.name, second.content_hash),
        model=first.judge or "people",
        model_b=second.judge or "people",
        **{name: options[name] for name in ("replicates", "seed")},
    )


def _signature_of_profiles(files: tuple[str, str], profiles: "list[dict[str, float]]") -> str:
    from profile_tasks import __version__
    from profile_tasks.data.content_hash import short_hash
    from profile_tasks.runs.signature import hashed, signature_line

    data, data_b = (
        hashed(Path(file).name, short_hash(profile))
        for file, profile in zip(files, profiles, strict=True)
    )
    factors = tuple(profiles[0].keys() & profiles[1].keys())
    return signature_line(
        {
            "task": "align",
            "data": data,
            "data_b": data_b,
            "factors": factors,
            "version": __version__,
        }
    )


def _rows(record: Record) -> list[Record]:
    from profile_tasks.scorers.statistics.estimate import Estimate

    rows: list[Record] = []
    for name in ("tau_b", "spearman", "pearson"):
        known = {}
        if "n_groups" in record:
            known = Estimate.of_metrics(record, name).interval()
            known["disattenuated"] = record["disattenuated"][name]["value"]
        rows.append({"coefficient": name, "value": record[name], **known})
    return rows


def _printed(record: Record) -> list[dict[str, str]]:
    printed = []
    for row in _rows(record):
        shown = {"coefficient": row["coefficient"]}
        if "n_groups" in record:
            shown["observed [95 % of the true]"] = estimate(row)
            shown["without noise"] = _defined(row["disattenuated"])
        else:
            shown["value"] = _defined(row["value"])
        printed.append(shown)
    return printed


def _defined(value: float | None) -> str:
    return "not defined" if value is None else number(value)


def _in_words(record: Record) -> str:
    """What is known of the alignment, in a sentence."""
    from profile_tasks.scorers.statistics.estimate import Estimate

    if record["pearson"] is None:
        return "the alignment of the two is not defined"
    if "n_groups" not in record:
        return f"the two profiles align at r {number(record['pearson'])}, noise and all"
    found = Estimate.of_metrics(record, "pearson")
    without = record["disattenuated"]["pearson"]["value"]
    told = found.excludes_zero and without is not None
    if not told:
        return (
            f"whether the two align is not told: r is {number(record['pearson'])} as observed, "
            f"and of the true one {_true(found)}"
        )
    way = "align" if found.low > 0 else "go against one another"
    return f"the two {way}: r without the noise is {number(without)}, {_true(found)}"


def _true(found: "Estimate") -> str:
    ends = found.ends_text("{:z.2f}".format)
    return f"the 95 % interval is [{ends}]" if ends else "there is no interval"


def _notes(record: Record) -> list[str]:
    from profile_tasks.scorers.statistics.coverage import OF_RANKS, of_few_sources
    from profile_tasks.scorers.statistics.estimate import Estimate

    if "n_groups" not in record:
        lines = [f"not defined: {record['reason']}"] if record["reason"] else []
        return [*lines, "no interval: a profile does not tell its noise; give the preferences"]
    lines = [record["refusal"]] if record["refusal"] else []
    lines += [*of_few_sources(record["n_groups"]), OF_RANKS]
    if record["p_value"] is not None:
        lines.append(f"{100 * record['p_value']:.1f} of 100 unrelated tastes come as close")
    distance = Estimate.of_record(record["distance"])
    if distance.defined:
        lines.append(
            f"distance: the true influences differ by {distance.text(signed=False)} "
            "(root mean square)"
        )
    lines += [
        f"{name}: what was observed lies outside the interval of the true one, lowered by noise of "
        "each or raised by noise in common"
        for name in ("tau_b", "spearman", "pearson")
        if (found := Estimate.of_metrics(record, name)).has_interval
        and not found.low <= found.value <= found.high
    ]
    return lines


def read_profile(path: Path) -> dict[str, float]:
    """A profile: JSON of ``influence``, or a plain ``{"factor": value}`` map; null is NaN.

    Raises:
        ValueError: The file is no JSON, or no profile.
    """
    try:
        content = json.loads(read_whole(path))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON in UTF-8 ({error})") from error
    entries = content.get("factors", content) if isinstance(content, dict) else None
    if not isinstance(entries, dict):
        raise ValueError(
            f'{path}: expected the JSON of `profile-tasks influence`, or {{"factor": value, ...}}'
        )
    return {factor: _tau(path, factor, entry) for factor, entry in entries.items()}


def _tau(path: Path, factor: str, entry: object) -> float:
    if isinstance(entry, dict) and "tau" not in entry:
        raise ValueError(f"{path}: factor {factor!r} has no field 'tau'")
    value = entry["tau"] if isinstance(entry, dict) else entry
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e300:
        raise ValueError(f"{path}: factor {factor!r} is {value!r:.60}; expected a number or null")
    return float(value)
