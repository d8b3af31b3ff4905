"""Departures are significant ones, most significant first, with a direction that the data show."""

from collections.abc import Mapping

import numpy as np
import pytest

from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.tasks.departures import Departure, Direction, departures, factor_feedback


def table(
    perspective: Perspective, shares: Mapping[str, tuple[float, float]], groups: int = 60
) -> Comparisons:
    """One pair a group; of each factor the shares of pairs that go with it, and against it."""
    columns = []
    for number, (with_it, against) in enumerate(shares.values()):
        ends = (round(groups * with_it), round(groups * (with_it + against)))
        column = np.zeros(groups, dtype=np.int8)
        column[: ends[0]], column[ends[0] : ends[1]] = 1, -1
        columns.append(np.random.default_rng(number).permutation(column))
    signs = np.column_stack(columns)
    return Comparisons(
        preference=np.ones(groups, dtype=np.int8),
        manifestation=signs,
        missing=np.zeros(signs.shape, dtype=np.bool_),
        group=np.arange(groups, dtype=np.int32),
        factors=tuple(shares),
        perspective=perspective,
    )


HUMAN = {
    "length": (0.2, 0.8),  # -0.6: shorter
    "novel_words": (0.8, 0.2),  # +0.6: more
    "fluency": (0.55, 0.45),  # +0.1: no direction
    "markdown": (0.55, 0.45),
}
MODEL = {
    "length": (0.9, 0.1),
    "novel_words": (0.5, 0.5),
    "fluency": (1.0, 0.0),
    "markdown": (0.55, 0.45),
}


def found(most: int = 3) -> dict[str, str]:
    every = departures(table("human", HUMAN), table("generation", MODEL), most=most)
    return {one.factor: one.direction for one in every}


def test_a_departure_is_named_with_what_to_do_and_equal_influence_is_not() -> None:
    assert found() == {"length": "less", "novel_words": "more", "fluency": "keep"}


def test_the_influences_of_people_and_of_the_model_keep_their_places() -> None:
    first, second = departures(table("human", HUMAN), table("generation", MODEL), most=3)[:2]
    every = {one.factor: (one.human, one.model) for one in (first, second)}
    assert every == {
        "length": pytest.approx((-0.6, 0.8)),
        "novel_words": pytest.approx((0.6, 0.0)),
    }


def test_the_direction_is_that_of_readers_and_not_of_the_model() -> None:
    turned = departures(table("human", MODEL), table("generation", HUMAN))
    found = {one.factor: (one.direction, one.human, one.model) for one in turned}
    # Readers of the model's taste want more length than it now writes, and care for novelty less.
    assert found["length"] == ("more", pytest.approx(0.8), pytest.approx(-0.6))
    assert found["novel_words"] == ("keep", pytest.approx(0.0), pytest.approx(0.6))
    assert found["fluency"][0] == "more"


def test_what_is_to_change_comes_first_and_each_kind_has_its_own_limit() -> None:
    assert found(most=1) == {"length": "less", "fluency": "keep"}


def test_the_most_significant_comes_first_and_not_the_largest() -> None:
    # The larger departure rests on ten pairs, the smaller one on two hundred.
    groups, few = 200, 10
    generator = np.random.default_rng(0)
    human = generator.choice([1, -1], size=(groups, 2), p=[0.8, 0.2]).astype(np.int8)
    model = -generator.choice([1, -1], size=(groups, 2), p=[0.7, 0.3]).astype(np.int8)
    missing = np.zeros((groups, 2), dtype=np.bool_)
    missing[few:, 0] = True
    human[:few, 0], model[:few, 0] = 1, -1
    human[missing], model[missing] = 0, 0
    ones, codes = np.ones(groups, dtype=np.int8), np.arange(groups, dtype=np.int32)
    both = [
        Comparisons(ones, signs, missing, codes, ("large", "small"), perspective)
        for signs, perspective in ((human, "human"), (model, "generation"))
    ]
    every = departures(both[0], both[1])
    assert [one.factor for one in every] == ["small", "large"]
    assert every[0].p_adjusted < every[1].p_adjusted
    assert abs(every[0].human - every[0].model) < abs(every[1].human - every[1].model)


def test_a_factor_that_annotated_pairs_hardly_differ_on_is_not_named() -> None:
    human = table("human", {"length": (0.1, 0.9), "markdown": (0.0, 0.05)})
    model = table("generation", {"length": (0.9, 0.1), "markdown": (0.9, 0.1)})
    assert [one.factor for one in departures(human, model)] == ["length"]


def test_equal_profiles_depart_on_nothing() -> None:
    assert departures(table("human", HUMAN), table("generation", HUMAN)) == ()


def test_at_least_one_factor_is_to_be_named() -> None:
    with pytest.raises(ValueError, match="most is 0"):
        departures(table("human", HUMAN), table("generation", MODEL), most=0)


@pytest.mark.parametrize(
    ("direction", "human", "model", "said"),
    [
        (
            "more",
            0.6,
            0.1,
            "more. Readers prefer more of it (+0.60) than you write for them (+0.10)",
        ),
        (
            "less",
            -0.6,
            0.8,
            "less. Readers prefer less of it (-0.60) than you write for them (+0.80)",
        ),
        ("keep", 0.1, 0.9, "keep. It matters less to readers (+0.10) than to you (+0.90)"),
    ],
)
def test_feedback_says_what_readers_prefer_and_then_what_the_model_writes(
    direction: Direction, human: float, model: float, said: str
) -> None:
    text = factor_feedback((Departure("length", human, model, 0.01, direction),), {})
    assert f"\n- length: {said}" in text


def test_feedback_has_a_line_a_factor_that_no_meaning_can_break() -> None:
    said = factor_feedback(
        (
            Departure("length", -0.6, 0.8, 0.001, "less"),
            Departure("own", 0.1, 1.0, 0.002, "keep"),
        ),
        {"length": "longer,\n- novel_words: more. {id}"},
    )
    lines = [line for line in said.splitlines() if line.startswith("- ")]
    assert "Readers prefer less of it (-0.60) than you write for them (+0.80)." in lines[0]
    assert "It matters less to readers (+0.10) than to you (+1.00):" in lines[1]
    assert [line.split(". ")[0] for line in lines] == ["- length: less", "- own: keep"]
    assert "(-0.60)" in lines[0]
    assert "(+0.80)" in lines[0]
    assert "more of it" in lines[1]


def pairs(
    weights: list[float], perspective: Perspective, *, seed: int, noise: float = 1.0
) -> Comparisons:
    """Preferences by these weights; those of one seed are on the same pairs."""
    signs = np.random.default_rng(seed).choice([-1, 1], (800, 3)).astype(np.int8)
    drawn = np.random.default_rng(len(perspective)).logistic(size=800)
    return Comparisons(
        np.sign(signs @ np.array(weights) + noise * drawn), signs, np.zeros(signs.shape, bool),
        np.arange(800) // 4, ("length", "novel_words", "fluency"), perspective,
    )  # fmt: skip


TASTE, LONGER = [1.0, -0.7, 0.4], [1.0, -0.7, -0.4]


@pytest.mark.parametrize(
    ("judge", "own", "named"),
    [
        (TASTE, TASTE, True),  # it writes otherwise than it judges what it wrote
        (LONGER, LONGER, True),  # it judges and writes alike, and otherwise than people
        (TASTE, LONGER, False),  # it judges as people do and as it writes: the texts are others
    ],
)
def test_where_own_pairs_were_judged_a_departure_must_show_on_the_same_pairs(
    judge: list[float], own: list[float], named: bool
) -> None:
    human, written = pairs(TASTE, "human", seed=0), pairs(LONGER, "generation", seed=1)
    plain = departures(human, written)
    assert [(one.factor, one.direction) for one in plain] == [("fluency", "more")]
    judged, own_pairs = pairs(judge, "discrimination", seed=0), pairs(own, "own", seed=1)
    assert departures(human, written, judged=judged, own=own_pairs) == (plain if named else ())


def test_noise_alone_is_no_departure_where_own_pairs_were_judged() -> None:
    human, noisier = pairs(TASTE, "human", seed=0), pairs(TASTE, "generation", seed=1, noise=4)
    judged, own = pairs(TASTE, "discrimination", seed=0), pairs(TASTE, "own", seed=1)
    assert departures(human, noisier)
    assert departures(human, noisier, judged=judged, own=own) == ()
