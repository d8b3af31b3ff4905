"""``profile_<task>_own_pairs``: the model judges the pairs that it wrote in a finished run.

lm-eval has no second round, in which a model could be shown what it has just written. So the texts
are those of a finished generation run of the same model (``texts`` in ``--metadata``). Their order
of scores is the writer's preference, the verdicts are the judge's, both on the same pairs.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.runs.scored_texts import texts_about
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement, measure_source
from profile_tasks.scorers.measurement.text_faults import (
    TEXT_FAULTS,
    measured_texts,
    text_faults,
)
from profile_tasks.solvers.both_orders import PairVerdict, by_pair, pair_requests
from profile_tasks.solvers.own_pairs import OwnPairs
from profile_tasks.solvers.target_scores import generation_pairs
from profile_tasks.solvers.verdict import read_pick
from profile_tasks.task_configs.profile_task_class import ProfileTask
from profile_tasks.task_configs.source_task import Request

logger = logging.getLogger(__name__)


class JudgedOwnPairs(ProfileTask):
    """The model judges the pairs of responses that it wrote for target scores, in both orders."""

    setting = "both"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        if self.settings.texts is None:
            raise ValueError(
                f"{self.config.task}: metadata 'texts' is missing; give the samples (--log_samples)"
                " or the Inspect log of the run in which the model wrote what it is to judge"
            )
        self.written = texts_about(self.data, self.settings.texts)
        comparable = [name for name, found in self.written.items() if len(found.texts) > 1]
        if len(comparable) < len(self.sources):
            logger.warning(
                "%s: %d of %d sources are left out: %s holds fewer than two responses to each",
                self.config.task,
                len(self.sources) - len(comparable),
                len(self.sources),
                self.settings.texts,
            )
        self.sources = {name: self.sources[name] for name in comparable}

    def requests(self, source: AnnotatedSource) -> list[Request]:
        """Each pair of different texts in both orders; of equal ones alone, an idle request.

        lm-eval ends a run with an error over a document without a request.
        """
        asked = self._own(source).requests()
        if not asked:
            text = next(iter(self.written[source.id].texts.values()))
            asked = pair_requests(source, text, text, orders=1)
        return [(request.render(), self.config.generation_kwargs) for request in asked]

    def measure(self, source: AnnotatedSource, answers: Sequence[Any]) -> SourceMeasurement:
        """Read the verdicts, and measure the pairs that they are about."""
        own, found = self._own(source), self.written[source.id]
        asked = zip(own.requests(), answers, strict=False)  # an idle request is none of them
        picks = [read_pick(said, material=of.material) for of, said in asked]
        return measure_source(
            source,
            self.factors,
            responses_by_score=own.responses,
            truncated_scores=found.cut_off,
            text_faults=text_faults(source, found.responses),
            generation_pairs=generation_pairs(
                list(found.responses), self.settings.pairing, source.id
            ),
            own_verdicts=own.verdicts(
                [PairVerdict(of_pair) for of_pair in by_pair(picks, own.orders)]
            ),
            slices=self.settings.slice_columns,
        )

    def standard_names(self) -> list[str]:
        """The rates of the verdicts, and the pairs on which there can be none."""
        faults = [f"generation_{fault}_rate" for fault in TEXT_FAULTS]
        return ["own_flip_rate", "own_unreadable_rate", "generation_identical_rate", *faults]

    def _own(self, source: AnnotatedSource) -> OwnPairs:
        responses = self.written[source.id].responses
        faults = text_faults(source, responses)
        kept = measured_texts(responses, faults, self.settings.faulty_texts)
        return OwnPairs(source, kept, self.settings.pairing, self.settings.orders)
