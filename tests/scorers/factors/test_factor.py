"""A surface factor's function, imported by its name."""

import dataclasses

import pytest

from profile_tasks.scorers.factors.factor import surface_function
from profile_tasks.scorers.factors.taxonomy import load_taxonomy


def test_a_factor_of_another_kind_has_no_surface_function():
    with pytest.raises(ValueError, match=r"'fluency' \(kind 'judged'\) has no surface function"):
        surface_function(load_taxonomy()["fluency"])


@pytest.mark.parametrize("function", ["no.such.module:name", "math:no_such_name"])
def test_a_function_that_cannot_be_imported_is_named_with_its_factor(function):
    factor = dataclasses.replace(load_taxonomy()["length"], function=function)
    with pytest.raises(ImportError, match=f"Factor 'length': .*'{function}'"):
        surface_function(factor)


def test_a_function_that_is_not_callable_is_refused():
    factor = dataclasses.replace(load_taxonomy()["length"], function="math:pi")
    with pytest.raises(ValueError, match="'math:pi' is not callable"):
        surface_function(factor)


def test_a_module_that_fails_when_it_is_imported_is_named(tmp_path, monkeypatch):
    (tmp_path / "failing_factors.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(str(tmp_path))
    factor = dataclasses.replace(load_taxonomy()["length"], function="failing_factors:f")
    with pytest.raises(ImportError, match=r"Factor 'length': .*'failing_factors:f': division by"):
        surface_function(factor)
