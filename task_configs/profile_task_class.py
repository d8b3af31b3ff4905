"""What the generation and the discrimination tasks share: the profile, its alignment, the gap.

Everything estimated is estimated by the functions that the Inspect tasks use, from the same
measurements, with the same seed: the numbers are the same numbers.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from profile_tasks.data.preferences import recorded_factors
from profile_tasks.runs.lm_eval import GROUPS
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import measured_factors, needing_grader
from profile_tasks.scorers.factors.taxonomy import own_factors_hash
from profile_tasks.scorers.measurement.own_labels import own_metrics, own_study
from profile_tasks.scorers.measurement.slice_labels import check_slices
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement, standard_metrics
from profile_tasks.scorers.measurement.tables import estimates_in_slices, run_study
from profile_tasks.scorers.statistics.estimate import (
    Estimate,
    flat_metrics,
    standard_errors,
    with_standard_errors,
)
from profile_tasks.scorers.statistics.records import flat_panel, panel_record
from profile_tasks.scorers.statistics.study import AGREEMENT, GAP
from profile_tasks.task_configs.source_task import SourceTask

_together: list["ProfileTask"] = []
"""The tasks of the evaluation that is being built or run: their requests are built in a row."""


class ProfileTask(SourceTask[SourceMeasurement]):
    """A task that measures factor profiles of the model beside that of people.

    Where its ``setting`` is "both", the model judges what it wrote.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.slices = check_slices(self.data.sources, self.settings.slice_columns)
        self.factors = self._chosen_factors()
        if own := own_factors_hash(self.factors):
            self._config.metadata["own_factors_hash"] = own

    @abstractmethod
    def standard_names(self) -> list[str]:
        """Names of the metrics beside the profile."""

    def build_all_requests(self, **options: Any) -> None:  # noqa: ANN401 - as lm-eval has them
        """Build the requests; the tasks that are built in a row belong to one evaluation."""
        # Another task of one name is another evaluation, even if the one before ended in an error.
        if any(task.items or task.task_name == self.task_name for task in _together):
            _together.clear()
        if self not in _together:
            _together.append(self)
        super().build_all_requests(**options)

    def estimated_names(self) -> list[str]:
        """The profile's metrics, then those beside it."""
        names = list(run_study([self._nothing_measured()], replicates=1).flat())
        if self._completes_an_evaluation():
            names += Estimate.undefined("").flat(GAP)
        return [*with_standard_errors(names), *self.standard_names(), GROUPS]

    def estimate(self, records: list[SourceMeasurement]) -> Mapping[str, float]:
        """The profile's metrics, and the gap where the other setting has been measured before."""
        others = [item.record for task in self._siblings() for item in task.items]
        every = records + others if self._completes_an_evaluation() else None
        return estimated_metrics(records, every, self.settings.seed)

    def _siblings(self) -> list["ProfileTask"]:
        """Tasks of the same evaluation that measure the other setting on the same sources."""
        return [
            task
            for task in _together
            if task is not self
            and {task.setting, self.setting} == {"generation", "discrimination"}
            and task.OUTPUT_TYPE == "generate_until"
            and (task.profile_task, task.settings) == (self.profile_task, self.settings)
        ]

    def _completes_an_evaluation(self) -> bool:
        """Whether the other setting has been measured before, so that the gap is known here."""
        if self.OUTPUT_TYPE != "generate_until" or self not in _together:
            return False
        before = _together[: _together.index(self)]
        siblings = self._siblings()
        return len(siblings) == 1 and siblings[0] in before

    def _nothing_measured(self) -> SourceMeasurement:
        return SourceMeasurement(
            source_id="",
            group="",
            factors=tuple(factor.id for factor in self.factors),
            human=(),
            annotated=(),
            picks=() if self.setting == "discrimination" else None,
            pairs_written=() if self.setting != "discrimination" else None,
            own_picks=() if self.setting == "both" else None,
        )

    def _chosen_factors(self) -> tuple[Factor, ...]:
        chosen = measured_factors(
            self.settings.factors,
            self.profile_task,
            grader=False,
            learned_by={},
            recorded=recorded_factors(self.data.sources),
        )
        if graded := needing_grader(chosen):
            raise ValueError(
                f"factors {', '.join(graded)} need a grader, which lm-eval does not have; choose "
                "surface factors here, log the samples (--log_samples) and grade them afterwards: "
                "profile-tasks score-lm-eval SAMPLES --grader MODEL"
            )
        return chosen


def estimated_metrics(
    records: Sequence[SourceMeasurement], every: Sequence[SourceMeasurement] | None, seed: int
) -> dict[str, float]:
    """The profile, its alignments and what stands beside it, with intervals and standard errors.

    Args:
        records: What one task measured.
        every: The same with what the other setting measured, for the gap; None: it stands
            elsewhere.
        seed: Of the bootstrap.
    """
    study = run_study(records, seed=seed)
    agreement = study.influence(AGREEMENT) if AGREEMENT in study.shares else {}
    together = {} if every is None else run_study(every, seed=seed).estimates
    gap = {name: each for name, each in together.items() if name == GAP}
    return {
        **study.flat(),
        **study.errors(),
        **flat_metrics(gap),
        **standard_metrics(records),
        **own_metrics(records, own_study(records, seed=seed)),
        **flat_panel(panel_record(study)),
        **flat_metrics(agreement),
        **flat_metrics(estimates_in_slices(records, study)),
        **standard_errors(agreement),
        GROUPS: len({record.group for record in records}),
    }
