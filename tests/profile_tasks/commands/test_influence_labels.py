"""``profile-tasks influence --human-labels``: recorded grades corrected by human labels."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

Run = Callable[..., Result]

LABELS = """
version: 1
data_sets:
  pairs:
    - {label: flow, factor: coherence, direction: same, kind: pairwise}
    - {label: order, factor: coherence, direction: same, kind: pairwise}
    - {label: blunders, factor: charm, direction: opposite, kind: values, tolerance: 0}
"""
TRUE = 0.5
"""Influence of both factors, were they free of error."""


def rows(n: int = 200, labelled: int = 60, error: float = 0.25) -> Iterator[dict[str, Any]]:
    """Three pairs a source with a grade of two factors each; people label some of the sources."""
    rng = np.random.default_rng(0)
    people = set(rng.permutation(n)[:labelled].tolist())
    for source in range(n):
        for number in range(3):
            preference = rng.choice([1, -1])
            true = preference * rng.choice([1, -1], p=[(1 + TRUE) / 2, (1 - TRUE) / 2])
            grade = -true if rng.random() < error else true
            column: dict[str, Any] = {
                "a": {"coherence": int(grade > 0), "charm": int(grade)},
                "b": {"coherence": int(grade < 0), "charm": 0},
            }
            if source in people:
                column["pairwise"] = {"flow": "a" if true > 0 else "b"}
                column["a"]["blunders"], column["b"]["blunders"] = 0, int(true)
            yield {
                "id": f"{source}-{number}",
                "task": "summarization",
                "prompt": "Summarize.",
                "source": f"The ferry of {source} left at nine.",
                "response_a": "It left at nine, the ferry.",
                "response_b": "It left.",
                "preference": "a" if preference > 0 else "b",
                "group": f"g{source}",
                "factors": column,
            }


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Files of pairs and of the mapping."""

    def written(*, labels: str = LABELS, **options: Any) -> tuple[Path, Path]:
        pairs, mapping = tmp_path / "pairs.jsonl", tmp_path / "labels.yaml"
        pairs.write_text("\n".join(map(json.dumps, rows(**options))), encoding="utf-8")
        mapping.write_text(labels, encoding="utf-8")
        return pairs, mapping

    return written


def influence(run: Run, pairs: Path, factors: str, *options: object) -> dict[str, Any]:
    arguments = ("--factors", factors, "--format", "json", "--replicates", 100, *options)
    return json.loads(run("influence", pairs, *arguments).stdout)


def test_the_corrected_influence_stands_beside_that_of_the_grades(run: Run, written: Any) -> None:
    pairs, mapping = written()
    before = influence(run, pairs, "length,coherence")
    found = influence(run, pairs, "length,coherence", "--human-labels", mapping)
    for factor, values in before["factors"].items():  # what stood there stays
        assert values == {name: found["factors"][factor][name] for name in values}
    graded = found["factors"]["coherence"]
    assert graded["ci_high"] < TRUE
    assert graded["corrected_ci_low"] < TRUE < graded["corrected_ci_high"]
    assert graded["labels_alone_ci_low"] < TRUE < graded["labels_alone_ci_high"]
    assert 0 < graded["corrected_weight"] < 1
    corrected, plain = (
        graded[f"{name}ci_high"] - graded[f"{name}ci_low"] for name in ("corrected_", "")
    )
    assert graded["corrected_cost"] == pytest.approx(corrected / plain)
    assert graded["corrected_cost"] > 1
    assert (graded["n_labelled"], graded["n_labelled_groups"]) == (180, 60)
    # Of the two labels the first counts.
    assert found["human_labels"]["labels"] == {"coherence": "flow"}
    assert found["human_labels"]["cautions"] == []
    computed = found["factors"]["length"]
    assert computed["corrected"] is None
    assert computed["corrected_reason"] == "no human label is one of it"


def test_people_read_both_and_what_is_assumed(run: Run, written: Any) -> None:
    pairs, mapping = written()
    shown = run(
        "influence", pairs, "--factors", "length,coherence", "--human-labels", mapping
    ).stdout
    assert "corrected [95 %]" in shown
    assert "180 in 60 groups" in shown
    assert "coherence: corrected by the label 'flow'; beside the labels its grades count" in shown
    assert "the labelled groups are a random sample of all" in shown
    assert "length, corrected" not in shown


def test_a_factor_that_the_data_alone_know_may_have_labels_in_numbers(
    run: Run, written: Any
) -> None:
    pairs, mapping = written()
    found = influence(run, pairs, "charm", "--human-labels", mapping)["factors"]["charm"]
    assert found["corrected_ci_low"] < TRUE < found["corrected_ci_high"]
    assert found["n_labelled"] == 180


def test_too_few_labelled_sources_correct_nothing_and_say_why(run: Run, written: Any) -> None:
    pairs, mapping = written(labelled=5)
    options = ("--factors", "coherence", "--human-labels", mapping)
    shown = run("influence", pairs, *options).stdout
    assert "coherence, corrected: labelled groups: 5; a correction needs at least" in shown
    found = json.loads(run("influence", pairs, *options, "--format", "json").stdout)
    assert found["factors"]["coherence"]["corrected"] is None
    assert found["factors"]["coherence"]["tau"] is not None


def test_labels_where_the_grades_are_others_are_cautioned_against(
    run: Run, written: Any, tmp_path: Path
) -> None:
    _, mapping = written()
    chosen = list(rows(labelled=200))
    favourable = {
        row["group"]
        for row in chosen
        if (row["factors"]["a"]["coherence"] == 1) == (row["preference"] == "a")
    }
    against = {row["group"] for row in chosen} - favourable
    for row in chosen:
        if row["group"] not in against:
            continue
        del row["factors"]["pairwise"]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, chosen)), encoding="utf-8")
    shown = run(
        "influence", tmp_path / "pairs.jsonl", "--factors", "coherence", "--human-labels", mapping
    ).stdout
    assert "correction: coherence: the grades have an influence of" in shown


def test_a_judges_verdicts_are_corrected_alike(run: Run, written: Any, tmp_path: Path) -> None:
    _, mapping = written()
    judged = [{**row, "judge_gpt": row["preference"]} for row in rows()]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, judged)), encoding="utf-8")
    options = ("--human-labels", mapping)
    people = influence(run, path, "coherence", *options)
    judge = influence(run, path, "coherence", *options, "--preference-column", "judge_gpt")
    assert judge["judge"] == "judge_gpt"
    assert judge["factors"]["coherence"]["corrected"] == people["factors"]["coherence"]["corrected"]


def test_labels_that_are_the_grades_themselves_are_refused(run: Run, written: Any) -> None:
    itself = "{label: charm, factor: charm, direction: same, kind: values, tolerance: 0}"
    pairs, mapping = written(labels=f"version: 1\ndata_sets: {{pairs: [{itself}]}}")
    result = run("influence", pairs, "--factors", "charm", "--human-labels", mapping, exit_code=2)
    assert "pairs.jsonl: factor 'charm' is its own label" in result.output
    assert "--factors-column" in result.output


@pytest.mark.parametrize(
    ("factors", "mapping", "problem"),
    [
        ("length", None, "of data set 'pairs' there are labels of pairs for these factors: "
         "coherence, charm; and grades for these: none"),
        ("coherence", "packaged", "the packaged mapping has no labels for data set 'pairs'"),
        ("coherence", "absent.yaml", "absent.yaml: cannot be read"),
    ],
)  # fmt: skip
def test_what_there_is_no_label_for_is_refused_with_the_remedy(
    run: Run, written: Any, factors: str, mapping: str | None, problem: str
) -> None:
    pairs, own = written()
    options = ("--factors", factors, "--human-labels", mapping or own)
    assert problem in run("influence", pairs, *options, exit_code=2).output


def test_ratings_that_the_preference_is_computed_from_are_called_circular(
    run: Run, shared_data: Path, tmp_path: Path
) -> None:
    text = (shared_data / "summeval.jsonl").read_text(encoding="utf-8")
    graded = [
        row | {"grades": {side: row["factors"][side] for side in "ab"}}
        for row in map(json.loads, text.splitlines())
    ]
    for row in graded[::2]:  # a grader that errs
        row["grades"] = {"a": row["grades"]["b"], "b": row["grades"]["a"]}
    path = tmp_path / "graded.jsonl"
    path.write_text("\n".join(map(json.dumps, graded)), encoding="utf-8")
    shown = run(
        "influence", path, "--factors", "coherence", "--factors-column", "grades",
        "--human-labels", "packaged",
    ).stdout  # fmt: skip
    assert "correction: the recorded preference is computed from these same human ratings" in shown


def test_a_gate_holds_the_corrected_influence_to_bars(
    run: Run, written: Callable[..., tuple[Path, Path]], tmp_path: Path
) -> None:
    pairs, mapping = written()
    options = ("--factors", "coherence,charm", "--human-labels", mapping, "--format", "json")
    file = tmp_path / "influence.json"
    file.write_text(run("influence", pairs, *options).stdout, encoding="utf-8")
    found = json.loads(file.read_text(encoding="utf-8"))["factors"]["coherence"]
    bars = {
        # The grades err in a quarter of the pairs, so that their influence is half the true one.
        "tau_human_coherence >= 0.4 with 95% confidence": "missed",
        "corrected_human_coherence >= 0.2 with 95% confidence": "met",
        f"corrected_human_coherence >= {found['corrected']}": "met",
        f"labels_alone_human_coherence <= {found['labels_alone_ci_high']} with 95% confidence": (
            "met"
        ),
        "corrected_human_coherence - tau_human_coherence >= 0 with 95% confidence": "cannot tell",
        "corrected_human_coherence >= 0 with 99% confidence": "cannot tell",
    }
    (tmp_path / "bars.yaml").write_text(json.dumps({"version": 1, "bars": list(bars)}))
    done = run(*("gate", file, "--bars", tmp_path / "bars.yaml", "--format", "json"), exit_code=1)
    verdicts = json.loads(done.stdout)["verdicts"]
    assert [verdict["outcome"] for verdict in verdicts] == list(bars.values())
    assert "holds no samples" in verdicts[4]["why"]
    assert "only its 95 % interval is reported" in verdicts[5]["why"]
