"""The factor profile of recorded preferences, as people and programs get it."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from profile_tasks.commands.printing import p_value
from profile_tasks.scorers.statistics.coverage import OF_RANKS

Run = Callable[..., Result]
Influence = Callable[..., dict[str, Any]]

ROW = {
    "task": "summarization",
    "prompt": "Summarize.",
    "source": "The ferry left at nine and came back at ten.",
    "reference": None,
}


def write_pairs(path: Path, n: int = 40) -> Path:
    """Two pairs a source; the longer response is preferred three times out of four."""
    rows = []
    for i in range(n):
        longer, shorter = "word " * (6 + i % 5), "word " * (3 + i % 2)
        rows.append(
            {
                **ROW,
                "id": f"pair-{i}",
                "group": f"g{i // 2}",
                "response_a": longer,
                "response_b": shorter,
                "preference": "b" if i % 4 == 0 else "a",
                "factors": {"a": {"errors": i % 3}, "b": {"errors": (i + 1) % 3}},
            }
        )
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def influence_of(run: Run) -> Influence:
    """The record that ``profile-tasks influence`` gives as JSON."""
    return lambda *arguments: json.loads(run("influence", *arguments, "--format", "json").stdout)


def published_length_table(shared_data: Path) -> list[tuple[str, str, str, str]]:
    text = (shared_data / "README.md").read_text(encoding="utf-8")
    return re.findall(
        r"^\| (\w+) \| (\d+) \| ([+-]0\.\d{3}) \| ([01]\.\d{3}) \|$", text, re.MULTILINE
    )


def test_every_real_file_gives_its_published_length_influence(
    influence_of: Influence, shared_data: Path
) -> None:
    table = published_length_table(shared_data)
    assert len(table) == 12
    for name, pairs, tau, longer in table:
        file = shared_data / f"{name}.jsonl"
        record = influence_of(file, "--factors", "length", "--replicates", 100)
        length = record["factors"]["length"]
        assert str(record["n_pairs"]) == pairs
        assert f"{length['tau']:+.3f}" == tau
        assert length["concordant"] + length["discordant"] + length["tied"] == int(pairs)
        if length["tied"] == 0:
            assert f"{length['concordant'] / int(pairs):.3f}" == longer


def test_influence_says_what_it_counts_and_where_a_factor_is_not_defined(
    run: Run, influence_of: Influence, tmp_path: Path
) -> None:
    longer, shorter = "今天下雨。我们在家。", "今天下雨。"
    texts = [(longer, shorter)] * 9 + [("It rains. We stay.", "It rains.")]
    rows = [
        {**ROW, "id": f"{i}", "response_a": a, "response_b": b, "preference": "a"}
        for i, (a, b) in enumerate(texts)
    ]
    chinese, mixed = tmp_path / "chinese.jsonl", tmp_path / "mixed.jsonl"
    chinese.write_text("\n".join(map(json.dumps, rows[:9])), encoding="utf-8")
    mixed.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    asked = ("--factors", "length,readability", "--replicates", 100)
    found = influence_of(chinese, *asked)["factors"]
    assert found["length"]["tau"] == 1.0
    assert found["length"]["unit"] == "words (grapheme clusters in scripts without spaces)"
    assert found["readability"]["reason"].startswith(
        "the factor is missing in all 9 pairs with a preference; it is defined for responses "
        "mostly in Latin script"
    )
    printed = run("influence", mixed, *asked).stdout
    assert "words: in scripts without spaces, grapheme clusters\n" in printed
    assert "readability: missing in 9 pairs, left out there; it is defined for" in printed
    table = list(
        csv.DictReader(io.StringIO(run("influence", mixed, *asked, "--format", "csv").stdout))
    )
    assert [row["unit"] for row in table][1] == "points of Flesch reading ease"


@pytest.mark.slow
def test_a_file_of_pairs_waits_for_no_import_of_inspect(tmp_path: Path) -> None:
    command = (
        "import sys; from profile_tasks.cli import main; "
        "main(['influence', sys.argv[1]], standalone_mode=False); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", command, write_pairs(tmp_path / "pairs.jsonl")],
        check=True, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    assert "length" in done.stdout
    assert "inspect_ai" not in done.stderr.split()


def test_influence_counts_what_it_rests_on(influence_of: Influence, tmp_path: Path) -> None:
    record = influence_of(write_pairs(tmp_path / "pairs.jsonl"), "--factors", "length,errors")
    assert record["n_pairs"] == 40
    assert record["n_groups"] == 20
    assert record["n_preference_ties"] == 0
    assert record["seed"] == 0
    assert record["replicates"] == 2000
    length = record["factors"]["length"]
    assert (length["concordant"], length["discordant"], length["tied"]) == (30, 10, 0)
    assert length["tau"] == pytest.approx(0.5)
    assert length["ci_low"] < 0.5 < length["ci_high"]
    assert 0 < length["p_value"] <= length["p_adjusted"] <= 1
    assert set(record["factors"]) == {"length", "errors"}


def test_preferences_may_stand_in_other_columns(influence_of: Influence, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in write_pairs(tmp_path / "p.jsonl").read_text().splitlines()]
    for row in rows:
        row["vote"], row["scores"] = row.pop("preference"), row.pop("factors")
    (tmp_path / "q.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    record = influence_of(
        tmp_path / "q.jsonl", "--preference-column", "vote", "--factors-column", "scores",
        "--factors", "errors",
    )  # fmt: skip
    assert record["n_pairs"] == 40


def write_judge(path: Path, name: str = "judge_x") -> Path:
    """Pairs with a second judge's verdicts, every seventh of which is null."""
    rows = [json.loads(line) for line in write_pairs(path).read_text().splitlines()]
    for i, row in enumerate(rows):
        row[name] = None if i % 7 == 0 else "ab"[i % 9 == 0]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_another_column_is_a_recorded_judge_of_its_name(run: Run, tmp_path: Path) -> None:
    file = write_judge(tmp_path / "p.jsonl")
    options = (file, "--factors", "length", "--preference-column", "judge_x")
    shown = run("influence", *options)
    words, title, *_ = shown.stdout.splitlines()
    assert "the verdicts of judge_x prefer" in words
    assert title.startswith("recorded judge judge_x: 34 decided pairs in 20 groups")
    assert shown.stderr == "note: 6 pairs without a verdict in 'judge_x' (null) are left out\n"
    record = json.loads(run("influence", *options, "--format", "json").stdout)
    assert (record["perspective"], record["judge"]) == ("recorded", "judge_x")
    assert record["n_unjudged_pairs"] == 6
    assert not re.search("human|people", shown.output + json.dumps(record))
    people = json.loads(run("influence", file, "--factors", "length", "--format", "json").stdout)
    assert (people["perspective"], people["judge"], people["n_pairs"]) == ("human", None, 40)


def test_pairs_that_nobody_judged_are_counted(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    rows = [
        {"id": n, "prompt": f"Q{n}?", "response_a": "Yes.", "response_b": "No, no.",
         **({"annotators": []} if n else {"preference": "a"})}
        for n in range(3)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    shown = run("influence", str(file), "--factors", "length")
    assert shown.stderr == "note: 2 pairs without a preference of people are left out\n"


def test_the_report_of_a_recorded_judge_names_it(run: Run, tmp_path: Path) -> None:
    file = write_judge(tmp_path / "p.jsonl")
    options = ("--factors", "length", "--preference-column", "judge_x", "--format", "json")
    profile = tmp_path / "profile.json"
    profile.write_text(run("influence", file, *options).stdout)
    run("report", profile, "-o", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert ">judge_x<" in page
    assert "The verdicts of judge_x prefer more length" in page
    said = re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert not re.search("people|human", said, re.IGNORECASE)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(
    influence_of: Influence, tmp_path: Path
) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    first, again, other = (
        influence_of(file, "--factors", "length,novel_words,errors", "--seed", seed)
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first["reliability"] != other["reliability"]
    # No chance is in the interval of an influence.
    intervals = [
        {name: (found["ci_low"], found["ci_high"]) for name, found in record["factors"].items()}
        for record in (first, other)
    ]
    assert intervals[0] == intervals[1]


def test_the_table_and_csv_show_the_factors(run: Run, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    table = run("influence", file, "--factors", "length,errors").stdout
    assert "40 decided pairs in 20 groups; 0 preference ties left out" in table
    assert "30/10/0" in table
    rows = list(csv.DictReader(io.StringIO(run("influence", file, "--format", "csv").stdout)))
    assert [row["factor"] for row in rows][:2] == ["length", "novel_words"]
    assert float(rows[0]["tau"]) == 0.5


def test_what_is_not_defined_is_null_with_a_reason(influence_of: Influence, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    record = influence_of(file, "--factors", "length,source_compression")
    assert record["factors"]["length"]["adjusted"] is None
    assert "collinear" in record["factors"]["length"]["adjusted_reason"]


def test_bad_rows_stop_the_command_with_their_place(run: Run, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    file.write_text(file.read_text() + "\n" + json.dumps({**ROW, "id": "x", "preference": "A>B"}))
    assert "pairs.jsonl:41:" in run("influence", file, exit_code=2).stderr
    skipped = run("influence", file, "--skip-bad-rows")
    assert "skipped: pairs.jsonl:41:" in skipped.stderr


def test_unknown_factors_list_the_choices(run: Run, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    error = run("influence", file, "--factors", "charm", exit_code=2).stderr
    assert "factor 'charm' is unknown. Must be one of: length" in error
    assert "errors" in error


@pytest.mark.parametrize("name", ["a,b", " edge", "", "red\x1b[31m", "two\nlines"])
def test_recorded_names_that_could_not_be_asked_for_are_bad_rows(
    run: Run, tmp_path: Path, name: str
) -> None:
    row = {
        **ROW, "id": "1", "response_a": "x y", "response_b": "z", "preference": "a",
        "factors": {"a": {name: 1}},
    }  # fmt: skip
    (tmp_path / "pairs.jsonl").write_text(json.dumps(row))
    error = run("influence", tmp_path / "pairs.jsonl", exit_code=2).stderr
    assert f"pairs.jsonl:1: field 'factors.a' names a factor {name!r}" in error


def test_markup_in_a_factor_name_is_printed_as_it_stands(run: Run, tmp_path: Path) -> None:
    row = {
        **ROW, "id": "1", "response_a": "x y", "response_b": "z", "preference": "a",
        "factors": {"a": {"[red]x[/red]": 1}, "b": {"[red]x[/red]": 0}},
    }  # fmt: skip
    (tmp_path / "pairs.jsonl").write_text(json.dumps(row))
    shown = run("influence", tmp_path / "pairs.jsonl", "--factors", "length,[red]x[/red]").stdout
    assert "[red]x[/red]  " in shown


def test_rows_of_the_table_are_never_wrapped(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")  # of a terminal that is narrower than the least width
    file = write_pairs(tmp_path / "pairs.jsonl")
    shown = run("influence", file, "--factors", "length,errors").stdout
    assert re.search(
        r"^length +0\.50 \[-?\d\.\d\d, -?\d\.\d\d\] +\.\d{3} +1 \[1-1\] +40 +30/10/0",
        shown,
        re.MULTILINE,
    )


def test_a_missing_file_is_named(run: Run) -> None:
    assert "nowhere.jsonl" in run("influence", "nowhere.jsonl", exit_code=2).stderr


def with_votes(path: Path, votes: Callable[[int, str], list[str]]) -> Path:
    """The pairs with single votes, given each pair's number and preference."""
    rows = [json.loads(line) for line in write_pairs(path).read_text().splitlines()]
    for i, row in enumerate(rows):
        row["annotators"] = votes(i, row["preference"])
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def two_of_three(i: int, preference: str) -> list[str]:
    """Every fifth pair has a vote for a tie, the others are unanimous."""
    return [preference, preference, "tie" if i % 5 == 0 else preference]


def test_columns_show_pairs_ranks_and_each_p_beside_its_own_estimate(
    run: Run, influence_of: Influence, tmp_path: Path
) -> None:
    arguments = (
        write_pairs(tmp_path / "pairs.jsonl"), "--factors", "length,errors,lexical_diversity",
    )  # fmt: skip
    _, _, header, *lines = run("influence", *arguments).stdout.splitlines()
    columns = re.split(r"  +", header.strip())
    assert columns == [
        "factor", "tau [95 %]", "p Holm", "rank", "n", "C/D/T", "adjusted [95 %]",
        "adjusted, p",
    ]  # fmt: skip
    record = influence_of(*arguments)["factors"]
    for line, (factor, found) in zip(lines, record.items(), strict=False):
        shown = dict(zip(columns, re.split(r"  +", line.strip()), strict=True))
        assert shown["factor"] == factor
        assert shown["n"] == str(found["n"]) == "40"
        assert shown["rank"] == (
            f"{found['rank']:g} [{found['rank_low']:g}-{found['rank_high']:g}]"
        )
        assert shown["p Holm"] == p_value(found["p_adjusted"])
        assert shown["adjusted, p"] == p_value(found["adjusted_p_value"])
    assert any(p_value(f["p_adjusted"]) != p_value(f["adjusted_p_value"]) for f in record.values())


def test_missing_manifestations_are_counted_below_the_table(run: Run, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for row in rows[:7]:
        del row["factors"]["a"]["errors"]
    file.write_text("\n".join(json.dumps(row) for row in rows))
    shown = run("influence", file, "--factors", "length,errors").stdout
    assert re.search(r"^errors .* 33 ", shown, re.MULTILINE)
    assert "errors: missing in 7 pairs, left out there\n" in shown
    assert re.search(r"^adjusted over the 33 pairs where", shown, re.MULTILINE)
    assert "length: missing" not in shown


def test_the_record_names_its_interval(influence_of: Influence, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    record = influence_of(file, "--factors", "errors,length")
    assert record["interval_method"] == "Korn-Graubard; clustered by group"


def test_annotators_are_measured_where_pairs_have_several_votes(
    run: Run, influence_of: Influence, tmp_path: Path
) -> None:
    file = with_votes(tmp_path / "pairs.jsonl", two_of_three)
    record = influence_of(file, "--factors", "length,errors,readability")["annotators"]
    # 32 unanimous pairs, 8 in which one of three pairs of annotators agrees.
    assert record["agreement"]["value"] == pytest.approx((32 + 8 / 3) / 40)
    assert record["agreement"]["ci_low"] < record["agreement"]["value"]
    assert (record["n_pairs"], record["n_left_out"], record["n_votes"]) == (40, 0, 120)
    assert record["half_size"] == 1
    shown = run("influence", file, "--factors", "length,errors,readability").stdout
    assert "\nannotators, over 40 pairs with several votes: agreement 0.87 [" in shown
    kappa = record["kappa"]["value"]
    assert f"Fleiss' kappa {kappa:.2f} [" in shown
    bar = record["alignment"]["half_panel"]["pearson"]["value"]
    line = f"the bar for a model, one half of the annotators against the other: r {bar:.2f} ["
    assert f"\n{line}" in shown
    assert OF_RANKS in shown.splitlines()  # of the bar's tau_b


@pytest.mark.parametrize("votes", [lambda i, p: [], lambda i, p: [p]], ids=["none", "one a pair"])
def test_without_several_votes_annotators_are_not_mentioned(
    run: Run, influence_of: Influence, tmp_path: Path, votes: Callable[[int, str], list[str]]
) -> None:
    file = with_votes(tmp_path / "pairs.jsonl", votes)
    assert influence_of(file, "--factors", "length")["annotators"] == {}
    shown = run("influence", file, "--factors", "length").stdout
    assert "annotators" not in shown
    assert OF_RANKS not in shown


def test_pairs_with_a_single_vote_are_left_out_of_agreement_and_counted(
    influence_of: Influence, tmp_path: Path
) -> None:
    file = with_votes(tmp_path / "pairs.jsonl", lambda i, p: [p, p] if i % 2 else [p])
    record = influence_of(file, "--factors", "length")
    assert record["n_pairs"] == 40
    assert (record["annotators"]["n_pairs"], record["annotators"]["n_left_out"]) == (20, 20)


def test_the_reliability_of_the_profile_stands_below_the_table(
    run: Run, influence_of: Influence, tmp_path: Path
) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl")
    arguments = (file, "--factors", "length,errors,lexical_diversity")
    value = influence_of(*arguments)["reliability"]["pearson"]["value"]
    shown = run("influence", *arguments).stdout
    assert f"\nreliability of the profile (split halves): r {value:.2f} [" in shown
    two = run("influence", file, "--factors", "length,errors").stdout
    assert "r not defined (factors: 2; a correlation of profiles needs at least 3)" in two


def test_json_is_strict_whatever_is_not_defined(influence_of: Influence, tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    write_pairs(file, 3)
    record = influence_of(file, "--factors", "length,errors,source_compression")
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["factors"]["length"]["ci_low"] is None
    assert record["factors"]["length"]["reason"] == "groups: 2; an interval needs at least 8"


def test_slices_tell_where_a_factor_weighs_otherwise(run: Run, tmp_path: Path) -> None:
    rows = [
        {"id": f"p{n}-{m}", "prompt": f"Q{n}", "group": f"s{n}", "language": language,
         "response_a": "One two three four five.", "response_b": "One two.",
         "preference": ("ab" if language == "en" else "ba")[(n + m) % 5 == 0]}
        for n, language in enumerate(["en", "de"] * 20)
        for m in range(2)
    ]  # fmt: skip
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    asked = ("influence", file, "--factors", "length", "--slices", "language,length_class")
    shown = " ".join(run(*asked).stdout.split())
    assert (
        "length weighs more in en than elsewhere (+1.20 [+0.87, +1.53]; also with the other"
        in shown
    )
    assert "factor de (40 pairs) en (40 pairs) length -0.60 [" in shown
    assert "by length_class: no two slices are large enough" in shown
    found = json.loads(run(*asked, "--format", "json").stdout)["slices"]["language"]["slices"]
    assert found["en"]["factors"]["length"]["p_adjusted_bh"] < 0.01
    refused = run(*asked[:-1], "langage", exit_code=2).stderr
    assert "no row has the column 'langage'; did you mean 'language'?" in refused


def test_ray_is_refused_with_what_to_do(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it finds where it is installed: tests/scorers/measurement/test_ray_profile.py."""
    monkeypatch.setitem(sys.modules, "ray", None)
    file = str(write_pairs(tmp_path / "pairs.jsonl"))
    for words, told in (
        ([file, "--ray", "local"], r"pip install 'profile-tasks\[ray\]'"),
        ([f"{tmp_path}/*.csv", "--ray", "auto"], "none that fits the pattern"),
        ([file, "--ray", "auto", "--workers", "2"], "leave it out, or give --ray local"),
        ([file, "--ray", "auto", "--limit", "9"], "--ray reads .*without --limit"),
    ):
        assert re.search(told, run("influence", *words, exit_code=2).stderr), told
