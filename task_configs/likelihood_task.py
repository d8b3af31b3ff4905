"""``profile_<task>_discrimination_loglikelihood``: the verdict that the model finds more likely.

For models with log-likelihoods (hf, vllm, ...). Each order shown has a margin: of the verdict for
the response shown first over the other verdict. With a chat template the numbers are those of
``-T judge_by=likelihood`` in Inspect.
"""

from collections.abc import Sequence
from typing import Any

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement, measure_source
from profile_tasks.solvers.both_orders import (
    PairVerdict,
    by_pair,
    discrimination_requests,
    margin_between,
)
from profile_tasks.solvers.prompts import VERDICTS
from profile_tasks.task_configs.discrimination_task import Discrimination
from profile_tasks.task_configs.source_task import Request


class LikelihoodDiscrimination(Discrimination):
    """The model judges every annotated pair by the log-likelihoods of the two verdicts."""

    OUTPUT_TYPE = "loglikelihood"

    def requests(self, source: AnnotatedSource) -> list[Request]:
        """Both verdicts on each pair in each order."""
        return [
            (request.render(), verdict)
            for request in discrimination_requests(source, self.settings.orders)
            for verdict in VERDICTS
        ]

    def standard_names(self) -> list[str]:
        """Those of any judge, and what takes margins."""
        return [
            *super().standard_names(),
            "discrimination_accuracy_tie_calibrated",
            "discrimination_tie_threshold",
        ]

    def measure(self, source: AnnotatedSource, answers: Sequence[Any]) -> SourceMeasurement:
        """Read the margins.

        Raises:
            ValueError: A log-likelihood is no finite number.
        """
        told = [float(likelihood) for likelihood, _ in answers]
        try:
            margins = list(map(margin_between, told[::2], told[1::2]))
        except ValueError as error:
            raise ValueError(f"source {source.id!r}: {error}") from error
        return measure_source(
            source,
            self.factors,
            verdicts=[
                PairVerdict.by_likelihood(of_pair)
                for of_pair in by_pair(margins, self.settings.orders)
            ],
            slices=self.settings.slice_columns,
        )
