"""Influences of a file in pieces are those of the file as a whole, however it is cut."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profile_tasks.data import pieces as pieces_module
from profile_tasks.data.columns import RowRules
from profile_tasks.data.pieces import pieces
from profile_tasks.data.preferences import PreferenceDataError, load_preferences
from profile_tasks.scorers.measurement import recorded, streamed
from profile_tasks.scorers.measurement.recorded import recorded_profile, streamed_profile
from profile_tasks.scorers.measurement.signs import merged_states, signs_of, state_of
from profile_tasks.scorers.statistics import group_sample

SHARED = Path(__file__).parents[4] / "shared"
FACTORS = "length,markdown,charm,wit"


def rows(n_groups: int = 40, seed: int = 0) -> list[dict[str, Any]]:
    """Groups of 1 to 6 pairs, of a judge who likes what is long and charming."""
    rng = np.random.default_rng(seed)
    found = []
    for group in range(n_groups):
        for _ in range(rng.integers(1, 7)):
            charm, wit = rng.integers(0, 4, 2), rng.integers(0, 3, 2)
            words = rng.integers(1, 9, 2)
            liking = charm[0] - charm[1] + (words[0] - words[1]) / 3 + rng.logistic()
            votes = ["a" if liking + rng.logistic() > 0 else "b" for _ in range(3)]
            found.append(
                {
                    "id": f"r{len(found)}",
                    "prompt": f"Say {group}.",
                    "response_a": "word " * words[0],
                    "response_b": "word " * words[1],
                    "annotators": votes,
                    "group": f"g{group}",
                    "task": "instruction_following",
                    "factors": {
                        side: {"charm": float(charm[at]), "wit": int(wit[at])}
                        for at, side in enumerate("ab")
                    },
                }
            )
    return found


def write(path: Path, data: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(data), path, row_group_size=16)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in data), encoding="utf-8")
    return path


def same(first: Any, second: Any) -> bool:
    """Whether two records are the same but for rounding."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, float) and isinstance(second, float):
        return first == pytest.approx(second, abs=1e-12, nan_ok=True)
    return bool(first == second)


def streamed_record(path: Path, factors: str = FACTORS, **options: Any) -> dict[str, Any]:
    record = streamed_profile(path, factors, rules=RowRules(), replicates=200, **options)
    assert {record.pop("unspaced"), record.pop("without_task")} <= {True, False}
    return record


def whole_record(path: Path, factors: str = FACTORS) -> dict[str, Any]:
    return recorded_profile(load_preferences(path), factors, replicates=200)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few rows make many pieces, and groups go on from one to the next."""
    monkeypatch.setattr(pieces_module, "BLOCK_BYTES", 3000)
    monkeypatch.setattr(pieces_module, "_ROWS", 5)
    monkeypatch.setattr(pieces_module, "_PIECE_ROWS", 20)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize("most", [1000, 12], ids=["all groups", "a sample"])
def test_a_file_in_pieces_says_what_it_says_as_a_whole(
    ending: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where groups are many, what needs pairs is of the same sample of them in both."""
    monkeypatch.setattr(group_sample.GroupSample.of.__func__, "__defaults__", (most, None))
    path = write(tmp_path / f"a.{ending}", rows())
    found = streamed_record(path)
    assert len(list(pieces(path))) > 3
    assert found.get("n_sampled_groups") == (None if most > 40 else most)
    assert found["n_groups"] == 40
    assert found["annotators"]["n_pairs"] > 0
    assert same(found, whole_record(path))


@given(seed=st.integers(0, 9), order=st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_a_state_does_not_depend_on_batches_order_or_tree(
    seed: int, order: random.Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.mktemp("states") / "a.jsonl", rows(20, seed))
    (piece,) = pieces(path)
    (columns,) = piece.columns(RowRules())
    factors = recorded.resolved_factors(["instruction_following"], ("charm", "wit"), FACTORS)
    signs = signs_of(columns, factors)
    names = signs["group"].to_pylist()
    parts: dict[int, list[int]] = {}
    for row, name in enumerate(names):
        parts.setdefault(hash((seed, name)) % order.randint(1, 6), []).append(row)
    by_group: dict[str, int] = {}
    for part, at in parts.items():  # all rows of a group into the part of its first
        for row in at:
            by_group.setdefault(names[row], part)
    whole: dict[int, list[int]] = {}
    for row, name in enumerate(names):
        whole.setdefault(by_group[name], []).append(row)
    states = [state_of(signs.take(at)) for at in whole.values()]
    order.shuffle(states)
    while len(states) > 1:
        at = order.randrange(len(states) - 1)
        states[at : at + 2] = [states[at] + states[at + 1]]
    expected = state_of(signs)
    (found,) = states
    assert found.moments.record() == expected.moments.record()
    assert found.content == expected.content
    assert found.sample.names.tolist() == expected.sample.names.tolist()
    assert same(
        found.study(replicates=100, seed=0).influence("human")["charm"].record(),
        expected.study(replicates=100, seed=0).influence("human")["charm"].record(),
    )


def test_a_piece_keeps_no_more_in_memory_than_its_first_and_last_group(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", rows(3000))
    (piece,) = pieces(path)
    factors = recorded.resolved_factors(["instruction_following"], ("charm", "wit"), FACTORS)
    before = pa.total_allocated_bytes()
    measuring = streamed.Measuring(RowRules(), factors, None, None, "human")
    found = streamed.measured(piece, measuring)
    assert found.edges
    assert pa.total_allocated_bytes() - before < 10_000


@pytest.mark.usefixtures("small_pieces")
def test_groups_that_are_scattered_are_brought_together_on_disk(tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="sorting on disk is optional: 'profile-tasks[stream]'")
    data = rows()
    random.Random(0).shuffle(data)  # noqa: S311 - no secret
    path = write(tmp_path / "a.jsonl", data)
    assert same(streamed_record(path), whole_record(path))


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("again", [7, 1, -1], ids=["within", "soon", "at the end"])
def test_a_scattered_group_never_counts_as_two(
    again: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    data = rows()
    moved = data.pop(0)
    data.insert(again if again > 0 else len(data), moved)
    if again == 1:  # still among its own where the group has more pairs
        data = [row for row in data if row["group"] != "g0"] + [moved] + rows()[1:2]
        data[-1] |= {"id": "x", "group": "g5"}
    path = write(tmp_path / "a.jsonl", data)
    with pytest.raises(PreferenceDataError, match=r"rows of a group stand apart.*stream"):
        streamed_record(path)


@pytest.mark.usefixtures("small_pieces")
def test_so_many_groups_that_none_is_remembered_have_to_rise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.setattr(streamed, "FEW_GROUPS", 10)
    path = write(tmp_path / "a.jsonl", rows())
    assert streamed_record(path)["n_groups"] == 40  # g2 stands before g10, as numbers do
    falling = rows()[::-1]
    write(path, falling)
    assert streamed_record(path)["n_groups"] == 40  # all of them are remembered
    for most, data in ((10, falling), (1000, [*rows()[30:], *rows()[:30]])):
        monkeypatch.setattr(streamed, "MOST_GROUPS", most)
        write(path, data)
        with pytest.raises(PreferenceDataError, match="rows of a group stand apart"):
            streamed_record(path)


@pytest.mark.usefixtures("small_pieces")
def test_what_the_first_rows_do_not_tell_is_asked_for(tmp_path: Path) -> None:
    data = rows(200)
    data[-1]["factors"]["a"]["mood"] = 1.0
    path = write(tmp_path / "a.jsonl", data)
    with pytest.raises(streamed.ChoiceError, match=r"no factor 'mood'.*--factors.*--no-stream"):
        streamed_record(path, "auto")
    assert streamed_record(path)["n_groups"] == 200  # factors that are named


@pytest.mark.slow
def test_two_processes_find_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces_module, "BLOCK_BYTES", 20_000)
    path = write(tmp_path / "a.jsonl", rows(400))
    assert len(list(pieces(path))) > 8
    assert json.dumps(streamed_record(path)) == json.dumps(streamed_record(path, workers=2))
    write(path, [*rows(400), rows(1)[0] | {"id": "x", "preference": "left"}])
    with pytest.raises(PreferenceDataError, match=r"^a\.jsonl:\d+: field 'preference' is 'left'"):
        streamed_record(path, workers=2)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_ends_all_processes_without_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for part in range(320):  # far more than can be read before the signal comes
            for row in rows(1500, part):
                more = {"id": f"{part}-{row['id']}", "group": f"{part:03}-{row['group']}"}
                file.write(json.dumps(row | more | {"response_a": "word " * 60}) + "\n")
    code = "from profile_tasks.cli import main; main()"
    command = ["influence", str(path), "--stream", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *command],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(4)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Aborted" in told
    assert "Traceback" not in told


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
@pytest.mark.parametrize("path", sorted(SHARED.glob("data/*.jsonl")), ids=lambda path: path.stem)
def test_files_of_people_say_the_same_in_pieces(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("duckdb", reason="sorting on disk is optional: 'profile-tasks[stream]'")
    monkeypatch.setattr(pieces_module, "BLOCK_BYTES", 300_000)
    try:
        expected = whole_record(path, "length,markdown")
    except PreferenceDataError as error:
        with pytest.raises(PreferenceDataError, match=str(error)[:20]):
            streamed_record(path, "length,markdown")
        return
    assert same(streamed_record(path, "length,markdown"), expected)


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
@pytest.mark.parametrize("path", sorted(SHARED.glob("data/*.jsonl")), ids=lambda path: path.stem)
def test_files_of_people_have_one_state_however_they_are_parted(path: Path) -> None:
    try:
        (piece,) = pieces(path)
        (columns,) = piece.columns(RowRules())
    except PreferenceDataError:  # sources alone
        assert path.stem == "squality_sources"
        return
    names = tuple(columns.factors)
    factors = recorded.resolved_factors([""], names, ["length", *names])
    signs = signs_of(columns, factors)
    groups = np.array(signs["group"].to_pylist(), object)
    expected = state_of(signs)

    @given(
        parts=st.integers(1, 9), seed=st.integers(0, 99), order=st.randoms(use_true_random=False)
    )
    @settings(max_examples=8, deadline=None)
    def parted(parts: int, seed: int, order: random.Random) -> None:
        known, place = np.unique(groups.astype(str), return_inverse=True)
        dealt = np.random.default_rng(seed).integers(parts, size=len(known))[place]
        states = [state_of(signs.take(np.flatnonzero(dealt == n))) for n in np.unique(dealt)]
        order.shuffle(states)
        while len(states) > 1:
            at = order.randrange(len(states) - 1)
            states[at : at + 2] = [states[at] + states[at + 1]]
        (found,) = states
        assert found.moments.record() == expected.moments.record()
        assert (found.content, found.n_unjudged) == (expected.content, expected.n_unjudged)
        assert found.sample.names.tolist() == expected.sample.names.tolist()

    parted()


def test_merged_states_need_a_part() -> None:
    with pytest.raises(TypeError):
        merged_states([])


@pytest.mark.usefixtures("small_pieces")
def test_ids_are_remembered_up_to_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = rows()
    data[-1]["id"] = data[0]["id"]
    path = write(tmp_path / "a.parquet", data)
    with pytest.raises(
        PreferenceDataError,
        match=rf"row {len(data)}: duplicate id 'r0'; first at a.parquet: row 1$",
    ):
        streamed_record(path)
    monkeypatch.setattr(streamed, "MOST_IDS", 50)
    assert streamed_record(path)["n_groups"] == 40
