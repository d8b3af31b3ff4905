"""The headline in plain words, made from the numbers and no bolder than they are.

A factor is called misaligned only where the test of the difference to people, adjusted over the
factors, tells it from 0; where a file has no such test, only where the two intervals do not
overlap. Finding nothing is not called agreement: the sentence gives the largest difference with its
interval.
"""

from collections.abc import Mapping

from profile_tasks.report.findings import Findings
from profile_tasks.report.report_data import NOTHING, Difference, FoundAlignment
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.study import GAP, GAP_PARTS

_WORDS = {"generation": "in generation", "discrimination": "in discrimination"}
_NO_BREAK = "\N{NO-BREAK SPACE}"
_HARDLY = 0.2
"""Below this, and less than half the model's, a human influence is called hardly any."""


def headline(findings: Findings) -> list[str]:
    """What a run found, one sentence or two a perspective.

    Args:
        findings: One model on one task.
    """
    if not findings.compared or "human" not in findings.profiles:
        return [_one_profile(findings)] if findings.profiles else []
    sentences = [_self_agreement(findings)] if findings.self_agreement else []
    sentences += [_perspective(findings, perspective) for perspective in findings.compared]
    if alignments := [
        _alignment(findings, p) for p in findings.compared if p in findings.alignments
    ]:
        sentences.append(_start("; ".join(alignments) + "."))
    if GAP in findings.gap:
        sentences.append(_gap(findings.gap))
    return sentences


def in_words(factor: str) -> str:
    """A factor's name as a sentence has it.

    >>> in_words("off_focus")
    'off focus'
    """
    return factor.replace("_", " ")


def interval(number: Estimate) -> str:
    """A value with its interval, as a sentence has it.

    >>> interval(Estimate(0.713, 0.66, 0.758)).split(), interval(Estimate(-0.1))
    (['.71', '[.66,', '.76]'], '−.10 (no interval)')
    """
    if not number.defined:
        return "not defined"
    ends = number.ends_text(decimal, f",{_NO_BREAK}")
    return decimal(number.value) + (f"{_NO_BREAK}[{ends}]" if ends else " (no interval)")


def decimal(value: float, digits: int = 2) -> str:
    """A number without a leading 0, and with a true minus sign.

    >>> decimal(0.5), decimal(-0.25), decimal(1.0), decimal(-0.001)
    ('.50', '−.25', '1.00', '.00')
    """
    text = f"{abs(value):.{digits}f}"
    negative = value < 0 and float(text) != 0
    return ("−" if negative else "") + (text[1:] if text.startswith("0.") else text)


def told_apart(findings: Findings, perspective: str) -> tuple[str, ...]:
    """Factors whose influence differs from the human one, the greatest difference first."""
    if perspective in findings.differences:
        return findings.misaligned(perspective)
    human, model = (findings.profiles[p].influences for p in ("human", perspective))
    apart = {
        factor: abs(model[factor].tau.value - human[factor].tau.value)
        for factor in model
        if factor in human and model[factor].tau.overlaps(human[factor].tau) is False
    }
    return tuple(sorted(apart, key=lambda factor: -apart[factor]))


def _perspective(findings: Findings, perspective: str) -> str:
    apart = told_apart(findings, perspective)
    if not apart:
        return _nothing_found(findings, perspective)
    leading = [_contrast(findings, perspective, factor) for factor in apart[:2]]
    sentence = f"{_start(_WORDS[perspective])} {findings.model} {', and '.join(leading)}"
    total = len(findings.profiles[perspective].influences)
    others = apart[2:]
    if others:
        names = ", ".join(in_words(factor) for factor in others[:5])
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        sentence += f"; it also differs from people in {names}{more}"
    how = (
        "told from chance at 5 %, adjusted over all of them"
        if perspective in findings.differences
        else "with intervals that do not overlap; this file holds no test"
    )
    verb = "differs" if len(apart) == 1 else "differ"
    return f"{sentence} ({len(apart)} of {_factors(total)} {verb}, {how})."


def _contrast(findings: Findings, perspective: str, factor: str) -> str:
    """What the model does with a factor, against what people do."""
    model = findings.profiles[perspective].influences[factor].tau
    human = findings.profiles["human"].influences[factor].tau
    m, h = model.value, human.value
    name = in_words(factor)
    numbers = (f"(tau{_NO_BREAK}{interval(model)})", f"({interval(human)})")
    if not model.excludes_zero and not human.excludes_zero:
        return (
            f"differs from people on {name} {numbers[0]} against {numbers[1]}, though neither "
            "shows a clear preference alone"
        )
    if not model.excludes_zero:
        people = "follow" if h > 0 else "go against"
        return (
            f"shows no clear preference on {name} {numbers[0]}, which people {people} {numbers[1]}"
        )
    verb = "follows" if m > 0 else "goes against"
    if not human.excludes_zero:
        return f"{verb} {name} {numbers[0]} where people show no clear preference {numbers[1]}"
    if m * h < 0:
        people = "go against" if m > 0 else "follow"
        return f"{verb} {name} {numbers[0]} where people {people} it {numbers[1]}"
    if abs(h) < _HARDLY and abs(h) < abs(m) / 2:
        return f"{verb} {name} {numbers[0]} where people hardly do {numbers[1]}"
    more = "more" if abs(m) > abs(h) else "less"
    return f"{verb} {name} {numbers[0]} {more} than people do {numbers[1]}"


def _nothing_found(findings: Findings, perspective: str) -> str:
    total = len(findings.profiles[perspective].influences)
    start = _start(_WORDS[perspective])
    if perspective not in findings.differences:
        return (
            f"{start} the intervals of {findings.model} and of people overlap for all of "
            f"{_factors(total)}, so this file cannot tell them apart; that does not show that they "
            "agree."
        )
    sentence = (
        f"{start} no influence on {findings.model} is told from that on people "
        f"({_factors(total)}, adjusted over all of them)"
    )
    widest = _widest(findings.differences[perspective])
    if widest is None:
        return f"{sentence}; the data are too few for any interval."
    factor, difference = widest
    return (
        f"{sentence}. That does not show that they agree: the largest difference, in "
        f"{in_words(factor)}, is {interval(difference.number)}."
    )


def _widest(differences: Mapping[str, Difference]) -> tuple[str, Difference] | None:
    known = {f: d for f, d in differences.items() if d.number.defined}
    if not known:
        return None
    return max(known.items(), key=lambda entry: abs(entry[1].number.value))


def _self_agreement(findings: Findings) -> str:
    found = findings.self_agreement["pearson"]
    number = found.number
    if not number.defined:
        return f"Whether {findings.model} writes as it judges is {_refused(number)}."
    start = f"{findings.model} writes as it judges at r{_NO_BREAK}"
    if not number.has_interval:
        return f"{start}{decimal(number.value)} ({number.reason or 'no interval'})."
    return (
        f"{start}{interval(number)} (self-agreement over the texts that it wrote, without the "
        f"sampling noise; 1 is one taste){_unrelated(found)}."
    )


def _alignment(findings: Findings, perspective: str) -> str:
    aligned = findings.alignments[perspective].get("tau_b", FoundAlignment(NOTHING))
    doing = {
        "generation": "as a writer, across different texts,",
        "discrimination": "as a judge",
    }[perspective]
    if not aligned.number.defined:
        return f"{doing} its alignment with people is not defined"
    sentence = f"{doing} its profile aligns with people's at tau_b {interval(aligned.number)}"
    if outside(aligned.number):
        sentence += (
            ", the interval of the true one, outside which noise of each or noise in common puts "
            "what is observed"
        )
    if perspective == "generation":
        return sentence
    pearson = findings.alignments[perspective].get("pearson", FoundAlignment(NOTHING))
    if pearson.disattenuated.defined:
        sentence += f"; without the sampling noise r is {interval(pearson.disattenuated)}"
        return sentence + _unrelated(pearson)
    if pearson.disattenuated.reason:
        sentence += f"; without the sampling noise it is {_refused(pearson.disattenuated)}"
    return sentence


def outside(number: Estimate) -> bool:
    """Whether what was observed lies outside the interval of the true value."""
    return number.has_interval and not number.low <= number.value <= number.high


def _refused(number: Estimate) -> str:
    reason = number.reason or "not known"
    return reason if reason.startswith("not estimable") else f"not estimable: {reason}"


def _unrelated(found: FoundAlignment) -> str:
    """How many unrelated tastes come as close, in words."""
    if found.unrelated is None:
        return ""
    share = 100 * found.unrelated
    number = "fewer than 1" if share < 0.5 else f"{share:.0f}"
    return f"; {number} of 100 unrelated tastes come{'s' * (number == '1')} as close"


def _gap(gap: Mapping[str, Estimate]) -> str:
    if not gap[GAP].defined:
        return f"The paper's gap, judge less writer, is not defined ({gap[GAP].reason})."
    sentence = f"The paper's gap, judge less writer across different texts, is {interval(gap[GAP])}"
    texts, taste = (gap.get(name, NOTHING) for name in GAP_PARTS)
    if texts.defined and taste.defined:
        return (
            f"{sentence}: {interval(texts)} by the shift of texts, {interval(taste)} by taste, "
            "which is 0 where it writes as it judges."
        )
    return f"{sentence}. By itself it does not show that it writes against its own judgement."


def _one_profile(findings: Findings) -> str:
    """A file with one profile: what its preferences follow most."""
    (perspective, profile), *_ = findings.profiles.items()
    who = "people" if perspective == "human" else f"the {perspective} preferences"
    clear = [
        (factor, found.tau)
        for factor, found in profile.influences.items()
        if found.tau.excludes_zero and (found.p_holm is None or found.p_holm < 0.05)
    ]
    if not clear:
        return (
            f"For none of {len(profile.influences)} factors is it clear that {who} prefer more or "
            "less of it."
        )
    clear.sort(key=lambda entry: -abs(entry[1].value))
    parts = [
        f"{'more' if tau.value > 0 else 'less'} {in_words(factor)} (tau{_NO_BREAK}{interval(tau)})"
        for factor, tau in clear[:3]
    ]
    return (
        f"{_start(who)} prefer {', '.join(parts)} (told from chance in {len(clear)} of "
        f"{_factors(len(profile.influences))})."
    )


def _factors(count: int) -> str:
    return f"{count} factor{'s' * (count != 1)}"


def _start(text: str) -> str:
    return text[:1].upper() + text[1:]
