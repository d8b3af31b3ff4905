"""Planted models as a batch endpoint: a file of planned requests in, a file of answers out.

    python -m profile_tasks.planted.batch study/requests-1/*.jsonl -o answers.jsonl

In place of ``vllm run-batch`` or a provider, to see how the way through files goes. Simulations:
what they answer is no evidence about any model.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import click
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    ModelOutput,
    ModelUsage,
)

from profile_tasks.data.task_definition import read_definition
from profile_tasks.planted.provider import PlantedAPI
from profile_tasks.solvers.simulated_answers import SIMULATED
from profile_tasks.whole_files import write_whole

_CHAT = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


@click.command()
@click.argument(
    "requests",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--task", help="The YAML file of a task of yours, where the requests are of one.")
def main(requests: tuple[Path, ...], output: Path, task: str | None) -> None:
    """Answer files of planned requests by the planted models that they name."""
    lines = [line for path in requests for line in path.read_text("utf-8").splitlines()]
    try:
        if task is not None:  # a planted model knows the words of tasks that were read
            read_definition(task)
        answered = anyio.run(answers, lines)
    except ValueError as error:
        meant = "; --task names the YAML file of a task of yours" if task is None else ""
        raise click.ClickException(f"{error}{meant}") from error
    write_whole(output, "".join(f"{line}\n" for line in answered))
    click.echo(f"{output}: {len(lines)} answers, SIMULATED")


async def answers(lines: Sequence[str]) -> list[str]:
    """The answers to planned requests, as a batch endpoint writes them.

    Raises:
        ValueError: A request names no planted model, or is none that it answers.
    """
    return [json.dumps(await _answer(json.loads(line))) for line in lines]


async def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    body = request["body"]
    messages: list[ChatMessage] = [
        _CHAT[each["role"]](content=each["content"]) for each in body["messages"]
    ]
    config = GenerateConfig(temperature=body.get("temperature"), seed=body.get("seed"))
    planted = PlantedAPI(body["model"].removeprefix(SIMULATED))
    output = await planted.generate(messages, [], "none", config)
    return {
        "id": f"answer-{request['custom_id']}",
        "custom_id": request["custom_id"],
        "response": {"status_code": 200, "body": _completion(body["model"], output)},
        "error": None,
    }


def _completion(model: str, output: ModelOutput) -> dict[str, Any]:
    usage = output.usage or ModelUsage()
    message = {"role": "assistant", "content": output.completion}
    return {
        "id": "simulated",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": usage.input_tokens,
            "completion_tokens": usage.output_tokens,
            "total_tokens": usage.total_tokens,
        },
    }


if __name__ == "__main__":
    main()
