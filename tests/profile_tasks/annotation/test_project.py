"""What annotators are shown: pairs spread over sources, sides by chance, attention checks."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from profile_tasks.annotation.attention_checks import in_disorder
from profile_tasks.annotation.pair_sample import pairs_for, size_of, spread
from profile_tasks.annotation.project import Project
from profile_tasks.annotation.wording import asked_factors, read_wording
from profile_tasks.data.preferences import PreferenceData

Make = Callable[..., Project]


def test_every_source_has_a_pair_before_any_has_two() -> None:
    groups = [f"s{n}" for n in range(10) for _ in range(5)]
    for pairs, most in ((10, 1), (15, 2), (50, 5)):
        drawn = Counter(groups[at] for at in spread(groups, pairs, seed=1))
        assert len(drawn) == 10
        assert max(drawn.values()) == most
    assert spread(groups, 10, seed=1) != spread(groups, 10, seed=2)
    assert sorted(spread(groups, 99, seed=0)) == list(range(50))


def test_an_interval_takes_as_many_pairs_as_power_says() -> None:
    one_each = [f"s{n}" for n in range(2000)]
    assert 380 <= pairs_for(one_each, 0.1, seed=0) <= 400  # 1.96**2 / .1**2 = 384, and t
    # A hundred sources alone do not give it; three pairs of each source, or six, do.
    several = [f"s{n}" for n in range(100) for _ in range(10)]
    pairs = pairs_for(several, 0.1, seed=0)
    assert pairs % 6 == 0
    assert size_of([several[at] for at in spread(several, pairs, 0)], seed=0).half_width <= 0.1
    with pytest.raises(ValueError, match=r"all of them give ±0\.\d\d; ask for a wider one"):
        pairs_for(one_each[:30], 0.1, seed=0)


def test_what_is_shown_tells_nothing_about_the_pair(project: Make) -> None:
    made = project(checks=3)
    (sheet,) = made.sheets
    assert len({task.task for task in sheet}) == len(sheet) == 27
    named = {str(row["id"]) for row in made.key.rows}
    for task in sheet:
        assert task.task not in named
        assert vars(task).keys() == {"task", "request", "source", "first", "second"}
    swapped = [kept.swapped for kept in made.key.tasks.values() if kept.row is not None]
    assert 6 <= sum(swapped) <= 18


def test_the_same_seed_draws_the_same_and_another_one_other_sides(project: Make) -> None:
    assert project(seed=3).sheets == project(seed=3).sheets
    assert project(seed=3).key.project != project(seed=4).key.project
    sides = [[kept.swapped for kept in project(seed=seed).key.tasks.values()] for seed in (3, 4)]
    assert sides[0] != sides[1]


def test_pseudonyms_take_the_key(project: Make) -> None:
    one, other = project().key, project().key
    assert one.pseudonym("7") == one.pseudonym("7")
    assert one.pseudonym("7") != other.pseudonym("7")


def test_annotators_with_sheets_share_what_overlaps_and_split_the_rest(project: Make) -> None:
    made = project(annotators=3, overlap=0.25, checks=2, dealt=True)
    rows = [{made.key.tasks[task.task].row for task in sheet} - {None} for sheet in made.sheets]
    assert len(set.intersection(*rows)) == 6
    assert set.union(*rows) == set(range(24))
    assert [len(each) for each in rows] == [12, 12, 12]
    shown = {}
    for number, sheet in enumerate(made.sheets):
        checks = [task for task in sheet if made.key.tasks[task.task].row is None]
        assert len(checks) == 2
        for task in sheet:
            kept = made.key.tasks[task.task]
            if kept.row is not None and kept.row < 6:
                shown[number, kept.row] = kept.swapped
    sides = [[shown[number, row] for row in range(6)] for number in range(3)]
    assert sides[0] != sides[1] or sides[1] != sides[2]


def test_an_attention_check_is_a_text_beside_its_words_in_disorder(project: Make) -> None:
    made = project(checks=4)
    (sheet,) = made.sheets
    checks = [t for t in sheet if made.key.tasks[t.task].row is None]
    assert len(checks) == 4
    for task in checks:
        right = made.key.tasks[task.task].right
        texts = {"first": task.first, "second": task.second}
        assert right is not None
        good = texts.pop(right)
        (bad,) = texts.values()
        assert good.startswith("Robin sings in the old garden")
        assert sorted(bad.split()) == sorted(good.split())
        assert bad != good


def test_a_text_without_spaces_is_put_in_disorder_by_its_characters() -> None:
    text = "春の庭では鳥が朝から歌い、壁の上の小さな鳥がそれに答えている。"
    mixed = in_disorder(text, "1")
    assert mixed is not None
    assert mixed != text
    assert sorted(mixed) == sorted(text)


def test_too_few_long_texts_for_the_checks_are_told(project: Make) -> None:
    with pytest.raises(ValueError, match=r"only 24 of the 24 pairs .* and 25 are wanted"):
        project(checks=25)


def test_what_people_said_before_stays_beside_what_they_are_asked(project: Make) -> None:
    row = project().key.rows[0]
    assert row["earlier_preference"] == "b"
    assert not {"preference", "annotators"} & row.keys()
    assert (row["system_a"], row["note"]) == ("wordy", "kept")


def test_a_question_about_a_factor_says_its_definition() -> None:
    asked = asked_factors(["fluency", "hallucination"])
    question = read_wording().question(asked["fluency"])
    assert question.startswith("Fluency: which text shows more of it")
    assert "How naturally and grammatically the sentences read" in question
    with pytest.raises(ValueError, match="'fluencyy' is unknown; did you mean 'fluency'"):
        asked_factors(["fluencyy"])
    with pytest.raises(ValueError, match="'length' is computed, and nobody need be asked"):
        asked_factors(["length"])


def test_words_of_ones_own_are_checked(tmp_path: Path) -> None:
    text = Path("profile_tasks/annotation/wording.yaml").read_text(encoding="utf-8")
    file = tmp_path / "own.yaml"
    file.write_text(text.replace("tie: Equally good", "tie: Gleich gut"), encoding="utf-8")
    own = read_wording(file)
    assert own.tie == "Gleich gut"
    assert own.identity != read_wording().identity
    file.write_text(text.replace("{more}", "{most}"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"own\.yaml: factor: holds \{most\}; it may hold"):
        read_wording(file)
    file.write_text("title: [", encoding="utf-8")
    with pytest.raises(ValueError, match="not YAML"):
        read_wording(file)


def test_characters_that_turn_a_text_round_are_named(data: PreferenceData) -> None:
    from profile_tasks.annotation.project import make_project

    (source, *others) = data.sources
    pair = source.pairs[0].model_copy(update={"response_a": "a \u202egnp.exe \x00 </script>"})
    hostile = source.model_copy(update={"pairs": (pair,)})
    from dataclasses import replace

    made = make_project(replace(data, sources=(hostile, *others)), read_wording(), {}, pairs=24)
    (texts,) = ({t.first, t.second} for t in made.sheets[0] if "gnp" in t.first + t.second)
    assert "a ⟨U+202E⟩gnp.exe ␀ </script>" in texts
