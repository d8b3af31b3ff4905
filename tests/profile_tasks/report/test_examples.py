"""Examples are the loudest pairs, and what is said of them is what the log holds."""

from collections.abc import Sequence

import pytest

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.report.examples import (
    EXAMPLES,
    MOST_CHARACTERS,
    Candidate,
    LoudestPairs,
    known_factors,
    marked_differences,
)
from profile_tasks.runs.run import AnsweredSource
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.measurement.source_measurement import measure_source
from profile_tasks.solvers.both_orders import PairVerdict

LENGTH = load_taxonomy()["length"]


def source(
    name: str,
    words_a: int,
    words_b: int,
    preference: str = "a",
    verdicts: Sequence[PairVerdict] | None = None,
) -> Candidate:
    """A source with one annotated pair of texts of so many words."""
    annotated = AnnotatedSource(
        id=name,
        group=name,
        task="summarization",
        prompt="Sum up.",
        source="A story.",
        pairs=(
            AnnotatedPair(
                id=f"{name}-0",
                response_a="a " * words_a,
                response_b="b " * words_b,
                preference=preference,
                annotators=("a", "a", "b"),
            ),
        ),
    )
    measured = measure_source(annotated, [LENGTH], verdicts=verdicts)
    return Candidate(AnsweredSource(annotated), measured)


def found(*sources: Candidate, perspective: str = "human"):
    loudest = LoudestPairs({"length": LENGTH})
    for each in sources:
        loudest.add(each)
    return loudest.examples()[perspective]["length"]


def test_the_pairs_furthest_apart_come_first_and_only_so_many() -> None:
    speaks_for, against = found(*(source(f"s{n}", 2 + n, 2) for n in range(1, 7)))
    assert [pair.source for pair in speaks_for] == ["s6", "s5", "s4"]
    assert len(speaks_for) == EXAMPLES
    assert against == ()


def test_a_pair_whose_preferred_response_shows_less_speaks_against() -> None:
    speaks_for, against = found(source("long", 9, 2, "b"), source("short", 2, 5, "b"))
    assert [pair.source for pair in speaks_for] == ["short"]
    (pair,) = against
    assert (pair.source, pair.preferred.value, pair.other.value) == ("long", 2, 9)
    assert pair.preferred.name == "response b"
    assert pair.decided_by == ("people: a 2, b 1, tie 0",)


@pytest.mark.parametrize(
    ("verdict", "decided_by"),
    [
        (
            PairVerdict(("first", "second")),
            "the model's verdicts, by position shown: first, second",
        ),
        (
            PairVerdict.by_likelihood((2.0, 1.5)),
            "log-likelihood of the first shown less that of the other: +2.00, +1.50",
        ),
    ],
)
def test_what_the_model_said_of_a_pair_stands_with_it(
    verdict: PairVerdict, decided_by: str
) -> None:
    judged = source("s", 5, 2, verdicts=[verdict])
    (pair,), _ = found(judged, perspective="discrimination")
    assert pair.decided_by == (decided_by,)


@pytest.mark.parametrize(
    ("texts", "speaks_for"),
    [({5: "a b c d", 1: "a"}, True), ({5: "a", 1: "a b c d"}, False)],
    ids=["longer for the higher score", "shorter for it"],
)
def test_of_written_responses_the_one_for_the_higher_score_is_preferred(
    texts: dict[int, str], speaks_for: bool
) -> None:
    annotated = source("s", 2, 2).annotated
    measured = measure_source(
        annotated, [LENGTH], responses_by_score=texts, generation_pairs=[(5, 1)]
    )
    loudest = LoudestPairs({"length": LENGTH})
    loudest.add(Candidate(AnsweredSource(annotated, texts), measured))
    sides = loudest.examples()["generation"]["length"]
    (pair,) = sides[not speaks_for]
    assert sides[speaks_for] == ()
    assert (pair.preferred.name, pair.other.name) == ("written for score 5", "written for score 1")
    assert (pair.preferred.value, pair.other.value) == ((4, 1) if speaks_for else (1, 4))


def test_what_the_model_prefers_is_told_by_its_verdicts_and_not_by_people() -> None:
    loudest = LoudestPairs({"length": LENGTH})
    loudest.add(source("s", 9, 2, "a", verdicts=[PairVerdict(("second", "first"))]))
    people, model = (loudest.examples()[who]["length"] for who in ("human", "discrimination"))
    assert [pair.preferred.name for pair in people[0]] == ["response a"]
    assert [pair.preferred.name for pair in model[1]] == ["response b"]
    assert people[1] == model[0] == ()


def test_ties_of_preference_or_factor_are_no_examples() -> None:
    assert LoudestPairs({"length": LENGTH}).examples() == {}
    loudest = LoudestPairs({"length": LENGTH})
    loudest.add(source("tie", 9, 2, "tie"))
    loudest.add(source("equal", 2, 2))
    assert loudest.examples() == {}


def test_long_texts_are_cut_and_their_length_is_named() -> None:
    (pair,), _ = found(source("long", 500_000, 2))
    assert sum(len(segment.text) for segment in pair.preferred.text) == MOST_CHARACTERS
    assert pair.preferred.length == 1_000_000
    assert pair.preferred.is_cut
    assert not pair.other.is_cut


def test_the_same_sources_in_another_order_give_the_same_examples() -> None:
    sources = [source(f"s{n}", 5, 2) for n in range(12)]
    assert found(*sources) == found(*reversed(sources))


def test_differences_lose_no_text() -> None:
    first, second = "One  two\nthree four. ", "One three\n\nfour, five."
    sides = marked_differences(first, second)
    assert ["".join(segment.text for segment in side) for side in sides] == [first, second]
    assert any(segment.shared for segment in sides[0])


def test_python_code_named_in_a_log_is_never_imported(tmp_path, monkeypatch) -> None:
    (tmp_path / "evil_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    own = {
        "id": "own", "level": 1, "kind": "surface", "tasks": ["summarization"], "definition": "x",
        "unit": "x", "more": "x", "function": "evil_module:own",
    }  # fmt: skip
    assert known_factors(["own", "length"], {"own": own}) == {"length": LENGTH}


def test_a_graded_factor_of_the_users_own_is_known_from_the_log() -> None:
    own = {
        "id": "kindness", "level": 3, "kind": "judged", "tasks": ["summarization"],
        "definition": "Kinder.", "unit": "verdict", "more": "kinder", "range": [-1, 1],
    }  # fmt: skip
    assert known_factors(["kindness"], {"kindness": own})["kindness"].kind == "judged"
    assert known_factors(["kindness"], {"kindness": {"id": "kindness"}}) == {}
