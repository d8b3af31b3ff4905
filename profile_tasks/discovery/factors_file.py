"""Found factors as a taxonomy file, with the evidence for each beside it as comments."""

from collections.abc import Sequence
from typing import Any

from profile_tasks.discovery.discovery import Discovery
from profile_tasks.discovery.held_out_tests import Tested
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.untrusted_text import one_line

_WRITTEN = ("id", "kind", "level", "definition", "unit", "more", "pattern", "per")


def factors_file(discovery: Discovery, of: str) -> str:
    """The YAML of the found factors.

    Args:
        discovery: At least one factor was found.
        of: What they were found in, in one line; data and hash.
    """
    import yaml

    lines = ["Found by profile-tasks discover.", *evidence_of_all(discovery, of)]
    text = _comment(lines) + "version: 1\nfactors:\n"
    for each in discovery.found:
        entry = yaml.safe_dump(
            [_entry(each.candidate.factor, of)], sort_keys=False, allow_unicode=True, width=90
        )
        written = _comment(evidence(each)) + entry
        text += "".join(f"  {line}\n" for line in written.splitlines())
    return text


def evidence_of_all(discovery: Discovery, of: str) -> list[str]:
    """What all the found factors rest on."""
    record = discovery.record()
    tried, train, held_out = (record[name] for name in ("tried", "train", "held_out"))
    return [
        f"In: {of}; seed {discovery.settings.seed}.",
        f"Candidates were found on {train['n_pairs']} pairs of {train['n_groups']} sources, out of "
        f"{tried['form']} features of form, {tried['wording']} words and phrases"
        + (f", {tried['proposed']} proposals" if tried["proposed"] else "")
        + f"; {len(discovery.tested)} were tested on {held_out['n_pairs']} pairs of "
        f"{held_out['n_groups']} other sources.",
        f"Each adds there to {', '.join(discovery.train.controlled) or 'nothing'}; p is adjusted "
        f"over {discovery.n_tests} tests (Holm).",
        "Effects were chosen for being large, so expect them somewhat smaller in new data.",
    ]


def evidence(each: Tested) -> list[str]:
    """What a found factor rests on."""
    tau = Estimate.of_record(each.influence, "tau")
    added = each.added.estimate
    adds = f"adds {added.text()} in log-odds" if added.defined else f"no size ({added.reason})"
    return [
        f"held out: tau {tau.text()} (n {each.influence['n']}); {adds}, p {each.p_holm:.2g} "
        f"(Holm), {each.added.n_groups} sources; accuracy {each.gain.text()}"
    ]


def _entry(factor: Factor, of: str) -> dict[str, Any]:
    fields = {name: getattr(factor, name) for name in _WRITTEN}
    fields["citation"] = f"profile-tasks discover, {one_line(of)}"
    return {name: value for name, value in fields.items() if value is not None}


def _comment(lines: Sequence[str]) -> str:
    return "".join(f"# {one_line(line)}\n" for line in lines)
