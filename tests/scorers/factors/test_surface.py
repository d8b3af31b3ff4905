import json
import math
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pyphen
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from profile_tasks.scorers.factors import surface
from profile_tasks.scorers.factors.factor import Factor, surface_function
from profile_tasks.scorers.factors.selection import resolve_factors
from profile_tasks.scorers.factors.taxonomy import load_taxonomy

SHARED_DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
SURFACE = [factor for factor in load_taxonomy().values() if factor.kind == "surface"]
NEED_SOURCE = ["novel_words", "extractiveness", "source_compression"]
NEED_WORDS = ["mean_sentence_length", "lexical_diversity", "readability", *NEED_SOURCE]

few_words = st.lists(st.sampled_from(["a", "b", "B,", "c", "-", "d."]), max_size=40).map(" ".join)
texts = st.one_of(st.text(max_size=200), few_words, st.text(alphabet="*_#-1. \n`~a", max_size=80))


def value(factor_id, response, source=None):
    return surface_function(load_taxonomy()[factor_id])(response, source, "")


def user_factor(monkeypatch, function):
    module = ModuleType("a_users_module")
    module.function = function
    monkeypatch.setitem(sys.modules, "a_users_module", module)
    return Factor(
        id="mine",
        level=1,
        kind="surface",
        tasks=("summarization",),
        definition="d",
        unit="u",
        more="m",
        function="a_users_module:function",
    )


@pytest.mark.parametrize(
    ("response", "words"),
    [("", 0), (" \n\t", 0), ("one", 1), ("- a list, of\tfive\n", 5), ("naïve café 한국어", 3)],
)
def test_length_counts_what_stands_between_white_space(response, words):
    assert surface.length(response) == words


@pytest.mark.parametrize(
    ("response", "source", "share"),
    [
        ("The CAT, the cat!", "a cat", 1 / 2),  # the | cat
        ("all of it", "All of it.", 0.0),
        ("nothing shared", "something else", 1.0),
        ("“Quoted” — yes…", "quoted", 1 / 2),
        ("STRASSE", "Straße", 0.0),
        ("it's its", "it's", 1 / 2),  # an apostrophe within a word stays
        ("- 5 🙂 cats", "cats", 1 / 2),  # 5 | cats
    ],
)
def test_novel_words_is_a_share_of_distinct_words_that_the_source_lacks(response, source, share):
    assert surface.novel_words(response, source) == pytest.approx(share)


@pytest.mark.parametrize(
    ("response", "sentences"),
    [
        ("", 0),
        ("word", 1),
        ("It costs 3.5 dollars. Mr. Smith paid! Did he?", 3),
        ("A claim.\n\n---\n\nAnother one.", 2),
        ("***", 0),
        ("# Title\n\nFirst. Second.", 3),
    ],
)
def test_sentence_count_counts_segments_with_a_letter_or_digit(response, sentences):
    assert surface.sentence_count(response) == sentences


def test_half_a_surrogate_pair_does_not_stop_the_segmenter():
    assert surface.sentence_count("One \ud83d. Two.") == 2


@pytest.mark.parametrize("space", ["\u00a0", "\u3000", " \u2009"])
def test_a_wide_space_between_an_initial_and_its_full_stop_does_not_panic(space):
    assert surface.sentence_count(f"It is vitamin C{space}. We know it.") == 2


def test_mean_sentence_length_is_words_per_sentence_without_bullets():
    assert surface.mean_sentence_length("One two. One two three four five.") == 3.5
    assert surface.mean_sentence_length("- two words") == 2.0


def test_lexical_diversity_of_a_short_text_is_its_type_token_ratio():
    assert surface.lexical_diversity("To be, or not to be.") == pytest.approx(4 / 6)
    assert surface.lexical_diversity("word") == 1.0


def test_lexical_diversity_averages_windows_of_fifty_words():
    # The windows start at words 0, 1 and 2; they hold 50, 49 and 48 distinct words.
    words = [f"w{i}" for i in range(50)] + ["w48", "w49"]
    assert surface.lexical_diversity(" ".join(words)) == pytest.approx((50 + 49 + 48) / 150)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=51, max_size=130))
def test_lexical_diversity_equals_the_mean_over_explicit_windows(words):
    ratios = [len(set(words[i : i + 50])) / 50 for i in range(len(words) - 49)]
    assert surface.lexical_diversity(" ".join(words)) == pytest.approx(np.mean(ratios))


def test_readability_is_flesch_reading_ease():
    # 2 sentences, 5 words, 3 + 1 + 1 + 1 + 2 syllables: hy-phen-ation, ta-ble.
    response = "Hyphenation is good. See table."
    expected = 206.835 - 1.015 * 5 / 2 - 84.6 * 8 / 5
    assert surface.readability(response) == pytest.approx(expected)


@given(st.one_of(st.text(max_size=30), st.text("abcdeilmnoprstuy'", max_size=25)))
@example("unconstitutionality")
@example("anno\u0307")
def test_syllables_are_the_hyphenation_points_of_pyphen(word):
    points = pyphen.Pyphen(lang="en_US").positions(word)
    assert surface._syllables(word) == len(points) + 1


def test_readability_is_higher_for_the_easier_text():
    hard = "Institutional considerations notwithstanding, implementation necessitates deliberation."
    assert surface.readability("We did it. It was fun.") > surface.readability(hard)


@pytest.mark.parametrize(
    ("response", "elements"),
    [
        ("plain text", 0),
        ("# One\n## Two\n   ###### Six\n#", 4),
        ("####### seven\n#no space\n    # code\ntext # here", 0),
        ("Title\n=====", 0),
        ("- a\n* b\n+ c\n  - nested", 4),
        ("1. a\n2) b\n   10. c", 3),
        ("-no space\n1.no space\n- \n• bullet\n1234567890. ten digits", 0),
        ("* * *\n- - -\n---\n***\n___", 0),
        ("**bold** and __bold__ and ***both***", 3),
        ("** spaced ** and snake__case__name and 2 ** 3 ** 4", 0),
        ("**over\nlines** ****", 0),
        ("*italic* _italic_ `code` [link](x) > quote", 0),
        ("- **Term**: text", 2),
        ("- # Head in an item", 1),
        ("# A\r\n- b\r\n* * *\r\n", 2),
        ("```python\n# comment\n- x\n```\n# Heading", 1),
        ("~~~\n**kwargs**\n~~~\n  ```\n# never closed", 0),
        ("```inline``` fence\n# Heading", 1),
        ("**überraschend** und 日本**語**", 2),
    ],
)
def test_markdown_counts_headings_list_items_and_bold_spans(response, elements):
    assert surface.markdown(response) == elements


@pytest.mark.parametrize(
    ("response", "source", "density"),
    [
        ("a b c", "a b c", 3.0),
        ("A b, C!", "x (a b) c y", 3.0),
        ("a b x c", "a b c", (4 + 1) / 4),
        ("x y", "a b", 0.0),
        ("a b c d", "a b q a b c", 9 / 4),  # the longer of two matches, then d alone is new
        ("b", "a b", 1.0),
    ],
)
def test_extractiveness_is_the_density_of_greedy_fragments(response, source, density):
    assert surface.extractiveness(response, source) == pytest.approx(density)


def published_density(summary, article):
    """The procedure F(A, S) of Grusky et al. 2018, figure 3, word by word."""
    fragments = []
    i = 0
    while i < len(summary):
        fragment = []
        j = 0
        while j < len(article):
            if summary[i] == article[j]:
                i2, j2 = i, j
                while i2 < len(summary) and j2 < len(article) and summary[i2] == article[j2]:
                    i2, j2 = i2 + 1, j2 + 1
                if len(fragment) < i2 - i:
                    fragment = summary[i:i2]
                j = j2
            else:
                j += 1
        i += max(len(fragment), 1)
        fragments.append(fragment)
    return sum(len(fragment) ** 2 for fragment in fragments) / len(summary)


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
)
@example(list("aab"), list("aaab"))  # the published search resumes behind a match: "aa" + "b"
def test_extractiveness_equals_the_published_procedure(summary, article):
    expected = published_density(summary, article)
    assert surface.extractiveness(" ".join(summary), " ".join(article)) == pytest.approx(expected)


def test_extractiveness_of_a_long_source_is_faster_than_the_published_procedure():
    generator = np.random.default_rng(0)
    article = [f"w{i}" for i in generator.zipf(1.3, 6000) % 3000]
    summary = [f"w{i}" for i in generator.zipf(1.3, 300) % 3000]
    start = time.process_time()
    expected = published_density(summary, article)
    naive = time.process_time() - start
    response, source = " ".join(summary), " ".join(article)
    surface.extractiveness("warm", source)
    start = time.process_time()
    density = surface.extractiveness(response, source)
    assert time.process_time() - start < naive
    assert density == pytest.approx(expected)


def test_source_compression_is_source_words_per_response_word():
    assert surface.source_compression("two words", "one - two three four") == 2.5


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60))
def test_source_compression_mirrors_length_within_one_source(first, second, source):
    responses = ["w " * first, "w " * second]
    lengths = [surface.length(text) for text in responses]
    compressions = [surface.source_compression(text, "w " * source) for text in responses]
    assert np.sign(np.subtract(*lengths)) == -np.sign(np.subtract(*compressions))


@pytest.mark.parametrize("factor_id", NEED_SOURCE)
@pytest.mark.parametrize("source", [None, "", " \n"])
def test_a_factor_of_the_source_is_missing_without_one(factor_id, source):
    assert math.isnan(value(factor_id, "some words", source))


@pytest.mark.parametrize("factor_id", NEED_WORDS)
@pytest.mark.parametrize("response", ["", "  "])
def test_a_factor_of_the_words_is_missing_without_any(factor_id, response):
    assert math.isnan(value(factor_id, response, "a source"))


@pytest.mark.parametrize("factor_id", ["length", "sentence_count", "markdown"])
def test_a_count_over_an_empty_response_is_zero(factor_id):
    assert value(factor_id, "") == 0.0


@pytest.mark.parametrize("factor", SURFACE, ids=lambda factor: factor.id)
@given(response=texts, source=st.none() | texts)
@example(response="", source="")
@example(response="… — 🙂", source="\ufeff")
@example(response="你好。再见。", source="हिन्दी")
@example(response="\ud800", source="\udfff")
def test_every_value_is_missing_or_within_the_declared_range(factor, response, source):
    result = surface_function(factor)(response, source, "")
    low, high = factor.range
    assert math.isnan(result) or (math.isfinite(result) and low <= result <= high + 1e-9)


def test_factor_values_has_a_row_a_response_and_a_column_a_factor():
    factors = resolve_factors(["length", "novel_words", "markdown"], "summarization")
    values = surface.factor_values(
        factors, ["# a b", "c", "# a b"], ["a", "c d", None], ["p", "p", "p"]
    )
    expected = [[3, 1 / 2, 1], [1, 0, 0], [3, math.nan, 1]]
    np.testing.assert_array_equal(values, expected)
    assert values.dtype == np.float64


def test_factor_values_of_nothing_keeps_its_columns():
    factors = resolve_factors("surface", "summarization")
    assert surface.factor_values(factors, [], [], []).shape == (0, len(factors))


def test_factor_values_computes_each_distinct_text_once(monkeypatch):
    seen = []

    def function(response, source, prompt):
        seen.append((response, source, prompt))
        return len(seen)

    values = surface.factor_values(
        [user_factor(monkeypatch, function)],
        ["a", "b", "a", "a", "a"],
        [None, None, None, "s", "s"],
        ["p", "p", "p", "p", "q"],
    )
    assert values[:, 0].tolist() == [1, 2, 1, 3, 4]
    assert len(seen) == len(set(seen)) == 4


def test_factor_values_refuses_columns_of_unequal_length():
    with pytest.raises(ValueError, match="equally many, not 2, 1 and 2"):
        surface.factor_values([], ["a", "b"], [None], ["", ""])


@pytest.mark.parametrize(
    ("returned", "expected"),
    [(2, 2.0), (0.5, 0.5), (np.float32(0.5), 0.5), (np.int64(3), 3.0), (math.nan, math.nan)],
)
def test_a_users_function_may_return_any_real_number_or_nan(monkeypatch, returned, expected):
    factor = user_factor(monkeypatch, lambda response, source, prompt: returned)
    values = surface.factor_values([factor], ["text"], [None], [""])
    np.testing.assert_array_equal(values, [[expected]])


@pytest.mark.parametrize("returned", [None, True, np.bool_(True), "1", 1j, [1.0]])
def test_a_users_function_that_returns_no_real_number_is_named(monkeypatch, returned):
    factor = user_factor(monkeypatch, lambda response, source, prompt: returned)
    with pytest.raises(TypeError, match=r"Factor 'mine' returned .* 'Start of the text"):
        surface.factor_values([factor], ["Start of the text " * 50], [None], [""])


@pytest.mark.parametrize("returned", [math.inf, -math.inf])
def test_a_users_function_that_returns_infinity_is_named(monkeypatch, returned):
    factor = user_factor(monkeypatch, lambda response, source, prompt: returned)
    with pytest.raises(ValueError, match=r"'mine' returned -?inf .* 'Start") as raised:
        surface.factor_values([factor], ["Start of the text " * 50], [None], [""])
    assert len(str(raised.value)) < 250


def test_a_users_function_that_raises_keeps_its_error_and_gains_the_place(monkeypatch):
    def function(response, source, prompt):
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone") as raised:
        surface.factor_values([user_factor(monkeypatch, function)], ["Start"], [None], [""])
    assert "factor 'mine' on the response 'Start'" in raised.value.__notes__[0]


@pytest.mark.parametrize(
    ("origin", "pairs", "tau"), [("pandalm", 575, 0.304), ("mtbench_faireval", 189, 0.265)]
)
def test_length_gives_the_documented_baseline_on_public_preferences(origin, pairs, tau):
    path = SHARED_DATA / f"{origin}.jsonl"
    if not path.is_file():
        pytest.skip(f"needs the shared data file {origin}.jsonl beside the repository")
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["preference"] != "tie"]
    nothing, prompts = [None] * len(rows), [""] * len(rows)
    first, second = (
        surface.factor_values(
            [load_taxonomy()["length"]], [row[side] for row in rows], nothing, prompts
        )
        for side in ("response_a", "response_b")
    )
    preference = np.array([1 if row["preference"] == "a" else -1 for row in rows])
    assert len(rows) == pairs
    assert round(float(np.mean(np.sign(first - second)[:, 0] * preference)), 3) == tau


@pytest.mark.parametrize("piece", ["`", "```\n", "\u201ca ", "!? ", "word", "a. "])
def test_a_looping_model_does_not_stall_the_sentence_splitter(piece):
    text = (piece * 200_000)[:200_000]
    start = time.process_time()
    surface.sentence_count(text)
    assert time.process_time() - start < 10


def test_curly_and_straight_apostrophes_make_the_same_word():
    assert surface.novel_words("don\u2019t", "I don't know") == 0
