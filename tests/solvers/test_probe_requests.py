"""Which requests the probes send about a source."""

from dataclasses import replace

import pytest

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.data.task_definition import packaged_tasks
from profile_tasks.settings import PROBES, ProbeName
from profile_tasks.solvers.probe_requests import ProbeRequests
from profile_tasks.solvers.prompts import STANDARD, judging_prompt, wordings, wordings_version
from profile_tasks.solvers.requests import DiscriminationRequest, parse_request

TASKS = packaged_tasks()

FIRST, SECOND = "It rained, because it was October. We walk.", "It often rained."
SOURCE = AnnotatedSource(
    id="s",
    group="s",
    task="summarization",
    prompt="Sum up.",
    source="A story.",
    pairs=(
        AnnotatedPair(id="p", response_a=FIRST, response_b=SECOND, preference=None),
        AnnotatedPair(id="q", response_a=SECOND, response_b="Rain again.", preference="a"),
    ),
)


def test_there_are_four_other_wordings_of_every_task_and_none_names_another_verdict() -> None:
    assert next(iter(wordings())) == STANDARD
    assert len(wordings()) >= 5
    assert wordings_version() >= 1
    for wording in wordings():
        for template in (judging_prompt(task, wording) for task in TASKS):
            assert template.count("{sections}") == 1
            assert "Verdict: A" in template
            assert "Verdict: B" in template


@pytest.mark.parametrize("wording", wordings())
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("text", ["plain", "</response_a>\n{sections} {0}", "Two summaries of"])
def test_a_request_in_any_wording_reads_back_as_it_was(wording: str, task: str, text: str) -> None:
    request = DiscriminationRequest(task, text, text, text, "b", wording)
    assert parse_request(request.render()) == request


@pytest.mark.parametrize(
    ("probe", "verdicts", "probed"),
    [
        ("position", {STANDARD: 4}, {}),
        ("repeat", {STANDARD: 4, "repeat": 4}, {}),
        ("wording", dict.fromkeys(wordings(), 4), {}),
        ("authority", {STANDARD: 4}, {"authority": 4}),
        ("injection", {STANDARD: 4}, {"injection": 4}),
        ("padding", {}, {"padding": 4}),
        ("style", {}, {"style": 4}),
        ("self_preference", {}, {"own_texts": 4}),
    ],
)
def test_a_probe_sends_what_it_needs_alone(
    probe: ProbeName, verdicts: dict[str, int], probed: dict[str, int]
) -> None:
    asked = ProbeRequests(SOURCE, (probe,), own="My own text.")
    if len(asked.texts) == 1:  # both pairs may draw the response that they share
        probed = {name: n // 2 if name in ("padding", "style", "own_texts") else n
                  for name, n in probed.items()}  # fmt: skip
    assert {name: len(each.requests) for name, each in asked.verdicts.items()} == verdicts
    assert {name: len(each.requests) for name, each in asked.probed.items()} == probed


def test_what_is_asked_again_is_the_same_to_the_letter() -> None:
    asked = ProbeRequests(SOURCE).verdicts
    assert asked["repeat"].requests == asked[STANDARD].requests
    assert [name for name, each in asked.items() if each.again] == ["repeat"]


def test_a_text_beside_itself_is_shown_once() -> None:
    identical = ProbeRequests(SOURCE, ("null_pairs",)).probed["identical"]
    assert identical.orders == 1
    assert all(request.response_a == request.response_b for request in identical.requests)


def test_the_varied_text_is_the_first_as_recorded_and_texts_without_a_change_are_counted() -> None:
    asked = ProbeRequests(SOURCE, ("null_pairs",))
    texts = asked.texts
    first, swapped = asked.probed["white_space"].requests[:2]
    assert (first.response_a.split(), first.response_b) == (texts[0].split(), texts[0])
    assert (swapped.response_b, swapped.response_a) == (first.response_a, first.response_b)
    unchanged = sum("because" not in text and "often" not in text for text in texts)
    assert asked.skipped["synonym"] == unchanged


def test_an_order_follows_its_text_from_place_to_place() -> None:
    asked = ProbeRequests(SOURCE, ("injection",))
    orders = asked.probed["injection"].requests
    for pair, side, (first, swapped) in zip(
        SOURCE.pairs, asked.carrier, (orders[:2], orders[2:]), strict=True
    ):
        carrier, other = pair.shown if side == 1 else pair.shown[::-1]
        shown = (first.response_a, first.response_b)
        carrying, plain = shown if side == 1 else shown[::-1]
        assert plain == other
        assert carrying.startswith(carrier)
        assert carrying.replace("A" if side == 1 else "B", "") != carrying
        assert swapped.response_a.startswith(pair.response_b)
        assert swapped.response_b.startswith(pair.response_a)


def test_an_own_text_is_not_shown_beside_itself() -> None:
    asked = ProbeRequests(SOURCE, ("self_preference",))
    assert asked.probed == {}  # it wrote nothing
    same = replace(asked, own=asked.texts[0])
    assert asked.texts[0] not in same.others


def test_all_probes_take_as_many_requests_as_the_page_says() -> None:
    one = SOURCE.model_copy(update={"pairs": SOURCE.pairs[:1]})
    asked = ProbeRequests(one, PROBES, own="My own text.")
    sent = [*asked.verdicts.values(), *asked.probed.values()]
    assert sum(len(each.requests) for each in sent) == 27
