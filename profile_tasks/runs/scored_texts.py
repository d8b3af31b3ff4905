"""Texts with scores: what a run wrote for target scores, or the annotated responses."""

from collections import defaultdict

from profile_tasks.data.preferences import AnnotatedSource, PreferenceData
from profile_tasks.runs.reading import read_answers
from profile_tasks.runs.run import AnsweredSource

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
        ValueError: The file holds no written texts, or none about these sources; or nobody's
            preference says how good the annotated responses are.
    """
    if texts is None:
        found = {source.id: recorded_scores(source) for source in data.sources}
        if not any(found.values()):
            raise ValueError(
                f"{data.name}: no row has a preference of people, so the annotated responses have "
                "no scores; give texts=, those of a generation run"
            )
        return {name: scored for name, scored in found.items() if scored}
    return {
        name: [(float(score), text) for score, text in answered.texts.items()]
        for name, answered in texts_about(data, texts).items()
    }


def texts_about(data: PreferenceData, location: str) -> dict[str, AnsweredSource]:
    """What a finished run wrote about these sources, by source id; without any text, left out.

    Args:
        data: The sources.
        location: Samples file or Inspect log of a generation run.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file holds no written texts, or none about these sources.
    """
    written = written_texts(location)
    found: dict[str, AnsweredSource] = {}
    for source in data.sources:
        if source.id not in written or not written[source.id].texts:
            continue
        about = written[source.id].source
        if (about.prompt, about.source) != (source.prompt, source.source):
            raise ValueError(
                f"{location}: source {source.id!r} is another one than in {data.name}; give the "
                "data that the texts were written for"
            )
        found[source.id] = written[source.id]
    if not found:
        raise ValueError(
            f"{location} and {data.name} have no source in common; give the settings of the run "
            "that wrote the texts (dataset, limit, seed)"
        )
    return found


def written_texts(location: str) -> dict[str, AnsweredSource]:
    """What a finished generation run wrote, by source id; of several epochs the first.

    Args:
        location: As of ``read_answers``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is neither samples nor a log, or its run wrote nothing.
    """
    written: dict[str, AnsweredSource] = {}
    for answered in read_answers(location):
        if answered.source.id in written and location.endswith(".jsonl"):
            raise ValueError(f"{location}: source {answered.source.id!r} stands in the file twice")
        written.setdefault(answered.source.id, answered)
    if not any(answered.texts for answered in written.values()):
        raise ValueError(
            f"{location}: holds no responses to target scores; give the log or the samples of a "
            "generation run"
        )
    return written


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
        if pair.sign is None:
            continue
        won = (1 + pair.sign) / 2
        outcomes[pair.response_a].append(won)
        outcomes[pair.response_b].append(1 - won)
    return [(sum(shares) / len(shares), text) for text, shares in outcomes.items()]
