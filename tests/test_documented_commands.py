"""Every command of README and docs could be given as it is printed; what can run here, runs.

``console``, ``sh`` and ``bash`` blocks hold commands alone, ``text`` blocks commands and what they
print. Of a command that needs a key, weights, a server or hours, the names are checked: the
command, its options and their choices, tasks, settings and their values, extras, benchmarks.
"""

import csv
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from inspect import unwrap
from io import StringIO
from pathlib import Path
from typing import Any, get_type_hints

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from profile_tasks.cli import main
from profile_tasks.data.preferences import load_preferences
from profile_tasks.settings import Settings
from profile_tasks.task_configs import FOLDER
from profile_tasks.task_configs.run_settings import check_names, run_settings

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    str(page.relative_to(ROOT))
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", "profile_tasks/data/demo/*.md")
    for page in ROOT.glob(pattern)
    if page.name != "CHANGELOG.md"
)
BY_OTHER_TESTS = {
    "docs/cost.md": "tests/profile_tasks/commands/test_cost.py",
    "docs/power.md": "tests/profile_tasks/commands/test_power.py",
    "docs/self-guided.md": "tests/profile_tasks/test_self_guided_page.py",
}
"""Pages whose ``console`` commands a test of their own runs."""


# What the pages hold ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """A command as a page prints it, without a comment beside it."""

    page: str
    block: int
    fence: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


_SAYS_A_COMMAND = re.compile(r"(\w+=\S+ )?(profile-tasks|inspect|python3?|pip|zensical) ")


@cache
def commands(page: str) -> tuple[Command, ...]:
    """Every command in the blocks of a page, continued lines and here-documents in one piece."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(console|sh|bash|text)\n(.*?)^```$", text, re.M | re.S)
    found = []
    for number, (fence, block) in enumerate(blocks):
        joined = re.sub(r"\\\n\s*", "", block)
        joined = re.sub(r"<<'(\w+)'\n.*?^\1$", "", joined, flags=re.M | re.S)
        for line in joined.splitlines():
            said = re.split(r"  +#", line.removeprefix("$ "))[0].strip()
            if (
                said
                and not said.startswith("#")
                and (fence != "text" or _SAYS_A_COMMAND.match(said))
            ):
                found.append(Command(page, number, fence, said))
    return tuple(found)


def mentioned(page: str) -> list[str]:
    """Commands in the running text."""
    text = (ROOT / page).read_text(encoding="utf-8")
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return re.findall(r"`((?:profile-tasks |inspect |python benchmarks/)[^`]+)`", outside)


def words_of(text: str) -> Iterator[list[str]]:
    """The words of each simple command: without what the shell does around it."""
    inside = re.sub(r"\$\([^()]*\)", "RESULT", text).strip("()")
    for part in re.split(r" (?:&&|\|\||\|) ", inside):
        words = shlex.split(re.sub(r" > \S+$", "", part))
        while words and re.fullmatch(r"\w+=\S*", words[0]):
            words = words[1:]
        if words:
            yield [Path(words[0]).name, *words[1:]]


_REASONS = {
    "it needs a key or weights": r"(openai|anthropic|hf|local)/",
    "it needs a server": r"http://",
    "it needs Ray, with which tests/scorers/measurement/test_ray_profile.py runs it": r"--ray ",
    "it installs, which .ci/run does": r"(python3 -m venv|pip install)",
    "it takes minutes or hours; its parts have tests": r"python (benchmarks/|-$)",
    ".ci/run runs it, or it runs .ci/run": r"(zensical|\.venv/bin/|\(root=|\.ci/run)",
}


def reason(command: Command) -> str | None:
    """Why a command cannot run in a test, None where it can."""
    for why, sign in _REASONS.items():
        if re.search(sign, command.text):
            return why
    return None


def runnable(page: str) -> list[Command]:
    """Commands that run here. What follows one that cannot, in its block, needs its results."""
    found, waiting = [], set()
    for command in commands(page):
        if page in BY_OTHER_TESTS and command.fence == "console":
            continue
        if (why := reason(command)) is None and command.block not in waiting:
            found.append(command)
        elif why is not None and not why.startswith("it installs"):
            waiting.add(command.block)
    return found


# Whether a command could be given -----------------------------------------------------------------


def check(text: str, *, whole: bool = True) -> None:
    """Refuse a command that could not be given.

    Args:
        text: The command.
        whole: Whether it has all that is required; a mention in a sentence need not.

    Raises:
        ValueError: The message says what there is not.
    """
    for name, *words in words_of(text):
        if name == "profile-tasks":
            _check_profile_tasks(words, whole=whole)
        elif name == "inspect":
            _check_inspect(words)
        elif name in ("python", "python3", "pip") or name in _programs():
            _check_python(words)
        elif name not in ("[", "cd", "source"):
            raise ValueError(f"{name!r} is no program that this project needs or brings")


@cache
def _project() -> Mapping[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _programs() -> set[str]:
    """Programs that come with the extras, as they are told apart in pyproject.toml."""
    extras = _project()["project"]["optional-dependencies"]
    told = {re.split(r"[<>=\[]", needed)[0] for extra in extras.values() for needed in extra}
    return told | {"run", "lint-imports"}  # .ci/run, and import-linter's


def _parsed(
    command: click.Command, words: Sequence[str], name: str, *, whole: bool
) -> dict[str, Any]:
    """What the options of a click command would be, with names and choices checked."""
    context = click.Context(command, info_name=name, **command.context_settings)
    try:
        given, _, _ = command.make_parser(context).parse_args(list(words))
    except click.UsageError as error:
        raise ValueError(error.format_message()) from error
    for parameter in command.get_params(context):
        value = given.get(parameter.name or "")
        missing = not isinstance(value, str | int | list | tuple) or value == ()
        if missing and parameter.required and whole:
            raise ValueError(f"{name} needs {parameter.name}")
        # A word in capitals, or several with a bar, stands for what the reader puts there.
        if not missing and isinstance(parameter.type, click.Choice | click.types.IntParamType):
            for one in value if isinstance(value, list | tuple) else [value]:
                if not re.fullmatch(r"[A-Z]+|.*\|.*", str(one)):
                    parameter.type.convert(one, parameter, context)
    return given


def _found(group: click.Command, words: list[str]) -> tuple[click.Command, list[str], str]:
    """The command below a group that the words name, and the words behind its name."""
    name = ""
    while isinstance(group, click.Group) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        name, *words = words
        inner = group.get_command(click.Context(group), name)
        if inner is None:
            raise ValueError(f"no command {name!r}")
        group = inner
    return group, words, name


def _check_profile_tasks(words: list[str], *, whole: bool) -> None:
    command, words, name = _found(main, words)
    if not words and not whole:
        return
    if name == "lm-eval":
        _check_lm_eval(words)
        return
    given = _parsed(command, words, name, whole=whole)
    if name == "validate":
        _check_lm_eval_tasks(given["tasks"].split(","))


def _check_lm_eval(words: list[str]) -> None:
    from lm_eval._cli.harness import HarnessCLI

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["lm-eval", *words])
        try:
            given = HarnessCLI().parse_args()
        except SystemExit as error:
            raise ValueError(f"lm-eval takes no {shlex.join(words)}") from error
    _check_lm_eval_tasks(given.tasks)
    metadata = {
        key: str(value) if key == "texts" else value
        for key, value in (given.metadata or {}).items()
    }
    check_names(metadata)
    run_settings(metadata)


def _check_lm_eval_tasks(names: Sequence[str]) -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in FOLDER.rglob("*.yaml"))
    known = set(re.findall(r"^(?:task|group): (\w+)$", text, re.M))
    if unknown := set(names) - known:
        raise ValueError(f"lm-eval has no task {sorted(unknown)}")


def _check_inspect(words: list[str]) -> None:
    from inspect_ai._cli.main import inspect
    from inspect_ai._cli.util import parse_cli_args

    command, words, name = _found(inspect, words)
    if not words or words == ["..."]:
        return
    given = _parsed(command, words, name, whole=False)
    registry = import_module("profile_tasks._registry")
    for task in given.get("tasks") or ():
        folder, _, short = task.partition("/")
        if folder != "profile_tasks" or not hasattr(registry, short):
            raise ValueError(f"Inspect knows no task {task!r}")
        settings: type[Settings] = get_type_hints(unwrap(getattr(registry, short)))["settings"]
        settings.read(parse_cli_args(given.get("t") or ()), of=short)
    if (scorer := given.get("scorer")) and name == "score":
        short = scorer.removeprefix("profile_tasks/")
        settings = get_type_hints(unwrap(getattr(registry, short)))["settings"]
        settings.read({"task": "summarization"} | parse_cli_args(given.get("s") or ()), of=short)


def _check_python(words: list[str]) -> None:
    extras = _project()["project"]["optional-dependencies"]
    for asked in re.findall(r"(?:\.|profile-tasks)\[([\w,]+)\]", " ".join(words)):
        if unknown := set(asked.split(",")) - extras.keys():
            raise ValueError(f"there is no extra {sorted(unknown)}")
    if words and re.match(r"benchmarks/[a-z]", words[0]):
        script = (ROOT / words[0]).read_text(encoding="utf-8")
        for option in re.findall(r"--[\w-]+", " ".join(words[1:])):
            if f'"{option}"' not in script:
                raise ValueError(f"{words[0]} has no option {option}")


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_could_be_given(page: str) -> None:
    for command in commands(page):
        try:
            check(command.text)
        except (ValueError, OSError, click.ClickException) as error:
            pytest.fail(f"{command}\n{error}")
    for text in mentioned(page):
        try:
            check(re.sub(r"\[(-.*?)\]", r"\1", text), whole=False)  # what may be left out
        except (ValueError, OSError, click.ClickException) as error:
            pytest.fail(f"{page}, in a sentence: {text}\n{error}")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("profile-tasks inflence demo", "inflence"),
        ("profile-tasks influence demo --factor length", "--factor"),
        ("profile-tasks influence demo --format xml", "xml"),
        ("profile-tasks influence", "needs"),
        ("profile-tasks lm-eval --model planted --tasks profile_summary", "profile_summary"),
        ("profile-tasks lm-eval --tasks profile_summarization --metadata '{\"limt\": 3}'", "limt"),
        ("inspect eval profile_tasks/summary --model openai/gpt-4o", "summary"),
        ("inspect eval profile_tasks/summarization -T limt=3", "limt"),
        ("inspect eval profile_tasks/summarization -T setting=judging", "judging"),
        ("inspect eval profile_tasks/summarization --modell openai/gpt-4o", "--modell"),
        ("inspect evaluate profile_tasks/summarization", "evaluate"),
        ("pip install '.[transformers]'", "transformers"),
        ("python benchmarks/speed.py --fast", "--fast"),
        ("profile_tasks influence demo", "profile_tasks"),
    ],
)
def test_a_wrong_command_would_be_told(wrong: str, told: str) -> None:
    with pytest.raises((ValueError, click.ClickException), match=re.escape(told)):
        check(wrong)


def test_commands_run_here_or_elsewhere_or_cannot() -> None:
    there = [command for page in PAGES for command in commands(page)]
    run = {command for page in PAGES for command in runnable(page)}
    assert len(there) >= 100
    assert len(run) >= 50
    for page, test in BY_OTHER_TESTS.items():
        assert f'"{Path(page).name}"' in (ROOT / test).read_text(encoding="utf-8")
    stopped = {(command.page, command.block) for command in there if reason(command)}
    left = [
        str(command)
        for command in there
        if command not in run
        and not (command.page in BY_OTHER_TESTS and command.fence == "console")
        and (command.page, command.block) not in stopped
    ]
    assert left == []


# Running ------------------------------------------------------------------------------------------


def own(page: str) -> list[Command]:
    """The commands of a page but for the blocks that are part of an earlier page, and run there."""
    earlier = {c.text for other in PAGES[: PAGES.index(page)] for c in runnable(other)}
    new = {command.block for command in runnable(page) if command.text not in earlier}
    return [command for command in runnable(page) if command.block in new]


def yaml_block(page: str, beginning: str) -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    return next(
        block
        for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.M | re.S)
        if block.startswith(beginning)
    )


def arena() -> str:
    """Ten battles as Chatbot Arena exports them."""
    text = StringIO()
    file = csv.writer(text)
    file.writerow(("model_a", "model_b", "winner", "conversation_a", "conversation_b", "turn"))
    for n in range(10):
        asked = {"role": "user", "content": f"Question {n}?"}
        answers = ("Yes, that is how it is.", f"No, {n}.")
        chats = [json.dumps([asked, {"role": "assistant", "content": a}]) for a in answers]
        file.writerow(("one", "two", "model_a" if n % 3 else "model_b", *chats, 1))
    return text.getvalue()


def verdicts() -> str:
    """Demonstration pairs with the verdicts of two judges in both orders.

    One picks the longer response, the other whatever is shown first in every second pair.
    """
    rows = []
    for source in load_preferences("demo", task="instruction_following").sources:
        for n, pair in enumerate(source.pairs):
            longer = "a" if len(pair.response_a) >= len(pair.response_b) else "b"
            picks = ["first", "second"] if longer == "a" else ["second", "first"]
            rows.append(
                {
                    "id": f"{source.group}-{n}",
                    "task": "instruction_following",
                    "prompt": source.prompt,
                    "response_a": pair.response_a,
                    "response_b": pair.response_b,
                    "preference": pair.preference,
                    "group": source.group,
                    "judge_gpt4": longer,
                    "picks_gpt4": picks,
                    "judge_palm2": longer if n % 2 else "tie",
                    "picks_palm2": picks if n % 2 else ["first", "first"],
                }
            )
    return "".join(f"{json.dumps(row)}\n" for row in rows)


LABELS = """
version: 1
data_sets:
  graded:
    - {label: flow, factor: coherence, direction: same, kind: pairwise}
"""


def graded() -> str:
    """Forty sources with a grader's word on two factors, and people's on one in half of them."""
    rows = []
    for source in range(40):
        for n in range(3):
            better, erring = (source + n) % 2, (source * 3 + n) % 5 == 0
            grades = [{"coherence": int(side == better), "helpfulness": n} for side in (0, 1)]
            factors: dict[str, Any] = dict(zip("ab", grades, strict=True))
            if source % 2:
                factors["pairwise"] = {"flow": "ab"[better != erring]}
            rows.append(
                {
                    "id": f"{source}-{n}",
                    "task": "summarization",
                    "prompt": "Sum up.",
                    "source": f"The ferry of {source} left at nine.",
                    "response_a": "It left at nine, the ferry.",
                    "response_b": "It left." + " Late." * n,
                    "preference": "ab"[better] if (source + n) % 4 else "ba"[better],
                    "group": f"g{source}",
                    "factors": factors,
                }
            )
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def answer(annotate: str, folder: Path) -> None:
    """Somebody's answers to what a command asks, in the file from which the page reads them.

    The same command draws the same pairs and sides again.
    """
    words = annotate.replace("logs/*.eval", str(folder / "RUN.eval")).split()[1:]
    study = folder / "asked" / words[words.index("-o") + 1]
    words[words.index("-o") + 1] = str(study)
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    tasks = json.loads((study / "key.json").read_text("utf-8"))
    said = [("first", "second", "tie")[n % 3] for n in range(len(tasks["tasks"]))]
    if "html" in words:
        given = {"skipped": False, "factors": {}, "seconds": 5, "comment": ""}
        answers = [
            {"task": task, "preference": side, **given}
            for task, side in zip(tasks["tasks"], said, strict=True)
        ]
        content: Any = {
            "profile_tasks_answers": 1, "project": tasks["project"], "sheet": "annotator 1",
            "annotator": "Robin", "answers": answers,
        }  # fmt: skip
    else:
        asked = json.loads((study / "tasks.json").read_text("utf-8"))
        content = [
            {
                "data": task["data"],
                "annotations": [
                    {
                        "completed_by": 1,
                        "result": [{"from_name": "preference", "value": {"choices": [side]}}],
                    }
                ],
            }
            for task, side in zip(asked, said, strict=True)
        ]
    names = {"study": "export.json", "pages": "answers.json", "own": "own.json"}
    (folder / names[study.name]).write_text(json.dumps(content), encoding="utf-8")


_SHARED_FILES = {
    "docs/adjusted.md": ("pandalm.jsonl", "haluquestqa.jsonl"),
    "docs/judge-audit.md": ("recorded/if_llmbar_judges.jsonl",),
    "docs/slices.md": ("llmbar.jsonl",),
}
"""Files of people and judges that pages are about."""


class Folder:
    """The working folder of a page's reader, and what tests can put into it."""

    def __init__(self, path: Path, request: pytest.FixtureRequest) -> None:
        self.path = path
        self.made = request.getfixturevalue

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(exist_ok=True)
        (self.path / name).write_text(text, encoding="utf-8")

    def copy(self, file: Path, name: str = "") -> None:
        target = self.path / (name or file.name)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(file, target)

    def log(self, name: str, profile: str = "verbose", **arguments: Any) -> None:
        self.copy(self.made("inspect_log")(profile, **arguments), name)

    def logs(self) -> None:
        for profile in ("verbose", "concise"):
            self.log(f"logs/{profile}.eval", profile)


def of_the_readme(folder: Folder) -> None:
    folder.write("arena.csv", arena())
    rows = [f"Q{n}?,Yes it is so.,No {n}.,{1 + n % 2}" for n in range(10)]
    folder.write("mine.csv", "\n".join(["question,one,two,best", *rows]))


def of_annotate(folder: Folder) -> None:
    folder.log("RUN.eval", setting="generation")
    text = (ROOT / "docs/annotate.md").read_text(encoding="utf-8")
    for command in re.findall(r"^profile-tasks annotate .*$", text, re.M):
        answer(command, folder.path)


def of_graded_runs(folder: Folder) -> None:
    folder.write("verdicts.jsonl", verdicts())
    folder.write("graded.jsonl", graded())
    folder.write("labels.yaml", LABELS)
    folder.log("logs/RUN.eval")


def of_data(folder: Folder) -> None:
    rows = [f"Q{n}?,Yes it is so.,No {n}.,{n % 3}" for n in range(12)]
    folder.write("ratings.csv", "\n".join(["question,first,second,best", *rows]))


def of_discovery(folder: Folder) -> None:
    """Pairs of which people nearly always prefer the response that asks back."""
    drawn = random.Random(0)  # noqa: S311 - no secret
    rows = []
    for n in range(240):
        asks = [drawn.random() < 0.4 for _ in "ab"]
        a, b = (
            " ".join(drawn.choices(["amber", "birch", "cedar", "dune"], k=drawn.randint(3, 12)))
            + (" and you?" if each else ".")
            for each in asks
        )
        preferred = "ba"[asks[0]] if asks[0] != asks[1] and n % 9 else drawn.choice("ab")
        row = {"id": str(n), "prompt": f"Question {n}", "response_a": a, "response_b": b}
        rows.append(row | {"preference": preferred})
    folder.write("pairs.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))


def of_factors(folder: Folder) -> None:
    text = (ROOT / "docs/factors.md").read_text(encoding="utf-8")
    shown = r"is `(mine\.yaml|my_factors\.py)`:\n\n```\w+\n(.*?)^```$"
    for name, block in re.findall(shown, text, re.M | re.S):
        folder.write(name, block)


def of_the_gate(folder: Folder) -> None:
    folder.logs()
    folder.log("last_release.eval")
    folder.write("graded.jsonl", graded())
    folder.write("labels.yaml", LABELS)
    folder.write("bars.yaml", yaml_block("docs/gate.md", "version: 1\nbars:"))


def of_large_data(folder: Folder) -> None:
    demo = ROOT / "profile_tasks" / "data" / "demo" / "summarization.jsonl"
    rows = [json.loads(line) for line in demo.read_text("utf-8").splitlines()]
    pq.write_table(pa.Table.from_pylist(rows), folder.path / "pairs.parquet")


def of_the_leaderboard(folder: Folder) -> None:
    folder.logs()
    results = folder.made("lm_eval_results")()
    folder.copy(results, f"out/{results.name}")


def of_own_labels(folder: Folder) -> None:
    folder.log("logs/RUN.eval")
    folder.copy(folder.made("labelled_log")("verbose").with_name("labels.jsonl"))


def of_own_task(folder: Folder) -> None:
    folder.write("my_task.yaml", yaml_block("docs/own-task.md", "name: recipe_titles"))
    text = (ROOT / "docs/own-task.md").read_text(encoding="utf-8")
    (rows,) = re.findall(r"^```json\n(.*?)^```$", text, re.M | re.S)
    folder.write("titles.jsonl", rows)


def of_recorded(folder: Folder) -> None:
    folder.write("verdicts.jsonl", verdicts())
    folder.write("bars.yaml", yaml_block("docs/recipes.md", "version: 1\nbars:"))


_GIVEN: Mapping[str, Callable[[Folder], None]] = {
    "README.md": of_the_readme,
    "docs/annotate.md": of_annotate,
    "docs/contributions.md": of_graded_runs,
    "docs/corrected.md": of_graded_runs,
    "docs/data.md": of_data,
    "docs/discovery.md": of_discovery,
    "docs/factors.md": of_factors,
    "docs/gate.md": of_the_gate,
    "docs/large-data.md": of_large_data,
    "docs/leaderboard.md": of_the_leaderboard,
    "docs/own-labels.md": of_own_labels,
    "docs/own-task.md": of_own_task,
    "docs/recorded.md": of_recorded,
}
"""What a page says that its reader has."""


@pytest.fixture
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], None]:
    """Put into the working folder what a page says that the reader has."""

    def put(page: str) -> None:
        for name in _SHARED_FILES.get(page, ()):
            shutil.copy(request.getfixturevalue("shared_data") / name, tmp_path)
        if page in _GIVEN:
            _GIVEN[page](Folder(tmp_path, request))

    return put


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if own(page)])
def test_the_commands_of_the_page_run_one_after_the_other(
    page: str, given: Callable[[str], None], tmp_path: Path
) -> None:
    given(page)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for command in own(page):
        done = subprocess.run(
            ["bash", "-c", command.text],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            # Nobody views a run while it lasts, which takes Inspect a fifth of it.
            env=os.environ
            | {"PATH": path, "COLUMNS": "80", "INSPECT_EVAL_NO_LOG_REALTIME": "true"},
        )
        # A gate's status is its verdict, which it prints alone.
        verdict = " gate " in command.text and not done.stderr
        allowed = (0, 1, 2) if verdict else (0,)
        assert done.returncode in allowed, f"{command}\n{done.stdout}\n{done.stderr}"
        if re.search(r"profile-tasks (?!lm-eval)", command.text) and "json" not in command.text:
            assert [line for line in done.stdout.splitlines() if len(line) > 80] == [], command
