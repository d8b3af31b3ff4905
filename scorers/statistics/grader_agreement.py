"""How far a grader's word agrees with human factor labels.

A human label and a grader's result are compared pair by pair (which response shows more of the
factor: 1, 0 or -1), or response by response (shows it any of the factor: 1 or 0). Beside agreement
and Cohen's kappa stand how stable the grader is (flips between orders, repetition) and what its
errors do to the thing it is used for: tau_14 of the human preference against the labelled
manifestations of people, and against the grader's, on the same pairs.

Every number here is a share, a tau_14, or a function of shares over the same rows. A share is
tau_14 of an indicator against a preference of 1 in every row, so all of them are columns of
``Comparisons``, and one ``Study`` resamples them together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.alignment import align, alignment_replicates
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import (
    Estimate,
    flat_metrics,
    reasons,
)
from profile_tasks.scorers.statistics.kappa import cohens_kappa, kappa_indicators
from profile_tasks.scorers.statistics.study import Study

ALIGNMENT = "profile_alignment_tau_b"

METRICS = (
    "agreement",
    "kappa",
    "agreement_decided",
    "flip_rate",
    "missing_rate",
    "retest",
    "tau_human_label",
    "tau_grader",
)
"""What is estimated of each label, in the order of every table."""

_CATEGORIES = (-1, 0, 1)
_SHARES = ("agreement", "agreement_decided", "missing_rate", "flip_rate", "retest")
_UNDEFINED: Mapping[str, str] = {
    "agreement": "the grader gave no result where people gave a label",
    "agreement_decided": "there is no pair on which both people and grader decide",
    "missing_rate": "there are no human labels",
    "flip_rate": "no pair has two readable verdicts",
    "retest": "nothing has a result in both runs",
}


@dataclass(frozen=True, eq=False)
class LabelledResults:
    """Human labels of one kind, each beside the grader's result.

    Lists and other array-likes are accepted. A missing result is NaN.

    Attributes:
        label: Name of the human label.
        factor: Id of the factor.
        human: (n,) labels: 1, 0 or -1 of pairs; 1 or 0 of responses.
        grader: (n,) results, coded alike; NaN is missing.
        group: int (n,), code of the source, shared by all labels that are compared.
        preference: (n,) human preference of each pair: 1, 0 or -1; None: labels of responses.
        flipped: (n,) 1 where the verdicts in two orders name different responses, 0 where the
            same; NaN is missing. None where the factor is not asked for in two orders.
        repeated: (n,) results of a second run; NaN is missing. None without such a run.

    Raises:
        ValueError: A shape or a value that does not fit.
    """

    label: str
    factor: str
    human: NDArray[np.float64]
    grader: NDArray[np.float64]
    group: NDArray[np.int64]
    preference: NDArray[np.float64] | None = None
    flipped: NDArray[np.float64] | None = None
    repeated: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        shape = (len(self.human),)
        results = (0, 1) if self.preference is None else _CATEGORIES
        # Field -> its values, and whether one may be missing.
        allowed: Mapping[str, tuple[tuple[int, ...], bool]] = {
            "human": (results, False),
            "grader": (results, True),
            "preference": (_CATEGORIES, False),
            "flipped": ((0, 1), True),
            "repeated": (results, True),
        }
        object.__setattr__(self, "group", np.asarray(self.group, dtype=np.int64))
        for name, (values, may_miss) in allowed.items():
            if getattr(self, name) is None:
                continue
            array = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, array)
            known = np.isin(array, values) | (np.isnan(array) & may_miss)
            for wrong in array[~known][:1]:
                listed = ", ".join(str(value) for value in values)
                raise ValueError(
                    f"label {self.label!r}: {name} holds {wrong:g}. Must be one of: {listed}"
                    f"{', or NaN where it is missing' * may_miss}"
                )
        for name in ("group", *allowed):
            if (array := getattr(self, name)) is not None and array.shape != shape:
                raise ValueError(
                    f"label {self.label!r}: {name} has shape {array.shape}; expected {shape}, as "
                    "the human labels"
                )


@dataclass(frozen=True)
class LabelAgreement:
    """How a grader agrees with one human label.

    Attributes:
        label: Name of the human label.
        factor: Id of the factor.
        unit: What is compared: "pair" or "response".
        n_labels: How many human labels there are.
        n: How many of them the grader has a result for; agreement, kappa and both taus are over
            these.
        n_groups: Groups of those.
        estimates: Name out of ``METRICS`` -> estimate. What was not measured is absent: flips of a
            factor that is not asked for in two orders, retest without a second run, decided
            agreement and taus of single responses.
    """

    label: str
    factor: str
    unit: str
    n_labels: int
    n: int
    n_groups: int
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True)
class GraderAgreement:
    """How a grader agrees with human labels.

    Attributes:
        labels: One entry a label.
        alignment: Kendall's tau_b between the profile of the human-labelled and that of the
            grader-labelled manifestations, over the labels of pairs; None without any.
        replicates: Bootstrap replicates behind the intervals.
        seed: Seed of the bootstrap.
    """

    labels: tuple[LabelAgreement, ...]
    alignment: Estimate | None
    replicates: int
    seed: int

    def estimates(self) -> dict[str, Estimate]:
        """Every estimate by its metric name, ``<metric>_<label>``."""
        named = {} if self.alignment is None else {ALIGNMENT: self.alignment}
        for entry in self.labels:
            named |= {f"{name}_{entry.label}": e for name, e in entry.estimates.items()}
        return named

    def values(self) -> dict[str, float]:
        """Flat metrics: each name, then its ``_ci_low`` and ``_ci_high``; ``n_<label>`` first."""
        counts = {f"n_{entry.label}": float(entry.n) for entry in self.labels}
        return counts | flat_metrics(self.estimates())

    def reasons(self) -> dict[str, str]:
        """Why a metric is NaN, or has no interval, by the metric's name."""
        return reasons(self.estimates())


def grader_agreement(
    labelled: Sequence[LabelledResults], *, replicates: int = 1000, seed: int = 0
) -> GraderAgreement:
    """Agreement, kappa, stability and profile of a grader, each with its interval by group.

    - ``agreement``: share of equal label and result. ``agreement_decided``: the same over the pairs
      on which neither is 0, where 0.5 is chance.
    - ``kappa``: Cohen's kappa, unweighted, over 1, 0 and -1, or over 1 and 0 (Cohen 1960).
    - ``flip_rate``, ``missing_rate``: shares over the pairs with two readable verdicts, and over
      all human labels. A pair with one unreadable verdict is missing.
    - ``retest``: share of equal results of two runs, over what both have a result for.
    - ``tau_human_label``, ``tau_grader``: tau_14 of the human preference against the human labels
      and against the grader's results, over the same pairs: those with both.

    Args:
        labelled: One table a label. The same group code must mean the same source in all of them.
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap. All estimates share each resample.

    Example:
        >>> found = grader_agreement(
        ...     [
        ...         LabelledResults(
        ...             "structure", "coherence", human=[1, 1, -1, 0], grader=[1, 1, 1, 0],
        ...             group=[0, 1, 2, 3], preference=[1, -1, -1, 1],
        ...         )
        ...     ]
        ... )
        >>> {name: round(found.values()[f"{name}_structure"], 2) for name in ("agreement", "kappa")}
        {'agreement': 0.75, 'kappa': 0.56}
        >>> found.reasons()["agreement_structure"]
        'groups: 4; an interval needs at least 8'
    """
    paired = [table for table in labelled if table.preference is not None]
    study = Study(
        {_profile(table.label): _profile_table(table) for table in paired},
        {table.label: _share_table(table) for table in labelled},
        replicates=replicates,
        seed=seed,
    )
    entries = []
    for table in labelled:
        measured = study.profiles[table.label]
        estimates = _share_estimates(study.influence(table.label))
        estimates["kappa"] = cohens_kappa(
            measured,
            study.drawn[table.label],
            _UNDEFINED["agreement"],
            ("people", "grader"),
        )
        if table.preference is not None:
            estimates |= study.influence(_profile(table.label))
        at = measured.factors.index("agreement")
        entries.append(
            LabelAgreement(
                label=table.label,
                factor=table.factor,
                unit="response" if table.preference is None else "pair",
                n_labels=len(table.human),
                n=len(table.human) - int(measured.missing[at]),
                n_groups=int(measured.groups[at]),
                estimates={name: estimates[name] for name in METRICS if name in estimates},
            )
        )
    # Two labels of one factor meet the same verdicts; the factor counts once, by its first label.
    one_each = {table.factor: table.label for table in reversed(paired)}.values()
    alignment = _alignment(study, list(one_each)) if paired else None
    return GraderAgreement(tuple(entries), alignment, replicates, seed)


def _share_table(table: LabelledResults) -> Comparisons:
    """An indicator a column: what is a share of rows, and the marginals that kappa needs."""
    missing = np.isnan(table.grader)
    nowhere = np.zeros_like(missing)
    agreed = table.human == table.grader
    columns = {"missing_rate": (missing, nowhere)}
    for name, indicator in kappa_indicators(table.human, table.grader).items():
        columns[name] = (indicator, missing)
    if table.preference is not None:
        undecided = (table.human == 0) | (table.grader == 0)
        columns["agreement_decided"] = (agreed, missing | undecided)
    if table.flipped is not None:
        columns["flip_rate"] = (table.flipped == 1, np.isnan(table.flipped))
    if table.repeated is not None:
        same = table.grader == table.repeated
        columns["retest"] = (same, missing | np.isnan(table.repeated))
    absent = np.column_stack([out for _, out in columns.values()])
    holds = np.column_stack([true for true, _ in columns.values()]) & ~absent
    return Comparisons(
        preference=np.ones(len(table.human), dtype=np.int8),
        manifestation=holds.astype(np.int8),
        missing=absent,
        group=table.group.astype(np.int32),
        factors=tuple(columns),
        perspective="human",
    )


def _profile_table(table: LabelledResults) -> Comparisons:
    """The human preference with two manifestations of one factor: of people, and of the grader."""
    missing = np.isnan(table.grader)
    signs = np.column_stack([table.human, table.grader])
    return Comparisons(
        preference=np.asarray(table.preference, dtype=np.int8),
        manifestation=np.where(missing[:, None], 0, signs).astype(np.int8),
        missing=np.column_stack([missing, missing]),
        group=table.group.astype(np.int32),
        factors=("tau_human_label", "tau_grader"),
        perspective="human",
    )


def _profile(label: str) -> str:
    """Name of the table of a label's two profiles, beside that of its shares."""
    return f"profile of {label}"


def _share_estimates(shares: Mapping[str, Estimate]) -> dict[str, Estimate]:
    return {
        name: shares[name]
        if shares[name].defined
        else replace(shares[name], reason=_UNDEFINED[name])
        for name in shares
        if name in _SHARES
    }


def _alignment(study: Study, labels: Sequence[str]) -> Estimate:
    profiles = {label: study.profiles[_profile(label)] for label in labels}
    drawn = [study.drawn[_profile(label)] for label in labels]
    human, grader = (
        {label: float(profile.tau[side]) for label, profile in profiles.items()} for side in (0, 1)
    )
    aligned = align(human, grader)
    replicates = alignment_replicates(
        *(np.column_stack([taus[:, side] for taus in drawn]) for side in (0, 1))
    )
    # A label without a tau takes no part in the alignment.
    n_groups = min((int(p.groups[0]) for p in profiles.values() if p.groups[0]), default=0)
    return Estimate.symmetric(aligned.tau_b, replicates.tau_b, n_groups, aligned.reason)
