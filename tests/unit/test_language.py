"""What is said about a corpus that its encoder cannot read."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.corpus import language_warning, load_corpus

ARABIC = "هذا يوم جميل جدا وأنا سعيد برؤيتك"
GERMAN = "heute war ein wirklich schöner Tag und ich habe mich sehr gefreut"
SPANISH = "no me gusta nada la lluvia cuando salgo de casa por la mañana"
ENGLISH = "honestly this is the best thing that you have done all year"
SLANG = "lol no way bro 😂"


@pytest.mark.parametrize(
    "text, sign",
    [(ARABIC, "not Latin"), ("今天天气真好啊我很开心", "not Latin"), (GERMAN, "English"), (SPANISH, "English")],
)
def test_other_languages_are_said(text: str, sign: str) -> None:
    warning = language_warning([text] * 100, "minilm")
    assert warning and sign in warning and "minilm" in warning and "multilingual" in warning
    for encoder in ("distilbert-base-multilingual-cased", "xlm-roberta-base", "/models/LaBSE", "BAAI/bge-m3"):
        assert language_warning([text] * 100, encoder) is None


@pytest.mark.parametrize(
    "texts",
    [
        [ENGLISH] * 100,
        [SLANG] * 100,
        [],
        [""],
        ["😀😀"] * 100,
        [ARABIC],
        [GERMAN] * 3,
        [ENGLISH] * 60 + [GERMAN] * 40,
        [ENGLISH] * 80 + [ARABIC] * 20,
    ],
)
def test_no_alarm_about_english_or_too_little_text(texts: list[str]) -> None:
    assert language_warning(texts, "minilm") is None


def test_the_whole_corpus_is_looked_at() -> None:
    assert language_warning([ENGLISH] * 3_000 + [ARABIC] * 9_000, "minilm")


@pytest.mark.corpus
def test_no_alarm_about_the_real_corpus(goemotions: Path) -> None:
    for split in load_corpus(goemotions).splits.values():
        assert language_warning(split.text, "minilm") is None


def test_no_alarm_about_the_sample() -> None:
    for split in load_corpus("sample").splits.values():
        assert language_warning(split.text, "minilm") is None
