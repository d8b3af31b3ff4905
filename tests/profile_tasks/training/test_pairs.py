"""Which pairs logs and recorded preferences give, and by what margin."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from inspect_ai.log import EvalLog

from profile_tasks.data.preferences import AnnotatedSource, load_preferences
from profile_tasks.runs.inspect_log import open_log
from profile_tasks.scorers.factors.selection import resolve_factors
from profile_tasks.scorers.inspect.self_guided_scorer import ranked, ranking_of
from profile_tasks.settings import Tournament
from profile_tasks.solvers.both_orders import Picks
from profile_tasks.solvers.score_conditioned_generation import written_responses
from profile_tasks.solvers.self_guided import JudgedSamples, WrittenSample
from profile_tasks.solvers.tournament import Match
from profile_tasks.training.pairs import (
    PAIR_CHOICES,
    logged_pairs,
    recorded_pairs,
    self_guided_pairs,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

ReadLog = Callable[..., EvalLog]


def test_of_a_self_guided_source_the_best_sample_stands_over_the_worst(
    read_inspect_log: ReadLog,
) -> None:
    log = read_inspect_log("concise", "document_qa_self_guided")
    found = logged_pairs(open_log(log.location), "a log", "best-worst")
    rankings = {s.id: ranking_of(s.scores["self_guided_ranking"]) for s in log.samples or []}
    assert (found.origin, found.description["judge"]) == ("self-guided", "planted/concise")
    assert len(found.pairs) <= len(found.groups) == len(rankings)
    for pair in found.pairs:
        share = {s.text: s.share for s in rankings[pair.source_id].samples if s.share is not None}
        assert share[pair.chosen] == max(share.values())
        assert share[pair.rejected] == min(share.values())
        assert pair.margin == share[pair.chosen] - share[pair.rejected] > 0


@pytest.mark.parametrize("tournament", get_args(Tournament))
@pytest.mark.parametrize(
    ("picks", "chosen", "rejected"),
    [
        (("first", "second"), "the first one", "the other"),
        (("second", "first"), "the other", "the first one"),
    ],
)
def test_of_two_samples_the_winner_is_chosen_whatever_the_tournament(
    tournament: Tournament, picks: Picks, chosen: str, rejected: str
) -> None:
    source = AnnotatedSource(
        id="s", group="g", task="document_qa", prompt="Why?", source="Because.", pairs=()
    )
    judged = JudgedSamples(
        samples=(WrittenSample(text="the first one"), WrittenSample(text="the other")),
        matches=(Match(first=0, second=1, picks=picks),),
        judge="judge",
        requests=4,
    )
    ranking = ranked(source, judged, resolve_factors(["length"], "document_qa"), tournament)
    for choice in PAIR_CHOICES:
        (pair,) = self_guided_pairs([ranking], "a log", choice, model="m").pairs
        assert (pair.chosen, pair.rejected, pair.margin) == (chosen, rejected, 1)


def test_all_pairs_are_those_whose_shares_differ(read_inspect_log: ReadLog) -> None:
    log = read_inspect_log("concise", "document_qa_self_guided")
    found = logged_pairs(open_log(log.location), "a log", "all")
    expected = 0
    for sample in log.samples or []:
        shares = [
            s.share
            for s in ranking_of(sample.scores["self_guided_ranking"]).samples
            if s.share is not None
        ]
        expected += sum(a != b for i, a in enumerate(shares) for b in shares[:i])
    assert len(found.pairs) == expected > 0


def test_after_a_knock_out_only_samples_that_met_are_paired(read_inspect_log: ReadLog) -> None:
    log = read_inspect_log("concise", "document_qa_self_guided", tournament="knock_out", samples=6)
    met = {
        frozenset((r.samples[m.first].text, r.samples[m.second].text))
        for sample in log.samples or []
        for r in [ranking_of(sample.scores["self_guided_ranking"])]
        for m in r.matches
        if m.preference
    }
    pairs = logged_pairs(open_log(log.location), "a log", "all").pairs
    assert pairs
    assert {frozenset((pair.chosen, pair.rejected)) for pair in pairs} == met


def test_of_an_ordinary_log_the_response_for_the_higher_score_is_chosen(
    read_inspect_log: ReadLog,
) -> None:
    log = read_inspect_log("concise", "document_qa", setting="generation")
    extremes = logged_pairs(open_log(log.location), "a log", "best-worst")
    assert (extremes.origin, {pair.margin for pair in extremes.pairs}) == (
        "score-conditioned",
        {4.0},
    )
    written = {s.id: written_responses(s.store)[0] for s in log.samples or []}
    for pair in extremes.pairs:
        responses = written[pair.source_id]
        assert (pair.chosen, pair.rejected) == (responses[5], responses[1])
    assert len(logged_pairs(open_log(log.location), "a log", "all").pairs) == 10 * len(written)


def test_a_log_without_responses_is_told(read_inspect_log: ReadLog) -> None:
    log = read_inspect_log("concise", "document_qa", setting="discrimination", limit=2)
    with pytest.raises(ValueError, match="no sample holds responses of the model"):
        logged_pairs(open_log(log.location), "a log", "all")


def test_recorded_pairs_have_the_margin_of_their_votes(tmp_path: Path) -> None:
    rows = [
        '{"id": "1", "prompt": "Q?", "response_a": "A", "response_b": "B", "preference": "b"}',
        '{"id": "2", "prompt": "Q?", "response_a": "C", "response_b": "D", '
        '"annotators": ["a", "a", "b", "tie"]}',
        '{"id": "3", "prompt": "Q?", "response_a": "E", "response_b": "F", "preference": "tie"}',
    ]
    (tmp_path / "pairs.jsonl").write_text("\n".join(rows))
    found = recorded_pairs(load_preferences(str(tmp_path / "pairs.jsonl"), task="document_qa"))
    assert [(p.chosen, p.rejected, p.margin) for p in found.pairs] == [
        ("B", "A", None),
        ("C", "D", 0.25),
    ]
    assert found.left_out == {"tie": 1}
    with pytest.raises(ValueError, match=r"name no task; give it \(--task\)"):
        recorded_pairs(load_preferences(str(tmp_path / "pairs.jsonl")))
