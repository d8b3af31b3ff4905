"""Factor-level preference alignment as Inspect and lm-eval tasks.

In Python, ``profile``, ``compare``, ``read_run``, ``judges`` and ``contributions`` are here
(docs/python.md). They are loaded when they are first asked for: Inspect imports this package in
other people's evaluations.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from profile_tasks.notebook.functions import compare, contributions, judges, profile, read_run
    from profile_tasks.notebook.result import Result

__all__ = ["Result", "compare", "contributions", "judges", "profile", "read_run"]
__version__ = "0.1.0"

_HOMES = dict.fromkeys(
    ("compare", "contributions", "judges", "profile", "read_run"), "functions"
) | {"Result": "result"}
"""Module of the notebook package that each name is from."""

# In a source checkout the sub-packages solvers, scorers and task_configs stand beside this
# folder; a wheel holds them inside it. Extending the path here lets `python -m pytest` and
# `python -m inspect_ai` import the same files with and without an install.
_checkout = Path(__file__).resolve().parent.parent
if (_checkout / "pyproject.toml").is_file() and (_checkout / "solvers").is_dir():
    __path__.append(str(_checkout))


if not TYPE_CHECKING:  # for a type checker every name would be there

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.notebook.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
