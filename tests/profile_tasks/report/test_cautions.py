"""Warnings say what speaks against the numbers."""

import pytest

from profile_tasks.report.cautions import FEW_GROUPS, HIGH_VIF, cautions
from profile_tasks.report.report_data import Influence, Number, Profile, Run


def run(**changes: object) -> Run:
    """A run that nothing speaks against, with these changes."""
    usual = {
        "file": "x.eval",
        "kind": "Inspect log",
        "model": "GPT-X",
        "task": "summarization",
        "factors": ("length",),
        "profiles": {
            "human": Profile({"length": Influence(Number(0.1), vif=1.0)}, n_groups=FEW_GROUPS)
        },
        "metrics": {"flip_rate": Number(0.1)},
        "graders": ("Claude-Y",),
    }
    return Run(**(usual | changes))  # type: ignore[arg-type]


def test_a_sound_run_has_none() -> None:
    assert cautions(run()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"profiles": {"human": Profile({}, n_groups=FEW_GROUPS - 1)}}, "few sources: 49 groups"),
        ({"graders": ("GPT-X",)}, "self-grading: GPT-X"),
        ({"metrics": {"flip_rate": Number(0.31)}}, "31% of the model's verdicts change"),
        ({"metrics": {"grader_missing_rate": Number(0.2)}}, "20% of the grader's judgements"),
        (
            {"profiles": {"human": Profile({"length": Influence(Number(), vif=HIGH_VIF + 1)})}},
            "collinear in human: length (6.0)",
        ),
        (
            {
                "profiles": {
                    "human": Profile({"length": Influence(Number(), adjusted=Number(reason="x"))})
                }
            },
            "is not defined for 1 of 1 factors (length)",
        ),
    ],
)
def test_each_weakness_is_told(changes: dict[str, object], said: str) -> None:
    (warning,) = cautions(run(**changes))
    assert said in warning
