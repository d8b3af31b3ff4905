"""Which requests a source takes, and what their answers make together."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import anyio
import pytest

from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.facts import (
    Fact,
    FactsBatch,
    FactsRequest,
    KeyFactsRequest,
    ResponseFacts,
)
from profile_tasks.scorers.factors.grader_prompts import WORDS_PER_FACTS_REQUEST
from profile_tasks.scorers.factors.judged import JudgedBatch, JudgedRequest
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.grading.record import (
    SourceGrades,
    factor_grading,
    graded_signs,
    graded_values,
)
from profile_tasks.scorers.grading.requests import (
    GraderAnswer,
    SourceToGrade,
    grade_source,
)
from profile_tasks.settings import JudgeSettings

TAXONOMY = load_taxonomy()
TEXTS = {"p a": "one two", "p b": "three", "score 1": "four", "score 2": "one two"}
PAIRS = [("p a", "p b"), ("score 2", "score 1"), ("p a", "score 2")]
SHOWN = SourceToGrade("Q", "S", TEXTS, PAIRS)
FACTS = ("number_of_facts", "hallucination", "source_coverage")
JUDGED = ("fluency", "coherence")

Answers = Callable[[Any], Any]


def factors(*ids: str) -> list[Factor]:
    return [TAXONOMY[id_] for id_ in ids]


def honest(request: Any) -> Any:
    """A fact a word, all supported; the first key fact is conveyed; longer is more fluent."""
    if isinstance(request, FactsBatch | JudgedBatch):
        return tuple(honest(one) for one in request.requests)
    if isinstance(request, KeyFactsRequest):
        return ("key 1", "key 2")
    if isinstance(request, FactsRequest):
        labels = {f.id: f.label.values[0] for f in request.labelled if f.label}
        texts = request.response.split() if request.facts is None else request.facts
        return ResponseFacts(
            facts=None
            if request.facts is not None and not request.labelled
            else tuple(Fact(text=text, labels=labels) for text in texts),
            covered=None if request.key_facts is None else request.key_facts[:1],
        )
    difference = len(request.first) - len(request.second)
    verdict = "first" if difference > 0 else "second" if difference < 0 else "tie"
    return dict.fromkeys((f.id for f in request.factors), verdict)


class Grader:
    """Answers by a function, and keeps what it was asked."""

    def __init__(self, answers: Answers = honest) -> None:
        self.answers, self.asked = answers, []

    async def ask(self, request: Any) -> GraderAnswer[Any]:
        self.asked.append(request)
        answer = self.answers(request)
        return GraderAnswer(answer, 1, None if answer is not None else "no answer")

    def of(self, kind: type) -> list[Any]:
        return [request for request in self.asked if isinstance(request, kind)]


def grade(
    ids: Sequence[str],
    grader: Grader | None = None,
    shown: SourceToGrade = SHOWN,
    **options: Any,
) -> SourceGrades:
    async def run() -> SourceGrades:
        asker = grader or Grader()
        return await grade_source(shown, factors(*ids), asker.ask, grader="g", **options)

    return anyio.run(run)


def test_each_distinct_response_takes_one_request_and_each_pair_two() -> None:
    grader = Grader()
    grades = grade([*FACTS, *JUDGED], grader)
    assert len(grader.of(KeyFactsRequest)) == 1
    assert sorted(r.response for r in grader.of(FactsRequest)) == ["four", "one two", "three"]
    # (p a, p b) and (score 2, score 1); the texts of the third pair are equal.
    assert len(grader.of(JudgedRequest)) == 4
    assert grades.requests == 8
    assert grades.repairs == 0
    assert grades.problems == ()


def test_pairs_are_shown_in_both_orders() -> None:
    grader = Grader()
    grade(JUDGED, grader)
    shown = {(r.first, r.second) for r in grader.asked}
    assert ("one two", "three") in shown
    assert ("three", "one two") in shown


def test_one_order_and_one_factor_a_request() -> None:
    grader = Grader()
    grades = grade(JUDGED, grader, judging=JudgeSettings(judge_orders=1, judge_batch="one"))
    assert [len(r.factors) for r in grader.asked] == [1, 1, 1, 1]
    assert {len(v) for pair in grades.pairs for v in pair.verdicts.values()} == {1}


def test_with_one_order_a_taste_for_a_position_is_not_a_taste_for_a_factor() -> None:
    texts = {str(n): f"text {n}" for n in range(200)}
    pairs = [(str(n), str(n + 1)) for n in range(0, 200, 2)]
    grades = grade(
        ["fluency"],
        Grader(lambda request: {"fluency": "first"}),
        SourceToGrade("Q", "S", texts, pairs),
        judging=JudgeSettings(judge_orders=1),
    )
    signs = graded_signs(grades, TAXONOMY["fluency"], pairs)
    assert 30 < signs.count(1) < 70
    assert signs.count(1) + signs.count(-1) == 100


def test_with_one_order_the_verdict_names_the_response_it_was_meant_for() -> None:
    grades = grade(JUDGED, judging=JudgeSettings(judge_orders=1))
    assert graded_signs(grades, TAXONOMY["fluency"], PAIRS) == [1, 1, 0]


def test_two_orders_answer_for_one_and_one_is_half_of_two() -> None:
    two, grader = grade(JUDGED), Grader()
    one = grade(JUDGED, judging=JudgeSettings(judge_orders=1))
    again = grade(JUDGED, grader, judging=JudgeSettings(judge_orders=1), known=two)
    assert grader.asked == []
    assert again.pairs == two.pairs  # what was paid for stays, whatever counts
    for pair, single in zip(again.pairs, one.pairs, strict=True):
        assert pair.verdict("fluency", 1) == single.verdict("fluency", 1)
    grader = Grader()
    assert grade(JUDGED, grader, known=again).pairs == two.pairs
    assert grader.asked == []
    assert grade(JUDGED, grader, known=one).pairs == two.pairs
    assert len(grader.asked) == 2


def test_of_two_verdicts_one_order_counts_the_one_it_would_have_asked_for() -> None:
    texts = {str(n): f"text {n}" for n in range(40)}
    pairs = [(str(n), str(n + 1)) for n in range(0, 40, 2)]
    shown = SourceToGrade("Q", "S", texts, pairs)
    positional = Grader(lambda request: {"fluency": "first"})
    one = grade(["fluency"], positional, shown, judging=JudgeSettings(judge_orders=1))
    two = grade(["fluency"], positional, shown)
    again = grade(["fluency"], positional, shown, judging=JudgeSettings(judge_orders=1), known=two)
    fluency = TAXONOMY["fluency"]
    assert graded_signs(again, fluency, pairs) == graded_signs(one, fluency, pairs)
    assert set(graded_signs(one, fluency, pairs)) == {1, -1}
    assert factor_grading(again, fluency, "S").both_orders == 0
    assert factor_grading(two, fluency, "S").flipped == len(pairs)


def test_the_wordings_are_what_the_grader_was_told() -> None:
    redefined = [
        replace(TAXONOMY[id_], definition=f"My own {id_}.")
        for id_ in ("number_of_facts", "source_coverage", "fluency", "hallucination")
    ]
    grader = Grader()
    grades = anyio.run(partial(grade_source, SHOWN, redefined, grader.ask, grader="g"))
    told = "\n".join(request.render() for request in grader.asked)
    label = TAXONOMY["hallucination"].label
    assert label is not None
    for id_, words in grades.wordings.items():
        assert (label.question if id_ == "hallucination" else words) in told
    assert grades.wordings["fluency"] == "My own fluency."
    assert "My own" not in grades.wordings["number_of_facts"]


def test_verdicts_of_another_batch_answer_nothing() -> None:
    grader = Grader()
    grade(JUDGED, grader, judging=JudgeSettings(judge_batch="one"), known=grade(JUDGED))
    assert [len(request.factors) for request in grader.asked] == [1] * 8


BATCHED = JudgeSettings(grading="batched")
MORE_TEXTS = {"p a": "one two", "p b": "three", "q a": "five six", "q b": "one two",
              "score 1": "four", "score 2": "one two", "score 3": "seven"}  # fmt: skip
MORE = SourceToGrade(
    "Q", "S", MORE_TEXTS,
    [("p a", "p b"), ("q a", "q b"), ("score 2", "score 1"), ("score 3", "score 1")],
)  # fmt: skip


def without_count(grades: SourceGrades) -> SourceGrades:
    """What was said, whatever it took to be told."""
    pairs = tuple(pair.model_copy(update={"swapped": False}) for pair in grades.pairs)
    return grades.model_copy(update={"requests": 0, "grading": "", "pairs": pairs})


@pytest.mark.parametrize("orders", [1, 2])
@pytest.mark.parametrize("batch", ["all", "one"])
def test_batched_requests_make_the_same_record(orders: Any, batch: Any) -> None:
    settings = JudgeSettings(judge_orders=orders, judge_batch=batch)
    in_batches = settings.model_copy(update={"grading": "batched"})
    single = grade([*FACTS, *JUDGED], shown=MORE, judging=settings)
    batched = grade([*FACTS, *JUDGED], shown=MORE, judging=in_batches)
    assert without_count(batched) == without_count(single)
    assert batched.grading == "batched"
    assert batched.requests < single.requests
    assert SourceGrades.model_validate_json(batched.model_dump_json()) == batched


def test_one_order_takes_half_of_the_judged_batches_and_favours_no_recorded_side() -> None:
    texts = {f"score {n}": f"text {n}" for n in range(40)}
    pairs = [(f"score {n}", f"score {n + 1}") for n in range(0, 40, 2)]
    shown = SourceToGrade("Q", "S", texts, pairs)

    def first(request: Any) -> Any:
        return tuple({"fluency": "first"} for _ in request.requests)

    one_order = JudgeSettings(judge_orders=1, grading="batched")
    graders = Grader(first), Grader(first)
    two = grade(["fluency"], graders[0], shown, judging=BATCHED)
    one = grade(["fluency"], graders[1], shown, judging=one_order)
    assert [len(grader.asked) for grader in graders] == [2, 1]
    signs = graded_signs(one, TAXONOMY["fluency"], pairs)
    assert 5 < signs.count(1) < 15
    assert signs.count(1) + signs.count(-1) == 20
    again = grade(["fluency"], graders[1], shown, judging=one_order, known=two)
    assert len(graders[1].asked) == 1
    assert graded_signs(again, TAXONOMY["fluency"], pairs) == signs


def test_annotated_and_written_responses_share_no_request() -> None:
    """What is said of the annotated ones must not hang on what the evaluated model wrote."""
    grader, other = Grader(), Grader()
    grade([*FACTS, *JUDGED], grader, MORE, judging=BATCHED)
    asked = grader.of(FactsBatch)
    assert [[r.response for r in batch.requests] for batch in asked] == [
        ["one two", "three", "five six"],
        ["four", "seven"],
    ]
    assert len(grader.asked) == 1 + 2 + 4
    rewritten = {id_: f"{text}!" * ("score" in id_) or text for id_, text in MORE_TEXTS.items()}
    grade([*FACTS, *JUDGED], other, SourceToGrade("Q", "S", rewritten, MORE.pairs), judging=BATCHED)
    annotated = {"one two", "three", "five six"}

    def of_annotated(asked: Grader) -> list[str]:
        return sorted(
            batch.render()
            for batch in (*asked.of(FactsBatch), *asked.of(JudgedBatch))
            if annotated >= {getattr(r, "response", None) or r.first for r in batch.requests}
        )

    assert of_annotated(grader) == of_annotated(other)
    assert len(of_annotated(grader)) == 3


def test_what_a_batch_lacks_is_missing_alone_and_asked_for_alone() -> None:
    def all_but(request: Any) -> Any:
        answers = honest(request)
        return (None, *answers[1:]) if isinstance(request, FactsBatch | JudgedBatch) else answers

    lacking = Grader(all_but)
    grades = grade([*FACTS, *JUDGED], lacking, MORE, judging=BATCHED)
    facts = factor_grading(grades, TAXONOMY["number_of_facts"], "S")
    assert (facts.asked, facts.missing) == (5, 2)
    whole = grade([*FACTS, *JUDGED], shown=MORE, judging=BATCHED)
    fluency = TAXONOMY["fluency"]
    signs = graded_signs(grades, fluency, MORE.pairs)
    right = graded_signs(whole, fluency, MORE.pairs)
    assert 0 not in right
    assert None in signs
    assert all(sign in (None, known) for sign, known in zip(signs, right, strict=True))
    grader = Grader()
    again = grade([*FACTS, *JUDGED], grader, MORE, judging=BATCHED, known=grades)
    assert sorted(r.response for r in grader.of(FactsRequest)) == ["four", "one two"]
    assert graded_signs(again, fluency, MORE.pairs) == right


def test_a_batch_without_an_answer_is_missing_for_each_of_its_questions() -> None:
    def silent(request: Any) -> Any:
        return None if isinstance(request, FactsBatch | JudgedBatch) else honest(request)

    grades = grade([*FACTS, *JUDGED], Grader(silent), MORE, judging=BATCHED)
    assert factor_grading(grades, TAXONOMY["number_of_facts"], "S").missing == 5
    assert factor_grading(grades, TAXONOMY["fluency"], "S").missing == 4
    assert graded_signs(grades, TAXONOMY["fluency"], MORE.pairs) == [None] * 4
    assert "1. facts of p a, 2. facts of p b, 3. facts of q a: no answer" in grades.problems


def test_single_and_batched_grades_are_answers_to_different_questions() -> None:
    for known, asked in ((BATCHED, JudgeSettings()), (JudgeSettings(), BATCHED)):
        earlier = grade([*FACTS, *JUDGED], shown=MORE, judging=known)
        anew = grade([*FACTS, *JUDGED], shown=MORE, judging=asked)
        again = grade([*FACTS, *JUDGED], shown=MORE, judging=asked, known=earlier)
        assert again.requests == anew.requests > 0


def test_known_batched_grades_take_no_request_and_a_new_factor_only_its_own() -> None:
    known = grade(["number_of_facts", "fluency"], shown=MORE, judging=BATCHED)
    grader = Grader()
    assert grade(["fluency"], grader, MORE, judging=BATCHED, known=known).pairs == known.pairs
    assert grader.asked == []
    grade([*FACTS, *JUDGED], grader, MORE, judging=BATCHED, known=known)
    assert {f.id for b in grader.of(JudgedBatch) for r in b.requests for f in r.factors} == {
        "coherence"
    }
    labels = [r for batch in grader.of(FactsBatch) for r in batch.requests]
    assert len(labels) == 5
    assert all(request.facts for request in labels)  # listed before, now labelled


def test_two_pairs_of_the_same_texts_in_swapped_roles_are_one_question() -> None:
    texts = {"p a": "one two", "p b": "three", "q a": "three", "q b": "one two"}
    pairs = [("p a", "p b"), ("q a", "q b")]
    grader = Grader()
    grades = grade(JUDGED, grader, SourceToGrade("Q", "S", texts, pairs))
    assert len(grader.asked) == 2
    assert graded_signs(grades, TAXONOMY["fluency"], pairs) == [1, -1]


def test_grades_of_other_texts_are_not_reused() -> None:
    known = grade([*FACTS, *JUDGED])
    edited = SourceToGrade("Q", "S", TEXTS | {"p b": "something else entirely"}, PAIRS)
    grader = Grader()
    grades = grade([*FACTS, *JUDGED], grader, edited, known=known)
    assert [r.response for r in grader.of(FactsRequest)] == ["something else entirely"]
    assert all("something else entirely" in (r.first, r.second) for r in grader.of(JudgedRequest))
    assert graded_values(grades, TAXONOMY["number_of_facts"])["p b"] == 3
    grader = Grader()
    grade([*FACTS, *JUDGED], grader, SourceToGrade("Q", "another", TEXTS, PAIRS), known=known)
    assert len(grader.of(KeyFactsRequest)) == 1


def test_equal_texts_do_not_tie_in_what_does_not_apply() -> None:
    shown = SourceToGrade("Q", None, {"p a": "same", "p b": "same"}, [("p a", "p b")])
    needing = replace(TAXONOMY["fluency"], id="faithful", needs_source=True)
    chosen = [TAXONOMY["fluency"], needing]
    grades = anyio.run(partial(grade_source, shown, chosen, Grader().ask, grader="g"))
    assert graded_signs(grades, TAXONOMY["fluency"], shown.pairs) == [0]
    assert graded_signs(grades, needing, shown.pairs) == [None]


def test_factors_that_need_no_grader_are_not_asked_for() -> None:
    grader = Grader()
    grades = grade(["length", "novel_words"], grader)
    assert grader.asked == []
    assert grades.wordings == {}


@pytest.mark.parametrize(
    ("ids", "key_facts", "labels"),
    [
        (["number_of_facts"], 0, []),
        (["off_focus"], 0, ["off_focus"]),
        (["source_coverage"], 1, []),
        (["hallucination", "source_coverage"], 1, ["hallucination"]),
    ],
)
def test_only_what_the_factors_need_is_asked(
    ids: list[str], key_facts: int, labels: list[str]
) -> None:
    grader = Grader()
    grade(ids, grader)
    assert len(grader.of(KeyFactsRequest)) == key_facts
    for request in grader.of(FactsRequest):
        assert [factor.id for factor in request.labelled] == labels
        assert (request.key_facts is not None) == bool(key_facts)


def test_without_source_what_needs_one_is_not_asked_and_not_counted() -> None:
    grader = Grader()
    shown = SourceToGrade("Q", None, TEXTS, PAIRS)
    grades = grade(FACTS, grader, shown)
    assert grader.of(KeyFactsRequest) == []
    assert all(r.labelled == () and r.key_facts is None for r in grader.asked)
    assert factor_grading(grades, TAXONOMY["hallucination"], None).asked == 0
    assert factor_grading(grades, TAXONOMY["number_of_facts"], None).asked == 3
    values = graded_values(grades, TAXONOMY["hallucination"])
    assert all(math.isnan(value) for value in values.values())


def test_a_long_response_is_graded_in_parts_that_count_together() -> None:
    sentences = WORDS_PER_FACTS_REQUEST // 10 + 5
    text = " ".join(f"{n}a {n}b {n}c {n}d {n}e {n}f {n}g {n}h {n}i End." for n in range(sentences))
    grader = Grader()
    grades = grade(FACTS, grader, SourceToGrade("Q", "S", {"r": text}, []))
    assert len(grader.of(FactsRequest)) == 2
    # "End." stands in every sentence and in both parts, and is one fact.
    assert graded_values(grades, TAXONOMY["number_of_facts"]) == {"r": sentences * 9 + 1}
    assert graded_values(grades, TAXONOMY["source_coverage"]) == {"r": 0.5}


def test_a_missing_part_makes_the_response_missing() -> None:
    text = " ".join(
        ["The old cat sat quietly on the warm mat today."] * (WORDS_PER_FACTS_REQUEST // 10)
        + ["The end is it."]
    )

    def but_the_end(request: Any) -> Any:
        return None if "The end" in getattr(request, "response", "") else honest(request)

    grades = grade(FACTS, Grader(but_the_end), SourceToGrade("Q", "S", {"r": text}, []))
    assert factor_grading(grades, TAXONOMY["number_of_facts"], "S").missing == 1
    assert grades.problems == ("facts of r: no answer",)


def test_missing_key_facts_are_missing_for_every_response() -> None:
    def no_key_facts(request: Any) -> Any:
        return None if isinstance(request, KeyFactsRequest) else honest(request)

    grades = grade(FACTS, Grader(no_key_facts))
    assert factor_grading(grades, TAXONOMY["source_coverage"], "S").missing == 3
    assert factor_grading(grades, TAXONOMY["hallucination"], "S").missing == 0


def test_a_source_without_key_facts_has_no_coverage_and_nothing_is_missing() -> None:
    def none(request: Any) -> Any:
        return () if isinstance(request, KeyFactsRequest) else honest(request)

    grades = grade(FACTS, Grader(none))
    assert factor_grading(grades, TAXONOMY["source_coverage"], "S").missing == 0
    assert str(graded_values(grades, TAXONOMY["source_coverage"])["p a"]) == "nan"


def test_verdicts_that_agree_are_signs_and_equal_texts_tie() -> None:
    grades = grade(JUDGED)
    assert graded_signs(grades, TAXONOMY["fluency"], PAIRS) == [1, 1, 0]


def test_a_flip_is_0_and_counted_and_an_equal_is_not() -> None:
    def partial(request: Any) -> Any:
        verdicts = {"fluency": "first", "coherence": "tie"}
        return {f.id: verdicts[f.id] for f in request.factors}

    grades = grade(JUDGED, Grader(partial))
    assert graded_signs(grades, TAXONOMY["fluency"], PAIRS[:2]) == [0, 0]
    assert graded_signs(grades, TAXONOMY["coherence"], PAIRS[:2]) == [0, 0]
    fluency = factor_grading(grades, TAXONOMY["fluency"], "S")
    coherence = factor_grading(grades, TAXONOMY["coherence"], "S")
    assert (fluency.asked, fluency.both_orders, fluency.flipped) == (2, 2, 2)
    assert (coherence.asked, coherence.both_orders, coherence.flipped) == (2, 2, 0)


def test_equal_in_one_order_alone_is_a_flip() -> None:
    def half(request: Any) -> Any:
        return {"fluency": "tie" if len(request.first) > len(request.second) else "second"}

    grades = grade(["fluency"], Grader(half))
    assert factor_grading(grades, TAXONOMY["fluency"], "S").flipped == 2


def test_a_verdict_that_one_order_lacks_is_missing_and_never_a_tie() -> None:
    def one_order(request: Any) -> Any:
        return None if request.first == "three" else honest(request)

    grades = grade(JUDGED, Grader(one_order))
    assert graded_signs(grades, TAXONOMY["fluency"], PAIRS) == [None, 1, 0]
    found = factor_grading(grades, TAXONOMY["fluency"], "S")
    assert (found.asked, found.missing, found.both_orders) == (2, 1, 1)


def test_known_grades_take_no_request() -> None:
    known, grader = grade([*FACTS, *JUDGED]), Grader()
    again = grade([*FACTS, *JUDGED], grader, known=known)
    assert grader.asked == []
    assert again == known.model_copy(update={"requests": 0, "scoring": 1})


def test_one_more_judged_factor_takes_only_its_own_requests() -> None:
    known, grader = grade([*FACTS, *JUDGED]), Grader()
    again = grade([*FACTS, *JUDGED, "intent_alignment"], grader, known=known)
    assert len(grader.asked) == 4
    assert {f.id for r in grader.asked for f in r.factors} == {"intent_alignment"}
    assert graded_signs(again, TAXONOMY["fluency"], PAIRS) == [1, 1, 0]
    assert graded_signs(again, TAXONOMY["intent_alignment"], PAIRS) == [1, 1, 0]


def test_one_more_facts_factor_labels_the_known_facts() -> None:
    known, grader = grade(FACTS), Grader()
    again = grade([*FACTS, "off_focus"], grader, known=known)
    assert len(grader.asked) == 3
    for request in grader.asked:
        assert request.facts == tuple(request.response.split())
        assert [factor.id for factor in request.labelled] == ["off_focus"]
        assert request.key_facts is None
    for factor in ("hallucination", "off_focus"):
        assert factor_grading(again, TAXONOMY[factor], "S").missing == 0


def test_coverage_added_later_asks_for_coverage_alone() -> None:
    known, grader = grade(["number_of_facts"]), Grader()
    again = grade(["number_of_facts", "source_coverage"], grader, known=known)
    assert [type(request) for request in grader.asked].count(KeyFactsRequest) == 1
    assert all(r.facts is not None and not r.labelled for r in grader.of(FactsRequest))
    assert graded_values(again, TAXONOMY["number_of_facts"])["p a"] == 2
    assert graded_values(again, TAXONOMY["source_coverage"])["p a"] == 0.5


def test_only_what_is_missing_is_asked_for_again() -> None:
    def broken(request: Any) -> Any:
        bad = getattr(request, "first", getattr(request, "response", "")) == "three"
        return None if bad else honest(request)

    known, grader = grade([*FACTS, *JUDGED], Grader(broken)), Grader()
    again = grade([*FACTS, *JUDGED], grader, known=known)
    assert [r.response for r in grader.of(FactsRequest)] == ["three"]
    assert [r.first for r in grader.of(JudgedRequest)] == ["three"]
    assert all(factor_grading(again, TAXONOMY[f], "S").missing == 0 for f in [*FACTS, *JUDGED])


def test_grades_of_another_grader_or_wording_are_not_reused() -> None:
    known = grade(JUDGED)
    for change in ({"grader": "another"}, {"grader_settings": "other"}, {"prompt_version": 0}):
        grader = Grader()
        grade(JUDGED, grader, known=known.model_copy(update=change))
        assert len(grader.asked) == 4
    reworded = known.model_copy(update={"wordings": known.wordings | {"fluency": "Old words."}})
    grader = Grader()
    grade(JUDGED, grader, known=reworded)
    assert [[f.id for f in request.factors] for request in grader.asked] == [["fluency"]] * 4


def test_what_a_harness_raises_passes_through() -> None:
    def limit(request: Any) -> Any:
        raise RuntimeError("token limit")

    with pytest.raises(RuntimeError, match="token limit"):
        grade(JUDGED, Grader(limit))


def test_the_record_survives_json() -> None:
    grades = grade([*FACTS, *JUDGED])
    assert SourceGrades.model_validate_json(grades.model_dump_json()) == grades
