"""`because` on Arabic: its words are those of the sentence, in their order and at their places, and the telling one is found."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from goemo_tui.cli import main
from goemo_tui.safe_text import clean
from trainer import Predictor, train
from trainer.infer.explain import because, words_of

TOLD = {"joy": ("سعيد", "فرحان", "مسرور"), "fear": ("خائف", "مرعوب", "قلق")}
CALM = ("كان", "الكتاب", "على", "الطاولة", "قرب", "النافذة", "عندما", "مر", "الناس", "في", "الصباح")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("أنا سعيد جدًا اليوم، شكرًا!", ["أنا", "سعيد", "جدًا", "اليوم", "،", "شكرًا", "!"]),
        ("مَرْحَبًا يا صَدِيقِي؟", ["مَرْحَبًا", "يا", "صَدِيقِي", "؟"]),  # combining marks
        ("سعيـــــد جــدا ٢٠٢٤", ["سعيـــــد", "جــدا", "٢٠٢٤"]),  # tatweel, Arabic digits
        ("أحبك😍❤️👩‍👩‍👧 يا[NAME]", ["أحبك", "😍❤️👩‍👩‍👧", "يا", "[NAME]"]),
        ("می‌خواهم «کتاب» را", ["می‌خواهم", "«", "کتاب", "»", "را"]),  # Persian: a joint that is seen as a gap
        ("\u200fمرحبا\u200f \u202bيا عالم\u202c!", ["\u200fمرحبا\u200f", "\u202bيا", "عالم\u202c", "!"]),
        ("سع\u061cيد\u2066 ok\u2069 \u200f \ufeff", ["سع\u061cيد\u2066", "ok\u2069"]),
        ("won\u00adder\u2060ful a\u200bb", ["won\u00adder\u2060ful", "a", "b"]),
        ("\u200f", []),
        ("ﷺ لا إله", ["ﷺ", "لا", "إله"]),
    ],
)
def test_words_are_those_of_the_sentence_at_their_places(text: str, words: list[str]) -> None:
    spans = words_of(text)
    assert [span.word for span in spans] == words
    assert all(text[span.start : span.end] == span.word for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert all(clean(span.word).strip() for span in spans), "each of them can be seen"


def rows(count: int, seed: int) -> list[str]:
    """Comments of plain words with a telling one among them."""
    draw, found = random.Random(seed), []
    for number in range(count):
        label = draw.choice(list(TOLD))
        words = draw.choices(CALM, k=6)
        words.insert(draw.randrange(6), draw.choice(TOLD[label]))
        found.append(f"{' '.join(words)}\t{list(TOLD).index(label)}\tid{number}")
    return found


@pytest.fixture(scope="module")
def model(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The model of a run that has learned what the telling words tell."""
    base = tmp_path_factory.mktemp("arabic")
    corpus = base / "corpus"
    corpus.mkdir()
    (corpus / "emotions.txt").write_text("\n".join(TOLD) + "\n")
    for name, count in (("train", 500), ("dev", 100)):
        (corpus / f"{name}.tsv").write_text("\n".join(rows(count, len(name))) + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOEMO_HOME", str(base / "home"))
        with pytest.warns(UserWarning, match="not Latin"):
            run = train(
                corpus, str(tiny_encoder), epochs=10, lr=5e-3, head_lr=5e-3, batch_size=16, head_init="random",
                pooling="cls", lora_rank=0,
            ).run  # fmt: skip
        yield str(base / "home" / "runs" / run)


def test_the_telling_word_speaks_loudest(model: str) -> None:
    predictor = Predictor(model)
    found = 0
    lines = rows(40, 7)
    for line in lines:
        text, label, _ = line.split("\t")
        emotion = list(TOLD)[int(label)]
        words = because(predictor, text).of(emotion)
        assert [word.word for word in words] == text.split() and all(word.weight is not None for word in words)
        loudest = max(words, key=lambda word: word.weight or 0.0)
        found += loudest.word in TOLD[emotion]
    assert found > 0.5 * len(lines), f"{found}; by chance it would be one in seven"


def test_marks_codes_and_signs_take_no_word_away_and_add_none(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    plain, dressed = "كان الناس خائف في الصباح", "\u200fكان الناس خَائِف في الصباح\u200f"
    told = [[word.weight for word in because(Predictor(model), text).of("fear")] for text in (plain, dressed)]
    assert told[0] == pytest.approx(told[1], abs=1e-4), "the encoder drops marks, and codes are no words"
    text = "كان الناس خَائِف، سعيـــد 😱🔥 في الصباح!"
    assert main(["predict", text, "--model", model, "--because", "fear", "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    words = result["because"]["fear"]
    assert [w["word"] for w in words] == ["كان", "الناس", "خَائِف", "،", "سعيـــد", "😱🔥", "في", "الصباح", "!"]
    assert all(isinstance(w["weight"], float) for w in words)
