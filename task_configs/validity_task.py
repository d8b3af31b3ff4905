"""``profile_<task>_score_validity``: does the model find likelier what stands for a higher score?

For models with log-likelihoods (hf, vllm, ...). Each text is one continuation of the neutral
prompt, which names no score. The texts are those that a finished generation run wrote for its
target scores (``texts`` in ``--metadata``), or else the annotated responses, whose score is the
share of their comparisons that they won.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval.api.instance import Instance

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.runs.scored_texts import scored_texts
from profile_tasks.scorers.statistics.estimate import (
    Estimate,
    standard_errors,
    with_standard_errors,
)
from profile_tasks.scorers.statistics.score_validity import (
    POOLED,
    WITHIN,
    ScoredTexts,
    per_byte,
    score_validity,
)
from profile_tasks.solvers.requests import NeutralRequest
from profile_tasks.task_configs.source_task import Request, SourceTask


class ScoreValidity(SourceTask[ScoredTexts]):
    """The model rates texts by how likely it finds them."""

    OUTPUT_TYPE = "loglikelihood"
    setting = "generation"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.texts = scored_texts(self.data, self.settings.texts)
        self.sources = {name: self.sources[name] for name in self.sources if name in self.texts}

    def requests(self, source: AnnotatedSource) -> list[Request]:
        """Each text as the answer to the neutral request."""
        asked = NeutralRequest(source.task, source.prompt, source.source).render()
        return [(asked, text) for _, text in self.texts[source.id]]

    def construct_requests(
        self,
        doc: dict[str, Any],
        ctx: str,
        **options: Any,  # noqa: ANN401 - as lm-eval has them
    ) -> list[Instance]:
        """One instance a text, then one for the white space that ends the context, if any.

        lm-eval counts that white space to the continuation; over the bytes of the text alone it
        would make short texts unlikely.
        """
        instances = super().construct_requests(doc, ctx, **options)
        context: str = instances[0].arguments[0]
        bare = context.rstrip()
        if bare == context:
            return instances
        space = Instance(
            request_type=self.OUTPUT_TYPE,
            doc=doc,
            arguments=(bare, context[len(bare) :]),
            idx=len(instances),
            metadata=options.get("metadata", (None, None, None)),
        )
        return [*instances, space]

    def measure(self, source: AnnotatedSource, answers: Sequence[Any]) -> ScoredTexts:
        """Read the log-probabilities.

        Raises:
            ValueError: One is no finite number.
        """
        scored = self.texts[source.id]
        told = [float(likelihood) for likelihood, _ in answers]
        space = told.pop() if len(told) > len(scored) else 0.0
        try:
            logs = [
                per_byte(likelihood - space, text)
                for likelihood, (_, text) in zip(told, scored, strict=True)
            ]
        except ValueError as error:
            raise ValueError(f"source {source.id!r}: {error}") from error
        return ScoredTexts(
            source_id=source.id,
            group=source.group,
            scores=tuple(score for score, _ in scored),
            log_probabilities=tuple(logs),
        )

    def estimate(self, records: list[ScoredTexts]) -> Mapping[str, float]:
        """Both correlations with intervals and standard errors, and the counts behind them."""
        validity = score_validity(records, seed=self.settings.seed)
        return validity.values() | standard_errors(validity.estimates)

    def estimated_names(self) -> list[str]:
        """The correlation within sources, and the pooled one."""
        names = [n for each in (WITHIN, POOLED) for n in Estimate.undefined("").flat(each)]
        return [*with_standard_errors(names), "score_validity_sources", "score_validity_texts"]
