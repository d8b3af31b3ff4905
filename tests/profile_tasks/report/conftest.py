"""What the tests of reports share: logs of real runs, planted and hostile, and their pages."""

import itertools
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import Sample
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import Model, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match

from profile_tasks.cli import main
from profile_tasks.summarization import summarization

HOSTILE = {
    "script": '<script>document.title="owned"</script> and more words than the other one has',
    "image": "</script><img src=x onerror=\"document.title='owned'\"> with some words after it",
    "turned": "turned \u202egnp.exe\u202c back, and more words than the other one has",
    "nul": "a NUL \x00 and a bell \x07 within more words than the other one has",
    "huge": "many words " * 95_000,
}
"""Responses that must show as text; the last one has 1 MB."""

HALF_A_PAIR = "half a pair \\ud83d of it"
"""Half a surrogate pair, as JSON escapes it."""


@pytest.fixture(scope="session")
def verbose_log(inspect_log: Any) -> Path:
    """The log of a graded run of the demonstration data."""
    return inspect_log("verbose", grader="planted/grader")


@pytest.fixture(scope="session")
def concise_log(inspect_log: Any) -> Path:
    return inspect_log("concise", grader="planted/grader")


AUDITED = {"limit": 10, "max_pairs_per_source": 2}


@pytest.fixture(scope="session")
def audit_log(inspect_log: Any) -> Path:
    """The log of an audit of a judge that likes length, with all probes."""
    return inspect_log("verbose", "summarization_judge_audit", **AUDITED)


@pytest.fixture(scope="session")
def other_audit_log(inspect_log: Any) -> Path:
    return inspect_log("concise", "summarization_judge_audit", probes="position,padding", **AUDITED)


@pytest.fixture(scope="session")
def hostile_audit_log(audit_log: Path, made_once: Any) -> Path:
    """The same audit, of a judge whose name is markup."""

    def renamed(folder: Path) -> Path:
        log = read_eval_log(str(audit_log))
        log.eval.model = HOSTILE["image"]
        write_eval_log(log, str(folder / "hostile_audit.eval"))
        return folder / "hostile_audit.eval"

    return made_once(("hostile audit",), renamed)


@pytest.fixture(scope="session")
def other_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of somebody else's eval."""
    task = Task(dataset=[Sample(input="a", target="b")], scorer=match(), name="other_eval")
    (log,) = inspect_eval(
        task,
        model=_writer(["b"]),
        log_dir=str(tmp_path_factory.mktemp("other")),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success"
    return Path(log.location)


@pytest.fixture(scope="session")
def hostile_log(made_once: Any) -> Path:
    """The log of a run over hostile data, of a model that writes hostile responses."""
    return made_once(("hostile log",), _hostile_log)


def _hostile_log(folder: Path) -> Path:
    rows = [
        {
            "id": f"{group}-{name}",
            "group": f"<b>group</b> {group}",
            "task": "summarization",
            "prompt": 'Sum up </textarea><script>document.title="owned"</script>.',
            "source": f"A story about mill number {group}. It stands by a river.",
            "response_a": text,
            "response_b": "A short and harmless answer.",
            "preference": "ab"[(group + number) % 2],
        }
        for group in range(9)
        for number, (name, text) in enumerate(HOSTILE.items())
    ]
    data = folder / "hostile.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (log,) = inspect_eval(
        summarization(
            dataset=str(data),
            factors="length,novel_words,sentence_count,lexical_diversity",
            setting="generation",
        ),
        model=_writer(["HALF-A-PAIR", *HOSTILE.values()][:5]),
        log_dir=str(folder),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success"
    return _with_half_a_pair(Path(log.location), folder / "half.eval")


def _writer(texts: list[str]) -> Model:
    """A model that writes these texts in turn."""

    def outputs() -> Iterator[ModelOutput]:
        for text in itertools.cycle(texts):
            output = ModelOutput.from_content("mockllm/model", text)
            # Without it the mock model would fetch a tokenizer.
            output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
            yield output

    return get_model("mockllm/model", custom_outputs=outputs())


def _with_half_a_pair(log: Path, target: Path) -> Path:
    """A copy whose samples hold half a surrogate pair, which Inspect itself would escape."""
    with zipfile.ZipFile(log) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("samples/"):
                assert b"HALF-A-PAIR" in content
                content = content.replace(b"HALF-A-PAIR", HALF_A_PAIR.encode())
            copy.writestr(name, content)
    return target


def built_page(folder: Path, *logs: Path) -> Path:
    """The page that the command makes of logs."""
    page = folder / "report.html"
    result = CliRunner().invoke(main, ["report", *map(str, logs), "-o", str(page)])
    assert result.exit_code == 0, result.output
    return page


@pytest.fixture(scope="session")
def planted_page(verbose_log: Path, concise_log: Path, made_once: Any) -> Path:
    return made_once(("planted page",), lambda folder: built_page(folder, verbose_log, concise_log))


@pytest.fixture(scope="session")
def hostile_page(hostile_log: Path, made_once: Any) -> Path:
    return made_once(("hostile page",), lambda folder: built_page(folder, hostile_log))


@pytest.fixture(scope="session")
def audit_page(
    verbose_log: Path,
    audit_log: Path,
    other_audit_log: Path,
    hostile_audit_log: Path,
    made_once: Any,
) -> Path:
    """A run and three audits, one of them of the same model."""
    logs = (verbose_log, audit_log, other_audit_log, hostile_audit_log)
    return made_once(("audit page",), lambda folder: built_page(folder, *logs))
