"""What one profile or audit holds and two models differ in, in plain sentences with their numbers.

A difference is stated only where its test or its interval says so: of a factor where the p-value,
adjusted over all factors (Holm), is below 0.05, of alignment and agreement where the interval of
the paired difference leaves 0 out. Everything else is said to be undecided, with the smallest
difference that would have shown, and equivalent only where a test says so.

Two judges saw the same pairs, so what they differ in is taken apart: taste or consistency. Two
writers wrote other texts, of which nothing is said but the influences themselves.
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.metric_catalogue import label
from profile_tasks.scorers.statistics.probes import BY_NAME, ProbeFinding
from profile_tasks.scorers.statistics.taste import EQUIVALENT

LEVEL = 0.05

_ACCURACIES = {
    "discrimination_accuracy_half_credit": ("", "accuracy with half credit"),
    "discrimination_accuracy": ("of the pairs that each decides, ", "accuracy"),
}
"""Forms of accuracy: what a sentence begins with, and what the numbers are."""

KINDS = {
    "differs in taste": "one of taste",
    "differs in consistency": "one of consistency",
    "equivalent": "with equivalent tastes",
    "equivalent in taste, differs in consistency": "one of consistency",
    "undecided": "taste or consistency: undecided",
}
"""What a difference of two judges is, by the verdict on the factor."""

_WRITES = {"generation": "as a writer", "discrimination": "as a judge"}
_ACROSS_TEXTS = {"generation": " (across texts: people chose among others)"}
_ON_OWN_TEXTS = " (on the texts that each wrote and people judged)"
_PAPERS_GAP = "the paper's gap, alignment as a judge less alignment as a writer on other texts,"


_SAID = 3
"""So many influences are said in one sentence."""


def influence_words(factors: Mapping[str, Mapping[str, Any]], whose: str = "people") -> str:
    """The strongest influences that are told from chance; or that none is, and which is widest.

    Args:
        factors: The factors of an influence record.
        whose: Whose preference it is, in the plural.

    Example:
        >>> found = {"tau": 0.6, "ci_low": 0.4, "ci_high": 0.8, "p_adjusted": 0.01}
        >>> influence_words({"length": found})
        'people prefer more length (+0.60 [+0.40, +0.80]): told from chance in 1 of 1 factor (Holm)'
    """
    known = {name: found for name, found in factors.items() if found["tau"] is not None}
    if not known:
        return f"no influence on what {whose} prefer is defined"
    told = [
        name
        for name, found in known.items()
        if found["p_adjusted"] is not None and found["p_adjusted"] < LEVEL
    ]
    strongest = sorted(told or known, key=lambda name: -abs(known[name]["tau"]))
    numbers = {name: Estimate.of_record(known[name], "tau") for name in strongest}
    of_all = _counted(factors)
    if not told:
        widest = strongest[0]
        return (
            f"for none of {of_all} is it clear that {whose} prefer more or less of it (Holm); the "
            f"largest influence is that of {widest}, {numbers[widest]}"
        )
    said = [
        f"{'more' if numbers[name].value > 0 else 'less'} {name} ({numbers[name]})"
        for name in strongest[:_SAID]
    ]
    return f"{whose} prefer {', '.join(said)}: told from chance in {len(told)} of {of_all} (Holm)"


def first_named(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are.

    >>> first_named(["length", "fluency", "markdown"], 2)
    'length, fluency and 1 more'
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def slice_words(slices: Mapping[str, Mapping[str, Any]]) -> str:
    """In which slices an influence is told to differ from that in all other pairs.

    Args:
        slices: Label -> the slice, as of ``slices_record``.

    Example:
        >>> found = {"difference": 0.4, "difference_ci_low": 0.2, "difference_ci_high": 0.6}
        >>> told = {"p_adjusted_bh": 0.01, "interaction_p_adjusted_bh": 0.2}
        >>> slice_words({"de": {"factors": {"length": found | told}}})
        'length weighs more in de than elsewhere (+0.40 [+0.20, +0.60]; not told with the other \
factors held fixed)'
    """
    if not slices:
        return "no two slices are large enough to be held against each other"
    told = [
        (Estimate.of_metrics(found, "difference"), name, factor, found["interaction_p_adjusted_bh"])
        for name, each in slices.items()
        for factor, found in each["factors"].items()
        if found["p_adjusted_bh"] is not None and found["p_adjusted_bh"] < LEVEL
    ]
    if not told:
        return "of no factor is it clear that it weighs otherwise in a slice than elsewhere"
    told.sort(key=lambda each: -abs(each[0].value))
    said = [
        f"{factor} weighs {'more' if difference.value > 0 else 'less'} in {name} than elsewhere "
        f"({difference}; {'also' if q is not None and q < LEVEL else 'not told'} with the other "
        "factors held fixed)"
        for difference, name, factor, q in told[:_SAID]
    ]
    more = len(told) - len(said)
    return "; ".join(said) + (f"; and {more} more" if more else "")


PROBES_TOLD = "told (5 %, Holm over a judge's probes)"
COULD_HAVE_SHOWN = "the smallest effect that these sources show with a chance of 80 %"


def sensitivity_words(found: Mapping[str, ProbeFinding]) -> str:
    """What a judge's verdicts are told to hang on; of all else, how much would have been shown.

    Args:
        found: What each probe of the judge found, by its name.

    Example:
        >>> from profile_tasks.scorers.statistics.probes import adjusted_findings, probe_finding
        >>> from profile_tasks.scorers.statistics.probes import Observations
        >>> first = Observations.of([(source, 1.0) for source in range(20)])
        >>> either = Observations.of([(source, (-1.0) ** source) for source in range(20)])
        >>> probes = [probe_finding("position", first), probe_finding("padding", either)]
        >>> sensitivity_words(adjusted_findings(probes))
        'its verdicts hang on which response is shown first (+0.50 [+0.31, +0.50]); nothing is \
told of padding, where an effect of 0.36 would have been shown'
    """
    tested = [each for each in found.values() if each.probe.null]
    told = sorted(
        (each for each in tested if each.found),
        key=lambda each: (each.p_adjusted, -abs(each.estimate.value)),
    )
    parts = []
    if told:
        hung_on = [f"{each.probe.on} ({each.number})" for each in told]
        parts.append(f"its verdicts hang on {_listed(hung_on)}")
    untold = [each for each in tested if not each.found and not math.isnan(each.detectable)]
    # One figure for shares, which are of one unit: as much would have been shown of any of them.
    shares = [each for each in untold if each.probe.kind in ("lean", "move")]
    if shares:
        most = max(each.detectable for each in shares)
        of_shares = _listed([each.probe.label for each in shares])
        parts.append(
            f"nothing is told of {of_shares}, where an effect of {most:.2f} would have been shown"
        )
    units = {"log-odds": "in log-odds", "influence": "in tau"}
    if others := [each for each in untold if each.probe.kind in units]:
        start, end = ("nor", "") if shares else ("nothing is told", " would have been shown")
        names = [
            f"{each.probe.label} ({each.detectable:.2f} {units[each.probe.kind]}{end})"
            for each in others
        ]
        parts.append(f"{start} of {_listed(names)}")
    if few := [each.probe.label for each in tested if not each.found and each not in untold]:
        parts.append(f"there is too little to tell of {_listed(few)}")
    return "; ".join(parts) or "no probe whose effect can be tested was run"


def compared_audits_words(record: Mapping[str, Any]) -> str:
    """In which probes two audited judges are told to differ; or the smallest that would have shown.

    Args:
        record: As of ``compare_audits``.

    Example:
        >>> found = {"value": 0.3, "ci_low": 0.2, "ci_high": 0.4, "p_adjusted": 0.01}
        >>> record = {"model_a": "x/a", "model_b": "x/b", "probes": {"padding": found}}
        >>> compared_audits_words(record)
        'x/a and x/b are told to differ in padding (+0.30 [+0.20, +0.40])'
    """
    both = f"{record['model_a']} and {record['model_b']}"
    found = {name: Estimate.of_record(each) for name, each in record["probes"].items()}
    told = sorted(
        (name for name, each in record["probes"].items() if _told(each)),
        key=lambda name: -abs(found[name].value),
    )
    if told:
        named = _listed([f"{BY_NAME[name].label} ({found[name]})" for name in told])
        return f"{both} are told to differ in {named}"
    shown = [each.smallest_shown for each in found.values() if each.has_interval]
    if not shown:
        return f"nothing is told of what {both} differ in: there are too few sources"
    return (
        f"{both} are not told to differ in any probe, of which differences from {min(shown):.2f} "
        f"to {max(shown):.2f} would have been shown"
    )


def _listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def strongest_difference(record: Mapping[str, Any]) -> str:
    """The strongest difference of two models that a test tells, or that none is told.

    Of judges before writers, whose texts differ too; of factors, whose tests are adjusted for
    their number, before alignment and agreement, whose intervals are not.

    Args:
        record: As of ``comparison_words``.
    """
    for perspective in ("discrimination", "generation"):
        factors = record["perspectives"].get(perspective, {}).get("factors", {})
        told = {name: found for name, found in factors.items() if _told(found)}
        if told:
            name = max(told, key=lambda name: abs(told[name]["value"]))
            found = told[name]
            people = "" if found.get("human") is None else f"; people {_signed(found['human'])}"
            kind = f", {KINDS[found['taste']['verdict']]}" if "taste" in found else ""
            return (
                f"{_WRITES[perspective]}, {_follows(name, found)}: {_signed(found['a'])} against "
                f"{_signed(found['b'])}, {_by(found)}{kind}{people} (told in {len(told)} of "
                f"{_counted(factors)}, Holm)"
            )
    apart = {
        name: found
        for name, found in {**record["alignments"], **record["agreement"]}.items()
        if Estimate.of_record(found).excludes_zero
    }
    if apart:
        name = max(apart, key=lambda name: abs(apart[name]["value"]))
        found = apart[name]
        return (
            f"no influence is told to differ; apart is {label(name)}, {_signed(found['a'])} "
            f"against {_signed(found['b'])}, {_by(found)}"
        )
    return "no difference is told, which does not show that they are alike"


def more_like_people(record: Mapping[str, Any]) -> str:
    """Which of two models judges more like people, in percent of the pairs; empty where unknown.

    Args:
        record: As of ``comparison_words``.

    Example:
        >>> found = {"a": 0.7, "b": 0.6, **Estimate(0.1, -0.05, 0.25).record()}
        >>> said = more_like_people({"agreement": {"discrimination_accuracy_half_credit": found}})
        >>> said.partition(", which leaves open")[0]
        'A judges as people do in 70 % of pairs, B in 60 %: difference +10 points [-5, +25]'
    """
    found = record["agreement"].get("discrimination_accuracy_half_credit")
    if found is None or found["a"] is None or found["b"] is None:
        return ""
    points = Estimate.of_record(found)
    ends = points.ends_text(lambda end: f"{100 * end:+z.0f}") or "no interval"
    said = (
        f"A judges as people do in {100 * found['a']:.0f} % of pairs, B in {100 * found['b']:.0f} "
        f"%: difference {100 * points.value:+z.0f} points [{ends}]"
    )
    if _by_value(found) is None:
        said += ", which leaves open which of the two judges more like people"
    return said


def _counted(factors: Mapping[str, Any]) -> str:
    return f"{len(factors)} factor{'s' * (len(factors) != 1)}"


def _told(found: Mapping[str, Any]) -> bool:
    """Whether a difference of influence is told; of judges, one of taste or of consistency."""
    return (
        found["value"] is not None
        and found["p_adjusted"] is not None
        and found["p_adjusted"] < LEVEL
    )


def comparison_words(record: Mapping[str, Any]) -> list[str]:
    """Sentences about a comparison, the ones that matter most first.

    Args:
        record: As of ``profile_tasks.runs.compare.compare_runs``; models A and B,
            differences A - B.

    Example:
        >>> found = {"a": 0.7, "b": 0.6, **Estimate(0.1, 0.05, 0.15).record()}
        >>> comparison_words(
        ...     {
        ...         "alignments": {},
        ...         "perspectives": {},
        ...         "agreement": {"discrimination_accuracy_half_credit": found},
        ...     }
        ... )[0].partition(":")[0]
        'A judges more like people than B'
    """
    sentences = []
    if own := record["alignments"].get("self_agreement_pearson"):
        sentences.append(_self_agreement(own))
    on_own = "own_alignment_generation_tau_b" in record["alignments"]
    for perspective, role in _WRITES.items():
        across = _ACROSS_TEXTS.get(perspective, "")
        if own := record["alignments"].get(f"own_alignment_{perspective}_tau_b"):
            sentences.append(_alignment(role + _ON_OWN_TEXTS, own))
        if (found := record["alignments"].get(f"alignment_{perspective}_tau_b")) and not (
            on_own and across
        ):
            sentences.append(_alignment(role + across, found))
    if own := record["alignments"].get("own_alignment_gap_tau_b"):
        sentences.append(
            _gap(own, "the gap, alignment as a judge less as a writer" + _ON_OWN_TEXTS)
        )
    elif gap := record["alignments"].get("alignment_gap_tau_b"):
        sentences.append(_gap(gap, _PAPERS_GAP))
    sentences += [
        _accuracy(found, *words)
        for accuracy, words in _ACCURACIES.items()
        if (found := record["agreement"].get(accuracy))
    ]
    for perspective, compared in record["perspectives"].items():
        if "taste" in compared:
            sentences += _tastes(perspective, compared["factors"], compared["taste"])
        else:
            sentences += _factors(perspective, compared["factors"])
    return sentences


def _self_agreement(found: Mapping[str, Any]) -> str:
    numbers = f"r {_signed(found['a'])} against {_signed(found['b'])}, {_by(found)}"
    if (order := _by_value(found)) is None:
        return f"it is undecided whether A or B writes more as it judges: {numbers}"
    more, other = order
    return f"{more} writes more as it judges than {other}: {numbers}"


def _alignment(role: str, found: Mapping[str, Any]) -> str:
    numbers = f"alignment (tau_b) {_signed(found['a'])} against {_signed(found['b'])}"
    if (order := _by_value(found)) is None:
        return (
            f"{role}, it is undecided whether A or B is closer to people: {numbers}, {_by(found)}"
        )
    closer, other = order
    return f"{role}, {closer} is closer to people than {other}: {numbers}, {_by(found)}"


def _gap(found: Mapping[str, Any], what: str) -> str:
    numbers = f"{_signed(found['a'])} against {_signed(found['b'])}, {_by(found)}"
    if (order := _by_value(found)) is None:
        return f"it is undecided whether {what} differs: {numbers}"
    greater, other = order
    return f"{what} is greater in {greater} than in {other}: {numbers}"


def _accuracy(found: Mapping[str, Any], start: str, what: str) -> str:
    if found["a"] is None or found["b"] is None:
        return f"{start}the {what} of judging cannot be compared: it is not defined"
    numbers = f"{what} {found['a']:.2f} against {found['b']:.2f}, {_by(found)}"
    if (order := _by_value(found)) is None:
        return f"{start}it is undecided whether A or B judges more like people: {numbers}"
    better, other = order
    return f"{start}{better} judges more like people than {other}: {numbers}"


def _tastes(
    perspective: str, factors: Mapping[str, Mapping[str, Any]], taste: Mapping[str, Any]
) -> list[str]:
    """Two judges of the same pairs: taste, consistency, equivalence, by factor and of the whole."""
    role = _WRITES[perspective]
    consistency = Estimate.of_record(taste["consistency"])
    by_verdict: dict[str, list[str]] = {}
    for name, found in factors.items():
        by_verdict.setdefault(found["taste"]["verdict"], []).append(name)
    differing = by_verdict.get("differs in taste", [])
    sentences = [
        f"{role}, differs in taste: {_follows(name, found)}, {_signed(found['a'])} against "
        f"{_signed(found['b'])}, {_departure(found['taste'])}; people {_signed(found['human'])}"
        for name in sorted(differing, key=lambda name: factors[name]["taste"]["p_adjusted"])
        for found in (factors[name],)
    ]
    open_ = by_verdict.get("undecided", [])
    if told := [name for name in open_ if _told(factors[name])]:
        sentences.append(
            f"{role}, differs, whether in taste or in consistency is undecided: "
            + ", ".join(map(partial(_from, factors), told))
        )
    if not consistency.defined and not differing:
        sentences.append(
            f"{role}, neither tastes nor consistency of A and B can be compared: "
            f"{consistency.reason}"
        )
        return sentences
    sentences.append(f"{role}, {_consistency(consistency)}")
    margin = f"every departure after one scale is shown to be smaller than {taste['margin']:g}"
    if taste["verdict"] in EQUIVALENT:
        return [*sentences, f"{role}, the tastes of A and B are equivalent: {margin}"]
    for verdict, also in zip(EQUIVALENT, ("", ", differs in consistency"), strict=True):
        if same := by_verdict.get(verdict):
            sentences.append(
                f"{role}, equivalent in taste (a departure below {taste['margin']:g}){also}: "
                + ", ".join(same)
            )
    if alike := by_verdict.get("differs in consistency"):
        sentences.append(
            f"{role}, differs in consistency, with no departure in taste shown: "
            + ", ".join(map(partial(_from, factors), alike))
        )
    if rest := [name for name in open_ if name not in told]:
        sentences.append(f"{role}, undecided: " + ", ".join(map(partial(_from, factors), rest)))
    return sentences


def _departure(taste: Mapping[str, Any]) -> str:
    return "whatever the scale" if taste["value"] is None else f"after one scale {_by(taste)}"


def _from(factors: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """A factor with the smallest departure in taste that would have shown."""
    smallest = factors[name]["taste"]["smallest_shown"]
    return name if smallest is None else f"{name} (from {smallest:.2f} on it would have shown)"


def _consistency(found: Estimate) -> str:
    times = f"{found.text(signed=False)} times as consistent"
    if not found.defined:
        return f"the consistency of A and B cannot be compared: {found.reason}"
    if found.low <= 1 <= found.high:
        return f"it is undecided whether A or B is the more consistent: A is {times} as B"
    return f"A differs in consistency from B: it is {times}"


def _factors(perspective: str, factors: Mapping[str, Mapping[str, Any]]) -> list[str]:
    differing = {name: found for name, found in factors.items() if _told(found)}
    role = _WRITES[perspective]
    sentences = [
        f"{role}, {_follows(name, found)}: "
        f"{_signed(found['a'])} against {_signed(found['b'])}, {_by(found)}"
        + (f"; people {_signed(found['human'])}" if found.get("human") is not None else "")
        for name, found in sorted(differing.items(), key=lambda item: item[1]["p_adjusted"])
    ]
    undecided = len(factors) - len(differing)
    if factors and all(found["p_adjusted"] is None for found in factors.values()):
        sentences.append(f"{role}, the data are too few to test whether factors differ")
    elif not differing:
        sentences.append(
            f"{role}, no factor's influence is shown to differ (Holm); that does not show that "
            f"they are equal{_hidden(factors)}"
        )
    elif undecided:
        sentences.append(f"{role}, it is undecided whether the others ({undecided}) differ")
    if differing:
        sentences.append(
            f"{role}, A and B wrote other texts: a difference of influence is not shown to be one "
            "of taste"
        )
    return sentences


def _hidden(factors: Mapping[str, Mapping[str, Any]]) -> str:
    """How great a difference may not show."""
    least = [Estimate.of_record(found).smallest_shown for found in factors.values()]
    shown = [each for each in least if each > 0]
    return f": a difference in one of them below {max(shown):.2f} may not show" if shown else ""


def _follows(name: str, found: Mapping[str, Any]) -> str:
    """Who follows, or goes against, a factor more; by the signs of both influences."""
    a, b = found["a"], found["b"]
    if a < 0 and b < 0:
        return f"A goes against {name} {'less' if a > b else 'more'} than B"
    if a >= 0 and b >= 0:
        return f"A follows {name} {'more' if a > b else 'less'} than B"
    return f"A {_leans(a)} {name}, and B {_leans(b)} it"


def _leans(tau: float) -> str:
    return "follows" if tau > 0 else "goes against" if tau < 0 else "does not heed"


def _by_value(found: Mapping[str, Any]) -> tuple[str, str] | None:
    """The model with the greater value, then the other; None where the interval tells neither."""
    difference = Estimate.of_record(found)
    if not difference.excludes_zero:
        return None
    return ("A", "B") if difference.low > 0 else ("B", "A")


def _by(found: Mapping[str, Any]) -> str:
    return f"A - B {Estimate.of_record(found)}"


def _signed(value: float | None) -> str:
    return "not defined" if value is None else f"{value:+z.2f}"
