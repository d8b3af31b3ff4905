"""``-T slices=...``: a run held apart by columns, with known answers, up to the gate."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from inspect_ai import eval as inspect_eval
from inspect_ai import score
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import get_model

import profile_tasks as pt
from profile_tasks.cli import main
from profile_tasks.instruction_following import instruction_following
from profile_tasks.report.page import rendered, task_sections
from profile_tasks.report.reading import read_findings
from profile_tasks.runs.inspect_log import read_run
from profile_tasks.scorers.inspect.complete_log import complete_log
from profile_tasks.scorers.inspect.full_profile import metrics_and_profile
from profile_tasks.scorers.inspect.profile_scorer import factor_profile
from profile_tasks.scorers.measurement.tables import slice_labels_by_table
from profile_tasks.scorers.statistics.estimate import Estimate

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

FACTORS = "length,markdown"
SOURCES = 96
LEVEL = 0.05


def rows() -> Iterator[dict[str, Any]]:
    """Pairs in three languages; people like the longer text alike in each of them.

    In each language either text is as often the longer one, and as often the one with bullets.
    """
    drawn = np.random.default_rng(0)
    for number in range(SOURCES):
        language, place = ("de", "en", "fr")[number % 3], number // 3
        sizes = sorted(drawn.integers(4, 60, 2).tolist(), reverse=place % 2 == 0)
        texts = [" ".join(["word"] * size) for size in sizes]
        bullets = place // 2 % 2
        texts = [f"- {t}\n- {t}" if i == bullets else f"{t} {t}" for i, t in enumerate(texts)]
        longer = sizes[0] - sizes[1] + 15 * drawn.logistic() > 0
        yield {
            "id": f"p{number}", "group": f"g{number}", "prompt": f"[{language}] Question {number}?",
            "response_a": texts[0], "response_b": texts[1], "preference": "ab"[not longer],
            "language": language, "topic": ("news", "verse & prose")[place // 4 % 2],
            "source": None, "rare": "yes" if number < 3 else "no",
        }  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sliced") / "languages.jsonl"
    path.write_text("\n".join(map(json.dumps, rows())), encoding="utf-8")
    return path


def run(
    data: Path,
    slices: str,
    setting: str = "discrimination",
    limit: int | None = None,
    **planted: Any,
) -> EvalLog:
    (log,) = inspect_eval(
        instruction_following,
        task_args={
            "dataset": str(data), "factors": FACTORS, "setting": setting, "slices": slices,
            "scores": "1,3,5", "limit": limit, "own_pairs": False,
        },
        model=get_model("planted/verbose", memoize=False, **planted),
        log_dir=str(data.parent / "logs"),
        display="none",
    )  # fmt: skip
    assert log.status == "success"
    return log


@pytest.fixture(scope="module")
def log(data: Path) -> Path:
    """A judge that likes length, and in German its opposite."""
    elsewhere = {"[de]": {"length": -1.0}}
    ran = run(data, "language,topic,rare", judging_weights_where=elsewhere, temperature=0.3)
    return Path(ran.location.removeprefix("file://"))


@pytest.fixture(scope="module")
def slices(log: Path) -> dict[str, Any]:
    found: dict[str, Any] = profile_of(read_eval_log(str(log), header_only=True))["slices"]
    return found


def profile_of(log: EvalLog) -> dict[str, Any]:
    assert log.results is not None
    found: dict[str, Any] = log.results.scores[0].metadata["profile"]
    return found


def told(record: dict[str, Any], p: str = "p_adjusted_bh") -> set[tuple[str, str]]:
    return {
        (label, factor)
        for label, each in record["slices"].items()
        for factor, found in each["factors"].items()
        if found[p] is not None and found[p] < LEVEL
    }


# The known answer ---------------------------------------------------------------------------------


def test_a_judge_whose_taste_differs_in_one_slice_is_told_to_differ_there(
    slices: dict[str, Any],
) -> None:
    judged = slices["language"]["perspectives"]["discrimination"]
    assert ("de", "length") in told(judged)
    assert ("de", "length") in told(judged, "interaction_p_adjusted_bh")
    german = judged["slices"]["de"]["factors"]["length"]
    assert german["tau_ci_high"] < 0 < judged["slices"]["en"]["factors"]["length"]["tau_ci_low"]
    assert german["difference_ci_high"] < -1


def test_and_nowhere_else(slices: dict[str, Any]) -> None:
    judged = slices["language"]["perspectives"]["discrimination"]
    assert {factor for _, factor in told(judged)} == {"length"}
    # English and French are held against German too, and so differ from the rest the other way.
    english = judged["slices"]["en"]["factors"]["length"]
    assert english["difference"] > 0
    assert told(slices["language"]["perspectives"]["human"]) == set()
    for by_perspective in slices["topic"]["perspectives"].values():
        assert set(by_perspective["slices"]) == {"news", "verse & prose"}
        assert told(by_perspective) == set()


def test_what_a_release_waits_for_stands_by_slice(slices: dict[str, Any]) -> None:
    judge = slices["language"]["judge"]
    assert list(judge) == ["de", "en", "fr"]
    assert {each["n_groups"] for each in judge.values()} == {32}
    accuracy = {
        label: Estimate.of_record(each["discrimination_accuracy_half_credit"])
        for label, each in judge.items()
    }
    assert accuracy["de"].high < 0.5 < accuracy["en"].low
    assert all(Estimate.of_record(each["flip_rate"]).has_interval for each in judge.values())


def test_a_small_slice_is_told_and_has_no_numbers(slices: dict[str, Any], log: Path) -> None:
    rare = slices["rare"]
    assert rare["perspectives"]["human"]["too_small"] == {"no": 3, "yes": 3}
    found = rare["judge"]["yes"]
    assert found["n_groups"] == 3
    assert found["flip_rate"]["value"] is None
    assert found["flip_rate"]["reason"] == "groups: 3; an interval needs at least 8"
    assert rare["judge"]["no"]["flip_rate"]["value"] is not None


# The same numbers ---------------------------------------------------------------------------------


def test_people_have_the_numbers_of_the_command(slices: dict[str, Any], data: Path) -> None:
    options = ["--factors", FACTORS, "--slices", "language", "--format", "json"]
    command = CliRunner().invoke(main, ["influence", str(data), *options, "--replicates", "1000"])
    by_command = json.loads(command.stdout)["slices"]["language"]["slices"]
    in_run = slices["language"]["perspectives"]["human"]["slices"]
    assert list(by_command) == list(in_run)
    for label, each in by_command.items():
        for factor, found in each["factors"].items():
            in_log = in_run[label]["factors"][factor]
            texts = {name for name, value in found.items() if not isinstance(value, float)}
            assert {n: in_log[n] for n in texts} == {n: found[n] for n in texts}
            for name in found.keys() - texts:
                assert in_log[name] == pytest.approx(found[name], rel=1e-6, abs=1e-9)


def test_lm_eval_gives_the_same_numbers(log: Path, data: Path, tmp_path: Path) -> None:
    from lm_eval import simple_evaluate

    from profile_tasks.lm_eval_runner.run import OwnTaskManager
    from profile_tasks.task_configs.planted_lm import PlantedLM

    metadata = {
        "dataset": str(data),
        "factors": FACTORS,
        "slices": ["language", "rare"],
        "limit": 36,
    }
    results = simple_evaluate(
        model=PlantedLM("verbose"),
        tasks=["profile_instruction_following_discrimination"],
        task_manager=OwnTaskManager(metadata=metadata),
        metadata=metadata,
        bootstrap_iters=0,
    )
    assert results is not None
    values = results["results"]["profile_instruction_following_discrimination"]
    in_lm_eval = {
        n.removesuffix(",none"): v for n, v in values.items() if "_in_" in n and "_stderr" not in n
    }
    plain = run(data, "language,rare", limit=36)
    assert plain.results is not None
    in_inspect = {
        name: None if np.isnan(metric.value) else metric.value
        for name, metric in plain.results.scores[0].metrics.items()
        if "_in_" in name
    }
    assert len(in_inspect) == 5 * 5 * 3
    assert in_lm_eval.keys() == in_inspect.keys()
    for name, value in in_inspect.items():
        assert in_lm_eval[name] == (None if value is None else pytest.approx(value)), name


def test_a_log_is_read_again_without_its_data(log: Path, slices: dict[str, Any]) -> None:
    read = read_run(str(log))
    _, record = metrics_and_profile(list(read.measurements), read.model, 1000, 0)
    assert json.loads(json.dumps(record["slices"])) == slices
    assert read.measurements[0].slices.keys() == {"language", "topic", "rare"}


def test_without_the_setting_a_log_holds_nothing_of_it(data: Path) -> None:
    (log,) = inspect_eval(
        instruction_following,
        task_args={"dataset": str(data), "limit": 8, "setting": "discrimination"},
        model="planted/verbose",
        log_dir=str(data.parent / "plain"),
        display="none",
    )
    assert "slices" not in profile_of(log)
    assert not any("_in_" in name for name in log.results.scores[0].metrics)


@pytest.mark.parametrize(("given", "told"), [("topic", ""), ("topc", "did you mean 'topic'?")])
def test_a_finished_log_is_held_apart_afterwards(
    log: Path, slices: dict[str, Any], given: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    scorer = factor_profile(task="instruction_following", factors=FACTORS, slices=given)
    again = score(read_eval_log(str(log)), scorer, action="overwrite", display="none")
    found = profile_of(complete_log(again))["slices"]
    if told:
        assert f"no pair has the column {given!r}; {told}" in caplog.text
        assert found[given]["judge"] == {}
    else:
        assert json.loads(json.dumps(found)) == {"topic": slices["topic"]}


# What the model wrote -----------------------------------------------------------------------------


def test_written_pairs_take_the_label_of_their_source_and_length_of_their_own(data: Path) -> None:
    written = run(data, "language,length_class", "both", 30)
    record = profile_of(written)["slices"]
    groups = Counter(m.slices["language"][0] for m in read_run(written.location).measurements)
    assert min(groups.values()) >= 8
    of_writer = record["language"]["perspectives"]["generation"]["slices"]
    assert {label: each["n_groups"] for label, each in of_writer.items()} == groups
    measured = read_run(written.location).measurements
    labels = slice_labels_by_table(measured)["length_class"]
    sums = [
        (m.words_by_score[p.higher] or 0) + (m.words_by_score[p.lower] or 0)
        for m in sorted(measured, key=lambda m: (m.group, m.source_id))
        for p in m.pairs_written or ()
    ]
    by_class = {
        name: [n for n, label in zip(sums, labels["generation"], strict=True) if label == name]
        for name in ("short", "middle", "long")
    }
    assert max(by_class["short"]) < min(by_class["middle"])
    assert max(by_class["middle"]) < min(by_class["long"])


# Refused before a model is called -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("slices", "message"),
    [
        ("languge", "no row has the column 'languge'; did you mean 'language'?"),
        ("id_like", "'id_like' has 96 labels, in 96 pairs; a run takes columns of at most 50"),
        ("twins", "'a b' of 'twins' and 'a-b' of 'twins' would both have metrics that end in"),
        ("ends", "would end in 'ends_x_ci_low', as the ends of an interval do"),
    ],
)
def test_columns_that_cannot_be_are_named(slices: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    odd = [
        row | {"id_like": f"i{n}", "twins": ("a b", "a-b")[n % 2], "ends": "x_ci_low"}
        for n, row in enumerate(rows())
    ]
    path.write_text("\n".join(map(json.dumps, odd)), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(message)):
        instruction_following(dataset=str(path), slices=slices)


# The gate -----------------------------------------------------------------------------------------


def gate(log: Path, folder: Path, *bars: str) -> dict[str, Any]:
    file = folder / "bars.yaml"
    file.write_text(json.dumps({"version": 1, "bars": list(bars)}))
    result = CliRunner().invoke(main, ["gate", str(log), "--bars", str(file), "--format", "json"])
    assert result.stdout, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found | {"exit_code": result.exit_code}


def test_a_bar_on_a_slice_holds_where_that_on_the_whole_does_not_see_it(
    log: Path, tmp_path: Path
) -> None:
    done = gate(
        log,
        tmp_path,
        "discrimination_accuracy_half_credit >= 0.5",
        "discrimination_accuracy_half_credit_in_language_en >= 0.5 with 95% confidence",
        "discrimination_accuracy_half_credit_in_language_de >= 0.5 with 95% confidence",
        "flip_rate_in_topic_verse_prose <= 0.9",
        "alignment_discrimination_tau_b_in_language_en >= -1",
        "flip_rate_in_rare_yes <= 0.9",
        "flip_rate_in_language_dee <= 0.9",
        "flip_rate_in_language_de - flip_rate_in_language_en <= 0.9 with 95% confidence",
    )
    outcomes = [bar["outcome"] for bar in done["verdicts"]]
    assert outcomes[:4] == ["met", "met", "missed", "met"]
    assert outcomes[5:] == ["cannot tell"] * 3
    assert "groups: 3" in done["verdicts"][5]["why"]
    assert "did you mean flip_rate_in_language_de?" in done["verdicts"][6]["why"]
    assert "each slice is resampled by itself" in done["verdicts"][7]["why"]
    assert done["exit_code"] == 1


# The report ---------------------------------------------------------------------------------------


def test_the_report_shows_people_and_judge_in_each_slice(log: Path) -> None:
    (found,) = read_findings(log)
    page = rendered(task_sections([found]))
    part = page.split('<section id="slices"')[1].split("</section>")[0]
    assert part.count('<table class="dots">') == 3 + 2  # of language and topic; rare has none
    assert "people: 32 pairs in 32 groups; as a judge: " in part
    assert "as a judge: length weighs less in de than elsewhere" in part
    assert "no: too few sources in it or beside it (people 3, as a judge 3)" in part
    judge = part.split("<caption>The judge by language: ")[1].split("</table>")[0]
    rows_of = re.findall(r'<th scope="row"><bdi>(\w+)</bdi>', judge)
    assert rows_of == list(found.slices[0].judge)
    assert "verse &amp; prose" in part


def test_in_python_a_run_has_rows_by_slice(log: Path, slices: dict[str, Any]) -> None:
    frame = pt.read_run(log).frame()
    german = frame[frame["slice"] == "language: de"].set_index(["quantity", "factor"])
    assert set(german.loc["influence_in_slice"]["perspective"]) == {"human", "discrimination"}
    (flips,) = frame.query("quantity == 'flip_rate_in_slice' and slice == 'rare: yes'")["reason"]
    assert flips == slices["rare"]["judge"]["yes"]["flip_rate"]["reason"]
    assert any(note.startswith("by rare: no: too few sources") for note in pt.read_run(log).notes)
