"""What each metric is called, shown as, warned of, and which way it is better."""

import re
from itertools import product
from pathlib import Path

import pytest

from profile_tasks.scorers.statistics.metric_catalogue import (
    CATALOGUE,
    LEADING,
    cautioned,
    find,
    higher_is_better,
    is_printed,
    own_name,
    points_first,
    printed,
    short_label,
)


@pytest.mark.parametrize(
    "metric",
    [
        "self_agreement_pearson",
        "self_agreement_tau_b",
        "alignment_discrimination_spearman",
        "alignment_discrimination_tau_b_disattenuated",
        "discrimination_accuracy_half_credit",
        "discrimination_accuracy",
        "rougeL",
        "citation_precision",
        "score_validity_within_ci_low",
    ],
)
def test_of_alignment_and_agreement_more_is_better(metric: str) -> None:
    assert higher_is_better(metric) is True


@pytest.mark.parametrize(
    "metric",
    ["flip_rate", "unreadable_rate", "generation_missing_rate", "grader_flip_rate_fluency"],
)
def test_of_errors_less_is_better(metric: str) -> None:
    assert higher_is_better(metric) is False


@pytest.mark.parametrize(
    "metric",
    [
        "tau_generation_length",
        "alignment_gap_tau_b",
        "alignment_gap_texts_tau_b",
        "alignment_gap_taste_tau_b",
        "alignment_human_half_panel_tau_b",
        "first_position_rate",
        "words_at_score_5",
        "rank_human_length",
        "alignment_discrimination_pearson_p_value",
        "alignment_discrimination_distance",
        "self_agreement_pearson_p_value",
        "self_agreement_distance",
        "difference_generation_length",
    ],
)
def test_what_describes_a_model_has_no_better_side(metric: str) -> None:
    assert higher_is_better(metric) is None


def test_an_end_of_an_interval_goes_with_its_metric() -> None:
    assert higher_is_better("flip_rate_ci_high") is False
    assert higher_is_better("alignment_generation_tau_b_stderr") is True


def test_every_name_is_an_entry_of_its_own() -> None:
    names = [metric.name for metric in CATALOGUE]
    assert len(names) == len(set(names))
    for metric in CATALOGUE:
        if "{" not in metric.name:
            assert find(metric.name) is metric


def test_a_name_is_found_by_its_most_particular_entry() -> None:
    for name, entry in (
        ("alignment_generation_tau_b", "alignment_generation_tau_b"),
        ("alignment_generation_pearson", "alignment_{model}_{coefficient}"),
        ("alignment_gap_taste_tau_b_ci_low", "alignment_gap_taste_tau_b"),
        ("alignment_discrimination_tau_b_disattenuated",
         "alignment_{model}_{coefficient}_disattenuated"),
        ("self_agreement_pearson_ci_high", "self_agreement_pearson"),
        ("self_agreement_spearman", "self_agreement_{coefficient}"),
        ("self_agreement_pearson_p_value", "self_agreement_pearson_p_value"),
        ("tau_own_length", "tau_{perspective}_{factor}"),
        ("tau_human_length_p_adjusted_bh", "tau_{perspective}_{factor}_p_adjusted_bh"),
        ("tau_revision_self_length", "tau_revision_{condition}_{factor}"),
        ("grader_flip_rate_fluency_ci_low", "grader_flip_rate_{factor}"),
        ("words_at_score_5", "words_at_score_{score}"),
        ("own_flip_rate", "own_flip_rate"),
        ("own_tau_human_length_ci_low", "own_tau_{perspective}_{factor}"),
        ("own_alignment_generation_tau_b", "own_alignment_generation_tau_b"),
        ("own_alignment_generation_pearson", "own_alignment_{model}_{coefficient}"),
    ):  # fmt: skip
        assert find(name).name == entry
    assert find("no_such_metric") is None


def test_over_own_pairs_a_metric_has_the_same_name_after_own_if_it_is_one_there() -> None:
    for name in ("tau_human_length", "difference_generation_length_p_value", "alignment_gap_tau_b"):
        assert own_name(name) == f"own_{name}"
        assert find(f"own_{name}") is not None
        assert higher_is_better(f"own_{name}") is higher_is_better(name)
    for name in (
        "flip_rate",
        "unreadable_rate",
        "discrimination_kappa",
        "own_flip_rate",
        "no_such",
    ):
        assert own_name(name) is None
    assert len({metric.name for metric in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("kind", ["ceiling", "corrected", "p_value"])
def test_what_alignments_have_no_more_is_no_metric(kind: str) -> None:
    assert find(f"alignment_generation_tau_b_{kind}") is None
    assert find(f"alignment_discrimination_tau_b_{kind}") is None


def test_what_is_worth_a_line_only_where_it_happens() -> None:
    assert is_printed("draft_missing_rate", 0.1)
    assert not is_printed("draft_missing_rate", 0.0)
    assert is_printed("flip_rate", 0.0)
    assert not is_printed("no_such_metric", 1.0)


def test_what_boards_head_their_columns_with() -> None:
    assert {metric.name: metric.column for metric in CATALOGUE if metric.column} == {
        "self_agreement_pearson": "self-agreement",
        "alignment_generation_tau_b": "writer alignment",
        "alignment_discrimination_tau_b": "judge alignment",
        "alignment_gap_tau_b": "gap",
        "own_alignment_generation_tau_b": "writer alignment, same texts",
        "own_alignment_discrimination_tau_b": "judge alignment, own texts",
        "own_alignment_gap_tau_b": "gap, same texts",
        "discrimination_accuracy_half_credit": "accuracy, half credit",
        "discrimination_accuracy": "accuracy, decided",
        "flip_rate": "flip rate",
        "probe_position": "position",
        "probe_position_flips": "order flips",
        "probe_wording": "wording",
        "probe_padding": "padding",
        "probe_self_preference": "self-preference",
    }


def test_of_the_accuracies_the_one_with_half_credit_comes_first_and_alone_is_printed() -> None:
    agreement = [each for each in CATALOGUE if each.name.startswith("discrimination_accuracy")]
    assert [metric.name for metric in agreement][:2] == [
        "discrimination_accuracy_half_credit",
        "discrimination_accuracy",
    ]
    assert [metric.printed for metric in agreement][:2] == ["yes", "no"]


def test_what_leads_is_of_the_catalogue_and_its_label_is_short() -> None:
    assert set(LEADING) <= {metric.name for metric in CATALOGUE}
    assert max(len(label) for label in LEADING.values()) < 25
    for name, label in LEADING.items():
        assert re.findall(r"{\w+}", name) == re.findall(r"{\w+}", label)


def test_points_come_before_the_ends_of_intervals_and_what_leads_before_the_rest() -> None:
    assert points_first(
        [
            "own_thing", "alignment_generation_tau_b", "alignment_generation_tau_b_ci_low",
            "self_agreement_pearson_ci_high", "rouge1", "tau_human_length", "flip_rate",
            "self_agreement_pearson",
        ]
    ) == [
        "self_agreement_pearson", "flip_rate", "alignment_generation_tau_b", "tau_human_length",
        "own_thing", "rouge1",
        "self_agreement_pearson_ci_high", "alignment_generation_tau_b_ci_low",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("alignment_generation_tau_b", "writer alignment"),
        ("tau_generation_sentence_count", "generation sentence count"),
        ("alignment_revision_self_less_none_tau_b", "self adds"),
        ("kappa_any_label", "kappa any label"),
        # Its own name is what is looked for elsewhere.
        ("alignment_generation_tau_b_ci_low", "alignment_generation_tau_b_ci_low"),
        ("tau_human_length_p_value", "tau_human_length_p_value"),
        ("own_thing", "own_thing"),
    ],
)
def test_what_leads_has_a_short_label_and_all_else_its_name(name: str, label: str) -> None:
    assert short_label(name) == label


def test_of_intervals_those_of_alignments_alone_are_printed() -> None:
    given = ["self_agreement_pearson_ci_low", "flip_rate", "flip_rate_ci_low", "rouge1"]
    assert printed(dict.fromkeys(given, 0.5)) == ["self_agreement_pearson_ci_low", "flip_rate"]


def test_a_caution_is_of_a_share_and_ends_a_sentence_that_begins_with_it() -> None:
    found = dict(cautioned())
    assert found["flip_rate"].above == 0.2
    assert found["unreadable_rate"].above == 0.05
    for name, caution in found.items():
        assert find(name).unit == "share"
        assert caution.words.startswith("of the ")


ROOT = Path(__file__).parents[3]
MEANT = {
    "factor": "length", "perspective": "human", "whose": "people", "coefficient": "tau_b", "s": "5",
}  # fmt: skip


def spelled_out(name: str) -> list[str]:
    """The names that docs/metrics.md or the catalogue means by one with words in braces."""
    parts = re.split(r"\{(.*?)\}", name)
    choices = [
        part.split(",") if "," in part else [MEANT.get(part, part)] if odd else [part]
        for odd, part in ((index % 2, part) for index, part in enumerate(parts))
    ]
    return ["".join(chosen) for chosen in product(*choices)]


def documented_metrics() -> set[str]:
    table = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    table = table[table.index("| metric |") : table.index("## The signature")]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = [name for row in rows for name in re.findall("`(.*?)`", row)]
    full = [re.sub(r"^\.\.\.", "tau_human_length", name) for name in named]
    full = [name.replace("...", "generation_tau_b") for name in full]
    return {spelled for name in full for spelled in spelled_out(name)}


def test_the_table_names_metrics_of_the_catalogue_alone() -> None:
    assert len(documented_metrics()) > 40
    assert [name for name in sorted(documented_metrics()) if find(name) is None] == []


def test_what_is_printed_or_tabled_is_explained_in_the_table_or_named_in_docs() -> None:
    explained = {metric.name for name in documented_metrics() if (metric := find(name)) is not None}
    docs = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md"))
    seen = {metric.name for metric in CATALOGUE if metric.printed != "no" or metric.tabled}
    stems = {name: name.partition("_{")[0] for name in seen - explained}
    assert sorted(name for name, stem in stems.items() if f"`{stem}" not in docs) == []
