"""The embedded data are what their README says, and natural enough to show the method on."""

import json
import re
from itertools import combinations, permutations
from pathlib import Path
from statistics import median

import pytest

from profile_tasks.data.preferences import AnnotatedSource, load_preferences
from profile_tasks.data.task_definition import packaged_tasks

STYLES = {
    "summarization": {"extractive", "abstractive"},
    "instruction_following": {"direct", "wordy"},
    "document_qa": {"extractive", "abstractive"},
}
COUNTED = {"dialogue": "context_misses", "code_review": "wrong_claims"}
"""The tasks with smaller files, and the factor that these record."""

every_task = pytest.mark.parametrize("task", STYLES)
every_smaller_task = pytest.mark.parametrize("task", COUNTED)
every_file = pytest.mark.parametrize("task", packaged_tasks())


def test_every_packaged_task_has_data() -> None:
    assert {*STYLES, *COUNTED} == {*packaged_tasks()}


def sources_of(task: str) -> tuple[AnnotatedSource, ...]:
    return load_preferences("demo", task=task).sources


def words(text: str) -> int:
    return len(text.split())


def makes_of(source: AnnotatedSource) -> dict[str, str]:
    """The make of each response of a source."""
    return {
        text: str(pair.extra[f"system_{side}"])
        for pair in source.pairs
        for side, text in (("a", pair.response_a), ("b", pair.response_b))
    }


def responses_of(task: str) -> list[tuple[str, list[str]]]:
    """Every response with the parts of its make: length, style, faithfulness, format."""
    return [
        (text, make.split("-"))
        for source in sources_of(task)
        for text, make in makes_of(source).items()
    ]


@every_task
def test_twenty_four_sources_have_all_six_pairs_of_four_responses(task: str) -> None:
    sources = sources_of(task)
    assert len(sources) == len({source.group for source in sources}) == 24
    for source in sources:
        texts = makes_of(source)
        assert len(texts) == 4
        pairs = {frozenset((pair.response_a, pair.response_b)) for pair in source.pairs}
        assert pairs == {frozenset(two) for two in combinations(texts, 2)}
        assert len(source.pairs) == 6
        assert source.task == task


@every_task
def test_what_a_task_works_on_is_there(task: str) -> None:
    sources = sources_of(task)
    assert len({source.prompt for source in sources}) == 24
    with_text = [words(source.source) for source in sources if source.source is not None]
    assert all(60 <= length <= 400 for length in with_text)
    if task == "instruction_following":
        assert 0 < len(with_text) < 24  # both with an input and without
        return
    assert len(with_text) == 24
    assert all(source.reference and words(source.reference) >= 15 for source in sources)


@every_task
def test_responses_are_of_natural_lengths(task: str) -> None:
    lengths = {"short": [], "long": []}
    for text, (length, *_) in responses_of(task):
        lengths[length].append(words(text))
    assert all(12 <= n <= 60 for n in lengths["short"])
    assert all(60 < n <= 200 for n in lengths["long"])
    assert 2 <= median(lengths["long"]) / median(lengths["short"]) <= 5


@every_task
def test_every_make_is_there_and_balanced_against_the_others(task: str) -> None:
    makes = [tuple(make) for _, make in responses_of(task)]
    assert len(makes) == 96
    axes = [{"short", "long"}, STYLES[task], {"faithful", "invented"}, {"plain", "formatted"}]
    assert [set(parts) for parts in zip(*makes, strict=True)] == axes
    assert len(set(makes)) == 16
    # Whatever one property is, each other one is spread as it is overall.
    for i, j in permutations(range(4), 2):
        for value in axes[i]:
            chosen = [make for make in makes if make[i] == value]
            for other in axes[j]:
                share = sum(make[j] == other for make in chosen) / len(chosen)
                assert share == pytest.approx(sum(make[j] == other for make in makes) / 96)


@every_task
def test_formatted_responses_are_formatted_and_plain_ones_are_not(task: str) -> None:
    for text, (*_, form) in responses_of(task):
        marked = re.search(r"^#+ |\*\*.+?\*\*|^[-*] |^\d+\. ", text, re.MULTILINE)
        assert (marked is not None) == (form == "formatted"), text


@every_task
def test_invented_facts_are_counted_where_the_make_says_so(task: str) -> None:
    counts = []
    for source in sources_of(task):
        for pair in source.pairs:
            for side, factors in (("a", pair.factors_a), ("b", pair.factors_b)):
                invented = factors["invented_facts"]
                assert (invented in (1, 2)) == ("-invented-" in str(pair.extra[f"system_{side}"]))
                assert (invented == 0) == ("-faithful-" in str(pair.extra[f"system_{side}"]))
                counts.append(invented)
    assert set(counts) == {0, 1, 2}


@every_task
def test_a_response_has_the_same_make_and_count_in_all_its_pairs(task: str) -> None:
    for source in sources_of(task):
        seen = {
            (text, pair.extra[f"system_{side}"], factors["invented_facts"])
            for pair in source.pairs
            for side, text, factors in (
                ("a", pair.response_a, pair.factors_a),
                ("b", pair.response_b, pair.factors_b),
            )
        }
        assert len(seen) == 4


@pytest.mark.parametrize("task", ["summarization", "document_qa"])
def test_extractive_responses_copy_more_of_the_source(task: str) -> None:
    copied: dict[str, list[float]] = {"extractive": [], "abstractive": []}
    for source in sources_of(task):
        text_words = (source.source or "").split()
        known = set(zip(text_words, text_words[1:], text_words[2:], strict=False))
        for text, make in makes_of(source).items():
            own = text.split()
            threes = list(zip(own, own[1:], own[2:], strict=False))
            copied[make.split("-")[1]].append(sum(three in known for three in threes) / len(threes))
    assert median(copied["extractive"]) > 0.6
    assert median(copied["abstractive"]) < 0.2


@every_task
def test_labels_lean_towards_faithful_responses_but_not_always(task: str) -> None:
    won = {True: 0, False: 0}
    for source in sources_of(task):
        for pair in source.pairs:
            invented = (
                pair.factors_a["invented_facts"] or 0,
                pair.factors_b["invented_facts"] or 0,
            )
            if pair.preference != "tie" and (invented[0] > 0) != (invented[1] > 0):
                won[(invented[0] == 0) == (pair.preference == "a")] += 1
    assert won[True] > won[False] > 0


@every_task
def test_preferences_within_a_source_rarely_run_in_a_circle(task: str) -> None:
    circles = 0
    for source in sources_of(task):
        beats = {
            (pair.response_a, pair.response_b)[:: 1 if pair.preference == "a" else -1]
            for pair in source.pairs
            if pair.preference != "tie"
        }
        for x, y, z in combinations(makes_of(source), 3):
            circles += {(x, y), (y, z), (z, x)} <= beats or {(y, x), (z, y), (x, z)} <= beats
    # A careful reader may contradict herself now and then; chance would give about eighteen.
    assert circles <= 3


@every_file
def test_the_first_place_is_not_favoured(task: str) -> None:
    preferences = [pair.preference for source in sources_of(task) for pair in source.pairs]
    decided = len(preferences) - preferences.count("tie")
    assert 0.4 <= preferences.count("a") / decided <= 0.6


@every_file
def test_the_readme_tells_the_true_counts(task: str, repository: Path) -> None:
    readme = (repository / "profile_tasks" / "data" / "demo" / "README.md").read_text(
        encoding="utf-8"
    )
    (line,) = [line for line in readme.splitlines() if line.startswith(f"| {task} |")]
    pairs = [pair for source in sources_of(task) for pair in source.pairs]
    counts = [sum(pair.preference == side for pair in pairs) for side in ("a", "b", "tie")]
    longer_preferred = [
        (words(pair.response_a) > words(pair.response_b)) == (pair.preference == "a")
        for pair in pairs
        if pair.preference != "tie" and words(pair.response_a) != words(pair.response_b)
    ]
    assert line == (
        f"| {task} | {len(pairs)} | {' / '.join(map(str, counts))} "
        f"| {sum(longer_preferred)} of {len(longer_preferred)} |"
    )


@every_task
def test_the_files_are_plain_text_with_unique_ids(task: str, repository: Path) -> None:
    path = repository / "profile_tasks" / "data" / "demo" / f"{task}.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows) == 144
    assert all(row["id"].startswith(row["group"] + "-") for row in rows)
    assert all(row["origin"] == "demo" and row["group"].startswith("demo:") for row in rows)
    for row in rows:
        for text in (row["prompt"], row["source"], row["response_a"], row["response_b"]):
            assert text is None or text == text.strip()
            assert not re.search(r"  |\b(\w{2,}) \1\b", text or ""), text


@every_smaller_task
def test_twelve_sources_have_all_pairs_of_three_responses(task: str) -> None:
    sources = sources_of(task)
    assert len(sources) == len({source.group for source in sources}) == 12
    for source in sources:
        texts = makes_of(source)
        pairs = {frozenset((pair.response_a, pair.response_b)) for pair in source.pairs}
        assert pairs == {frozenset(two) for two in combinations(texts, 2)}
        assert len(source.pairs) == len(texts) == 3
        assert all(1 <= words(text) <= 200 for text in texts)


@every_smaller_task
def test_what_is_counted_has_the_make_that_says_so(task: str) -> None:
    name = COUNTED[task]
    seen = {
        (source.id, text, str(pair.extra[f"system_{side}"]), factors[name])
        for source in sources_of(task)
        for pair in source.pairs
        for side, text, factors in (
            ("a", pair.response_a, pair.factors_a),
            ("b", pair.response_b, pair.factors_b),
        )
    }
    assert len(seen) == 36  # the same in all its pairs
    flawed = ("forgetful", "chatty") if task == "dialogue" else ("wrong",)
    for _, _, make, count in seen:
        assert (count > 0) == make.endswith(flawed), make


@every_smaller_task
def test_flawed_responses_mostly_lose(task: str) -> None:
    name, won, lost = COUNTED[task], 0, 0
    for source in sources_of(task):
        for pair in source.pairs:
            a, b = pair.factors_a[name] or 0, pair.factors_b[name] or 0
            if pair.preference != "tie" and a != b:
                won += (a > b) == (pair.preference == "a")
                lost += (a > b) != (pair.preference == "a")
    assert lost > 4 * won


def test_dialogues_have_several_turns_and_reviews_a_diff() -> None:
    for source in sources_of("dialogue"):
        assert [turn.role for turn in source.conversation] == ["user", "assistant", "user"]
        assert source.source is None
    for source in sources_of("code_review"):
        assert source.source is not None
        assert source.source.startswith("--- a/")
        assert re.search(r"^\+(?!\+)", source.source, re.MULTILINE) or "\n-" in source.source


@every_smaller_task
def test_the_smaller_files_are_plain_text_with_unique_ids(task: str, repository: Path) -> None:
    path = repository / "profile_tasks" / "data" / "demo" / f"{task}.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows) == 36
    assert all(row["id"].startswith(row["group"] + "-") for row in rows)
    assert all(row["origin"] == "demo" and row["group"].startswith("demo:") for row in rows)
