"""What the headline says of self-agreement, of alignments with people and of the gap."""

from collections.abc import Mapping
from math import nan

import pytest

from profile_tasks.report.findings import Findings
from profile_tasks.report.headline import headline
from profile_tasks.report.report_data import FoundAlignment, Influence, Profile
from profile_tasks.runs.run import Run
from profile_tasks.scorers.statistics.estimate import Estimate

RUN = Run(file="x", harness="inspect", model="GPT-X", task="x", name="x", setting="both")
PROFILE = Profile({"length": Influence(Estimate(0.1, 0.0, 0.2))})

Alignments = Mapping[str, FoundAlignment]

REFUSED = "not estimable: the human profile is not told from noise alone; r within [-0.20, 1.00]"


def said(
    *,
    judge: Alignments | None = None,
    writer: Alignments | None = None,
    own: Alignments | None = None,
    **gap: Estimate,
) -> list[str]:
    """The sentences on GPT-X, with ordinary spaces, less those on its factors."""
    roles = {"generation": writer, "discrimination": judge}
    found = Findings(
        RUN,
        factors=("length",),
        profiles={"human": PROFILE, **{name: PROFILE for name, each in roles.items() if each}},
        alignments={name: each for name, each in roles.items() if each},
        self_agreement=own or {},
        gap={f"alignment_{name}_tau_b": each for name, each in gap.items()},
    )
    sentences = [text.replace("\N{NO-BREAK SPACE}", " ") for text in headline(found)]
    return [text for text in sentences if "length" not in text and "intervals of" not in text]


TAU_B = {"tau_b": FoundAlignment(Estimate(0.25, 0.1, 0.5))}


@pytest.mark.parametrize(
    ("unrelated", "words"),
    [
        (None, "."),
        (0.0010, "; fewer than 1 of 100 unrelated tastes come as close."),
        (0.0099, "; 1 of 100 unrelated tastes comes as close."),
        (0.24, "; 24 of 100 unrelated tastes come as close."),
        (1.0, "; 100 of 100 unrelated tastes come as close."),
    ],
)
def test_self_agreement_comes_first_with_how_many_unrelated_tastes_come_as_close(
    unrelated: float | None, words: str
) -> None:
    own = {"pearson": FoundAlignment(Estimate(0.97, 0.81, 1.0), unrelated=unrelated)}
    assert said(own=own, judge=TAU_B)[0] == (
        "GPT-X writes as it judges at r .97 [.81, 1.00] (self-agreement over the texts that it "
        f"wrote, without the sampling noise; 1 is one taste){words}"
    )


def test_what_is_refused_is_said_in_words() -> None:
    refused = Estimate(nan, -0.2, 1.0, reason=REFUSED)
    own = {"pearson": FoundAlignment(refused, refused)}
    first, second = said(
        own=own, judge={**TAU_B, "pearson": FoundAlignment(Estimate(0.3), refused, 0.2)}
    )
    assert first == f"Whether GPT-X writes as it judges is {REFUSED}."
    assert second == (
        "As a judge its profile aligns with people's at tau_b .25 [.10, .50]; without the "
        f"sampling noise it is {REFUSED}."
    )


def test_few_groups_have_a_self_agreement_that_is_not_estimable() -> None:
    few = Estimate(nan, reason="groups: 7; an interval needs at least 8")
    (sentence,) = said(own={"pearson": FoundAlignment(few)}, judge=None, writer=TAU_B)[:1]
    assert sentence == (
        "Whether GPT-X writes as it judges is not estimable: groups: 7; an interval needs at "
        "least 8."
    )


def test_one_verdict_throughout_is_no_certainty() -> None:
    one = Estimate(1.0, reason="all verdicts are the same")
    (sentence,) = said(own={"pearson": FoundAlignment(one)}, judge=TAU_B)[:1]
    assert sentence == "GPT-X writes as it judges at r 1.00 (all verdicts are the same)."


def test_an_alignment_of_the_judge_is_told_with_and_without_the_noise() -> None:
    pearson = FoundAlignment(
        Estimate(0.6, 0.5, 0.95), Estimate(0.85, 0.5, 0.95), 0.02, Estimate(0.2, 0.1, 0.3)
    )
    (sentence,) = said(judge={**TAU_B, "pearson": pearson})
    assert sentence == (
        "As a judge its profile aligns with people's at tau_b .25 [.10, .50]; without the "
        "sampling noise r is .85 [.50, .95]; 2 of 100 unrelated tastes come as close."
    )


def test_an_alignment_of_the_writer_is_across_texts_and_nothing_is_concluded() -> None:
    pearson = FoundAlignment(Estimate(0.6, 0.5, 0.95), Estimate(0.85, 0.5, 0.95), 0.02)
    (sentence,) = said(writer={**TAU_B, "pearson": pearson})
    assert sentence == (
        "As a writer, across different texts, its profile aligns with people's at tau_b .25 "
        "[.10, .50]."
    )


@pytest.mark.parametrize(
    ("number", "outside"),
    [
        (Estimate(0.25, 0.3, 0.9), True),
        (Estimate(0.95, 0.3, 0.9), True),
        (Estimate(0.3, 0.3, 0.9), False),
        (Estimate(0.9, 0.3, 0.9), False),
        (Estimate(0.9), False),
    ],
)
@pytest.mark.parametrize("role", ["judge", "writer"])
def test_an_observed_alignment_outside_the_interval_of_the_true_one_is_said_to_be(
    role: str, number: Estimate, outside: bool
) -> None:
    found = {"tau_b": FoundAlignment(number)}
    (sentence,) = said(judge=found) if role == "judge" else said(writer=found)
    assert ("outside which noise of each or noise in common puts" in sentence) is outside


def test_the_gap_is_the_papers_and_shows_no_writing_against_its_own_judgement() -> None:
    *_, sentence = said(judge=TAU_B, writer=TAU_B, gap=Estimate(0.4, 0.1, 0.7))
    assert sentence == (
        "The paper's gap, judge less writer across different texts, is .40 [.10, .70]. By itself "
        "it does not show that it writes against its own judgement."
    )


def test_the_parts_of_the_gap_keep_their_places() -> None:
    *_, sentence = said(
        judge=TAU_B,
        writer=TAU_B,
        gap=Estimate(0.4, 0.1, 0.7),
        gap_texts=Estimate(0.6, 0.4, 0.8),
        gap_taste=Estimate(-0.2, -0.5, 0.1),
    )
    assert sentence == (
        "The paper's gap, judge less writer across different texts, is .40 [.10, .70]: .60 [.40, "
        ".80] by the shift of texts, −.20 [−.50, .10] by taste, which is 0 where it writes as it "
        "judges."
    )


def test_a_gap_that_is_not_defined_says_why() -> None:
    *_, sentence = said(judge=TAU_B, writer=TAU_B, gap=Estimate(nan, reason="two factors"))
    assert sentence == "The paper's gap, judge less writer, is not defined (two factors)."


def test_no_sentence_uses_words_of_what_is_gone() -> None:
    pearson = FoundAlignment(Estimate(0.6, 0.5, 0.95), Estimate(0.85, 0.5, 0.95), 0.02)
    both = {**TAU_B, "pearson": pearson}
    sentences = " ".join(said(own=both, judge=both, writer=both, gap=Estimate(0.4, 0.1, 0.7)))
    for gone in ("ceiling", "would reach", "told from no", "told from none", "corrected"):
        assert gone not in sentences
