"""Settings of the lm-eval tasks: what ``--metadata '{...}'`` may hold.

lm-eval merges the model's arguments into a task's metadata, and models have a ``seed``, a
``revision`` and a ``split`` of their own: hence ``profile_seed``, ``dataset_revision`` and
``dataset_split`` there.
"""

from collections.abc import Mapping
from typing import Any

from profile_tasks.nearest_name import instead_of, nearest
from profile_tasks.settings import LmEvalSettings, SettingError

_RENAMED = {"seed": "profile_seed", "revision": "dataset_revision", "split": "dataset_split"}

METADATA_NAMES: Mapping[str, str] = {
    _RENAMED.get(name, name): name for name in LmEvalSettings.model_fields
}
"""Name in ``--metadata`` -> name of the setting, as in the Inspect tasks."""

# Names of model arguments that are near a setting's and mean something else.
_OF_MODELS = frozenset({"revision", "seed", "tokenizer_revision"})
_CLOSE = 0.8


def run_settings(metadata: Mapping[str, Any]) -> LmEvalSettings:
    """Read the settings out of a task's metadata, which holds other things too.

    Raises:
        ValueError: A value does not fit, or a name is nearly that of a setting.

    Example:
        >>> run_settings({"factors": ["length", "readability"], "version": 1.0}).factors
        ('length', 'readability')
    """
    for name in sorted(metadata.keys() - METADATA_NAMES.keys() - _OF_MODELS):
        if nearest(name, METADATA_NAMES, cutoff=_CLOSE):
            raise ValueError(f"metadata {name!r} is no setting{instead_of(name, METADATA_NAMES)}")
    given = {of: metadata[name] for name, of in METADATA_NAMES.items() if name in metadata}
    try:
        return LmEvalSettings.read(given)
    except SettingError as error:
        name = _RENAMED.get(error.name, error.name)
        raise ValueError(f"metadata {name!r} {error.problem}") from error


def check_names(metadata: Mapping[str, Any]) -> None:
    """Refuse a name that is no setting, in metadata that a user gave.

    Raises:
        ValueError: There is one.
    """
    if unknown := sorted(metadata.keys() - METADATA_NAMES.keys()):
        raise ValueError(
            f"--metadata {unknown[0]!r} is no setting{instead_of(unknown[0], METADATA_NAMES)}"
        )
