"""The statistics know arrays: importing them loads no harness and no table library."""

import subprocess
import sys
from pathlib import Path

HEAVY = ("inspect_ai", "lm_eval", "pandas", "datasets", "torch", "matplotlib")

PROGRAM = f"""
import pkgutil, sys
from importlib import import_module
import profile_tasks.scorers.statistics as package

for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
    import_module(module.name)
print(len([name for name in sys.modules if name.startswith(package.__name__ + ".")]))
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_every_module_of_the_statistics_is_importable_alone(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=repository
    )
    modules, heavy = done.stdout.splitlines()
    assert int(modules) > 15
    assert heavy == "[]"
