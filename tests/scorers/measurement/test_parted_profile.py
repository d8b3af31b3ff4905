"""Steps for any engine: rows in tables, signs in parts, one profile, however they were dealt."""

import json
import pickle
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from profile_tasks.data.columns import RowRules
from profile_tasks.data.preferences import PreferenceDataError, load_preferences
from profile_tasks.scorers.measurement.parted_profile import PartedProfile
from profile_tasks.scorers.measurement.recorded import recorded_profile
from profile_tasks.scorers.statistics.group_sample import ScatteredGroupError

PAGE = Path(__file__).parents[3] / "docs" / "large-data.md"


def rows(n_groups: int = 30, seed: int = 0) -> list[dict[str, Any]]:
    """Groups of 1 to 5 pairs in no order, with people's preferences and those of a judge."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    found: list[dict[str, Any]] = []
    for group in range(n_groups):
        for _ in range(chance.randint(1, 5)):
            words = [chance.randint(1, 9) for _ in "ab"]
            charm = [chance.randint(0, 3) for _ in "ab"]
            liking = words[0] - words[1] + 2 * (charm[0] - charm[1])
            found.append(
                {
                    "id": f"r{len(found)}",
                    "prompt": f"Say {group}.",
                    "response_a": "word " * words[0],
                    "response_b": "*word* " * words[1],
                    "preference": "a" if liking + chance.gauss(0, 4) > 0 else "b",
                    "preference_judge": "a" if liking + chance.gauss(0, 9) > 0 else "tie",
                    "group": f"g{group}",
                    "task": "instruction_following",
                    "factors": {s: {"charm": c} for s, c in zip("ab", charm, strict=True)},
                }
            )
    chance.shuffle(found)
    return found


def whole(data: list[dict[str, Any]], folder: Path, column: str = "preference") -> dict[str, Any]:
    path = folder / "pairs"
    pq.write_table(pa.Table.from_pylist(data), f"{path}.parquet")
    loaded = load_preferences(Path(f"{path}.parquet"), preference_column=column)
    return recorded_profile(loaded, "length,markdown,charm", replicates=100) | {"data": "pairs"}


def chosen(data: list[dict[str, Any]], parts: int = 8, **options: Any) -> PartedProfile:
    first = pa.Table.from_pylist(data[:20])
    return PartedProfile.chosen_by(
        first, "length,markdown,charm", name="pairs", parts=parts, **options
    )


def in_common(record: dict[str, Any]) -> str:
    return json.dumps({k: v for k, v in record.items() if k not in ("unspaced", "without_task")})


@pytest.mark.parametrize(("size", "parts"), [(1, 1), (7, 5), (1000, 256)])
@pytest.mark.parametrize("column", ["preference", "preference_judge"])
def test_neither_tables_nor_parts_nor_order_change_the_profile(
    column: str, size: int, parts: int, tmp_path: Path
) -> None:
    data = rows()
    study = pickle.loads(pickle.dumps(chosen(data, parts, rules=RowRules(column))))  # noqa: S301
    tables = [pa.Table.from_pylist(data[at : at + size]) for at in range(0, len(data), size)]
    signs = pa.concat_tables(map(study.signs, tables[::-1]))
    assert set(signs["part"].to_pylist()) <= set(range(parts))
    states = [study.state(each) for each in _by_part(signs)]
    random.Random(1).shuffle(states)  # noqa: S311
    found = study.profile((s for t in states for s in t.to_pylist()), replicates=100)
    assert in_common(found) == in_common(whole(data, tmp_path, column))


def _by_part(signs: pa.Table) -> list[pa.Table]:
    parts = signs["part"].to_pylist()
    return [
        signs.take([row for row, part in enumerate(parts) if part == each])
        for each in sorted(set(parts))
    ]


def test_a_part_that_was_torn_is_never_counted_as_two() -> None:
    data = rows()
    study = chosen(data, parts=1)
    signs = study.signs(pa.Table.from_pylist(data))
    torn = [study.state(signs.slice(0, 20)), study.state(signs.slice(20))]
    with pytest.raises(ScatteredGroupError, match="part 0 came twice"):
        study.profile(state for each in torn for state in each.to_pylist())


def test_a_wrong_row_is_told_by_an_id_near_it() -> None:
    data = rows()
    data[25]["preference"] = "left"
    with pytest.raises(
        PreferenceDataError,
        match=rf"^pairs, from id '{data[20]['id']}' on: row 6: field 'preference' is 'left'",
    ):
        chosen(data).signs(pa.Table.from_pylist(data[20:]))


def test_an_empty_table_has_no_signs_and_no_state() -> None:
    data = rows()
    study = chosen(data)
    table = pa.Table.from_pylist(data)
    signs = study.signs(table.slice(0, 0))
    assert signs.num_rows == 0
    assert signs.schema.equals(study.signs(table).schema)
    assert study.state(signs).num_rows == 0
    with pytest.raises(PreferenceDataError, match="pairs: the data hold no rows"):
        study.profile([])


def script(section: str) -> str:
    """The Python block of a section of docs/large-data.md."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n## {section}\n")[2]
    return re.search(r"^```python\n(.*?)^```$", text, re.M | re.S)[1]


def printed(section: str, folder: Path, **environment: str) -> str:
    """What the script of a section prints, in a folder with ``pairs/``."""
    import os

    process = subprocess.run(
        [sys.executable, "-c", script(section)],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return process.stdout


def folder_of_pairs(folder: Path) -> dict[str, Any]:
    """Write two files into ``pairs/``; the profile of both, as the scripts of the page ask."""
    data = rows()
    (folder / "pairs").mkdir()
    for at in range(2):
        pq.write_table(pa.Table.from_pylist(data[at::2]), folder / f"pairs/{at}.parquet")
    pq.write_table(pa.Table.from_pylist(data), folder / "whole.parquet")
    loaded = load_preferences(folder / "whole.parquet")
    return recorded_profile(loaded, "length,markdown") | {"data": "pairs"}


@pytest.mark.slow
def test_the_script_for_any_engine(tmp_path: Path) -> None:
    expected = folder_of_pairs(tmp_path)
    found = json.loads(printed("Any other engine", tmp_path))
    assert in_common(found) == in_common(json.loads(json.dumps(expected)))


@pytest.mark.slow
def test_the_script_for_spark_in_local_mode(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="Spark is optional: pip install 'pyspark>=4'")
    import shutil

    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17 or later")
    expected = folder_of_pairs(tmp_path)
    found = json.loads(printed("Spark", tmp_path, SPARK_LOCAL_IP="127.0.0.1"))
    assert in_common(found) == in_common(json.loads(json.dumps(expected)))
