"""What a report over many sources costs: time, memory, size, and how fast it opens.

    python benchmarks/report_size.py [--sources 5000] [--models 1] [--keep FOLDER]

A real run of the demonstration data (simulated model and grader, 13 factors, both settings) is
blown up: its samples are copied under new ids until there are as many as wanted, with the events
and attachments that make real logs large, and the statistics of the copies are computed into the
header. That is not timed; ``profile-tasks report`` on the result is, in a process of its own. Where
Playwright and Chromium are there, the page is opened too.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from inspect_ai import eval as inspect_eval
from inspect_ai.log import read_eval_log
from pydantic_core import from_json, to_json

from profile_tasks.scorers.inspect.full_profile import SCORER, completed_results
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.summarization import summarization

FACTORS = (
    "length,novel_words,number_of_facts,source_coverage,hallucination,off_focus,fluency,coherence,"
    "intent_alignment,formality_alignment,sentence_count,lexical_diversity,readability"
)


def small_log(model: str, folder: Path) -> Path:
    """A finished log of the demonstration data."""
    (log,) = inspect_eval(
        summarization(factors=FACTORS),
        model=model,
        model_roles={"grader": "planted/grader"},
        log_dir=str(folder),
        display="none",
    )
    return Path(log.location)


def blown_up(log: Path, n_sources: int, target: Path) -> None:
    """The same log with its samples copied until there are so many sources."""
    header = read_eval_log(str(log), header_only=True)
    with zipfile.ZipFile(log) as archive:
        samples = {
            from_json(content)["metadata"]["id"]: content
            for name in archive.namelist()
            if name.startswith("samples/")
            for content in [archive.read(name)]
        }
        method = archive.infolist()[0].compress_type
    measured, ids = [], []
    with zipfile.ZipFile(target, "w", compression=method) as archive:
        for number in range(n_sources):
            source = list(samples)[number % len(samples)]
            id_ = f"{source}-{number:05}"
            content = samples[source].replace(source.encode(), id_.encode())
            archive.writestr(f"samples/{id_}_epoch_1.json", content)
            ids.append(id_)
            metadata = from_json(content)["scores"][SCORER]["metadata"]
            measured.append(SourceMeasurement.model_validate(metadata))
        if header.results is not None:
            results = completed_results(header.results, {SCORER: measured}, header.eval.model)
            header.results = results
        header.eval.dataset.sample_ids = ids
        header.eval.dataset.samples = n_sources
        archive.writestr("header.json", to_json(header.model_dump(exclude={"samples"})))


def opening_seconds(page: Path) -> float | None:
    """Seconds until the page's load event has ended in Chromium; None where it cannot be told."""
    chromium = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if chromium is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page()
        start = time.perf_counter()
        tab.goto(page.as_uri(), wait_until="load")
        tab.screenshot()  # which waits until it is painted
        seconds = time.perf_counter() - start
        browser.close()
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sources", type=int, default=5000)
    parser.add_argument("--models", type=int, default=1, choices=(1, 2, 3))
    parser.add_argument("--keep", type=Path, help="leave logs and page in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        logs = []
        for model in ("verbose", "concise", "balanced")[: arguments.models]:
            logs.append(folder / f"{model}-{arguments.sources}.eval")
            if not logs[-1].exists():
                blown_up(
                    small_log(f"planted/{model}", folder / "small"), arguments.sources, logs[-1]
                )
        page = folder / "report.html"
        command = [str(Path(sys.executable).parent / "profile-tasks"), "report", *map(str, logs)]
        start = time.perf_counter()
        subprocess.run(  # noqa: S603 - our own command
            [*command, "-o", str(page)], check=True, stdout=subprocess.DEVNULL
        )
        seconds = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        opened = opening_seconds(page)
        print(
            json.dumps(
                {
                    "sources": arguments.sources,
                    "models": arguments.models,
                    "cores": os.cpu_count(),
                    "log_mb": round(sum(log.stat().st_size for log in logs) / 1e6, 1),
                    "seconds": round(seconds, 1),
                    "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
                    "peak_mb": round(used.ru_maxrss / 1e3),
                    "page_mb": round(page.stat().st_size / 1e6, 2),
                    "opening_seconds": None if opened is None else round(opened, 2),
                },
                indent=1,
            )
        )


if __name__ == "__main__":
    main()
