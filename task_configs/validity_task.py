"""``profile_<task>_score_validity``: does the model find likelier what stands for a higher score?

For models with log-likelihoods (hf, vllm, ...). Each text is one continuation of the neutral
prompt, which names no score. The texts are those that a finished generation run wrote for its
target scores (``texts`` in ``--metadata``), or else the annotated responses, whose score is the
share of their comparisons that they won.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from profile_tasks.preference_data import AnnotatedSource
from profile_tasks.scorers.score_validity import (
    POOLED,
    WITHIN,
    ScoredTexts,
    per_byte,
    score_validity,
)
from profile_tasks.scorers.source_measurement import PREFERENCE_SIGNS
from profile_tasks.solvers.requests import NeutralRequest
from profile_tasks.task_configs.source_task import Request, SourceTask
from profile_tasks.task_configs.standard_errors import spread, with_errors
from profile_tasks.written_texts import WrittenTexts, read_written_texts


class ScoreValidity(SourceTask[ScoredTexts]):
    """The model rates texts by how likely it finds them."""

    OUTPUT_TYPE = "loglikelihood"
    setting = "generation"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.texts = self._texts()
        self.sources = {name: self.sources[name] for name in self.sources if name in self.texts}

    def requests(self, source: AnnotatedSource) -> list[Request]:
        """Each text as the answer to the neutral request."""
        asked = NeutralRequest(source.task, source.prompt, source.source).render()
        return [(f"{asked}\n\n", text) for _, text in self.texts[source.id]]

    def measure(self, source: AnnotatedSource, answers: Sequence[Any]) -> ScoredTexts:
        """Read the log-probabilities.

        Raises:
            ValueError: One is no finite number.
        """
        scored = self.texts[source.id]
        try:
            logs = [
                per_byte(float(likelihood), text)
                for (likelihood, _), (_, text) in zip(answers, scored, strict=True)
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
        validity = score_validity(records, seed=self.settings.profile_seed)
        errors = {
            f"{name}_stderr": np.nan if validity.estimates[name].interval.reason else spread(drawn)
            for name, drawn in validity.replicates.items()
        }
        return validity.values() | errors

    def estimated_names(self) -> list[str]:
        """The correlation within sources, and the pooled one."""
        correlations = with_errors(
            [f"{name}{end}" for name in (WITHIN, POOLED) for end in ("", "_ci_low", "_ci_high")]
        )
        return [*correlations, "score_validity_sources", "score_validity_texts"]

    def is_better(self, name: str) -> bool | None:
        """The more a score means to the model, the better; the counts have no side."""
        return None if name in ("score_validity_sources", "score_validity_texts") else True

    def _texts(self) -> dict[str, list[tuple[float, str]]]:
        """Source id -> its texts, each with its score."""
        if self.settings.texts is None:
            return {name: recorded_scores(source) for name, source in self.sources.items()}
        written: WrittenTexts = read_written_texts(self.settings.texts)
        texts = {
            name: [(float(score), text) for score, text in written[name].items()]
            for name in self.sources
            if written.get(name)
        }
        if not texts:
            raise ValueError(
                f"{self.settings.texts} and {self.data.name} have no source in common; give the "
                "settings of the run that wrote the texts (dataset, limit, profile_seed)"
            )
        return texts


def recorded_scores(source: AnnotatedSource) -> list[tuple[float, str]]:
    """The annotated responses, each with the share of its comparisons that it won; a tie is half.

    Example:
        >>> from profile_tasks.preference_data import load_preferences
        >>> (source,) = load_preferences("demo", task="document_qa", limit=1).sources
        >>> {score for score, _ in recorded_scores(source)} <= {0.0, 0.25, 1 / 3, 0.5, 2 / 3, 1.0}
        True
    """
    outcomes: defaultdict[str, list[float]] = defaultdict(list)
    for pair in source.pairs:
        won = (1 + PREFERENCE_SIGNS[pair.preference]) / 2
        outcomes[pair.response_a].append(won)
        outcomes[pair.response_b].append(1 - won)
    return [(sum(shares) / len(shares), text) for text, shares in outcomes.items()]
