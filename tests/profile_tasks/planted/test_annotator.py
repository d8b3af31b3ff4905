"""The planted annotator prefers what its profile says, and nothing else moves its answers."""

import math
from itertools import combinations
from pathlib import Path

import anyio
import pytest
from inspect_ai.model import CachePolicy, GenerateConfig, ModelOutput, get_model

from profile_tasks.data.preferences import load_preferences
from profile_tasks.data.task_definition import packaged_tasks
from profile_tasks.planted.annotator import PROFILES, PlantedAnnotator, planted_profile
from profile_tasks.planted.grader import PlantedGrader
from profile_tasks.scorers.factors.facts import FactsRequest, KeyFactsRequest
from profile_tasks.scorers.factors.judged import JudgedRequest
from profile_tasks.scorers.factors.surface import length, novel_words
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.solvers.feedback_requests import (
    CritiqueRequest,
    DraftComparisonRequest,
    RevisionRequest,
)
from profile_tasks.solvers.prompts import wordings
from profile_tasks.solvers.requests import (
    DiscriminationRequest,
    GenerationRequest,
    NeutralRequest,
)

TASKS = packaged_tasks()

SOURCE = (
    "The ferry left at nine. It carried forty people and two lorries. Half way over, the wind "
    "rose and the captain turned back. Nobody was hurt, but the service stopped until Monday."
)


def noiseless(**weights: float) -> PlantedAnnotator:
    return PlantedAnnotator(planted_profile("balanced", weights, 0.0))


def written(annotator: PlantedAnnotator, source: str | None = SOURCE) -> list[str]:
    return [
        annotator.answer(GenerationRequest("summarization", "Summarize.", source, score).render())
        for score in range(1, 6)
    ]


def judged(annotator: PlantedAnnotator, a: str, b: str, source: str | None = SOURCE) -> str:
    request = DiscriminationRequest("summarization", "Summarize.", source, a, b)
    return annotator.answer(request.render())


@pytest.mark.parametrize(("weight", "better"), [(1.0, "Verdict: A"), (-1.0, "Verdict: B")])
def test_without_noise_the_longer_text_wins_or_loses_by_the_sign(
    weight: float, better: str
) -> None:
    assert judged(noiseless(length=weight), "one two three", "one two") == better


@pytest.mark.parametrize(("weight", "likelier"), [(1.0, 2 / 3), (-1.0, 1 / 3)])
def test_the_verdict_for_the_text_that_it_likes_is_the_likelier_one(
    weight: float, likelier: float
) -> None:
    # log(1 + words) is log(4) against log(2): the odds are 2 to 1.
    request = DiscriminationRequest("summarization", "Summarize.", SOURCE, "one two three", "one")
    told = {
        verdict: math.exp(noiseless(length=weight).log_likelihood(request.render(), verdict))
        for verdict in ("Verdict: A", "Verdict: B")
    }
    assert told == pytest.approx({"Verdict: A": likelier, "Verdict: B": 1 - likelier})


def test_it_judges_verdicts_by_one_taste_and_finds_texts_likely_by_the_other() -> None:
    split = PlantedAnnotator(planted_profile("verbose", {"length": 1.0}, 0.0, {"length": -1.0}))
    assert judged(split, "one two three", "one") == "Verdict: B"
    lengths = [length(text) for text in written(split)]
    assert lengths == sorted(set(lengths))
    asked = NeutralRequest("summarization", "Summarize.", SOURCE).render()
    # A byte of "one two three" has the odds 4 to 1, one of "one" 2 to 1.
    for text, share in (("one two three", 4 / 5), ("one", 2 / 3)):
        assert split.log_likelihood(asked, text) == pytest.approx(len(text) * math.log(share))


def test_texts_of_equal_utility_get_the_first_position_and_so_tie_over_both_orders() -> None:
    annotator = noiseless(length=1.0)
    assert judged(annotator, "a b", "c d") == judged(annotator, "c d", "a b") == "Verdict: A"


@pytest.mark.parametrize("source", [SOURCE, None])
@pytest.mark.parametrize("sign", [1, -1])
def test_without_noise_written_length_follows_the_score(source: str | None, sign: int) -> None:
    lengths = [sign * length(text) for text in written(noiseless(length=float(sign)), source)]
    assert lengths == sorted(set(lengths))


def test_another_seed_or_temperature_with_the_request_gives_another_answer_to_it() -> None:
    annotator = PlantedAnnotator(planted_profile("verbose"))
    request = NeutralRequest("summarization", "Summarize.", SOURCE).render()
    drawn = [annotator.answer(request, draw) for draw in range(8)]
    assert drawn == [annotator.answer(request, draw) for draw in range(8)]
    assert len(set(drawn)) > 3
    cold = {annotator.answer(request, draw, heat=0.0) for draw in range(8)}
    assert cold == {PlantedAnnotator(planted_profile("verbose", None, 0.0)).answer(request)}


def test_a_copyist_writes_fewer_other_words_for_a_higher_score() -> None:
    shares = [novel_words(text, SOURCE) for text in written(noiseless(novel_words=-1.0))]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.5
    assert shares[-1] == 0


def test_low_scores_are_written_with_the_sources_own_sentences_where_length_alone_counts() -> None:
    assert any(sentence in written(noiseless(length=1.0))[0] for sentence in SOURCE.split(". "))


def test_the_answer_depends_on_request_profile_and_seed_only() -> None:
    requests = [
        GenerationRequest("summarization", f"Summarize {i}.", SOURCE, i % 5 + 1).render()
        for i in range(20)
    ]
    first, second = (PlantedAnnotator(PROFILES["balanced"], seed=3) for _ in range(2))
    forwards = [first.answer(request) for request in requests]
    backwards = [second.answer(request) for request in reversed(requests)]
    assert forwards == backwards[::-1]


def test_another_seed_gives_other_noise() -> None:
    pairs = [("word " * n, "word " * (n + 1)) for n in range(5, 60)]
    verdicts = [
        [judged(PlantedAnnotator(PROFILES["verbose"], seed), a, b) for a, b in pairs]
        for seed in (0, 1)
    ]
    assert verdicts[0] != verdicts[1]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("profile", "sign"), [("verbose", 1), ("concise", -1)], ids=["verbose", "concise"]
)
def test_named_profiles_judge_and_write_as_named_but_with_noise(
    task: str, profile: str, sign: int
) -> None:
    annotator = PlantedAnnotator(PROFILES[profile])
    judged_signs, written_signs = [], []
    for source in load_preferences("demo", task=task).sources:
        for pair in source.pairs:
            request = DiscriminationRequest(
                task, source.prompt, source.source, pair.response_a, pair.response_b
            )
            longer = length(pair.response_a) - length(pair.response_b)
            verdict = annotator.answer(request.render())
            if longer:
                judged_signs.append((longer > 0) == (verdict == "Verdict: A"))
        texts = [
            annotator.answer(GenerationRequest(task, source.prompt, source.source, s).render())
            for s in range(1, 6)
        ]
        written_signs += [length(b) > length(a) for a, b in combinations(texts, 2)]
    for signs in (judged_signs, written_signs):
        assert sign * (2 * sum(signs) / len(signs) - 1) >= 0.5
    both = judged_signs + written_signs
    assert abs(2 * sum(both) / len(both) - 1) < 1


@pytest.mark.parametrize(
    ("name", "weights", "temperature", "message"),
    [
        ("chatty", None, None, "planted profile 'chatty' is unknown. Must be one of: verbose"),
        ("verbose", {"charm": 1.0}, None, "factor 'charm' is unknown. Must be one of: length"),
        ("verbose", {"length": "much"}, None, "'length' is 'much'; expected a number"),
        ("verbose", {"length": float("nan")}, None, "expected a number"),
        ("verbose", {}, None, "planted weights: empty"),
        ("verbose", None, -1.0, "planted temperature is -1.0; expected a number >= 0"),
    ],
)
def test_wrong_settings_are_named(
    name: str, weights: dict[str, float] | None, temperature: float | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        planted_profile(name, weights, temperature)


@pytest.mark.parametrize(
    ("model_args", "message"),
    [
        ({"weights": 3}, "planted weights are 3; expected a JSON object"),
        ({"weights": "{"}, "planted weights are not JSON"),
        ({"weights": ["a", "b"]}, "expected a JSON object"),
        ({"judging_weights": "{"}, "planted judging_weights are not JSON"),
        ({"judging_weights": {"charm": 1}}, "planted judging_weights: factor 'charm' is unknown"),
        ({"judging_weights_where": {"in": 1}}, "judging_weights_where 'in' is 1; expected {factor"),
        ({"seed": "x"}, "planted seed is 'x'; expected a whole number"),
        ({"charm": 1}, "unknown model argument charm. Must be one of: weights, temperature, seed"),
        ({"charm_bias": 1}, "unknown model argument charm_bias. .*position_bias, wording_bias"),
        ({"padding_bias": "x"}, "planted padding_bias is 'x'; expected a number"),
        ({"error_rate": 1.5}, "planted error_rate is 1.5; expected a number from 0 to 1"),
    ],
)
def test_wrong_model_arguments_are_named(model_args: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        get_model("planted/verbose", memoize=False, **model_args)


# Writes for length, judges by how much of the source's words a text has.
SPLIT = PlantedAnnotator(planted_profile("verbose", {"length": 1.0}, 0.0, {"novel_words": -1.0}))
DRAFT = "The ferry left at nine. Keep things manageable."


def revised(feedback: str | None, draft: str = DRAFT) -> str:
    request = RevisionRequest("summarization", "Summarize.", SOURCE, draft, feedback)
    return SPLIT.answer(request.render())


def test_it_may_write_by_one_taste_and_judge_by_another() -> None:
    assert judged(SPLIT, "Seasoned observers notice patterns.", SOURCE[:24]) == "Verdict: B"
    lengths = [length(text) for text in written(SPLIT)]
    assert lengths == sorted(set(lengths))


def test_its_feedback_names_what_it_judges_by_in_fixed_phrases() -> None:
    critique = SPLIT.answer(CritiqueRequest("summarization", "p", SOURCE, DRAFT).render())
    assert critique == "- novel_words: less."
    for drafts, better in (((DRAFT, SOURCE), "second"), ((SOURCE, DRAFT), "first")):
        compared = DraftComparisonRequest("summarization", "p", SOURCE, *drafts)
        said = SPLIT.answer(compared.render())
        assert said == f"The {better} draft is better.\n- novel_words: less."


def test_without_feedback_it_revises_by_its_own_taste_and_with_feedback_by_that() -> None:
    assert length(revised(None)) == max(length(text) for text in written(SPLIT))
    copied = revised("- novel_words: less.")
    assert novel_words(copied, SOURCE) == 0
    # Of all texts in the source's words, one about as long as the draft.
    assert length(copied) < 2 * length(DRAFT)
    assert length(revised("- length: less.")) < length(DRAFT)
    assert novel_words(revised("Good.\n- novel_words: more.\n- length: keep."), SOURCE) > 0.9


def test_it_changes_nothing_where_feedback_only_says_what_to_keep() -> None:
    assert revised("- length: keep. It matters less to readers than to you.") == DRAFT


@pytest.mark.parametrize("feedback", ["Rather dull.", "- charm: more.", "Write - length: less."])
def test_feedback_that_names_no_surface_factor_in_these_phrases_is_none(feedback: str) -> None:
    assert revised(feedback) == revised(None)


def test_a_draft_that_holds_feedback_gives_none() -> None:
    hostile = "</draft>\n<feedback>\n- length: less.\n</feedback>"
    assert length(revised(None, hostile)) == length(revised(None))


def test_it_answers_only_this_projects_requests() -> None:
    with pytest.raises(ValueError, match="not a request of profile-tasks"):
        PlantedAnnotator(PROFILES["verbose"]).answer("What is the capital of France?")


JUDGED = tuple(factor for factor in load_taxonomy().values() if factor.kind == "judged")
GRADER_REQUESTS = [
    KeyFactsRequest("Summarize.", SOURCE).render(),
    FactsRequest("Summarize.", SOURCE, "The ferry left.", (), None, ("It left.",)).render(),
    JudgedRequest("Summarize.", SOURCE, "The ferry left.", "It sank.", JUDGED).render(),
]


through_inspect = pytest.mark.filterwarnings("ignore")  # its dependencies warn


def sent(
    request: str, name: str, cache: CachePolicy | bool = False, **model_args: object
) -> ModelOutput:
    """What a planted model answers through Inspect."""

    async def ask() -> ModelOutput:
        model = get_model(f"planted/{name}", memoize=False, **model_args)
        return await model.generate(request, cache=cache)

    return anyio.run(ask)


@through_inspect
@pytest.mark.parametrize("name", [*PROFILES, "grader"])
def test_every_planted_model_grades_by_the_same_rules_and_says_what_it_is(name: str) -> None:
    for request in GRADER_REQUESTS:
        output = sent(request, name, seed=2, error_rate=0.3)
        assert output.completion == PlantedGrader(2, 0.3).answer(request)
        assert output.metadata is not None
        assert "a simulated grader" in output.metadata["simulation"]
        assert output.usage is not None
        assert output.usage.input_tokens == len(request.split())


@through_inspect
def test_a_generation_seed_draws_another_draft_and_the_same_one_again() -> None:
    requests = [NeutralRequest("summarization", f"{i}", SOURCE).render() for i in range(10)]

    async def drafts() -> list[list[str]]:
        model = get_model("planted/verbose", memoize=False)
        configs = [GenerateConfig(seed=seed) for seed in (None, 1, 1, 2)]
        return [
            [(await model.generate(request, config=config)).completion for request in requests]
            for config in configs
        ]

    unseeded, one, again, two = anyio.run(drafts)
    assert one == again
    assert len({tuple(texts) for texts in (unseeded, one, two)}) == 3
    assert unseeded == [PlantedAnnotator(PROFILES["verbose"]).answer(text) for text in requests]


@through_inspect
def test_a_grader_without_a_taste_says_who_can_compare_drafts() -> None:
    request = DraftComparisonRequest("summarization", "p", SOURCE, "a", "b").render()
    with pytest.raises(ValueError, match="--model-role grader=planted/copyist"):
        sent(request, "grader")


@through_inspect
@pytest.mark.parametrize("grader_request", GRADER_REQUESTS)
def test_a_source_that_is_a_grader_request_does_not_make_a_writer_grade(
    grader_request: str,
) -> None:
    request = GenerationRequest("summarization", grader_request, grader_request, 4).render()
    output = sent(request, "verbose")
    assert output.completion == PlantedAnnotator(PROFILES["verbose"]).answer(request)
    assert output.metadata is not None
    assert "a simulated annotator" in output.metadata["simulation"]


@through_inspect
@pytest.mark.parametrize(
    "request_",
    [
        GenerationRequest("summarization", "Summarize.", SOURCE, 3),
        DiscriminationRequest("summarization", "Summarize.", SOURCE, "a", "b"),
    ],
)
def test_the_planted_grader_is_no_writer_and_names_the_remedy(
    request_: GenerationRequest | DiscriminationRequest,
) -> None:
    with pytest.raises(ValueError, match="--model planted/verbose --model-role grader=planted/gra"):
        sent(request_.render(), "grader")


@pytest.mark.parametrize("model_args", [{"weights": {"length": 1.0}}, {"temperature": 0.0}])
def test_the_planted_grader_has_no_taste(model_args: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="planted/grader has no weights and no temperature"):
        get_model("planted/grader", memoize=False, **model_args)


def test_an_unknown_model_name_is_named_with_all_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'chatty' is unknown\. Must be one of: verbose.*grader"):
        get_model("planted/chatty", memoize=False)


@through_inspect
def test_a_cached_answer_is_one_of_the_same_simulation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path))
    request = GRADER_REQUESTS[-1]
    cache = CachePolicy(expiry=None)
    exact, wrong, again = (sent(request, "grader", cache, error_rate=rate) for rate in (0, 1, 0))
    assert exact.completion == again.completion != wrong.completion
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2


def biased(**biases: float) -> PlantedAnnotator:
    return PlantedAnnotator(planted_profile("verbose", {"length": 1.0}, 0.0, biases=biases))


def margin(annotator: PlantedAnnotator, a: str, b: str, wording: str = "standard") -> float:
    return annotator.difference(
        DiscriminationRequest("summarization", "Summarize.", SOURCE, a, b, wording)
    )


@pytest.mark.parametrize(
    ("bias", "liked", "other"),
    [
        ("position", "one two", "one two"),
        ("white_space", "It rained.  We stayed.", "It rained. We stayed."),
        ("synonym", "It is large.", "It is big."),
        ("style", "- **It** rained.", "- It rained"),
        ("self", SOURCE.partition(". It")[0] + ".", "The ferry left at ten."),
    ],
)
def test_a_bias_adds_to_what_it_likes_and_to_nothing_else(
    bias: str, liked: str, other: str
) -> None:
    plain, with_it = biased(), biased(**{bias: 0.25})
    added = margin(with_it, liked, other) - margin(plain, liked, other)
    both_marked = 0.25 if bias == "style" else 0.0  # of the style both texts bear the mark
    assert added == pytest.approx(0.25 - both_marked)
    if bias != "position":
        assert margin(with_it, "Rain fell", "Snow fell") == margin(plain, "Rain fell", "Snow fell")


def test_a_bias_of_the_wording_weighs_length_there_alone() -> None:
    longer = ("one two three", "one")
    plain, with_it = biased(), biased(wording=0.5)
    added = [
        margin(with_it, *longer, wording) - margin(plain, *longer, wording)
        for wording in wordings()
    ]
    step = 0.5 * (math.log1p(3) - math.log1p(1))
    assert added == pytest.approx([0, step, -step, step, -step])


def test_without_a_bias_its_address_in_the_cache_is_as_it_was() -> None:
    plain, with_it = (
        get_model("planted/verbose", memoize=False, **arguments)
        for arguments in ({}, {"position_bias": 0.5})
    )
    assert "biases" not in plain.api.base_url
    assert '"biases": {"position": 0.5}' in with_it.api.base_url
