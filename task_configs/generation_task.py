"""``profile_<task>_generation``: one response for each target score, compared factor by factor."""

from collections.abc import Sequence
from typing import Any

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.scorers.measurement.source_measurement import (
    SourceMeasurement,
    measure_source,
    reference_metrics,
)
from profile_tasks.scorers.measurement.text_faults import (
    TEXT_FAULTS,
    measured_texts,
    text_faults,
)
from profile_tasks.solvers.requests import GenerationRequest
from profile_tasks.solvers.target_scores import generation_pairs, response_text, score_scale
from profile_tasks.task_configs.profile_task_class import ProfileTask
from profile_tasks.task_configs.source_task import Request


class Generation(ProfileTask):
    """The model writes one response a target score."""

    setting = "generation"

    def requests(self, source: AnnotatedSource) -> list[Request]:
        """One request a score."""
        low, high = score_scale(self.settings.target_scores)
        return [
            (
                GenerationRequest(
                    source.task,
                    source.prompt,
                    source.source,
                    score,
                    low,
                    high,
                    source.conversation,
                ),
                self.config.generation_kwargs,
            )
            for score in self.settings.target_scores
        ]

    def measure(self, source: AnnotatedSource, answers: Sequence[Any]) -> SourceMeasurement:
        """Measure the written responses beside the annotated pairs."""
        scores = self.settings.target_scores
        written = dict(zip(scores, map(response_text, answers), strict=True))
        faults = text_faults(source, written)
        written = measured_texts(written, faults, self.settings.faulty_texts)
        return measure_source(
            source,
            self.factors,
            responses_by_score=written,
            text_faults=faults,
            generation_pairs=generation_pairs(scores, self.settings.pairing, source.id),
            slices=self.settings.slice_columns,
        )

    def standard_names(self) -> list[str]:
        """Those against a reference, where there is one; lm-eval does not say what was cut off."""
        return [
            *reference_metrics(self.data.sources),
            "generation_missing_rate",
            "generation_identical_rate",
            *(f"generation_{fault}_rate" for fault in TEXT_FAULTS),
            *(f"words_at_score_{score}" for score in self.settings.target_scores),
        ]
