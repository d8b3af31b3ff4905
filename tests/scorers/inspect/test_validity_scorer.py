"""Score validity in Inspect: the verdicts on the extremes become compliance, and words."""

import pytest

from profile_tasks.scorers.inspect.validity_scorer import (
    TextsMeasured,
    explanation,
    validity_values,
)
from profile_tasks.scorers.statistics.score_validity import ScoredTexts

BEST, WORST, FLIP = ("first", "second"), ("second", "first"), ("first", "first")


@pytest.mark.parametrize(
    ("picks", "word", "share"),
    [(BEST, "the better", 1), (WORST, "the worse", 0), (FLIP, "as good", 0.5)],
)
def test_the_text_for_the_highest_score_is_the_one_shown_first(
    picks: tuple[str, ...], word: str, share: float
) -> None:
    # The first request shows the text for the highest score first, the second one shows it second.
    judged = TextsMeasured(group="g", texts=None, picks=picks)
    assert explanation(judged) == f"the text for the highest score is {word} of the extremes"
    found = validity_values([judged.model_copy(update={"group": f"g{n}"}) for n in range(9)])
    assert found["score_compliance"] == share
    # Nine sources that say the same do not tell that a tenth would.
    low, high = (found[f"score_compliance{end}"] for end in ("_ci_low", "_ci_high"))
    assert low <= share <= high
    assert high - low > 0.3


@pytest.mark.parametrize(
    ("logs", "correlation"), [((-3.0, -2.0, -1.0), 1), ((-1.0, -2.0, -3.0), -1)]
)
def test_likelier_texts_for_higher_scores_are_a_correlation_above_zero(
    logs: tuple[float, ...], correlation: int
) -> None:
    measured = [
        TextsMeasured(
            group=f"g{n}",
            texts=ScoredTexts(
                source_id=f"s{n}", group=f"g{n}", scores=(1, 3, 5), log_probabilities=logs
            ),
        )
        for n in range(9)
    ]
    found = validity_values(measured)
    for name in ("score_validity_within", "score_validity_pooled"):
        assert found[name] == pytest.approx(correlation)
    assert explanation(measured[0]) == f"r of score and log-probability per byte: {correlation:.2f}"
