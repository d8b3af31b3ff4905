"""Grading the sample that Inspect scores: who grades, what is known already, what is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from inspect_ai.event import ScoreEvent
from inspect_ai.log import transcript
from inspect_ai.model import Model

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import needing_grader
from profile_tasks.scorers.grading.grader import (
    Grader,
    RunNotes,
    check_grader,
    grader_is_bound,
    grader_models,
)
from profile_tasks.scorers.grading.record import SourceGrades, read_grades
from profile_tasks.scorers.grading.requests import SourceToGrade, grade_source, together
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
    ) -> tuple[SourceGrades, ...]:
        """What each grader says of a source's responses; nothing where no factor needs one.

        Args:
            annotated: The source.
            texts: Response id -> text.
            pairs: Pairs of response ids that are compared.
            factors: The factors of the run.

        Raises:
            GraderRequiredError: A factor needs a grader, and there is none.
            ValueError: One model stands in the role twice, with the same settings.
        """
        graded = needing_grader(factors)
        if not graded:
            return ()
        check_grader(graded, allow_self_grading=self.settings.allow_self_grading)
        held = logged_grades()
        # An answer that could not be read is cached too, so each scoring has its own answers.
        scoring = held[0].scoring + 1 if held else 0
        shown = SourceToGrade(annotated.prompt, annotated.source, texts, pairs)

        async def said(model: Model) -> SourceGrades:
            grader = Grader(model, self.settings.grader_cache, scoring, self.notes)
            return await grade_source(
                shown,
                factors,
                grader.ask,
                grader=grader.name,
                grader_settings=grader.settings,
                judging=self.settings,
                known=next((one for one in held if _is_of(one, grader)), held[0] if held else None),
            )

        return tuple(await together([partial(said, model) for model in grader_models()]))


def _is_of(grades: SourceGrades, grader: Grader) -> bool:
    return (grades.grader, grades.grader_settings) == (grader.name, grader.settings)


def logged_grades() -> tuple[SourceGrades, ...]:
    """What each grader said when this sample was scored before; nothing the first time.

    Scoring a finished log shows a scorer the sample's events, the last score among them.
    """
    for event in reversed(transcript().events):
        if isinstance(event, ScoreEvent) and "grades" in (event.score.metadata or {}):
            return read_grades((event.score.metadata or {})["grades"])
    return ()
