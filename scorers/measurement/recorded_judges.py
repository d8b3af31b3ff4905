"""Judges whose verdicts stand in one file, each beside those whose preference it records.

All of them judged the same pairs, so one study resamples the sources for all: every share, kappa
and influence, and each difference from people, has its interval from the same resamples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from profile_tasks.data.preferences import AnnotatedSource, PreferenceData
from profile_tasks.nearest_name import instead_of
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.measurement.probed_source import (
    ProbedSource,
    judge_findings,
    strength_of,
)
from profile_tasks.scorers.measurement.source_measurement import (
    SourceMeasurement,
    measure_source,
    standard_metrics,
    with_verdicts,
)
from profile_tasks.scorers.measurement.tables import (
    agreement_table,
    comparison_tables,
    shared_group_codes,
)
from profile_tasks.scorers.measurement.text_faults import measured_texts, text_faults
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate, none_for_nan
from profile_tasks.scorers.statistics.kappa import cohens_kappa, kappa_indicators
from profile_tasks.scorers.statistics.probes import ProbeFinding
from profile_tasks.scorers.statistics.records import difference_record
from profile_tasks.scorers.statistics.study import HUMAN, Study
from profile_tasks.settings import FaultyTexts, Pairing
from profile_tasks.solvers.probe_requests import ProbeAnswers, Told
from profile_tasks.solvers.prompts import STANDARD
from profile_tasks.solvers.recorded_answers import RecordedModel
from profile_tasks.solvers.target_scores import generation_pairs

SHARES = {
    "accuracy_half_credit": "discrimination_accuracy_half_credit",
    "accuracy_decided": "discrimination_accuracy",
    "flip_rate": "flip_rate",
    "first_position_rate": "first_position_rate",
    "unreadable_rate": "unreadable_rate",
}
"""Of a judge, by its name here: which column of the table of agreement it is."""

KAPPA = "kappa"


def measure_recorded(
    source: AnnotatedSource,
    measured: SourceMeasurement,
    factors: Sequence[Factor],
    model: RecordedModel,
    *,
    pairing: Pairing = "all",
    faulty_texts: FaultyTexts = "count",
) -> SourceMeasurement:
    """What is recorded of a model on one source, measured as a live model's answers are.

    Args:
        source: The source.
        measured: The measurement of its annotated pairs alone, which all models share.
        factors: Which factors that measured.
        model: The recorded model.
        pairing: Which of its written texts are compared.
        faulty_texts: What becomes of texts that are no answer.
    """
    verdicts, written = model.judged(source), model.written(source)
    if written is None:
        return measured if verdicts is None else with_verdicts(measured, verdicts)
    faults = text_faults(source, written)
    texts = measured_texts(written, faults, faulty_texts) if faults else written
    return measure_source(
        source,
        factors,
        verdicts=verdicts,
        responses_by_score=texts,
        truncated_scores=None,
        text_faults=faults,
        generation_pairs=generation_pairs(list(texts), pairing, source.id),
    )


@dataclass(frozen=True, eq=False)
class RecordedJudges:
    """Judges of the same pairs.

    Attributes:
        alone: What was measured on each source without a judge.
        measurements: By judge, the same with its verdicts.
        reference: Whose preference the data hold; where it is another judge's, that one's column.
        replicates: Bootstrap replicates.
        seed: Of everything random.
        strengths: How strong each recorded preference is, by source, as far as the data say.
    """

    alone: Sequence[SourceMeasurement]
    measurements: Mapping[str, Sequence[SourceMeasurement]]
    reference: str = "people"
    replicates: int = 2000
    seed: int = 0
    strengths: Sequence[tuple[float | None, ...]] = ()

    @classmethod
    def of_data(
        cls,
        data: PreferenceData,
        models: Sequence[RecordedModel],
        factors: Sequence[Factor],
        *,
        replicates: int = 2000,
        seed: int = 0,
    ) -> Self:
        """The judges among the models of a file; the pairs are measured once for all.

        Args:
            data: The sources with their pairs.
            models: Whose verdicts are taken; who stands for people there is left out.
            factors: Which factors to measure.
            replicates: Bootstrap replicates.
            seed: Of everything random.
        """
        alone = measured_alone(data.sources, factors)
        measurements = {
            model.name: [
                with_verdicts(measured, model.judged(source) or ())
                for source, measured in zip(data.sources, alone, strict=True)
            ]
            for model in models
            if model.verdicts and f"judge_{model.name}" != data.judge
        }
        strengths = [tuple(map(strength_of, source.pairs)) for source in data.sources]
        return cls(alone, measurements, data.judge or "people", replicates, seed, strengths)

    @cached_property
    def study(self) -> Study:
        """One study of all judges; the table of people is called as everywhere."""
        codes = shared_group_codes(self.alone)
        tables: dict[str, Comparisons] = {HUMAN: comparison_tables(self.alone, codes)[0]}
        shares: dict[str, Comparisons] = {}
        for name, records in self.measurements.items():
            _, tables[_judge(name)] = comparison_tables(records, codes)
            shares[_agreement(name)] = agreement_table(records, codes)
            shares[_kappa(name)] = _kappa_table(records, codes)
        return Study(tables, shares, replicates=self.replicates, seed=self.seed)

    def agreement(self, name: str) -> dict[str, Estimate]:
        """How a judge agrees with people, and behaves, by name of the metric."""
        shares = self.study.influence(_agreement(name))
        table = _kappa(name)
        kappa = cohens_kappa(
            self.study.profiles[table],
            self.study.drawn[table],
            f"no pair has both a preference of {self.reference} and a readable verdict",
            (self.reference, name),
        )
        found = {own: shares[column] for own, column in SHARES.items()}
        return found | {KAPPA: kappa}

    def record(self, name: str) -> dict[str, Any]:
        """All that is told of a judge; what is not defined is None, with the reason beside it.

        ``n`` counts the pairs with a readable verdict, ``n_decided`` those among them that neither
        people nor the judge tie.
        """
        records = self.measurements[name]
        known = standard_metrics(records)
        verdicts = [verdict for record in records for verdict in record.verdicts or ()]
        missing = sum(verdict.preference is None for verdict in verdicts)
        record: dict[str, Any] = {
            "n": len(verdicts) - missing,
            "n_missing": missing,
            "n_decided": int(known["discrimination_decided_pairs"]),
            "n_groups": len({record.group for record in records}),
        }
        for metric, estimate in self.agreement(name).items():
            flat = estimate.flat(metric)
            record |= {key: none_for_nan(value) for key, value in flat.items()}
            record[f"{metric}_reason"] = estimate.reason
        return record | self._compared(name)

    def probes(self, names: Sequence[str]) -> dict[str, ProbeFinding]:
        """What a judge's verdicts hang on beside the texts, as far as recorded ones tell.

        Args:
            names: Of one judge: the position shown. Of several, which are one judge asked in other
                words each: the wording too, and the position in all of them.
        """
        records = [
            ProbedSource(
                measured=measured,
                answers=ProbeAnswers(
                    verdicts={
                        name if len(names) > 1 else STANDARD: tuple(
                            Told(picks=verdict.picks, margins=verdict.margins)
                            for verdict in self.measurements[name][at].verdicts or ()
                        )
                        for name in names
                    }
                ),
                strengths=self.strengths[at] if self.strengths else (),
            )
            for at, measured in enumerate(self.alone)
        ]
        return judge_findings(records, seed=self.seed)

    def wordings(self, judge: str) -> list[str]:
        """The names that are one judge's, each with another wording: ``<judge>_<wording>``.

        Raises:
            ValueError: There are no two of them.
        """
        found = [name for name in self.measurements if name.startswith(f"{judge}_")]
        if len(found) < 2:
            known = dict.fromkeys(name.partition("_")[0] for name in self.measurements)
            raise ValueError(
                f"--wordings {judge}: fewer than two judges are named {judge}_<wording>"
                + instead_of(judge, list(known))
            )
        return found

    def people(self) -> dict[str, Any]:
        """The influences on people's preference."""
        profile = self.study.profiles[HUMAN]
        return {
            "n_pairs": profile.n_pairs,
            "n_preference_ties": profile.n_preference_ties,
            "factors": self._taus(HUMAN),
        }

    def _taus(self, table: str) -> dict[str, dict[str, Any]]:
        profile = self.study.profiles[table]
        return {
            factor: {
                **profile.record(at),
                **estimate.interval(),
                "reason": estimate.reason,
            }
            for at, (factor, estimate) in enumerate(self.study.influence(table).items())
        }

    def _compared(self, name: str) -> dict[str, Any]:
        """Each influence on the judge's preference, and what of it differs from people's."""
        compared = difference_record(
            self.study, _judge(name), HUMAN, names=(name, self.reference), same_pairs=True
        )
        taus = self._taus(_judge(name))
        differences = compared.pop("factors")
        return compared | {
            "factors": {f: {**tau, "difference": differences[f]} for f, tau in taus.items()}
        }


def measured_alone(
    sources: Sequence[AnnotatedSource], factors: Sequence[Factor]
) -> list[SourceMeasurement]:
    """The annotated pairs of each source, measured without any model."""
    return [measure_source(source, factors) for source in sources]


def _judge(name: str) -> str:
    return f"judge {name}"


def _agreement(name: str) -> str:
    return f"agreement of {name}"


def _kappa(name: str) -> str:
    return f"kappa of {name}"


def _kappa_table(records: Sequence[SourceMeasurement], codes: Mapping[str, int]) -> Comparisons:
    """One row a pair with a human preference and a readable verdict: what kappa is made of."""
    rows = [
        (human, verdict.preference, codes[record.group])
        for record in records
        for human, verdict in zip(record.human, record.verdicts or (), strict=True)
        if human is not None and verdict.preference is not None
    ]
    people, judge, groups = np.array(rows, dtype=np.int32).reshape(-1, 3).T
    columns = kappa_indicators(people, judge)
    holds = np.column_stack(list(columns.values()))
    return Comparisons(
        preference=np.ones(len(rows), dtype=np.int8),
        manifestation=holds.astype(np.int8),
        missing=np.zeros_like(holds),
        group=groups,
        factors=tuple(columns),
        perspective="discrimination",
    )
