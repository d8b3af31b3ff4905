"""Whose answers a log holds."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog


def evaluated_model(log: "EvalLog") -> str:
    """The model that answered: that of another harness where its answers were replayed."""
    return str((log.eval.metadata or {}).get("answered_by") or log.eval.model)
