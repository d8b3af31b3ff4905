"""Inspect logs: what is read of one, how little of it, and what is refused."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, score
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import Sample
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.scorer import includes

from profile_tasks.runs.inspect_log import (
    answers,
    inspect_run,
    open_log,
    read_run,
    score_metadata,
    score_name,
)
from profile_tasks.scorers.inspect.full_profile import COMPLETION
from profile_tasks.scorers.inspect.profile_scorer import factor_profile
from profile_tasks.solvers.score_conditioned_generation import written_responses

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


@pytest.fixture
def log(inspect_log: Any) -> str:
    return str(inspect_log("concise", setting="generation"))


def rewritten(log: str, target: Path, samples: Callable[[str, bytes], bytes | None]) -> str:
    """A copy of a log whose samples are changed; None leaves one out."""
    with zipfile.ZipFile(log) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            content: bytes | None = source.read(name)
            if name.startswith("samples/"):
                content = samples(name, source.read(name))
            if content is not None:
                copy.writestr(name, content)
    return str(target)


def in_json(log: str, target: Path) -> str:
    write_eval_log(read_eval_log(log), str(target), format="json")
    return str(target)


def test_a_run_is_what_its_samples_measured(log: str) -> None:
    whole = read_eval_log(log)
    run = read_run(log)
    assert (run.file, run.harness, run.model) == (log, "inspect", "planted/concise")
    assert (run.task, run.name, run.score) == ("summarization", whole.eval.task, "factor_profile")
    assert list(run.measurements) == COMPLETION.logged(whole)
    assert len(run.measurements) == run.sources == 24


def test_the_layout_is_that_of_inspect(log: str, tmp_path: Path) -> None:
    """The reader rests on the layout of inspect-ai 0.3.285: it reads what Inspect itself reads.

    Where this fails with another version, look at what else the reader takes for granted.
    """
    whole = read_eval_log(log)
    for location in (log, in_json(log, tmp_path / "log.json")):
        read = list(open_log(location).samples())
        assert [sample["id"] for sample in read] == [sample.id for sample in whole.samples or []]
        for ours, theirs in zip(read, whole.samples or [], strict=True):
            assert (
                score_metadata(ours, "factor_profile") == theirs.scores["factor_profile"].metadata
            )
            assert ours["store"] == theirs.store
            assert ours["metadata"] == theirs.metadata


def test_samples_are_ordered_as_inspect_orders_them(log: str, tmp_path: Path) -> None:
    whole = read_eval_log(log)
    names = ["10", "9", "a_b", "a"]
    whole.samples = [
        sample.model_copy(update={"id": int(name) if name.isdigit() else name, "epoch": epoch})
        for epoch in (2, 1)
        for name, sample in zip(names, whole.samples or [], strict=False)
    ]
    whole.eval.dataset.sample_ids = [sample.id for sample in whole.samples[:4]]
    write_eval_log(whole, str(tmp_path / "ids.eval"))
    theirs = [
        (sample.id, sample.epoch)
        for sample in read_eval_log(str(tmp_path / "ids.eval")).samples or []
    ]
    read = open_log(str(tmp_path / "ids.eval")).samples()
    assert [(sample["id"], sample["epoch"]) for sample in read] == theirs
    assert theirs[0] == (9, 1)


def test_of_a_sample_logged_twice_the_last_is_read(log: str, tmp_path: Path) -> None:
    again = str(shutil.copy(log, tmp_path / "again.eval"))
    with zipfile.ZipFile(log) as source, zipfile.ZipFile(again, "a") as archive:
        name = next(n for n in source.namelist() if n.startswith("samples/"))
        changed = source.read(name).replace(b'"words_by_score":{', b'"words_by_score":{"77":7,')
        archive.writestr(name, changed)
    run = read_run(again)
    assert len(run.measurements) == 24
    assert sum(77 in (m.words_by_score or {}) for m in run.measurements) == 1


def test_transcripts_are_never_parsed(
    log: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = read_run(log).measurements
    cut = rewritten(
        log,
        tmp_path / "cut.eval",
        lambda _, content: content.partition(b',"events":[')[0] + b',"events":[broken',
    )
    monkeypatch.setattr("inspect_ai.log._log.EvalSample.model_validate", pytest.fail)
    assert read_run(cut).measurements == expected


def test_a_sample_in_any_layout_is_read_whole(log: str, tmp_path: Path) -> None:
    """Reading stops before a sample's events only where all that is wanted comes before them."""

    def laid_out(name: str, content: bytes) -> bytes:
        sample = json.loads(content)
        events = {"events": sample.pop("events")}
        nested = {"id": sample.pop("id"), "more": {"x": 1, "events": [1]}, **sample}
        laid = ({"id": nested["id"]} | events | sample, nested | events)[len(name) % 2]
        return json.dumps(laid, separators=(",", ":")).encode()

    assert read_run(rewritten(log, tmp_path / "laid.eval", laid_out)).measurements == (
        read_run(log).measurements
    )


def test_half_a_surrogate_pair_is_read(log: str, tmp_path: Path) -> None:
    def halved(_: str, content: bytes) -> bytes:
        return content.replace(
            b'"responses_by_score":{"1":"', b'"responses_by_score":{"1":"\\ud83d'
        )

    whole = rewritten(log, tmp_path / "half.eval", halved)
    assert all(answered.texts[1].startswith("\ud83d") for answered in answers(open_log(whole)))
    assert read_run(whole).measurements == read_run(log).measurements


def test_the_texts_are_those_that_were_written(log: str) -> None:
    read = {answered.source.id: answered for answered in answers(open_log(log))}
    for sample in read_eval_log(log).samples or []:
        responses, cut_off = written_responses(sample.store)
        assert read[str(sample.id)].responses == responses
        assert list(read[str(sample.id)].cut_off) == cut_off
        assert read[str(sample.id)].source.model_dump(mode="json") == sample.metadata


def test_a_log_at_an_address_is_read(log: str) -> None:
    import fsspec

    with fsspec.open("memory://logs/run.eval", "wb") as file:
        file.write(Path(log).read_bytes())
    run = read_run("memory://logs/run.eval")
    assert run.file == "memory://logs/run.eval"
    assert run.measurements == read_run(log).measurements


def test_the_header_of_a_log_in_json_may_hold_nan(log: str, tmp_path: Path) -> None:
    whole = read_eval_log(log)
    assert whole.results is not None
    whole.results.scores[0].metrics["rouge1"].value = float("nan")
    write_eval_log(whole, str(tmp_path / "nan.json"), format="json")
    run = inspect_run(open_log(str(tmp_path / "nan.json")))
    assert run.metrics["rouge1"] is None
    assert run.metrics["tau_generation_length"] is not None


# Which score -------------------------------------------------------------------------------------


def test_of_several_scores_one_is_to_be_named(log: str, tmp_path: Path) -> None:
    appended = score(
        read_eval_log(log), factor_profile(task="summarization", factors="length"), action="append",
        display="none",
    )  # fmt: skip
    file = str(tmp_path / "two.eval")
    write_eval_log(appended, file)
    with pytest.raises(ValueError, match=r"two\.eval: holds several scores; name one") as error:
        read_run(file)
    names = str(error.value).split("(--score): ")[1].split(", ")
    assert names[0] == "factor_profile"
    assert read_run(file, names[0]).measurements == read_run(log).measurements
    assert read_run(file, names[1]).measurements[0].factors == ("length",)
    # Of the header alone, which a board reads, the last one counts.
    assert inspect_run(open_log(file)).score == names[1]


def test_an_unknown_score_is_refused_with_those_there_are(log: str) -> None:
    for read in (read_run, lambda *given: inspect_run(open_log(given[0]), given[1])):
        with pytest.raises(ValueError, match="no sample has a score 'other'; it holds: factor_pro"):
            read(log, "other")


def test_a_log_of_another_scorer_is_refused(tmp_path: Path) -> None:
    (other,) = inspect_eval(
        Task(dataset=[Sample(input="x", target="x")], solver=[], scorer=includes()),
        model="planted/verbose", log_dir=str(tmp_path), display="none", log_realtime=False,
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"no sample has a score of profile_tasks/factor_pro"):
        read_run(other.location)


def test_a_run_that_was_cut_off_is_read_by_its_scorer(log: str, tmp_path: Path) -> None:
    whole = read_eval_log(log)
    whole.status, whole.results, whole.samples = "error", None, (whole.samples or [])[:5]
    write_eval_log(whole, str(tmp_path / "cut.eval"))
    run = read_run(str(tmp_path / "cut.eval"))
    assert (run.status, run.score, run.metrics) == ("error", "factor_profile", {})
    assert len(run.measurements) == 5


def test_a_log_without_samples_has_a_score_and_no_measurements(log: str, tmp_path: Path) -> None:
    whole = read_eval_log(log)
    whole.samples = None
    file = str(tmp_path / "header.json")
    write_eval_log(whole, file, format="json")
    assert score_name(open_log(file)) == "factor_profile"
    with pytest.raises(ValueError, match="no sample has a score of profile_tasks/factor_profile"):
        read_run(file)


# What older versions meant otherwise --------------------------------------------------------------

JUDGE = "alignment_discrimination_pearson"


def test_an_older_log_reports_what_its_samples_give_today(
    older_log: Path, inspect_log: Any
) -> None:
    run = inspect_run(open_log(str(older_log)))
    today = inspect_run(open_log(str(inspect_log("verbose", own_pairs=False))))
    assert run.metrics == today.metrics
    assert run.profile == today.profile
    assert today.restated is None
    assert run.restated is not None
    assert run.restated.startswith("the log is of an older version (task version 2), whose inter")
    assert run.restated.endswith("all is computed anew from its samples")


def test_without_samples_an_older_log_keeps_what_it_meant_as_today(
    older_log: Path, tmp_path: Path
) -> None:
    whole = read_eval_log(str(older_log))
    whole.samples = None
    write_eval_log(whole, str(tmp_path / "header.json"), format="json")
    run = inspect_run(open_log(str(tmp_path / "header.json")))
    assert run.profile == {}
    kept = {JUDGE, "flip_rate", "tau_human_length_p_adjusted", "rank_human_length_ci_low"}
    assert kept <= run.metrics.keys()
    gone = {f"{JUDGE}_ci_low", f"{JUDGE}_p_value", f"{JUDGE}_ceiling", "flip_rate_ci_high"}
    assert not gone & run.metrics.keys()
    assert run.restated is not None
    assert run.restated.endswith("left out, since no samples give them anew")


def test_a_log_that_was_scored_again_reports_all_that_it_did_before(
    inspect_log: Any, tmp_path: Path
) -> None:
    """``inspect score`` leaves the printed metrics alone, without intervals, tests and ranks."""
    before = str(inspect_log("verbose"))
    again = score(read_eval_log(before), factor_profile(), action="overwrite", display="none")
    write_eval_log(again, str(tmp_path / "again.eval"))
    run, expected = (inspect_run(open_log(f)) for f in (str(tmp_path / "again.eval"), before))
    assert (run.metrics, run.profile) == (expected.metrics, expected.profile)
    assert run.restated is None


# What is no log ----------------------------------------------------------------------------------


def test_a_missing_log_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.eval"
    with pytest.raises(FileNotFoundError, match=f"{missing}: there is no such log"):
        open_log(str(missing))
    with pytest.raises(ValueError, match=f"{tmp_path}: a folder; name the logs in it"):
        open_log(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.eval", "text"),
        ("a.eval", ""),
        ("a.txt", "text"),
        ("a.json", "{"),
        ("a.json", "[1]"),
        ("a.json", "{}"),
        ("a.json", '{"eval": {}, "status": "success"}'),
    ],
)
def test_what_is_no_log_is_named(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=f"{tmp_path / name}: not an Inspect log") as error:
        open_log(str(tmp_path / name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("share", [0.2, 0.7, 0.99])
def test_a_truncated_log_is_named(log: str, tmp_path: Path, share: float) -> None:
    content = Path(log).read_bytes()
    (tmp_path / "cut.eval").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"cut\.eval: not an Inspect log"):
        open_log(str(tmp_path / "cut.eval"))


def test_a_damaged_sample_is_named(log: str, tmp_path: Path) -> None:
    content = bytearray(Path(log).read_bytes())
    content[30_000:34_000] = bytes(4_000)
    (tmp_path / "damaged.eval").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"damaged\.eval: a damaged log, or one of another version"
    ):
        read_run(str(tmp_path / "damaged.eval"))


def test_a_measurement_of_another_version_is_named_in_one_line(log: str, tmp_path: Path) -> None:
    older = rewritten(
        log, tmp_path / "older.eval", lambda _, content: content.replace(b'"annotated":', b'"old":')
    )
    with pytest.raises(ValueError, match="one of another version of profile-tasks") as error:
        read_run(older)
    assert "\n" not in str(error.value)


def test_what_is_read_does_not_grow_with_the_log(log: str, tmp_path: Path) -> None:
    """Samples come one at a time: the first is there before the last, broken one is looked at."""
    names = sorted(n for n in zipfile.ZipFile(log).namelist() if n.startswith("samples/"))
    broken = rewritten(
        log, tmp_path / "broken.eval", lambda name, content: b"{" if name == names[-1] else content
    )
    samples = open_log(broken).samples()
    assert [next(samples)["id"] for _ in range(len(names) - 1)]
    with pytest.raises(ValueError, match="a damaged log"):
        next(samples)
