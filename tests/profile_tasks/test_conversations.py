"""A conversation of several turns, from a file of other people to the model, in both harnesses."""

import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.model import ChatMessage

from profile_tasks.instruction_following import instruction_following
from profile_tasks.task_configs.generation_task import Generation

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

HI = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
ASKED = {"role": "user", "content": "Name a bird."}


@pytest.fixture
def arena(tmp_path: Path) -> str:
    rows = [
        {
            "question_id": f"q{n}",
            "model_a": "m1",
            "model_b": "m2",
            "winner": "model_a",
            "conversation_a": [*HI, ASKED, {"role": "assistant", "content": f"Wren {n}, a bird."}],
            "conversation_b": [*HI, ASKED, {"role": "assistant", "content": f"Wren {n}."}],
        }
        for n in range(2)
    ]
    path = tmp_path / "arena.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def roles_and_ends(messages: list[Any]) -> list[tuple[str, str]]:
    return [
        (m.role, m.text[-30:]) if isinstance(m, ChatMessage) else (m["role"], m["content"][-30:])
        for m in messages
    ]


def test_a_writer_is_asked_in_the_conversation_and_a_judge_reads_it(
    arena: str, tmp_path: Path
) -> None:
    (log,) = inspect_eval(
        instruction_following(dataset=arena, own_pairs=False),
        model="planted/verbose",
        display="none",
        log_realtime=False,
        log_dir=str(tmp_path / "logs"),
    )
    assert log.status == "success"
    assert log.samples is not None
    asked = [event.input for event in log.samples[0].events if event.event == "model"]
    writing = [messages for messages in asked if len(messages) > 1]
    assert len(writing) == 5
    assert roles_and_ends(writing[0])[:2] == [("user", "Hi."), ("assistant", "Hello.")]
    assert log.eval.metadata is not None
    assert log.eval.metadata["data_read_as"].startswith("read as format arena (")
    judging = [messages[0].text for messages in asked if len(messages) == 1]
    whole = "".join([*judging, *log.samples[0].attachments.values()])
    assert "User: Hi.\n\nAssistant: Hello.\n\nUser: Name a bird." in whole


def test_lm_eval_asks_in_the_conversation_where_it_applies_a_chat_template(arena: str) -> None:
    task = Generation(
        {
            "task": "profile_instruction_following_generation",
            "profile_task": "instruction_following",
            "metadata": {"dataset": arena, "limit": 1},
        }
    )
    (doc,) = task.test_docs()
    chats: list[list[dict[str, str]]] = []

    def template(messages: list[dict[str, str]]) -> str:
        chats.append(messages)
        return "chat"

    as_chat = task.construct_requests(doc, "", apply_chat_template=True, chat_template=template)
    as_text = task.construct_requests(doc, "")
    assert len(as_chat) == len(as_text) == 5
    assert [(m["role"], m["content"]) for m in chats[0][:2]] == [
        ("user", "Hi."),
        ("assistant", "Hello."),
    ]
    assert "Hello." not in chats[0][2]["content"]
    assert "User: Hi.\n\nAssistant: Hello." in as_text[0].args[0]
