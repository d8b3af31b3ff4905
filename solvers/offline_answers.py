"""Answers that stand in files, to requests that were planned (docs/offline.md)."""

OFFLINE = "offline/"
"""How the names of models begin whose requests were planned and answered in files."""

OFFLINE_NOTE = (
    "OFFLINE: its answers were read from files that answer planned requests; no model was asked in "
    "this run"
)
