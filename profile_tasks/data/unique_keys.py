"""YAML whose mappings hold no key twice; of two, PyYAML silently takes the last."""

from typing import Any

import yaml

try:  # ten times as fast, where PyYAML was built with libyaml
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]


class _UniqueKeyLoader(SafeLoader):
    """Refuses a key that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys: set[object] = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else key_node
            if key in keys:
                raise RepeatedKeyError(f"line {key_node.start_mark.line + 1}, key {key!r}")
            keys.add(key)
        return super().construct_mapping(node, deep)


class RepeatedKeyError(ValueError):
    """A key stands twice in one mapping; the message is where."""


def load_unique_keys(text: str) -> object:
    """What a YAML text holds.

    Raises:
        RepeatedKeyError: A mapping has a key twice.
        yaml.YAMLError: The text is not valid YAML.
    """
    return yaml.load(text, _UniqueKeyLoader)  # noqa: S506 - a safe loader
