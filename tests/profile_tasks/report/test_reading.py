"""Each kind of file becomes a run with what it holds; what is of no use is refused in one line."""

import json
import zipfile
from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log, write_eval_log

from profile_tasks.report.reading import read_runs
from profile_tasks.report.unusable import UnusableInput

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


def test_a_log_gives_the_very_numbers_that_it_holds(verbose_log: Path) -> None:
    (run,) = read_runs(verbose_log)
    results = read_eval_log(str(verbose_log)).results
    assert results is not None
    metrics = {name: metric.value for name, metric in results.scores[0].metrics.items()}
    assert (run.model, run.task, run.kind) == ("planted/verbose", "summarization", "Inspect log")
    assert run.absent == ()
    for perspective, profile in run.profiles.items():
        assert list(profile.influences) == list(run.factors)
        for factor, found in profile.influences.items():
            name = f"tau_{perspective}_{factor}"
            assert (found.tau.value, found.tau.low, found.tau.high) == (
                metrics[name], metrics[f"{name}_ci_low"], metrics[f"{name}_ci_high"],
            )  # fmt: skip
            assert found.rank.value == metrics[f"rank_{perspective}_{factor}"]
    assert run.gap.value == metrics["alignment_gap_tau_b"]
    for target, lengths in run.words.items():
        assert sum(lengths) / len(lengths) == pytest.approx(metrics[f"words_at_score_{target}"])


def test_the_planted_taste_is_among_the_misaligned_factors(verbose_log: Path) -> None:
    (run,) = read_runs(verbose_log)
    assert "length" in run.misaligned("generation")
    assert run.misaligned("discrimination") == ("length",)


def test_facts_and_verdicts_stand_with_the_examples(verbose_log: Path) -> None:
    (run,) = read_runs(verbose_log)
    for perspective in ("human", "generation", "discrimination"):
        speaks_for, against = run.examples[perspective]["hallucination"]
        for pair in speaks_for:
            assert pair.preferred.value > pair.other.value
            labels = [label for _, label in pair.preferred.facts]
            assert any(label.endswith("(counts)") for label in labels)
        for pair in against:
            assert pair.preferred.value < pair.other.value
        for pair in run.examples[perspective]["fluency"][0]:
            assert pair.decided_by[-1] == (
                "the grader's verdicts, one an order shown: the preferred one shows more, "
                "the preferred one shows more"
            )


def test_a_log_in_json_is_the_same_run(verbose_log: Path, tmp_path: Path) -> None:
    copy = tmp_path / "log.json"
    write_eval_log(read_eval_log(str(verbose_log)), str(copy))
    (as_eval,), (as_json,) = read_runs(verbose_log), read_runs(copy)
    assert as_json.profiles == as_eval.profiles
    assert as_json.examples == as_eval.examples
    assert as_json.correlations == as_eval.correlations


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
    (run,) = read_runs(file)
    assert (run.model, run.task, run.factors) == ("hf/a/b", "summarization", ("length",))
    assert run.compared == ("generation", "discrimination")
    assert run.profiles["human"].influences["length"].tau.high == 0.2
    assert any("no tests of differences" in line for line in run.absent)


def test_json_of_influence_is_one_profile(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from profile_tasks.cli import main

    arguments = "influence demo --task summarization --factors length --format json"
    result = CliRunner().invoke(main, arguments.split())
    file = tmp_path / "profile.json"
    file.write_text(result.stdout)
    (run,) = read_runs(file)
    recorded = json.loads(result.stdout)["factors"]["length"]
    found = run.profiles["human"].influences["length"]
    assert (found.tau.value, found.adjusted.value, found.concordant) == (
        recorded["tau"], recorded["adjusted"], recorded["concordant"],
    )  # fmt: skip
    assert run.compared == ()


def test_a_log_without_the_full_profile_says_what_is_missing(
    verbose_log: Path, tmp_path: Path
) -> None:
    log = read_eval_log(str(verbose_log))
    assert log.results is not None
    log.results.scores[0].metadata = None
    copy = tmp_path / "bare.eval"
    write_eval_log(log, str(copy))
    (run,) = read_runs(copy)
    assert any("lacks the full profile" in line for line in run.absent)
    assert run.profiles["generation"].influences["length"].tau.value is not None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.eval", None, "there is no such file"),
        ("wrong.txt", b"hello", "expected an Inspect log"),
        ("wrong.json", b'{"a": 1}', "unknown content"),
        ("list.json", b"[]", "not a JSON object"),
        ("cut.json", b'{"n_pairs": 3, "factors": {"len', "not JSON, or cut off"),
        ("deep.json", b"[" * 100_000, "not JSON, or cut off"),
        ("empty.eval", b"", "not a whole Inspect log"),
        ("text.eval", b"hello", "not a whole Inspect log"),
        ("profile.json", b'{"n_pairs": 3, "factors": {"length": 0.5}}', "not as this version"),
        ("harness.json", b'{"results": {"mmlu": {}}, "configs": {}}', "it holds: mmlu"),
        ("status.json", b'{"eval": {}, "status": "success"}', "not a whole Inspect log"),
    ],
)
def test_unusable_files_are_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UnusableInput) as refusal:
        read_runs(file)
    assert said in str(refusal.value)
    assert str(refusal.value).startswith(f"{file}: ")
    assert "\n" not in str(refusal.value)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="a folder"):
        read_runs(tmp_path)


def test_a_log_of_another_eval_is_refused(other_log: Path) -> None:
    with pytest.raises(UnusableInput, match="a log of other_eval, without a score"):
        read_runs(other_log)


@pytest.mark.parametrize("share", [0.2, 0.7, 0.99])
def test_a_truncated_log_is_refused(verbose_log: Path, tmp_path: Path, share: float) -> None:
    content = verbose_log.read_bytes()
    cut = tmp_path / "cut.eval"
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UnusableInput, match="not a whole Inspect log"):
        read_runs(cut)


def test_a_log_with_a_damaged_sample_is_refused(verbose_log: Path, tmp_path: Path) -> None:
    content = bytearray(verbose_log.read_bytes())
    content[30_000:34_000] = bytes(4_000)
    damaged = tmp_path / "damaged.eval"
    damaged.write_bytes(content)
    with pytest.raises(UnusableInput, match="damaged log"):
        read_runs(damaged)


def test_a_score_that_is_not_there_is_named_with_those_that_are(verbose_log: Path) -> None:
    with pytest.raises(UnusableInput, match="holds no score 'nope'; it holds: factor_profile"):
        read_runs(verbose_log, "nope")


def test_a_sample_in_any_layout_is_read_whole(verbose_log: Path, tmp_path: Path) -> None:
    """Reading stops before a sample's events only where all that is wanted comes before them."""
    laid_out = tmp_path / "laid_out.eval"
    with zipfile.ZipFile(verbose_log) as source, zipfile.ZipFile(laid_out, "w") as copy:
        for number, name in enumerate(source.namelist()):
            content = source.read(name)
            if name.startswith("samples/"):
                sample = json.loads(content)
                events = {"events": sample.pop("events")}
                nested = {"id": sample.pop("id"), "more": {"x": 1, "events": [1]}, **sample}
                laid = (events | sample | {"id": nested["id"]}, nested | events)[number % 2]
                content = json.dumps(laid, separators=(",", ":")).encode()
            copy.writestr(name, content)
    (expected,), (found,) = read_runs(verbose_log), read_runs(laid_out)
    assert found.examples == expected.examples
    assert found.words == expected.words
