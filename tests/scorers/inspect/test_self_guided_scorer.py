"""Samples are ranked by the matches that they won, and a match is measured as it was shown."""

import anyio
import pytest
from inspect_ai.model import ModelName
from inspect_ai.scorer import Target
from inspect_ai.solver import TaskState

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.scorers.factors.selection import resolve_factors
from profile_tasks.scorers.inspect.self_guided_scorer import (
    SelfGuidedRanking,
    explanation,
    ranked,
    ranking_metrics,
    self_guided_ranking,
)
from profile_tasks.solvers.both_orders import Picks
from profile_tasks.solvers.self_guided import JudgedSamples, WrittenSample
from profile_tasks.solvers.tournament import Match

FACTORS = resolve_factors(["length", "markdown"], "document_qa")
FIRST: Picks = ("first", "second")
SECOND: Picks = ("second", "first")
FLIP: Picks = ("first", "first")


def match(first: int, second: int, picks: Picks) -> Match:
    return Match(first=first, second=second, picks=picks)


def source(name: str) -> AnnotatedSource:
    return AnnotatedSource(
        id=name, group=name, task="document_qa", prompt="Why?", source="Because.", pairs=()
    )


def judged(*matches: Match) -> JudgedSamples:
    """Samples of one, two and three words; by default the longer one wins each match."""
    samples = tuple(WrittenSample(text=text) for text in ("one", "one two", "one two three"))
    met = matches or (match(0, 1, SECOND), match(0, 2, SECOND), match(1, 2, SECOND))
    return JudgedSamples(samples=samples, matches=met, judge="judge", requests=3 + 2 * len(met))


def ranking(name: str = "s", *matches: Match) -> SelfGuidedRanking:
    return ranked(source(name), judged(*matches), FACTORS, "round_robin")


def test_who_won_every_match_has_the_first_rank_and_who_lost_all_the_last() -> None:
    found = ranking()
    assert [(s.wins, s.losses, s.share, s.rank) for s in found.samples] == [
        (0, 2, 0.0, 3),
        (1, 1, 0.5, 2),
        (2, 0, 1.0, 1),
    ]
    assert explanation(found).endswith("0: 3. (0.00), 1: 2. (0.50), 2: 1. (1.00)")


def test_equal_shares_have_the_better_rank_alike_and_no_match_has_none() -> None:
    found = ranking("s", match(0, 1, FLIP), match(1, 2, (None, "first")))
    assert [s.rank for s in found.samples] == [1, 1, None]


def test_a_match_is_measured_as_it_was_shown_first() -> None:
    measured = ranking().measurement
    # The second one of every match is longer by words, and won.
    assert measured.annotated == ((-1, 0), (-1, 0), (-1, 0))
    assert measured.discrimination == (-1, -1, -1)
    assert [met.preference for met in ranking().matches] == [-1, -1, -1]


def test_the_profile_is_of_the_winner_over_the_loser() -> None:
    longer_wins = ranking_metrics([ranking(f"s{n}") for n in range(9)], replicates=50)
    shorter = (match(0, 1, FIRST), match(0, 2, FIRST), match(1, 2, FIRST))
    shorter_wins = ranking_metrics([ranking(f"s{n}", *shorter) for n in range(9)], replicates=50)
    for found, influence, end in ((longer_wins, 1, "high"), (shorter_wins, -1, "low")):
        assert found["tau_self_guided_length"] == influence
        assert found[f"tau_self_guided_length_ci_{end}"] == influence
        assert found["decided_rate"] == 1
        assert found["flip_rate"] == 0


@pytest.mark.parametrize(
    ("matches", "best"),
    [
        ((match(0, 1, FIRST), match(0, 2, FIRST), match(1, 2, FIRST)), "one"),
        ((match(0, 1, SECOND), match(0, 2, FIRST), match(1, 2, FIRST)), "one two"),
        ((match(0, 1, FIRST), match(0, 2, SECOND), match(1, 2, SECOND)), "one two three"),
    ],
)
def test_the_answer_shown_beside_a_source_is_the_best_sample(
    matches: tuple[Match, ...], best: str
) -> None:
    state = TaskState(
        model=ModelName("mockllm/model"),
        sample_id="s",
        epoch=1,
        input="",
        messages=[],
        metadata=source("s").model_dump(mode="json"),
    )
    state.store.set("self_guided", judged(*matches).model_dump(mode="json"))
    scorer = self_guided_ranking(task="document_qa", factors="length,markdown")
    score = anyio.run(scorer, state, Target(""))
    assert score is not None
    assert score.answer == best
