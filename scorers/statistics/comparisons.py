"""The one table that every statistic reads: compared pairs x factors.

A row is a pair of responses to one source with a preference (``Pref``, docs/method.md) and one
manifestation (``M_f``) per factor. Signs point the same way in both: +1 is the first response, -1
the second, 0 neither.

Two contracts hold wherever tables are compared or resampled together:

* **Group codes are shared.** The same code means the same source in every perspective and every
  model that is compared; the cluster bootstrap draws sources once for all of them.
* **A pair without a verdict has no row.** An unreadable preference is missing, not a tie, so there
  is no sign that could stand for it. A missing *manifestation*, by contrast, has a cell and a mask,
  because the rest of its row still counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Self, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

Perspective = Literal["human", "generation", "discrimination", "own", "revision", "recorded"]
"""Whose preference it is; of "own", the model's as a judge of what it wrote itself; of "revision",
the writer's who prefers the revised text to the draft; of "recorded", that of another judge whose
verdicts the data record."""

_KEY_COLUMNS = ("group", "preference")

# Rows that are turned into Parquet at once.
_ROW_GROUP = 1 << 20


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Pairs of responses with their preference and their manifestation of each factor.

    The arrays are copied and made read-only: a table that several statistics share must not change
    under one of them. Only an array that already is read-only, is no view of another and has the
    type and order of the field is kept as it is. Lists and other array-likes are accepted. Each
    factor's column lies in one piece of memory (Fortran order), since statistics read it as one.

    Attributes:
        preference: int8 (n,), which response is preferred: 1 the first, -1 the second, 0 a tie.
        manifestation: int8 (n, F), which response shows more of the factor, coded alike.
        missing: bool (n, F), true where the manifestation is unknown; the cell then holds 0.
        group: int32 (n,), code of the source that both responses answer. Number the sources 0, 1,
            2, ...: resampling needs memory for every code up to the greatest.
        factors: the F factor names, unique; ``group`` and ``preference`` are taken.
        perspective: whose preference it is: one of ``Perspective``.

    Raises:
        ValueError: an array has the wrong shape or a value outside its range, a missing cell holds
            a sign, a factor name is repeated or taken, or the perspective is unknown.

    Example:
        >>> table = Comparisons(
        ...     preference=[1, -1],
        ...     manifestation=[[1, 0], [1, 0]],
        ...     missing=[[False, False], [False, True]],
        ...     group=[0, 0],
        ...     factors=("length", "fluency"),
        ...     perspective="human",
        ... )
        >>> table.manifestation.shape
        (2, 2)

    """

    preference: NDArray[np.int8]
    manifestation: NDArray[np.int8]
    missing: NDArray[np.bool_]
    group: NDArray[np.int32]
    factors: tuple[str, ...]
    perspective: Perspective

    def __post_init__(self) -> None:
        if self.perspective not in get_args(Perspective):
            raise ValueError(
                f"unknown perspective {self.perspective!r}. "
                f"Must be one of: {', '.join(get_args(Perspective))}"
            )
        factors = _checked_factors(self.factors)
        n = np.shape(self.preference)[0] if np.ndim(self.preference) == 1 else -1
        if n < 0:
            raise ValueError(
                f"preference has shape {np.shape(self.preference)}; expected one axis, (n,)"
            )
        preference = _signs("preference", self.preference, (n,))
        manifestation = _signs("manifestation", self.manifestation, (n, len(factors)))
        missing = _mask(self.missing, (n, len(factors)))
        group = _codes(self.group, (n,))
        # Both hold 0 or 1 in the lowest bit, and one temporary array is enough to compare them.
        if np.any(manifestation & missing.view(np.int8)):
            row, column = np.argwhere(missing & (manifestation != 0))[0]
            raise ValueError(
                f"manifestation[{row}, {column}] ({factors[column]!r}) is marked missing yet holds "
                f"{manifestation[row, column]}; a missing cell must hold 0"
            )
        fields = {
            "preference": preference,
            "manifestation": manifestation,
            "missing": missing,
            "group": group,
            "factors": factors,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_values(
        cls,
        preference: ArrayLike,
        values_a: ArrayLike,
        values_b: ArrayLike,
        group: ArrayLike,
        factors: Sequence[str],
        perspective: Perspective,
    ) -> Self:
        """Build the table from each response's own factor values.

        Args:
            preference: (n,) signs, 1 where the first response is preferred.
            values_a: (n, F) factor values of the first responses; NaN is unknown.
            values_b: (n, F) factor values of the second responses; NaN is unknown.
            group: (n,) source codes.
            factors: the F factor names.
            perspective: whose preference it is.

        Raises:
            ValueError: as the class itself, or when the two value arrays differ in shape.

        Example:
            >>> nan = float("nan")
            >>> table = Comparisons.from_values(
            ...     [1, -1], [[12.0], [nan]], [[7.0], [9.0]], [0, 1], ["length"], "human"
            ... )
            >>> table.manifestation.tolist(), table.missing.tolist()
            ([[1], [0]], [[False], [True]])

        """
        manifestation, missing = manifestations(values_a, values_b)
        return cls(
            cast("NDArray[np.int8]", preference),
            manifestation,
            missing,
            cast("NDArray[np.int32]", group),
            tuple(factors),
            perspective,
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return a frame: ``group``, ``preference`` and one nullable Int8 column per factor.

        The perspective is in ``frame.attrs["perspective"]``.
        """
        return self._frame(slice(None))

    def _frame(self, rows: slice) -> "pd.DataFrame":
        import pandas as pd

        columns: dict[str, object] = {
            "group": self.group[rows],
            "preference": self.preference[rows],
        }
        for index, factor in enumerate(self.factors):
            columns[factor] = pd.arrays.IntegerArray(
                self.manifestation[rows, index].copy(), self.missing[rows, index].copy()
            )
        frame = pd.DataFrame(columns)
        frame.attrs["perspective"] = self.perspective
        return frame

    @classmethod
    def from_frame(cls, frame: "pd.DataFrame") -> Self:
        """Read a frame as :meth:`to_frame` writes it; NA or NaN in a factor column is missing.

        Raises:
            ValueError: ``group`` or ``preference`` is absent or incomplete, a column name is
                repeated, ``frame.attrs`` names no perspective, or a value is out of range.

        """
        if "perspective" not in frame.attrs:
            raise ValueError(
                "the frame names no perspective; set frame.attrs['perspective'] to one of: "
                + ", ".join(get_args(Perspective))
            )
        return cls._from_columns(
            frame.columns, frame.__getitem__, len(frame), frame.attrs["perspective"]
        )

    def to_parquet(self, path: str | PathLike[str]) -> None:
        """Write the table to one Parquet file, the perspective in the schema's metadata."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.Schema.from_pandas(self._frame(slice(0)), preserve_index=False)
        schema = schema.with_metadata(
            {**schema.metadata, b"perspective": self.perspective.encode()}
        )
        with pq.ParquetWriter(path, schema) as writer:
            for start in range(0, len(self.preference), _ROW_GROUP):
                frame = self._frame(slice(start, start + _ROW_GROUP))
                writer.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False))

    @classmethod
    def from_parquet(cls, path: str | PathLike[str]) -> Self:
        """Read a file that :meth:`to_parquet` wrote.

        The columns are read one after the other, so that little more than the table's own arrays
        is ever in memory.

        Raises:
            ValueError: the file's schema names no perspective, or as :meth:`from_frame`.

        """
        import pyarrow.parquet as pq

        # ParquetFile, unlike read_table, takes no column from the names of the folders above.
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            metadata = schema.metadata or {}
            if b"perspective" not in metadata:
                raise ValueError(
                    f"{path} names no perspective in its schema metadata; "
                    "write it with Comparisons.to_parquet"
                )
            return cls._from_columns(
                schema.empty_table().to_pandas().columns,
                lambda name: file.read([name]).to_pandas()[name],
                file.metadata.num_rows,
                cast("Perspective", metadata[b"perspective"].decode()),
            )

    @classmethod
    def _from_columns(
        cls,
        names: "pd.Index[str]",
        column: "Callable[[str], pd.Series[Any]]",
        n: int,
        perspective: Perspective,
    ) -> Self:
        for name in _KEY_COLUMNS:
            if name not in names:
                raise ValueError(f"the frame has no column {name!r}")
        if not names.is_unique:
            raise ValueError(f"the frame has more than one column {names[names.duplicated()][0]!r}")
        keys = {name: column(name) for name in _KEY_COLUMNS}
        for name, values in keys.items():
            absent = values.isna().to_numpy()
            if absent.any():
                raise ValueError(
                    f"{name} is missing in row {int(absent.argmax())}; "
                    f"drop the row: a pair without a {name} is no comparison"
                )
        factors = tuple(names.drop(list(_KEY_COLUMNS)))
        manifestation = np.empty((n, len(factors)), np.int8, order="F")
        missing = np.empty((n, len(factors)), np.bool_, order="F")
        for index, factor in enumerate(factors):
            cells = column(factor)
            missing[:, index] = cells.isna()
            signs = cells.fillna(0).to_numpy()
            _check_signs("manifestation", signs, index)
            manifestation[:, index] = signs
        manifestation.setflags(write=False)
        missing.setflags(write=False)
        return cls(
            keys["preference"].to_numpy(),
            manifestation,
            missing,
            keys["group"].to_numpy(),
            factors,
            perspective,
        )


def with_factors(comparisons: Comparisons, factors: Sequence[str]) -> Comparisons:
    """Return the table with these of its factors only, in this order.

    Raises:
        ValueError: a factor is not in the table.

    Example:
        >>> table = Comparisons([1], [[1, -1]], [[False] * 2], [0], ("length", "fluency"), "human")
        >>> with_factors(table, ["fluency"]).manifestation.tolist()
        [[-1]]

    """
    for name in factors:
        if name not in comparisons.factors:
            raise ValueError(
                f"factor {name!r} is not in the table. Must be one of: "
                + ", ".join(comparisons.factors)
            )
    columns = [comparisons.factors.index(name) for name in factors]
    return replace(
        comparisons,
        manifestation=comparisons.manifestation[:, columns],
        missing=comparisons.missing[:, columns],
        factors=tuple(factors),
    )


def common_factors(tables: Sequence[Comparisons]) -> list[Comparisons]:
    """Return the tables with the factors that all of them have, in the order of the first.

    Example:
        >>> first = Comparisons([1], [[1, -1]], [[False] * 2], [0], ("length", "fluency"), "human")
        >>> second = with_factors(first, ["fluency"])
        >>> [table.factors for table in common_factors([first, second])]
        [('fluency',), ('fluency',)]

    """
    if not tables:
        return []
    shared = set(tables[0].factors).intersection(*(table.factors for table in tables))
    names = [name for name in tables[0].factors if name in shared]
    return [with_factors(table, names) for table in tables]


def manifestations(
    values_a: ArrayLike, values_b: ArrayLike
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Return which response of each pair shows more of each factor: sign(a - b).

    Args:
        values_a: factor values of the first responses, any shape; NaN is unknown.
        values_b: factor values of the second responses, same shape.

    Returns:
        The signs as int8 (+1 where a is greater, 0 where equal or missing) and the missing mask,
        true where either value is NaN. Infinite values compare like numbers.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> signs, missing = manifestations([3.0, 1.0, float("nan")], [2.0, 1.0, 5.0])
        >>> signs.tolist(), missing.tolist()
        ([1, 0, 0], [False, False, True])

    """
    a = np.asarray(values_a, dtype=np.float64)
    b = np.asarray(values_b, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"values_a has shape {a.shape}, values_b {b.shape}; they must be equal")
    # Two comparisons rather than a subtraction: inf - inf is NaN, and tiny differences underflow.
    return (a > b).astype(np.int8) - (a < b).astype(np.int8), np.isnan(a) | np.isnan(b)


def _checked_factors(factors: Sequence[str]) -> tuple[str, ...]:
    if isinstance(factors, str):
        raise ValueError(f"factors is the text {factors!r}; give a tuple of names")
    names = tuple(factors)
    for name in names:
        if not isinstance(name, str) or not name:
            raise ValueError(f"factor name {name!r} is not a non-empty text")
        if name in _KEY_COLUMNS:
            raise ValueError(
                f"factor name {name!r} is taken by the table itself; rename the factor"
            )
        if names.count(name) > 1:
            raise ValueError(f"factor name {name!r} is repeated; names must be unique")
    return names


def _signs(name: str, values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.int8]:
    array = _shaped(name, values, shape)
    _check_signs(name, array)
    return _read_only(array, np.int8)


def _check_signs(name: str, array: NDArray[np.generic], *column: int) -> None:
    # The extremes need no memory, which np.isin takes much of.
    if array.dtype == np.int8 and array.min(initial=0) >= -1 and array.max(initial=0) <= 1:
        return
    wrong = ~np.isin(array, (-1, 0, 1))
    if wrong.any():
        index = tuple(np.argwhere(wrong)[0].tolist())
        place = ", ".join(map(str, index + column))
        raise ValueError(f"{name}[{place}] is {array[index]}. Must be one of: -1, 0, 1")


def _mask(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    array = _shaped("missing", values, shape)
    if array.dtype != np.bool_ and array.size:
        raise ValueError(f"missing has dtype {array.dtype}; expected bool")
    return _read_only(array, np.bool_)


def _codes(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.int32]:
    array = _shaped("group", values, shape)
    if not np.issubdtype(array.dtype, np.integer) and array.size:
        raise ValueError(f"group has dtype {array.dtype}; expected integer codes")
    greatest = np.iinfo(np.int32).max
    if array.size and not (array.min() >= 0 and array.max() <= greatest):
        index = int(((array < 0) | (array > greatest)).argmax())
        raise ValueError(f"group[{index}] is {array[index]}; codes run from 0 to 2**31 - 1")
    return _read_only(array, np.int32)


def _read_only(array: NDArray[np.generic], dtype: type[np.generic]) -> NDArray[Any]:
    """Return the array itself if nobody writes to it and it has the right form, else a copy."""
    flags = array.flags
    if array.dtype == dtype and flags.f_contiguous and flags.owndata and not flags.writeable:
        return array
    copy = np.array(array, dtype=dtype, order="F")
    copy.setflags(write=False)
    return copy


def _shaped(name: str, values: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    array = np.asarray(values)
    if array.shape != shape:
        raise ValueError(
            f"{name} has shape {array.shape}; expected {shape} for {shape[0]} pairs"
            + (f" and {shape[1]} factors" if len(shape) > 1 else "")
        )
    return array
