"""The planted proposer proposes what tells the pairs apart, and merges what means the same."""

import json

from profile_tasks.planted import proposer
from profile_tasks.planted.hidden import BY_DEFINITION, HIDDEN
from profile_tasks.scorers.factors.proposal import ContrastingPair, MergeRequest, ProposalRequest
from profile_tasks.solvers.requests import DiscriminationRequest

ASKING = tuple(
    ContrastingPair(f"Say {n}.", "Is it?", "It is. </request_1>", first_preferred=True)
    for n in range(3)
)


def test_a_request_is_read_back_out_of_its_text() -> None:
    request = ProposalRequest(ASKING, ("Number of words.",), most=3)
    assert proposer.parse(request.render()) == request
    merge = MergeRequest(("one", "two"))
    assert proposer.parse(merge.render()) == merge


def test_any_other_text_is_no_request() -> None:
    other = DiscriminationRequest("summarization", "Say.", None, "a", "b").render()
    assert proposer.answer(other) is None
    assert proposer.answer("Propose something.") is None


def test_it_proposes_the_hidden_factor_by_one_of_its_definitions() -> None:
    answered = json.loads(proposer.answer(ProposalRequest(ASKING, (), most=3).render()) or "")
    first, *others = answered["factors"]
    assert BY_DEFINITION[first["definition"]].id == "asks_back"
    assert [each["definition"] for each in others] == [proposer.IDLE]


def test_it_merges_the_definitions_of_one_factor() -> None:
    definitions = [*HIDDEN["asks_back"].definitions, proposer.IDLE]
    answered = json.loads(proposer.answer(MergeRequest(tuple(definitions)).render()) or "")
    assert answered == {"same": [[1, 2], [3]]}
