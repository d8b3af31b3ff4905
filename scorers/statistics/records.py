"""What a study says, as JSON-ready records and as flat metrics.

The field names are stable: commands print them, logs and results hold them. NaN is None, with a
reason beside it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from profile_tasks.scorers.statistics.adjusted import AdjustedInfluence, adjusted_influence
from profile_tasks.scorers.statistics.alignment import COEFFICIENTS, align
from profile_tasks.scorers.statistics.annotators import annotator_agreement, annotator_alignment
from profile_tasks.scorers.statistics.comparisons import Comparisons, common_factors
from profile_tasks.scorers.statistics.corrected import CorrectedInfluence
from profile_tasks.scorers.statistics.estimate import (
    RANK_ENDS,
    Estimate,
    nan_for_none,
    none_for_nan,
    reasons,
)
from profile_tasks.scorers.statistics.grader_panel import METHOD as PANEL_METHOD
from profile_tasks.scorers.statistics.ranks import factor_ranks
from profile_tasks.scorers.statistics.reliability import reliability
from profile_tasks.scorers.statistics.significance import FactorTests
from profile_tasks.scorers.statistics.slices import (
    Sliced,
    judged_slices,
    metrics_in_slices,
    sliced,
)
from profile_tasks.scorers.statistics.study import (
    AGREEMENT,
    GAP,
    HUMAN,
    JUDGE,
    MODEL_PERSPECTIVES,
    OWN,
    SELF_AGREEMENT,
    WRITER,
    Study,
)
from profile_tasks.scorers.statistics.taste import MARGIN, TasteDifference, taste_difference
from profile_tasks.scorers.statistics.true_alignment import (
    METHOD,
    TrueAlignment,
    alignment_difference,
    true_alignment,
)

Record = dict[str, Any]

_P_VALUES = ("p_value", "p_adjusted", "p_adjusted_bh")
"""As found, adjusted by Holm, and by Benjamini and Hochberg."""

ACROSS_TEXTS = (
    "the paper's comparison, across different texts: people chose among the annotated responses, "
    "the writer among its own, so even one taste does not make it 1"
)
"""What stands beside a writer's alignment with people, and beside the gap."""

UNRELATED = "share of unrelated tastes that come as close (one-sided)"
"""What the p-value of an alignment is."""


# One run -----------------------------------------------------------------------------------------


def study_record(study: Study, *, same_texts: bool = False) -> Record:
    """All that a finished run is told of its profiles, in the shape of a log's ``profile``.

    Beside the influences: what each model's influences differ from people's in, what is known of
    the true alignments, how far annotators agree, and how the model agreed with people. Tastes are
    compared over the same pairs only: the judge's with people's, the writer's with the model's own
    judgement of what it wrote; and the writer's with people's where these judged what it wrote.

    Args:
        study: A run, with tables named after the perspectives.
        same_texts: Whether the writer preferred among the same pairs of texts as people did.
    """
    return {
        **{name: influence_record(study, name) for name in study.tables},
        "difference_to_human": {
            name: difference_record(study, name, HUMAN, same_pairs=same_texts or name == JUDGE)
            for name in study.models
        },
        "difference_to_own": (
            {WRITER: difference_record(study, WRITER, OWN, same_pairs=True)}
            if {WRITER, OWN} <= study.tables.keys()
            else {}
        ),
        "alignment_to_human": {
            name: _alignment_to_human(study, name, same_pairs=same_texts or name == JUDGE)
            for name in study.models
        },
        SELF_AGREEMENT: (
            _true_alignment(study.true_alignment(OWN, WRITER))
            if OWN in study.tables and WRITER in study.tables
            else {}
        ),
        "annotators": annotators_record(study),
        **({} if study.panel is None else {"panel": panel_record(study)}),
        "agreement": (
            {name: each.record() for name, each in study.influence(AGREEMENT).items()}
            if AGREEMENT in study.shares
            else {}
        ),
        "replicates": study.replicates,
        "seed": study.seed,
        "reasons": reasons(study.estimates),
    }


def flat_record(record: Record) -> dict[str, float]:
    """The metrics that only a finished run has, by name; NaN where a number is not defined.

    Args:
        record: As of ``study_record``.
    """
    flat: dict[str, float] = {}
    for perspective in (HUMAN, *MODEL_PERSPECTIVES, OWN):
        if perspective in record:
            flat |= _flat_influences(perspective, record[perspective])
    for perspective, differences in record["difference_to_human"].items():
        for factor, entry in differences["factors"].items():
            name = f"difference_{perspective}_{factor}"
            flat |= _flat(name, entry) | _flat_p_values(name, entry)
    for perspective, aligned in record["alignment_to_human"].items():
        if "disattenuated" not in aligned:  # across different texts
            continue
        for coefficient in COEFFICIENTS:
            name = f"alignment_{perspective}_{coefficient}_disattenuated"
            flat |= _flat(name, aligned["disattenuated"][coefficient])
        flat |= _flat_closeness(f"alignment_{perspective}", aligned)
    if record[SELF_AGREEMENT]:
        flat |= _flat_closeness(SELF_AGREEMENT, record[SELF_AGREEMENT])
    flat |= _flat_annotators(record["annotators"])
    flat |= flat_panel(record.get("panel", {}))
    for name, entry in record["agreement"].items():
        flat |= _flat(name, entry)
    for name, each in _recorded_in_slices(record.get("slices", {})).items():
        flat |= each.flat(name)
    return flat


def _flat_closeness(name: str, record: Record) -> dict[str, float]:
    return {
        f"{name}_pearson_p_value": nan_for_none(record["p_value"]),
        **_flat(f"{name}_distance", record["distance"]),
    }


def _flat_influences(perspective: str, record: Record) -> dict[str, float]:
    flat: dict[str, float] = {}
    for coefficient in COEFFICIENTS:
        name = f"reliability_{perspective}_{coefficient}"
        flat |= _flat(name, record["reliability"][coefficient])
    for factor, entry in record["factors"].items():
        flat |= _flat_p_values(f"tau_{perspective}_{factor}", entry)
        flat |= Estimate.of_metrics(entry, "adjusted").flat(f"adjusted_{perspective}_{factor}")
        if "adjusted_control" in entry:
            controlled = Estimate.of_metrics(entry, "adjusted_control")
            flat |= controlled.flat(f"adjusted_control_{perspective}_{factor}")
        rank = Estimate.of_metrics(entry, "rank", RANK_ENDS)
        flat |= rank.flat(f"rank_{perspective}_{factor}")
    return flat


def _flat_annotators(record: Record) -> dict[str, float]:
    if not record:
        return {}
    flat = _flat("annotator_agreement", record["agreement"])
    flat |= _flat("annotator_kappa", record["kappa"])
    for panel, aligned in record["alignment"].items():
        for coefficient in COEFFICIENTS:
            flat |= _flat(f"alignment_human_{panel}_{coefficient}", aligned[coefficient])
    return flat


def flat_panel(record: Record) -> dict[str, float]:
    """The metrics of how far graders agree, by name; none of an empty record."""
    return {
        name: value
        for factor, entry in record.get("factors", {}).items()
        for measure in ("alpha", "agreement")
        for name, value in _flat(f"grader_{measure}_{factor}", entry[measure]).items()
    }


def _flat(name: str, entry: Record) -> dict[str, float]:
    return Estimate.of_record(entry).flat(name)


def _flat_p_values(name: str, entry: Record) -> dict[str, float]:
    return {f"{name}_{p}": nan_for_none(entry[p]) for p in _P_VALUES}


def influence_record(study: Study, name: str) -> Record:
    """Marginal and adjusted influence of every factor, with intervals, p-values and ranks.

    ``p_value`` is of the sign-flip test by group, ``p_adjusted`` its Holm adjustment over
    ``p_family`` and ``p_adjusted_bh`` the one of Benjamini and Hochberg. ``adjusted`` is the change
    in log-odds per root mean square of the factor's manifestation with the other factors held
    fixed, over the ``adjusted_n_pairs`` pairs where all are known, and ``vif`` its variance
    inflation. ``reliability`` is what the whole profile would correlate by with that of as many
    other sources.

    Where the study names systems, ``adjusted_control`` stands beside ``adjusted``: the same with
    the systems' strengths held fixed too. ``system_share`` is the share of the factor's variance
    that systems explain, and ``control`` says what all this rests on.

    Where the tables are a sample of more groups, ``n_sampled_groups`` says on how many groups
    ``adjusted`` and ``reliability`` rest; all else is of all groups.

    Args:
        study: The study.
        name: Of one of its tables.
    """
    table, profile = study.tables[name], study.profiles[name]
    taus = study.influence(name)
    tests = study.tests(name)
    adjusted = adjusted_influence(table)
    if study.panel is not None:
        adjusted = adjusted.with_spread(study.panel.adjusted_spread(name))
    systems = study.systems.get(name)
    controlled = None if systems is None else adjusted_influence(table, systems=systems)
    ranks = factor_ranks(profile.factors, profile.tau, study.drawn[name], n_groups=profile.groups)
    reliable = reliability(study.halves[name])
    methods = dict.fromkeys(tau.method for tau in taus.values())
    return {
        "perspective": table.perspective,
        "n_pairs": profile.n_pairs,
        "n_groups": profile.n_groups,
        "n_preference_ties": profile.n_preference_ties,
        "seed": study.seed,
        "replicates": study.replicates,
        **({} if study.moments is None else {"n_sampled_groups": study.n_groups}),
        "interval_method": f"{', '.join(methods)}; clustered by group",
        "p_method": tests.method,
        "p_family": tests.family,
        "p_adjustment": "holm",
        "adjusted_method": adjusted.method,
        "adjusted_n_pairs": adjusted.n_pairs,
        "adjusted_n_groups": adjusted.n_groups,
        **({} if controlled is None else _control(controlled)),
        "rank_method": ranks.method,
        "reliability": {
            **_by_coefficient(reliable.full),
            "n_groups": reliable.n_groups,
            "method": reliable.method,
        },
        "factors": {
            factor: {
                **profile.record(i),
                "n": int(profile.n_pairs - profile.missing[i]),
                **taus[factor].interval(),
                **_p_values(tests, i),
                **_none_for_nan(adjusted.estimate(i).flat("adjusted")),
                "adjusted_p_value": none_for_nan(adjusted.p_value[i]),
                "vif": _finite(adjusted.vif[i]),
                "adjusted_reason": adjusted.reasons[i],
                **({} if controlled is None else _controlled(controlled, i)),
                **_none_for_nan(ranks.estimates[i].flat("rank", RANK_ENDS)),
                "reason": taus[factor].reason,
            }
            for i, factor in enumerate(profile.factors)
        },
    }


def slices_record(found: Sliced) -> Record:
    """Each slice beside all other pairs: influences, their differences, and the interactions.

    ``p_adjusted_bh`` and ``interaction_p_adjusted_bh`` are adjusted by Benjamini and Hochberg over
    all slices and factors.

    Args:
        found: The slices of one label.
    """
    return {
        "n_unlabelled": found.n_unlabelled,
        "too_small": found.too_small,
        "slices": {
            each.label: {
                "n_pairs": each.n_pairs,
                "n_groups": each.n_groups,
                "factors": {
                    factor: {
                        **_none_for_nan(each.influence[factor].flat("tau")),
                        **_none_for_nan(each.difference[factor].flat("difference")),
                        "p_value": none_for_nan(each.p_value[i]),
                        "p_adjusted_bh": none_for_nan(each.p_adjusted[i]),
                        "interaction": none_for_nan(each.interaction[i]),
                        "interaction_p_value": none_for_nan(each.interaction_p_value[i]),
                        "interaction_p_adjusted_bh": none_for_nan(each.interaction_p_adjusted[i]),
                        "reason": each.influence[factor].reason or each.difference[factor].reason,
                        "interaction_reason": each.reasons[i],
                    }
                    for i, factor in enumerate(found.factors)
                },
            }
            for each in found.slices
        },
    }


def run_slices_record(study: Study, labels: Mapping[str, Sequence[str | None]]) -> Record:
    """The slices of a run by one column: each perspective's, and how the judge does in each.

    ``judge`` has, by label, its alignment with people, accuracy and flip rate by the names of the
    whole run's metrics; every label is there, those of too few groups with that as the reason.

    Args:
        study: The run.
        labels: As of ``judged_slices``.
    """
    return {
        "perspectives": {
            name: slices_record(
                sliced(
                    study.tables[name], labels[name], replicates=study.replicates, seed=study.seed
                )
            )
            for name in (HUMAN, *MODEL_PERSPECTIVES)
            if name in study.tables
        },
        "judge": {
            label: {
                "n_pairs": each.n_pairs,
                "n_groups": each.n_groups,
                **{name: found.record() for name, found in each.estimates.items()},
            }
            for label, each in judged_slices(study, labels).items()
        },
    }


def _recorded_in_slices(record: Record) -> dict[str, Estimate]:
    return metrics_in_slices(
        {
            column: {
                label: {
                    metric: Estimate.of_record(entry)
                    for metric, entry in judged.items()
                    if isinstance(entry, dict)
                }
                for label, judged in found["judge"].items()
            }
            for column, found in record.items()
        }
    )


def corrected_entry(found: CorrectedInfluence | None) -> Record:
    """One factor's influence corrected by human labels, as it stands beside its ``tau``.

    ``corrected_cost`` is the width of its interval over that of ``tau``'s, ``corrected_weight``
    what the grades count in it; ``labels_alone`` is what needs no grader.

    Args:
        found: None where the factor has no labels.
    """
    if found is None:
        undefined = Estimate.undefined("no human label is one of it")
        found = CorrectedInfluence("", undefined, undefined, undefined, np.nan, 0, 0, 0)
    return {
        **_none_for_nan(found.corrected.flat("corrected")),
        "corrected_reason": found.corrected.reason,
        "corrected_weight": none_for_nan(found.weight),
        "corrected_cost": none_for_nan(found.cost),
        **_none_for_nan(found.labels_alone.flat("labels_alone")),
        "n_labelled": found.n_labelled,
        "n_labelled_groups": found.n_labelled_groups,
        "n_labelled_ungraded": found.n_ungraded,
    }


def _control(controlled: AdjustedInfluence) -> Record:
    """What the control of systems rests on."""
    control = controlled.control
    assert control is not None  # noqa: S101 - systems were given
    return {
        "control": {
            "by": "system",
            "method": controlled.method,
            "n_pairs": controlled.n_pairs,
            "n_groups": controlled.n_groups,
            "n_systems": control.n_systems,
            "n_sets": control.n_sets,
            "n_unnamed_pairs": control.n_unnamed,
            "n_half_named_pairs": control.n_half_named,
            "n_same_system_pairs": control.n_same,
            "cautions": list(control.cautions),
        }
    }


def _controlled(controlled: AdjustedInfluence, index: int) -> Record:
    """One factor's influence with the strengths of systems held fixed."""
    control = controlled.control
    assert control is not None  # noqa: S101 - systems were given
    return {
        **_none_for_nan(controlled.estimate(index).flat("adjusted_control")),
        "adjusted_control_p_value": none_for_nan(controlled.p_value[index]),
        "adjusted_control_reason": controlled.reasons[index],
        "vif_control": _finite(controlled.vif[index]),
        "system_share": none_for_nan(control.share[index]),
    }


def _finite(value: float) -> float | None:
    """None for infinity too, which JSON does not have."""
    return None if np.isinf(value) else none_for_nan(value)


def annotators_record(study: Study, name: str = HUMAN) -> Record:
    """Agreement of the annotators, and of the profiles of two panels; empty for single votes."""
    if study.votes is None or name not in study.tables:
        return {}
    agreement = annotator_agreement(study.votes, seed=study.seed)
    if not agreement.n_pairs:
        return {}
    panels = annotator_alignment(study.tables[name], study.votes, seed=study.seed)
    return {
        "agreement": agreement.agreement.record(),
        "kappa": agreement.kappa.record(),
        "kappa_either_order": agreement.kappa_either_order.record(),
        "n_pairs": agreement.n_pairs,
        "n_left_out": agreement.n_left_out,
        "n_votes": agreement.n_votes,
        "n_groups": agreement.n_groups,
        "method": agreement.method,
        "alignment": {
            "half_panel": _by_coefficient(panels.half),
            "full_panel": _by_coefficient(panels.full),
        },
        "half_size": panels.half_size,
        "panel_size": panels.panel_size,
        "alignment_method": panels.method,
    }


def panel_record(study: Study) -> Record:
    """What each grader of a panel alone says, and how far they agree; empty without a panel.

    Of each grader its influences, and the alignments that rest on them. Their intervals are those
    of other sources, with this grader.
    """
    if study.panel is None:
        return {}
    agreement = study.panel.agreement(replicates=study.replicates, seed=study.seed)
    return {
        "method": PANEL_METHOD,
        "factors": {
            factor: {
                "alpha": found.alpha.record(),
                "agreement": found.agreement.record(),
                "n_pairs": found.n_pairs,
                "n_groups": found.n_groups,
            }
            for factor, found in agreement.items()
        },
        "graders": {
            name: _alone(study.by_grader(name), study.panel.factors) for name in study.panel.graders
        },
    }


def _alone(study: Study, graded: Collection[str]) -> Record:
    """What a study of one grader's word says of the graded factors, and its alignments."""
    aligned: dict[str, Mapping[Any, Estimate]] = {
        f"alignment_{model}": study.alignment(HUMAN, model) for model in study.models
    }
    if OWN in study.tables and WRITER in study.tables:
        aligned[SELF_AGREEMENT] = study.self_agreement()
    influences = {table: study.influence(table) for table in study.tables}
    return {
        **{
            table: {factor: found[factor].record() for factor in graded}
            for table, found in influences.items()
        },
        **{name: _by_coefficient(found) for name, found in aligned.items()},
    }


# Two tables --------------------------------------------------------------------------------------


def difference_record(
    study: Study,
    first: str,
    second: str,
    *,
    names: tuple[str, str] | None = None,
    same_pairs: bool = False,
    margin: float = MARGIN,
) -> Record:
    """Influence on one preference less that on another, with interval and p-values.

    Args:
        study: The study.
        first: Name of a table.
        second: Of the one whose influences are taken away.
        names: What to call the two.
        same_pairs: Whether both are preferences on the same pairs. Then ``taste`` has beside each
            plain difference, and of the whole, what of it is taste and what consistency.
        margin: Departure in taste that equivalence excludes.
    """
    differences, tests = study.difference(first, second, names=names)
    record = {
        "p_method": tests.method,
        "p_family": tests.family,
        "p_adjustment": "holm",
        "factors": {
            factor: {
                **differences[factor].record(),
                **_p_values(tests, i),
                "groups": int(tests.n_groups[i]),
            }
            for i, factor in enumerate(tests.factors)
        },
    }
    if same_pairs:
        tables = study.tables
        found = taste_difference(tables[first], tables[second], tests, margin=margin)
        _add_taste(record, found)
    return record


def _add_taste(record: Record, found: TasteDifference) -> None:
    """Put what two judges differ in after one scale beside their plain differences."""
    record["taste"] = {
        "verdict": found.verdict,
        "consistency": found.consistency.record(),
        "margin": found.margin,
        "tolerance": found.tolerance,
        "family": found.family,
        "method": found.method,
    }
    for i, factor in enumerate(found.factors):
        record["factors"][factor]["taste"] = {
            "verdict": found.verdicts[i],
            **found.departures[i].record(),
            "p_value": none_for_nan(found.p_value[i]),
            "p_adjusted": none_for_nan(found.p_holm[i]),
            "p_equivalent": none_for_nan(found.p_equivalent[i]),
            "smallest_shown": none_for_nan(found.smallest[i]),
        }


def aligned_profiles(first: Mapping[str, float], second: Mapping[str, float]) -> Record:
    """Alignment of two profiles of which nothing but the influences is known.

    Args:
        first: Influence by factor; NaN is not defined.
        second: The other profile.
    """
    aligned = align(first, second)
    return {
        **{name: none_for_nan(getattr(aligned, name)) for name in COEFFICIENTS},
        "n_factors": aligned.n_factors,
        "p_value": None,
        "p_value_method": None,
        "reason": aligned.reason,
        **_only_in(first, second),
    }


def aligned_tables(
    first: Comparisons,
    second: Comparisons,
    *,
    names: tuple[str, str] | None = None,
    replicates: int = 2000,
    seed: int = 0,
) -> Record:
    """Alignment of the profiles of two tables: observed, and what is known of the true one.

    Args:
        first: One judge's preferences.
        second: Another's. A group code must mean the same source in both. Only the factors that
            both have are aligned.
        names: What to call the two; by default their perspectives.
        replicates: Draws of errors and of true profiles.
        seed: Of everything random.
    """
    shared = dict(zip(("first", "second"), common_factors([first, second]), strict=True))
    study = Study(shared, seed=seed)
    found = true_alignment(*shared.values(), names=names, draws=replicates, seed=seed)
    return {
        **{
            name: value
            for coefficient, each in found.coefficients.items()
            for name, value in _none_for_nan(each.flat(coefficient)).items()
        },
        "n_factors": found.n_factors,
        **_true_alignment(found),
        "reason": None if found.coefficients["tau_b"].defined else found.refusal,
        "interval": _by_coefficient(found.coefficients),
        "n_groups": study.n_groups,
        "n_shared_groups": int(np.intersect1d(first.group, second.group).size),
        "replicates": replicates,
        "seed": seed,
        "reliability": [_by_coefficient(reliability(half).full) for half in study.halves.values()],
        **_only_in(first.factors, second.factors),
    }


def _only_in(first: Collection[str], second: Collection[str]) -> Record:
    return {
        "only_in_a": sorted(set(first) - set(second)),
        "only_in_b": sorted(set(second) - set(first)),
    }


def _alignment_to_human(study: Study, model: str, *, same_pairs: bool) -> Record:
    """What is known of the true alignment of one of the model's perspectives."""
    found = study.true_alignment(HUMAN, model)
    if not same_pairs:
        return {"n_factors": found.n_factors, "n_groups": found.n_groups, "caution": ACROSS_TEXTS}
    return {"n_factors": found.n_factors, **_true_alignment(found)}


def _true_alignment(found: TrueAlignment) -> Record:
    """What is known of a true alignment beside the observed coefficients."""
    return {
        "disattenuated": {
            name: each.without_noise().record() for name, each in found.coefficients.items()
        },
        "p_value": none_for_nan(found.unrelated),
        "p_value_method": UNRELATED,
        "distance": found.distance.record(),
        "refusal": found.refusal,
        "method": METHOD,
    }


# Two runs ----------------------------------------------------------------------------------------


def side(run: str, table: str) -> str:
    """Name of a table of one of two runs that are compared.

    Example:
        >>> side("A", "human")
        'A human'
    """
    return f"{run} {table}"


def compared_record(
    study: Study, *, names: tuple[str, str] = ("A", "B"), margin: float = MARGIN
) -> Record:
    """Two models on the same sources: which factors, alignments and gaps differ.

    Influences and shares are compared source by source, so what the sources of both have in common
    cancels out of a difference; not of one of alignments (``alignment_difference``). Two models
    that were measured on different sources cannot be compared so.

    Args:
        study: The tables of both runs, each named by ``side``.
        names: What the two runs are called there.
        margin: Departure in taste that equivalence excludes.

    Returns:
        ``perspectives`` has, for each that both have, every factor's influence on either model's
        preference (``a``, ``b``) and on people's (``human``), and the difference a - b with its
        interval and p-values, for judges also what of it is taste (``taste``), since both judged
        the same pairs;
        ``alignments`` has, by metric name, either model's value and the difference with its
        interval; ``agreement`` the same of the accuracies and rates of verdicts, where both judged.

    Raises:
        ValueError: The factors differ, or the two have no perspective of a model in common.
    """
    shared = [
        perspective
        for perspective in MODEL_PERSPECTIVES
        if all(side(name, perspective) in study.tables for name in names)
    ]
    if not shared:
        raise ValueError(f"{names[0]} and {names[1]} have no perspective of a model in common")
    people = _by_factor(study, side(names[0], HUMAN))
    return {
        "names": list(names),
        "n_groups": study.n_groups,
        "factors": list(people),
        "replicates": study.replicates,
        "seed": study.seed,
        "perspectives": {
            each: _beside_people(_compared(study, each, names, margin), people) for each in shared
        },
        "alignments": compared_alignments(study, names=names),
        "agreement": compared_agreement(study, names=names),
    }


def compared_alignments(study: Study, *, names: tuple[str, str] = ("A", "B")) -> Record:
    """Alignments, the gap and self-agreement of two models, with their differences, by metric.

    Args:
        study: As of ``compared_record``.
        names: Likewise.
    """
    shared = [p for p in MODEL_PERSPECTIVES if all(side(n, p) in study.tables for n in names)]
    first, second = (_alignments(study, name, shared) for name in names)
    return {
        name: {
            **alignment_difference(first[name], second[name], study.confidence).record(),
            "a": none_for_nan(first[name].value),
            "b": none_for_nan(second[name].value),
        }
        for name in first
        if name in second
    }


def compared_agreement(study: Study, *, names: tuple[str, str] = ("A", "B")) -> Record:
    """Accuracies and rates of two models' verdicts, by metric; empty where one did not judge.

    Args:
        study: As of ``compared_record``.
        names: Likewise.
    """
    judged = all(side(name, AGREEMENT) in study.shares for name in names)
    return _compared(study, AGREEMENT, names, MARGIN)["factors"] if judged else {}


def _alignments(study: Study, run: str, perspectives: Collection[str]) -> dict[str, Estimate]:
    human, *models = (side(run, table) for table in (HUMAN, *perspectives))
    found = {
        f"alignment_{perspective}_{coefficient}": each
        for perspective, model in zip(perspectives, models, strict=True)
        for coefficient, each in study.alignment(human, model).items()
    }
    if len(models) == len(MODEL_PERSPECTIVES):
        found[GAP] = study.gap(human, *models)["tau_b"]
    own, writer = side(run, OWN), side(run, WRITER)
    if own in study.tables and writer in study.tables:
        agreement = study.self_agreement(own, writer)
        found |= {f"{SELF_AGREEMENT}_{name}": each for name, each in agreement.items()}
    return found


def _compared(study: Study, table: str, names: tuple[str, str], margin: float) -> Record:
    """Influence on either model's preference, and the difference, factor by factor."""
    first, second = (side(name, table) for name in names)
    record = difference_record(
        study, first, second, names=names, same_pairs=table == JUDGE, margin=margin
    )
    for key, each in (("a", first), ("b", second)):
        for factor, tau in _by_factor(study, each).items():
            record["factors"][factor][key] = none_for_nan(tau)
    return record


def _beside_people(record: Record, people: Mapping[str, float]) -> Record:
    for factor, found in record["factors"].items():
        found["human"] = none_for_nan(people[factor])
    return record


# -------------------------------------------------------------------------------------------------


def _by_factor(study: Study, name: str) -> dict[str, float]:
    profile = study.profiles[name]
    return dict(zip(profile.factors, profile.tau.tolist(), strict=True))


def _by_coefficient(estimates: Mapping[Any, Estimate]) -> Record:
    return {str(coefficient): each.record() for coefficient, each in estimates.items()}


def _none_for_nan(numbers: Mapping[str, float]) -> Record:
    return {name: none_for_nan(value) for name, value in numbers.items()}


def _p_values(tests: FactorTests, index: int) -> Record:
    values = (tests.p_value[index], tests.p_holm[index], tests.p_bh[index])
    return {name: none_for_nan(p) for name, p in zip(_P_VALUES, values, strict=True)}
