"""What is estimated once, when a run has ended: tests, adjusted influence, reliability, ceilings.

The metrics that Inspect refreshes during a run stay cheap (``profile_metrics``); all that takes
permutations, regressions or split halves is here. It uses the very replicates that the intervals of
those metrics come from.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.alignment import COEFFICIENTS, align
from profile_tasks.scorers.statistics.alignment_record import attainable_record
from profile_tasks.scorers.statistics.annotators import (
    Votes,
    annotator_agreement,
    annotator_alignment,
)
from profile_tasks.scorers.statistics.attenuation import attainable_alignment
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.difference_record import difference_record
from profile_tasks.scorers.statistics.estimate import Estimate, json_record, tau_estimates
from profile_tasks.scorers.statistics.influence import factor_profile, none_for_nan
from profile_tasks.scorers.statistics.influence_record import influence_record
from profile_tasks.scorers.statistics.reliability import HalfProfiles, split_halves
from profile_tasks.scorers.statistics.study import ProfileMetrics, by_factor
from profile_tasks.scorers.statistics.uncertainty import bootstrap_taus

Record = dict[str, Any]


@dataclass(frozen=True)
class RunStatistics:
    """Statistics of a finished run, as JSON-ready records: NaN is None, with a reason.

    Attributes:
        influence: What each perspective's preferences say of the factors (``influence_record``).
        difference: Influence on the model's preference less that on the human one, factor by
            factor, with interval and p-values, for each of the model's perspectives.
        alignment: p-values, ceilings and corrected alignments of each of the model's perspectives.
        annotators: How far the human annotators agree, and the alignment of one half of them with
            the other: the bar that a model could reach. Empty where no pair has two votes.
        agreement: Intervals of the accuracy and the flip rate of the model's verdicts.
    """

    influence: Mapping[Perspective, Record]
    difference: Mapping[Perspective, Record]
    alignment: Mapping[Perspective, Record]
    annotators: Record
    agreement: Record

    def values(self) -> dict[str, float]:
        """Flat metrics by name; NaN where a number is not defined."""
        flat: dict[str, float | None] = {}
        for perspective, record in self.influence.items():
            for coefficient in COEFFICIENTS:
                name = f"reliability_{perspective}_{coefficient}"
                flat |= _flat(name, record["reliability"][coefficient])
            for factor, found in record["factors"].items():
                flat |= _p_values(f"tau_{perspective}_{factor}", found)
                flat |= {
                    f"adjusted_{perspective}_{factor}": found["adjusted"],
                    f"adjusted_{perspective}_{factor}_ci_low": found["adjusted_ci_low"],
                    f"adjusted_{perspective}_{factor}_ci_high": found["adjusted_ci_high"],
                    f"rank_{perspective}_{factor}": found["rank"],
                    f"rank_{perspective}_{factor}_ci_low": found["rank_low"],
                    f"rank_{perspective}_{factor}_ci_high": found["rank_high"],
                }
        for perspective, record in self.difference.items():
            for factor, found in record["factors"].items():
                name = f"difference_{perspective}_{factor}"
                flat |= _flat(name, found) | _p_values(name, found)
        for perspective, record in self.alignment.items():
            for coefficient in COEFFICIENTS:
                name = f"alignment_{perspective}_{coefficient}"
                flat[f"{name}_p_value"] = record["p_value"][coefficient]
                for kind in ("ceiling", "corrected"):
                    flat |= _flat(f"{name}_{kind}", record[kind][coefficient])
        if self.annotators:
            flat |= _flat("annotator_agreement", self.annotators["agreement"])
            flat |= _flat("annotator_kappa", self.annotators["kappa"])
            for panel, found in self.annotators["alignment"].items():
                for coefficient in COEFFICIENTS:
                    flat |= _flat(f"alignment_human_{panel}_{coefficient}", found[coefficient])
        for name, found in self.agreement.items():
            flat |= _flat(name, found)
        return {name: math.nan if value is None else value for name, value in flat.items()}

    def record(self) -> Record:
        """All of it as JSON."""
        return {
            **{name: dict(found) for name, found in self.influence.items()},
            "difference_to_human": dict(self.difference),
            "alignment_to_human": dict(self.alignment),
            "annotators": self.annotators,
            "agreement": self.agreement,
        }


def run_statistics(
    perspectives: Sequence[Comparisons],
    profiled: ProfileMetrics,
    votes: Votes | None = None,
    agreement: Comparisons | None = None,
) -> RunStatistics:
    """Estimate what is not needed during a run.

    Args:
        perspectives: The tables that ``profiled`` was made from.
        profiled: Their profiles, with the bootstrap replicates.
        votes: The single votes behind the human preferences, row by row with the human table.
        agreement: How the model judged, as ``agreement_table`` has it.
    """
    tables = {table.perspective: table for table in perspectives}
    halves = dict(zip(tables, split_halves(perspectives, seed=profiled.seed), strict=True))
    compared = [name for name in tables if name != "human" and "human" in tables]
    return RunStatistics(
        influence={
            name: influence_record(
                table, seed=profiled.seed, taus=profiled.taus[name], halves=halves[name]
            )
            for name, table in tables.items()
        },
        difference={name: _difference(tables, name, profiled) for name in compared},
        alignment={name: alignment_record(halves, name, profiled) for name in compared},
        annotators=(
            annotators_record(tables["human"], votes, seed=profiled.seed)
            if votes is not None and "human" in tables
            else {}
        ),
        agreement=(
            {}
            if agreement is None or not agreement.preference.size
            else _agreement(agreement, profiled)
        ),
    )


def agreement_estimates(
    table: Comparisons, *, replicates: int, seed: int
) -> tuple[dict[str, Estimate], dict[str, NDArray[np.float64]]]:
    """Accuracy and flip rate of a model's verdicts, and (B,) bootstrap replicates of each.

    Args:
        table: As of ``agreement_table``.
        replicates: B, their number.
        seed: Seed of the bootstrap.
    """
    (drawn,) = bootstrap_taus([table], replicates=replicates, seed=seed)
    estimates = tau_estimates(factor_profile(table), drawn)
    return estimates, {name: drawn[:, i] for i, name in enumerate(table.factors)}


def _agreement(table: Comparisons, profiled: ProfileMetrics) -> Record:
    estimates, _ = agreement_estimates(table, replicates=profiled.replicates, seed=profiled.seed)
    return {name: json_record(estimate) for name, estimate in estimates.items()}


def _difference(
    tables: Mapping[Perspective, Comparisons], perspective: Perspective, profiled: ProfileMetrics
) -> Record:
    model, human = tables[perspective], tables["human"]
    drawn = profiled.taus[perspective] - profiled.taus["human"]
    return difference_record(model, human, drawn, seed=profiled.seed)


def alignment_record(
    halves: Mapping[Perspective, HalfProfiles], perspective: Perspective, profiled: ProfileMetrics
) -> Record:
    """p-values, ceiling and corrected alignment of one of the model's perspectives."""
    human, model = profiled.profiles["human"], profiled.profiles[perspective]
    aligned = align(by_factor(human), by_factor(model), seed=profiled.seed)
    return {
        "p_value": {
            "tau_b": none_for_nan(aligned.p_value),
            "spearman": none_for_nan(aligned.p_value_spearman),
            "pearson": none_for_nan(aligned.p_value_pearson),
        },
        "p_value_method": aligned.p_value_method,
        "n_factors": aligned.n_factors,
        **attainable_record(attainable_alignment(halves["human"], halves[perspective])),
    }


def annotators_record(human: Comparisons, votes: Votes, *, seed: int = 0) -> Record:
    """Agreement of the annotators, and of the profiles of two panels; empty for single votes."""
    agreement = annotator_agreement(votes, seed=seed)
    if not agreement.n_pairs:
        return {}
    panels = annotator_alignment(human, votes, seed=seed)
    return {
        "agreement": json_record(agreement.agreement),
        "kappa": json_record(agreement.kappa),
        "kappa_either_order": json_record(agreement.kappa_either_order),
        "n_pairs": agreement.n_pairs,
        "n_left_out": agreement.n_left_out,
        "n_votes": agreement.n_votes,
        "n_groups": agreement.n_groups,
        "method": agreement.method,
        "alignment": {
            "half_panel": {name: json_record(e) for name, e in panels.half.items()},
            "full_panel": {name: json_record(e) for name, e in panels.full.items()},
        },
        "half_size": panels.half_size,
        "panel_size": panels.panel_size,
        "alignment_method": panels.method,
    }


def _p_values(name: str, record: Record) -> dict[str, float | None]:
    return {f"{name}_{p}": record[p] for p in ("p_value", "p_adjusted", "p_adjusted_bh")}


def _flat(name: str, record: Record) -> dict[str, float | None]:
    return {
        name: record["value"],
        f"{name}_ci_low": record["ci_low"],
        f"{name}_ci_high": record["ci_high"],
    }
