"""What a model answers, without what it thought aloud before.

Providers take thoughts off what they return, some do not, and lm-eval never does. Whatever reads a
model (its verdicts, its texts, a grader's judgements) reads the same answer.
"""

import re
from collections.abc import Iterable, Iterator

_NAME = (
    r"(?:[a-z]+:)?(?:inner_?)?(?P<{}>think|thought|reason|rational|internal|scratch|analysis|reflect"
    r"|monologue|deliberat)[a-z_]{{0,20}}"
)
_THOUGHTS = re.compile(
    rf"(?P<open><{_NAME.format('name')}(?:\s[^<>]{{0,80}})?>|\[THINK\]|◁think▷|<\|think\|>"
    r"|<\|(?:begin_of_thought|START_THINKING)\|>|<unused94>|<\|channel\|>analysis<\|message\|>"
    r"|^```(?:think|reason)[a-z]*$)"
    rf"|(?P<close></{_NAME.format('closed')}\s?>|\[/THINK\]|◁/think▷|<\|/think\|>"
    r"|<\|(?:end_of_thought|END_THINKING)\|>|<unused95>"
    r"|(?:<\|start\|>assistant)?<\|channel\|>final<\|message\|>)|(?P<fence>^```\s*$)",
    re.IGNORECASE | re.MULTILINE,
)
"""Where thoughts begin and end."""

_SIGN = re.compile(r"[<\[`\u25c1]")
_SECTION = re.compile(r"reason|rational|internal|analysis|reflect|deliberat", re.IGNORECASE)
"""Names that a text may use for a part of itself: their end alone ends no thoughts."""

_TURN_ENDS = re.compile(
    r"<\|(?:eot_id|eom_id|im_end|endoftext|end|end_of_text|end_of_turn|return|eos|EOT)\|>"
    r"|<end_of_turn>|<\uff5cend\u2581of\u2581sentence\uff5c>|(?:</s>|<eos>|\[EOS\]|\[/INST\])\s*\Z",
    re.IGNORECASE,
)
"""Stop tokens that leaked; what follows one is a turn that the model makes up."""


def final_answer(text: str, material: Iterable[str] = (), *, prose: bool = False) -> str | None:
    r"""What a model answers, without thoughts and leaked stop tokens; None if it only thinks.

    Thoughts stand between tags (``<think>``, ``[THINK]`` and their like). Where a chat template
    opened them, only the end is in the answer. Thoughts without an end leave nothing.

    >>> final_answer("<think>B, surely. No.</think>\nVerdict: A<|eot_id|>")
    'Verdict: A'
    >>> final_answer("<think>B, because") is None
    True
    >>> final_answer("B? Hardly.</think>Verdict: A")
    'Verdict: A'

    Args:
        text: What came back.
        material: What the model was shown, of which an answer may quote a tag or a token: then
            only thoughts at the very beginning are taken off, and no turn ends at such a token.
        prose: The answer is a text of its own, which may be about tags: likewise.
    """
    shown = list(material)
    quotable = any(next(_tags(text), None) for text in shown)
    if prose or quotable:
        kept = _behind_leading_thoughts(text, unopened=not quotable)
    else:
        kept = _outside_thoughts(text)
    if ("<" in kept or "[" in kept) and not any(map(_TURN_ENDS.search, shown)):
        kept = next((part for part in _TURN_ENDS.split(kept) if part.strip()), "")
    return kept.strip() or None


def _tags(text: str, start: int = 0) -> Iterator[re.Match[str]]:
    """Every tag of thoughts; what cannot begin one is passed over quickly."""
    for sign in _SIGN.finditer(text, start):
        if tag := _THOUGHTS.match(text, sign.start()):
            yield tag


def _outside_thoughts(text: str) -> str:
    """The parts of a text outside thoughts; empty where thoughts have no end."""
    parts: list[str] = []
    start, fenced = 0, False
    opened = False
    for tag in _tags(text):
        if tag.group("fence") and not (opened and fenced):
            continue
        if tag.group("open"):
            if not opened:
                parts.append(text[start : tag.start()])
                opened, fenced = True, tag.group("open").startswith("`")
        elif opened:
            opened, start = False, tag.end()
        elif not _SECTION.fullmatch(tag.group("closed") or ""):
            parts, start = [], tag.end()  # a chat template opened them
    return "" if opened else "".join([*parts, text[start:]])


def _behind_leading_thoughts(text: str, *, unopened: bool) -> str:
    """A text from where the thoughts that it begins with end; empty where they do not.

    Args:
        text: What came back.
        unopened: Whether an end alone ends thoughts, which a chat template opened.
    """
    while True:
        text = text.lstrip()
        first = next((tag for tag in _tags(text) if not tag.group("fence")), None)
        if first is None:
            return text
        if first.group("close"):
            opened = unopened and not _SECTION.fullmatch(first.group("closed") or "")
            return text[first.end() :] if opened else text
        if first.start() > 0:
            return text
        fenced = first.group("open").startswith("`")
        ends = (
            tag
            for tag in _tags(text, first.end())
            if (tag.group("fence") if fenced else tag.group("close"))
        )
        end = next(ends, None)
        if end is None:
            return ""
        text = text[end.end() :]
