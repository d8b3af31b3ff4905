"""Inspect's viewer in a real browser: what heads a log leaves its title to be read."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.profile_tasks.real_browser import chromium

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Inspect and its dependencies warn
]

SUMMARIZATION = "summarization", "self-agreement"
FEEDBACK = "instruction_following_feedback", "self adds"  # the longest title
RUNS = [SUMMARIZATION, FEEDBACK]

EDGES = """() => {
    const edges = selector => [...document.querySelectorAll(selector)].map(found => {
        const box = found.getBoundingClientRect();
        return [found.textContent, box.left, box.right, box.top];
    });
    return {
        title: edges("#task-title, #task-model, button[title='Edit tags']"),
        metrics: edges(".vertical-metric-label"),
    };
}"""


@pytest.fixture(scope="module")
def logs(inspect_log: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("viewed")
    for task, _ in RUNS:
        shutil.copy(inspect_log("verbose", task), folder / f"{task}.eval")
    return folder


@pytest.fixture(scope="module")
def viewer(logs: Path) -> Iterator[str]:
    """The address of ``inspect view`` on the logs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = ["view", "start", "--log-dir", str(logs), "--port", str(port)]
    server = subprocess.Popen(
        [sys.executable, "-m", "inspect_ai", *command], cwd=logs, stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            assert server.poll() is None, "inspect view has ended"
            try:
                urllib.request.urlopen(address).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def browser(viewer: str) -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.mark.parametrize("width", [1280, 1600])
@pytest.mark.parametrize(("task", "first"), RUNS)
def test_the_metrics_stand_in_one_line_beside_the_title(
    browser: Any, viewer: str, task: str, first: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 600})
    page.goto(f"{viewer}/#/logs/{task}.eval")
    page.wait_for_selector(".vertical-metric-label")
    page.wait_for_selector("button[title='Edit tags']")
    seen = page.evaluate(EDGES)
    page.close()
    assert [text for text, *_ in seen["title"]][:2] == [f"profile_tasks/{task}", "planted/verbose"]
    assert seen["metrics"][0][0] == first
    assert len(seen["metrics"]) == 5
    assert len({top for *_, top in seen["metrics"]}) == 1
    ends = [right for _, _, right, _ in seen["title"]]
    starts = [left for _, left, _, _ in seen["metrics"]]
    assert max(ends) + 16 < min(starts)
