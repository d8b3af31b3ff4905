"""What annotators read: instructions, questions and answers, as data with a version."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Formatter

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from profile_tasks.annotation.malformed import first_problem
from profile_tasks.data.content_hash import short_hash
from profile_tasks.nearest_name import instead_of
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import read_selection
from profile_tasks.scorers.factors.taxonomy import taxonomy_of
from profile_tasks.whole_files import read_whole

_FACTOR_FIELDS = {"name", "definition", "more"}


class Wording(BaseModel):
    """The words of a project, as ``wording.yaml`` explains them."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=1)

    version: int = Field(ge=1)
    title: str
    instructions: tuple[str, ...] = Field(min_length=1)
    checks: str
    request: str
    source: str
    first: str
    second: str
    tie: str
    alike: str
    preference: str
    factor: str
    comment: str

    @field_validator("factor")
    @classmethod
    def _known_fields(cls, text: str) -> str:
        held = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
        if unknown := held - _FACTOR_FIELDS:
            raise ValueError(
                f"holds {{{min(unknown)}}}; it may hold {{name}}, {{definition}}, {{more}}"
            )
        return text

    def question(self, factor: Factor) -> str:
        """The question about one factor."""
        return self.factor.format(
            name=factor.id.replace("_", " ").capitalize(),
            definition=" ".join(factor.definition.split()),
            more=factor.more,
        )

    @property
    def identity(self) -> str:
        """Version and hash, by which equal words are known."""
        return f"{self.version} ({short_hash(self.model_dump(mode='json'))})"


def read_wording(path: Path | None = None) -> Wording:
    """The words of a file in the shape of ``wording.yaml``; None: those.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not in that shape.
    """
    content = (
        (files("profile_tasks.annotation") / "wording.yaml").read_bytes()
        if path is None
        else read_whole(path)
    )
    try:
        return Wording.model_validate(yaml.safe_load(content))
    except ValidationError as error:
        raise ValueError(f"{path}: {first_problem(error)}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not YAML ({' '.join(str(error).split())})") from error


def asked_factors(names: Sequence[str], tasks: Iterable[str] = ()) -> Mapping[str, Factor]:
    """The factors that people are asked about, by id.

    Args:
        names: Ids of factors that a grader would be asked about, and taxonomy files (.yaml) that
            add some.
        tasks: Keys of the tasks of the pairs, which may define some too.

    Raises:
        ValueError: There is no such factor, or it is computed.
    """
    selection = read_selection(list(names), taxonomy_of(tasks))
    asked = {}
    graded = {name: each for name, each in selection.taxonomy.items() if each.graded}
    for name in selection.names:
        if name not in selection.taxonomy:
            raise ValueError(f"factor {name!r} is unknown{instead_of(name, graded)}")
        if name not in graded:
            raise ValueError(
                f"factor {name!r} is computed, and nobody need be asked{instead_of(name, graded)}"
            )
        asked[name] = graded[name]
    return asked
