"""A finished evaluation: one record, whichever harness made it and whatever file it stands in.

The readers beside this module fill it: ``inspect_log``, ``lm_eval`` and ``influence_json``. Reading
a header takes milliseconds; what needs the samples (resampling, pairing, texts) asks for them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.scorers.grading.grader_names import model_named
from profile_tasks.scorers.statistics.estimate import (
    ENDS,
    STANDARD_ERROR,
    Estimate,
    finite_or_nan,
    none_for_nan,
)
from profile_tasks.scorers.statistics.metric_catalogue import OWN_PREFIX, own_name
from profile_tasks.solvers.offline_answers import OFFLINE, OFFLINE_NOTE
from profile_tasks.solvers.recorded_answers import RECORDED, RECORDED_NOTE
from profile_tasks.solvers.simulated_answers import (
    GRADER_SIMULATION_NOTE,
    SIMULATED,
    SIMULATED_GRADER,
    SIMULATION_NOTE,
)

if TYPE_CHECKING:  # a profile of recorded preferences measures no source
    from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement

Harness = Literal["inspect", "lm-eval", "influence", "contributions", "judges"]

AUDIT = "judge_audit"
"""The setting of a run that audited a judge: it has probes, and no profile."""

PROBES = "probes"
"""Where ``Run.profile`` holds what the probes of a judge found: name -> record."""

PERSPECTIVES = ("human", "generation", "discrimination", "recorded")
"""Whose preferences the profiles of a run are of."""

A_FOLDER = "a folder; name the logs in it, e.g. with *.eval"
"""What is said where a file was asked for."""

LIKELIHOOD = "discrimination_loglikelihood"
"""The setting of the lm-eval tasks that judge by log-likelihoods."""

OWN_PAIRS = "own_pairs"
"""The setting of the lm-eval tasks that judge what a finished run of the same model wrote; and
where ``Run.profile`` holds what people, judge and writer prefer among that, if people judged it."""

OWN_LABELS = "own_labels"
"""Where ``Run.profile`` holds which labels of its own pairs were given: as ``labelling_record``."""

COMPARED_SETTINGS = ("seed", "revision", "split", "scores", "pairing", "faulty_texts", "orders")
"""Settings that are among a run's conditions."""

_OF_AN_ESTIMATE = (*ENDS, STANDARD_ERROR, "_p_value", "_p_adjusted", "_p_adjusted_bh")
"""What the names of metrics end in that belong to another one."""

_MEANT_OTHERWISE = re.compile(
    r"(?!rank_).+(?:_ci_low|_ci_high)|alignment_.+_p_value|.+_(?:ceiling|corrected)"
)
MEANT_OTHERWISE = (
    "whose intervals were bootstrap ones (of alignments: of the observed coefficient), and whose "
    "alignments had other p-values, and metrics beside them that are gone"
)
"""What task version 3 changed: the metrics of older ones that ``still_meant`` leaves out."""


class NothingReportedError(ValueError):
    """A readable file that reports nothing of this project; ``why`` says which kind it is."""

    def __init__(self, location: str, why: str) -> None:
        super().__init__(f"{location}: {why}")
        self.why = why


@dataclass(frozen=True)
class AnsweredSource:
    """One source of a run, with what the model wrote about it.

    Attributes:
        source: The source.
        responses: What was written by target score, None where it is missing; empty: not asked.
        cut_off: Target scores whose response a token limit ended, where the file says so.
    """

    source: AnnotatedSource
    responses: Mapping[int, str | None] = field(default_factory=dict)
    cut_off: tuple[int, ...] = ()

    @property
    def texts(self) -> dict[int, str]:
        """The responses that are there."""
        return {score: text for score, text in self.responses.items() if text is not None}


@dataclass(frozen=True)
class Run:
    """A finished evaluation of one model on one task.

    Attributes:
        file: Where it was read: a path, or an address that Inspect can read.
        harness: Who ran it; "influence" where it is a profile of recorded preferences alone,
            "contributions" where it is what factors contribute to preferences, "judges" where it is
            what recorded verdicts tell of a judge.
        model: The evaluated model, in Inspect's form "provider/name"; "people" or the recorded
            judge's name where there is none.
        task: "summarization", "instruction_following" or "document_qa".
        name: What the harness calls the task.
        setting: "both", "generation", "discrimination", "discrimination_loglikelihood",
            "own_pairs" or "judge_audit".
        status: "success" where it came to its end.
        date: When it ended, ISO 8601 in UTC; empty where the file does not say.
        sources: Number of sources measured; None where the file does not say.
        groups: Number of groups that these make, where only the whole run has one.
        data: Name of the data set.
        factors: Ids of the factors of the human profile.
        settings: The task's settings by the names of ``profile_tasks.settings``, where the file
            has them.
        conditions: What else tells runs apart: hash of the data, seed, versions, grader and so on;
            a name is absent where the file does not state it.
        described: How it was measured, by label, for people.
        metrics: Every reported metric; None where it is not defined.
        profile: The full profile as the file has it: perspective -> record of its influences, and
            the records of what is between them. Empty where there are flat metrics only.
        graders: The models that graded.
        warnings: What the file itself warns of.
        restated: What of an older file is computed anew or left out, and why, in words.
        score: Name of the score in an Inspect log that all this is of.
        parts: Setting of each file, where a run stands in several.
        measurements: One a sample, where they were asked for; the verdicts stand there.
        answers: The sources with what was written, in the order of the measurements, likewise.
        audit: The audit of the same model, whose probes stand among the metrics; None without one.
    """

    file: str
    harness: Harness
    model: str
    task: str
    name: str
    setting: str
    status: str = "success"
    date: str = ""
    sources: int | None = None
    groups: int | None = None
    data: str = ""
    factors: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, str | int | float | None] = field(default_factory=dict)
    described: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)
    graders: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    restated: str | None = None
    score: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    measurements: tuple["SourceMeasurement", ...] = ()
    answers: tuple[AnsweredSource, ...] = ()
    audit: "Run | None" = None

    @property
    def measured(self) -> frozenset[str]:
        """The settings that were measured, one by one; own pairs, and people's labels of them."""
        parts = {"generation", "discrimination"} if self.setting == "both" else {self.setting}
        if self.judged_by_likelihood:
            parts = {LIKELIHOOD if part == "discrimination" else part for part in parts}
        for part, start in ((OWN_PAIRS, "tau_own_"), (OWN_LABELS, "own_tau_human_")):
            if any(name.startswith(start) for name in self.metrics):
                parts.add(part)
        return frozenset(parts)

    @property
    def is_audit(self) -> bool:
        """Whether a judge was audited: what it has is what the probes found."""
        return self.setting == AUDIT

    @property
    def offline(self) -> dict[str, str]:
        """What to say of its models, grader among them, that were not asked live, by name."""
        # A model that stands in a panel several times is numbered there, and told of once.
        return {
            model: note
            for model in (self.model, *map(model_named, self.graders))
            if (note := _offline_note(model)) is not None
        }

    @property
    def not_live(self) -> str | None:
        """The same in one text, to say wherever the run is shown; None where all were live."""
        return "; ".join(f"{model}: {note}" for model, note in self.offline.items()) or None

    @property
    def judged_by_likelihood(self) -> bool:
        """Whether the model judged so; what it says in words is another measure."""
        return self.conditions.get("judged_by") == "likelihood"

    def estimate(self, metric: str) -> Estimate:
        """A metric with the interval that was reported, if any; NaN where it is not defined."""
        return Estimate.of_metrics(self.metrics, metric)


def on_own_pairs(run: Run) -> Run | None:
    """What a run says of its own pairs that people judged, as if these were its annotated pairs.

    None where nobody did: then people and writer preferred among different texts.

    Example:
        >>> labelled = {"own_tau_human_length": 0.1, "tau_human_length": 0.3, "own_flip_rate": 0.2}
        >>> run = Run("", "inspect", "x", "document_qa", "qa", "both", metrics=labelled)
        >>> dict(on_own_pairs(run).metrics)
        {'tau_human_length': 0.1}
    """
    named = ((name, name.removeprefix(OWN_PREFIX)) for name in run.metrics)
    metrics = {short: run.metrics[name] for name, short in named if own_name(short) == name}
    if not human_factors(metrics):
        return None
    profile = run.profile.get(OWN_PAIRS, {})
    return replace(
        run,
        groups=profile.get("human", {}).get("n_groups"),
        metrics=metrics,
        profile=profile,
        warnings=(),
        restated=None,
    )


def _offline_note(model: str) -> str | None:
    if model.startswith(OFFLINE):
        of_answers = _offline_note(model.removeprefix(OFFLINE))
        return f"{of_answers}; {OFFLINE_NOTE}" if of_answers else OFFLINE_NOTE
    if model.startswith(RECORDED):
        return RECORDED_NOTE
    if not model.startswith(SIMULATED):
        return None
    note = GRADER_SIMULATION_NOTE if model == SIMULATED_GRADER else SIMULATION_NOTE
    return f"SIMULATED: {note}"


def with_audits(runs: Sequence[Run]) -> list[Run]:
    """The runs, each with what an audit of its model on the same task and data found.

    Of several audits of a model the newest counts. What no run takes stands as it is.
    """
    audits = sorted((run for run in runs if run.is_audit), key=lambda run: (run.date, run.file))
    newest = {_judge(audit): audit for audit in audits}
    taken = {
        id(run): newest[_judge(run)]
        for run in runs
        if run.harness in _RAN and not run.is_audit and _judge(run) in newest
    }
    left = {id(audit) for audit in audits} - {id(audit) for audit in taken.values()}
    return [
        _audited(run, taken[id(run)]) if id(run) in taken else run
        for run in runs
        if not run.is_audit or id(run) in left
    ]


_RAN: tuple[Harness, ...] = ("inspect", "lm-eval")
"""Who ran a model, which can have been audited."""


def _judge(run: Run) -> tuple[str, str, str, bool]:
    """Who judged what, and how."""
    return run.model, run.task, run.data, run.judged_by_likelihood


def _audited(run: Run, audit: Run) -> Run:
    probes = {name: found for name, found in audit.metrics.items() if name.startswith("probe_")}
    return replace(run, metrics={**run.metrics, **probes}, audit=audit)


def check_finished(run: Run) -> None:
    """Refuse a run whose model was not evaluated to the end, wherever a run is read.

    Raises:
        NothingReportedError: It was not.
    """
    if run.status != "success" or not (run.metrics or run.measurements):
        again = run.harness == "inspect" and run.status != "success"
        goes_on = ": `inspect eval-retry FILE` goes on with it" * again
        raise NothingReportedError(run.file, f"an unfinished run (status: {run.status}){goes_on}")


def finite_or_none(value: object) -> float | None:
    """A metric's value as strict JSON has it."""
    return none_for_nan(finite_or_nan(value))


def human_factors(metrics: Mapping[str, float | None]) -> tuple[str, ...]:
    """The factors of the human profile among the metrics, in their order.

    Example:
        >>> human_factors({"tau_human_length": 0.1, "tau_human_length_ci_low": None, "rougeL": 0.2})
        ('length',)
    """
    return tuple(
        name.removeprefix("tau_human_")
        for name in metrics
        if name.startswith("tau_human_") and not name.endswith(_OF_AN_ESTIMATE)
    )


def still_meant(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """The metrics of an older task version that mean today what they meant then.

    Example:
        >>> still_meant({"flip_rate": 0.2, "flip_rate_ci_low": 0.1, "rank_human_length_ci_low": 1})
        {'flip_rate': 0.2, 'rank_human_length_ci_low': 1}
    """
    return {n: value for n, value in metrics.items() if not _MEANT_OTHERWISE.fullmatch(n)}


def stated(facts: Mapping[str, Any]) -> dict[str, str | int | float | None]:
    """Facts that a file states; lists as texts."""
    return {
        name: " ".join(map(str, value)) if isinstance(value, list | tuple) else value
        for name, value in facts.items()
        if value is not None
    }


def utc(moment: datetime) -> str:
    """A moment as ``Run.date`` has it; one without a zone is in UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="seconds")
