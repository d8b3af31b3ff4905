"""A sample of groups is one of their names alone: batches and their order do not bear on it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profile_tasks.scorers.statistics.annotators import Votes
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.group_sample import GroupSample, group_hashes


def sample(names: list[str], most: int, seed: int = 0) -> GroupSample:
    """Groups of 1 to 4 pairs and 0 to 3 votes, which depend on the name alone."""
    groups, rows, votes = [], [], []
    for code, name in enumerate(names):
        rng = np.random.default_rng([seed, *name.encode()])
        for _ in range(rng.integers(1, 5)):
            groups.append(code)
            rows.append(rng.choice([-1, 0, 1], 3).tolist())
            votes.append(rng.choice([-1, 0, 1], rng.integers(0, 4)).tolist())
    table = Comparisons(
        [row[2] for row in rows],
        np.reshape([row[:2] for row in rows], (-1, 2)),
        np.zeros((len(rows), 2), bool),
        groups,
        ("length", "fluency"),
        "human",
    )
    return GroupSample.of(names, table, Votes.from_lists(votes, groups), most)


def content(found: GroupSample) -> list[object]:
    table, votes = found.table, found.votes
    most = int((~votes.absent).sum(axis=1).max(initial=0))
    arrays = (table.preference, table.manifestation, table.group, votes.vote[:, :most])
    return [found.names.tolist(), *(array.tolist() for array in arrays)]


@given(
    parts=st.lists(st.lists(st.integers(0, 999), max_size=8), min_size=1, max_size=5),
    most=st.integers(1, 12),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_parts_merge_to_the_sample_of_the_whole(parts, most, order):
    names = [f"g{n}" for part in parts for n in part]
    if len(set(names)) < len(names):
        return
    samples = [sample([f"g{n}" for n in part], most) for part in parts]
    order.shuffle(samples)
    while len(samples) > 1:
        at = order.randrange(len(samples) - 1)
        samples[at : at + 2] = [samples[at] + samples[at + 1]]
    whole = sample(sorted(names), most)
    assert content(samples[0]) == content(whole)
    kept = sorted(np.array(names, object)[np.argsort(group_hashes(names))][:most].tolist())
    assert whole.names.tolist() == kept


def test_a_group_in_two_parts_is_told():
    with pytest.raises(ValueError, match=r"group 'g1' stands in two parts.*sort or partition"):
        sample(["g0", "g1"], 5) + sample(["g1", "g2"], 5)
