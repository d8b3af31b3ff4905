"""The planted annotator prefers what its profile says, and nothing else moves its answers."""

from itertools import combinations

import pytest
from inspect_ai.model import get_model

from profile_tasks.planted import PROFILES, PlantedAnnotator, planted_profile
from profile_tasks.preference_data import TASKS, load_preferences
from profile_tasks.scorers.factors.surface import length, novel_words
from profile_tasks.solvers.requests import DiscriminationRequest, GenerationRequest

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


def test_texts_of_equal_utility_get_the_first_position_and_so_tie_over_both_orders() -> None:
    annotator = noiseless(length=1.0)
    assert judged(annotator, "a b", "c d") == judged(annotator, "c d", "a b") == "Verdict: A"


@pytest.mark.parametrize("source", [SOURCE, None])
@pytest.mark.parametrize("sign", [1, -1])
def test_without_noise_written_length_follows_the_score(source: str | None, sign: int) -> None:
    lengths = [sign * length(text) for text in written(noiseless(length=float(sign)), source)]
    assert lengths == sorted(set(lengths))


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
        tau = sign * (2 * sum(signs) / len(signs) - 1)
        assert 0.5 <= tau < 1


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
        ({"seed": "x"}, "planted seed is 'x'; expected a whole number"),
        ({"charm": 1}, "unknown model argument charm. Must be one of: weights, temperature, seed"),
    ],
)
def test_wrong_model_arguments_are_named(model_args: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        get_model("planted/verbose", memoize=False, **model_args)


def test_it_answers_only_this_projects_requests() -> None:
    with pytest.raises(ValueError, match="not a request of profile-tasks"):
        PlantedAnnotator(PROFILES["verbose"]).answer("What is the capital of France?")
