"""The factor profile of pairs that an engine spreads over machines: Ray Data, Spark or any other.

The engine reads, moves and tries again; what it runs are steps from one Arrow table to the next.
Rows become signs, wherever they are; those of one group meet in one part, by the hash of its name;
the signs of a part become a state; and the states of all parts give the profile.
"""

import pickle
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from profile_tasks.data.columns import RowRules
from profile_tasks.data.files import PreferenceDataError
from profile_tasks.data.pieces import Piece, TableRows
from profile_tasks.scorers.factors.selection import FactorChoice
from profile_tasks.scorers.measurement.recorded import chosen_by_first_rows, profile_of_state
from profile_tasks.scorers.measurement.signs import (
    GROUP,
    PreferenceState,
    state_of,
)
from profile_tasks.scorers.measurement.streamed import Measuring
from profile_tasks.scorers.statistics.group_sample import ScatteredGroupError, group_hashes

PART, STATE = "part", "state"


@dataclass(frozen=True)
class PartedProfile:
    """What an engine runs, and what it is of; it can be sent to another machine.

    Attributes:
        measuring: what is measured of each row.
        name: of the data, as results tell it.
        parts: into how many the groups are dealt; the signs of one, some 50 bytes a pair, have to
            fit in the memory of a process. The results do not depend on it.

    """

    measuring: Measuring
    name: str
    parts: int = 256

    @classmethod
    def chosen_by(
        cls,
        rows: Any,  # noqa: ANN401 - pyarrow has no types
        factors: FactorChoice = "auto",
        *,
        name: str,
        rules: RowRules | None = None,
        parts: int = 256,
    ) -> Self:
        """Return the steps for data that begin with some rows, by which it is chosen what to do.

        Args:
            rows: an Arrow table of the first rows, some 200, in our schema.
            factors: as of ``human_comparisons``.
            name: of the data.
            rules: how rows are read; by default people's preferences are.
            parts: as of the class.

        Raises:
            ChoiceError: the rows are in another format, or have no preferences.
            PreferenceDataError: a row cannot be used.
            ValueError: as of ``human_comparisons``.
        """
        first = TableRows(name, 1, rows)
        return cls(chosen_by_first_rows(first, factors, rules or RowRules()), name, parts)

    def signs(self, rows: Any) -> Any:  # noqa: ANN401
        """Return the signs of some rows, each with its ``part``, 0 to ``parts`` - 1.

        Args:
            rows: an Arrow table of one row or more, in our schema.

        Returns:
            An Arrow table as of ``signs_of``, with ``part`` beside.

        Raises:
            PreferenceDataError: a row cannot be used; it is told by its place behind the first one.
        """
        first = rows["id"][0].as_py() if rows.num_rows and "id" in rows.column_names else None
        place = self.name if first is None else f"{self.name}, from id {first!r} on"
        (signs,) = self.signs_of_piece(TableRows(place, 1, rows))
        return signs

    def signs_of_piece(self, piece: Piece) -> Iterator[Any]:
        """Yield the signs of a piece of a file, as of ``signs``.

        Raises:
            PreferenceDataError: a row cannot be used.
        """
        return map(self._dealt, self.measuring.signs(piece))

    def _dealt(self, signs: Any) -> Any:  # noqa: ANN401
        import pyarrow as pa

        group = signs[GROUP].combine_chunks().dictionary_encode()
        part = group_hashes(group.dictionary.to_pylist()) % np.uint64(self.parts)
        return signs.append_column(PART, pa.array(part.astype(np.int32)[group.indices.to_numpy()]))

    def state(self, signs: Any) -> Any:  # noqa: ANN401
        """Return the state of each part in a table of signs.

        Args:
            signs: all there are of one part or of several, in any order.

        Returns:
            An Arrow table of ``part`` and ``state``, bytes for ``profile`` alone to read.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        parts = pc.unique(signs[PART]).to_pylist()
        whose = self.measuring.perspective
        states = [
            pickle.dumps(state_of(signs.filter(pc.equal(signs[PART], part)), whose))
            for part in parts
        ]
        return pa.table({PART: pa.array(parts, pa.int32()), STATE: pa.array(states, pa.binary())})

    def profile(
        self, states: Iterable[Mapping[str, Any]], *, replicates: int = 2000, seed: int = 0
    ) -> dict[str, Any]:
        """Return the factor profile, as of ``streamed_profile``.

        Args:
            states: rows of ``part`` and ``state``, in any order, from the job's own machines.
            replicates: of what is drawn.
            seed: of everything random.

        Raises:
            PreferenceDataError: there are no rows, or nobody preferred anything.
            ScatteredGroupError: a part came twice: its signs were not all in one table.
        """
        whole: PreferenceState | None = None
        seen = set()
        for row in states:
            if row[PART] in seen:
                raise ScatteredGroupError(
                    f"part {row[PART]} came twice; hand all signs of a part to one call of state"
                )
            seen.add(row[PART])
            # Of the job's own processes, to which the engine sends pickled functions itself.
            state: PreferenceState = pickle.loads(row[STATE])  # noqa: S301
            whole = state if whole is None else whole + state
        if whole is None:
            raise PreferenceDataError(f"{self.name}: the data hold no rows")
        return profile_of_state(whole, self.measuring, self.name, replicates=replicates, seed=seed)
