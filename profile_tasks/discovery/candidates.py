"""Candidates without a model: what is tried, and which few of it are worth a test.

Only pairs to find candidates on are looked at here. Features of form (``form_features.yaml``) and
the words and phrases that stand out compete for one sparse regression beside the known factors;
those that come into it first are the candidates.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np

from profile_tasks.discovery.contrasts import Contrasts
from profile_tasks.discovery.wording import standing_out
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.statistics.forward_selection import forward_selection

LEAST_GROUPS, LEAST_SHARE = 8, 0.05
"""A candidate must differ between two responses in so many groups, and in this share of them."""


@dataclass(frozen=True, eq=False)
class Selected:
    """Candidates that are worth a test.

    Attributes:
        factors: In the order in which they came into the regression.
        statistics: Of each, its score statistic there.
        n_form: How many features of form were tried.
        n_wordings: How many words and phrases were.
    """

    factors: tuple[Factor, ...]
    statistics: tuple[float, ...]
    n_form: int
    n_wordings: int


@cache
def form_features() -> tuple[Factor, ...]:
    """The features of form that are tried."""
    with as_file(files("profile_tasks.discovery") / "form_features.yaml") as path:
        return tuple(load_taxonomy(path).values())


def selected(contrasts: Contrasts, *, at_most: int, taken: Collection[str] = ()) -> Selected:
    """The candidates of form and wording that predict preferences best, each beside the others.

    Args:
        contrasts: The pairs to find candidates on.
        at_most: How many candidates.
        taken: Ids that a candidate may not have, beside ``contrasts.taken``.
    """
    known = {factor.id for factor in contrasts.known}
    least = max(LEAST_GROUPS, round(LEAST_SHARE * contrasts.n_groups))
    form = [factor for factor in form_features() if factor.id not in known]
    form_signs = np.nan_to_num(contrasts.signs(form))
    differs = [np.unique(contrasts.group[column != 0]).size >= least for column in form_signs.T]
    tried = [factor for factor, enough in zip(form, differs, strict=True) if enough]
    ids = {*contrasts.taken, *taken} | {factor.id for factor in form_features()}
    wordings = standing_out(contrasts, least, ids)
    factors = [*tried, *wordings.factors]
    signs = np.hstack([form_signs[:, differs], wordings.signs])
    chosen = forward_selection(signs, contrasts.controls, contrasts.group, at_most)
    return Selected(
        tuple(factors[at] for at, _ in chosen),
        tuple(z for _, z in chosen),
        len(tried),
        wordings.n_tried,
    )
