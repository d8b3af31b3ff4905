"""Recorded preferences as one comparison table: computed and recorded factors side by side."""

from collections.abc import Mapping, Sequence

import numpy as np

from profile_tasks.data.preferences import AnnotatedPair, PreferenceData
from profile_tasks.scorers.factors.surface import factor_values
from profile_tasks.scorers.factors.taxonomy import Factor, read_selection, resolve_factors
from profile_tasks.scorers.measurement.source_measurement import PREFERENCE_SIGNS
from profile_tasks.scorers.statistics.annotators import Votes
from profile_tasks.scorers.statistics.comparisons import Comparisons


def human_comparisons(
    data: PreferenceData,
    factors: str | Sequence[str] = "auto",
    group_codes: Mapping[str, int] | None = None,
) -> Comparisons:
    """The human comparison table of a data set.

    Args:
        data: Sources with annotated pairs.
        factors: A selection as `resolve_factors` takes it, for the tasks in the data; or ids: of
            computed factors, or names that the data record under ``factors.a`` and
            ``factors.b``. Taxonomy files add computed factors. A factor that needs a grader is
            taken from the data.
        group_codes: Code of each group, where another table shares them; by default the groups
            are numbered in the order of their names.

    Raises:
        ValueError: An id that is neither computed nor recorded, or is both; a factor that needs
            a grader and is not recorded.
    """
    rows = [(source, pair) for source in data.sources for pair in source.pairs]
    tasks = list(dict.fromkeys(source.task for source in data.sources))
    recorded_names = {name for _, pair in rows for name in (*pair.factors_a, *pair.factors_b)}
    names, computed = _chosen(factors, tasks, recorded_names)
    codes = shared_group_codes(data) if group_codes is None else group_codes
    sources = [source.source for source, _ in rows]
    prompts = [source.prompt for source, _ in rows]
    sides = []
    for response, recorded in (("response_a", "factors_a"), ("response_b", "factors_b")):
        texts = [getattr(pair, response) for _, pair in rows]
        columns = dict(
            zip(
                (factor.id for factor in computed),
                factor_values(computed, texts, sources, prompts).T,
                strict=True,
            )
        )
        for name in names:
            if name not in columns:
                columns[name] = np.array([_recorded(pair, recorded, name) for _, pair in rows])
        sides.append(np.column_stack([columns[name] for name in names]))
    return Comparisons.from_values(
        preference=np.array([PREFERENCE_SIGNS[pair.preference] for _, pair in rows]),
        values_a=sides[0],
        values_b=sides[1],
        group=np.array([codes[source.group] for source, _ in rows]),
        factors=names,
        perspective="human",
    )


def shared_group_codes(*data: PreferenceData) -> dict[str, int]:
    """A code for each group of one or more data sets; groups of one name are one group.

    In the order of their names, as ``comparison_tables`` has them: resamples follow the codes, so
    that a finished run and the data that it was made from give the same intervals.
    """
    groups = {source.group for each in data for source in each.sources if source.pairs}
    return {group: code for code, group in enumerate(sorted(groups))}


def recorded_votes(data: PreferenceData) -> Votes:
    """The single votes that the data record, row by row with ``human_comparisons``."""
    rows = [(source.group, pair.annotators) for source in data.sources for pair in source.pairs]
    codes = shared_group_codes(data)
    return Votes.from_lists(
        [[PREFERENCE_SIGNS[vote] for vote in votes] for _, votes in rows],
        [codes[group] for group, _ in rows],
    )


def _recorded(pair: AnnotatedPair, side: str, name: str) -> float:
    value: float | None = getattr(pair, side).get(name)
    return np.nan if value is None else value


def _chosen(
    factors: str | Sequence[str], tasks: Sequence[str], recorded: set[str]
) -> tuple[tuple[str, ...], tuple[Factor, ...]]:
    """Factor names in the order asked for, and those of them that are computed."""
    asked = read_selection(factors)
    known = asked.taxonomy
    names = asked.names
    if asked.word is not None:
        if "" in tasks:
            raise ValueError(
                f"the rows name no task, so factors {asked.word!r} has no meaning; give it (--task)"
            )
        names = tuple(factor.id for factor in resolve_factors(factors, tasks))
    else:
        for name in names:
            if name in known and name in recorded and not known[name].graded:
                raise ValueError(
                    f"factor {name!r} is computed here and also recorded in the data; "
                    "rename the recorded one"
                )
            if name not in known and name not in recorded:
                choices = ", ".join([*known, *sorted(recorded - known.keys())])
                raise ValueError(f"factor {name!r} is unknown. Must be one of: {choices}")
    chosen = [known[name] for name in names if name in known]
    # What people recorded of a graded factor needs no grader.
    if graded := [f.id for f in chosen if f.graded and f.id not in recorded]:
        raise ValueError(
            f"factors {', '.join(graded)} need a grader model, and here none is asked. Choose "
            "surface factors or recorded ones here, for example --factors length,readability. "
            "The Inspect tasks measure graded factors: -T factors=... with --model-role grader=..."
        )
    return names, tuple(factor for factor in chosen if not factor.graded)
