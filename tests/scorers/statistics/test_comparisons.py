"""The table of comparisons: what it accepts, what it refuses, and what survives storage."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from profile_tasks.scorers.statistics import comparisons
from profile_tasks.scorers.statistics.comparisons import Comparisons, manifestations

FLOATS = st.floats(-1e6, 1e6) | st.just(float("nan"))


def table(**changes):
    """Three pairs of two sources and two factors, one cell missing."""
    fields = {
        "preference": [1, -1, 0],
        "manifestation": [[1, 0], [0, -1], [0, 1]],
        "missing": [[False, False], [True, False], [False, False]],
        "group": [0, 0, 4],
        "factors": ("length", "fluency"),
        "perspective": "human",
    }
    return Comparisons(**(fields | changes))


def assert_equal(left, right):
    assert left.factors == right.factors
    assert left.perspective == right.perspective
    for name in ("preference", "manifestation", "missing", "group"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), strict=True)


def test_arrays_have_the_documented_types():
    dtypes = {name: getattr(table(), name).dtype for name in ("preference", "manifestation")}
    assert dtypes == {"preference": np.int8, "manifestation": np.int8}
    assert table().missing.dtype == np.bool_
    assert table().group.dtype == np.int32


@pytest.mark.parametrize("name", ["preference", "manifestation", "missing", "group"])
def test_arrays_are_read_only(name):
    with pytest.raises(ValueError, match="read-only"):
        getattr(table(), name)[0] = 0


def test_the_table_does_not_change_with_the_array_it_was_made_from():
    preference = np.array([1, -1, 0], dtype=np.int8)
    made = table(preference=preference)
    preference[0] = -1
    assert made.preference.tolist() == [1, -1, 0]


def test_a_read_only_view_of_a_writable_array_is_copied():
    preference = np.array([1, -1, 0], dtype=np.int8)
    view = preference[:]
    view.setflags(write=False)
    made = table(preference=view)
    preference[0] = -1
    assert made.preference.tolist() == [1, -1, 0]


def test_tables_share_the_arrays_that_nobody_can_write_to():
    made = table()
    other = replace(made, perspective="generation")
    assert other.manifestation is made.manifestation
    assert other.missing is made.missing


def test_the_column_of_a_factor_is_one_piece_of_memory():
    assert table().manifestation[:, 1].flags.c_contiguous
    assert table().missing[:, 1].flags.c_contiguous


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"perspective": "judge"}, "unknown perspective 'judge'. Must be one of: human,"),
        ({"preference": [[1, -1, 0]]}, "preference has shape (1, 3); expected one axis"),
        ({"preference": 1}, "preference has shape (); expected one axis"),
        ({"preference": [1, 2, 0]}, "preference[1] is 2. Must be one of: -1, 0, 1"),
        ({"preference": [1, float("nan"), 0]}, "preference[1] is nan"),
        ({"preference": [1, 0.5, 0]}, "preference[1] is 0.5"),
        ({"manifestation": [[1, 0]]}, "manifestation has shape (1, 2); expected (3, 2)"),
        ({"manifestation": [[1, 0], [0, 3], [0, 1]]}, "manifestation[1, 1] is 3"),
        ({"manifestation": [[1, 0], [1, 0], [0, 1]]}, "manifestation[1, 0] ('length') is marked"),
        ({"missing": [[False] * 3] * 3}, "missing has shape (3, 3); expected (3, 2)"),
        ({"missing": [[0, 0], [1, 0], [0, 0]]}, "missing has dtype int64; expected bool"),
        ({"group": [0, 1]}, "group has shape (2,); expected (3,)"),
        ({"group": [0, -1, 1]}, "group[1] is -1; codes run from 0"),
        ({"group": [0, 1, 2**31]}, "group[2] is 2147483648"),
        ({"group": [0.0, 1.0, 2.0]}, "group has dtype float64; expected integer"),
        ({"factors": ("length", "length")}, "factor name 'length' is repeated"),
        ({"factors": ("length", "group")}, "factor name 'group' is taken"),
        ({"factors": ("length", "")}, "factor name '' is not a non-empty text"),
        ({"factors": "length"}, "factors is the text 'length'"),
    ],
)
def test_a_wrong_field_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        table(**changes)


@pytest.mark.parametrize("n_factors", [0, 2])
def test_a_table_may_be_empty(n_factors):
    cells = np.empty((0, n_factors))
    names = ("a", "b")[:n_factors]
    empty = Comparisons.from_values([], cells, cells, [], names, "generation")
    assert empty.manifestation.shape == (0, n_factors)


def test_manifestation_is_the_sign_of_the_difference():
    signs, missing = manifestations([2.0, 1.0, 1.0], [1.0, 1.0, 2.0])
    assert signs.tolist() == [1, 0, -1]
    assert signs.dtype == np.int8
    assert not missing.any()


def test_an_unknown_value_on_either_side_is_missing_not_a_tie():
    nan = float("nan")
    signs, missing = manifestations([nan, 1.0, nan], [1.0, nan, nan])
    assert signs.tolist() == [0, 0, 0]
    assert missing.tolist() == [True, True, True]


def test_infinite_and_tiny_values_compare_like_numbers():
    inf = float("inf")
    signs, missing = manifestations([inf, inf, -inf, 5e-324], [inf, 1.0, 1.0, 0.0])
    assert signs.tolist() == [0, 1, -1, 1]
    assert not missing.any()


def test_values_of_unequal_shape_are_refused():
    with pytest.raises(ValueError, match=r"values_a has shape \(2,\), values_b \(1,\)"):
        manifestations([1.0, 2.0], [1.0])


@given(hnp.arrays(float, (2, 4, 3), elements=FLOATS))
def test_swapping_the_responses_turns_every_manifestation(values):
    signs, missing = manifestations(values[0], values[1])
    swapped, swapped_missing = manifestations(values[1], values[0])
    np.testing.assert_array_equal(swapped, -signs)
    np.testing.assert_array_equal(swapped_missing, missing)


def test_values_become_manifestations():
    made = Comparisons.from_values(
        [1, 0],
        [[3.0, 1.0], [2.0, float("nan")]],
        [[2.0, 1.0], [4.0, 1.0]],
        [0, 1],
        ["a", "b"],
        "discrimination",
    )
    expected = Comparisons(
        [1, 0],
        [[1, 0], [-1, 0]],
        [[False, False], [False, True]],
        [0, 1],
        ("a", "b"),
        "discrimination",
    )
    assert_equal(made, expected)


def test_the_frame_has_a_nullable_column_for_each_factor():
    frame = table().to_frame()
    assert list(frame.columns) == ["group", "preference", "length", "fluency"]
    assert frame.dtypes[["length", "fluency"]].tolist() == [pd.Int8Dtype()] * 2
    assert frame["length"].isna().tolist() == [False, True, False]
    assert frame.attrs == {"perspective": "human"}


def test_a_changed_frame_leaves_the_table_alone():
    made = table()
    frame = made.to_frame()
    frame.loc[0, "length"] = -1
    assert made.manifestation[0, 0] == 1


def test_a_frame_survives_the_round_trip():
    assert_equal(Comparisons.from_frame(table().to_frame()), table())


def test_a_frame_of_plain_floats_is_read_with_nan_as_missing():
    frame = pd.DataFrame({"group": [3], "preference": [1], "a": [float("nan")], "b": [-1.0]})
    frame.attrs["perspective"] = "human"
    read = Comparisons.from_frame(frame)
    assert read.missing.tolist() == [[True, False]]
    assert read.manifestation.tolist() == [[0, -1]]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda frame: frame.drop(columns="group"), "no column 'group'"),
        (lambda frame: frame.rename(columns={"fluency": "length"}), "more than one column"),
        (lambda frame: frame.assign(preference=[1, None, 0]), "preference is missing in row 1"),
        (lambda frame: frame.assign(length=[1, 2, 0]), r"manifestation\[1, 0\] is 2"),
    ],
)
def test_a_spoilt_frame_is_refused(spoil, message):
    with pytest.raises(ValueError, match=message):
        Comparisons.from_frame(spoil(table().to_frame()))


def test_a_frame_without_perspective_is_refused():
    frame = table().to_frame()
    frame.attrs.clear()
    with pytest.raises(ValueError, match="names no perspective"):
        Comparisons.from_frame(frame)


@pytest.mark.parametrize("perspective", ["human", "generation", "discrimination", "revision"])
def test_a_file_survives_the_round_trip_even_in_a_folder_named_like_a_partition(
    tmp_path, perspective
):
    folder = tmp_path / "model=m"
    folder.mkdir()
    written = replace(table(), perspective=perspective)
    written.to_parquet(folder / "comparisons.parquet")
    assert_equal(Comparisons.from_parquet(folder / "comparisons.parquet"), written)


def test_an_empty_table_survives_the_round_trip(tmp_path):
    empty = Comparisons.from_values([], np.empty((0, 1)), np.empty((0, 1)), [], ("a",), "human")
    empty.to_parquet(tmp_path / "empty.parquet")
    assert_equal(Comparisons.from_parquet(tmp_path / "empty.parquet"), empty)


def test_a_file_without_perspective_is_refused(tmp_path):
    table().to_frame().to_parquet(tmp_path / "plain.parquet")
    with pytest.raises(ValueError, match="names no perspective in its schema metadata"):
        Comparisons.from_parquet(tmp_path / "plain.parquet")


def test_a_file_is_written_and_read_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(comparisons, "_ROW_GROUP", 2)
    table().to_parquet(tmp_path / "parts.parquet")
    assert pq.ParquetFile(tmp_path / "parts.parquet").num_row_groups == 2
    assert_equal(Comparisons.from_parquet(tmp_path / "parts.parquet"), table())


def test_a_factor_may_have_a_dot_in_its_name(tmp_path):
    # Parquet writes the path of a nested column the same way.
    written = table(factors=("length", "length.words"))
    written.to_parquet(tmp_path / "dot.parquet")
    assert_equal(Comparisons.from_parquet(tmp_path / "dot.parquet"), written)


def test_pandas_reads_the_file_as_the_frame(tmp_path):
    table().to_parquet(tmp_path / "comparisons.parquet")
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "comparisons.parquet"), table().to_frame()
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"group": None}, "no column 'group'"),
        ({"preference": [1, None, 0]}, "preference is missing in row 1"),
        ({"group": [0, 0, None]}, "group is missing in row 2"),
        ({"group": [0, 0, -1]}, r"group\[2\] is -1"),
        ({"preference": [1, 300, 0]}, r"preference\[1\] is 300"),
        ({"fluency": [0, 1, 257]}, r"manifestation\[2, 1\] is 257"),
        ({"fluency": [0, 0.5, None]}, r"manifestation\[1, 1\] is 0.5"),
    ],
)
def test_a_file_with_a_wrong_column_is_refused(tmp_path, changes, message):
    columns = {
        "group": [0, 0, 4],
        "preference": [1, -1, 0],
        "length": [1, 0, 0],
        "fluency": [0] * 3,
    }
    spoilt = {name: values for name, values in (columns | changes).items() if values is not None}
    pq.write_table(
        pa.table(spoilt).replace_schema_metadata({"perspective": "human"}), tmp_path / "f.parquet"
    )
    with pytest.raises(ValueError, match=message):
        Comparisons.from_parquet(tmp_path / "f.parquet")


def test_a_file_with_a_repeated_column_is_refused(tmp_path):
    spoilt = pa.Table.from_arrays(
        [pa.array([1])] * 4, ["group", "preference", "length", "length"]
    ).replace_schema_metadata({"perspective": "human"})
    pq.write_table(spoilt, tmp_path / "twice.parquet")
    with pytest.raises(ValueError, match="more than one column 'length'"):
        Comparisons.from_parquet(tmp_path / "twice.parquet")


def test_a_file_of_plain_floats_is_read_with_nan_as_missing(tmp_path):
    plain = pa.table({"group": [3, 3], "preference": [1, -1], "a": [float("nan"), None]})
    pq.write_table(plain.replace_schema_metadata({"perspective": "human"}), tmp_path / "f.parquet")
    assert Comparisons.from_parquet(tmp_path / "f.parquet").missing.tolist() == [[True], [True]]
