"""Three public preference sets, fetched by `datasets` and turned into rows of the plain schema.

- `tldr`: Stiennon et al. 2020, *Learning to summarize from human feedback*: posts and articles,
  each with two short summaries.
- `webgpt`: Nakano et al. 2021, *WebGPT*: questions, each with two answers that quote web pages.
- `shp2`: the second Stanford Human Preferences set (the first: Ethayarajh et al. 2022,
  *Understanding dataset difficulty with V-usable information*): forum posts, each with two
  comments of which readers scored one higher.

None of them is copied into this project. The rows made here go through the same checks as those
of a file. A row that is not in the shape described here is a bad row, not a guess.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Self, TypeVar

from pydantic import BaseModel, FiniteFloat, JsonValue, ValidationError, model_validator

from profile_tasks.data.files import PreferenceDataError, Record, Row, RowError

TLDR_PROMPT = "Write a short summary of the following text that keeps its most important points."
"""The set records no instruction; this one is the project's."""


@dataclass(frozen=True)
class PublicSet:
    """Where a set lies and how its rows read.

    Attributes:
        repository: Its name on the Hugging Face hub.
        revision: The commit or branch that is fetched.
        files: Pattern of the data files of one split, with a place for ``{split}``.
        splits: All splits, the default one first.
        task: The task that all its rows belong to.
        convert: Turns original rows, each with its place, into rows of the plain schema.

    """

    repository: str
    revision: str
    files: str
    splits: tuple[str, ...]
    task: str
    convert: Callable[[Iterable[tuple[str, object]]], Iterator[Record]]


def records(
    name: str, *, task: str | None = None, revision: str | None = None, split: str | None = None
) -> tuple[str, Iterator[Record]]:
    """Fetch a public set: what it is called with its split, and its rows in the plain schema.

    A folder named like the repository, seen from the working folder, is read in its stead; this
    is how `datasets` resolves names, and a way to use a copy without a network.

    Args:
        name: "tldr", "webgpt" or "shp2".
        task: The task wanted, checked before anything is fetched.
        revision: A commit or branch instead of the pinned one.
        split: A split instead of the default one.

    Raises:
        PreferenceDataError: An unknown split, another task than the set's, or a failed download.

    """
    public_set = PUBLIC[name]
    split = public_set.splits[0] if split is None else split
    if split not in public_set.splits:
        raise PreferenceDataError(
            f"split of data set {name!r} is {split!r}. "
            f"Must be one of: {', '.join(public_set.splits)}"
        )
    if task not in (None, public_set.task):
        raise PreferenceDataError(
            f"task is {task!r}, but all rows of data set {name!r} have task {public_set.task!r}"
        )
    label = f"{public_set.repository}[{split}]"
    originals = _fetched(public_set, split, revision or public_set.revision)
    places = ((f"{label} row {n}", row) for n, row in enumerate(originals, start=1))
    return label, public_set.convert(places)


def _fetched(public_set: PublicSet, split: str, revision: str) -> Iterable[object]:
    import datasets

    try:
        fetched: Iterable[object] = datasets.load_dataset(
            public_set.repository,
            data_files={split: public_set.files.format(split=split)},
            revision=revision,
            split=split,
        )
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise PreferenceDataError(
            f"{public_set.repository} at revision {revision!r} could not be fetched ({error}); "
            "check the network, or download the set elsewhere, convert it to the plain schema "
            "and give the path of that file"
        ) from error
    return fetched


_Original = TypeVar("_Original", bound=BaseModel)


def _read(shape: type[_Original], row: object) -> _Original:
    try:
        return shape.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RowError(f"field {where!r} is not as expected: {first['msg']}") from error


def _each(
    shape: type[_Original], convert: Callable[[_Original, int], Row]
) -> Callable[[Iterable[tuple[str, object]]], Iterator[Record]]:
    """Make a reader of sets where one original row, with its number, is one pair."""

    def convert_all(rows: Iterable[tuple[str, object]]) -> Iterator[Record]:
        for number, (place, row) in enumerate(rows, start=1):
            try:
                yield Record(place, convert(_read(shape, row), number))
            except RowError as error:
                yield Record(place, error)

    return convert_all


# --- tldr ---------------------------------------------------------------------------------------


class _TldrInfo(BaseModel):
    """What the summaries summarize: a forum post or, in a part of the set, a news article."""

    id: str
    post: str | None = None
    article: str | None = None
    title: str | None = None
    subreddit: str | None = None

    @model_validator(mode="after")
    def _holds_a_text(self) -> Self:
        if not (self.post or self.article):
            raise ValueError("neither 'post' nor 'article' holds a text")
        return self


class _TldrSummary(BaseModel):
    text: str
    policy: str | None = None


class _TldrExtra(BaseModel):
    confidence: int | None = None


class _TldrComparison(BaseModel):
    """One worker's choice between two summaries."""

    info: _TldrInfo
    summaries: tuple[_TldrSummary, _TldrSummary]
    choice: Literal[0, 1]
    worker: str | None = None
    extra: _TldrExtra | None = None


def _tldr_pairs(rows: Iterable[tuple[str, object]]) -> Iterator[Record]:
    """Merge the workers who judged the same two texts into one pair with their votes.

    A merged pair has the place of its first row.
    """
    judged: dict[tuple[str, frozenset[str]], tuple[str, list[_TldrComparison]]] = {}
    for place, row in rows:
        try:
            comparison = _read(_TldrComparison, row)
        except RowError as error:
            yield Record(place, error)
            continue
        texts = frozenset(summary.text for summary in comparison.summaries)
        judged.setdefault((comparison.info.id, texts), (place, []))[1].append(comparison)
    pairs_of: dict[str, int] = {}
    for (post_id, _), (place, comparisons) in judged.items():
        pairs_of[post_id] = pairs_of.get(post_id, 0) + 1
        yield Record(place, _tldr_pair(comparisons, f"tldr:{post_id}-{pairs_of[post_id]}"))


def _tldr_pair(comparisons: list[_TldrComparison], pair_id: str) -> Row:
    info = comparisons[0].info
    a, b = comparisons[0].summaries
    votes: list[JsonValue] = []
    for comparison in comparisons:
        # Workers may have seen the texts in the other order than the first of them.
        swapped = comparison.summaries[0].text != a.text
        votes.append("b" if (comparison.choice == 1) != swapped else "a")
    return {
        "id": pair_id,
        "task": "summarization",
        "prompt": TLDR_PROMPT,
        "source": info.post or info.article,
        "response_a": a.text,
        "response_b": b.text,
        "annotators": votes,
        "group": info.id,
        "system_a": a.policy,
        "system_b": b.policy,
        "origin": "tldr",
        "title": info.title,
        "subreddit": info.subreddit,
        "workers": [comparison.worker for comparison in comparisons],
        "confidences": [None if c.extra is None else c.extra.confidence for c in comparisons],
    }


# --- webgpt -------------------------------------------------------------------------------------


class _WebgptQuestion(BaseModel):
    id: str
    full_text: str
    dataset: str | None = None


class _WebgptQuotes(BaseModel):
    """Passages of web pages, as their titles and their texts in the same order."""

    title: list[str] = []
    extract: list[str] = []

    @model_validator(mode="after")
    def _have_titles(self) -> Self:
        if len(self.title) != len(self.extract):
            raise ValueError(f"{len(self.title)} titles for {len(self.extract)} extracts")
        return self


class _WebgptComparison(BaseModel):
    question: _WebgptQuestion
    quotes_0: _WebgptQuotes | None = None
    quotes_1: _WebgptQuotes | None = None
    answer_0: str
    answer_1: str
    # Finite, because NaN is neither higher nor lower, and must not pass for a preference.
    score_0: FiniteFloat
    score_1: FiniteFloat


def _webgpt_pair(row: _WebgptComparison, number: int) -> Row:
    preference = "tie"
    if row.score_0 != row.score_1:
        preference = "a" if row.score_0 > row.score_1 else "b"
    return {
        "id": f"webgpt:{number}",
        "task": "document_qa",
        "prompt": row.question.full_text,
        "source": _quoted(row.quotes_0, row.quotes_1),
        "response_a": row.answer_0,
        "response_b": row.answer_1,
        "preference": preference,
        "group": row.question.id,
        "origin": "webgpt",
        "dataset": row.question.dataset,
        "score_a": row.score_0,
        "score_b": row.score_1,
    }


def _quoted(*sides: _WebgptQuotes | None) -> str | None:
    """Join what both answers quote, each passage once: the documents of the pair."""
    passages = [
        f"{title}\n{extract}"
        for side in sides
        if side is not None
        for title, extract in zip(side.title, side.extract, strict=True)
    ]
    return "\n\n".join(dict.fromkeys(passages)) or None


# --- shp2 ---------------------------------------------------------------------------------------


class _Shp2Comparison(BaseModel):
    post_id: str | int
    domain: str
    history: str
    human_ref_A: str  # noqa: N815 - the set's own names
    human_ref_B: str  # noqa: N815
    labels: Literal[0, 1]
    c_root_id_A: str | int | None = None  # noqa: N815
    c_root_id_B: str | int | None = None  # noqa: N815
    score_A: int | None = None  # noqa: N815
    score_B: int | None = None  # noqa: N815
    score_ratio: float | None = None


def _shp2_pair(row: _Shp2Comparison, number: int) -> Row:
    # Posts are numbered within a forum, so the forum is part of the key.
    group = f"{row.domain}:{row.post_id}"
    comments = (row.c_root_id_A, row.c_root_id_B)
    return {
        "id": f"shp2:{number}" if None in comments else f"shp2:{group}-{comments[0]}-{comments[1]}",
        "task": "instruction_following",
        "prompt": row.history,
        "source": None,
        "response_a": row.human_ref_A,
        "response_b": row.human_ref_B,
        "preference": "a" if row.labels == 1 else "b",
        "group": group,
        "origin": "shp2",
        "domain": row.domain,
        "score_a": row.score_A,
        "score_b": row.score_B,
        "score_ratio": row.score_ratio,
    }


PUBLIC = {
    "tldr": PublicSet(
        repository="openai/summarize_from_feedback",
        # The repository is script-based, which `datasets` no longer runs; this branch holds the
        # hub's own conversion. It is a branch, not a commit: none could be verified offline.
        revision="refs/convert/parquet",
        files="comparisons/{split}/*.parquet",
        splits=("validation", "train"),
        task="summarization",
        convert=_tldr_pairs,
    ),
    "webgpt": PublicSet(
        repository="openai/webgpt_comparisons",
        revision="8193c7bffcb63ae55b88bd85647be4b77ca8cab2",  # of the conversion to Parquet
        files="default/{split}/*.parquet",
        splits=("train",),
        task="document_qa",
        convert=_each(_WebgptComparison, _webgpt_pair),
    ),
    "shp2": PublicSet(
        repository="stanfordnlp/SHP-2",
        revision="bacea6264d733debecd4677d932e02f2579c0ff5",
        files="**/{split}.json",
        splits=("validation", "train", "test"),
        task="instruction_following",
        convert=_each(_Shp2Comparison, _shp2_pair),
    ),
}
"""The public sets by the names that users give."""
