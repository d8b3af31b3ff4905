"""Texts with scores: what a run wrote for target scores, or the annotated responses."""

from collections import defaultdict

from profile_tasks.data.preferences import AnnotatedSource, PreferenceData
from profile_tasks.runs.written_texts import read_written_texts
from profile_tasks.scorers.measurement.source_measurement import PREFERENCE_SIGNS

TextsByScore = list[tuple[float, str]]


def scored_texts(data: PreferenceData, texts: str | None) -> dict[str, TextsByScore]:
    """The texts about each source, each with its score.

    Args:
        data: The sources.
        texts: Samples file or Inspect log of a generation run; None: the annotated responses.

    Returns:
        Source id -> texts with scores; a source without texts is left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file holds no written texts, or none about these sources.
    """
    if texts is None:
        return {source.id: recorded_scores(source) for source in data.sources}
    written = read_written_texts(texts)
    found: dict[str, TextsByScore] = {}
    for source in data.sources:
        if source.id not in written or not written[source.id].texts:
            continue
        about = written[source.id]
        if (about.prompt, about.source) != (source.prompt, source.source):
            raise ValueError(
                f"{texts}: source {source.id!r} is another one than in {data.name}; give the data "
                "that the texts were written for"
            )
        found[source.id] = [(float(score), text) for score, text in about.texts.items()]
    if not found:
        raise ValueError(
            f"{texts} and {data.name} have no source in common; give the settings of the run that "
            "wrote the texts (dataset, limit, seed)"
        )
    return found


def recorded_scores(source: AnnotatedSource) -> TextsByScore:
    """The annotated responses, each with the share of its comparisons that it won; a tie is half.

    Example:
        >>> from profile_tasks.data.preferences import load_preferences
        >>> (source,) = load_preferences("demo", task="document_qa", limit=1).sources
        >>> all(0 <= score <= 1 for score, _ in recorded_scores(source))
        True
    """
    outcomes: defaultdict[str, list[float]] = defaultdict(list)
    for pair in source.pairs:
        won = (1 + PREFERENCE_SIGNS[pair.preference]) / 2
        outcomes[pair.response_a].append(won)
        outcomes[pair.response_b].append(1 - won)
    return [(sum(shares) / len(shares), text) for text, shares in outcomes.items()]
