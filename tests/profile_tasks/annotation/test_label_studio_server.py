"""The real Label Studio: what is said or clicked there is what is read here.

Label Studio is installed from PyPI into an environment of its own, once in ``~/.cache``, which
takes minutes and 1 GB; ``LABEL_STUDIO`` names the command of one that is there. Clicking needs
Chromium and Playwright (``pip install '.[browser]'``, ``apt-get install chromium``).
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from filelock import FileLock

from profile_tasks.cli import main
from tests.profile_tasks.real_browser import chromium

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Inspect and its dependencies warn
]

USER, PASSWORD, TOKEN = "admin@example.org", "planted-password", "0123456789abcdef" * 2 + "01234567"
ACT = 'document.title="owned"'
HOSTILE = (
    f"</script><script>{ACT}</script><img src=x onerror='{ACT}'> <svg onload='{ACT}'> "
    "{{ 7 * 7 }} $first ${7*7} &lt;b&gt; \u202egnp.exe"
)
SEEN = HOSTILE.replace("\u202e", "⟨U+202E⟩")


@dataclass(frozen=True)
class Server:
    """A running Label Studio."""

    address: str

    def call(self, path: str, content: object = None) -> Any:
        """What its API answers; with content, to what is posted."""
        sent = urllib.request.Request(  # noqa: S310 - on this machine
            f"{self.address}{path}",
            data=None if content is None else json.dumps(content).encode(),
            headers={"Authorization": f"Token {TOKEN}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(sent, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    def with_project(self, study: Path) -> int:
        """Create the project in a folder, with its tasks; its number."""
        settings, tasks = (
            json.loads((study / n).read_text("utf-8")) for n in ("project.json", "tasks.json")
        )
        number = self.call("/api/projects", settings)["id"]
        assert self.call(f"/api/projects/{number}/import", tasks)["task_count"] == len(tasks)
        return int(number)

    def export(self, number: int, file: Path, kind: str = "JSON") -> Path:
        content = self.call(f"/api/projects/{number}/export?exportType={kind}")
        file.write_text(json.dumps(content), encoding="utf-8")
        return file


@pytest.fixture(scope="module")
def command() -> str:
    """The command of a Label Studio in an environment of its own, which later runs use again."""
    if "LABEL_STUDIO" in os.environ:
        return os.environ["LABEL_STUDIO"]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "profile-tasks"
    folder = cache / f"label-studio-{sys.version_info.major}.{sys.version_info.minor}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "label-studio.lock"):
        if not (folder / "complete").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            install = [folder / "bin" / "pip", "install", "--quiet", "label-studio>=1.20"]
            done = subprocess.run(install, check=False, capture_output=True, text=True)
            if done.returncode:
                why = done.stderr[-200:]
                pytest.skip(f"no Label Studio: pip install label-studio fails ({why})")
            (folder / "complete").touch()
    return str(folder / "bin" / "label-studio")


@pytest.fixture(scope="module")
def server(command: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("label-studio")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = (
        f"start --no-browser --internal-host 127.0.0.1 --port {port} --data-dir {folder} "
        f"--username {USER} --password {PASSWORD} --user-token {TOKEN} --enable-legacy-api-token"
    )
    quiet = {"COLLECT_ANALYTICS": "false", "LATEST_VERSION_CHECK": "false", "HOME": str(folder)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [command, *options.split()], env=os.environ | quiet, cwd=folder, stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        started = Server(f"http://127.0.0.1:{port}")
        try:
            for _ in range(1200):  # it makes its database first, in a minute or more
                assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")[-2000:]
                try:
                    started.call("/api/projects")
                    break
                except OSError:
                    time.sleep(0.5)
            yield started
        finally:
            process.terminate()
            process.wait()


def run(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def study(folder: Path, *options: object) -> Path:
    """A project of four pairs, of which one is hostile."""
    rows = [
        {
            "id": f"pair-{n}", "prompt": f"Sum up text {n}.", "source": f"Text {n}.\n\n  Two.",
            "response_a": f"A long and winding text about {n} birds.", "response_b": f"Birds: {n}.",
            "annotators": [],
        }
        for n in range(3)
    ]  # fmt: skip
    texts = ("prompt", "source", "response_a", "response_b")
    rows.append(
        {"id": "hostile", **{text: f"{text} {HOSTILE}" for text in texts}, "annotators": []}
    )
    pairs = folder / "pairs.jsonl"
    pairs.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    run("annotate", pairs, "-o", folder / "study", *options)
    return folder / "study"


def collected(study: Path, export: Path) -> dict[str, dict[str, Any]]:
    people = export.with_suffix(".jsonl")
    run("collect", study, export, "-o", people)
    rows = [json.loads(line) for line in people.read_text("utf-8").splitlines()]
    return {row["id"]: row for row in rows}


def vote(row: dict[str, Any], preferred: str) -> str:
    """Which response a text is that somebody saw."""
    text = preferred.replace("⟨U+202E⟩", "\u202e")
    (side,) = (each for each in "ab" if row[f"response_{each}"] == text)
    return side


def test_what_is_said_by_its_api_is_read(server: Server, tmp_path: Path) -> None:
    folder = study(tmp_path, "--ask", "fluency", "--annotators", 2, "--overlap", 0.5)
    number = server.with_project(folder)
    tasks = server.call(f"/api/tasks?project={number}&fields=all")["tasks"]
    assert sorted(task["overlap"] for task in tasks) == [1, 1, 2, 2]
    said = dict(
        zip((task["data"]["task"] for task in tasks), ("first", "second", "tie", None), strict=True)
    )
    for task in tasks:
        given = said[task["data"]["task"]]
        answers = {"preference": given, "factor_fluency": "second"} if given else {}
        result = [
            {
                "from_name": name,
                "to_name": "request",
                "type": "choices",
                "value": {"choices": [each]},
            }
            for name, each in answers.items()
        ]
        annotation = {"result": result, "was_cancelled": given is None, "lead_time": 3.5}
        server.call(f"/api/tasks/{task['id']}/annotations", annotation)
    rows = collected(folder, server.export(number, tmp_path / "export.json"))
    short = collected(folder, server.export(number, tmp_path / "short.json", "JSON_MIN"))
    key = json.loads((folder / "key.json").read_text("utf-8"))
    by_id = {
        row["id"]: name for name, kept in key["tasks"].items() for row in [key["rows"][kept["row"]]]
    }
    shown = {task["data"]["task"]: task["data"] for task in tasks}
    for id_, row in rows.items():
        task = by_id[id_]
        if said[task] is None:
            assert (row["annotators"], len(row["skipped_by"])) == ([], 1)
            assert short[id_]["annotators"] == []  # JSON-MIN does not tell of skipped ones
            continue
        expected = "tie" if said[task] == "tie" else vote(row, shown[task][said[task]])
        assert row["annotators"] == short[id_]["annotators"] == [expected]
        assert row["factors"]["pairwise"]["fluency"] == vote(row, shown[task]["second"])
        assert row["seconds"] == [3.5]
    printed = run("influence", tmp_path / "export.jsonl", "--factors", "length")
    assert "length" in printed


def test_what_is_clicked_is_read_and_hostile_texts_are_inert(
    server: Server, tmp_path: Path
) -> None:
    folder = study(tmp_path)
    number = server.with_project(folder)
    clicks = ("Text A", "Text B", "Equally good", None)
    clicked: list[tuple[str | None, list[str]]] = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1300, "height": 1200})
        dialogs: list[str] = []
        inert: list[bool] = []
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(f"{server.address}/user/login/")
        page.fill("input[name=email]", USER)
        page.fill("input[name=password]", PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.goto(f"{server.address}/projects/{number}/data?labeling=1")
        page.get_by_text('Say "Equally good" only where').wait_for()  # the instructions
        page.keyboard.press("Escape")
        before = ""
        for answer in clicks:
            texts = page.locator(".lsf-htx-richtext")
            page.wait_for_function(
                "before => { const t = [...document.querySelectorAll('.lsf-htx-richtext')];"
                "return t.length === 4 && t[0].innerText + t[2].innerText !== before }",
                arg=before,
            )
            seen = texts.all_inner_texts()
            before = seen[0] + seen[2]
            clicked.append((answer, seen[2:]))
            if "script" in before:
                inert.append(all(SEEN in text for text in seen))
                assert texts.locator("img, svg, script, b").count() == 0
            if answer is None:
                page.get_by_test_id("bottombar-skip-button").click()
            else:
                page.locator(".lsf-choices").first.get_by_label(answer).check(force=True)
                page.get_by_test_id("bottombar-submit-button").click()
        page.get_by_text("No more annotations").or_(page.get_by_text("All tasks")).first.wait_for()
        assert "owned" not in page.title()
        assert (dialogs, inert) == ([], [True])
    rows = collected(folder, server.export(number, tmp_path / "export.json"))
    assert len(rows) == 4
    for answer, (first, second) in clicked:
        (row,) = (
            row for row in rows.values()
            if {row["response_a"], row["response_b"]}
            == {text.replace("⟨U+202E⟩", "\u202e") for text in (first, second)}
        )  # fmt: skip
        if answer is None:
            assert (row["annotators"], len(row["skipped_by"])) == ([], 1)
        else:
            preferred = {"Text A": first, "Text B": second}
            expected = vote(row, preferred[answer]) if answer in preferred else "tie"
            assert row["annotators"] == [expected]
            assert row["seconds"][0] > 0
