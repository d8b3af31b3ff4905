"""Keeps what a model answered for a resumed run, in Inspect's cache of model outputs.

Inspect keeps the samples that a broken-off run had finished; what was answered in the others would
be paid for again. Here an answer is known by its run, which a resumed one shares (``inspect
eval-retry``), and by its sample: no other run, no other sample and no other epoch reads it.
"""

from contextvars import ContextVar
from typing import Any

from inspect_ai.model import CachePolicy

_scopes: ContextVar[dict[str, str] | None] = ContextVar("scopes", default=None)
_epoch: ContextVar[int] = ContextVar("epoch", default=1)


def keep_answers(run: str, sample: str, epoch: int = 1) -> None:
    """Keep what is answered from here on in this context, in which the sample runs.

    Args:
        run: What a run has in common with those that resume it.
        sample: The sample's id.
        epoch: Which of its repetitions.
    """
    _scopes.set({"run": run, "sample": sample})
    _epoch.set(epoch)


def asking_sample() -> tuple[str, int]:
    """The sample that runs in this context, and which of its repetitions; outside a run none."""
    scopes = _scopes.get()
    return ("" if scopes is None else scopes["sample"]), _epoch.get()


def policy_of_run() -> dict[str, Any]:
    """What ``Model.generate`` is told of the cache: an argument, or outside a run none."""
    scopes = _scopes.get()
    return {} if scopes is None else {"cache": CachePolicy(scopes=scopes)}
