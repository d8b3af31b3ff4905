"""The headline in plain words, made from the numbers and no bolder than they are.

A judge and people chose between the same pairs: a factor differs in taste only where the test
after one scale, adjusted over the factors, says so, and tastes are equivalent only where a test
says that. Where a file has no such test, it is said which intervals do not overlap. A writer's
texts are others than those that people compared, so its influences stand beside theirs and nothing
is said to differ; where people judged what the model wrote, writer and people preferred among the
same texts, and are compared as judges are. Whatever is not told comes with the smallest effect that
would have shown.
"""

import math
import re
from collections.abc import Mapping

from profile_tasks.report.findings import Findings
from profile_tasks.report.report_data import NOTHING, FoundAlignment, Taste
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.metric_catalogue import label
from profile_tasks.scorers.statistics.study import GAP, GAP_PARTS
from profile_tasks.scorers.statistics.taste import EQUIVALENT

_WORDS = {"generation": "in generation", "discrimination": "in discrimination"}
_ROLES = {"generation": "as a writer", "discrimination": "as a judge"}
_DOES = {"generation": "writes", "discrimination": "judges"}
_NO_BREAK = "\N{NO-BREAK SPACE}"
_LEVEL = 0.05
_DECIMAL = re.compile(r"(?<![\w.:+/−-])-?\d+\.(\d+)(?![\w/-]|\.\d)")
_HARDLY = 0.2
"""Below this, and less than half the model's, a human influence is called hardly any."""


def headline(findings: Findings) -> list[str]:
    """What a run found, one sentence or two a perspective.

    Args:
        findings: One model on one task.
    """
    return [_numbers_in_one_style(sentence) for sentence in _headline(findings)]


def _numbers_in_one_style(text: str) -> str:
    """Numbers of reasons that others worded as ``decimal`` writes them; names keep theirs.

    >>> _numbers_in_one_style("r within [-0.20, 1.00], qwen-0.5b")
    'r within [−.20, 1.00], qwen-0.5b'
    """
    return _DECIMAL.sub(lambda found: decimal(float(found[0]), len(found[1])), text)


def _headline(findings: Findings) -> list[str]:
    if not findings.compared or "human" not in findings.profiles:
        return [_one_profile(findings)] if findings.profiles else []
    sentences = [_self_agreement(findings)] if findings.self_agreement else []
    if findings.own is not None:
        return sentences + _on_own_texts(findings, findings.own) + _on_annotated_texts(findings)
    sentences += [_perspective(findings, perspective) for perspective in findings.compared]
    if alignments := _alignments(findings):
        sentences.append(_start(alignments))
    if GAP in findings.gap:
        sentences.append(_gap(findings.gap))
    return sentences


def _on_own_texts(findings: Findings, own: Findings) -> list[str]:
    """People, judge and writer on the pairs that the model wrote and people judged."""
    pairs = findings.metrics.get("own_labelled_pairs", NOTHING)
    share = findings.metrics.get("own_labelled_share", NOTHING)
    counted = f"{pairs.value:,.0f} pairs" if pairs.defined else "pairs"
    of_all = f" ({_percent(share, 'of them')})" if share.defined else ""
    sentences = [
        f"People judged {counted} of texts that {findings.model} wrote{of_all}: there, people and "
        "writer prefer among the same texts."
    ]
    sentences += [_compared(own, p, f"On these texts, {_ROLES[p]},") for p in own.compared]
    if alignments := _alignments(own):
        sentences.append(f"On these texts, {alignments}")
    if GAP in own.gap:
        sentences.append(_gap_on_same_texts(findings.model, own.gap[GAP]))
    return sentences


def _on_annotated_texts(findings: Findings) -> list[str]:
    """People and judge on the annotated pairs; the writer, whose texts are others, is not there."""
    if "discrimination" not in findings.compared:
        return []
    sentences = [_compared(findings, "discrimination", "On the annotated pairs, as a judge,")]
    if "discrimination" in findings.alignments:
        sentences.append(f"On the annotated pairs, {_alignment(findings, 'discrimination')}.")
    return sentences


def _alignments(findings: Findings) -> str:
    found = [_alignment(findings, p) for p in findings.compared if p in findings.alignments]
    return "; ".join(found) + "." * bool(found)


def summary(findings: Findings) -> str:
    """The shortest true thing about a run; its numbers stand in the figure beside it."""
    if not findings.compared or "human" not in findings.profiles:
        return _one_profile(findings) if findings.profiles else "This file holds no profile."
    if findings.own is not None:
        return summary(findings.own)
    model, perspective = findings.model, findings.told_of
    if perspective not in findings.compared:
        widest = farthest_first(findings)[0]
        return (
            f"As a writer, {model} is farthest from people in {in_words(widest)}, on other texts "
            "than they compared, so no difference is one of taste."
        )
    apart = told_apart(findings, perspective)
    taste = findings.tastes.get(perspective)
    total = n_factors(len(findings.profiles[perspective].influences))
    if (groups := findings.profiles[perspective].n_groups) is not None:
        total += f" over {groups} groups of sources"
    on_same = ", on texts that people judged too" if findings.same_texts else ""
    role = f"{_start(_ROLES[perspective])}{on_same}, {model}"
    if taste and not apart and not taste.consistency.reason and taste.verdict in EQUIVALENT:
        return (
            f"{role} has people's taste: no influence departs by "
            f"{decimal(taste.margin)} or more ({total})."
        )
    how = " in taste" if taste and apart else _unknown_kind(taste, _DOES[perspective])
    apart = apart or influences_apart(findings)
    if not apart:
        return (
            f"{role} is not told apart from people in any of {total}; that does not "
            "show that they agree."
        )
    stance = _contrast_in(findings, perspective, apart[0], brief=True)
    differ = f"differ{'s' * (len(apart) == 1)} from people"
    return f"{role} {stance}; {len(apart)} of {total} {differ}{how}."


def _unknown_kind(taste: Taste | None, does: str) -> str:
    """What is known of the kind of differences that are not told to be of taste."""
    if taste is None:
        return f"; whether in taste or only in how consistently it {does}, this file does not tell"
    consistency = taste.consistency
    if not consistency.has_interval or consistency.low <= 1 <= consistency.high:
        return (
            f"; whether in taste or only in how consistently it {does}, these sources do not tell"
        )
    more = "more" if consistency.low > 1 else "less"
    return (
        f"; it {does} {more} consistently than they do, and whether its taste differs too, these "
        "sources do not tell"
    )


def at_a_glance(findings: Findings) -> list[str]:
    """What decides, as far as the run has it: agreement with people, flips, alignment.

    Args:
        findings: One model on one task.
    """
    found = findings.metrics
    said = []
    if (accuracy := found.get("discrimination_accuracy_half_credit", NOTHING)).defined:
        said.append(f"judges as people do in {_percent(accuracy, 'of pairs')}")
    if (flips := found.get("flip_rate", NOTHING)).defined:
        said.append(f"{label('flip_rate')} {_percent(flips)}")
    if findings.own is not None:
        aligned = findings.own.alignments.get("generation", {}).get("tau_b")
        if aligned is not None and aligned.number.defined:
            name = label("own_alignment_generation_tau_b")
            return [*said, f"{name} {interval(aligned.number)}"]
    for perspective in reversed(findings.compared):
        aligned = findings.alignments.get(perspective, {}).get("tau_b", FoundAlignment(NOTHING))
        if aligned.number.defined:
            name = label(f"alignment_{perspective}_tau_b")
            return [*said, f"{name} {interval(aligned.number)}"]
    return said


def _percent(share: Estimate, of: str = "") -> str:
    """A share with its interval, in percent."""
    ends = share.ends_text(lambda end: f"{100 * end:.0f}", f",{_NO_BREAK}")
    parts = (f"{100 * share.value:.0f}{_NO_BREAK}%", of, f"[{ends}]" if ends else "")
    return " ".join(filter(None, parts))


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
    """Factors in which the model as a judge differs from people, the greatest difference first.

    In taste, where the run tells; where its file holds no test, those whose intervals do not
    overlap. None of a writer whose texts are others than those that people compared.
    """
    if perspective == "generation" and not findings.same_texts:
        return ()
    if perspective in findings.tastes:
        return findings.tastes[perspective].differing
    human, model = (findings.profiles[p].influences for p in ("human", perspective))
    return tuple(
        factor
        for factor in _widest_apart(findings, perspective)
        if model[factor].tau.overlaps(human[factor].tau) is False
    )


def influences_apart(findings: Findings) -> tuple[str, ...]:
    """Factors in which the judge's influence is told from people's, the farthest first.

    Or the writer's, where people judged what it wrote. Be it by taste or by consistency: at 5 %,
    adjusted by Holm over the factors.
    """
    found = findings.differences.get(findings.told_of, {})
    return tuple(
        factor
        for factor in _widest_apart(findings, findings.told_of)
        if factor in found and (p := found[factor].p_holm) is not None and p < _LEVEL
    )


def farthest_first(findings: Findings) -> list[str]:
    """Every factor: those told apart in taste, then otherwise, then by how far from people.

    How far the judge is; the writer where nothing was judged, or where people judged what it wrote.

    Where there is nobody to hold against people, the strongest influence comes first.
    """
    if "human" not in findings.profiles or not findings.compared:
        influences = next(iter(findings.profiles.values())).influences if findings.profiles else {}
        taus = {f: abs(found.tau.value) for f, found in influences.items() if found.tau.defined}
        return sorted(influences, key=lambda factor: -taus.get(factor, -1.0))
    told_of = findings.told_of
    perspective = told_of if told_of in findings.compared else findings.compared[-1]
    every = {f: None for p in findings.profiles.values() for f in p.influences}
    told: tuple[str, ...] = ()
    if perspective == told_of:
        told = (*told_apart(findings, perspective), *influences_apart(findings))
    return list(dict.fromkeys([*told, *_widest_apart(findings, perspective), *every]))


def _widest_apart(findings: Findings, perspective: str) -> list[str]:
    """Factors by how far the influence on the model is from that on people, farthest first."""
    human, model = (findings.profiles[p].influences for p in ("human", perspective))
    apart = {
        factor: abs(model[factor].tau.value - human[factor].tau.value)
        for factor in model
        if factor in human and model[factor].tau.defined and human[factor].tau.defined
    }
    return sorted(apart, key=lambda factor: -apart[factor])


def _perspective(findings: Findings, perspective: str) -> str:
    start = _start(_WORDS[perspective])
    if perspective == "generation":
        return _written(findings, start)
    return _compared(findings, perspective, start)


def _compared(findings: Findings, perspective: str, start: str) -> str:
    """What the model and people differ in, who preferred among the same pairs."""
    apart = told_apart(findings, perspective)
    taste = findings.tastes.get(perspective)
    if taste is None:
        return _untested(findings, perspective, start, apart)
    consistency = _consistency(findings.model, taste.consistency, "people")
    if not apart:
        said = none_differs(findings.model, taste, "people")
        return f"{start} {said}{'' if taste.consistency.reason else consistency}"
    leading = [_contrast_in(findings, perspective, factor) for factor in apart[:2]]
    sentence = f"{start} {findings.model} {', and '.join(leading)}"
    if others := apart[2:]:
        names = ", ".join(in_words(factor) for factor in others[:5])
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        sentence += f"; it also differs from people in {names}{more}"
    return f"{sentence} ({_how_many(taste)}).{consistency}"


def _written(findings: Findings, start: str) -> str:
    """The writer's influences beside people's, and beside its own judgement of the same texts."""
    model, human = (findings.profiles[p].influences for p in ("generation", "human"))
    sides = [
        f"{in_words(factor)} {interval(model[factor].tau)} against {interval(human[factor].tau)}"
        for factor in _widest_apart(findings, "generation")[:2]
    ]
    sentence = (
        f"{start} {findings.model} wrote other texts than people compared, so its influences stand "
        f"beside theirs and no difference is one of taste: widest apart "
        f"{'is' if len(sides) == 1 else 'are'} {', and '.join(sides)} (of {n_factors(len(model))})."
        if sides
        else f"{start} no influence is defined for both {findings.model} and people."
    )
    taste = findings.tastes.get("generation")
    if taste is None:
        return sentence
    judgement = "its own judgement of the same texts"
    if not taste.differing:
        return f"{sentence} {_start(none_differs('its writing', taste, judgement))}"
    departed = ", and ".join(
        in_words(factor)
        + ("" if taste.consistency.reason else f" ({interval(taste.factors[factor].number)})")
        for factor in taste.differing[:3]
    )
    return (
        f"{sentence} Its writing departs from {judgement}, {_scale(taste)}, in {departed} "
        f"({_how_many(taste)})."
    )


def _untested(findings: Findings, perspective: str, start: str, apart: tuple[str, ...]) -> str:
    """Preferences among the same pairs whose file does not tell taste from consistency."""
    human, model = (findings.profiles[p].influences for p in ("human", perspective))
    total = n_factors(len(model))
    compared = [
        factor
        for factor in _widest_apart(findings, perspective)
        if model[factor].tau.overlaps(human[factor].tau) is not None
    ]
    if not compared:
        return (
            f"{start} whether {findings.model} differs from people is not known: this file has no "
            f"intervals of both for any of {total}."
        )
    if not apart:
        every = len(compared) == len(model)
        held = f"all of {total}" if every else f"{len(compared)} of {total} (the others have none)"
        return (
            f"{start} the intervals of {findings.model} and of people overlap for {held}, "
            "so this file cannot tell them apart; that does not show that they agree."
        )
    leading = [_contrast_in(findings, perspective, factor) for factor in apart[:2]]
    return (
        f"{start} {findings.model} {', and '.join(leading)} (the intervals of {len(apart)} of "
        f"{total} do not overlap; whether that is taste or consistency this file cannot tell)."
    )


def _how_many(taste: Taste) -> str:
    differing = len(taste.differing)
    return (
        f"{differing} of {n_factors(len(taste.factors))} differ{'s' * (differing == 1)} in taste, "
        f"told at 5 % {_scale(taste)} and adjusted over all of them"
    )


def _scale(taste: Taste) -> str:
    return "whatever the scale" if taste.consistency.reason else "after one scale"


def none_differs(subject: str, taste: Taste, other: str) -> str:
    """That no factor departs, and what that leaves open.

    Args:
        subject: Who was compared, as a sentence has it.
        taste: What came of it; no factor differs.
        other: With whom.
    """
    total = n_factors(len(taste.factors))
    if no_scale := taste.consistency.reason:  # whatever a log of an earlier version says
        return (
            f"whether the taste of {subject} differs from that of {other} is undecided: {no_scale}."
        )
    if taste.verdict in EQUIVALENT:
        return (
            f"the tastes of {subject} and of {other} are equivalent: after one scale every "
            f"influence is shown to depart by less than {decimal(taste.margin)} ({total})."
        )
    known = {f: each for f, each in taste.factors.items() if each.number.defined}
    widest = max(known, key=lambda factor: abs(known[factor].number.value))
    hidden = max(known, key=lambda factor: known[factor].smallest or 0.0)
    return (
        f"no influence on {subject} is told to depart from {other} in taste after one scale "
        f"({total}, adjusted over all of them), and that they are equivalent is not shown either: "
        f"the largest departure, in {in_words(widest)}, is {interval(known[widest].number)}, and "
        f"in {in_words(hidden)} one below {decimal(known[hidden].smallest or 0.0)} may not show."
    )


def _consistency(subject: str, found: Estimate, other: str) -> str:
    if not found.defined:
        return f" Consistency is not compared: {found.reason}." if found.reason else ""
    times = f"{interval(found)} times as consistent"
    if found.low <= 1 <= found.high:
        return f" Whether it or {other} are the more consistent is undecided: it is {times}."
    return f" {subject} differs in consistency: it is {times} as {other}."


def _contrast_in(findings: Findings, perspective: str, factor: str, *, brief: bool = False) -> str:
    """What the model does with a factor, against what people do."""
    model, human = (findings.profiles[p].influences[factor].tau for p in (perspective, "human"))
    taste = findings.tastes.get(perspective)
    told = taste is not None and factor in taste.differing
    departure = taste.factors[factor].number.value if taste and told else math.nan
    return contrast(factor, model, human, departure, brief=brief)


def contrast(
    factor: str,
    model: Estimate,
    human: Estimate,
    departure: float = math.nan,
    *,
    brief: bool = False,
) -> str:
    """What a judge does with a factor, against what people do.

    Args:
        factor: The factor.
        model: Its influence on the judge's preference.
        human: Its influence on people's.
        departure: What of the difference is taste; NaN where none is told.
        brief: Without the numbers.
    """
    m, h = model.value, human.value
    name = in_words(factor)
    numbers = (
        f" (tau{_NO_BREAK}{interval(model)}{_unclear(model)})" * (not brief),
        f" ({interval(human)}{_unclear(human)})" * (not brief),
    )
    if not model.excludes_zero and not human.excludes_zero:
        return (
            f"differs from people on {name}{' against'.join(numbers) * (not brief)}, though "
            "neither shows a clear preference alone"
        )
    if not model.excludes_zero:
        people = "follow" if h > 0 else "go against"
        return f"shows no clear preference on {name}{numbers[0]}, which people {people}{numbers[1]}"
    verb = "follows" if m > 0 else "goes against"
    if not human.excludes_zero:
        return f"{verb} {name}{numbers[0]} where people show no clear preference{numbers[1]}"
    if m * h < 0:
        people = "go against" if m > 0 else "follow"
        return f"{verb} {name}{numbers[0]} where people {people} it{numbers[1]}"
    if abs(h) < _HARDLY and abs(h) < abs(m) / 2:
        return f"{verb} {name}{numbers[0]} where people hardly do{numbers[1]}"
    more = "more" if abs(m) > abs(h) else "less"
    sentence = f"{verb} {name}{numbers[0]} {more} than people do{numbers[1]}"
    if departure * (m - h) < 0:  # its consistency alone would take it farther than that
        other = "less" if more == "more" else "more"
        sentence += f", yet {other} than its consistency would have it"
    return sentence


def _unclear(tau: Estimate) -> str:
    """From where on an influence would have shown, where none does."""
    if tau.excludes_zero or not tau.has_interval:
        return ""
    return f"; from {decimal(tau.smallest_shown)} on one would have shown"


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
    across = perspective == "generation" and not findings.same_texts
    doing = _ROLES[perspective] + (", across different texts," if across else "")
    if not aligned.number.defined:
        return f"{doing} its alignment with people is not defined"
    sentence = f"{doing} its profile aligns with people's at tau_b {interval(aligned.number)}"
    if outside(aligned.number):
        sentence += (
            ", the interval of the true one, outside which noise of each or noise in common puts "
            "what is observed"
        )
    if across:
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
        why = f" ({gap[GAP].reason})" if gap[GAP].reason else ""
        return f"The paper's gap, judge less writer, is not defined{why}."
    sentence = f"The paper's gap, judge less writer across different texts, is {interval(gap[GAP])}"
    texts, taste = (gap.get(name, NOTHING) for name in GAP_PARTS)
    if texts.defined and taste.defined:
        return (
            f"{sentence}: {interval(texts)} by the shift of texts, {interval(taste)} by taste, "
            "which is 0 where it writes as it judges."
        )
    return f"{sentence}. By itself it does not show that it writes against its own judgement."


def _gap_on_same_texts(model: str, gap: Estimate) -> str:
    """The gap where people judged what the model wrote."""
    what = "The gap on the same texts, alignment with people as a judge less as a writer,"
    if not gap.defined:
        return f"{what} is not defined{f' ({gap.reason})' if gap.reason else ''}."
    sentence = f"{what} is {interval(gap)}"
    if not gap.has_interval:
        return f"{sentence}."
    if not gap.excludes_zero:
        shown = decimal(gap.smallest_shown)
        return (
            f"{sentence}: whether {model} judges or writes more as people prefer is not told; a "
            f"gap from {shown} on would have shown."
        )
    more, less = ("judges", "writes") if gap.value > 0 else ("writes", "judges")
    return f"{sentence}: {model} {more} more as people prefer than it {less}."


def _one_profile(findings: Findings) -> str:
    """A file with one profile: what its preferences follow most."""
    (perspective, profile), *_ = findings.profiles.items()
    who = {"human": "people", "recorded": f"the verdicts of {findings.model}"}.get(
        perspective, f"the {perspective} preferences"
    )
    clear = [
        (factor, found.tau)
        for factor, found in profile.influences.items()
        if found.tau.excludes_zero and (found.p_holm is None or found.p_holm < 0.05)
    ]
    if not clear:
        least = [i.tau.smallest_shown for i in profile.influences.values() if i.tau.has_interval]
        shown = (
            f", where an influence from {decimal(max(least))} on would have shown" if least else ""
        )
        return (
            f"For none of {n_factors(len(profile.influences))} is it clear that {who} prefer more "
            f"or less of it{shown}."
        )
    clear.sort(key=lambda entry: -abs(entry[1].value))
    parts = [
        f"{'more' if tau.value > 0 else 'less'} {in_words(factor)} (tau{_NO_BREAK}{interval(tau)})"
        for factor, tau in clear[:3]
    ]
    return (
        f"{_start(who)} prefer {', '.join(parts)} (told from chance in {len(clear)} of "
        f"{n_factors(len(profile.influences))})."
    )


def n_factors(count: int) -> str:
    """A number of factors, in words.

    >>> n_factors(1), n_factors(10)
    ('1 factor', '10 factors')
    """
    return f"{count} factor{'s' * (count != 1)}"


def _start(text: str) -> str:
    return text[:1].upper() + text[1:]
