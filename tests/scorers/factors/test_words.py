# ruff: noqa: RUF001 - other scripts are what these tests are about
"""Words, sentences and ROUGE of six languages, on examples written for this purpose."""

import json
import math
from pathlib import Path

import pytest

from profile_tasks.data.preferences import load_preferences
from profile_tasks.scorers.factors import surface
from profile_tasks.scorers.factors.words import (
    ByWord,
    language,
    sentences,
    without_spaces,
    word_count,
    words,
)
from profile_tasks.scorers.measurement.recorded import human_comparisons
from profile_tasks.scorers.measurement.standard_metrics import rouge
from profile_tasks.scorers.statistics.influence import profile_of

CASES = Path(__file__).resolve().parents[3].parent / "shared" / "cases" / "data"

# Twelve sentences each.
SENTENCES = {
    "zh": [
        "图书馆周一不开门。",
        "昨天下了一整天的雨！",
        "你知道火车几点开吗？",
        "她在2019年搬到上海。",
        "我用Python写了一个小程序。",
        "这家店的面条很好吃。",
        "孩子们在河边放风筝。",
        "医生让他多喝水、少熬夜。",
        "博物馆的门票要三十元。",
        "请把窗户关上，好吗？",
        "老师说：明天有考试。",
        "山上的雪还没有化。",
    ],
    "ja": [
        "図書館は月曜日に休みです。",
        "昨日は一日中雨でした！",
        "電車は何時に出ますか？",
        "彼女は2019年に大阪へ引っ越した。",
        "カレーライスを二つください。",
        "この店のラーメンはとてもおいしい。",
        "子どもたちは川で凧を揚げています。",
        "医者は水をもっと飲むように言った。",
        "入場料は三百円です。",
        "窓を閉めてくれますか？",
        "明日は試験があります。",
        "山の雪はまだ解けていない。",
    ],
    "th": [
        "ห้องสมุดปิดวันจันทร์",
        "เมื่อวานฝนตกทั้งวัน",
        "คุณรู้ไหมรถไฟออกกี่โมง",
        "เธอย้ายไปเชียงใหม่ในปี ๒๕๖๒",
        "ผมเขียนโปรแกรมด้วย Python",
        "ก๋วยเตี๋ยวร้านนี้อร่อยมาก",
        "เด็กๆ เล่นว่าวริมแม่น้ำ",
        "หมอบอกให้ดื่มน้ำมากขึ้น",
        "ค่าเข้าชมสามสิบบาท",
        "ปิดหน้าต่างได้ไหม",
        "ครูบอกว่าพรุ่งนี้มีสอบ",
        "น้ำในแม่น้ำยังสูงอยู่",
    ],
    "ar": [
        "المكتبة مغلقة يوم الاثنين.",
        "هطل المطر أمس طوال اليوم!",
        "متى يغادر القطار؟",
        "انتقلت إلى القاهرة في عام ٢٠١٩.",
        "كتبت برنامجا صغيرا.",
        "الطعام في هذا المطعم لذيذ جدا.",
        "يلعب الأطفال قرب النهر.",
        "نصحه الطبيب بشرب الماء.",
        "ثمن التذكرة ثلاثون جنيها.",
        "هل يمكنك إغلاق النافذة؟",
        "غدا لدينا امتحان، كما قال المعلم.",
        "لم يذب الثلج بعد.",
    ],
    "ru": [
        "Библиотека закрыта по понедельникам.",
        "Вчера весь день шёл дождь!",
        "Когда отходит поезд?",
        "В 2019 году она переехала в Казань.",
        "Я написал небольшую программу.",
        "Суп в этом кафе очень вкусный.",
        "Дети запускают змея у реки.",
        "Врач велел ему пить больше воды.",
        "Билет в музей стоит триста рублей.",
        "Закрой, пожалуйста, окно?",
        "Учитель сказал, что завтра экзамен.",
        "Снег в горах ещё не растаял.",
    ],
    "hi": [
        "पुस्तकालय सोमवार को बंद रहता है।",
        "कल पूरे दिन बारिश हुई!",
        "रेलगाड़ी कब जाती है?",
        "वह 2019 में दिल्ली आई थी।",
        "मैंने एक छोटा कार्यक्रम लिखा।",
        "इस दुकान का खाना बहुत अच्छा है।",
        "बच्चे नदी के पास पतंग उड़ा रहे हैं।",
        "डॉक्टर ने उसे पानी पीने को कहा।",
        "टिकट तीस रुपये का है।",
        "क्या आप खिड़की बंद करेंगे?",
        "अध्यापक ने कहा कि कल परीक्षा है।",
        "पहाड़ की बर्फ़ अभी नहीं पिघली।",
    ],
}
LANGUAGES = sorted(SENTENCES)


def joined(spoken: str, *parts: str) -> str:
    return ("" if spoken in {"zh", "ja"} else " ").join(parts)


def pairs(spoken: str) -> list[tuple[str, str]]:
    """Twelve times two sentences against one."""
    said = SENTENCES[spoken]
    return [(joined(spoken, said[i], said[i - 1]), said[i - 2]) for i in range(12)]


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_where_the_longer_response_is_preferred_length_follows_the_preference(
    spoken: str, tmp_path: Path
) -> None:
    file = tmp_path / "pairs.jsonl"
    rows = [
        {
            "id": str(i),
            "task": "summarization",
            "prompt": "p",
            "source": f"{longer} {shorter}",
            "response_a": shorter if i % 2 else longer,
            "response_b": longer if i % 2 else shorter,
            "preference": "b" if i % 2 else "a",
        }
        for i, (longer, shorter) in enumerate(pairs(spoken))
    ]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    profile = profile_of(human_comparisons(load_preferences(str(file)), "length,novel_words"))
    assert profile.tau[0] == 1.0
    assert profile.tied[1] == 12  # every response copies the source


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_rouge_of_a_text_with_itself_is_one(spoken: str) -> None:
    for longer, shorter in pairs(spoken):
        assert rouge(longer, longer) == rouge(shorter, shorter)
        assert rouge(longer, longer).rougeL == rouge(longer, longer).rouge2 == 1.0
        assert 0 < rouge(longer, joined(spoken, longer, shorter)).rouge1 < 1


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_the_factors_mean_in_every_language_what_they_mean_in_english(spoken: str) -> None:
    for longer, shorter in pairs(spoken):
        assert language(longer) == spoken
        source = joined(spoken, shorter, longer, shorter)
        assert surface.novel_words(longer, source) == 0.0
        assert 0 < surface.novel_words(longer, shorter) <= 1
        assert 0 < surface.lexical_diversity(longer) <= 1
        assert surface.extractiveness(longer, source) == len(words(longer))
        assert surface.extractiveness(longer, shorter) < len(words(longer)) / 2
        assert surface.source_compression(longer, source) > 1


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_sentences_are_counted_where_the_script_ends_them_with_a_mark(spoken: str) -> None:
    for longer, shorter in pairs(spoken):
        counts = [surface.sentence_count(longer), surface.sentence_count(shorter)]
        if spoken == "th":
            assert all(map(math.isnan, [*counts, surface.mean_sentence_length(longer)]))
        else:
            assert counts == [2, 1]
            assert surface.mean_sentence_length(longer) == len(words(longer)) / 2


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_readability_is_missing_outside_latin_script(spoken: str) -> None:
    assert all(math.isnan(surface.readability(text)) for pair in pairs(spoken) for text in pair)
    assert not math.isnan(surface.readability("The word 词 is one, and слово is another."))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("今天，我们。", ["今", "天", "我", "们"]),
        ("カタカナー", ["カ", "タ", "カ", "ナ", "ー"]),
        ("ｶﾞｷﾞ", ["ｶﾞ", "ｷﾞ"]),  # a sign of voice is part of its kana
        ("𠮷野家", ["𠮷", "野", "家"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("ปี๒๕๖๒", ["ปี", "๒๕๖๒"]),
        ("ສະບາຍດີ", ["ສ", "ະ", "ບ", "າ", "ຍ", "ດີ"]),
        ("សួស្តី។", ["សួ", "ស្តី"]),
        ("Python，Java和C", ["python", "java", "和", "c"]),
        ("3.5公里 don’t 走-a", ["3.5", "公", "里", "don't", "走", "a"]),
        ("ア_イ x_ア", ["ア", "イ", "x_", "ア"]),
        ("한국어 단어", ["한국어", "단어"]),
        ("می‌خواهم، بروم", ["می‌خواهم", "بروم"]),
    ],
)
def test_only_scripts_without_spaces_are_split(text: str, found: list[str]) -> None:
    assert [word.strip("_") for word in words(text)] == [word.strip("_") for word in found]
    assert word_count(text) == len(found)


def test_khmer_and_burmese_sentences_end_with_their_own_marks() -> None:
    assert sentences("សួស្តី។ អ្នក។") == ("សួស្តី។", "អ្នក។")
    assert sentences("မင်္ဂလာပါ။ နေကောင်းလား။") == ("မင်္ဂလာပါ။", "နေကောင်းလား။")


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("", "en"),
        ("123 – 🙂", "en"),
        ("Où est-ce? Tiếng Việt", "en"),
        ("The Greek letter Δ stands for a change", "en"),
        ("我用Python写程序", "zh"),
        ("漢字とかな", "ja"),
        ("한국어", "ko"),
        ("ᏣᎳᎩ", "und"),
    ],
)
def test_the_language_is_that_of_the_script_of_most_words(text: str, spoken: str) -> None:
    assert language(text) == spoken


def test_what_is_known_by_word_is_asked_once_and_forgotten_before_it_fills_the_memory() -> None:
    asked: list[str] = []
    known = ByWord(lambda word: asked.append(word) or len(word), most=2)
    assert [known[word] for word in ("a", "bb", "a", "ccc", "bb")] == [1, 2, 1, 3, 2]
    assert asked == ["a", "bb", "ccc", "bb"]
    assert len(known) == 2


def test_every_real_text_without_other_scripts_has_the_words_of_split(shared_data: Path) -> None:
    split = 0
    for file in sorted(shared_data.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            for text in filter(lambda value: isinstance(value, str), json.loads(line).values()):
                if not without_spaces(text):
                    assert word_count(text) == len(text.split())
                else:
                    split += 1
    assert split < 50


@pytest.mark.parametrize("name", ["zh", "ja", "russian", "unicode"])
def test_responses_of_odd_files_differ_where_a_reader_sees_it(name: str) -> None:
    file = CASES / f"{name}.jsonl"
    if not file.is_file():
        pytest.skip(f"no file {file}")
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        first, second = row["response_a"], row["response_b"]
        assert language(first) == {"russian": "ru", "zh": "zh"}.get(name, "ja")
        assert surface.length(first) != surface.length(second)
        assert rouge(first, first).rouge1 == 1.0
        assert 0 < surface.sentence_count(first) <= 2
        if row.get("source"):
            assert surface.novel_words(first, row["source"]) == 0.0
