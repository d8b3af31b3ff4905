"""The alignment of two profiles or files of preferences, and what is neither."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from profile_tasks.data.preferences import load_preferences
from profile_tasks.scorers.measurement.recorded import human_comparisons
from profile_tasks.scorers.measurement.tables import shared_group_codes
from profile_tasks.scorers.statistics.records import aligned_tables

Run = Callable[..., Result]
FEW = ("--replicates", 100)


def test_a_profile_aligns_with_itself_and_against_its_mirror(run: Run, tmp_path: Path) -> None:
    profile = {"length": 0.3, "fluency": 0.1, "hallucination": -0.4, "novel_words": 0.0}
    mirror = {factor: -value for factor, value in profile.items()}
    (tmp_path / "a.json").write_text(json.dumps(profile))
    (tmp_path / "b.json").write_text(json.dumps({**mirror, "formality": 0.2, "absent": None}))
    same = json.loads(
        run("align", tmp_path / "a.json", tmp_path / "a.json", "--format", "json").stdout
    )
    assert (same["tau_b"], same["n_factors"]) == (1, 4)
    # Two lists of influences do not tell how noisy they are, nor on which pairs they were measured.
    assert (same["p_value"], same["p_value_method"]) == (None, None)
    other = json.loads(
        run("align", tmp_path / "a.json", tmp_path / "b.json", "--format", "json").stdout
    )
    assert other["tau_b"] == pytest.approx(-1)
    assert other["pearson"] == pytest.approx(-1)
    assert other["only_in_b"] == ["absent", "formality"]


def test_influence_records_align(run: Run, tmp_path: Path) -> None:
    record = run("influence", "demo", "--task", "summarization", "--format", "json").stdout
    (tmp_path / "a.json").write_text(record)
    shown = run("align", tmp_path / "a.json", tmp_path / "a.json").stdout
    assert re.search(r"tau_b\s+1\.00", shown)


def test_too_few_shared_factors_are_not_aligned(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"length": 0.3, "fluency": 0.1}')
    record = json.loads(
        run("align", tmp_path / "a.json", tmp_path / "a.json", "--format", "json").stdout
    )
    assert record["tau_b"] is None
    assert "3" in record["reason"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON in UTF-8"),
        ("3", "expected the JSON of `profile-tasks influence`"),
        ('{"factors": [0.3]}', "expected the JSON of `profile-tasks influence`"),
        ('{"length": "long"}', "factor 'length' is 'long'; expected a number or null"),
        ('{"length": {"value": 0.3}}', "factor 'length' has no field 'tau'"),
        ('{"length": Infinity}', "factor 'length' is inf; expected a number or null"),
        (f'{{"length": {"9" * 400}}}', "expected a number or null"),
        ('{"length": ' * 100_000, "not JSON in UTF-8"),
    ],
)
def test_what_is_no_profile_is_named(run: Run, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.json").write_text(content)
    assert message in run("align", tmp_path / "a.json", tmp_path / "a.json", exit_code=2).stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [("[1, 2]", "a.json: record 1: 1 is not an object"), ("[" * 100_000, "a.json: broken JSON")],
)
def test_a_list_in_json_is_read_as_rows_of_preferences(
    run: Run, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "a.json").write_text(content)
    assert message in run("align", tmp_path / "a.json", tmp_path / "a.json", exit_code=2).stderr


@pytest.mark.parametrize("name", ["nowhere.json", "nowhere.jsonl"])
def test_a_missing_file_is_named(run: Run, tmp_path: Path, name: str) -> None:
    error = run("align", name, name, exit_code=2).stderr
    assert f"{name}: no such file" in error
    there = write_pairs(tmp_path / "pairs.jsonl")
    assert f"{name}: no such file" in run("align", there, name, exit_code=2).stderr


@pytest.mark.parametrize("order", [1, -1])
def test_a_missing_file_beside_a_profile_is_named(run: Run, tmp_path: Path, order: int) -> None:
    (tmp_path / "a.json").write_text('{"length": 0.3, "fluency": 0.1, "markdown": 0.2}')
    files = [tmp_path / "a.json", tmp_path / "typo.json"][::order]
    assert "typo.json: no such file" in run("align", *files, exit_code=2).stderr


def write_pairs(
    path: Path,
    groups: range = range(20),
    *,
    task: str = "summarization",
    turned: bool = False,
) -> Path:
    """Two pairs a group; people mostly prefer the longer response, a second judge mostly agrees.

    A group has the same pairs and preferences in every file.
    """
    rows = []
    for group in groups:
        for i in range(2):
            rng = np.random.default_rng([group, i])
            texts = [
                " ".join(rng.choice(["sea.", "ferry", "left", "at", "nine,", "early"], words))
                for words in (rng.integers(3, 10), rng.integers(10, 17))
            ]
            preference = "a" if rng.random() < 0.2 else "b"
            second = preference if rng.random() < 0.8 else "tie"
            rows.append(
                {
                    "id": f"pair-{group}-{i}",
                    "group": f"g{group}",
                    "task": task,
                    "prompt": "Summarize.",
                    "source": "The ferry left at nine and came back at ten.",
                    "response_a": texts[0],
                    "response_b": texts[1],
                    "preference": {"a": "b", "b": "a"}[preference] if turned else preference,
                    "second": second,
                    "factors": {side: {"errors": int(rng.integers(4))} for side in "ab"},
                }
            )
    if path.suffix == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    else:
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


Aligned = Callable[..., dict[str, Any]]


@pytest.fixture
def aligned(run: Run) -> Aligned:
    """The record that ``profile-tasks align`` gives as JSON."""

    def aligned(*arguments: object) -> dict[str, Any]:
        shown = run("align", *arguments, *FEW, "--format", "json").stdout
        return json.loads(shown, parse_constant=pytest.fail)

    return aligned


def test_preferences_align_with_themselves_and_do_not_tell_how_others_would(
    aligned: Aligned, tmp_path: Path
) -> None:
    file = write_pairs(tmp_path / "a.jsonl")
    record = aligned(file, file)
    for name in ("tau_b", "spearman", "pearson"):
        assert record[name] == 1
        assert record[f"{name}_ci_low"] is None
        assert record["disattenuated"][name]["value"] == 1
    assert record["refusal"].startswith("all verdicts are the same")
    assert (record["n_groups"], record["n_shared_groups"]) == (20, 20)


def test_the_opposite_preferences_are_the_mirror_and_tell_as_little_of_others(
    aligned: Aligned, tmp_path: Path
) -> None:
    record = aligned(
        write_pairs(tmp_path / "a.jsonl"), write_pairs(tmp_path / "b.jsonl", turned=True)
    )
    assert record["pearson"] == record["disattenuated"]["pearson"]["value"] == -1
    assert record["pearson_ci_low"] is None
    assert record["refusal"].startswith("all verdicts are the opposite")


@pytest.mark.parametrize(
    ("columns", "called"),
    [
        (("preference", "preference"), ("a.jsonl", "b.jsonl")),
        (("second", "preference"), ("second", "b.jsonl")),
        (("second", "second"), ("{folder}/a.jsonl", "{folder}/b.jsonl")),
    ],
)
def test_a_refusal_names_the_column_of_a_recorded_judge_or_the_file(
    aligned: Aligned, tmp_path: Path, columns: tuple[str, str], called: tuple[str, str]
) -> None:
    """Whoever recorded the verdicts: not every preference is a human one."""
    rng = np.random.default_rng(0)
    for name in ("a.jsonl", "b.jsonl"):
        rows = list(map(json.loads, write_pairs(tmp_path / name).read_text().splitlines()))
        for row in rows:
            row |= {column: str(rng.choice(["a", "b"])) for column in ("preference", "second")}
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    options = ("--preference-column", columns[0], "--second-preference-column", columns[1])
    record = aligned(tmp_path / "a.jsonl", tmp_path / "b.jsonl", *options)
    first, second = (name.format(folder=tmp_path) for name in called)
    assert record["refusal"].startswith(
        f"not estimable: the {first} profile and the {second} profile are not told from noise alone"
    )


def test_preferences_have_the_alignment_of_their_tables(aligned: Aligned, tmp_path: Path) -> None:
    files = [
        write_pairs(tmp_path / "a.jsonl"),
        write_pairs(tmp_path / "b.json", range(35, 5, -1)),
    ]
    data = [load_preferences(str(file)) for file in files]
    codes = shared_group_codes(*(each.sources for each in data))
    tables = [human_comparisons(each, "auto", codes) for each in data]
    expected = aligned_tables(*tables, replicates=100, seed=3)
    assert aligned(*files, "--seed", 3).items() >= expected.items()
    assert (expected["n_groups"], expected["n_shared_groups"]) == (36, 14)
    assert expected["tau_b_ci_low"] < expected["tau_b_ci_high"]


def test_preferences_of_other_sources_are_aligned_too(aligned: Aligned, tmp_path: Path) -> None:
    record = aligned(
        write_pairs(tmp_path / "a.jsonl"), write_pairs(tmp_path / "b.jsonl", range(20, 40))
    )
    assert (record["n_groups"], record["n_shared_groups"]) == (40, 0)
    assert record["pearson_ci_low"] < record["pearson_ci_high"]


def test_two_judges_may_be_two_columns_of_one_file(aligned: Aligned, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "a.jsonl")
    record = aligned(file, file, "--second-preference-column", "second")
    assert record["n_shared_groups"] == 20
    assert record["pearson"] < 1
    assert record["pearson_ci_low"] < record["pearson_ci_high"]
    turned = aligned(
        file, file, "--preference-column", "second", "--second-preference-column", "preference"
    )
    assert turned["pearson"] == record["pearson"]
    both = aligned(file, file, "--preference-column", "second")
    assert both["pearson"] == 1


def test_two_columns_are_aligned_over_the_pairs_that_both_judged(
    run: Run, aligned: Aligned, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in write_pairs(tmp_path / "a.jsonl").read_text().splitlines()]
    nulls = {3, 4, 17}
    for i in nulls:
        rows[i]["second"] = None
    whole, both = tmp_path / "whole.jsonl", tmp_path / "both.jsonl"
    whole.write_text("\n".join(map(json.dumps, rows)))
    both.write_text("\n".join(json.dumps(row) for i, row in enumerate(rows) if i not in nulls))
    option = ("--second-preference-column", "second")
    records = [aligned(file, file, *option) for file in (whole, both)]
    signatures = [
        record.pop("signature").replace(file.name, "")
        for record, file in zip(records, (whole, both), strict=True)
    ]
    assert records[0] == records[1]
    assert signatures[0] == signatures[1]
    assert (
        aligned(
            whole,
            whole,
            "--preference-column",
            "second",
            "--second-preference-column",
            "preference",
        )["pearson"]
        == aligned(both, both, *option)["pearson"]
    )
    told = run("align", whole, whole, *option, *FEW).stderr.splitlines()
    count = len(rows) - len(nulls)
    assert told == [f"note: {count} pairs, those with a verdict in both 'preference' and 'second'"]


def test_options_about_preferences_are_those_of_influence(aligned: Aligned, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "a.jsonl")
    record = aligned(file, file, "--factors", "length,errors,readability", "--limit", 9)
    assert (record["n_factors"], record["n_groups"]) == (3, 9)


def test_factors_of_one_file_alone_are_named(aligned: Aligned, tmp_path: Path) -> None:
    record = aligned(
        write_pairs(tmp_path / "a.jsonl"),
        write_pairs(tmp_path / "b.jsonl", task="instruction_following"),
    )
    assert record["n_factors"] == 6
    assert record["only_in_a"] == ["extractiveness", "novel_words"]
    assert record["only_in_b"] == []


def test_the_table_shows_what_was_observed_the_true_ones_interval_and_the_null(
    run: Run, tmp_path: Path
) -> None:
    file = write_pairs(tmp_path / "a.jsonl")
    shown = run("align", file, file, "--second-preference-column", "second", *FEW).stdout
    words, title, _, *lines = shown.splitlines()
    assert re.match("whether the two align is not told: r is|the two align: r without", words)
    assert title == "alignment over 8 shared factors, 20 groups (20 in both)"
    bounds = r"\[-?\d\.\d\d, -?\d\.\d\d\]"
    number = r"(-?\d\.\d\d|not defined)"
    assert re.match(rf"tau_b +-?\d\.\d\d {bounds} +{number}$", lines[0].rstrip())
    told = "\n".join(lines)
    assert re.search(r"^\d+\.\d of 100 unrelated tastes come as close$", told, re.MULTILINE)
    assert re.search(r"^distance: the true influences differ by 0\.\d\d \[", told, re.MULTILINE)
    assert not any(line.startswith("no interval") for line in lines)


def test_the_table_of_profiles_says_why_there_is_no_interval(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"length": 0.3, "fluency": 0.1, "markdown": 0.2}')
    shown = run("align", tmp_path / "a.json", tmp_path / "a.json").stdout
    assert shown.startswith("the two profiles align at r 1.00, noise and all\n")
    assert "\nalignment over 3 shared factors\n" in shown
    assert "no interval: a profile does not tell its noise; give the preferences" in shown


def test_the_table_says_what_is_not_defined_and_why(run: Run, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "a.jsonl", range(5))
    few = run("align", file, file, *FEW).stdout
    assert "groups with decided pairs: 5; an alignment needs at least 8" in few.splitlines()
    assert re.search(r"^tau_b +not defined", few, re.MULTILINE)
    one = run("align", file, file, "--factors", "length", *FEW).stdout
    assert "factors defined in both profiles: 1; an alignment needs at least 3" in one.splitlines()


def test_csv_has_a_row_for_every_coefficient(run: Run, aligned: Aligned, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "a.jsonl")
    columns = (file, file, "--second-preference-column", "second")
    shown = run("align", *columns, *FEW, "--format", "csv").stdout
    rows = {row["coefficient"]: row for row in csv.DictReader(io.StringIO(shown))}
    record = aligned(*columns)
    assert list(rows) == ["tau_b", "spearman", "pearson"]
    for name, row in rows.items():
        assert float(row["value"]) == record[name]
        assert float(row["ci_low"]) == record[f"{name}_ci_low"]
        known = record["disattenuated"][name]["value"]
        assert row["disattenuated"] == ("" if known is None else str(known))


def test_a_profile_and_preferences_are_not_aligned(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"length": 0.3}')
    pairs = write_pairs(tmp_path / "pairs.jsonl")
    for files in ((tmp_path / "a.json", pairs), (pairs, tmp_path / "a.json")):
        error = run("align", *files, exit_code=2).stderr
        assert "one is a profile and the other is not; give two profiles" in error


@pytest.mark.parametrize(
    "option",
    [
        ("--factors", "length"),
        ("--task", "summarization"),
        ("--limit", 3),
        ("--skip-bad-rows",),
        ("--second-preference-column", "second"),
        ("--replicates", 100),
    ],
)
def test_options_about_preferences_are_refused_with_profiles(
    run: Run, tmp_path: Path, option: tuple[object, ...]
) -> None:
    (tmp_path / "a.json").write_text('{"length": 0.3, "fluency": 0.1, "markdown": 0.2}')
    files = (tmp_path / "a.json", tmp_path / "a.json")
    error = run("align", *files, *option, exit_code=2).stderr
    assert f"{option[0]} is about files of preferences" in error
    run("align", *files, "--seed", 1)


def test_a_column_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    error = run("align", file, file, "--second-preference-column", "third", exit_code=2).stderr
    assert "pairs.jsonl:1: missing field 'third'" in error
