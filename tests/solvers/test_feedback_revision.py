"""Which conditions a run has."""

import pytest

from profile_tasks.settings import Condition
from profile_tasks.solvers.feedback_revision import allowed_conditions


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
