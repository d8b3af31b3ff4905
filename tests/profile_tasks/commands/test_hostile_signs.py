"""What a terminal would obey does not reach it, from whatever file or name it comes."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from profile_tasks.cli import main

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

SIGNS = "\x1b[31mE\u202eV\x07\x9bL\u2066\r"
NAME = f"x{SIGNS}"  # of files, too
ORDERING = set(
    "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
FACTORS = ("--factors", "length,markdown,readability")


def obeyed(text: str) -> set[str]:
    """The characters that a terminal obeys, or that turn what stands beside them."""
    return {
        sign
        for sign in text
        if sign != "\n" and (unicodedata.category(sign) in {"Cc", "Cs"} or sign in ORDERING)
    }


def written(path: Path, content: object) -> str:
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def files(
    tmp_path_factory: pytest.TempPathFactory,
    inspect_log: Callable[..., Path],
    lm_eval_results: Callable[..., Path],
) -> dict[str, str]:
    """Files with such signs in their names and in every text that could be printed."""
    from inspect_ai.log import read_eval_log, write_eval_log

    folder = tmp_path_factory.mktemp("hostile")
    files: dict[str, str] = {"missing": str(folder / f"none{NAME}")}
    write_eval_log(read_eval_log(str(inspect_log())), str(folder / "log.json"))
    text = (folder / "log.json").read_text(encoding="utf-8")
    log: dict[str, Any] = json.loads(
        text.replace("planted/verbose", f"planted/verbose{json.dumps(SIGNS)[1:-1]}")
    )
    log["eval"]["metadata"] |= {"data": NAME, "grader_warning": NAME}
    files["log"] = written(folder / f"log{NAME}.json", log)
    files["other log"] = written(folder / f"other{NAME}.json", log)
    files["unfinished"] = written(
        folder / f"unfinished{NAME}.json", log | {"status": "error", "results": None}
    )
    files["broken"] = written(folder / f"broken{NAME}.json", log | {"status": NAME})
    files["foreign"] = written(folder / f"results_f{NAME}.json", {"results": {NAME: {}}})
    results = json.loads(lm_eval_results().read_text(encoding="utf-8"))
    results["config"] |= {"model": f"hf{SIGNS}", "model_args": {"pretrained": NAME}}
    files["results"] = written(folder / f"results_{NAME}.json", results)
    rows = [
        {
            "id": f"{NAME}{n}", "group": f"g{NAME}{n}", "task": "summarization", "prompt": NAME,
            "source": f"s {NAME}{n}", "response_a": f"{'a ' * (n % 5 + 1)}{SIGNS}{n}",
            "response_b": "b " * (n % 3 + 1), "preference": "ab"[n % 2], NAME: [*"ab", None][n % 3],
        }
        for n in range(30)
    ]  # fmt: skip
    bad = [{**rows[0], "preference": NAME}, *rows[1:]]
    for name, held in (("rows", rows), ("bad rows", bad)):
        path = folder / f"{name}{NAME}.jsonl"
        path.write_text("\n".join(map(json.dumps, held)), encoding="utf-8")
        files[name] = str(path)
    profile = {"length": 0.1, f"f{NAME}": 0.2, "c": 0.3}
    files["profile"] = written(folder / f"profile{NAME}.json", profile)
    files["no profile"] = written(folder / f"bad{NAME}.json", {f"f{NAME}": NAME})
    bars = folder / f"bars{NAME}.yaml"
    bars.write_text(f"version: 1\nbars:\n- {json.dumps(f'flip_rate <= 1 {NAME}')}\n")
    files["broken bars"] = str(bars)
    bars = folder / f"good{NAME}.yaml"
    bars.write_text(f"version: 1\nbars:\n- name: {json.dumps(NAME)}\n  bar: flip_rate <= 1\n")
    files["bars"] = str(bars)
    return files


@pytest.fixture
def hostile(files: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The same files, which every command shares, and a folder of its own to write into."""
    return files | {"folder": str(tmp_path / f"out{NAME}")}


def named(argument: str, files: dict[str, str]) -> str:
    """An argument with the paths of the files in it, as JSON where it is JSON."""
    for name, path in files.items():
        shown = json.dumps(path)[1:-1] if argument.startswith('{"') else path
        argument = argument.replace(f"{{{name}}}", shown)
    return argument


EXPORT = ("--format", "dpo", "--output", "{folder}")
TASK = ("validate", "--tasks", "profile_summarization_discrimination")


@pytest.mark.parametrize(
    "command",
    [
        ("influence", "{rows}", *FACTORS),
        ("influence", "{rows}", *FACTORS, "--preference-column", NAME),
        ("influence", "{rows}", *FACTORS, "--format", "csv"),
        ("influence", "{bad rows}", *FACTORS, "--skip-bad-rows"),
        ("influence", "{bad rows}"),
        ("influence", "{missing}.jsonl"),
        ("influence", "{rows}", "--factors", NAME),
        ("influence", "{rows}", "--preference-column", f"none{NAME}"),
        ("align", "{rows}", "{rows}", *FACTORS, "--second-preference-column", NAME),
        ("align", "{profile}", "{profile}"),
        ("align", "{profile}", "{profile}", "--format", "csv"),
        ("align", "{profile}", "{rows}"),
        ("align", "{no profile}", "{profile}"),
        ("compare", "{log}", "{other log}"),
        ("compare", "{log}", "{other log}", "--format", "csv"),
        ("compare", "{unfinished}", "{log}"),
        ("compare", "{broken}", "{log}"),
        ("compare", "{log}", "{missing}.json"),
        ("leaderboard", "{log}", "{results}", "{foreign}", "{unfinished}"),
        ("leaderboard", "{log}", "{results}", "--format", "csv"),
        ("leaderboard", "{log}", "{results}", "--format", "md"),
        ("leaderboard", "{log}", "{broken}"),
        ("leaderboard", "{log}", "{broken}", "--skip-bad"),
        ("leaderboard", "{log}", "--sort", NAME),
        ("leaderboard", "{missing}"),
        ("gate", "{log}", "--bars", "{bars}"),
        ("gate", "{log}", "--bars", "{broken bars}"),
        ("gate", "{unfinished}", "--bars", "{bars}"),
        ("gate", "{missing}", "--bars", "{bars}"),
        ("export", "{log}", *EXPORT),
        ("export", "{rows}", *EXPORT),
        ("export", "{unfinished}", *EXPORT),
        ("export", "{bad rows}", *EXPORT),
        ("report", "{log}", "{results}", "-o", "{folder}.html"),
        ("report", "{foreign}"),
        ("power", "{rows}", *FACTORS),
        ("cost", "{bad rows}", "--task", "summarization", "--skip-bad-rows"),
        ("validate", "--tasks", NAME),
        ("validate", "--tasks", "{missing}.yaml"),
        (*TASK, "--metadata", '{"dataset": "{rows}"}'),
        (*TASK, "--metadata", '{"dataset": "{bad rows}"}'),
        (*TASK, "--metadata", f'{{"{NAME}'),
    ],
    ids=" ".join,
)
def test_no_command_prints_what_a_terminal_obeys(
    command: tuple[str, ...], hostile: dict[str, str]
) -> None:
    arguments = [named(argument, hostile) for argument in command]
    # As to a terminal: otherwise click takes colours away itself.
    shown = CliRunner().invoke(main, arguments, color=True)
    assert isinstance(shown.exception, SystemExit | None), shown.exception
    assert not obeyed(shown.output)
    assert shown.output
