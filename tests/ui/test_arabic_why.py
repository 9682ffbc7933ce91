"""Because, like and the Evaluation tab where the screen speaks Arabic: no English sentence is left, figures keep their order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from goemo_tui import arabic, right_to_left
from goemo_tui.language import figure, set_language
from goemo_tui.screens.errors import ErrorsScreen
from goemo_tui.services.explaining import Explaining
from goemo_tui.services.why import Because, Like, Neighbour, Word
from goemo_tui.widgets.lines import Row, row_width
from goemo_tui.widgets.score_table import ScoreTable
from goemo_tui.widgets.why_lines import HEAD, WhyLines
from tests.ui.inspect_story import opening, type_in
from tests.ui.inspect_story import shown as inspected
from tests.ui.inspect_story import until as until_answered
from tests.ui.test_evaluation_screen import run as run  # a fixture
from tests.ui.train_story import opened, shown, until
from trainer.infer import like as of_child
from trainer.runs.run import Run

SENTENCE = "أنا سعيدٌ جدا اليوم"
WORDS = Because(
    SENTENCE,
    "joy",
    tuple(Word(word, weight) for word, weight in zip(SENTENCE.split(), (0.1, 4.0, 1.5, -1.5), strict=True)),
)


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    set_language("en")


def drawn(because: Because | None, like: Like | None, mark: str = "", size: tuple[int, int] = (70, 5)) -> list[Row]:
    """The rows under the bars."""
    explaining = Explaining()
    explaining.because, explaining.like = because, like
    lines = WhyLines()
    lines._because, lines._like, lines._mark = because, like, mark
    return lines.rows(*size)


def seen(row: Row) -> str:
    """A row as it is painted, from left to right, in plain letters."""
    return "".join(piece.text for piece in right_to_left.ordered("".join(text for text, _ in row)))


@pytest.mark.parametrize("speaks", ["en", "ar"])
@pytest.mark.parametrize("mark", ["", "B"])
def test_arabic_words_stand_in_their_order_behind_the_head(speaks: str, mark: str) -> None:
    set_language(speaks, bidi="app")
    row = drawn(WORDS, None, mark)[0]
    text = "".join(part for part, _ in row)
    assert text.replace(right_to_left.APART, "")[HEAD:] == "أنا ++سعيدٌ +جدا -اليوم"
    painted = seen(row)
    words = [right_to_left.display(word) for word in ("اليوم", "جدا", "سعيدٌ", "أنا")]
    places = [painted.index(word) for word in words]
    assert places == sorted(places), "the first word stands at the right"
    assert painted.index(words[-1]) < painted.index("++") + 20 and f"{words[2]}++" in painted, (
        "the sign goes before its word"
    )
    head = "because" if speaks == "en" else right_to_left.display(arabic.WORDS["because"])
    assert painted.index(head) < HEAD <= places[0]


def test_what_is_said_under_the_bars_is_arabic() -> None:
    set_language("ar", bidi="terminal")
    near = tuple(Neighbour("good morning", ("joy",), share, "n") for share in (1.0, 0.5, 0.4))
    notes = ("", of_child.ONLY_SAMPLE, "of my corpus: what the model was trained on is not at hand")
    shown_ones = [Like("", near, note) for note in notes]
    shown_ones += [Like(""), Like("", indexing=True), Like("", indexing=True, done=1_200, of=43_410)]
    unread = Because(SENTENCE, "joy", (*WORDS.words, Word("ثم", None)))
    for like in shown_ones:
        for size in ((70, 5), (70, 2)):
            rows = drawn(unread, like, size=size)
            text = "\n".join("".join(part for part, _ in row) for row in rows)
            left = text.replace("good morning", "").replace("my corpus", "")
            assert not re.search("[A-Za-z]", left), left
            assert all(row_width(row) <= 72 for row in rows)
    assert "1,200" in text and "43,410" in text
    written = Path(of_child.__file__).read_text(encoding="utf-8")
    assert "of {corpus.name}: what the model was trained on is not at hand" in written, (
        "the child says it in these words"
    )


def test_a_share_behind_an_arabic_word_keeps_its_point() -> None:
    assert (
        figure("error", ".023") == "error .023"
        and figure("خطأ", ".023") == "خطأ 0.023"
        and figure("خطأ", "–") == "خطأ –"
    )
    assert right_to_left.display(figure("خطأ", ".023")).startswith("0.023 ")


async def test_inspect_speaks_arabic_of_an_arabic_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOEMO_LANGUAGE", "ar")
    monkeypatch.setenv("GOEMO_BIDI", "terminal")
    open_it = opening(tmp_path, monkeypatch)
    async with open_it(size=(80, 24)) as (app, pilot):
        await type_in(app, pilot, "يوم سعيد جدا")
        await until_answered(pilot, lambda: arabic.WORDS["because"] in inspected(app))
        await until_answered(pilot, lambda: arabic.WORDS["like"] in inspected(app))
        text = inspected(app)
        assert not [word for word in ("because", "like ", "below", "feels", "history") if word in text]
        assert all(arabic.WORDS[name] in text for name in ("below", "feels", "tokens"))


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_evaluation_speaks_arabic(run: Run, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOEMO_LANGUAGE", "ar")
    monkeypatch.setenv("GOEMO_BIDI", "terminal")
    said = arabic.WORDS
    async with opened(size) as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        await pilot.press("m")
        await until(pilot, lambda: f"{said['missed']} 8" in shown(app))
        text = shown(app)
        for name in ("Live", "Evaluation", "Config", "Log", "emotion", "best epoch", "said wrongly", "said instead"):
            assert said[name] in text, name
        english = ("Evaluation", "missed", "said", "emotion", "support", "threshold", "limit", "epoch", "rows", "error")
        assert not [word for word in english if word in text]
        table = app.screen.query_one(ScoreTable)
        table.focus()
        for name in ("Sentiment", "decisions" if size[0] == 120 else "error", "wrongly said"):
            await pilot.press("m")
            await until(pilot, lambda name=name: said[name] in shown(app))  # type: ignore[misc]
            assert not [word for word in english if word in shown(app)], name
        await pilot.press("m", "enter")
        await until(pilot, lambda: isinstance(app.screen, ErrorsScreen) and said["model"] in shown(app))
        text = shown(app)
        assert said["mistakes"] in text and "0.050" in text and not [word for word in english if word in text]
