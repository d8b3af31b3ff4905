"""Grading the sample that Inspect scores: who grades, what is known already, what is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inspect_ai.event import ScoreEvent
from inspect_ai.log import transcript

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import needing_grader
from profile_tasks.scorers.grading.grader import (
    Grader,
    RunNotes,
    check_grader,
    grader_is_bound,
    grader_model,
)
from profile_tasks.scorers.grading.record import SourceGrades
from profile_tasks.scorers.grading.requests import SourceToGrade, grade_source
from profile_tasks.settings import GradingSettings


@dataclass(frozen=True)
class SampleGrading:
    """How a scorer has its samples graded.

    Attributes:
        settings: How a grader is asked, and whether the evaluated model may be one.
        notes: What the run has found out.
    """

    settings: GradingSettings
    notes: RunNotes = field(default_factory=RunNotes)

    @property
    def is_possible(self) -> bool:
        """Whether there is, in the running evaluation, a model that grades."""
        return grader_is_bound() or self.settings.allow_self_grading

    async def grade(
        self,
        annotated: AnnotatedSource,
        texts: Mapping[str, str],
        pairs: Sequence[tuple[str, str]],
        factors: Sequence[Factor],
    ) -> SourceGrades | None:
        """The grades of a source's responses; None where no factor needs a grader.

        Args:
            annotated: The source.
            texts: Response id -> text.
            pairs: Pairs of response ids that are compared.
            factors: The factors of the run.

        Raises:
            GraderRequiredError: A factor needs a grader, and there is none.
        """
        graded = needing_grader(factors)
        if not graded:
            return None
        check_grader(graded, allow_self_grading=self.settings.allow_self_grading)
        known = logged_grades()
        # An answer that could not be read is cached too, so each scoring has its own answers.
        scoring = 0 if known is None else known.scoring + 1
        grader = Grader(grader_model(), self.settings.grader_cache, scoring, self.notes)
        return await grade_source(
            SourceToGrade(annotated.prompt, annotated.source, texts, pairs),
            factors,
            grader.ask,
            grader=grader.name,
            grader_settings=grader.settings,
            judging=self.settings,
            known=known,
        )


def logged_grades() -> SourceGrades | None:
    """What a grader said when this sample was scored before; None the first time.

    Scoring a finished log shows a scorer the sample's events, the last score among them.
    """
    for event in reversed(transcript().events):
        if isinstance(event, ScoreEvent) and "grades" in (event.score.metadata or {}):
            return SourceGrades.model_validate((event.score.metadata or {})["grades"])
    return None
