"""Several questions about one source in one request, which shows the source once.

The answer holds a numbered entry for each question, and each entry is read as the answer to its
question alone would be.
"""

from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from profile_tasks.scorers.factors.grader_answer import (
    GraderRequest,
    Reading,
    UnreadableAnswerError,
    object_schema,
    own_objects,
)

_T = TypeVar("_T")


class Batchable(GraderRequest[_T], Protocol[_T]):
    """A question that may be asked together with others of its kind."""

    @property
    def material(self) -> tuple[str, ...]:
        """The untrusted texts that are shown."""
        ...

    def reading(self, contents: Sequence[Mapping[str, Any]]) -> Reading[_T]:
        """What the grader's objects say, at least one; a later one counts as ``read`` has it."""
        ...


_R = TypeVar("_R", bound=Batchable[Any])


@dataclass(frozen=True)
class Batch(Generic[_R, _T]):
    """Questions about one source that are alike.

    Attributes:
        requests: The questions, at least one, each with an entry of the answer by its number from
            1 on.
    """

    requests: tuple[_R, ...]

    entries: ClassVar[str]
    """Under which key the entries stand."""
    number: ClassVar[str]
    """Under which key of an entry its number stands."""

    @staticmethod
    @abstractmethod
    def alike(request: _R) -> Hashable:
        """What the questions of a batch have in common."""

    @classmethod
    @abstractmethod
    def fit(cls, requests: Sequence[_R]) -> bool:
        """Whether so much may be asked at once."""

    @abstractmethod
    def render(self) -> str:
        """The text of the request."""

    @classmethod
    def packed(cls, requests: Sequence[_R], apart: Sequence[Hashable]) -> list[list[int]]:
        """Which requests go together, by their places.

        Args:
            requests: Questions about one source.
            apart: For each of them, what those that go together share besides.
        """
        packs: dict[Hashable, list[list[int]]] = {}
        for place, request in enumerate(requests):
            of_kind = packs.setdefault((apart[place], cls.alike(request)), [[]])
            if of_kind[-1] and not cls.fit([requests[i] for i in (*of_kind[-1], place)]):
                of_kind.append([])
            of_kind[-1].append(place)
        return [pack for of_kind in packs.values() for pack in of_kind]

    def form_of(self, form: str) -> str:
        """The answer's form as the grader is shown it, from that of one question."""
        return f'{{"{self.entries}": [{{"{self.number}": 1, {form.removeprefix("{")}, ...]}}'

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        number = {self.number: {"type": "integer"}}
        entry = object_schema(number | self.requests[0].schema()["properties"])
        return object_schema({self.entries: {"type": "array", "items": entry}})

    def read(self, *answers: str) -> Reading[tuple[_T | None, ...]]:
        """What is said on each question, None where nothing is; what lacks costs no other."""
        shown = dict.fromkeys(text for request in self.requests for text in request.material)
        try:
            contents = own_objects(answers, [self.entries], list(shown))
        except UnreadableAnswerError as error:
            return Reading(None, (str(error),))
        listed = [self._by_number(content.get(self.entries)) for content in contents]
        readable = [entries.value for entries in listed if entries.value is not None]
        if not readable:
            return Reading(None, listed[-1].problems)
        read: list[Reading[_T]] = [
            self._of(request, [entries[n] for entries in readable if n in entries])
            for n, request in enumerate(self.requests, start=1)
        ]
        return Reading(
            tuple(reading.value for reading in read),
            tuple(
                f"{self.number} {n}: {problem}"
                for n, reading in enumerate(read, start=1)
                for problem in reading.problems
            ),
        )

    def _of(self, request: _R, entries: Sequence[Mapping[str, Any]]) -> Reading[_T]:
        if not entries:
            return Reading(None, (f'"{self.entries}" must hold one entry of it',))
        found: Reading[_T] = request.reading(entries)
        return found

    def _by_number(self, entries: object) -> Reading[dict[int, Mapping[str, Any]]]:
        """The entries by their numbers, without those whose number several have.

        A number that there is not, as of an answer that counts from 0, makes all the others
        doubtful too.
        """
        last = len(self.requests)
        if not isinstance(entries, list):
            return Reading(None, (f'"{self.entries}" must be a list of objects',))
        found: dict[int, list[Mapping[str, Any]]] = {}
        for entry in entries:
            number = entry.get(self.number) if isinstance(entry, dict) else None
            if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= last:
                problem = f'each entry of "{self.entries}" needs a "{self.number}" from 1 to {last}'
                return Reading(None, (problem,))
            found.setdefault(number, []).append(entry)
        return Reading({number: same[0] for number, same in found.items() if len(same) == 1})
