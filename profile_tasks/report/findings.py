"""What a report shows of one run: the run, its numbers by what they mean, and its texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from profile_tasks.data.task_definition import PREFERENCE
from profile_tasks.report.report_data import (
    STANDARD_METRICS,
    WRITER_AND_JUDGE,
    Difference,
    FoundAlignment,
    Profile,
    Taste,
    alignments_of_metrics,
    differences_of_record,
    found_alignments,
    mean_words_of,
    profile_of_metrics,
    profile_of_record,
    reasoned_metric,
    recorded,
    taste_of_record,
)
from profile_tasks.report.slice_data import SlicedColumn, slices_of_record
from profile_tasks.report.texts import Texts
from profile_tasks.runs.run import (
    PERSPECTIVES,
    PROBES,
    NothingReportedError,
    Run,
    on_own_pairs,
)
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.probes import ProbeFinding
from profile_tasks.scorers.statistics.study import GAP, GAP_PARTS, SELF_AGREEMENT
from profile_tasks.untrusted_text import shown

_KINDS = {
    "inspect": "Inspect log",
    "lm-eval": "lm-eval results",
    "influence": "JSON of `profile-tasks influence`",
    "judges": "JSON of `profile-tasks judges`",
}

_NEVER_IN = {
    "inspect": (),
    "lm-eval": (
        "lm-eval's results hold no tests of differences, ranks, adjusted influence or reliability: "
        "factors are marked where intervals do not overlap, which does not tell taste from "
        "consistency.",
        "They hold no texts either: no distribution of lengths, no correlation of factors, no "
        "examples. An Inspect log has all of these.",
    ),
    "influence": (
        "One profile of recorded preferences: no model, so no alignment and no gap.",
        "The file holds no texts: no lengths, no correlation of factors, no examples.",
    ),
}
"""What no file of a kind holds, in words."""


@dataclass(frozen=True)
class Findings:
    """One model on one task, as a report shows it.

    Attributes:
        run: The run, its texts such that they can be shown; ``file`` is the file's name.
        factors: Factor ids in their order, such that they can be shown.
        profiles: By perspective.
        differences: Perspective -> factor -> difference to the human influence.
        tastes: Perspective -> what of it is taste, on the same pairs: the judge's beside people's,
            the writer's beside the model's own judgement of what it wrote.
        alignments: Perspective -> coefficient -> alignment.
        self_agreement: Coefficient -> alignment of the model as judge with itself as writer of the
            same texts.
        gap: Alignment as a judge less alignment as a writer, and the parts that it falls into, by
            metric name.
        metrics: Standard metrics by name.
        human_bar: Alignment of one half of the annotators with the other, by name.
        probes: What the probes of a judge found, by name, where the run is an audit.
        mean_words: Target score -> mean length of the responses written for it.
        slices: The run held apart, column by column.
        texts: What the samples show beside the numbers; empty where the file has none.
        absent: What the file does not hold, in words.
        own: The same of the pairs that the model wrote and people judged; None where nobody did.
        same_texts: Whether the writer preferred among the same pairs of texts as people: so it is
            in ``own``.
    """

    run: Run
    factors: tuple[str, ...]
    profiles: Mapping[str, Profile]
    differences: Mapping[str, Mapping[str, Difference]] = field(default_factory=dict)
    tastes: Mapping[str, Taste] = field(default_factory=dict)
    alignments: Mapping[str, Mapping[str, FoundAlignment]] = field(default_factory=dict)
    self_agreement: Mapping[str, FoundAlignment] = field(default_factory=dict)
    gap: Mapping[str, Estimate] = field(default_factory=dict)
    metrics: Mapping[str, Estimate] = field(default_factory=dict)
    human_bar: Mapping[str, Estimate] = field(default_factory=dict)
    probes: Mapping[str, ProbeFinding] = field(default_factory=dict)
    mean_words: Mapping[int, float] = field(default_factory=dict)
    slices: tuple[SlicedColumn, ...] = ()
    texts: Texts = field(default_factory=Texts)
    absent: tuple[str, ...] = ()
    own: "Findings | None" = None
    same_texts: bool = False

    @property
    def told_of(self) -> str:
        """The perspective of which it can be told that it differs from people."""
        return "generation" if self.same_texts else "discrimination"

    @property
    def model(self) -> str:
        """The model, told from its own judging in words."""
        how = " (judged by log-likelihood)" if self.run.judged_by_likelihood else ""
        return self.run.model + how

    @property
    def kind(self) -> str:
        """What the file is."""
        return _KINDS[self.run.harness]

    @property
    def compared(self) -> tuple[str, ...]:
        """The model's perspectives that were measured, in their order."""
        return tuple(name for name in WRITER_AND_JUDGE if name in self.profiles)


def findings(run: Run, texts: Texts | None = None) -> Findings:
    """What a run shows.

    Args:
        run: The run as it was read.
        texts: What its samples show; None where the file has no texts.

    Raises:
        ValueError: Its profile is not as this version writes it.
    """
    if run.is_audit:
        return _audit(run)
    if run.harness == "contributions":
        why = "what factors contribute: a report shows profiles and audits of judges"
        raise NothingReportedError(run.file, why)
    texts = texts or Texts()
    factors = texts.factors or run.factors
    record, metrics = run.profile, run.metrics
    try:
        profiles = {
            perspective: profile_of_record(record[perspective])
            if perspective in record
            else profile_of_metrics(metrics, perspective, factors, run.groups)
            for perspective in PERSPECTIVES
            if perspective in record or any(f"tau_{perspective}_{f}" in metrics for f in factors)
        }
        return Findings(
            run=_shown_run(run, texts),
            factors=tuple(map(shown, factors)),
            profiles=profiles,
            differences=differences_of_record(record.get("difference_to_human", {})),
            tastes=_tastes(record),
            alignments=alignments_of_metrics(run),
            self_agreement=found_alignments(run, SELF_AGREEMENT, record.get(SELF_AGREEMENT, {})),
            gap={n: reasoned_metric(run, n) for n in (GAP, *GAP_PARTS) if n in metrics},
            metrics={n: reasoned_metric(run, n) for n in STANDARD_METRICS if n in metrics},
            human_bar={
                name: recorded(found["tau_b"])
                for name, found in record.get("annotators", {}).get("alignment", {}).items()
            },
            mean_words=mean_words_of(metrics),
            slices=slices_of_record(record.get("slices", {})),
            texts=texts,
            absent=tuple(_absent(run, profiles)),
            own=_own(run, factors),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{run.file}: not as this version writes it ({error!r:.200})") from error


def _own(run: Run, factors: tuple[str, ...]) -> Findings | None:
    """What the run shows on its own pairs, where people judged them too."""
    labelled = on_own_pairs(run)
    if labelled is None:
        return None
    return replace(findings(labelled, Texts(factors=factors)), absent=(), same_texts=True)


def _audit(run: Run) -> Findings:
    """What an audit of a judge shows: the judge, and its probes."""
    try:
        probes = {
            name: ProbeFinding.of_record(name, {**each, "where": shown(each["where"] or "")})
            for name, each in run.profile.get(PROBES, {}).items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{run.file}: not as this version writes it ({error!r:.200})") from error
    # Under the task whose pairs it judged, beside the profiles of that task.
    return Findings(replace(_shown_run(run, Texts()), task=shown(run.task)), (), {}, probes=probes)


def _tastes(record: Mapping[str, Any]) -> dict[str, Taste]:
    to_people = record.get("difference_to_human", {})
    compared = {
        "discrimination": to_people.get("discrimination", {}),
        "generation": record.get("difference_to_own", {}).get("generation")
        or to_people.get("generation", {}),  # taste only where people judged what it wrote
    }
    found = {perspective: taste_of_record(each) for perspective, each in compared.items()}
    return {perspective: taste for perspective, taste in found.items() if taste is not None}


def _shown_run(run: Run, texts: Texts) -> Run:
    """The run with what others named or wrote made harmless to show."""
    described = dict(run.described)
    if run.harness == "inspect" and not run.is_audit:
        scored = texts.examples_from[1]
        described["sources"] = f"{scored} scored of {described['sources']} loaded"
    # Inspect's name of the task is the one that its users gave it; one name stands for all tasks
    # of people's own.
    name = run.name.rpartition("/")[2]
    task = name if run.harness == "inspect" and not name.startswith(PREFERENCE) else run.task
    return replace(
        run,
        file=shown(Path(run.file).name),
        model=shown(run.model),
        task=shown(task),
        factors=tuple(map(shown, run.factors)),
        described={label: shown(v) for label, v in described.items() if v is not None},
        warnings=tuple(map(shown, filter(None, (run.restated, *run.warnings)))),
        graders=tuple(map(shown, run.graders)),
    )


def _absent(run: Run, profiles: Mapping[str, Profile]) -> list[str]:
    absent = list(_NEVER_IN[run.harness])
    if run.harness != "influence":
        absent += [f"No {n} setting was run." for n in WRITER_AND_JUDGE if n not in profiles]
    return absent
