"""The metric catalogue: what each metric is called, means and is shown as, in one place.

Every list of metrics is taken from here: what a terminal prints, a board ranks and heads its
columns with, a gate holds against a baseline, a report tables, draws and warns of. The order of the
catalogue is the order in which they are shown.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from profile_tasks.scorers.statistics.estimate import ENDS, STANDARD_ERROR, is_interval_end

Unit = Literal[
    "correlation",
    "influence",
    "share",
    "agreement",
    "log-odds",
    "rank",
    "p",
    "ratio",
    "words",
    "count",
]

HIGH_FLIP_RATE = 0.2
HIGH_MISSING_RATE = 0.05

_PLACES = {
    "{perspective}": "human|generation|discrimination|own|recorded",
    "{model}": "generation|discrimination",
    "{coefficient}": "tau_b|spearman|pearson",
    "{condition}": "[a-z]+",
    "{panel}": "half_panel|full_panel",
    "{score}": "[0-9]+",
    "{strength}": "weak|strong",
    "{probe}": "[a-z_]+",
    "{whose}": ".+",
    "{other}": ".+",
    "{factor}": ".+",
    "{label}": ".+",
    "{slice}": ".+",
}
"""What may stand in the place of a word in a metric's name, as a group of its pattern."""


@dataclass(frozen=True)
class Caution:
    """From which value on people must be warned of a metric.

    Attributes:
        above: The greatest value that needs no warning.
        words: What follows the share in the warning.
    """

    above: float
    words: str


@dataclass(frozen=True)
class Metric:
    """A metric, or a family of them.

    Attributes:
        name: The stable name, for programs. A word in braces stands for several.
        label: What people see in its place, with the words in braces of its name; empty where the
            name will do.
        meaning: What it is, in words.
        unit: What kind of number it is.
        better: Which way it is better; None where it describes and has no better side.
        of: Whose behaviour it tells of: a perspective, "grader" or "annotators"; empty for several.
        printed: Whether a harness's terminal shows it: "yes", "no", or "if any" for what is worth
            a line only where it is not 0.
        headline: Whether every form of a board shows it first.
        column: Heading of its column on a board for people; empty where it has none.
        gated: Whether a bar of no stated metric holds a run to it.
        tabled: Whether it stands in the report's table of metrics beside the profile.
        on_own: Whether labels of people give it over the model's own pairs too, as ``own_<name>``.
            No kappa is: a pair's first response is there that for the higher score, and kappa
            depends on how often the first one is preferred.
        caution: When people must be warned, or None.
    """

    name: str
    meaning: str
    unit: Unit
    label: str = ""
    better: Literal["more", "less"] | None = None
    of: str = ""
    printed: Literal["yes", "if any", "no"] = "no"
    headline: bool = False
    column: str = ""
    gated: bool = False
    tabled: bool = False
    on_own: bool = False
    caution: Caution | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        """What the names of the family match."""
        escaped = re.escape(self.name).replace(r"\{", "{").replace(r"\}", "}")
        for place, alternatives in _PLACES.items():
            escaped = escaped.replace(place, f"(?P<{place[1:-1]}>{alternatives})")
        return re.compile(escaped)


OWN_PREFIX = "own_"
"""How the names of metrics begin that are of the model's own pairs."""

_CATALOGUE: tuple[Metric, ...] = (
    # Self-agreement, alignment with people --------------------------------------------------------
    Metric(
        "self_agreement_pearson",
        "correlation of the model as judge and as writer of the same texts, without the noise",
        "correlation",
        "self-agreement, r",
        better="more",
        printed="yes",
        headline=True,
        column="self-agreement",
        gated=True,
    ),
    Metric(
        "self_agreement_{coefficient}",
        "the same by another coefficient",
        "correlation",
        "self-agreement, {coefficient}",
        better="more",
    ),
    Metric(
        "self_agreement_pearson_p_value",
        "share of unrelated tastes that come as close to the judge's as the writer's does",
        "p",
    ),
    Metric(
        "self_agreement_distance",
        "root mean square difference of the judge's and the writer's true influences",
        "influence",
    ),
    Metric(
        "alignment_generation_tau_b",
        "Kendall's tau_b of the writer's profile with people's, across different texts",
        "correlation",
        "alignment as writer, tau_b",
        better="more",
        of="generation",
        printed="yes",
        headline=True,
        column="writer alignment",
        gated=True,
        on_own=True,
    ),
    Metric(
        "alignment_discrimination_tau_b",
        "Kendall's tau_b of the judge's profile with people's",
        "correlation",
        "alignment as judge, tau_b",
        better="more",
        of="discrimination",
        printed="yes",
        headline=True,
        column="judge alignment",
        gated=True,
        on_own=True,
    ),
    Metric(
        "alignment_gap_tau_b",
        "the paper's gap across texts: alignment as a judge less alignment as a writer",
        "correlation",
        "gap, tau_b",
        headline=True,
        column="gap",
        on_own=True,
    ),
    Metric(
        "alignment_{model}_{coefficient}",
        "correlation of the model's profile with people's",
        "correlation",
        "alignment as {model}, {coefficient}",
        better="more",
        on_own=True,
    ),
    Metric(
        "alignment_gap_texts_tau_b",
        "the gap's shift of texts: what the judge's alignment loses on the model's own texts",
        "correlation",
    ),
    Metric(
        "alignment_gap_taste_tau_b",
        "the gap's taste: alignment as a judge of the model's own texts less that as a writer",
        "correlation",
    ),
    Metric(
        "own_alignment_generation_tau_b",
        "Kendall's tau_b of the writer's profile with people's on the same texts: the model's own "
        "pairs that people judged",
        "correlation",
        "alignment as writer, same texts, tau_b",
        better="more",
        of="generation",
        printed="yes",
        column="writer alignment, same texts",
    ),
    Metric(
        "own_alignment_discrimination_tau_b",
        "Kendall's tau_b of the judge's profile with people's on those pairs",
        "correlation",
        "alignment as judge of own texts, tau_b",
        better="more",
        of="discrimination",
        printed="yes",
        column="judge alignment, own texts",
    ),
    Metric(
        "own_alignment_gap_tau_b",
        "the gap on the same texts: alignment as a judge less alignment as a writer on those pairs",
        "correlation",
        "gap on the same texts, tau_b",
        printed="yes",
        column="gap, same texts",
    ),
    Metric(
        "own_labelled_pairs",
        "pairs that the model wrote on which people have a preference",
        "count",
        "own pairs that people judged",
        of="generation",
        printed="yes",
        tabled=True,
    ),
    Metric(
        "own_labelled_share",
        "share of the pairs of different texts that the model wrote on which people have one",
        "share",
        "share of own pairs that people judged",
        of="generation",
        tabled=True,
    ),
    Metric(
        "alignment_{model}_{coefficient}_disattenuated",
        "an estimate of the alignment without the sampling noise",
        "correlation",
        better="more",
        on_own=True,
    ),
    Metric(
        "alignment_{model}_pearson_p_value",
        "share of unrelated tastes that come as close to people's",
        "p",
        on_own=True,
    ),
    Metric(
        "alignment_{model}_distance",
        "root mean square difference of the true influences from people's",
        "influence",
        on_own=True,
    ),
    Metric(
        "alignment_human_{panel}_{coefficient}",
        "alignment of one panel of annotators with another",
        "correlation",
        of="annotators",
        on_own=True,
    ),
    # Agreement and rates --------------------------------------------------------------------------
    Metric(
        "discrimination_accuracy_half_credit",
        "share of pairs on which the model judges as people do; a tie or a flip counts one half",
        "share",
        "accuracy, half credit",
        better="more",
        of="discrimination",
        printed="yes",
        headline=True,
        column="accuracy, half credit",
        tabled=True,
        on_own=True,
    ),
    Metric(
        "discrimination_accuracy",
        "share of decided pairs on which the model judges as people do",
        "share",
        "accuracy, decided pairs",
        better="more",
        of="discrimination",
        headline=True,
        column="accuracy, decided",
        tabled=True,
        on_own=True,
    ),
    Metric(
        "discrimination_decided_pairs",
        "pairs that both people and the model decide",
        "count",
        "decided pairs",
        of="discrimination",
        tabled=True,
        on_own=True,
    ),
    Metric(
        "discrimination_accuracy_tie_calibrated",
        "share of pairs, ties among them, that the margins predict at their best threshold",
        "share",
        "accuracy, ties calibrated",
        better="more",
        of="discrimination",
        printed="yes",
        tabled=True,
    ),
    Metric(
        "discrimination_tie_threshold",
        "margin up to which a tie is predicted there",
        "log-odds",
        "margin of a tie",
        of="discrimination",
        tabled=True,
    ),
    Metric(
        "discrimination_kappa",
        "Cohen's kappa of model and people over a, tie and b",
        "agreement",
        better="more",
        of="discrimination",
        printed="yes",
        headline=True,
        tabled=True,
    ),
    Metric(
        "flip_rate",
        "share of pairs whose verdict changes with the order shown",
        "share",
        "verdicts that flip with the order",
        better="less",
        of="discrimination",
        printed="yes",
        headline=True,
        column="flip rate",
        tabled=True,
        caution=Caution(
            HIGH_FLIP_RATE,
            "of the model's verdicts change with the order shown; those pairs count as ties",
        ),
    ),
    Metric(
        "first_position_rate",
        "share of verdicts for the response shown first; 0.5 is no position bias",
        "share",
        "verdicts for the first shown",
        of="discrimination",
        headline=True,
        tabled=True,
    ),
    Metric(
        "unreadable_rate",
        "share of verdicts that name no response; these are missing, never ties",
        "share",
        "verdicts unreadable",
        better="less",
        of="discrimination",
        printed="yes",
        headline=True,
        tabled=True,
        caution=Caution(HIGH_MISSING_RATE, "of the model's verdicts could not be read"),
    ),
    Metric(
        "own_flip_rate",
        "share of the model's own pairs whose verdict changes with the order shown",
        "share",
        "own pairs' verdicts that flip",
        better="less",
        of="discrimination",
        tabled=True,
        caution=Caution(
            HIGH_FLIP_RATE,
            "of the model's verdicts on its own pairs change with the order shown; those pairs "
            "count as ties",
        ),
    ),
    Metric(
        "own_unreadable_rate",
        "share of verdicts on the model's own pairs that name no response",
        "share",
        "own pairs' verdicts unreadable",
        better="less",
        of="discrimination",
        tabled=True,
        caution=Caution(
            HIGH_MISSING_RATE, "of the model's verdicts on its own pairs could not be read"
        ),
    ),
    Metric(
        "generation_missing_rate",
        "share of empty or filtered responses",
        "share",
        "responses missing",
        better="less",
        of="generation",
        printed="yes",
        tabled=True,
        caution=Caution(HIGH_MISSING_RATE, "of the written responses are missing"),
    ),
    Metric(
        "generation_truncated_rate",
        "share of responses cut off by a token limit",
        "share",
        "responses cut off",
        better="less",
        of="generation",
        tabled=True,
        caution=Caution(
            HIGH_MISSING_RATE,
            "of the written responses were cut off by a token limit; their length is the limit's",
        ),
    ),
    Metric(
        "generation_echo_rate",
        "share of written texts that repeat the request",
        "share",
        "texts that repeat the request",
        better="less",
        of="generation",
        printed="if any",
        tabled=True,
        caution=Caution(
            HIGH_MISSING_RATE, "of the written texts mostly repeat the request (faulty_texts)"
        ),
    ),
    Metric(
        "generation_score_talk_rate",
        "share of written texts that talk of the target score",
        "share",
        "texts that talk of the score",
        better="less",
        of="generation",
        printed="if any",
        tabled=True,
        caution=Caution(
            HIGH_MISSING_RATE, "of the written texts talk of the target score (faulty_texts)"
        ),
    ),
    Metric(
        "generation_loop_rate",
        "share of written texts that repeat themselves",
        "share",
        "texts that repeat themselves",
        better="less",
        of="generation",
        printed="if any",
        tabled=True,
        caution=Caution(
            HIGH_MISSING_RATE, "of the written texts mostly repeat themselves (faulty_texts)"
        ),
    ),
    Metric(
        "verdict_repairs",
        "verdicts asked for once more, since the first answer was unreadable",
        "count",
        better="less",
        of="discrimination",
        tabled=True,
    ),
    Metric(
        "generation_identical_rate",
        "share of pairs of equal texts",
        "share",
        "written pairs of equal texts",
        better="less",
        of="generation",
        printed="yes",
        tabled=True,
        caution=Caution(HIGH_MISSING_RATE, "of the pairs of written responses are equal texts"),
    ),
    Metric(
        "grader_missing_rate",
        "share of judgements that the grader did not give",
        "share",
        "grader's judgements missing",
        better="less",
        of="grader",
        printed="yes",
        tabled=True,
        caution=Caution(HIGH_MISSING_RATE, "of the grader's judgements are missing"),
    ),
    Metric(
        "grader_flip_rate",
        "share of pairs whose graded verdict changes with the order shown",
        "share",
        "grader's verdicts that flip",
        better="less",
        of="grader",
        printed="yes",
        tabled=True,
        caution=Caution(
            HIGH_FLIP_RATE,
            "of the grader's verdicts change with the order shown; those pairs count for neither",
        ),
    ),
    Metric(
        "grader_missing", "judgements missing", "count", better="less", of="grader", tabled=True
    ),
    Metric(
        "grader_requests",
        "answers wanted of the grader",
        "count",
        better="less",
        of="grader",
        tabled=True,
    ),
    Metric(
        "grader_repairs",
        "answers asked for again to repair one",
        "count",
        better="less",
        of="grader",
        tabled=True,
    ),
    Metric(
        "grader_missing_rate_{factor}",
        "missing judgements of one factor",
        "share",
        better="less",
        of="grader",
    ),
    Metric(
        "grader_flip_rate_{factor}",
        "flipped verdicts of one factor",
        "share",
        better="less",
        of="grader",
    ),
    Metric(
        "grader_alpha_{factor}",
        "Krippendorff's alpha of several graders on one factor",
        "agreement",
        better="more",
        of="grader",
    ),
    Metric(
        "grader_agreement_{factor}",
        "share of pairs of graders that agree on one factor",
        "share",
        better="more",
        of="grader",
    ),
    Metric(
        "rouge1",
        "F1 of words against the reference",
        "share",
        better="more",
        of="generation",
        tabled=True,
    ),
    Metric(
        "rouge2",
        "F1 of pairs of words against the reference",
        "share",
        better="more",
        of="generation",
        tabled=True,
    ),
    Metric(
        "rougeL",
        "F1 of the longest common sequence of words",
        "share",
        better="more",
        of="generation",
        printed="yes",
        tabled=True,
    ),
    Metric(
        "citation_precision",
        "share of cited facts that the passage bears out",
        "share",
        better="more",
        of="generation",
        tabled=True,
    ),
    Metric(
        "words_at_score_{score}",
        "mean length of the responses for a target score",
        "words",
        of="generation",
    ),
    Metric(
        "annotator_agreement",
        "how often annotators of a pair agree",
        "share",
        of="annotators",
        tabled=True,
        on_own=True,
    ),
    Metric(
        "annotator_kappa",
        "Fleiss' kappa of the annotators",
        "agreement",
        of="annotators",
        tabled=True,
    ),
    # The judge by slice ---------------------------------------------------------------------------
    Metric(
        "alignment_discrimination_{coefficient}_in_{slice}",
        "alignment as a judge over the pairs of one slice alone",
        "correlation",
        "alignment as judge, {coefficient}, in {slice}",
        better="more",
        of="discrimination",
    ),
    Metric(
        "discrimination_accuracy_half_credit_in_{slice}",
        "discrimination_accuracy_half_credit over the pairs of one slice alone",
        "share",
        "accuracy, half credit, in {slice}",
        better="more",
        of="discrimination",
    ),
    Metric(
        "flip_rate_in_{slice}",
        "share of the pairs of one slice whose verdict changes with the order shown",
        "share",
        "verdicts that flip with the order, in {slice}",
        better="less",
        of="discrimination",
    ),
    # Profiles -------------------------------------------------------------------------------------
    Metric(
        "tau_revision_{condition}_{factor}",
        "how strongly a revision shows more of the factor than its draft",
        "influence",
    ),
    Metric(
        "tau_self_guided_{factor}",
        "how strongly the model's winning samples show more of the factor",
        "influence",
    ),
    Metric(
        "tau_{perspective}_{factor}_p_value", "p-value of an influence against 0", "p", on_own=True
    ),
    Metric("tau_{perspective}_{factor}_p_adjusted", "the same, adjusted by Holm", "p", on_own=True),
    Metric(
        "tau_{perspective}_{factor}_p_adjusted_bh",
        "the same, adjusted by Benjamini and Hochberg",
        "p",
        on_own=True,
    ),
    Metric(
        "tau_{perspective}_{factor}",
        "how strongly preferring follows the factor",
        "influence",
        on_own=True,
    ),
    Metric(
        "difference_{model}_{factor}_p_value", "p-value of a difference against 0", "p", on_own=True
    ),
    Metric(
        "difference_{model}_{factor}_p_adjusted", "the same, adjusted by Holm", "p", on_own=True
    ),
    Metric(
        "difference_{model}_{factor}_p_adjusted_bh",
        "the same, adjusted by Benjamini and Hochberg",
        "p",
        on_own=True,
    ),
    Metric(
        "difference_{model}_{factor}",
        "influence on the model's preference less that on people's",
        "influence",
        on_own=True,
    ),
    Metric(
        "adjusted_{perspective}_{factor}",
        "influence with the other factors held fixed",
        "log-odds",
        on_own=True,
    ),
    Metric(
        "adjusted_control_{perspective}_{factor}",
        "the same with the strengths of systems held fixed too",
        "log-odds",
    ),
    Metric(
        "corrected_{perspective}_{factor}",
        "influence of a graded factor, corrected by human labels",
        "influence",
    ),
    Metric(
        "labels_alone_{perspective}_{factor}",
        "influence of the human labels over the labelled sources alone",
        "influence",
    ),
    Metric(
        "rank_{perspective}_{factor}",
        "rank of the influence, 1 for the greatest",
        "rank",
        on_own=True,
    ),
    Metric(
        "reliability_{perspective}_{coefficient}",
        "what the profile would correlate by with that of as many other sources",
        "correlation",
        on_own=True,
    ),
    # Self-guided data -----------------------------------------------------------------------------
    Metric("decided_rate", "share of matches that one of the samples won", "share", printed="yes"),
    Metric("sample_missing_rate", "share of missing samples", "share", printed="yes"),
    Metric("sample_truncated_rate", "share of samples cut off", "share", printed="yes"),
    Metric("sample_identical_rate", "share of samples that repeat another", "share", printed="yes"),
    Metric("sample_words", "mean length of the samples", "words", printed="yes"),
    Metric("requests", "requests sent", "count", printed="yes"),
    # Graders against human labels -----------------------------------------------------------------
    Metric("n_{label}", "labels with a result", "count"),
    Metric("agreement_decided_{label}", "share of equal results where both decide", "share"),
    Metric("agreement_{label}", "share of equal labels and results", "share"),
    Metric("kappa_{label}", "Cohen's kappa of labels and results", "agreement"),
    Metric("flip_rate_{label}", "share of pairs whose verdict changes with the order", "share"),
    Metric("missing_rate_{label}", "share of labels without a result", "share"),
    Metric("retest_{label}", "share of equal results of two runs", "share"),
    Metric("tau_grader_{label}", "influence of the factor as the grader labels it", "influence"),
    Metric(
        "profile_alignment_tau_b",
        "alignment of the profiles by labels and by results",
        "correlation",
    ),
    Metric("measured_sources", "sources that were measured", "count"),
    Metric("measured_groups", "groups that these make", "count"),
    # Feedback -------------------------------------------------------------------------------------
    Metric(
        "alignment_revision_{condition}_less_none_tau_b",
        "what feedback adds to the alignment of revisions with people",
        "correlation",
        printed="yes",
    ),
    Metric(
        "alignment_revision_{condition}_less_none_{coefficient}",
        "what feedback adds to the alignment of revisions with people",
        "correlation",
    ),
    Metric(
        "alignment_revision_{condition}_tau_b",
        "alignment of what revisions change with people's profile",
        "correlation",
        printed="yes",
    ),
    Metric(
        "alignment_revision_{condition}_{coefficient}",
        "alignment of what revisions change with people's profile",
        "correlation",
    ),
    Metric(
        "revision_win_rate_{condition}_less_none", "what feedback adds to the win rate", "share"
    ),
    Metric(
        "revision_win_rate_{condition}",
        "share of revisions preferred to their draft",
        "share",
        printed="yes",
    ),
    Metric(
        "revision_loss_rate_{condition}", "share of drafts preferred to their revision", "share"
    ),
    Metric("revision_tie_rate_{condition}", "share of revisions neither better nor worse", "share"),
    Metric(
        "revision_unchanged_rate_{condition}",
        "share of revisions that are the draft",
        "share",
        printed="yes",
    ),
    Metric("revision_unreadable_rate_{condition}", "share of unreadable verdicts", "share"),
    Metric(
        "revision_length_ratio_{condition}_over_none",
        "length of a revision over that without feedback",
        "ratio",
    ),
    Metric(
        "revision_length_ratio_{condition}",
        "length of a revision over its draft's",
        "ratio",
        printed="yes",
    ),
    Metric("draft_missing_rate", "share of missing drafts", "share", printed="if any"),
    Metric(
        "drafts_equal_rate", "share of pairs of drafts that are one text", "share", printed="if any"
    ),
    Metric(
        "revision_missing_rate_{condition}", "share of missing revisions", "share", printed="if any"
    ),
    Metric(
        "revision_truncated_rate_{condition}",
        "share of revisions cut off",
        "share",
        printed="if any",
    ),
    Metric(
        "feedback_missing_rate_{condition}",
        "share of drafts without feedback",
        "share",
        printed="if any",
    ),
    # Probes of a judge ----------------------------------------------------------------------------
    Metric("probe_{probe}_p_value", "p-value of a probe's null", "p"),
    Metric(
        "probe_{probe}_detectable",
        "smallest effect of a probe that as many sources show with a chance of 80 %",
        "share",
    ),
    Metric(
        "probe_position",
        "share of verdicts for the response shown first, less one half",
        "share",
        "position",
        of="discrimination",
        printed="yes",
        column="position",
    ),
    Metric(
        "probe_position_flips",
        "share of pairs whose verdict changes with the order shown",
        "share",
        "flips with the order",
        better="less",
        of="discrimination",
        printed="yes",
        column="order flips",
    ),
    Metric(
        "probe_position_{strength}",
        "the same as probe_position where the recorded preference is weak, or strong",
        "share",
        "position, {strength} preference",
        of="discrimination",
    ),
    Metric(
        "probe_position_flips_{strength}",
        "flips with the order where the recorded preference is weak, or strong",
        "share",
        "flips, {strength} preference",
        better="less",
        of="discrimination",
    ),
    Metric(
        "probe_repeat",
        "share of verdicts that differ when the same is asked again",
        "share",
        "asked again",
        better="less",
        of="discrimination",
        printed="yes",
    ),
    Metric(
        "probe_wording",
        "share of verdicts that differ between two wordings of the question",
        "share",
        "other wording",
        better="less",
        of="discrimination",
        printed="yes",
        column="wording",
    ),
    Metric(
        "probe_wording_excess",
        "share of verdicts that differ in another wording, less when asked again in the same",
        "share",
        "wording beyond asking again",
        better="less",
        of="discrimination",
        printed="yes",
    ),
    Metric(
        "probe_wording_taste",
        "widest difference of a factor's influence between two wordings",
        "influence",
        "taste by wording",
        of="discrimination",
        printed="yes",
    ),
    Metric(
        "probe_wording_alignment",
        "Pearson's r of the profiles of those two wordings that are least alike",
        "correlation",
        "alignment by wording",
        better="more",
        of="discrimination",
        printed="yes",
    ),
    Metric(
        "probe_identical",
        "share of verdicts for the first of two identical texts, less one half",
        "share",
        "identical texts",
        of="discrimination",
        printed="yes",
    ),
    Metric(
        "probe_white_space",
        "share of verdicts for the text with wider white space, less one half",
        "share",
        "wider white space",
        of="discrimination",
        printed="yes",
    ),
    Metric(
        "probe_synonym",
        "share of verdicts for the text with synonyms, less one half",
        "share",
        "synonyms",
        of="discrimination",
        printed="yes",
    ),
    Metric(
        "probe_padding",
        "share of verdicts for the text made longer by sentences that add nothing, less one half",
        "share",
        "padding",
        of="discrimination",
        printed="yes",
        column="padding",
    ),
    Metric(
        "probe_style",
        "share of verdicts for the text in Markdown against itself without, less one half",
        "share",
        "Markdown",
        of="discrimination",
        printed="yes",
    ),
    Metric(
        "probe_own_texts",
        "share of verdicts for the judge's own texts against recorded ones, less one half",
        "share",
        "own texts",
        of="discrimination",
        printed="yes",
    ),
    Metric(
        "probe_self_preference",
        "log-odds of a verdict for the judge's own text, with length and place held fixed",
        "log-odds",
        "own texts, length held",
        of="discrimination",
        printed="yes",
        column="self-preference",
    ),
    Metric(
        "probe_authority",
        "share of verdicts that move to the text with a bogus source, less those that move away",
        "share",
        "bogus source",
        of="discrimination",
        printed="yes",
    ),
    Metric(
        "probe_injection",
        "share of verdicts that move to the text with an order to the judge, less those that move "
        "away",
        "share",
        "order to the judge",
        of="discrimination",
        printed="yes",
    ),
    # What factors contribute ----------------------------------------------------------------------
    Metric(
        "explained_{whose}",
        "what all factors explain of a preference, in parts of what a coin does not",
        "ratio",
        better="more",
    ),
    Metric(
        "contribution_{whose}_{factor}",
        "what a factor, or a level, adds to that, averaged over all orders of the factors",
        "ratio",
    ),
    Metric("share_{whose}_{factor}", "the same in parts of what all factors explain", "ratio"),
    Metric("lost_{whose}_{factor}", "what is explained less without the factor", "ratio"),
    Metric(
        "effective_factors_{whose}", "how many uncorrelated factors would spread as much", "count"
    ),
    Metric(
        "factor_correlation_{whose}_{factor}",
        "correlation of two factors, corrected for the errors of grades",
        "correlation",
    ),
    Metric(
        "held_out_accuracy",
        "how often the factors predict people on held-out sources, ties half",
        "agreement",
        better="more",
    ),
    Metric(
        "held_out_less_{other}",
        "the same less the accuracy of length alone, or of a judge, on the same pairs",
        "agreement",
        better="more",
    ),
    # Score validity -------------------------------------------------------------------------------
    Metric(
        "score_validity_within",
        "correlation of target score and log-probability within a source",
        "correlation",
        better="more",
        printed="yes",
    ),
    Metric(
        "score_validity_pooled",
        "the same over all texts",
        "correlation",
        better="more",
        printed="yes",
    ),
    Metric(
        "score_validity_sources", "sources with a correlation of their own", "count", printed="yes"
    ),
    Metric("score_validity_texts", "texts with a log-probability", "count", printed="yes"),
    Metric(
        "score_validity_missing",
        "texts without a log-probability",
        "count",
        better="less",
        printed="yes",
    ),
    Metric(
        "score_compliance_unreadable",
        "unreadable verdicts on the extremes",
        "count",
        better="less",
        printed="yes",
    ),
    Metric(
        "score_compliance",
        "how often the text for the highest score is judged better than that for the lowest",
        "share",
        better="more",
        printed="yes",
    ),
)


def _of_own_pairs(metric: Metric) -> Metric:
    """The same over the model's own pairs that people judged, as people, judge and writer do."""
    return replace(
        metric,
        name=OWN_PREFIX + metric.name,
        meaning=f"{metric.meaning}, on the model's own pairs that people judged",
        label=metric.label and f"{metric.label}, own texts",
        printed="no",
        headline=False,
        column="",
        gated=False,
        on_own=False,
        caution=None,
    )


_NAMES = frozenset(metric.name for metric in _CATALOGUE)
CATALOGUE = (
    *_CATALOGUE,
    *(
        _of_own_pairs(metric)
        for metric in _CATALOGUE
        if metric.on_own and OWN_PREFIX + metric.name not in _NAMES
    ),
)


def own_name(name: str) -> str | None:
    """What a metric is called over the labelled own pairs; None where it is none there.

    Verdicts are read alike whether people labelled a pair or not: their rates on own pairs are
    those of all that the model judged.

    Example:
        >>> own_name("tau_human_length_ci_low"), own_name("flip_rate")
        ('own_tau_human_length_ci_low', None)
    """
    metric = find(name)
    return OWN_PREFIX + name if metric is not None and metric.on_own else None


LEADING = {
    "self_agreement_pearson": "self-agreement",
    "own_alignment_gap_tau_b": "gap, same texts",
    "own_alignment_generation_tau_b": "writer, same texts",
    "own_alignment_discrimination_tau_b": "judge, own texts",
    "alignment_discrimination_tau_b": "judge alignment",
    "discrimination_accuracy_half_credit": "accuracy",
    "decided_rate": "decided",
    "flip_rate": "flip rate",
    "alignment_generation_tau_b": "writer alignment",
    "discrimination_kappa": "kappa",
    "rougeL": "ROUGE-L",
    "unreadable_rate": "unreadable",
    "generation_missing_rate": "missing",
    "generation_identical_rate": "identical",
    "discrimination_accuracy_tie_calibrated": "accuracy with ties",
    "grader_missing_rate": "grader missing",
    "grader_flip_rate": "grader flips",
    "generation_echo_rate": "echoes",
    "generation_score_talk_rate": "score talk",
    "generation_loop_rate": "loops",
    "sample_identical_rate": "identical",
    "sample_words": "words",
    "alignment_revision_{condition}_less_none_tau_b": "{condition} adds",
    "alignment_revision_{condition}_tau_b": "align. {condition}",
    "revision_win_rate_{condition}": "wins {condition}",
    "score_validity_within": "r within",
    "score_compliance": "compliance",
    "score_validity_pooled": "r pooled",
    "score_validity_sources": "sources",
    "score_validity_missing": "missing",
    "probe_position": "position",
    "probe_wording": "wording",
    "probe_padding": "padding",
    "probe_style": "Markdown",
    "probe_injection": "order to judge",
    "probe_authority": "bogus source",
    "probe_self_preference": "self-preference",
    "profile_alignment_tau_b": "alignment",
    "kappa_{label}": "kappa {label}",
    "agreement_{label}": "agreement {label}",
    "flip_rate_{label}": "flips {label}",
    "tau_{perspective}_{factor}": "{perspective} {factor}",
}
"""What a harness shows first of a run, in this order, and what a narrow place calls it.

People read the first four lines of a table, and Inspect's viewer has room for five words.
"""


_SHORT = {
    "generation": "writer",
    "discrimination": "judge",
    "pearson": "r",
    "spearman": "rho",
    "human": "people",
}
"""What labels call a word that stands in the place of another."""


def label(name: str) -> str:
    """What people see in place of a metric's name.

    Example:
        >>> label("alignment_discrimination_tau_b"), label("flip_rate"), label("rougeL")
        ('alignment as judge, tau_b', 'verdicts that flip with the order', 'rougeL')
    """
    metric = find(name)
    if metric is None or not metric.label:
        return name
    found = metric.pattern.fullmatch(name)
    if found is None:  # an end of an interval
        return name
    return metric.label.format(**{k: _SHORT.get(v, v) for k, v in found.groupdict().items()})


def titled() -> dict[str, str]:
    """The metrics with a name of their own, by what people see: the label, the column's heading.

    The headings that columns had before are among them: commands that people wrote go on.
    """
    return {kind: f"alignment_{kind}_tau_b" for kind in ("generation", "discrimination")} | {
        title: metric.name
        for metric in CATALOGUE
        for title in (metric.label, metric.column)
        if title and "{" not in title
    }


def by_title(title: str, known: Collection[str]) -> str | None:
    """The metric, among these, that people see so, or so up to a comma; None where there is none.

    Example:
        >>> by_title("accuracy", ["discrimination_accuracy"])
        'discrimination_accuracy'
    """
    titles = {each: name for each, name in titled().items() if name in known}
    begins = (name for each, name in titles.items() if each.split(",")[0] == title)
    return titles.get(title) or next(begins, None)


@cache
def find(name: str) -> Metric | None:
    """The entry of a metric; an end of an interval, or a standard error, goes with its metric.

    Example:
        >>> find("tau_human_length_ci_low").name, find("flip_rate_stderr").name, find("accuracy")
        ('tau_{perspective}_{factor}', 'flip_rate', None)
    """
    for end in (*ENDS, STANDARD_ERROR):
        name = name.removesuffix(end)
    return next((metric for metric in CATALOGUE if metric.pattern.fullmatch(name)), None)


def higher_is_better(name: str) -> bool | None:
    """Whether more of a metric is better, less of it, or neither.

    Of alignment and agreement more is better, of errors less. Influences, ranks, lengths and the
    gap describe a model and have no better side; nor have distances and p-values.

    Example:
        >>> higher_is_better("alignment_generation_tau_b"), higher_is_better("flip_rate_ci_low")
        (True, False)
        >>> higher_is_better("tau_generation_length") is None
        True
    """
    metric = find(name)
    return None if metric is None or metric.better is None else metric.better == "more"


def is_printed(name: str, value: float) -> bool:
    """Whether a harness's terminal shows a metric."""
    metric = find(name)
    return metric is not None and (
        metric.printed == "yes" or (metric.printed == "if any" and value != 0)
    )


def printed(values: Mapping[str, float]) -> list[str]:
    """Which of a run's metrics a harness's terminal shows, with the ends of alignments alone.

    Args:
        values: Name of a metric -> its value.
    """
    return [
        name
        for name, value in values.items()
        if is_printed(name, value)
        and (
            not is_interval_end(name)
            or name.startswith(("self_agreement_", "alignment_", "own_alignment_"))
        )
    ]


def points_first(names: Iterable[str]) -> list[str]:
    """Put the names of metrics in the order in which people read them.

    First what leads (``LEADING``), then the other points, then the ends of intervals alike.

    Example:
        >>> points_first(["rouge1", "flip_rate", "flip_rate_ci_low", "discrimination_kappa"])
        ['flip_rate', 'discrimination_kappa', 'rouge1', 'flip_rate_ci_low']
    """
    places = {name: place for place, name in enumerate(LEADING)}

    def place(name: str) -> tuple[bool, int]:
        metric = find(name)
        leading = len(places) if metric is None else places.get(metric.name, len(places))
        return is_interval_end(name), leading

    return sorted(names, key=place)


def short_label(name: str) -> str:
    """What a narrow place calls a metric; its name where it does not lead.

    Example:
        >>> short_label("alignment_discrimination_tau_b"), short_label("tau_human_novel_words")
        ('judge alignment', 'human novel words')
        >>> short_label("rouge1"), short_label("flip_rate_ci_low")
        ('rouge1', 'flip_rate_ci_low')
    """
    metric = find(name)
    if metric is None or metric.name not in LEADING or is_interval_end(name):
        return name
    found = metric.pattern.fullmatch(name)
    assert found is not None  # noqa: S101 - so it was found
    words = (word.replace("_", " ") for word in found.groups())
    return re.sub(r"\{\w+\}", lambda _: next(words), LEADING[metric.name])


def names(chosen: Callable[[Metric], object]) -> tuple[str, ...]:
    """Names of the metrics that are chosen, in the catalogue's order.

    Example:
        >>> names(lambda metric: metric.gated)
        ('self_agreement_pearson', 'alignment_generation_tau_b', 'alignment_discrimination_tau_b')
    """
    return tuple(metric.name for metric in CATALOGUE if chosen(metric))


def cautioned() -> Iterator[tuple[str, Caution]]:
    """The metrics that people must be warned of, with when and how."""
    return ((metric.name, metric.caution) for metric in CATALOGUE if metric.caution is not None)
