"""Which conditions a run has."""

import pytest

from profile_tasks.solvers.feedback_revision import (
    Condition,
    allowed_conditions,
    parsed_conditions,
)


@pytest.mark.parametrize(
    ("given", "parsed"),
    [
        (None, None),
        ("none", ("none",)),
        ("factor, self", ("self", "factor")),
        (["evaluator", "none"], ("none", "evaluator")),
    ],
)
def test_conditions_are_read_as_a_command_line_gives_them(
    given: str | list[str] | None, parsed: tuple[Condition, ...] | None
) -> None:
    assert parsed_conditions(given) == parsed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nobody", "condition 'nobody' is unknown. Must be one or several of: none, self"),
        ("", "condition '' is unknown"),
        ([], "name each one once"),
        ("self,self", "name each one once"),
    ],
)
def test_wrong_conditions_are_named(given: str | list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parsed_conditions(given)


def test_by_default_a_run_has_all_conditions_that_it_can() -> None:
    assert allowed_conditions(None, evaluator=False, factor=False) == ("none", "self")
    assert len(allowed_conditions(None, evaluator=True, factor=True)) == 4


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("evaluator", "--model-role grader=MODEL.*allow_self_grading=true"),
        ("factor", "-T profiles=LOG.*-T profiles=own"),
    ],
)
def test_what_a_condition_lacks_is_said_with_the_remedy(condition: Condition, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        allowed_conditions([condition], evaluator=False, factor=False)
