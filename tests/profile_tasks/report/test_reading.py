"""What a report finds in each kind of file: the very numbers, the texts, and what is not there."""

import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log, write_eval_log

from profile_tasks.report.cautions import cautions
from profile_tasks.report.reading import read_findings
from profile_tasks.scorers.statistics.study import GAP, GAP_PARTS

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


def test_a_log_gives_the_very_numbers_that_it_holds(verbose_log: Path) -> None:
    (found,) = read_findings(verbose_log)
    results = read_eval_log(str(verbose_log)).results
    assert results is not None
    metrics = {name: metric.value for name, metric in results.scores[0].metrics.items()}
    assert (found.model, found.run.task) == ("planted/verbose", "summarization")
    assert found.kind == "Inspect log"
    assert found.absent == ()
    for perspective, profile in found.profiles.items():
        assert list(profile.influences) == list(found.factors)
        for factor, influence in profile.influences.items():
            name = f"tau_{perspective}_{factor}"
            assert (influence.tau.value, influence.tau.low, influence.tau.high) == (
                metrics[name], metrics[f"{name}_ci_low"], metrics[f"{name}_ci_high"],
            )  # fmt: skip
            assert influence.rank.value == metrics[f"rank_{perspective}_{factor}"]
    for name, number in found.gap.items():
        assert number.value == metrics[name]
    assert found.gap.keys() == {GAP, *GAP_PARTS}
    own = found.self_agreement["pearson"].number
    assert own.value == metrics["self_agreement_pearson"]
    for target, lengths in found.texts.words.items():
        assert sum(lengths) / len(lengths) == pytest.approx(metrics[f"words_at_score_{target}"])


def test_tastes_are_compared_over_the_same_pairs(concise_log: Path) -> None:
    (found,) = read_findings(concise_log)
    assert found.tastes["discrimination"].differing[0] == "length"
    # It writes by the taste that it judges by.
    assert found.tastes["generation"].differing == ()


def test_facts_and_verdicts_stand_with_the_examples(verbose_log: Path) -> None:
    (found,) = read_findings(verbose_log)
    for perspective in ("human", "generation", "discrimination"):
        speaks_for, against = found.texts.examples[perspective]["hallucination"]
        for pair in speaks_for:
            assert pair.preferred.value > pair.other.value
            labels = [label for _, label in pair.preferred.facts]
            assert any(label.endswith("(counts)") for label in labels)
        for pair in against:
            assert pair.preferred.value < pair.other.value
        for pair in found.texts.examples[perspective]["fluency"][0]:
            assert pair.decided_by[-1] == (
                "the grader's verdicts, one an order shown: the preferred one shows more, "
                "the preferred one shows more"
            )


def test_a_log_in_json_is_the_same_run(verbose_log: Path, tmp_path: Path) -> None:
    copy = tmp_path / "log.json"
    write_eval_log(read_eval_log(str(verbose_log)), str(copy))
    (as_eval,), (as_json,) = read_findings(verbose_log), read_findings(copy)
    # As texts, in which NaN is like NaN.
    assert repr(as_json.profiles) == repr(as_eval.profiles)
    assert as_json.texts.examples == as_eval.texts.examples
    assert as_json.texts.correlations == as_eval.texts.correlations


def test_results_of_lm_eval_give_one_run_a_task(tmp_path: Path) -> None:
    results = {
        "results": {
            f"profile_summarization_{setting}": {
                "alias": "x",
                "tau_human_length,none": 0.1,
                "tau_human_length_ci_low,none": 0.0,
                "tau_human_length_ci_high,none": 0.2,
                "tau_human_length_stderr,none": 0.05,
                f"tau_{setting}_length,none": 0.5,
                f"alignment_{setting}_tau_b,none": None,
            }
            for setting in ("generation", "discrimination")
        }
        | {"profile_summarization": {"alias": "group"}, "hellaswag": {"acc,none": 0.5}},
        "configs": {},
        "lm_eval_version": "0.4.13",
        "config": {"model": "hf", "model_args": "pretrained=a/b,dtype=auto"},
    }
    file = tmp_path / "results_x.json"
    file.write_text(json.dumps(results))
    (found,) = read_findings(file)
    assert (found.model, found.run.task, found.factors) == ("hf/a/b", "summarization", ("length",))
    assert found.compared == ("generation", "discrimination")
    assert found.profiles["human"].influences["length"].tau.high == 0.2
    assert any("no tests of differences" in line for line in found.absent)


def test_json_of_influence_is_one_profile(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from profile_tasks.cli import main

    arguments = "influence demo --task summarization --factors length --format json"
    result = CliRunner().invoke(main, arguments.split())
    file = tmp_path / "profile.json"
    file.write_text(result.stdout)
    (found,) = read_findings(file)
    recorded = json.loads(result.stdout)["factors"]["length"]
    length = found.profiles["human"].influences["length"]
    assert (length.tau.value, length.adjusted.value, length.concordant) == (
        recorded["tau"], recorded["adjusted"], recorded["concordant"],
    )  # fmt: skip
    assert found.compared == ()


def test_a_log_without_the_full_profile_is_completed_from_its_samples(
    verbose_log: Path, tmp_path: Path
) -> None:
    log = read_eval_log(str(verbose_log))
    assert log.results is not None
    log.results.scores[0].metadata = None
    copy = tmp_path / "bare.eval"
    write_eval_log(log, str(copy))
    (bare,), (whole,) = read_findings(copy), read_findings(verbose_log)
    assert repr(bare.profiles) == repr(whole.profiles)
    assert bare.tastes == whole.tastes
    assert bare.absent == ()


def test_an_older_log_shows_todays_intervals_and_says_so(older_log: Path) -> None:
    (found,) = read_findings(older_log)
    judge = found.alignments["discrimination"]["pearson"].number
    assert (judge.low, judge.high) != (0.01, 0.02)
    assert found.tastes.keys() == {"discrimination"}
    assert found.run.warnings[0].startswith("the log is of an older version (task version 2)")


def test_results_of_lm_eval_tell_how_few_groups_there_are(lm_eval_results: Any) -> None:
    (found,) = read_findings(lm_eval_results("verbose"))
    assert {profile.n_groups for profile in found.profiles.values()} == {24}
    assert any("few sources (24 groups)" in caution for caution in cautions(found))


def test_a_profile_of_another_version_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text('{"n_pairs": 3, "factors": {"length": 0.5}}')
    with pytest.raises(ValueError, match=r"profile\.json: not as this version writes it") as error:
        read_findings(file)
    assert "\n" not in str(error.value)


def test_reasons_and_numbers_that_others_wrote_are_made_harmless(tmp_path: Path) -> None:
    hostile = "turned \u202e with a bell \x07"
    counted = dict.fromkeys(("concordant", "discordant", "tied", "missing"), 1)
    numbers = {"tau": "<b>", "ci_low": True, "rank": [1], "adjusted": {}, "adjusted_ci_low": "0"}
    length = counted | numbers | {"reason": hostile, "adjusted_reason": hostile}
    agreement = {"value": "1", "ci_low": 0, "ci_high": 1, "reason": hostile}
    file = tmp_path / "profile.json"
    file.write_text(
        json.dumps({
            "n_pairs": 3,
            "factors": {"length": length},
            "reliability": {"pearson": {"value": None, "reason": hostile}},
            "annotators": {"agreement": agreement},
        })
    )  # fmt: skip
    (found,) = read_findings(file)
    profile = found.profiles["human"]
    influence = profile.influences["length"]
    told = (
        influence.tau,
        influence.adjusted,
        profile.reliability["pearson"],
        found.metrics["annotator_agreement"],
    )
    for estimate in told:
        assert not estimate.defined
        assert estimate.reason == "turned ⟨U+202E⟩ with a bell ␇"
    assert influence.rank.says_nothing


def test_a_log_of_another_eval_is_refused(other_log: Path) -> None:
    with pytest.raises(ValueError, match="no sample has a score of profile_tasks/factor_profile"):
        read_findings(other_log)


def test_a_run_without_results_is_refused(verbose_log: Path, tmp_path: Path) -> None:
    log = read_eval_log(str(verbose_log))
    log.status, log.results = "error", None
    write_eval_log(log, str(tmp_path / "cut.eval"))
    with pytest.raises(ValueError, match=r"an unfinished run \(status: error\)"):
        read_findings(tmp_path / "cut.eval")


def test_a_log_without_samples_is_refused(verbose_log: Path, tmp_path: Path) -> None:
    log = read_eval_log(str(verbose_log))
    log.samples = None
    write_eval_log(log, str(tmp_path / "header.json"), format="json")
    with pytest.raises(ValueError, match=r"no sample has a score \(status: success\)"):
        read_findings(tmp_path / "header.json")
