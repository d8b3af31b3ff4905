"""A progress bar where a person watches, and nothing anywhere else."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = (
    "from profile_tasks.cli import main; "
    "main(['power', 'demo', '--task', 'document_qa', '--simulations', '100'])"
)


def power(stderr: int) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).parents[3])
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=os.environ | {"PYTHONPATH": root, "TERM": "xterm"},
    )


@pytest.mark.slow
def test_a_terminal_shows_a_bar_and_a_pipe_nothing() -> None:
    ours, theirs = pty.openpty()
    running = power(theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += (part := os.read(ours, 65536))
        except OSError:  # the other end was closed
            break
        if not part:
            break
    printed, _ = running.communicate()
    os.close(ours)
    assert running.returncode == 0
    assert b"simulating studies" in shown
    assert b"simulating" not in printed

    quiet = power(subprocess.PIPE)
    printed_again, error = quiet.communicate()
    assert quiet.returncode == 0
    assert b"simulating" not in error
    assert printed_again == printed
