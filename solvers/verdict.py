r"""Reading a pairwise verdict from what a model wrote.

A wrong reading is worse than none: an unreadable verdict is asked for once more, then missing and
counted; a wrong one is a vote that nobody cast. So nothing is concluded from prose, and this is all
that counts (docs/verdicts.md shows it with examples):

    verdict line  :=  [my | the | final | overall] "Verdict" [":" | "is" | "-" | ">"]  choice
    statement     :=  the first or the last line, where it is a choice and nothing else
    choice        :=  name [reason] | name ">" name | name "is better" [than name] [because ...]
                    | tie
    name          :=  [the] [Response | Answer | ...] (A | B | 1 | 2) | the first | the latter | ...

Letters count in any decoration that models add (bold, brackets, ``\boxed``, a JSON object with a
verdict in it). A verdict line counts wherever it stands in the final answer, alone on its line; a
statement only where there is no verdict line. Thoughts, quotations of what the model was shown, and
lines with two verdicts (the instruction, echoed) are no verdict lines. A verdict that the lines
around it contradict, doubt or take back counts for nothing, unless the later one says that it
corrects the earlier.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import regex

from profile_tasks.solvers import verdict_words as words
from profile_tasks.solvers.both_orders import Pick
from profile_tasks.solvers.final_answer import final_answer
from profile_tasks.solvers.json_object import json_objects, unescaped

Verdict = Literal["A", "B", "tie"]

_PICKS: Mapping[Verdict, Pick] = {"A": "first", "B": "second", "tie": "tie"}


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE | re.DOTALL)


# The grammar -------------------------------------------------------------------------------------

_ORDINAL = rf"(?:{words.FIRST}|{words.SECOND})"
_NAME = (
    rf"(?:(?:the\s+)?(?:{words.NOUN})[\s_-]{{0,3}}[(#\[]?(?P<mark>[AB12]|II|I|one|two)(?![a-z0-9_]|'\w)[)\]]?"
    r"|(?P<letter>[AB])(?!\w|'\w)"
    rf"|(?:the\s+(?P<place>{_ORDINAL})\b(?:\s+(?:one|{words.NOUN})\b)?"
    rf"|(?P<noun_place>{_ORDINAL})(?:\s+(?:one|{words.NOUN})\b|\W*$)))"
)
_OTHER = (
    rf"(?:the\s+other(?:\s+one)?|(?:the\s+)?(?:(?:{words.NOUN})\s+)?[AB12](?!\w)"
    rf"|the\s+{_ORDINAL}(?:\s+\w+)?)"
)
_DECORATED = r"[\s\"'(\[{<*_`#|>-]*"
_CLOSED = r"[\s.!。*_`\"'\])}>|]*"
_BECAUSE = rf"(?:\s*,)?\s+(?P<because>(?:{words.BECAUSE}).*)"
_REASON = r"(?:\s*[,;.:(!–—]|\s+-)\s*(?P<reason>.*)"
_CHOICE = _pattern(
    rf"[\s\"'(\[{{<*_`#]*{_NAME}[\"')\]}}*_`]{{0,6}}"
    rf"(?:\s*(?P<order>>{{1,3}}|<{{1,3}}|={{1,2}})\s*(?:(?:{words.NOUN})\s*)?(?P<other>[AB12])(?!\w)"
    rf"|\s*(?P<better>{words.BETTER}(?:\s+(?:than|over|to)\s+{_OTHER})?(?:\s+overall)?"
    rf"|(?:{words.BEATS})\s+{_OTHER}))?(?:{_CLOSED}|{_BECAUSE}|{_REASON})"
)
_TIE = _pattern(rf"[\s\"'(\[{{*_`]*(?:{words.TIE})(?:{_CLOSED}|{_BECAUSE}|{_REASON})")
_PLAIN_TIE = _pattern(rf"[\s\"'(\[{{*_`]*(?:{words.PLAIN_TIE}){_CLOSED}")
_NUMBER = _pattern(rf"[\s\"'(\[*_`]*#?([12])(?!\w){_CLOSED}")
_BARE = r"[\s\"'*_`#]*(?:\(([AB])\)|\[([AB])\]|([AB]))[\s.!。\"'*_`]*"
_BEFORE = rf"(?:(?:{words.OWN}|(?P<correcting>{words.CORRECTING}))[\s,:]+)*"
_VERDICT_LINE = _pattern(
    rf"{_DECORATED}(?:(?:assistant|model|judge|ai|output)\s*:\s*)?{_BEFORE}"
    rf"(?:{words.VERDICT})[\"'*_`\])]*(?P<separator>\s*(?:[:=→–—>|-]+|\b(?:{words.IS})\b\s*:?)|\s+|\s*$)"
    r"(?P<value>.*)"
)
_OPENING = rf"(?:(?:{words.OPENING})[\s,:]+)*"
_LABELLED = _pattern(
    rf"{_DECORATED}(?P<opening>{_OPENING})(?P<label>{_BEFORE}(?:correct\s+|right\s+)?{words.LABEL})"
    r"(?:\s+(?:here|of\s+the\s+two))?[\"'*_`\])]*"
    rf"\s*(?:[:=→–—|]+|\b(?P<sentence>{words.IS}|ist)\b(?:\s+(?:clearly|definitely))?\s*:?)(?P<value>.*)"
)
_CHOOSES = _pattern(
    rf"[\s*_`]*{_OPENING}(?:{words.CHOOSES})\s*(?P<value>.*?)(?:(?<=\s)(?:better|preferable)[.!]?)?"
    r"(?:\s+as\s+the\s+(?:better|best|winner|preferred)(?:\s+\w+)?[.!]?)?"
    rf"(?:\s+over\s+{_OTHER}[.!]?)?\s*"
)
_STATES = _pattern(rf"[\s*_`]*(?P<opening>{_OPENING})(?P<value>.*)")

_NAMED = (
    rf"(?<![\w'])(?:(?:{words.NOUN})[\s_-]{{0,3}})?(?P<letter>[AB12]|{_ORDINAL})(?![\w'])"
    rf"(?:\s+(?:{words.NOUN}|one))?"
)
_CALLED_BETTER = (
    rf"{_NAMED}\s+(?:{words.BETTER}|(?:{words.BEATS})|should\s+(?:be\s+preferred|have\s+won|win)"
    rf"|it\s+is|deserves)(?!\s+(?:{words.CRITERION})\b)"
)
_SAYS_BETTER = _pattern(_CALLED_BETTER)
_CONCLUDED = _pattern(
    rf"\b(?:therefore|thus|hence|so|overall|in\s+conclusion)\W{{1,3}}{_CALLED_BETTER}"
)
_MENTIONED = _pattern(rf"(?<![\w'])(?P<letter>(?-i:[AB])|{_ORDINAL})(?![\w'])")
_ANY_VERDICT = _pattern(rf"\b(?:{words.VERDICT})\W{{0,6}}(?:[AB](?!\w)|tie\b)")
_ECHO = _pattern(rf"(?:{words.VERDICT})\W{{0,6}}A\W+or\W+(?:{words.VERDICT})\W{{0,6}}B(?!\w)")
_DOUBT = _pattern(rf"\b(?:{words.DOUBT})\b|\?|\b(?:verdict|answer)\s*:|\d\s*/\s*\d|:\s*\d")
_CORRECTION = _pattern(rf"\b(?:{words.CORRECTION})\b")
_LEANS = _pattern(rf"\b(?:{words.LEANS})\b")
_CHOOSING = _pattern(rf"\b(?:{words.CHOOSING})\b")
_CONTRAST = _pattern(r"\b(?:but|however|although|though|yet)\b|\?")
_QUOTING = _pattern(rf"\b(?:{words.QUOTING})\b")
_GOES_ON = _pattern(r"\W*(?:and\s+|&\s*)?(?:[AB12]\W*$|[AB]\s*(?:,|and\b|or\b|&))")
_CONCLUSION = _pattern(rf"{_DECORATED}(?:overall|conclusion|final\w*)\W*")
_RESPONSE = _pattern(r"\bis:?\s+(?:response|answer|summary)\s+[AB]\b")
_HEADING = _pattern(rf"{_DECORATED}(?:{words.NOUN})\s+[AB]\W*$")
_REFUSAL = _pattern(rf"\b(?:{words.REFUSAL})\b")
_WORSE = _pattern(rf"\b(?:{words.WORSE})\b|\?")
_QUIZ = _pattern(r"\b(?:correct|right)\s+(?:answer|option|choice)\b|\bquestion\b|\bgrade\b")
_ANNOUNCES = _pattern(r"\b(?:my|final|so|therefore|thus|correct(?:ed|ion))\b")
_BARE_LABEL = _pattern(rf"{_DECORATED}{_BEFORE}(?:{words.VERDICT}|{words.LABEL})[\s*_]*[:\uff1a]")
_IS_FIRST = _pattern(rf"a|1|i|one|{words.FIRST}")
_KEY = _pattern(words.KEY)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)")

_STRUCK = re.compile(r"~~[^~\n]*~~")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)\w*[ \t]*$", re.MULTILINE)
_LATEX = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\{([^{}]*)\}")
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_MATHS = re.compile(r"\$|\\\[|\\\]|\\\(|\\\)")
_TAG = re.compile(r"</?(?:b|strong|i|em|u|p|div|span|code|h\d|br\s*/?)>")
_ELEMENT = _pattern(r"<(verdict|answer|choice)>([^<]*)</\1>")
_MARKED = re.compile(r"\[\[([^\[\]]{1,40})\]\]|\[RESULT\]([^\n]*)", re.IGNORECASE)
_BOX, _BOX_END = "\u27e6", "\u27e7"
_IN_BOX = re.compile(f"{_BOX}([^{_BOX_END}]*){_BOX_END}")
_UNSEEN = regex.compile(rf"[\p{{Cf}}\p{{Cs}}\ufe00-\ufe0f{words.CHEERFUL}]")
_LOOKS_LATIN = re.compile(r"(?<!\w)[\u0410\u0412\u0391\u0392](?!\w)")
_LATIN = str.maketrans("\u0410\u0412\u0391\u0392", "ABAB")
"""Cyrillic and Greek letters that look like A and B."""
_QUOTES = str.maketrans("“”‘’", "\"\"''")
_ALONE = re.compile(r"[A-Za-z0-9:.,*() ]{1,40}|\{\s*\"verdict\":\s*\"\w{1,10}\"\s*\}")
"""A short line that neither quotes nor is marked up, and the object that judges are asked for."""
_LONGEST_ANSWER, _MOST_LINES, _LONGEST_LINE = 100_000, 2000, 1000
"""Characters and lines of an answer that is read, and characters of a line that may be a verdict;
others are prose."""
_SHORTEST, _SHORT = 3, 6
"""Words of a line that is a mere name, and of one that is a heading or a remark."""


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
    if len(text) > _LONGEST_ANSWER:
        return None
    if _ALONE.fullmatch(text):  # it quotes nothing, and most judges say the same few such lines
        return _read_alone(text, truncated)
    return _read_answer(text, truncated, material)


def read_pick(
    completion: str, *, truncated: bool = False, material: Sequence[str] = ()
) -> Pick | None:
    """Which of the two responses shown a completion picks; None where no verdict can be read.

    >>> read_pick("Verdict: B")
    'second'

    Args:
        completion: What the model wrote.
        truncated: It was cut off.
        material: The texts that the model was shown; a quoted verdict is none.
    """
    verdict = read_verdict(completion, truncated=truncated, material=material)
    return None if verdict is None else _PICKS[verdict]


@lru_cache(maxsize=512)
def _read_alone(line: str, truncated: bool) -> Verdict | None:
    return _read_answer(line, truncated, ())


def _read_answer(text: str, truncated: bool, material: Sequence[str]) -> Verdict | None:
    answer = unescaped(text)
    # Where a tag of thoughts may be a quotation, both readings must agree.
    readings = {final_answer(answer), final_answer(answer, material)}
    if None in readings:
        return None
    found = {_read(own, truncated, material) for own in readings if own is not None}
    return found.pop() if len(found) == 1 else None


def _read(own: str, truncated: bool, material: Sequence[str]) -> Verdict | None:
    plain = _plain(own)
    said, prose = _of_object(plain, material)
    if said is not None or not prose:
        return said
    written = plain.split("\n")
    lines = _without_quotations(written, material)
    lines = ["" if _ECHO.search(line) else line for line in lines]
    if not 0 < sum(bool(line.strip()) for line in lines) <= _MOST_LINES:
        return None
    verdicts = list(_verdict_lines(lines, cut=truncated))
    in_own_words = [(at, each) for at, each in verdicts if lines[at].lstrip()[0] not in "\"'"]
    if found := in_own_words or verdicts:
        agreed, last = _agreed(found, lines), found[-1][0]
        quoted = {each for at, each in _verdict_lines(written, cut=truncated) if at > last}
        if agreed is None or quoted - {agreed}:  # what looks quoted may be a correction
            return None
        return _unopposed(last, agreed, lines)
    return None if truncated else _stated([line for line in lines if line.strip()])


# Verdict lines -----------------------------------------------------------------------------------


def _verdict_lines(lines: Sequence[str], *, cut: bool) -> Iterator[tuple[int, Verdict]]:
    """Every verdict line: where it stands, and what it names.

    Args:
        lines: The answer's lines, empty ones too.
        cut: The last one may be unfinished.
    """
    written = [at for at, line in enumerate(lines) if line.strip()]
    for at, below in zip(written, [*written[1:], None], strict=True):
        line = lines[at].replace(_BOX, "").replace(_BOX_END, "")
        if len(line) > _LONGEST_LINE or len(_ANY_VERDICT.findall(line)) > 1:
            continue
        if (below is None and cut and at == len(lines) - 1) or _is_part(at, lines):
            continue
        # The last sentence of all stands by itself too.
        last = below is None and _ANY_VERDICT.search(line)
        match = _VERDICT_LINE.fullmatch(_SENTENCE_END.split(line)[-1] if last else line)
        if match is None:
            continue
        value, heading = match.group("value"), False
        if below is not None and not value.strip(" *_`#\"'|"):
            value, heading = lines[below], True
        alone = heading or not match.group("separator").strip()
        choice = _choice(value, whole=alone, number=not heading)
        if choice is not None:
            yield at, choice


def _is_part(at: int, lines: Sequence[str]) -> bool:
    """Whether a line goes on with the one above, or is gone on with below, or is introduced."""
    above = lines[at - 1].rstrip() if at else ""
    below = lines[at + 1].lstrip() if at + 1 < len(lines) else ""
    goes_on = below[:1].islower() and not re.match(r"\w+\s*:", below)
    if "or" in (above.strip().casefold(), below.strip().casefold()):
        return True
    if goes_on or (above[-1:].isalpha() and len(above.split()) > 3):
        return True
    introducing = next((line for line in reversed(lines[:at]) if line.strip()), "").strip(" *_")
    goes_on = not introducing.endswith((".", "!", "?"))
    if goes_on and len(introducing.split()) <= _SHORT and _QUOTING.search(introducing):
        return True
    return introducing.endswith((":", "\uff1a")) and not _is_own_label(introducing)


def _is_own_label(line: str) -> bool:
    """Whether a line that ends in a colon announces the judge's own choice."""
    announces = _ANNOUNCES.search(line) or _BARE_LABEL.fullmatch(line)
    return bool(announces and not _QUOTING.search(line) and not _QUIZ.search(line))


def _agreed(choices: Sequence[tuple[int, Verdict]], lines: Sequence[str]) -> Verdict | None:
    """The choice of lines that agree; of others the last, where it is said to be a correction."""
    at, last = choices[-1]
    other = [where for where, choice in choices if choice != last]
    if not other:
        return last
    before = _VERDICT_LINE.match(lines[at])
    corrects = any(map(_CORRECTION.search, lines[other[-1] + 1 : at]))
    return last if corrects or (before and before.group("correcting")) else None


def _unopposed(at: int, choice: Verdict, lines: Sequence[str]) -> Verdict | None:
    """A verdict, where no line takes it back, or concludes something else."""
    above, below = list(filter(str.strip, lines[:at])), list(filter(str.strip, lines[at + 1 :]))
    rest = "\n".join(below)
    if _CORRECTION.search(rest) or _REFUSAL.search(rest) or any(map(_CONCLUSION.fullmatch, below)):
        return None
    mere = [line for line in below if len(line.split()) <= _SHORTEST and not _HEADING.match(line)]
    if _names("\n".join(mere)) - {choice}:
        return None
    if _CHOOSING.search(rest) and _names(rest) - {choice}:
        return None
    stated = {_statement(line) for line in (*above[:1], *above[-1:], *below)} - {None, choice}
    ordered = filter(None, map(_CHOICE.fullmatch, (*above, *below)))
    stated |= {_named(match) for match in ordered if match["order"]} - {None, choice}
    corrected = any(map(_CORRECTION.search, above))
    others = _called_better(below) | {_letter(m) for m in _CONCLUDED.finditer("\n".join(above))}
    return choice if corrected or not (stated | others - {choice}) else None


# Statements --------------------------------------------------------------------------------------


def _stated(lines: Sequence[str]) -> Verdict | None:
    """What the first or the last line states by itself, where nothing else speaks against it."""
    if len(lines) == 1:
        return _statement(lines[0], alone=True)
    first, last = _statement(lines[0], first=True), _statement(lines[-1])
    bare = {choice for line in lines[1:-1] if (choice := _bare_letter(line)) is not None}
    if last is not None:
        heading = lines[-2].strip(" *_")
        short = len(heading.split()) <= _SHORT and not _names(heading)
        worse = short and _WORSE.search(heading)
        if worse or (heading.endswith((":", "\uff1a")) and not _is_own_label(heading)):
            return None
        if bare | {first} <= {last, None}:
            opposed = not _concludes(lines[-1]) and not _called_better(lines[:-1]) <= {last}
            return None if opposed else last
        # What differs from the last line counts no longer where that is said.
        return last if any(map(_CORRECTION.search, lines[1:])) else None
    return None if first is None or bare - {first} else _gone_on(first, lines)


def _gone_on(first: Verdict, lines: Sequence[str]) -> Verdict | None:
    """The choice of a first line, where what follows does not turn it round."""
    rest = "\n".join(lines[1:])
    if _CORRECTION.search(rest) or _CHOOSING.search(rest):
        return None
    others = _called_better(lines[1:])
    if not _is_label(lines[0]):  # prose, that may go on
        others |= _names(rest)
        if _CONTRAST.search(rest):
            return None
    return first if others <= {first} else None


def _statement(line: str, *, alone: bool = False, first: bool = False) -> Verdict | None:
    """The choice that a line is, and nothing else.

    Args:
        line: The line.
        alone: It is the whole answer: a name alone is a choice then, and no heading.
        first: More follows: the letter may be the answer to a quiz then.
    """
    if len(line) > _LONGEST_LINE or "?" in line:
        return None
    shown = _RESPONSE.search(line)  # the letter of a response, and not of a quiz
    if not shown and _QUIZ.search(line):
        return None
    boxed = bool(_IN_BOX.search(line))
    line = _as_labelled(line.replace(_BOX, "").replace(_BOX_END, ""))
    found = _bare_letter(line, any_case=alone)
    if found is None and (match := _LABELLED.fullmatch(line)):
        answer = re.fullmatch(r"(?:so |the |my )*answer", match.group("label").casefold())
        if shown or boxed or not (answer and (first or match.group("sentence"))):
            found = _choice(match.group("value"), closed=True)
    elif found is None and (match := _CHOOSES.fullmatch(line)):
        found = _choice(match.group("value"), whole=True) or _choice(
            match.group("value"), closed=True
        )
        found = None if found == "tie" and not _PLAIN_TIE.fullmatch(match.group("value")) else found
    elif found is None and (match := _STATES.fullmatch(line)):
        found = _declared(match.group("value"), bool(match.group("opening")), alone)
    return found


def _declared(value: str, concluding: bool, alone: bool) -> Verdict | None:
    """The choice of a sentence such as "Response B is better", or "It's a tie"."""
    if _PLAIN_TIE.fullmatch(value):
        return "tie"
    choice = _CHOICE.fullmatch(value)
    if choice is None:
        return None
    if choice.group("better") or (alone and (choice.group("order") or choice.group("because"))):
        return _choice(value, closed=True)
    return _choice(value, whole=True) if alone or concluding else None


def _as_labelled(line: str) -> str:
    """A row of a table as a line with a label."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    return ": ".join(cells) if line.lstrip().startswith("|") and len(cells) == 2 else line


def _concludes(line: str) -> bool:
    """Whether a line says that it is the conclusion or a choice, not one judgement of many."""
    stated = _STATES.fullmatch(line)
    opens = stated is not None and stated.group("opening")
    return bool(opens or _is_label(line) or _CHOOSES.fullmatch(line))


def _is_label(line: str) -> bool:
    return bool(
        _bare_letter(line) or _IN_BOX.search(line) or _LABELLED.fullmatch(_as_labelled(line))
    )


def _called_better(lines: Sequence[str]) -> set[Verdict]:
    return {_letter(match) for line in lines for match in _SAYS_BETTER.finditer(line)}


def _names(text: str) -> set[Verdict]:
    return {_letter(match) for match in _MENTIONED.finditer(text)}


def _bare_letter(line: str, *, any_case: bool = False) -> Verdict | None:
    """The letter that is the whole line; a letter with a colon or one bracket is an enumeration."""
    match = re.fullmatch(_BARE, line, re.IGNORECASE if any_case else 0)
    if match is None:
        return None
    return "A" if "A" in {(group or "").upper() for group in match.groups()} else "B"


# Choices -----------------------------------------------------------------------------------------


def _choice(
    value: str, *, whole: bool = False, closed: bool = False, number: bool = False
) -> Verdict | None:
    """The choice that a text is; None for anything else.

    Args:
        value: What stands behind a label, or a line.
        whole: Nothing may follow the name.
        closed: Nothing may follow but a reason that begins with "because".
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
        reason, because = match.group("reason") or "", match.group("because") or ""
        choice: Verdict | None = "tie" if pattern is _TIE else _named(match)
        if choice is None or (whole and (reason or because)) or (closed and reason):
            return None
        return None if _takes_back(reason, because, choice) else choice
    return None


def _takes_back(reason: str, because: str, choice: Verdict) -> bool:
    """Whether what follows a choice may turn it round, or is a list that goes on."""
    said = reason or because
    others = _called_better([said]) - {choice}
    # In brackets a whole remark may be about either.
    remark = re.fullmatch(r"[^()]*\)\W*", reason) and len(reason.split()) > _SHORT // 2
    if choice == "tie" or (reason and not remark):
        others |= _names(said) - {choice}
    if choice == "tie" and _LEANS.search(said):
        return True
    doubt = _DOUBT.search(reason) or _CORRECTION.search(because) or "?" in because
    return bool(others or doubt or _GOES_ON.match(said))


def _named(match: re.Match[str]) -> Verdict | None:
    found = match.groupdict()
    if found["letter"] == "a" and (found["better"] or found["reason"] or found["because"]):
        return None  # an article: "a is better" is nobody's verdict
    name = found["mark"] or found["letter"] or found["place"] or found["noun_place"]
    first = _is_first(name)
    order, other = found["order"], found["other"]
    if order is None:
        return "A" if first else "B"
    if first == _is_first(other):
        return None
    if "=" in order:
        return "tie"
    return "A" if first == (">" in order) else "B"


def _is_first(name: str) -> bool:
    return bool(_IS_FIRST.fullmatch(name))


def _letter(match: re.Match[str]) -> Verdict:
    return "A" if _is_first(match.group("letter")) else "B"


# The answer as text ------------------------------------------------------------------------------


def _plain(answer: str) -> str:
    """An answer without decoration, each verdict that is set off on a line of its own."""
    text = unicodedata.normalize("NFKC", answer).translate(_QUOTES)
    text = _LOOKS_LATIN.sub(lambda found: found.group().translate(_LATIN), text)
    text = text if text.isascii() else _UNSEEN.sub("", text)
    text = _TAG.sub("", _FENCE.sub("", _STRUCK.sub("", text)))
    text = _LATEX.sub(r"\1", _LATEX.sub(r"\1", text))
    text = _MATHS.sub("", _BOXED.sub(rf"{_BOX}\1{_BOX_END}", text))
    text = _ELEMENT.sub(r"\n\nverdict: \2\n\n", text)
    text = _MARKED.sub(lambda found: f"\n\nverdict: {found.group(1) or found.group(2)}\n\n", text)
    return text.replace("**", "").replace("__", "").replace("`", "").replace("\0", "")


def _without_quotations(lines: Sequence[str], material: Sequence[str]) -> list[str]:
    """The lines with those empty that are not the model's own.

    That is what stands behind ">", a run of lines that it was shown, and one such line where the
    line above introduces it.
    """
    shown = frozenset[str]().union(*map(_gists, material))
    written = [(at, line, _gist(line)) for at, line in enumerate(lines) if line.strip()]
    known = {at for at, _, gist in written if gist in shown}
    quoted = {at for at, line, _ in written if re.match(r"\s*>\s", line)}
    if len(quoted) == len(written):
        quoted = set()  # decoration of the whole
    nothing = (-1, "", "")
    around = zip([nothing, *written], written, [*written[1:], nothing], strict=False)
    for (above, line_above, gist_above), (at, _, gist), (below, line_below, _) in around:
        if at not in known:
            continue
        run = bool({above, below} & known) and not (above in known and gist_above == gist)
        introduced = line_above.rstrip().endswith((":", "\uff1a")) or any(
            map(_QUOTING.search, (line_above, line_below))
        )
        if introduced or (run and len(known) < len(written)):
            quoted.add(at)
    return ["" if at in quoted else line for at, line in enumerate(lines)]


@lru_cache(maxsize=512)
def _gists(text: str) -> frozenset[str]:
    """What the lines of a text say; each text is shown several times."""
    return frozenset(_gist(line) for line in _plain(text).split("\n")) - {""}


def _gist(line: str) -> str:
    return re.sub(r"\W+", "", line.casefold())


def _of_object(text: str, material: Sequence[str]) -> tuple[Verdict | None, bool]:
    """What the JSON object says that an answer is, or ends with; and whether there is none.

    Prose before it must hold no verdict of its own, and introduce no quotation.
    """
    start = text.find("{")
    whole = not text[: max(start, 0)].strip()
    if start < 0 or not (whole or text.rstrip().endswith("}")):
        return None, True
    objects = list(json_objects(text))
    said = {_of_value(value) for _, content in objects for value in _values(content)}
    if not said and not whole:
        return None, True
    if any(_CORRECTION.match(str(value)) for _, held in objects for value in held.values()):
        said.add(None)
    written = objects[-1][0] if objects else ""
    before = [line for line in text[:start].split("\n") if line.strip()]
    quoted = any(_gist(written) in _gist(shown) for shown in material) and not whole
    spoken = any(_QUOTING.search(line) or _ANY_VERDICT.search(line) for line in before)
    ends = text.rstrip().endswith(written)
    if quoted or spoken or not ends or len(said) != 1 or any(map(_statement, before)):
        return None, False
    return said.pop(), False


def _values(content: dict[str, Any], depth: int = 3) -> list[object]:
    """Of an object, all that stands under a key for a verdict; else what it wraps."""
    keyed = [value for key, value in content.items() if _KEY.fullmatch(str(key))]
    if keyed or not depth:
        return keyed
    wrapped = [value for value in content.values() if isinstance(value, dict)]
    return [each for value in wrapped for each in _values(value, depth - 1)]


def _of_value(value: object, depth: int = 3) -> Verdict | None:
    if isinstance(value, dict) and depth:
        inner = {_of_value(each, depth - 1) for each in _values(value)}
        return inner.pop() if len(inner) == 1 else None
    if isinstance(value, list) and len(value) == 1 and depth:
        return _of_value(value[0], depth - 1)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _choice(value, number=True) if isinstance(value, str) else None
