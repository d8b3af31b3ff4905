"""The headline says what the numbers say, and no more."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from profile_tasks.report.findings import Findings
from profile_tasks.report.headline import at_a_glance, farthest_first, headline, summary, told_apart
from profile_tasks.report.influence_rows import influence_rows
from profile_tasks.report.report_data import (
    NOTHING,
    Departure,
    Difference,
    FoundAlignment,
    Influence,
    Profile,
    Taste,
)
from profile_tasks.runs.run import Run
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.study import GAP, GAP_PARTS
from profile_tasks.scorers.statistics.taste import EQUIVALENT

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
    verdict: str | None = "differs in taste",
    *,
    consistency: Estimate | None = None,
    departure: float | None = None,
    alignment: Estimate | None = None,
    gap: Mapping[str, Estimate] | None = None,
) -> Findings:
    """GPT-X as a judge, with one factor; without a verdict, no test is in the file."""
    value = model.value - human.value if departure is None else departure
    taste = Taste(
        verdict or "",
        consistency or NOTHING,
        0.1,
        {"length": Departure(Estimate(value, value - 0.5, value + 0.5), verdict or "", 0.7)},
    )
    return Findings(
        MODEL,
        factors=("length",),
        profiles={
            "human": Profile({"length": Influence(human)}),
            "discrimination": Profile({"length": Influence(model)}),
        },
        tastes={} if verdict is None else {"discrimination": taste},
        alignments={}
        if alignment is None
        else {"discrimination": {"tau_b": FoundAlignment(alignment)}},
        gap=gap or {},
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
            "(.10 [−.04, .16]; from .14 on one would have shown)",
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
            "shows no clear preference on length (tau .05 [−.10, .20]; from .21 on one would have "
            "shown), which people go against (−.71 [−.75, −.66])",
        ),
        (
            Estimate(0.71, 0.66, 0.75),
            Estimate(0.05, -0.10, 0.20),
            "shows no clear preference on length (tau .05 [−.10, .20]; from .21 on one would have "
            "shown), which people follow (.71 [.66, .75])",
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
        f"In discrimination GPT-X {said} (1 of 1 factor differs in taste, told at 5 % after one "
        "scale and adjusted over all of them)."
    )


def test_a_departure_against_the_plain_difference_is_said_to_be_one() -> None:
    """It follows length more than people, and less than its greater consistency would have it."""
    told = found(Estimate(0.40, 0.30, 0.50), Estimate(0.60, 0.55, 0.65), departure=-0.3)
    assert "(.40 [.30, .50]), yet less than its consistency would have it (1 of 1" in plain(
        headline(told)[0]
    )


def test_what_is_not_told_is_not_called_a_difference_nor_agreement() -> None:
    """Although the two intervals do not overlap: the adjusted test decides where there is one."""
    undecided = found(Estimate(0.1, 0.0, 0.2), Estimate(0.5, 0.3, 0.7), "undecided")
    assert told_apart(undecided, "discrimination") == ()
    assert plain(headline(undecided)[0]) == (
        "In discrimination no influence on GPT-X is told to depart from people in taste after one "
        "scale (1 factor, adjusted over all of them), and that they are equivalent is not shown "
        "either: the largest departure, in length, is .40 [−.10, .90], and in length one below .70 "
        "may not show."
    )


def test_equivalent_tastes_are_called_so_with_their_margin() -> None:
    same = found(Estimate(0.5, 0.4, 0.6), Estimate(0.5, 0.4, 0.6), "equivalent")
    assert plain(headline(same)[0]) == (
        "In discrimination the tastes of GPT-X and of people are equivalent: after one scale every "
        "influence is shown to depart by less than .10 (1 factor)."
    )


@pytest.mark.parametrize(
    ("consistency", "said"),
    [
        (
            Estimate(2.1, 1.5, 2.9),
            " GPT-X differs in consistency: it is 2.10 [1.50, 2.90] times as consistent as people.",
        ),
        (
            Estimate(1.1, 0.8, 1.5),
            " Whether it or people are the more consistent is undecided: it is 1.10 [.80, 1.50] "
            "times as consistent.",
        ),
    ],
)
def test_consistency_is_told_beside_taste(consistency: Estimate, said: str) -> None:
    one = Estimate(0.5, 0.4, 0.6)
    for verdict in ("differs in taste", "undecided", *EQUIVALENT):
        assert plain(headline(found(one, one, verdict, consistency=consistency))[0]).endswith(said)


NO_SCALE = Estimate.undefined("no scale is known")


@pytest.mark.parametrize("verdict", ["undecided", "equivalent"])
def test_without_a_scale_no_departure_and_no_equivalence_is_told(verdict: str) -> None:
    """Also of a log whose version called tastes equivalent without one."""
    judge = found(Estimate(0.0, -0.1, 0.1), Estimate(0.7, 0.6, 0.8), verdict, consistency=NO_SCALE)
    assert headline(judge) == [
        "In discrimination whether the taste of GPT-X differs from that of people is undecided: no "
        "scale is known."
    ]
    assert headline(as_writer(judge))[0].endswith(
        " Whether the taste of its writing differs from that of its own judgement of the same "
        "texts is undecided: no scale is known."
    )


def test_what_departs_whatever_the_scale_is_told_without_a_size() -> None:
    judge = found(Estimate(-0.5, -0.6, -0.4), Estimate(0.7, 0.6, 0.8), consistency=NO_SCALE)
    assert plain(headline(judge)[0]).endswith(
        " (1 of 1 factor differs in taste, told at 5 % whatever the scale and adjusted over all of "
        "them). Consistency is not compared: no scale is known."
    )
    assert plain(headline(as_writer(judge))[0]).endswith(
        " Its writing departs from its own judgement of the same texts, whatever the scale, in "
        "length (1 of 1 factor differs in taste, told at 5 % whatever the scale and adjusted over "
        "all of them)."
    )


def test_without_a_test_intervals_must_lie_apart_and_taste_is_left_open() -> None:
    apart = found(Estimate(0.1, 0.0, 0.2), Estimate(0.5, 0.3, 0.7), None)
    overlapping = found(Estimate(0.1, 0.0, 0.4), Estimate(0.5, 0.3, 0.7), None)
    assert told_apart(apart, "discrimination") == ("length",)
    assert headline(apart)[0].endswith(
        "(the intervals of 1 of 1 factor do not overlap; whether that is taste or consistency this "
        "file cannot tell)."
    )
    assert told_apart(overlapping, "discrimination") == ()
    assert "does not show that they agree" in headline(overlapping)[0]


def test_where_an_interval_is_missing_nothing_is_said_to_overlap() -> None:
    bare = found(Estimate(0.1, 0.0, 0.2), Estimate(0.5), None)
    assert told_apart(bare, "discrimination") == ()
    assert plain(headline(bare)[0]) == (
        "In discrimination whether GPT-X differs from people is not known: this file has no "
        "intervals of both for any of 1 factor."
    )
    overlapping = {"length": Influence(Estimate(0.2, 0.1, 0.4)), "fluency": Influence(Estimate(0))}
    some = replace(
        bare,
        profiles={"human": Profile(overlapping), "discrimination": Profile(overlapping)},
    )
    assert "overlap for 1 of 2 factors (the others have none), so" in plain(headline(some)[0])


def test_a_writers_influences_stand_beside_peoples_without_a_difference() -> None:
    writer = as_writer(found(Estimate(0.1, 0.0, 0.2), Estimate(0.5, 0.3, 0.7), None))
    assert told_apart(writer, "generation") == ()
    assert plain(headline(writer)[0]) == (
        "In generation GPT-X wrote other texts than people compared, so its influences stand "
        "beside theirs and no difference is one of taste: widest apart is length .50 [.30, .70] "
        "against .10 [.00, .20] (of 1 factor)."
    )


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (
            "differs in taste",
            " Its writing departs from its own judgement of the same texts, after one scale, in "
            "length (.40 [−.10, .90]) (1 of 1 factor differs in taste, told at 5 % after one scale "
            "and adjusted over all of them).",
        ),
        (
            "equivalent",
            " The tastes of its writing and of its own judgement of the same texts are equivalent: "
            "after one scale every influence is shown to depart by less than .10 (1 factor).",
        ),
    ],
)
def test_a_writer_is_held_against_its_own_judgement(verdict: str, said: str) -> None:
    writer = as_writer(found(Estimate(0.1, 0.0, 0.2), Estimate(0.5, 0.3, 0.7), verdict))
    assert plain(headline(writer)[0]).endswith(said)


def as_writer(judge: Findings) -> Findings:
    """What was found of a judge as if it were of a writer."""
    turned = {"discrimination": "generation"}
    return replace(
        judge,
        profiles={turned.get(p, p): each for p, each in judge.profiles.items()},
        tastes={turned[p]: each for p, each in judge.tastes.items()},
    )


def test_values_without_intervals_are_never_told_apart() -> None:
    assert told_apart(found(Estimate(0.1), Estimate(0.9), None), "discrimination") == ()


def test_of_a_judge_the_true_alignment_and_unrelated_tastes_are_told() -> None:
    base = found(Estimate(0.1), Estimate(0.1), "undecided")
    entry = {
        "tau_b": FoundAlignment(Estimate(0.4, 0.2, 0.7)),
        "pearson": FoundAlignment(
            Estimate(0.5, 0.4, 0.9), Estimate(0.75, 0.4, 0.9), unrelated=0.021
        ),
    }
    said = plain(headline(replace(base, alignments={"discrimination": entry}))[-1])
    assert said == (
        "As a judge its profile aligns with people's at tau_b .40 [.20, .70]; without the sampling "
        "noise r is .75 [.40, .90]; 2 of 100 unrelated tastes come as close."
    )


@pytest.mark.parametrize(
    ("alignment", "outside"),
    [
        (Estimate(0.5, 0.6, 0.9), True),
        (Estimate(0.95, 0.6, 0.9), True),
        (Estimate(0.6, 0.6, 0.9), False),
        (Estimate(0.9, 0.6, 0.9), False),
        (Estimate(0.9), False),
    ],
)
def test_what_was_observed_outside_the_interval_of_the_true_one_is_said_to_be(
    alignment: Estimate, outside: bool
) -> None:
    sentences = headline(found(Estimate(0.1), Estimate(0.1), "undecided", alignment=alignment))
    words = "the interval of the true one, outside which noise of each"
    assert (words in plain(sentences[-1])) is outside


@pytest.mark.parametrize(
    ("unrelated", "said"),
    [
        (0.004, "fewer than 1 of 100 unrelated tastes come as close."),
        (0.010, "; 1 of 100 unrelated tastes comes as close."),
        (0.236, "; 24 of 100 unrelated tastes come as close."),
        (1.000, "; 100 of 100 unrelated tastes come as close."),
    ],
)
def test_unrelated_tastes_are_counted_in_a_hundred(unrelated: float, said: str) -> None:
    own = {"pearson": FoundAlignment(Estimate(0.9, 0.8, 1.0), unrelated=unrelated)}
    base = found(Estimate(0.1), Estimate(0.1), "undecided")
    assert headline(replace(base, self_agreement=own))[0].endswith(said)


def test_an_alignment_that_cannot_be_estimated_says_why() -> None:
    base = found(Estimate(0.1), Estimate(0.1), "undecided")
    why = "not estimable: the human profile is not told from noise alone; r within [-0.20, 1.00]"
    entry = {
        "tau_b": FoundAlignment(Estimate(0.4, -0.5, 1, reason=why)),
        "pearson": FoundAlignment(Estimate(0.5, -0.2, 1), Estimate.undefined(why)),
    }
    said = plain(headline(replace(base, alignments={"discrimination": entry}))[-1])
    # The reason was worded elsewhere; its numbers are written as the others of the sentence.
    one_style = why.replace("-0.20", "−.20")
    assert said.endswith(f"; without the sampling noise it is {one_style}.")
    assert "unrelated" not in said


@pytest.mark.parametrize(
    ("number", "unrelated", "said"),
    [
        (
            Estimate(0.97, 0.9, 1.0),
            0.001,
            "GPT-X writes as it judges at r .97 [.90, 1.00] (self-agreement over the texts that it "
            "wrote, without the sampling noise; 1 is one taste); fewer than 1 of 100 unrelated "
            "tastes come as close.",
        ),
        (
            Estimate(1.0, reason="all verdicts are the same"),
            None,
            "GPT-X writes as it judges at r 1.00 (all verdicts are the same).",
        ),
        (
            Estimate.undefined("groups: 5; an interval needs at least 8"),
            None,
            "Whether GPT-X writes as it judges is not estimable: groups: 5; an interval needs at "
            "least 8.",
        ),
    ],
)
def test_self_agreement_comes_first(number: Estimate, unrelated: float | None, said: str) -> None:
    base = found(Estimate(0.1), Estimate(0.1), "undecided")
    entry = {"pearson": FoundAlignment(number, unrelated=unrelated)}
    assert plain(headline(replace(base, self_agreement=entry))[0]) == said


def test_the_gap_is_told_with_its_parts_and_as_one_across_texts() -> None:
    texts, taste = GAP_PARTS
    alone = {GAP: Estimate(0.5, 0.1, 0.9)}
    said = plain(headline(found(Estimate(0.1), Estimate(0.1), "undecided", gap=alone))[-1])
    assert said == (
        "The paper's gap, judge less writer across different texts, is .50 [.10, .90]. By itself "
        "it does not show that it writes against its own judgement."
    )
    parts = alone | {texts: Estimate(0.4, 0.0, 0.8), taste: Estimate(0.1, -0.2, 0.4)}
    said = plain(headline(found(Estimate(0.1), Estimate(0.1), "undecided", gap=parts))[-1])
    assert said == (
        "The paper's gap, judge less writer across different texts, is .50 [.10, .90]: .40 [.00, "
        ".80] by the shift of texts, .10 [−.20, .40] by taste, which is 0 where it writes as it "
        "judges."
    )


def of_two(tested: bool, *, length: tuple[float, float], markdown: tuple[float, float]) -> Findings:
    """A judge and people with an influence each of two factors: the model's, that of people."""
    values = {"length": length, "markdown": markdown}
    sides = [
        Profile({name: Influence(near(pair[side])) for name, pair in values.items()})
        for side in (0, 1)
    ]
    departures = {
        name: Departure(near(m - h), "differs in taste") for name, (m, h) in values.items()
    }
    taste = Taste("differs in taste", NOTHING, 0.1, departures)
    return Findings(
        MODEL,
        factors=tuple(values),
        profiles={"human": sides[1], "discrimination": sides[0]},
        tastes={"discrimination": taste} if tested else {},
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
    assert told_apart(two, "discrimination") == order
    (sentence,) = headline(two)
    assert sentence.index(order[0]) < sentence.index(order[1])


def test_the_largest_departure_is_named_where_none_is_shown() -> None:
    two = of_two(True, length=(0.1, 0.2), markdown=(-0.2, 0.2))
    taste = two.tastes["discrimination"]
    unsure = {
        name: replace(each, verdict="undecided", smallest=0.3 if name == "length" else 0.2)
        for name, each in taste.factors.items()
    }
    open_ = replace(taste, verdict="undecided", factors=unsure)
    (sentence,) = headline(replace(two, tastes={"discrimination": open_}))
    assert plain(sentence).endswith(
        "the largest departure, in markdown, is −.40 [−.45, −.35], and in length one below .30 may "
        "not show."
    )


@pytest.mark.parametrize(
    ("perspective", "role"),
    [
        ("generation", "As a writer, across different texts,"),
        ("discrimination", "As a judge"),
    ],
)
def test_an_alignment_is_told_of_its_own_role(perspective: str, role: str) -> None:
    base = found(Estimate(0.1), Estimate(0.1), "undecided")
    entry = {"tau_b": FoundAlignment(Estimate(-0.25, -0.5, 0.25))}
    turned = replace(
        base,
        profiles={"human": base.profiles["human"], perspective: base.profiles["discrimination"]},
        alignments={perspective: entry},
    )
    said = plain(headline(turned)[-1])
    assert said == f"{role} its profile aligns with people's at tau_b −.25 [−.50, .25]."


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


PEOPLE, APART = Estimate(0.10, 0.04, 0.16), Estimate(0.71, 0.66, 0.75)


@pytest.mark.parametrize(
    ("verdict", "p_holm", "said"),
    [
        (
            "differs in taste",
            SURE,
            "As a judge, GPT-X follows length where people hardly do; 1 of 1 factor differs from "
            "people in taste.",
        ),
        (
            "undecided",
            SURE,
            "As a judge, GPT-X follows length where people hardly do; 1 of 1 factor differs from "
            "people; whether in taste or only in how consistently it judges, these sources do not "
            "tell.",
        ),
        (
            "undecided",
            UNSURE,
            "As a judge, GPT-X is not told apart from people in any of 1 factor; that does not "
            "show that they agree.",
        ),
        (
            EQUIVALENT[0],
            UNSURE,
            "As a judge, GPT-X has people's taste: no influence departs by .10 or more (1 factor).",
        ),
        (  # The file holds no test, and the intervals lie apart.
            None,
            None,
            "As a judge, GPT-X follows length where people hardly do; 1 of 1 factor differs from "
            "people; whether in taste or only in how consistently it judges, this file does not "
            "tell.",
        ),
    ],
)
def test_the_shortest_true_thing_is_one_sentence_without_a_number_of_the_figure(
    verdict: str | None, p_holm: float | None, said: str
) -> None:
    run = found(PEOPLE, APART, verdict)
    difference = Difference(Estimate(0.61, 0.5, 0.7), p_holm)
    assert summary(replace(run, differences={"discrimination": {"length": difference}})) == said


def test_the_summary_counts_the_sources() -> None:
    run = found(PEOPLE, APART)
    profiles = dict(run.profiles)
    profiles["discrimination"] = replace(profiles["discrimination"], n_groups=12)
    assert "1 of 1 factor over 12 groups of sources differs" in summary(
        replace(run, profiles=profiles)
    )


@pytest.mark.parametrize(
    ("consistency", "said"),
    [
        (Estimate(1.8, 1.3, 2.7), "it judges more consistently than they do"),
        (Estimate(0.5, 0.3, 0.8), "it judges less consistently than they do"),
        (Estimate(1.1, 0.8, 1.5), "whether in taste or only in how consistently it judges"),
        (NO_SCALE, "whether in taste or only in how consistently it judges"),
    ],
)
def test_a_consistency_that_is_told_is_in_the_summary_and_taste_is_left_open(
    consistency: Estimate, said: str
) -> None:
    run = found(PEOPLE, APART, "undecided", consistency=consistency)
    told = {"discrimination": {"length": Difference(Estimate(0.61, 0.5, 0.7), SURE)}}
    sentence = summary(replace(run, differences=told))
    assert f"1 of 1 factor differs from people; {said}" in sentence
    assert sentence.endswith("these sources do not tell.")


def test_a_departure_that_is_not_told_is_in_no_sentence() -> None:
    """Although it has the sign that a told one would be spoken of by."""
    sides = Estimate(0.40, 0.30, 0.50), Estimate(0.60, 0.55, 0.65)
    differences = {"discrimination": {"length": Difference(Estimate(0.2, 0.1, 0.3), SURE)}}
    for verdict, is_said in (("differs in taste", True), ("undecided", False)):
        run = replace(found(*sides, verdict, departure=-0.3), differences=differences)
        assert ("than its consistency would have it" in summary(run)) is is_said


def test_what_decides_is_told_as_far_as_the_run_has_it() -> None:
    run = replace(
        found(PEOPLE, APART, alignment=Estimate(0.57, 0.29, 1.0)),
        metrics={
            "discrimination_accuracy_half_credit": Estimate(0.708, 0.61, 0.80),
            "flip_rate": Estimate(0.17),
        },
    )
    assert list(map(plain, at_a_glance(run))) == [
        "judges as people do in 71 % of pairs [61, 80]",
        "verdicts that flip with the order 17 %",
        "alignment as judge, tau_b .57 [.29, 1.00]",
    ]
    writer = replace(
        as_writer(run),
        metrics={},
        alignments={"generation": {"tau_b": FoundAlignment(Estimate(-0.25, -0.5, 0.25))}},
    )
    assert list(map(plain, at_a_glance(writer))) == ["alignment as writer, tau_b −.25 [−.50, .25]"]
    assert at_a_glance(replace(writer, alignments={})) == []


def test_of_a_writer_alone_no_difference_of_taste_is_told() -> None:
    run = found(PEOPLE, APART)
    profiles = {"human": run.profiles["human"], "generation": run.profiles["discrimination"]}
    assert summary(replace(run, profiles=profiles, tastes={})) == (
        "As a writer, GPT-X is farthest from people in length, on other texts than they compared, "
        "so no difference is one of taste."
    )


def test_factors_that_are_told_apart_come_before_wider_ones_that_are_not() -> None:
    def profile(**taus: float) -> Profile:
        return Profile({name: Influence(Estimate(tau)) for name, tau in taus.items()})

    run = replace(
        found(PEOPLE, APART, None),
        profiles={
            "human": profile(told=0.0, plain=0.0, wide=0.0, narrow=0.0),
            "discrimination": profile(told=0.2, plain=0.3, wide=0.9, narrow=0.1),
        },
        tastes={
            "discrimination": Taste(
                "differs in taste",
                NOTHING,
                0.1,
                {"told": Departure(Estimate(0.2), "differs in taste")},
            )
        },
        differences={"discrimination": {"plain": Difference(Estimate(0.3), SURE)}},
    )
    assert farthest_first(run) == ["told", "plain", "wide", "narrow"]
    rows = {row.name: row.mark for row in influence_rows(run)}
    assert rows == {"told": "▲", "plain": "△", "wide": "", "narrow": ""}


def test_a_profile_alone_is_ordered_by_its_strength() -> None:
    taus = {"weak": Estimate(0.1), "none": NOTHING, "strong": Estimate(-0.8)}
    alone = Profile({name: Influence(tau) for name, tau in taus.items()})
    run = replace(found(PEOPLE, APART, None), profiles={"human": alone})
    assert [row.name for row in influence_rows(run)] == ["strong", "weak", "none"]
    assert influence_rows(run)[2].dots == ()
