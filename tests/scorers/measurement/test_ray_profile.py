"""Ray Data finds what one process finds, on this machine and on a cluster."""

import importlib.util
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None,
        reason="Ray is optional: pip install 'profile-tasks[ray]'",
    ),
]
PAGE = Path(__file__).parents[3] / "docs" / "large-data.md"
COMMAND = [sys.executable, "-c", "from profile_tasks.cli import main; main()", "influence"]
FACTORS = "length,markdown,charm"


def rows() -> list[dict[str, Any]]:
    """60 groups of 3 pairs in no order, with people's votes and the verdicts of a judge."""
    chance = random.Random(0)  # noqa: S311 - no secret
    found: list[dict[str, Any]] = []
    for at in range(180):
        words, charm = ([chance.randint(0, 8) for _ in "ab"] for _ in range(2))
        liking = words[0] - words[1] + charm[0] - charm[1]
        found.append(
            {
                "id": f"r{at}",
                "prompt": f"Say {at % 60}.",
                "response_a": "word " * words[0] + "end",
                "response_b": "*word* " * words[1] + "end",
                "annotators": ["a" if liking + chance.gauss(0, 5) > 0 else "b" for _ in range(3)],
                "preference_judge": "a" if liking + chance.gauss(0, 9) > 0 else "tie",
                "group": f"g{at % 60}",
                "task": "instruction_following",
                "factors": {side: {"charm": c} for side, c in zip("ab", charm, strict=True)},
            }
        )
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file, and the same rows in others whose groups are scattered over them."""
    folder, data = tmp_path_factory.mktemp("ray"), rows()
    pq.write_table(pa.Table.from_pylist(data), folder / "whole.parquet")
    for name in ("pairs", "lines", "wrong"):
        (folder / name).mkdir()
    for at in range(3):
        part = data[at * 60 : at * 60 + 60]
        pq.write_table(pa.Table.from_pylist(part), folder / f"pairs/{at}.parquet")
        lines = "".join(json.dumps(row) + "\n" for row in part)
        (folder / f"lines/{at}.jsonl").write_text(lines, encoding="utf-8")
        wrong = lines.replace('"tie"', '"left"') if at == 2 else lines
        (folder / f"wrong/{at}.jsonl").write_text(wrong, encoding="utf-8")
    return folder


def influence(*arguments: str, fails: bool = False) -> Any:
    process = subprocess.run(
        [*COMMAND, *arguments, "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (process.returncode != 0) == fails, process.stderr[-3000:]
    return process.stderr if fails else json.loads(process.stdout)


def same_but_names(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    named = ("data", "signature")
    one, other = (
        json.dumps({name: value for name, value in record.items() if name not in named})
        for record in (found, expected)
    )
    return one == other


def test_where_no_cluster_is_it_is_said(folder: Path) -> None:
    told = influence(str(folder / "whole.parquet"), "--ray", "auto", fails=True)
    assert told.startswith("Error: --ray auto: no cluster is there (")


_CLUSTER = """
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
cluster.add_node(num_cpus=1)
print(f"address {cluster.address}", flush=True)
input()
cluster.shutdown()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of two nodes with one processor each."""
    process = subprocess.Popen(
        [sys.executable, "-c", _CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("address "):
            break
    else:
        pytest.fail("".join(said))
    yield said[-1].split()[1]
    process.communicate("\n", timeout=60)


def test_one_worker_on_this_machine_finds_what_is_found_without_ray(folder: Path) -> None:
    """Verdicts of a judge, of lines of JSON in several files, whose groups are scattered."""
    options = ["--factors", FACTORS, "--preference-column", "preference_judge"]
    expected = influence(str(folder / "whole.parquet"), *options)
    files = str(folder / "lines/*.jsonl")
    found = influence(files, *options, "--ray", "local", "--workers", "1")
    assert same_but_names(found, expected)
    assert found["n_groups"] == 60


def test_a_cluster_finds_the_same(folder: Path, cluster: str) -> None:
    whole = str(folder / "whole.parquet")
    expected = influence(whole, "--factors", FACTORS)
    assert influence(whole, "--factors", FACTORS, "--ray", cluster) == expected


def test_a_wrong_row_is_told_as_without_ray(folder: Path, cluster: str) -> None:
    options = ["--factors", "length", "--preference-column", "preference_judge"]
    told = influence(str(folder / "wrong/*.jsonl"), *options, "--ray", cluster, fails=True)
    assert re.fullmatch(
        r"Error: 2\.jsonl:\d+: field 'preference_judge' is 'left'; expected .*\n", told
    )


def test_the_script_of_the_page_finds_the_same(folder: Path, cluster: str) -> None:
    text = PAGE.read_text(encoding="utf-8").partition("\n## Ray\n")[2]
    script = re.search(r"^```python\n(.*?)^```$", text, re.M | re.S)[1]
    script = script.replace('"/data/', f'"{folder}/')
    process = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"RAY_ADDRESS": cluster},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    found = json.loads(process.stdout.splitlines()[-1])
    assert {found.pop(name) for name in ("unspaced", "without_task")} == {False}
    expected = influence(str(folder / "whole.parquet"), "--factors", "length,markdown")
    assert same_but_names(found, expected)
    assert list((folder / "signs").glob("*.parquet"))
