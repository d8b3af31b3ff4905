"""Runs of shards: merged, they are the run of all the data; where they are not, it is told."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalLog, read_eval_log, read_eval_log_sample_summaries, write_eval_log

from profile_tasks.data.shards import Split, read_split
from profile_tasks.runs.inspect_log import inspect_run, open_log, read_run
from profile_tasks.runs.merged import shard_logs, write_merged
from profile_tasks.runs.signature import signature

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

N = 3
RUNS: dict[str, dict[str, Any]] = {
    "verbose": {"profile": "verbose"},
    "graded": {
        "profile": "concise",
        "grader": "planted/grader",
        "setting": "discrimination",
        "factors": "length,fluency",
    },
    "audit": {"profile": "verbose", "task": "summarization_judge_audit", "probes": "position"},
    "feedback": {"profile": "verbose", "task": "summarization_feedback", "condition": "none"},
}


@pytest.fixture(scope="session")
def split(shards: Path) -> Split:
    return read_split(shards)


def content(log: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(log) as archive:
        assert len(archive.namelist()) == len({*archive.namelist()})
        return {name: archive.read(name) for name in archive.namelist()}


def changed(log: str, target: Path, change: Callable[[EvalLog], object]) -> str:
    """A copy of a log that is changed; the header alone is written."""
    shutil.copy(log, target)
    header = read_eval_log(str(target), header_only=True)
    change(header)
    write_eval_log(header, str(target), header_only=True)
    return str(target)


@pytest.mark.parametrize("which", RUNS)
def test_the_numbers_are_those_of_one_run(which: str, merged_log: Any, inspect_log: Any) -> None:
    whole = read_eval_log(str(inspect_log(**RUNS[which])), header_only=True)
    joined = read_eval_log(str(merged_log(**RUNS[which])), header_only=True)
    assert whole.results is not None
    assert joined.results is not None
    assert joined.results.headline == whole.results.headline
    for ours, theirs in zip(joined.results.scores, whole.results.scores, strict=True):
        assert list(ours.metrics) == list(theirs.metrics)
        values = ({n: each.value for n, each in s.metrics.items()} for s in (ours, theirs))
        assert next(values) == pytest.approx(next(values), rel=1e-12, nan_ok=True)
        assert ours.model_dump(exclude={"metrics"}) == theirs.model_dump(exclude={"metrics"})
    (score, *_) = whole.results.scores
    assert len(score.metrics) > 5


def test_it_is_the_log_of_a_run_of_all_the_data(merged_log: Any, inspect_log: Any) -> None:
    there, log = inspect_log("verbose"), merged_log("verbose")
    whole, joined = inspect_run(open_log(str(there))), inspect_run(open_log(str(log)))
    assert signature(joined) == signature(whole)
    assert (joined.conditions, joined.settings) == (whole.conditions, whole.settings)
    assert (joined.metrics, joined.profile) == (whole.metrics, whole.profile)
    assert "of 3 shards" not in str(whole.described)
    assert joined.described["merged of shards"] == N
    assert read_run(str(log)).measurements == read_run(str(there)).measurements


def test_inspect_reads_it_as_its_own(merged_log: Any, inspect_log: Any) -> None:
    whole, log = read_eval_log(str(inspect_log("verbose"))), merged_log("verbose")
    read = read_eval_log(str(log))
    assert [sample.id for sample in read.samples or []] == [s.id for s in whole.samples or []]
    assert all(sample.events for sample in read.samples or [])
    summaries = read_eval_log_sample_summaries(str(log))
    assert {each.id for each in summaries} == {sample.id for sample in read.samples or []}
    assert sorted(map(str, read.eval.dataset.sample_ids or [])) == sorted(
        map(str, whole.eval.dataset.sample_ids or [])
    )
    assert read.stats.model_usage == whole.stats.model_usage
    assert content(log).keys() >= {"header.json", "summaries.json", "_journal/start.json"}


@pytest.mark.parametrize("stopped_at", [1, 20])
def test_a_merge_that_is_stopped_leaves_nothing(
    stopped_at: int, shard_runs: Any, split: Split, tmp_path: Path
) -> None:
    done = 0

    def stop() -> None:
        nonlocal done
        done += 1
        if done == stopped_at:
            raise KeyboardInterrupt

    there = shard_logs(shard_runs("verbose"), split)
    with pytest.raises(KeyboardInterrupt):
        write_merged(there, split, tmp_path / "merged.eval", stop)
    assert list(tmp_path.iterdir()) == []


def test_merged_again_in_any_order_it_is_the_same(
    merged_log: Any, shard_runs: Any, split: Split, tmp_path: Path
) -> None:
    logs = shard_logs(shard_runs("verbose")[::-1], split)
    write_merged(logs, split, tmp_path / "again.eval")
    assert content(tmp_path / "again.eval") == content(merged_log("verbose"))


# What is refused ----------------------------------------------------------------------------------


def test_a_lost_shard_is_named(shard_runs: Any, split: Split) -> None:
    with pytest.raises(ValueError, match=r"^no log of 1 of 3 shards: demo-2-of-3\.jsonl; run them"):
        shard_logs([shard_runs("verbose")[0], shard_runs("verbose")[2]], split)


def test_a_shard_that_was_run_twice_is_named(shard_runs: Any, split: Split, tmp_path: Path) -> None:
    again = str(shutil.copy(shard_runs("verbose")[1], tmp_path / "again.eval"))
    with pytest.raises(
        ValueError, match=r"shard demo-2-of-3\.jsonl has 2 logs, .+ and .+again\.ev"
    ):
        shard_logs([*shard_runs("verbose"), again], split)


def test_a_run_of_no_shard_is_named(shard_runs: Any, split: Split, inspect_log: Any) -> None:
    of_all = str(inspect_log("verbose"))
    with pytest.raises(
        ValueError, match=r"a run of other data, demo#\w+, than any of the 3 shards"
    ):
        shard_logs([*shard_runs("verbose"), of_all], split)
    less = split.model_copy(update={"shards": split.shards[:2]})
    with pytest.raises(ValueError, match=r"demo-3-of-3.jsonl#\w+, than any of the 2 shards"):
        shard_logs(shard_runs("verbose"), less)


def test_an_unfinished_run_is_named_with_what_goes_on_with_it(
    shard_runs: Any, split: Split, tmp_path: Path
) -> None:
    first, second, third = shard_runs("verbose")
    stopped = changed(
        second, tmp_path / "stopped.eval", lambda log: setattr(log, "status", "cancelled")
    )
    with pytest.raises(
        ValueError, match=r"stopped\.eval: an unfinished run .*`inspect eval-retry .*stopped\.eval`"
    ):
        shard_logs([first, stopped, third], split)
    # Beside the run that took its place it may stay.
    assert len(shard_logs([first, stopped, second, third], split)) == N


def test_a_run_of_some_of_a_shard_is_named(shard_runs: Any, split: Split, tmp_path: Path) -> None:
    first, second, third = shard_runs("verbose")

    def limited(log: EvalLog) -> None:
        assert log.results is not None
        log.results.total_samples = 2

    some = changed(first, tmp_path / "some.eval", limited)
    with pytest.raises(ValueError, match=r"some\.eval: a run of 2 of the \d+ samples .*--limit"):
        shard_logs([some, second, third], split)


CHANGES: dict[str, Callable[[EvalLog], object]] = {
    "model is 'planted/other' here and 'planted/verbose' there": lambda log: setattr(
        log.eval, "model", "planted/other"
    ),
    "task version is 3 here and 4 there": lambda log: setattr(log.eval, "task_version", 3),
    "temperature is 0.5 here and None there": lambda log: setattr(
        log.eval.model_generate_config, "temperature", 0.5
    ),
    "orders is 1 here and 2 there": lambda log: (log.eval.metadata or {})["settings"].update(
        orders=1
    ),
    "prompt_version is 1 here and 2 there": lambda log: (log.eval.metadata or {}).update(
        prompt_version=1
    ),
    r"run with another model argument \(-M\) than": lambda log: log.eval.model_args.update(
        api_key="secret"
    ),
}


@pytest.mark.parametrize("told", CHANGES)
def test_a_shard_that_was_run_otherwise_is_named(
    told: str, shard_runs: Any, split: Split, tmp_path: Path
) -> None:
    first, second, third = shard_runs("verbose")
    other = changed(second, tmp_path / "other.eval", CHANGES[told])
    with pytest.raises(ValueError, match=told) as refused:
        shard_logs([first, other, third], split)
    assert "other.eval" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_how_requests_were_sent_may_differ(shard_runs: Any, split: Split, tmp_path: Path) -> None:
    def batched(log: EvalLog) -> None:
        log.eval.model_generate_config.batch = True
        log.eval.model_generate_config.max_connections = 2

    first, *others = shard_runs("verbose")
    assert len(shard_logs([changed(first, tmp_path / "sent.eval", batched), *others], split)) == N


def test_a_log_in_json_is_named(shard_runs: Any, split: Split, tmp_path: Path) -> None:
    write_eval_log(
        read_eval_log(shard_runs("verbose")[0]), str(tmp_path / "log.json"), format="json"
    )
    with pytest.raises(ValueError, match=r"log\.json: a log in JSON; `inspect log convert --to ev"):
        shard_logs([str(tmp_path / "log.json")], split)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (None, r"damaged\.eval: holds \d+ of its \d+ samples; run the shard again"),
        (b'{"id": 1', r"damaged\.eval: a damaged log"),
    ],
)
def test_a_sample_that_is_gone_or_broken_stops_the_merge(
    damage: bytes | None, told: str, shard_runs: Any, split: Split, tmp_path: Path
) -> None:
    first, second, third = shard_runs("verbose")
    broken = tmp_path / "damaged.eval"
    with zipfile.ZipFile(second) as source, zipfile.ZipFile(broken, "w") as copy:
        last = next(name for name in source.namelist()[::-1] if name.startswith("samples/"))
        for name in source.namelist():
            if name != last:
                copy.writestr(name, source.read(name))
            elif damage is not None:
                copy.writestr(name, damage)
    target = tmp_path / "merged.eval"
    there = shard_logs([first, str(broken), third], split)
    with pytest.raises(ValueError, match=told):
        write_merged(there, split, target)
    assert list(tmp_path.iterdir()) == [broken]


def test_a_source_in_two_shards_stops_the_merge(
    shard_runs: Any, split: Split, tmp_path: Path
) -> None:
    first, second, third = shard_runs("verbose")
    twice = tmp_path / "twice.eval"
    with (
        zipfile.ZipFile(first) as other,
        zipfile.ZipFile(second) as source,
        zipfile.ZipFile(twice, "w") as copy,
    ):
        theirs = next(name for name in other.namelist() if name.startswith("samples/"))
        ours = next(name for name in source.namelist() if name.startswith("samples/"))
        for name in source.namelist():
            of_the_first = name == ours
            copy.writestr(
                theirs if of_the_first else name,
                (other if of_the_first else source).read(theirs if of_the_first else name),
            )
    with pytest.raises(
        ValueError, match=r"twice\.eval: sample 'samples/.*' stands in .* too; no so"
    ):
        write_merged(shard_logs([first, str(twice), third], split), split, tmp_path / "m.eval")
