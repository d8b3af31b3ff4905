"""The requests a model is sent, as text and back.

Untrusted texts (sources, responses) stand in sections of their own. ``parse_request`` is the exact
inverse of ``render``: the planted annotator and the tests read requests with it.
"""

from dataclasses import dataclass, replace

from profile_tasks.data.conversation import Message
from profile_tasks.data.task_definition import TaskDefinition, definition_of, known_definitions
from profile_tasks.solvers.prompts import STANDARD, judging_prompt, read_template, wordings
from profile_tasks.solvers.sections import read_sections, render_sections


@dataclass(frozen=True)
class GenerationRequest:
    """Write one response for a target score.

    Attributes:
        task: The key of the task, by whose definition is asked.
        prompt: The instruction or question.
        source: The document, or None where there is none.
        score: Target score, ``low <= score <= high``.
        low: The worst score of the scale.
        high: The best score of the scale.
        conversation: The turns of the prompt, where it has several.
    """

    task: str
    prompt: str
    source: str | None
    score: int
    low: int = 1
    high: int = 5
    conversation: tuple[Message, ...] = ()

    def messages(self) -> list[Message]:
        """The request as a chat model is asked: the last turn asks, the others were said before."""
        return _in_conversation(self)

    def render(self) -> str:
        """The text of the request."""
        task = definition_of(self.task)
        sections = render_sections(task.shown(self.prompt, self.source))
        return task.prompts.write.format(
            score=self.score, low=self.low, high=self.high, sections=sections
        )


@dataclass(frozen=True)
class NeutralRequest:
    """Write one response; no score is named.

    Attributes:
        task: The key of the task, by whose definition is asked.
        prompt: The instruction or question.
        source: The document, or None where there is none.
        conversation: The turns of the prompt, where it has several.
    """

    task: str
    prompt: str
    source: str | None
    conversation: tuple[Message, ...] = ()

    def messages(self) -> list[Message]:
        """The request as a chat model is asked: the last turn asks, the others were said before."""
        return _in_conversation(self)

    def render(self) -> str:
        """The text of the request."""
        task = definition_of(self.task)
        sections = render_sections(task.shown(self.prompt, self.source))
        return task.prompts.write_neutral.format(sections=sections)


def _in_conversation(request: GenerationRequest | NeutralRequest) -> list[Message]:
    *before, last = request.conversation or (Message(role="user", content=request.prompt),)
    asked = replace(request, prompt=last.content, conversation=()).render()
    return [*before, Message(role="user", content=asked)]


@dataclass(frozen=True)
class DiscriminationRequest:
    """Pick the better of two responses, shown in this order.

    Attributes:
        task: The key of the task, by whose definition is asked.
        prompt: The instruction or question.
        source: The document, or None where there is none.
        response_a: The response shown first.
        response_b: The response shown second.
        wording: Which of ``wordings`` asks.
    """

    task: str
    prompt: str
    source: str | None
    response_a: str
    response_b: str
    wording: str = STANDARD

    @property
    def material(self) -> tuple[str, ...]:
        """The texts that are shown, which an answer may quote."""
        shown = (self.prompt, self.source, self.response_a, self.response_b)
        return tuple(text for text in shown if text is not None)

    def render(self) -> str:
        """The text of the request."""
        sections = render_sections(
            {
                **definition_of(self.task).shown(self.prompt, self.source),
                "response_a": self.response_a,
                "response_b": self.response_b,
            }
        )
        return judging_prompt(self.task, self.wording).format(sections=sections)


Request = GenerationRequest | NeutralRequest | DiscriminationRequest


def parse_request(text: str) -> Request:
    """Read a rendered request back; of tasks that this process knows.

    Raises:
        ValueError: The text is not a request of this project.
    """
    for task in known_definitions():
        if (found := _request_of(task, text)) is not None:
            return found
    raise ValueError(f"not a request of profile-tasks: {text[:80]!r}")


def _request_of(task: TaskDefinition, text: str) -> Request | None:
    """The request that the text is by this definition; None where it is none."""
    if (asked := read_template(task.prompts.write, text)) is not None:
        prompt, source = _material(task, asked)
        score, low, high = (int(asked[name]) for name in ("score", "low", "high"))
        return GenerationRequest(task.key, prompt, source, score, low, high)
    if (asked := read_template(task.prompts.write_neutral, text)) is not None:
        return NeutralRequest(task.key, *_material(task, asked))
    for wording in wordings():
        if (asked := read_template(judging_prompt(task.key, wording), text)) is not None:
            tags = (*task.shown("", None), "response_a", "response_b")
            shown = read_sections(asked["sections"], tags)[1]
            about = (shown[tags[0]], shown.get(tags[1]), shown["response_a"], shown["response_b"])
            return DiscriminationRequest(task.key, *about, wording)
    return None


def _material(task: TaskDefinition, asked: dict[str, str]) -> tuple[str, str | None]:
    """The prompt and the source in a request's sections."""
    prompt, source = task.shown("", None)
    shown = read_sections(asked["sections"], (prompt, source))[1]
    return shown[prompt], shown.get(source)
