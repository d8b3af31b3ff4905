"""The cost stated before a run is what the run then asks; tokens follow the texts."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.log import read_eval_log
from inspect_ai.model import ModelOutput, get_model

from profile_tasks.data.preferences import PreferenceData, load_preferences
from profile_tasks.data.sources import load_data
from profile_tasks.document_qa import document_qa
from profile_tasks.instruction_following import instruction_following
from profile_tasks.scorers.factors.grader_prompts import WORDS_PER_FACTS_REQUEST
from profile_tasks.scorers.factors.selection import measured_factors
from profile_tasks.settings import PROBES, JudgeAuditSettings, ProfileSettings
from profile_tasks.solvers.requests import GenerationRequest, parse_request
from profile_tasks.summarization import summarization
from profile_tasks.tasks.judge_audit import (
    document_qa_judge_audit,
    instruction_following_judge_audit,
    summarization_judge_audit,
)
from profile_tasks.tasks.request_cost import (
    CHARACTERS_PER_TOKEN,
    PURPOSES,
    TOKENS_PER_VERDICT,
    RequestCost,
    RequestCount,
    audit_cost,
    request_cost,
    stand_in_responses,
)

TASKS = ("summarization", "instruction_following", "document_qa")
"""Those with a name of their own in Inspect."""

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

BUILD = {
    "summarization": summarization,
    "instruction_following": instruction_following,
    "document_qa": document_qa,
}


def estimated(
    task: str,
    factors: str = "core",
    *,
    data: PreferenceData | None = None,
    epochs: int = 1,
    **settings: Any,
) -> RequestCost:
    return request_cost(
        data or load_preferences("demo", task=task),
        measured_factors(factors, task, grader=True, learned_by={}),
        ProfileSettings(**settings),
        epochs,
    )


def requests(cost: RequestCost) -> dict[str, int]:
    return {purpose: count.requests for purpose, count in cost.by_purpose.items()}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))


WRITTEN = "Written for "


def distinct_writer() -> object:
    """A model that writes another text for every score, and judges readably."""

    def answer(messages: Sequence[Any], *_: object) -> ModelOutput:
        request = parse_request(messages[-1].text)
        writes = isinstance(request, GenerationRequest)
        text = f"{WRITTEN}{chr(96 + request.score)}. It rained." if writes else "Verdict: A"
        return ModelOutput.from_content("mockllm/model", text)

    return get_model("mockllm/model", custom_outputs=answer, memoize=False)


PLACES = {
    "List the key facts": "key facts",
    "List the atomic facts": "facts",
    "Compare the response below": "facts",
    "Compare them two at a time": "judged",
    "Two responses to the same request follow. Compare": "judged",
    "Target score:": "generation",
    "Answer with exactly one line": "discrimination",
}


def asked_in_a_run(
    task: str, tmp_path: Path, model: object, epochs: int = 1, **arguments: object
) -> dict[str, int]:
    """What a real run asks: its log's calls of models, by role and what they say."""
    (log,) = inspect_eval(
        BUILD[task],
        task_args={"factors": "core", "grader_cache": False, **arguments},
        model=model,
        model_roles={"grader": "planted/grader"},
        epochs=epochs,
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success", log.error
    log = read_eval_log(log.location, resolve_attachments=True)
    asked = Counter(dict.fromkeys(requests(estimated(task)), 0))
    for sample in log.samples:
        for event in sample.events:
            if event.event == "model":
                text = event.input[-1].text
                (purpose,) = {name for words, name in PLACES.items() if words in text}
                if purpose == "discrimination" and WRITTEN in text:
                    purpose = "own pairs"
                assert purpose in PURPOSES[event.role or "evaluated model"]
                asked[purpose] += 1
    return dict(asked)


@pytest.mark.usefixtures("tokenless")
@pytest.mark.parametrize(
    ("task", "settings"),
    [
        *((task, {}) for task in TASKS),
        ("summarization", {"factors": "all"}),
        ("summarization", {"factors": "fluency,coherence", "judge_orders": 1}),
        ("summarization", {"factors": "source_coverage"}),
        ("summarization", {"factors": "length"}),
        ("document_qa", {"pairing": "adjacent", "judge_batch": "one"}),
        ("document_qa", {"scores": (1, 3, 7), "orders": 1}),
        ("document_qa", {"own_pairs": False}),
        ("instruction_following", {"pairing": "half", "factors": "length"}),
        ("instruction_following", {"setting": "generation"}),
        ("instruction_following", {"epochs": 2}),
        ("summarization", {"grading": "batched", "factors": "all"}),
        ("document_qa", {"grading": "batched", "judge_orders": 1, "judge_batch": "one"}),
        ("summarization", {"grading": "batched", "factors": "source_coverage"}),
    ],
)
def test_a_run_that_writes_and_judges_asks_what_was_estimated(
    task: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    limit = 1 if settings else 2
    cost = estimated(task, data=load_preferences("demo", task=task, limit=limit), **settings)
    assert requests(cost) == asked_in_a_run(
        task, tmp_path, distinct_writer(), limit=limit, **settings
    )


@pytest.mark.parametrize("task", TASKS)
def test_a_run_that_judges_the_demo_asks_what_was_estimated(task: str, tmp_path: Path) -> None:
    data = load_preferences("demo", task=task, limit=4)
    cost = estimated(task, data=data, setting="discrimination")
    assert requests(cost) == asked_in_a_run(
        task, tmp_path, "planted/balanced", limit=4, setting="discrimination"
    )


AUDITS = {
    "summarization": summarization_judge_audit,
    "instruction_following": instruction_following_judge_audit,
    "document_qa": document_qa_judge_audit,
}


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("summarization", {}),
        ("instruction_following", {"max_pairs_per_source": 2}),
        ("document_qa", {"probes": "wording,padding"}),
        ("document_qa", {"probes": "self_preference,null_pairs"}),
    ],
)
def test_an_audit_of_a_judge_asks_what_was_estimated(
    task: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    settings = {"limit": 2, "max_pairs_per_source": 3, **settings}
    chosen = JudgeAuditSettings(**settings)
    cost = audit_cost(load_data(chosen, task), chosen)
    (log,) = inspect_eval(
        AUDITS[task](**settings),
        model="planted/verbose",
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success", log.error
    sent = [e for s in read_eval_log(log.location).samples or () for e in s.events]
    asked = sum(event.event == "model" for event in sent)
    assert cost.total("evaluated model").requests == asked
    by_probe = requests(cost)
    unasked = set(PROBES) - {*chosen.chosen_probes, "position"}
    assert {name for name, n in by_probe.items() if n == 0} >= unasked


def test_by_likelihood_an_audit_takes_a_request_for_each_verdict() -> None:
    data = load_preferences("demo", task="summarization", limit=2)
    words, likely = (
        requests(audit_cost(data, JudgeAuditSettings(probes="position", judge_by=how)))
        for how in ("words", "likelihood")
    )
    assert likely["position"] == 2 * words["position"] == 48


def test_an_audit_of_pairs_that_share_no_text_takes_at_most_27_requests_a_pair(
    tmp_path: Path,
) -> None:
    file = written_file(
        tmp_path, ("However, it rained. It is often so.", "It is a big change. It often helps.")
    )
    audit = JudgeAuditSettings(dataset=file, limit=1)
    cost = audit_cost(load_data(audit, "document_qa"), audit, epochs=2)
    assert cost.total("evaluated model").requests == 2 * (27 + 1)
    assert sum(requests(cost).values()) == cost.total("evaluated model").requests


SENTENCE = "The ferry left the harbour at nine and came back at ten. "
LONG = SENTENCE * (WORDS_PER_FACTS_REQUEST // len(SENTENCE.split()) + 1)


def written_file(tmp_path: Path, *pairs: tuple[str, str], source: str | None = LONG) -> str:
    """A file of one source with these annotated pairs."""
    rows = [
        {"id": str(number), "prompt": "What happened?", "source": source, "group": "ferry",
         "response_a": a, "response_b": b, "preference": "a"}
        for number, (a, b) in enumerate(pairs)
    ]  # fmt: skip
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    return str(file)


def test_equal_long_and_sourceless_responses_are_counted_as_a_run_asks(tmp_path: Path) -> None:
    for source in (LONG, None):
        file = written_file(
            tmp_path, ("It left.", LONG), ("It left.", "It came."), ("Late.", "Late."),
            source=source,
        )  # fmt: skip
        data = load_preferences(file, task="document_qa")
        cost = estimated("document_qa", data=data, setting="discrimination")
        assert requests(cost) == {
            "generation": 0,
            "discrimination": 6,
            "own pairs": 0,
            "key facts": int(source is not None),
            "facts": 3 + 2,  # four texts, one of them in two parts
            "judged": 4,  # not the pair of equal texts
        }
        assert requests(cost) == asked_in_a_run(
            "document_qa", tmp_path, "planted/balanced", dataset=file, setting="discrimination"
        )


@pytest.mark.parametrize("task", TASKS)
def test_the_documented_bound_holds_and_is_reached_with_sources(task: str) -> None:
    data = load_preferences("demo", task=task)
    cost = estimated(task)
    facts = judged = 0
    for source in data.sources:
        texts = {text for pair in source.pairs for text in (pair.response_a, pair.response_b)}
        facts += 5 + len(texts) + (task != "instruction_following")
        judged += 2 * (10 + len(source.pairs))
    asked = requests(cost)
    assert asked["key facts"] + asked["facts"] == facts
    assert asked["judged"] == judged
    assert asked["generation"] == 5 * len(data.sources)
    assert asked["discrimination"] == 2 * cost.n_pairs
    assert asked["own pairs"] == 2 * 10 * len(data.sources)


def test_totals_are_sums_of_their_role() -> None:
    cost = estimated("summarization")
    counts = cost.by_purpose
    assert cost.total("evaluated model") == (
        counts["generation"] + counts["discrimination"] + counts["own pairs"]
    )
    grader = cost.total("grader")
    assert grader.requests == 1008
    assert grader.input_tokens == sum(counts[p].input_tokens for p in PURPOSES["grader"])


def test_epochs_multiply_everything() -> None:
    once, thrice = estimated("document_qa"), estimated("document_qa", epochs=3)
    for purpose, count in once.by_purpose.items():
        found = thrice.by_purpose[purpose]
        assert found.requests == 3 * count.requests
        assert found.input_tokens == pytest.approx(3 * count.input_tokens, abs=2)


def test_tokens_of_the_evaluated_model_follow_the_texts() -> None:
    data = load_preferences("demo", task="summarization", limit=1, max_pairs_per_source=1)
    (source,) = data.sources
    (pair,) = source.pairs
    cost = estimated("summarization", data=data, scores=(1, 5), orders=1).by_purpose
    assert cost["discrimination"].output_tokens == TOKENS_PER_VERDICT
    material = len(source.source) + len(pair.response_a) + len(pair.response_b)
    shown = cost["discrimination"].input_tokens * CHARACTERS_PER_TOKEN
    assert material < shown < material + 1000
    mean = (len(pair.response_a) + len(pair.response_b)) / 2
    written = cost["generation"].output_tokens * CHARACTERS_PER_TOKEN / 2
    assert written == pytest.approx(mean, rel=0.1)


def test_longer_responses_and_more_labels_cost_more_of_the_grader(tmp_path: Path) -> None:
    def facts(text: str, factors: str) -> RequestCount:
        data = load_preferences(written_file(tmp_path, (text, "Late.")), task="document_qa")
        cost = estimated("document_qa", factors, data=data, setting="discrimination")
        return cost.by_purpose["facts"]

    short = facts(SENTENCE, "hallucination")
    longer = facts(SENTENCE * 6, "hallucination")
    more = facts(SENTENCE * 6, "hallucination,off_focus")
    assert short.requests == longer.requests == more.requests == 2
    assert short.output_tokens < longer.output_tokens < more.output_tokens
    assert short.input_tokens < longer.input_tokens < more.input_tokens


def stand_ins(*texts: str, tmp_path: Path) -> Iterator[str]:
    pairs = zip(texts[::2], texts[1::2], strict=True)
    (source,) = load_preferences(written_file(tmp_path, *pairs), task="document_qa").sources
    yield from stand_in_responses(source, (1, 2, 3)).values()


def test_stand_ins_differ_and_are_as_long_as_annotated_responses(tmp_path: Path) -> None:
    texts = ("one two three four", "five six", "Yes", "No")
    found = list(stand_ins(*texts, tmp_path=tmp_path))
    assert len({*found, *texts}) == 3 + 4
    assert {len(text.split()) for text in found} == {2}
    short = ("Yes", "No")
    found = list(stand_ins(*short, tmp_path=tmp_path))
    assert len({*found, *short}) == 3 + 2


def noted(cost: RequestCost, words: str) -> bool:
    return any(words in note for note in cost.notes)


@pytest.mark.parametrize("task", TASKS)
def test_what_batched_grading_saves_is_said_and_is_half_at_least(task: str) -> None:
    single, batched = (
        estimated(task, grading=grading, epochs=2).total("grader")
        for grading in ("single", "batched")
    )
    assert noted(
        estimated(task, epochs=2),
        f"grading=batched: {batched.requests:,} requests of the grader, ~ "
        f"{batched.input_tokens:,} input and {batched.output_tokens:,} output tokens",
    )
    tokens = [count.input_tokens + count.output_tokens for count in (single, batched)]
    assert batched.requests < single.requests / 4
    assert tokens[1] < tokens[0] / 2
    assert not noted(estimated(task, grading="batched"), "grading=")
    assert not noted(estimated(task, "surface"), "grading=")
    one_response_each = estimated(task, "number_of_facts", setting="discrimination")
    assert noted(one_response_each, "grading=")


def test_the_notes_say_what_exactness_rests_on(tmp_path: Path) -> None:
    core = estimated("summarization")
    assert noted(core, "exact when nothing is cached and nothing is asked again")
    assert noted(core, "different from one another and from the annotated ones")
    assert noted(core, "more than 400 words takes more")
    assert noted(core, "~ tokens are estimates: 4 characters a token")
    assert not noted(core, "average more than")
    assert not noted(core, "later epochs")
    assert not noted(core, "key facts")
    assert not noted(estimated("summarization", setting="discrimination"), "written responses")
    assert noted(estimated("summarization", "length"), "for a repair")
    writes = estimated("summarization", "length", setting="generation")
    assert not noted(writes, "repair")
    assert not noted(estimated("summarization", "fluency"), "words takes more")
    assert noted(estimated("summarization", "source_coverage"), "taken to have key facts")
    assert noted(estimated("summarization", epochs=2), "later epochs")


def test_written_responses_that_may_be_split_are_said_to_be_estimated(tmp_path: Path) -> None:
    data = load_preferences(written_file(tmp_path, (LONG, LONG + "Late.")), task="document_qa")
    words = "average more than 400 words in 1 of 1 sources"
    writes = estimated("document_qa", data=data)
    assert noted(writes, words)
    assert writes.by_purpose["facts"].requests == 2 * (5 + 2)
    assert not noted(estimated("document_qa", data=data, setting="discrimination"), words)
    assert not noted(estimated("document_qa", "fluency", data=data), words)
