"""Private parts of other packages: each imported in one place, and still where it was seen."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path

import pytest

# Part -> the version of its package in which it was seen.
PRIVATE = {
    "inspect_ai._util.error.PrerequisiteError": "0.3.285",
    "inspect_ai._util.registry.RegistryInfo": "0.3.285",
    "inspect_ai._util.registry.registry_add": "0.3.285",
    "inspect_ai.model._generate_config.active_generate_config": "0.3.285",
    "inspect_ai.model._model.active_model": "0.3.285",
    "inspect_ai.model._openai.chat_choices_from_openai": "0.3.285",
    "inspect_ai.model._openai.messages_to_openai": "0.3.285",
    "inspect_ai.model._openai.model_output_from_openai": "0.3.285",
    "inspect_ai.model._openai.openai_completion_params": "0.3.285",
    "lm_eval._cli.harness.HarnessCLI": "0.4.13",
    "lm_eval._cli.utils.key_val_to_dict": "0.4.13",
    "lm_eval._cli.utils.try_parse_json": "0.4.13",
}


def imported(path: Path) -> Iterator[str]:
    """Everything that a module imports, by its full name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_private(name: str) -> bool:
    package, *parts = name.split(".")
    return package != "profile_tasks" and any(
        part.startswith("_") and not part.endswith("__") for part in parts
    )


def test_a_private_part_is_imported_in_one_place(repository: Path) -> None:
    places: dict[str, list[Path]] = defaultdict(list)
    for folder in ("profile_tasks", "solvers", "scorers", "task_configs", "benchmarks"):
        for path in sorted((repository / folder).rglob("*.py")):
            for name in set(filter(is_private, imported(path))):
                places[name].append(path.relative_to(repository))
    assert set(places) == set(PRIVATE)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.filterwarnings("ignore")  # Inspect, lm-eval and their dependencies warn
@pytest.mark.parametrize("name", PRIVATE)
def test_a_private_part_is_where_it_was(name: str) -> None:
    module, _, part = name.rpartition(".")
    package = module.partition(".")[0]
    try:
        found = hasattr(import_module(module), part)
    except ImportError:
        found = False
    assert found, (
        f"{name} was there in {package} {PRIVATE[name]} and is not in {package} "
        f"{metadata.version(package)}; find where it went, and say here what version that was"
    )
