"""``profile-tasks align``: the alignment of two factor profiles."""

import json
import math
from pathlib import Path

import click

from profile_tasks.commands.printing import FORMAT_OPTION, Record, emit, p_value


@click.command()
@click.argument("a", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("b", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--permutations", type=click.IntRange(99, 1_000_000), default=9999, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@FORMAT_OPTION
def align(a: Path, b: Path, permutations: int, seed: int, format_: str) -> None:
    """Alignment of two factor profiles: JSON of `influence`, or {"factor": value} maps."""
    from profile_tasks.scorers.alignment import align as align_profiles
    from profile_tasks.scorers.influence import none_for_nan

    try:
        first, second = read_profile(a), read_profile(b)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    aligned = align_profiles(first, second, permutations=permutations, seed=seed)
    record = {
        "tau_b": none_for_nan(aligned.tau_b),
        "spearman": none_for_nan(aligned.spearman),
        "pearson": none_for_nan(aligned.pearson),
        "n_factors": aligned.n_factors,
        "p_value": none_for_nan(aligned.p_value),
        "p_value_spearman": none_for_nan(aligned.p_value_spearman),
        "p_value_pearson": none_for_nan(aligned.p_value_pearson),
        "p_value_method": aligned.p_value_method,
        "reason": aligned.reason,
        "only_in_a": sorted(set(first) - set(second)),
        "only_in_b": sorted(set(second) - set(first)),
    }
    rows: list[Record] = [
        {"coefficient": name, "value": record[name], "p_value": record[p]}
        for name, p in (
            ("tau_b", "p_value"),
            ("spearman", "p_value_spearman"),
            ("pearson", "p_value_pearson"),
        )
    ]
    title = f"alignment over {aligned.n_factors} shared factors"
    printed = [
        {
            "coefficient": str(row["coefficient"]),
            "value": "not defined" if row["value"] is None else f"{row['value']:+.3f}",
            "p": p_value(row["p_value"]),
        }
        for row in rows
    ]
    emit(format_, record, rows, title, printed)
    if format_ == "table" and aligned.reason:
        click.echo(f"not defined: {aligned.reason}")


def read_profile(path: Path) -> dict[str, float]:
    """A profile: JSON of ``influence``, or a plain ``{"factor": value}`` map; null is NaN.

    Raises:
        ValueError: The file is no JSON, or no profile.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
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
