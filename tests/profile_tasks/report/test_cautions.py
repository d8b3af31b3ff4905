"""Warnings say what speaks against the numbers."""

import pytest

from profile_tasks.report.cautions import HIGH_VIF, badges, cautions
from profile_tasks.report.findings import Findings
from profile_tasks.report.report_data import NOTHING, Influence, Profile
from profile_tasks.runs.run import Run
from profile_tasks.scorers.statistics.estimate import FEW_GROUPS, Estimate


def found(
    status: str = "success",
    graders: tuple[str, ...] = ("Claude-Y",),
    model: str = "GPT-X",
    **changes: object,
) -> Findings:
    """A run that nothing speaks against, with these changes."""
    run = Run(
        file="x.eval",
        harness="inspect",
        model=model,
        task="summarization",
        name="summarization",
        setting="both",
        status=status,
        graders=graders,
    )
    usual = {
        "factors": ("length",),
        "profiles": {
            "human": Profile({"length": Influence(Estimate(0.1), vif=1.0)}, n_groups=FEW_GROUPS)
        },
        "metrics": {"flip_rate": Estimate(0.1)},
    }
    return Findings(run, **(usual | changes))  # type: ignore[arg-type]


def test_a_sound_run_has_none() -> None:
    assert cautions(found()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"profiles": {"human": Profile({}, n_groups=FEW_GROUPS - 1)}}, "few sources (49 groups)"),
        ({"alignments": {"discrimination": {}}}, "tau_b and rho: where a taste's influences"),
        (
            {
                "profiles": {
                    "human": Profile({"length": Influence(Estimate(-0.96))}, 400, FEW_GROUPS)
                }
            },
            "human: influences near the end of the scale (length)",
        ),
        ({"graders": ("GPT-X",)}, "self-grading: GPT-X"),
        ({"factors": ("charm",)}, "factors of the user's own, defined in the log: charm"),
        ({"metrics": {"flip_rate": Estimate(0.31)}}, "31% of the model's verdicts change"),
        ({"metrics": {"grader_missing_rate": Estimate(0.2)}}, "20% of the grader's judgements"),
        (
            {"profiles": {"human": Profile({"length": Influence(NOTHING, vif=HIGH_VIF + 1)})}},
            "collinear in human: length (6.0)",
        ),
        (
            {
                "profiles": {
                    "human": Profile(
                        {"length": Influence(NOTHING, adjusted=Estimate.undefined("x"))}
                    )
                }
            },
            "is not defined for 1 of 1 factor (length)",
        ),
    ],
)
def test_each_weakness_is_told(changes: dict[str, object], said: str) -> None:
    (warning,) = cautions(found(**changes))
    assert said in warning


def test_a_sound_run_has_no_badge() -> None:
    assert badges(found()) == []


@pytest.mark.parametrize(
    ("changes", "word", "said"),
    [
        ({"model": "planted/verbose"}, "SIMULATED", "no evidence about any model"),
        ({"model": "recorded/judge"}, "RECORDED", "no model was asked in this run"),
        (
            {"graders": ("planted/grader",)},
            "SIMULATED GRADER",
            "planted/grader: SIMULATED: a simulated",
        ),
        ({"graders": ("GPT-X",)}, "SELF-GRADED", "models favour their own texts"),
        (
            {"profiles": {"human": Profile({}, n_groups=FEW_GROUPS - 1)}},
            "49 groups of sources: few",
            "intervals are wide",
        ),
        ({"metrics": {"flip_rate": Estimate(0.31)}}, "31% flips, judge", "31% of the model's"),
        ({"metrics": {"own_flip_rate": Estimate(0.31)}}, "31% flips, judge of its own texts", ""),
    ],
)
def test_what_nobody_may_overlook_has_a_badge(
    changes: dict[str, object], word: str, said: str
) -> None:
    (badge,) = badges(found(**changes))  # type: ignore[arg-type]
    assert badge.word == word
    assert said in badge.sentence
