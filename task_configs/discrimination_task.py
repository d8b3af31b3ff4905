"""``profile_<task>_discrimination``: the model says which response of each pair is better."""

from collections.abc import Sequence
from typing import Any

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement, measure_source
from profile_tasks.scorers.measurement.tables import AGREEMENT_SHARES
from profile_tasks.scorers.statistics.estimate import Estimate, with_standard_errors
from profile_tasks.scorers.statistics.slices import JUDGED_BY_SLICE, metric_in_slice
from profile_tasks.solvers.both_orders import PairVerdict, by_pair, discrimination_requests
from profile_tasks.solvers.verdict import read_pick
from profile_tasks.task_configs.profile_task_class import ProfileTask
from profile_tasks.task_configs.source_task import Request


class Discrimination(ProfileTask):
    """The model judges every annotated pair, in both orders."""

    setting = "discrimination"

    def requests(self, source: AnnotatedSource) -> list[Request]:
        """Each pair in both orders."""
        return [
            (request.render(), self.config.generation_kwargs)
            for request in discrimination_requests(source, self.settings.orders)
        ]

    def measure(self, source: AnnotatedSource, answers: Sequence[Any]) -> SourceMeasurement:
        """Read the verdicts; one that names no response is missing."""
        orders = self.settings.orders
        asked = zip(discrimination_requests(source, orders), answers, strict=True)
        picks = by_pair([read_pick(said, material=of.material) for of, said in asked], orders)
        return measure_source(
            source,
            self.factors,
            verdicts=[PairVerdict(of_pair) for of_pair in picks],
            slices=self.settings.slice_columns,
        )

    def standard_names(self) -> list[str]:
        """Agreement with people, and the rates of the verdicts, as a whole and by slice."""
        in_slices = [
            metric_in_slice(metric, column, label)
            for column, labels in self.slices.items()
            for label in labels
            for metric in JUDGED_BY_SLICE
        ]
        uncertain = [n for share in AGREEMENT_SHARES for n in Estimate.undefined("").flat(share)]
        return [
            *with_standard_errors(uncertain),
            "discrimination_decided_pairs",
            "discrimination_kappa",
            *(n for name in in_slices for n in Estimate.undefined("").flat(name)),
        ]
