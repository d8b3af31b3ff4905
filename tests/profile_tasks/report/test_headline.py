"""The headline says what the numbers say, and no more."""

from dataclasses import replace

import pytest

from profile_tasks.report.findings import Findings
from profile_tasks.report.headline import headline, told_apart
from profile_tasks.report.report_data import (
    Difference,
    Influence,
    Profile,
)
from profile_tasks.runs.run import Run
from profile_tasks.scorers.statistics.estimate import Estimate

SURE, UNSURE = 0.001, 0.4


MODEL = Run(
    file="x.eval",
    harness="inspect",
    model="GPT-X",
    task="summarization",
    name="summarization",
    setting="both",
)


def found(
    human: Estimate,
    model: Estimate,
    p_holm: float | None = SURE,
) -> Findings:
    """GPT-X as a writer, with one factor; without a p-value, no test is in the file."""
    difference = Difference(Estimate(model.value - human.value, -0.1, 0.5), p_holm)
    return Findings(
        MODEL,
        factors=("length",),
        profiles={
            "human": Profile({"length": Influence(human)}),
            "generation": Profile({"length": Influence(model)}),
        },
        differences={} if p_holm is None else {"generation": {"length": difference}},
    )


def plain(text: str) -> str:
    """The text with ordinary spaces."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("human", "model", "said"),
    [
        (
            Estimate(0.10, 0.04, 0.16),
            Estimate(0.71, 0.66, 0.75),
            "follows length (tau .71 [.66, .75]) where people hardly do (.10 [.04, .16])",
        ),
        (
            Estimate(0.10, -0.04, 0.16),
            Estimate(0.71, 0.66, 0.75),
            "follows length (tau .71 [.66, .75]) where people show no clear preference "
            "(.10 [−.04, .16])",
        ),
        (
            Estimate(-0.30, -0.40, -0.20),
            Estimate(0.71, 0.66, 0.75),
            "follows length (tau .71 [.66, .75]) where people go against it (−.30 [−.40, −.20])",
        ),
        (
            Estimate(0.30, 0.20, 0.40),
            Estimate(-0.71, -0.75, -0.66),
            "goes against length (tau −.71 [−.75, −.66]) where people follow it (.30 [.20, .40])",
        ),
        (
            Estimate(0.40, 0.30, 0.50),
            Estimate(0.71, 0.66, 0.75),
            "follows length (tau .71 [.66, .75]) more than people do (.40 [.30, .50])",
        ),
        (
            Estimate(0.71, 0.66, 0.75),
            Estimate(0.40, 0.30, 0.50),
            "follows length (tau .40 [.30, .50]) less than people do (.71 [.66, .75])",
        ),
        (
            Estimate(-0.71, -0.75, -0.66),
            Estimate(0.05, -0.10, 0.20),
            "shows no clear preference on length (tau .05 [−.10, .20]), which people go against "
            "(−.71 [−.75, −.66])",
        ),
        (
            Estimate(0.71, 0.66, 0.75),
            Estimate(0.05, -0.10, 0.20),
            "shows no clear preference on length (tau .05 [−.10, .20]), which people follow "
            "(.71 [.66, .75])",
        ),
        (
            Estimate(-0.40, -0.50, -0.30),
            Estimate(-0.71, -0.75, -0.66),
            "goes against length (tau −.71 [−.75, −.66]) more than people do (−.40 [−.50, −.30])",
        ),
        (
            Estimate(-0.71, -0.75, -0.66),
            Estimate(-0.40, -0.50, -0.30),
            "goes against length (tau −.40 [−.50, −.30]) less than people do (−.71 [−.75, −.66])",
        ),
    ],
)
def test_a_difference_is_told_with_both_numbers(
    human: Estimate, model: Estimate, said: str
) -> None:
    (sentence,) = headline(found(human, model))
    assert plain(sentence) == (
        f"In generation GPT-X {said} (1 of 1 factor differs, told from chance at 5 %, adjusted "
        "over all of them)."
    )


def test_what_is_not_told_from_chance_is_not_called_a_difference_nor_agreement() -> None:
    """Although the two intervals do not overlap: the adjusted test decides where there is one."""
    (sentence,) = headline(found(Estimate(0.1, 0.0, 0.2), Estimate(0.5, 0.3, 0.7), UNSURE))
    assert plain(sentence) == (
        "In generation no influence on GPT-X is told from that on people (1 factor, adjusted over "
        "all of them). That does not show that they agree: the largest difference, in length, is "
        ".40 [−.10, .50]."
    )


def test_without_a_test_intervals_must_lie_apart() -> None:
    apart = found(Estimate(0.1, 0.0, 0.2), Estimate(0.5, 0.3, 0.7), None)
    overlapping = found(Estimate(0.1, 0.0, 0.4), Estimate(0.5, 0.3, 0.7), None)
    assert told_apart(apart, "generation") == ("length",)
    assert "this file holds no test" in headline(apart)[0]
    assert told_apart(overlapping, "generation") == ()
    assert "does not show that they agree" in headline(overlapping)[0]


def test_values_without_intervals_are_never_told_apart() -> None:
    assert told_apart(found(Estimate(0.1), Estimate(0.9), None), "generation") == ()


def of_two(tested: bool, *, length: tuple[float, float], markdown: tuple[float, float]) -> Findings:
    """A writer and people with an influence each of two factors: the model's, that of people."""
    values = {"length": length, "markdown": markdown}
    sides = [
        Profile({name: Influence(near(pair[side])) for name, pair in values.items()})
        for side in (0, 1)
    ]
    differences = {name: Difference(near(m - h), SURE) for name, (m, h) in values.items()}
    return Findings(
        MODEL,
        factors=tuple(values),
        profiles={"human": sides[1], "generation": sides[0]},
        differences={"generation": differences} if tested else {},
    )


def near(value: float) -> Estimate:
    return Estimate(value, value - 0.05, value + 0.05)


@pytest.mark.parametrize("tested", [True, False])
@pytest.mark.parametrize(
    ("values", "order"),
    [
        ({"length": (0.5, 0.2), "markdown": (-0.6, 0.4)}, ("markdown", "length")),
        ({"length": (-0.9, 0.2), "markdown": (0.6, 0.4)}, ("length", "markdown")),
    ],
)
def test_the_greatest_difference_is_told_first_whatever_its_sign(
    tested: bool, values: dict[str, tuple[float, float]], order: tuple[str, ...]
) -> None:
    two = of_two(tested, **values)
    assert told_apart(two, "generation") == order
    (sentence,) = headline(two)
    assert sentence.index(order[0]) < sentence.index(order[1])


def test_the_largest_difference_is_named_where_none_is_shown() -> None:
    two = of_two(True, length=(0.1, 0.2), markdown=(-0.2, 0.2))
    unsure = {
        name: Difference(difference.number, UNSURE)
        for name, difference in two.differences["generation"].items()
    }
    (sentence,) = headline(replace(two, differences={"generation": unsure}))
    assert plain(sentence).endswith("the largest difference, in markdown, is −.40 [−.45, −.35].")


def test_what_people_prefer_most_comes_first_with_its_sign() -> None:
    values = {"length": 0.3, "markdown": -0.6, "fluency": 0.45}
    people = Findings(
        MODEL,
        factors=tuple(values),
        profiles={"human": Profile({name: Influence(near(v)) for name, v in values.items()})},
    )
    assert plain(headline(people)[0]) == (
        "People prefer less markdown (tau −.60 [−.65, −.55]), more fluency (tau .45 [.40, .50]), "
        "more length (tau .30 [.25, .35]) (told from chance in 3 of 3 factors)."
    )


def test_a_profile_of_people_alone_has_a_headline() -> None:
    people = Findings(
        MODEL,
        factors=("length", "markdown"),
        profiles={
            "human": Profile(
                {
                    "length": Influence(Estimate(0.5, 0.3, 0.7), p_holm=SURE),
                    "markdown": Influence(Estimate(-0.1, -0.3, 0.1), p_holm=UNSURE),
                }
            )
        },
    )
    assert plain(headline(people)[0]) == (
        "People prefer more length (tau .50 [.30, .70]) (told from chance in 1 of 2 factors)."
    )
