"""Held-out accuracy of the factor model, beside length alone and a plain LLM judge: a table.

    python benchmarks/held_out_accuracy.py ../shared/data [--page docs/findings.md]

Runs `profile-tasks contributions` on files of the folder and its sub-folder recorded/, and writes
a table into the page, between the two marks there. The judges are RECORDED: no model is asked. The
factors are those that are computed (`--factors surface`), so no grader is in them.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START, END = "<!-- held-out accuracy: start -->", "<!-- held-out accuracy: end -->"
HOME = Path(__file__).parents[1]

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Measured:
    """A file that is measured.

    Attributes:
        title: What it is.
        path: Where it stands in the folder.
        judge: Column of a plain LLM judge, without ``judge_``; none where none is recorded.
        called: What the judge is called.
        sources: File of the source texts.
    """

    title: str
    path: str
    judge: str = ""
    called: str = ""
    sources: str = ""


FILES = (
    Measured("LLMBar", "recorded/if_llmbar_judges.jsonl", "gpt4_vanilla_norules", "GPT-4"),
    Measured("LLMBar", "recorded/if_llmbar_judges.jsonl", "chatgpt_vanilla_norules", "ChatGPT"),
    Measured(
        "MT-Bench, FairEval",
        "recorded/if_mtbench_faireval_judges.jsonl",
        "gpt4_vanilla_norules",
        "GPT-4",
    ),
    Measured(
        "MT-Bench, FairEval",
        "recorded/if_mtbench_faireval_judges.jsonl",
        "chatgpt_vanilla_norules",
        "ChatGPT",
    ),
    Measured("LLMEval2", "recorded/if_llmeval2_judges.jsonl", "gpt4_vanilla_norules", "GPT-4"),
    Measured("PandaLM", "recorded/if_pandalm_judges.jsonl", "gpt35turbo", "GPT-3.5"),
    Measured("MTRAG", "recorded/qa_mtrag.jsonl", "rb_llm", "an unnamed LLM"),
    Measured("TL;DR (LLMEval2)", "tldr_llmeval2.jsonl"),
    Measured("QA feedback", "qa_feedback.jsonl"),
    Measured("HaluQuestQA", "haluquestqa.jsonl"),
    Measured("WebGPT (LLMEval2)", "webgpt_llmeval2.jsonl"),
    Measured("SQuALITY questions", "squality_qa.jsonl", sources="squality_sources.jsonl"),
    Measured("HHH", "hhh.jsonl"),
)


def measured(folder: Path, of: Measured) -> Record:
    """What `profile-tasks contributions` says of a file."""
    command = [sys.executable, "-c", "from profile_tasks.cli import main; main()"]
    command += ["contributions", str(folder / of.path), "--skip-bad-rows", "--factors", "surface"]
    command += ["--judge", of.judge] if of.judge else []
    command += ["--sources", str(folder / of.sources)] if of.sources else []
    run = subprocess.run(  # noqa: S603
        [*command, "--format", "json"], check=True, capture_output=True, text=True
    )
    found: Record = json.loads(run.stdout)
    return found


def written(record: Record | None, *, signed: bool = False) -> str:
    """A number with its interval; a dash without one."""
    if record is None or record["value"] is None:
        return "–"
    form = "{:+.2f}" if signed else "{:.2f}"
    value, low, high = (
        None if record[key] is None else form.format(record[key]).replace("-", "−")
        for key in ("value", "ci_low", "ci_high")
    )
    return f"{value}" if low is None else f"{value} [{low}, {high}]"


def told(record: Record | None) -> str:
    """A difference, bold where its interval leaves 0 out."""
    text = written(record, signed=True)
    if record is None or record["ci_low"] is None or record["ci_low"] <= 0 <= record["ci_high"]:
        return text
    return f"**{text}**"


def rows(folder: Path) -> Iterator[str]:
    """The table in Markdown."""
    yield (
        "| pairs | n (sources) | factors | length alone | factors less length | judge | judge's "
        "accuracy | factors less judge | explained | share of length |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for of in FILES:
        found = measured(folder, of)
        beside = found["held_out"]["beside"]
        length, judge = beside["length alone"], beside.get(of.judge, {})
        people = next(iter(found["profiles"].values()))
        cells = [
            of.title,
            f"{found['held_out']['n']} ({people['n_groups']})",
            written(found["held_out"]["accuracy"]),
            written(length["accuracy"]),
            told(length["difference"]),
            of.called or "–",
            written(judge.get("accuracy")),
            told(judge.get("difference")),
            written(people["explained"]),
            written(people["factors"]["length"]["share"]),
        ]
        line = f"| {' | '.join(cells)} |"
        print(line, flush=True)
        yield line


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", type=Path, default=HOME / "docs" / "findings.md")
    options = parser.parse_args()
    text = "\n".join(rows(options.folder))
    page = options.page.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    options.page.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
