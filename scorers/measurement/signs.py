"""Texts to signs to sums: what is measured of many pairs in batches, by any engine.

Each step is a function from one Arrow table to another thing, so that a process pool, Ray or Spark
can run it on parts of data: rows become signs (``signs_of``), and those of whole groups a state
(``state_of``) of a size that does not grow, which is added to those of all other parts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from profile_tasks.data.columns import PreferenceColumns
from profile_tasks.data.preference import PREFERENCE_SIGNS
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.surface import factor_values
from profile_tasks.scorers.factors.words import without_spaces
from profile_tasks.scorers.statistics.annotators import Votes
from profile_tasks.scorers.statistics.comparisons import (
    Comparisons,
    Perspective,
    manifestations,
)
from profile_tasks.scorers.statistics.group_sample import GroupSample, group_hashes
from profile_tasks.scorers.statistics.moments import Moments
from profile_tasks.scorers.statistics.study import Study

GROUP, PREFERENCE, VOTES, HASH, UNSPACED = "group", "preference", "votes", "hash", "unspaced"
_SIGN = "sign_"
"""How the columns of a table of signs are named; a factor's is its name with the prefix."""


def signs_of(columns: PreferenceColumns, factors: Sequence[Factor]) -> Any:  # noqa: ANN401
    """Return which response of each pair is preferred, and shows more of each factor.

    Args:
        columns: the pairs.
        factors: what is measured; recorded factors are taken from the columns.

    Returns:
        An Arrow table: ``group``; ``preference`` 1, 0 or -1, null where there is none; ``votes``,
        a list of such, null where there are none; ``hash``, of which the content hash is the sum;
        ``unspaced``, whether a text is in a script without spaces; and ``sign_<factor>`` 1, 0 or
        -1, null where the factor is missing.
    """
    import pyarrow as pa

    n = len(columns)
    computed = [factor for factor in factors if factor.kind != "recorded"]
    texts = {name: each.to_pylist() if computed else [] for name, each in columns.texts.items()}
    sides = [
        dict(
            zip(
                (factor.id for factor in computed),
                factor_values(computed, texts[name], texts["source"], texts["prompt"]).T,
                strict=True,
            )
        )
        for name in ("response_a", "response_b")
        if computed
    ]
    signs = {}
    for factor in factors:
        if factor.kind == "recorded":
            values = columns.factors.get(factor.id, np.full((n, 2), np.nan))
        else:
            values = np.column_stack([side[factor.id] for side in sides])
        sign, missing = manifestations(values[:, 0], values[:, 1])
        signs[f"{_SIGN}{factor.id}"] = pa.array(sign, mask=missing)
    votes = [[PREFERENCE_SIGNS[vote] for vote in each] or None for each in columns.votes]
    kind = pa.list_(pa.int8())
    return pa.table(
        {
            GROUP: columns.group,
            PREFERENCE: pa.array(columns.sign, mask=~columns.judged),
            VOTES: pa.array(votes, kind) if votes else pa.nulls(n, kind),
            HASH: pa.array(columns.hashes.view(np.int64)),  # engines have no unsigned numbers
            UNSPACED: pa.array(_unspaced(columns.texts)),
            **signs,
        }
    )


def _unspaced(texts: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Whether a response is in a script without spaces; few are beyond Latin and looked at."""
    import pyarrow.compute as pc

    found = np.zeros(len(texts["response_a"]), np.bool_)
    for name in ("response_a", "response_b"):
        beyond = pc.invert(pc.string_is_ascii(texts[name])).to_numpy(zero_copy_only=False)
        for at in np.flatnonzero(beyond & ~found).tolist():
            found[at] = without_spaces(texts[name][at].as_py())
    return found


@dataclass(frozen=True, eq=False)
class PreferenceState:
    """What is known of recorded preferences after some of their groups.

    Attributes:
        moments: of the pairs with a preference.
        sample: of their groups.
        content: sum of the hashes of all rows.
        n_unjudged: pairs without a preference.
        unspaced: whether a text is in a script without spaces.

    """

    moments: Moments
    sample: GroupSample
    content: int
    n_unjudged: int
    unspaced: bool

    def study(self, *, replicates: int, seed: int) -> Study:
        """Return the study of these preferences, named by their perspective.

        Args:
            replicates: as of ``Study``.
            seed: likewise.
        """
        return sampled_study(self.moments, self.sample, replicates=replicates, seed=seed)

    def __add__(self, other: Self) -> Self:
        """Return the state after the groups of both, of which none may be in the two.

        Raises:
            ScatteredGroupError: a group is seen to be in both.
            ValueError: the two are of different factors.
        """
        return type(self)(
            self.moments + other.moments,
            self.sample + other.sample,
            (self.content + other.content) % (1 << 64),
            self.n_unjudged + other.n_unjudged,
            self.unspaced or other.unspaced,
        )


def sampled_study(moments: Moments, sample: GroupSample, *, replicates: int, seed: int) -> Study:
    """Return the study of preferences of which some groups are at hand, and the sums of all.

    Args:
        moments: of all groups.
        sample: of them.
        replicates: as of ``Study``.
        seed: likewise.
    """
    whole = len(sample.names) == moments.n_groups
    sample = sample.in_order()  # sums of numbers with a fraction depend on it, in the last digit
    return Study(
        {sample.table.perspective: sample.table},
        votes=sample.votes,
        replicates=replicates,
        seed=seed,
        moments=None if whole else moments,
    )


def state_of(signs: Any, perspective: Perspective = "human") -> PreferenceState:  # noqa: ANN401
    """Return the state after some groups.

    Args:
        signs: of all pairs of these groups, as of ``signs_of``.
        perspective: whose preferences they are.
    """
    return state_and_groups(signs, perspective)[0]


def state_and_groups(
    signs: Any,  # noqa: ANN401
    perspective: Perspective,
) -> tuple[PreferenceState, NDArray[np.uint64]]:
    """Return the state after some groups, and the hashes of their names.

    Args:
        signs: as of ``state_of``.
        perspective: likewise.
    """
    import pyarrow.compute as pc

    whole = signs.combine_chunks()
    group = whole[GROUP].combine_chunks().dictionary_encode()
    names = group.dictionary.to_pylist()
    hashes = group_hashes(names)
    code = group.indices.to_numpy()
    judged = whole
    if whole[PREFERENCE].null_count:
        valid = whole[PREFERENCE].is_valid()
        judged, code = whole.filter(valid).combine_chunks(), code[valid.to_numpy()]
    table = _comparisons(judged, code, perspective)
    state = PreferenceState(
        moments=Moments.of({perspective: table}),
        sample=GroupSample.of(names, table, _votes(judged, table.group), hashes=hashes),
        content=int(whole[HASH].to_numpy().view(np.uint64).sum()),
        n_unjudged=whole.num_rows - judged.num_rows,
        unspaced=bool(pc.any(whole[UNSPACED]).as_py()),
    )
    return state, hashes


def merged_states(states: Iterable[PreferenceState]) -> PreferenceState:
    """Return the state after the groups of one or more parts, of which no two share one."""
    return reduce(PreferenceState.__add__, states)


def _comparisons(
    judged: Any,  # noqa: ANN401
    code: NDArray[np.integer],
    perspective: Perspective,
) -> Comparisons:
    names = [name for name in judged.column_names if name.startswith(_SIGN)]
    manifestation = np.zeros((judged.num_rows, len(names)), np.int8, order="F")
    missing = np.zeros((judged.num_rows, len(names)), np.bool_, order="F")
    for at, name in enumerate(names):
        column = judged[name]
        manifestation[:, at] = column.fill_null(0).to_numpy()
        if column.null_count:
            missing[:, at] = column.is_null().to_numpy()
    return Comparisons(
        judged[PREFERENCE].to_numpy(),
        manifestation,
        missing,
        code.astype(np.int32),
        tuple(name.removeprefix(_SIGN) for name in names),
        perspective,
    )


def _votes(judged: Any, group: NDArray[np.int32]) -> Votes:  # noqa: ANN401
    lists = judged[VOTES]
    if lists.null_count == len(lists):
        return Votes(np.zeros((len(lists), 0), np.int8), np.zeros((len(lists), 0), np.bool_), group)
    return Votes.from_lists([each or () for each in lists.to_pylist()], group.tolist())
