"""``profile_<task>_discrimination_loglikelihood``: the verdict that the model finds more likely.

For models with log-likelihoods (hf, vllm, ...). Each order shown has a margin: of the verdict for
the response shown first over the other verdict.
"""

import math
from collections.abc import Sequence
from typing import Any

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement, measure_source
from profile_tasks.solvers.both_orders import PairVerdict, by_pair, discrimination_requests
from profile_tasks.task_configs.discrimination_task import Discrimination
from profile_tasks.task_configs.source_task import Request

VERDICTS = ("Verdict: A", "Verdict: B")


class LikelihoodDiscrimination(Discrimination):
    """The model judges every annotated pair by the log-likelihoods of the two verdicts."""

    OUTPUT_TYPE = "loglikelihood"

    def requests(self, source: AnnotatedSource) -> list[Request]:
        """Both verdicts on each pair in each order."""
        return [
            (f"{request.render()}\n\n", verdict)
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
        likelihoods = [float(likelihood) for likelihood, _ in answers]
        for value in likelihoods:
            if not math.isfinite(value):
                raise ValueError(
                    f"source {source.id!r}: a log-likelihood is {value}; the model's outputs are "
                    "broken (try dtype=float32)"
                )
        differences = [a - b for a, b in zip(likelihoods[::2], likelihoods[1::2], strict=True)]
        margins = by_pair(differences, self.settings.orders)
        return measure_source(
            source,
            self.factors,
            verdicts=[PairVerdict.by_likelihood(of_pair) for of_pair in margins],
        )
