"""The planted proposer: a simulated model that proposes hidden factors by a rule. SIMULATED.

It reads the request as any model would, as a text. Of each hidden factor (``hidden``) it counts the
pairs of which only the preferred response shows it, less those of which only the other one does,
and proposes those with the largest counts in either direction; last comes a property that no text
of a test shows. How it words one depends on the request, so that several requests have to be
merged. It merges definitions of one hidden factor, and no others.
"""

import hashlib
import json
import re

from profile_tasks.planted.grader_request import template_pattern
from profile_tasks.planted.hidden import BY_DEFINITION, HIDDEN
from profile_tasks.scorers.factors.proposal import (
    ContrastingPair,
    MergeRequest,
    ProposalRequest,
)
from profile_tasks.scorers.factors.proposal_prompts import (
    CONTRAST_LINE,
    KNOWN_LINE,
    MERGE_PROMPT,
    PROPOSAL_LINE,
    PROPOSAL_PROMPT,
)
from profile_tasks.solvers.sections import read_sections

IDLE = "How far the response speaks of the weather on other planets."
"""What is proposed beside the hidden factors, and tells nothing."""


def answer(text: str) -> str | None:
    """The JSON object that a request to a proposer asks for; None where a text is none."""
    asked = parse(text)
    if isinstance(asked, MergeRequest):
        return json.dumps({"same": _same(asked)})
    return None if asked is None else json.dumps({"factors": _factors(asked, text)})


def parse(text: str) -> ProposalRequest | MergeRequest | None:
    """A rendered request to a proposer, read back; None where a text is none."""
    for read in (_proposal_request, _merge_request):
        try:
            asked = read(text)
        except (ValueError, KeyError, AttributeError):
            continue
        if asked.render() == text:
            return asked
    return None


def _factors(asked: ProposalRequest, text: str) -> list[dict[str, str]]:
    telling = {}
    for factor in HIDDEN.values():
        shows = [factor(p.first) - factor(p.second) for p in asked.pairs]
        turned = [s if p.first_preferred else -s for s, p in zip(shows, asked.pairs, strict=True)]
        telling[factor] = abs(sum(turned))
    chosen = sorted((f for f in telling if telling[f]), key=lambda f: -telling[f])
    draw = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4])
    worded = [
        {"name": f.id, "definition": f.definitions[draw % len(f.definitions)]} for f in chosen
    ]
    return [*worded[: asked.most - 1], {"name": "weather", "definition": IDLE}]


def _same(asked: MergeRequest) -> list[list[int]]:
    groups: dict[str, list[int]] = {}
    for number, definition in enumerate(asked.definitions, start=1):
        factor = BY_DEFINITION.get(definition)
        groups.setdefault(definition if factor is None else factor.id, []).append(number)
    return list(groups.values())


def _head(template: str) -> re.Pattern[str]:
    return template_pattern(template.partition("{sections}")[0])


_PROPOSAL_HEAD, _MERGE_HEAD = _head(PROPOSAL_PROMPT), _head(MERGE_PROMPT)
_CONTRAST, _KNOWN, _NUMBERED = (
    template_pattern(line) for line in (CONTRAST_LINE, KNOWN_LINE, PROPOSAL_LINE)
)


def _proposal_request(text: str) -> ProposalRequest:
    head, _ = read_sections(text, ("request_1",))
    fields = _fields(_PROPOSAL_HEAD, head)
    lines = [_fields(_CONTRAST, line) for line in fields["pairs"].split("\n")]
    order = [
        f"{tag}_{number}"
        for pair in range(1, len(lines) + 1)
        for tag, number in (("request", pair), ("response", 2 * pair - 1), ("response", 2 * pair))
    ]
    _, sections = read_sections(text, order)
    return ProposalRequest(
        tuple(
            ContrastingPair(
                sections[f"request_{line['request']}"],
                sections[f"response_{line['first']}"],
                sections[f"response_{line['second']}"],
                line["preferred"] == line["first"],
            )
            for line in lines
        ),
        tuple(_fields(_KNOWN, line)["definition"] for line in fields["known"].split("\n") if line),
        int(fields["most"]),
    )


def _merge_request(text: str) -> MergeRequest:
    head, sections = read_sections(text, ("proposals",))
    _fields(_MERGE_HEAD, head)
    lines = sections["proposals"].split("\n")
    return MergeRequest(tuple(_fields(_NUMBERED, line)["definition"] for line in lines))


def _fields(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError(f"not a request to a proposer: {text[:80]!r}")
    return found.groupdict()
