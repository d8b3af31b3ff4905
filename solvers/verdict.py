r"""Reading a pairwise verdict from what a model wrote.

A wrong reading is worse than none: an unreadable verdict is asked for once more, then missing and
counted; a wrong one is a vote that nobody cast. So nothing is concluded from prose, and this is all
that counts (docs/verdicts.md shows it with examples):

    verdict line  :=  [my | the | final | overall] "Verdict" [":" | "is" | "-" | ">"]  choice
    statement     :=  the first or the last line, where it is a choice and nothing else
    choice        :=  name [reason] | name ">" name | name "is better" [than name] [reason] | tie
    name          :=  [the] [Response | Answer | ...] (A | B | 1 | 2) | the first | the latter | ...

Letters count in any decoration that models add (bold, brackets, ``\boxed``, a JSON object with a
verdict in it). A verdict line counts wherever it stands in the final answer, alone on its line;
a statement only where there is no verdict line. Thoughts, quotations of what the model was shown,
and lines with two verdicts (the instruction, echoed) are no verdict lines. Two that differ count
only where the model says between them that it corrects itself.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from profile_tasks.solvers import verdict_words as words
from profile_tasks.solvers.final_answer import final_answer
from profile_tasks.solvers.json_object import json_objects

Verdict = Literal["A", "B", "tie"]


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE | re.DOTALL)


# The grammar -------------------------------------------------------------------------------------

_FIRST = frozenset({"a", "1", "i", "one", "first", "former", "1st"})
_NAME = (
    rf"(?:the\s+)?(?:(?:{words.NOUN})[\s_-]{{0,3}}(?P<mark>[AB12]|II|I|one|two)(?!\w|'\w)"
    rf"|(?P<letter>[AB])(?!\w|'\w)|(?P<place>{words.PLACE})(?:\s+(?:one|{words.NOUN}))?\b)"
)
_OTHER = rf"(?:the\s+other(?:\s+one)?|(?:(?:{words.NOUN})\s+)?[AB12](?!\w))"
_DECORATED = r"[\s\"'(\[{<*_`#|>-]*"
_CLOSED = r"[\s.!*_`\"'\])}>]*"
_REASON = (
    r"(?:(?:\s*[,;.:(!–—]|\s+-)\s*(?P<reason>.*)"
    r"|\s+(?P<because>(?:because|since|as|for|due\s+to|given)\b.*))"
)
_CHOICE = _pattern(
    rf"[\s\"'(\[{{<*_`#]*(?:{_NAME})[\"')\]}}*_`]{{0,6}}"
    rf"(?:\s*(?P<order>>{{1,3}}|<{{1,3}}|={{1,2}})\s*(?:(?:{words.NOUN})\s*)?(?P<other>[AB12])(?!\w)"
    rf"|\s*(?P<better>{words.BETTER})(?:\s+(?:than|over)\s+{_OTHER})?(?:\s+overall)?)?"
    rf"(?:{_CLOSED}|{_REASON})"
)
_TIE = _pattern(rf"[\s\"'(\[{{*_`]*(?:{words.TIE})(?:{_CLOSED}|{_REASON})")
_NUMBER = _pattern(rf"[\s\"'(\[*_`]*#?([12])(?!\w){_CLOSED}")
_BARE = r"[\s\"'*_`#]*(?:\(([AB])\)|\[([AB])\]|([AB]))[\s.!\"'*_`]*"
_VERDICT_LINE = _pattern(
    rf"{_DECORATED}(?:(?:assistant|model|judge|ai|output)\s*:\s*)?{words.BEFORE_LABEL}"
    rf"(?:{words.VERDICT})[\"'*_`\])]*(?P<separator>\s*(?:[:=→–—>-]+|\bis\b\s*:?|は)|\s+|\s*$)"
    r"(?P<value>.*)"
)
_LABELLED = _pattern(
    rf"{_DECORATED}{words.OPENING}*(?P<label>{words.BEFORE_LABEL}{words.LABEL})"
    r"(?:\s+(?:here|of\s+the\s+two))?[\"'*_`\])]*"
    r"\s*(?:[:=→–—|]+|\b(?P<sentence>is)\b(?:\s+(?:clearly|definitely))?\s*:?)(?P<value>.*)"
)
_CHOOSES = _pattern(
    rf"[\s*_`]*{words.OPENING}*(?:{words.CHOOSES})\s*(?P<value>.*?)(?:(?<=\s)(?:better|preferable)[.!]?)?"
    rf"(?:\s+over\s+{_OTHER}[.!]?)?\s*"
)
_STATES = _pattern(rf"[\s*_`]*(?P<opening>{words.OPENING}*)(?P<value>.*)")

_NAMED = (
    rf"(?<![\w'])(?:(?:{words.NOUN})[\s_-]{{0,3}})?(?P<letter>[AB12]|first|second)(?![\w'])"
    rf"(?:\s+(?:{words.NOUN}|one))?"
)
_CALLED_BETTER = rf"{_NAMED}\s+(?:{words.BETTER}|should\s+be\s+preferred|it\s+is)"
_SAYS_BETTER = _pattern(_CALLED_BETTER)
_CONCLUDED = _pattern(rf"\b(?:therefore|thus|hence|so|overall|in\s+conclusion)\W+{_CALLED_BETTER}")
_MENTIONED = re.compile(r"(?<![\w'])(?P<letter>[AB])(?![\w'])")
_ANY_VERDICT = _pattern(rf"\b(?:{words.VERDICT})\W{{0,6}}(?:[AB](?!\w)|tie\b)")
_TURN = _pattern(rf"\b(?:{words.TURN})\b|\?|\b(?:verdict|answer)\s*:")
_CORRECTION = _pattern(rf"\b(?:{words.CORRECTION})\b")
_CHOOSING = _pattern(rf"\b(?:{words.CHOOSING})\b")
_TAKEN_BACK = _pattern(r"(?:^|\n)\W*(?:wait|correction|no)\b")
_GOES_ON = _pattern(r"\W*(?:and\s+|&\s*)?(?:[AB12]\W*$|[AB]\s*(?:,|and\b|or\b|&))")
_QUIZ = _pattern(r"\b(?:correct|right)\s+(?:answer|option|choice)\b")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)")

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)\w*[ \t]*$", re.MULTILINE)
_STRUCK = re.compile(r"~~[^~\n]*~~")
_LATEX = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\{([^{}]*)\}")
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_MATHS = re.compile(r"\$|\\\[|\\\]|\\\(|\\\)")
_ELEMENT = _pattern(r"<(verdict|answer|choice)>([^<]*)</\1>")
_MARKED = re.compile(r"\[\[([^\[\]]{1,40})\]\]|\[RESULT\]([^\n]*)", re.IGNORECASE)
_BOX, _BOX_END = "\u27e6", "\u27e7"
_IN_BOX = re.compile(f"{_BOX}([^{_BOX_END}]*){_BOX_END}")
_LETTERS = str.maketrans("\u0410\u0412\u0391\u0392“”‘’", "ABAB\"\"''")
"""Cyrillic and Greek letters that look like A and B, and typographic quotes."""
_LONGEST = 1000
"""Characters of a line that may be a verdict; what is longer is prose."""


def read_verdict(
    text: str, *, truncated: bool = False, material: Sequence[str] = ()
) -> Verdict | None:
    r"""The verdict that a model's answer states; None where it states none, or not plainly.

    >>> read_verdict("Both are short, but the first is exact.\n**Verdict: A**")
    'A'
    >>> read_verdict("(B)"), read_verdict("Verdict: tie"), read_verdict('{"verdict": "B"}')
    ('B', 'tie', 'B')
    >>> read_verdict("A > B in brevity, B > A in accuracy; so B, I would say.") is None
    True

    Args:
        text: What the model wrote.
        truncated: It was cut off: then only whole verdict lines count, since what followed could
            have turned the rest round.
        material: The texts that the model was shown; what it quotes of them is no verdict.
    """
    own = final_answer(text, material)
    if own is None:
        return None
    plain = _plain(own)
    said, has_object = _of_object(plain)
    if has_object:
        return said
    lines = [line for line in plain.split("\n") if line.strip()]
    if truncated and not plain.endswith("\n"):
        lines = lines[:-1]
    lines = _without_quotations(lines, material)
    verdicts = list(_verdict_lines(lines))
    in_own_words = [(at, each) for at, each in verdicts if lines[at].lstrip()[0] not in "\"'"]
    if found := in_own_words or verdicts:
        agreed = _agreed(found, lines)
        return None if agreed is None else _unopposed(found[-1][0], agreed, lines)
    return None if truncated or not lines else _stated(lines)


# Verdict lines -----------------------------------------------------------------------------------


def _verdict_lines(lines: Sequence[str]) -> Iterator[tuple[int, Verdict]]:
    """Every verdict line: where it stands, and what it names."""
    for at, line in enumerate(lines):
        if len(line) > _LONGEST or len(_ANY_VERDICT.findall(line)) > 1:
            continue
        # The last sentence of all stands by itself too.
        last = at == len(lines) - 1 and _ANY_VERDICT.search(line)
        match = _VERDICT_LINE.fullmatch(_SENTENCE_END.split(line)[-1] if last else line)
        if match is None:
            continue
        value = match.group("value")
        heading = not value.strip(" *_`#\"'") and at + 1 < len(lines)
        alone = heading or not match.group("separator").strip()
        choice = _choice(lines[at + 1] if heading else value, whole=alone, number=not heading)
        if choice is not None:
            yield at, choice


def _agreed(choices: Sequence[tuple[int, Verdict]], lines: Sequence[str]) -> Verdict | None:
    """The choice of lines that agree; of others the last, where it is said to be a correction."""
    at, last = choices[-1]
    other = [where for where, choice in choices if choice != last]
    if other and not any(map(_CORRECTION.search, lines[other[-1] + 1 : at])):
        return None
    return last


def _unopposed(at: int, choice: Verdict, lines: Sequence[str]) -> Verdict | None:
    """A verdict, where nothing that stands below takes it back or concludes the opposite."""
    below = "\n".join(lines[at + 1 :])
    if _TAKEN_BACK.search(below):
        return None
    others = {_letter(match) for match in _CONCLUDED.finditer(below)}
    if below and (stated := _statement(lines[-1])) is not None:
        others.add(stated)
    return choice if others <= {choice} else None


# Statements --------------------------------------------------------------------------------------


def _stated(lines: Sequence[str]) -> Verdict | None:
    """What the first or the last line states by itself, where nothing else speaks against it."""
    if len(lines) == 1:
        return _statement(lines[0], alone=True)
    first, last = _statement(lines[0], first=True), _statement(lines[-1])
    bare = {choice for line in lines[1:-1] if (choice := _bare_letter(line)) is not None}
    if last is not None:
        if bare | {first} <= {last, None}:
            opposed = not _concludes(lines[-1]) and not _called_better(lines[:-1]) <= {last}
            return None if opposed else last
        # What differs from the last line counts no longer where that is said.
        return last if any(map(_CORRECTION.search, lines[1:])) else None
    rest = "\n".join(lines[1:])
    if first is None or bare - {first} or _TURN.search(rest) or _CHOOSING.search(rest):
        return None
    others = _called_better(lines[1:])
    if _is_prose(lines[0]):  # it may go on
        others |= {_letter(match) for match in _MENTIONED.finditer(rest)}
    return first if others <= {first} else None


def _statement(line: str, *, alone: bool = False, first: bool = False) -> Verdict | None:
    """The choice that a line is, and nothing else.

    Args:
        line: The line.
        alone: It is the whole answer: a name alone is a choice then, and no heading.
        first: More follows: the letter may be the answer to a quiz then.
    """
    if len(line) > _LONGEST or _QUIZ.search(line) or "?" in line:
        return None
    boxed = {_choice(inside, whole=True) for inside in _IN_BOX.findall(line)} - {None}
    if len(boxed) == 1:
        return boxed.pop()
    found = _bare_letter(line, any_case=alone)
    if found is None and (match := _LABELLED.fullmatch(_as_labelled(line))):
        answer = re.fullmatch(r"(?:so |the |my )*answer", match.group("label").casefold())
        if not (answer and (first or match.group("sentence"))):
            found = _choice(match.group("value"), number=answer is None)
    elif found is None and (match := _CHOOSES.fullmatch(line)):
        found = _choice(match.group("value"))
    elif found is None and (match := _STATES.fullmatch(line)):
        found = _declared(match.group("value"), bool(match.group("opening")), alone)
    return found


def _declared(value: str, concluding: bool, alone: bool) -> Verdict | None:
    """The choice of a sentence such as "Response B is better", or "It's a tie"."""
    choice = _CHOICE.fullmatch(value)
    if choice is not None and (choice.group("better") or (alone and choice.group("order"))):
        return _choice(value)
    if alone and choice is not None and re.match(r",?\s*because\b", value[choice.end("letter") :]):
        return _choice(value)
    verb = re.search(r"\b(?:is|are|it's)\b", value, re.IGNORECASE)
    return _choice(value, whole=True) if alone or concluding or verb else None


def _as_labelled(line: str) -> str:
    """A row of a table as a line with a label."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    return ": ".join(cells) if line.lstrip().startswith("|") and len(cells) == 2 else line


def _concludes(line: str) -> bool:
    """Whether a line says that it is the conclusion or a choice, not one judgement of many."""
    stated = _STATES.fullmatch(line)
    opens = stated is not None and stated.group("opening")
    return bool(opens or _bare_letter(line) or _IN_BOX.search(line) or _is_choice(line))


def _is_choice(line: str) -> bool:
    return bool(_LABELLED.fullmatch(_as_labelled(line)) or _CHOOSES.fullmatch(line))


def _is_prose(line: str) -> bool:
    return not (_bare_letter(line) or _IN_BOX.search(line) or _LABELLED.fullmatch(line))


def _called_better(lines: Sequence[str]) -> set[Verdict]:
    return {_letter(match) for line in lines for match in _SAYS_BETTER.finditer(line)}


def _bare_letter(line: str, *, any_case: bool = False) -> Verdict | None:
    """The letter that is the whole line; a letter with a colon or one bracket is an enumeration."""
    match = re.fullmatch(_BARE, line, re.IGNORECASE if any_case else 0)
    if match is None:
        return None
    return "A" if "A" in {(group or "").upper() for group in match.groups()} else "B"


# Choices -----------------------------------------------------------------------------------------


def _choice(value: str, *, whole: bool = False, number: bool = False) -> Verdict | None:
    """The choice that a text is; None for anything else.

    Args:
        value: What stands behind a label, or a line.
        whole: Nothing may follow the name.
        number: A number alone is a name too.
    """
    value = value.replace(_BOX, "").replace(_BOX_END, "").strip()
    if (labelled := _VERDICT_LINE.fullmatch(value)) is not None:
        value = labelled.group("value")
    if number and (digit := _NUMBER.fullmatch(value)):
        return "A" if digit.group(1) == "1" else "B"
    for pattern in (_TIE, _CHOICE):
        match = pattern.fullmatch(value)
        if match is None:
            continue
        reason = match.group("reason") or match.group("because") or ""
        choice: Verdict | None = "tie" if pattern is _TIE else _named(match)
        if choice is None or (reason and (whole or _takes_back(reason, choice))):
            return None
        return choice
    return None


def _takes_back(reason: str, choice: Verdict) -> bool:
    """Whether what follows a choice may turn it round, or is a list that goes on."""
    others = {_letter(match) for match in _SAYS_BETTER.finditer(reason)} - {choice}
    names = choice == "tie" and _MENTIONED.search(reason)
    return bool(others or names or _TURN.search(reason) or _GOES_ON.match(reason))


def _named(match: re.Match[str]) -> Verdict | None:
    found = match.groupdict()
    if found["letter"] == "a" and (found["better"] or found["reason"] or found["because"]):
        return None  # an article: "a is better" is nobody's verdict
    first = (found["mark"] or found["letter"] or found["place"]).casefold() in _FIRST
    order, other = found["order"], found["other"]
    if order is None:
        return "A" if first else "B"
    if first == (other.casefold() in _FIRST):
        return None
    if "=" in order:
        return "tie"
    return "A" if first == (">" in order) else "B"


def _letter(match: re.Match[str]) -> Verdict:
    return "A" if match.group("letter").casefold() in _FIRST else "B"


# The answer as text ------------------------------------------------------------------------------


def _plain(answer: str) -> str:
    """An answer without decoration, each verdict that is set off on a line of its own."""
    text = unicodedata.normalize("NFKC", html.unescape(answer)).translate(_LETTERS)
    text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cf", "So"))
    text = _FENCE.sub("", _STRUCK.sub("", text))
    text = _LATEX.sub(r"\1", _LATEX.sub(r"\1", text))
    text = _MATHS.sub("", _BOXED.sub(rf"{_BOX}\1{_BOX_END}", text))
    text = _ELEMENT.sub(r"\nverdict: \2\n", text)
    text = _MARKED.sub(lambda found: f"\nverdict: {found.group(1) or found.group(2)}\n", text)
    return text.replace("**", "").replace("__", "").replace("`", "")


def _without_quotations(lines: Sequence[str], material: Sequence[str]) -> list[str]:
    """The lines that are the model's own: none behind ">", no run of lines that it was shown.

    A single line that was shown too is a quotation where something else follows it.
    """
    shown = {_gist(line) for text in material for line in _plain(text).split("\n")} - {""}
    known = [_gist(line) in shown for line in lines]
    kept = []
    for at, line in enumerate(lines):
        beside = any(known[max(at - 1, 0) : at]) or any(known[at + 1 : at + 2])
        quoted = known[at] and (beside or (at < len(lines) - 1 and not all(known)))
        if not quoted and not re.match(r"\s*>\s", line):
            kept.append(line)
    return kept


def _gist(line: str) -> str:
    return re.sub(r"\W+", "", line.casefold())


def _of_object(text: str) -> tuple[Verdict | None, bool]:
    """What the JSON object says with which an answer ends; and whether there is one."""
    said: set[Verdict | None] = set()
    ends = False
    for written, content in json_objects(text):
        if values := list(_values(content)):
            said |= set(map(_of_value, values))
            ends = text.rstrip().rstrip("]").endswith(written)
    if not ends:
        return None, False
    return (said.pop() if len(said) == 1 else None), True


def _values(content: dict[str, Any]) -> Iterator[object]:
    """Of an object, all that stands under a key for a verdict."""
    for key, value in content.items():
        if re.fullmatch(words.KEY, str(key), re.IGNORECASE):
            yield value


def _of_value(value: object) -> Verdict | None:
    if isinstance(value, dict):
        inner = {_of_value(each) for each in _values(value)}
        return inner.pop() if len(inner) == 1 else None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _choice(value, number=True) if isinstance(value, str) else None
