"""What a model answers, without what it thought aloud before.

Providers take thoughts off what they return, some do not, and lm-eval never does. Whatever reads a
model (its verdicts, its texts, a grader's judgements) reads the same answer.
"""

import re
from collections.abc import Iterable

_NAMES = r"(?:seed:)?(?:think(?:ing)?|thoughts?)"
_SECTIONS = r"reasoning|analysis|reflection|scratchpad|inner_monologue"
_TAG = re.compile(
    rf"(?P<open><(?P<name>{_NAMES}|{_SECTIONS})(?:\s[^<>]{{0,80}})?>|\[THINK\]|◁think▷"
    r"|<\|(?:begin_of_thought|START_THINKING)\|>|<unused94>|<\|channel\|>analysis<\|message\|>)"
    rf"|(?P<close></(?P<closed>{_NAMES}|{_SECTIONS})\s?>|\[/THINK\]|◁/think▷"
    r"|<\|(?:end_of_thought|END_THINKING)\|>|<unused95>"
    r"|<\|start\|>assistant<\|channel\|>final<\|message\|>|<\|channel\|>final<\|message\|>)",
    re.IGNORECASE,
)
_SECTION = re.compile(_SECTIONS, re.IGNORECASE)
_TURN_ENDS = re.compile(
    r"<\|(?:eot_id|eom_id|im_end|endoftext|end|end_of_text|end_of_turn|return|eos|EOT)\|>"
    r"|<end_of_turn>|<\uff5cend\u2581of\u2581sentence\uff5c>|(?:</s>|<eos>|\[/INST\])\s*\Z",
    re.IGNORECASE,
)
"""Stop tokens that leaked; what follows one is a turn that the model makes up."""


def final_answer(text: str, material: Iterable[str] = (), *, prose: bool = False) -> str | None:
    r"""What a model answers, without thoughts and leaked stop tokens; None if it only thinks.

    Thoughts stand between tags (``<think>``, ``[THINK]`` and their like). Where a chat template
    opened them, only the end is in the answer; thoughts without an end leave what stood before
    them, and none where that is nothing.

    >>> final_answer("<think>B, surely. No.</think>\nVerdict: A<|eot_id|>")
    'Verdict: A'
    >>> final_answer("<think>B, because") is None
    True
    >>> final_answer("B? Hardly.</think>Verdict: A")
    'Verdict: A'

    Args:
        text: What came back.
        material: What the model was shown. Where that holds such a tag, a tag may be a quotation,
            and only thoughts at the very beginning are taken off.
        prose: The answer is a text of its own, which may be about tags: the same holds.
    """
    quotable = any(_TAG.search(shown) for shown in material)
    if prose or quotable:
        kept = _behind_leading_thoughts(text, unopened=not quotable)
    else:
        kept = "".join(_outside_thoughts(text))
    own = next((part for part in _TURN_ENDS.split(kept) if part.strip()), "")
    return own.strip() or None


def _outside_thoughts(text: str) -> list[str]:
    """The parts of a text outside thoughts."""
    parts: list[str] = []
    start = 0
    opened: str | None = None  # the kind of tag that the thoughts in hand began with
    for tag in _TAG.finditer(text):
        if tag.group("open"):
            if opened is None:
                parts.append(text[start : tag.start()])
                opened = _kind(tag)
        elif opened is None and not _SECTION.fullmatch(_kind(tag)):
            parts, start = [], tag.end()  # a chat template opened them
        elif opened == _kind(tag):
            opened, start = None, tag.end()
    return parts if opened is not None else [*parts, text[start:]]


def _behind_leading_thoughts(text: str, *, unopened: bool) -> str:
    """A text from where the thoughts that it begins with end; empty where they do not.

    Args:
        text: What came back.
        unopened: Whether an end alone, without a tag that opens, ends thoughts.
    """
    while True:
        text = text.lstrip()
        first = _TAG.search(text)
        if first is None:
            return text
        if first.group("close"):
            ends = unopened and not _SECTION.fullmatch(_kind(first))
            return text[first.end() :] if ends else text
        if first.start() > 0:
            return text
        closing = (
            tag
            for tag in _TAG.finditer(text, first.end())
            if tag.group("close") and _kind(tag) == _kind(first)
        )
        end = next(closing, None)
        if end is None:
            return ""
        text = text[end.end() :]


def _kind(tag: re.Match[str]) -> str:
    """What a tag and its end have in common: a name, or none."""
    return (tag.group("name") or tag.group("closed") or "").casefold()
