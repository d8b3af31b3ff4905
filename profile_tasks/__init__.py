"""Factor-level preference alignment as Inspect and lm-eval tasks."""

from pathlib import Path

__version__ = "0.1.0"

# In a source checkout the sub-packages solvers, scorers and task_configs stand beside this
# folder; a wheel holds them inside it. Extending the path here lets `python -m pytest` and
# `python -m inspect_ai` import the same files with and without an install.
_checkout = Path(__file__).resolve().parent.parent
if (_checkout / "pyproject.toml").is_file() and (_checkout / "solvers").is_dir():
    __path__.append(str(_checkout))
