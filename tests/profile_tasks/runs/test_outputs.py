"""What systems answered in finished runs of any task: real logs of both harnesses are read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.dataset import Sample
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentReasoning,
    ContentText,
    ModelOutput,
)
from inspect_ai.scorer import Score, accuracy, includes, scorer
from inspect_ai.solver import generate, prompt_template, solver, system_message

from profile_tasks.runs.outputs import Fields, Output, read_outputs

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

Logged = Callable[..., str]


def outputs(location: str, **fields: str) -> dict[str, Output]:
    return {output.id: output for output in read_outputs(location, Fields(**fields)).outputs}


# Inspect -----------------------------------------------------------------------------------------


def test_an_answer_is_its_text_without_thoughts(logged: Logged) -> None:
    parts: list[Content] = [
        ContentReasoning(reasoning="Let me see."),
        ContentText(text="First."),
        ContentText(text="Second."),
    ]
    in_parts = ModelOutput.from_message(ChatMessageAssistant(content=parts), "stop")
    answers = {"parts": in_parts, "tags": "<think>Well.</think>\nThird.", "plain": "Fourth."}
    found = outputs(logged([Sample(input=name, id=name) for name in answers], answers))
    texts = {name: (each.text, each.flaw) for name, each in found.items()}
    assert texts == {
        "parts": ("First.\nSecond.", None),
        "tags": ("Third.", None),
        "plain": ("Fourth.", None),
    }


def stopped(reason: Any, text: str = "A text.") -> ModelOutput:
    return ModelOutput.from_content("mockllm/model", text, reason)


def refusal() -> ModelOutput:
    part = ContentText(text="I cannot.", refusal=True)
    return ModelOutput.from_message(ChatMessageAssistant(content=[part]), "stop")


@pytest.mark.parametrize(
    ("answer", "flaw"),
    [
        ("", "empty answer"),
        ("<think>Without end", "empty answer"),
        (ModelOutput.for_tool_call("mockllm/model", "search", {}, content=" "), "empty answer"),
        (stopped("content_filter"), "refused (content filter)"),
        (refusal(), "refused (content filter)"),
        (stopped("max_tokens"), "answer cut off by a limit"),
        (stopped("model_length"), "answer cut off by a limit"),
        (ValueError("the server is down"), "sample failed or was invalidated"),
        ("I'm sorry, but I cannot help.", None),  # what a model says is its answer
    ],
)
def test_what_cannot_stand_in_a_pair_has_a_flaw(logged: Logged, answer: Any, flaw: str) -> None:
    log = logged(
        [Sample(input="Say it.", id="s")], {"Say it.": answer}, solver=generate(tool_calls="none")
    )
    assert outputs(log)["s"].flaw == flaw


def test_a_model_that_was_not_asked_has_no_answer(logged: Logged) -> None:
    log = logged([Sample(input="Say it.", id="s")], {}, solver=system_message("Be brief."))
    assert outputs(log)["s"].flaw == "empty answer"


def test_a_limit_of_the_sample_cuts_its_answer_off(logged: Logged) -> None:
    log = logged([Sample(input="Say it.", id="s")], {"Say it.": "A."}, message_limit=1)
    assert outputs(log)["s"].flaw == "answer cut off by a limit"


def test_an_invalidated_sample_is_none(logged: Logged, tmp_path: Path) -> None:
    from inspect_ai.log import ProvenanceData

    log = read_eval_log(logged([Sample(input="Say it.", id="s")], {"Say it.": "A."}))
    assert log.samples
    log.samples[0].invalidation = ProvenanceData(author="me", reason="wrong data")
    write_eval_log(log, str(tmp_path / "invalid.eval"))
    found = outputs(str(tmp_path / "invalid.eval"))
    assert found["s"].flaw == "sample failed or was invalidated"


def test_why_an_answer_ended_may_be_unknown(logged: Logged) -> None:
    log = logged([Sample(input="Say it.", id="s")], {"Say it.": stopped("unknown")})
    assert (outputs(log)["s"].flaw, outputs(log)["s"].ended) == (None, False)


def test_a_request_is_the_one_that_was_sent(logged: Logged) -> None:
    log = logged(
        [Sample(input="A text.", id="s")],
        {"Sum up: A text.": "Text."},
        solver=[system_message("Be brief."), prompt_template("Sum up: {prompt}"), generate()],
    )
    found = outputs(log)["s"]
    assert found.prompt == "A text."
    assert found.sent == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Sum up: A text."},
    ]


def test_the_request_for_a_second_answer_is_not_told(logged: Logged) -> None:
    @solver
    def again() -> Any:
        async def solve(state: Any, generate: Any) -> Any:
            state = await generate(state)
            state.messages.append(ChatMessageUser(content="Again."))
            return await generate(state)

        return solve

    log = logged([Sample(input="Say.", id="s")], {"Say.": "A.", "Again.": "B."}, solver=again())
    found = outputs(log)["s"]
    assert (found.prompt, found.sent, found.text) == ("Say.", None, "B.")


def test_an_input_of_several_turns_is_a_list_of_messages(logged: Logged) -> None:
    turns = [
        ChatMessageSystem(content="Be brief."),
        ChatMessageUser(content="Hi"),
        ChatMessageAssistant(content="Hello"),
        ChatMessageUser(content=[ContentText(text="And"), ContentText(text="you?")]),
    ]
    log = logged([Sample(input=turns, id="s")], {"And\nyou?": "Fine."})
    found = outputs(log)["s"]
    expected = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "And\nyou?"},
    ]
    assert found.prompt == found.sent == expected


def test_one_message_is_the_same_input_as_its_text(logged: Logged) -> None:
    one = [ChatMessageUser(content="Hi")]
    log = logged([Sample(input="Hi", id=1), Sample(input=one, id=2)], {"Hi": "Hello"})
    found = outputs(log)
    assert found["1"].key == found["2"].key
    assert found["2"].prompt == "Hi"


def test_an_input_with_an_image_cannot_be_judged_by_its_text(logged: Logged) -> None:
    parts: list[Content] = [ContentText(text="What?"), ContentImage(image="data:image/png;base64,")]
    log = logged([Sample(input=[ChatMessageUser(content=parts)], id="s")], {"What?": "A dog."})
    assert outputs(log)["s"].flaw == "input is not text alone"


def test_scores_of_the_run_are_numbers_by_scorer(logged: Logged) -> None:
    @scorer(metrics=[accuracy()], name="rouge,x")
    def rouge() -> Any:
        async def score(state: Any, target: Any) -> Score:
            return Score(value={"rouge 1": 0.25, "ok": True, "word": "none", "not": float("nan")})

        return score

    log = logged([Sample(input="Say.", target="A", id="s")], {"Say.": "A."}, [includes(), rouge()])
    assert outputs(log)["s"].scores == {"includes": 1.0, "rouge_x_rouge_1": 0.25, "rouge_x_ok": 1.0}


def test_one_target_is_a_reference_and_several_are_none(logged: Logged) -> None:
    samples = [
        Sample(input="a", target="One.", id="a"),
        Sample(input="b", target=["One.", "Two."], id="b"),
        Sample(input="c", id="c"),
    ]
    found = outputs(logged(samples, {each.input: "A." for each in samples}))
    assert [each.reference for each in found.values()] == ["One.", None, None]


def test_named_metadata_are_the_request_and_the_source(logged: Logged) -> None:
    data = {"question": "Why?", "article": "A long text."}
    log = logged([Sample(input="Q", id="s", metadata=data)], {"Q": "A."})
    found = outputs(log, prompt="question", source="article")["s"]
    assert (found.prompt, found.sent, found.source) == ("Why?", "Why?", "A long text.")
    with pytest.raises(
        ValueError, match=r"sample 's': its data hold no text 'post'; texts there: "
    ):
        outputs(log, source="post")


def test_a_log_in_json_reads_as_its_zip(logged: Logged, tmp_path: Path) -> None:
    log = logged([Sample(input="a", target="A", id="a")], {"a": stopped("max_tokens")}, epochs=2)
    write_eval_log(read_eval_log(log), str(tmp_path / "log.json"), format="json")
    zipped, plain = (read_outputs(each, Fields()) for each in (log, str(tmp_path / "log.json")))
    assert zipped.outputs == plain.outputs
    assert [output.epoch for output in zipped.outputs] == [1, 2]


def test_half_characters_are_replaced(logged: Logged, tmp_path: Path) -> None:
    log = read_eval_log(logged([Sample(input="a", id="a")], {"a": "A."}))
    write_eval_log(log, str(tmp_path / "log.json"), format="json")
    text = (tmp_path / "log.json").read_text(encoding="utf-8")
    (tmp_path / "half.json").write_text(
        text.replace('"content": "A."', '"content": "A.\\ud83d"'), encoding="utf-8"
    )
    assert outputs(str(tmp_path / "half.json"))["a"].text == "A.\N{REPLACEMENT CHARACTER}"


# This project's own runs -------------------------------------------------------------------------


def test_of_a_run_of_this_project_the_text_for_the_highest_score_is_taken(inspect_log: Any) -> None:
    from profile_tasks.runs.inspect_log import answers, open_log

    log = str(inspect_log("verbose", setting="generation"))
    written = list(answers(open_log(log)))
    run = read_outputs(log, Fields())
    assert run.score == 5
    assert [output.text for output in run.outputs] == [each.texts[5] for each in written]
    assert [output.source for output in run.outputs] == [each.source.source for each in written]
    assert {output.task for output in run.outputs} == {"summarization"}


def test_the_samples_that_lm_eval_writes_of_it_hold_the_same_texts(
    inspect_log: Any, lm_eval_samples: Callable[..., Path]
) -> None:
    ours = outputs(str(inspect_log("verbose", setting="generation")))
    theirs = read_outputs(str(lm_eval_samples("generation")), Fields())
    assert (theirs.score, theirs.system) == (5, "planted/verbose")
    for output in theirs.outputs:
        assert (output.key, output.text) == (ours[output.id].key, ours[output.id].text)


def test_a_run_of_this_project_that_wrote_nothing_is_refused(
    inspect_log: Any, lm_eval_samples: Callable[..., Path]
) -> None:
    refused = (
        inspect_log("verbose", setting="discrimination"),
        inspect_log("concise", "summarization_self_guided", limit=2),
        lm_eval_samples("discrimination"),
    )
    for file in refused:
        with pytest.raises(ValueError, match=r"no text was written .* setting generation or both"):
            read_outputs(str(file), Fields())


# lm-eval -----------------------------------------------------------------------------------------

DOCUMENTS = [
    {"question": "One?", "article": "First text.", "answer": "1"},
    {"question": "Two?", "article": "Second text.", "answer": "2"},
]


def test_samples_of_lm_eval_hold_what_was_generated(evaluated: Callable[..., Path]) -> None:
    samples = evaluated(DOCUMENTS, lambda request: f"<think>Hm.</think>{request.split()[-1]} Yes.")
    run = read_outputs(str(samples), Fields())
    assert (run.system, run.harness) == ("told/one", "lm-eval")
    first, second = run.outputs
    assert (first.id, first.text, first.reference) == ("0", "One? Yes.", "1")
    assert second.sent == "Read: Second text. Two?"
    assert (second.prompt, second.ended) == (None, False)


def test_filters_and_repeats_are_of_the_same_answers(evaluated: Callable[..., Path]) -> None:
    filters = [
        {"name": "whole", "filter": [{"function": "take_first"}]},
        {
            "name": "number",
            "filter": [
                {"function": "regex", "regex_pattern": "([0-9])"},
                {"function": "take_first"},
            ],
        },
    ]
    once = evaluated(DOCUMENTS, lambda _: "It is 1.", filter_list=filters)
    (first, _) = read_outputs(str(once), Fields()).outputs
    assert first.text == "It is 1."
    assert first.scores == {"exact_match_whole": 0.0, "exact_match_number": 1.0}
    twice = evaluated(DOCUMENTS, lambda _: "It is 1.", filter_list=filters, repeats=2)
    run = read_outputs(str(twice), Fields())
    assert [(output.id, output.epoch) for output in run.outputs] == [
        ("0", 1), ("0", 2), ("1", 1), ("1", 2),
    ]  # fmt: skip
    assert not any(output.scores for output in run.outputs)


def test_an_answer_of_lm_eval_that_is_missing_is_empty(evaluated: Callable[..., Path]) -> None:
    answers = iter([None, " "])
    samples = evaluated(DOCUMENTS, lambda _: next(answers), metric_list=[{"metric": "bypass"}])
    run = read_outputs(str(samples), Fields())
    assert [output.flaw for output in run.outputs] == ["empty answer"] * 2


def test_messages_for_a_chat_api_are_read_as_messages(evaluated: Callable[..., Path]) -> None:
    samples = evaluated(DOCUMENTS, lambda _: "Yes.", chat=True, system="Be brief.")
    first, _ = read_outputs(str(samples), Fields()).outputs
    assert first.sent == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Read: First text. One?"},
    ]


def test_named_fields_of_the_document_are_read(evaluated: Callable[..., Path]) -> None:
    samples = str(evaluated(DOCUMENTS, lambda _: "Yes."))
    first = outputs(samples, prompt="question", source="article")["0"]
    assert (first.prompt, first.sent, first.source) == ("One?", "One?", "First text.")
    with pytest.raises(ValueError, match=r":1: its data hold no text 'query'; texts there: quest"):
        outputs(samples, prompt="query")


def test_likelihoods_are_no_texts(evaluated: Callable[..., Path]) -> None:
    samples = evaluated(
        DOCUMENTS, lambda _: "", output_type="multiple_choice", doc_to_choice=["1", "2"],
        metric_list=[{"metric": "acc"}],
    )  # fmt: skip
    with pytest.raises(ValueError, match=r":1: not one generated text .* generate_until"):
        read_outputs(str(samples), Fields())


# What is no run ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("x.jsonl", "{", r"x.jsonl:1: not JSON"),
        ("x.jsonl", "[]", r"x.jsonl:1: not a JSON object"),
        ("x.jsonl", '{"id": 1}', r"x.jsonl:1: no sample of lm-eval .*--log_samples"),
        ("x.jsonl", "", r"holds no samples"),
        ("x.eval", "x", r"not an Inspect log"),
        ("results.json", '{"results": {}}', r"neither an Inspect log nor samples .*--log_samples"),
    ],
)
def test_what_is_no_run_is_said(tmp_path: Path, name: str, content: str, problem: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=problem):
        read_outputs(str(tmp_path / name), Fields())


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for name in ("none.jsonl", "none.eval"):
        with pytest.raises(FileNotFoundError, match=name):
            read_outputs(str(tmp_path / name), Fields())
    with pytest.raises(ValueError, match="a folder; name the log in it"):
        read_outputs(str(tmp_path), Fields())


def test_a_document_that_stands_twice_is_refused(
    evaluated: Callable[..., Path], tmp_path: Path
) -> None:
    text = evaluated(DOCUMENTS, lambda _: "Yes.").read_text(encoding="utf-8")
    (tmp_path / "twice.jsonl").write_text(text + text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"twice.jsonl:3: document 0 stands in the file twice"):
        read_outputs(str(tmp_path / "twice.jsonl"), Fields())
    assert json.loads(text.splitlines()[0])["doc_id"] == 0
