"""Corpora opened, refused and missing: what the Data screen says, and the next step it names."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from goemo_tui.app import GoemoApp
from goemo_tui.remembered import read_state
from goemo_tui.screens.data import DataScreen
from goemo_tui.screens.open_corpus import OpenCorpus, complaint_about
from goemo_tui.screens.place import Place
from goemo_tui.screens.problems import Problems
from goemo_tui.widgets.bar_list import BarList
from goemo_tui.widgets.long_list import LongList
from tests.ui import data_story
from tests.ui.data_story import TRAIN, counts, opened, shown, title, typed, until, write
from trainer.errors import CorpusError
from trainer.labels import EMOTIONS


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return data_story.corpus(tmp_path, monkeypatch)


async def test_a_corpus_opens_with_splits_labels_rows_and_the_focus_on_the_table(corpus: Path) -> None:
    app = GoemoApp(str(corpus))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert [(e.name, e.count, e.sign) for e in screen.query_one("#splits", BarList).entries] == [
            ("train", 7, "▸"), ("dev", 2, " "), ("test", None, " "),
        ]  # fmt: skip
        assert "train · 7 of 7" in title(screen.browser)
        assert counts(screen)["love"] == 2
        assert list(counts(screen)) == sorted(EMOTIONS, key=lambda n: (-(counts(screen)[n] or 0), EMOTIONS.index(n)))
        assert shown(screen) == [1, 2, 3, 4, 5, 6, 7]
        assert app.focused is not None
        assert app.focused.id == "table"
        assert [cell.plain for cell in screen.browser.table.get_row_at(2)] == [  # type: ignore[union-attr]
            "3", "I love you and you love the sea", "joy love", "10",
        ]  # fmt: skip


async def test_a_corpus_that_is_not_there_says_the_next_step(tmp_path: Path) -> None:
    async with GoemoApp(str(tmp_path / "nowhere[/b]")).run_test(size=(120, 36)) as pilot:
        waiting = pilot.app.screen.query_one("#waiting", Static)
        await until(pilot, lambda: "nowhere[/b]" in str(waiting.render()) and "✗" in str(waiting.render()))
        for name in ("#splits", "#emotions"):
            assert "no corpus is open" in pilot.app.screen.query_one(name, BarList).render_line(0).text
        assert "o opens another folder or file" in str(waiting.render())
        await pilot.press("slash", "a", "escape", "t", "v", "s", "p", "e")


async def test_the_threads_that_open_and_count_ask_the_screen_nothing(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be gone when they begin."""
    usual = Place.goemo.fget
    assert usual is not None

    def goemo(screen: Place) -> GoemoApp:
        assert threading.current_thread() is threading.main_thread()
        return usual(screen)  # type: ignore[no-any-return]

    monkeypatch.setattr(Place, "goemo", property(goemo))
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.tokenizer is not None)


async def test_an_opening_that_fails_as_nobody_foresaw_is_told_in_the_pane_and_not_waited_for(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: str, encoder: str) -> None:
        raise LookupError("a bug of ours")

    monkeypatch.setattr("goemo_tui.services.corpus_loader.open_corpus", broken)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        waiting = pilot.app.screen.query_one("#waiting", Static)
        await until(pilot, lambda: "LookupError: a bug of ours" in str(waiting.render()))
        assert "app.log" in str(waiting.render())
        assert "no corpus is open" in pilot.app.screen.query_one("#splits", BarList).render_line(0).text


async def test_problems_are_listed_by_file_and_line(corpus: Path) -> None:
    with corpus.joinpath("train.tsv").open("ab") as file:
        file.write(b"no labels here\tnine\taa8\nbad \xff bytes\t3\taa9\n")
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert "2 rows skipped (p)" in str(screen.browser._border_subtitle)
        lines = await problem_list(pilot)
        assert lines[0].startswith("✗") and "2 of 9 rows cannot be used" in lines[0]
        assert [line.split()[1] for line in lines[1:]] == ["train.tsv:8", "train.tsv:9"]
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, DataScreen)


async def problem_list(pilot: Pilot[Any]) -> list[str]:
    """The rows of the list that `p` opens."""
    await pilot.press("p")
    dialog = pilot.app.screen
    assert isinstance(dialog, Problems)
    await until(pilot, lambda: bool(dialog.query(LongList)) and dialog.query_one(LongList).count > 0)
    found = dialog.query_one(LongList)
    return [found.row_text(i) for i in range(found.count)]


async def test_a_language_the_encoder_does_not_know_is_among_the_warnings(tmp_path: Path) -> None:
    rows = [("der Hund läuft heute wieder durch den Garten", "27", f"g{i}") for i in range(12)]
    folder = write(write(tmp_path / "german", rows), rows, "dev")
    async with GoemoApp(str(folder)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert str(screen.browser._border_subtitle) == "german · 1 warning (p)"
        assert [n.message for n in pilot.app._notifications] == ["1 warning (p)"]
        assert "only 0% of the longer comments hold a common English word" in " ".join(await problem_list(pilot))
        assert "No row was skipped" in str(pilot.app.screen.query_one("#summary", Static).render())


def spoilt(folder: Path, good: int) -> Path:
    """A folder whose train.tsv has `good` rows and three times as many bad ones, or four."""
    rows = [("I love the sea", "18", f"a{i}") for i in range(good)]
    return write(folder, rows + [("so sad", "nine", f"b{i}") for i in range(3 * good or 4)])


async def test_a_refused_file_is_said_to_be_refused_and_why(tmp_path: Path) -> None:
    async with GoemoApp(str(spoilt(tmp_path / "spoilt", 1))).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        said = (
            "train.tsv is refused for training (p lists all reasons): 3 of 4 rows cannot be used (75%, at most 20% may "
            "be bad); line 2: label 'nine' is "
        )
        refusal = screen.query_one("#refusal", Static)
        assert refusal.display
        assert refusal.size.height >= 2
        assert f"✗ {said}" in str(refusal.render())
        (toast,) = pilot.app._notifications
        assert toast.message == "train refused for training · 3 rows skipped (p)"
        assert toast.severity == "error"
        assert str(screen.browser._border_subtitle) == "spoilt · refused for training · 3 rows skipped (p)"
        first = (await problem_list(pilot))[0]
        assert first.count("is refused for training") == 1
        assert "␊" not in first and first.endswith(" …")
        whole = str(pilot.app.screen.query_one("#whole", Static).render())
        assert whole.splitlines()[1].startswith("  line 2: label 'nine'")


async def test_a_refused_file_without_rows_stands_in_the_tables_place(corpus: Path, tmp_path: Path) -> None:
    noise = tmp_path / "noise.tsv"
    noise.write_bytes(bytes(range(128, 256)) * 4)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "love")
        screen.open(str(noise))
        await until(pilot, lambda: any("not UTF-8 text" in n.message for n in pilot.app._notifications))
        assert any(f"goemo-tui data check {noise}" in n.message for n in pilot.app._notifications)
        assert shown(screen) == [1, 3] and screen.browser.filter_text == "love", "what was open stays as it was"
        await pilot.press("r")
        await until(pilot, lambda: screen.browser.table is not None and "2 of 7" in title(screen.browser))
        assert read_state().recent == (str(corpus),)
    async with GoemoApp(str(noise)).run_test(size=(120, 36)) as pilot:
        screen = cast(DataScreen, pilot.app.screen)
        waiting = screen.query_one("#waiting", Static)
        await until(pilot, lambda: waiting.display)
        assert "✗ noise.tsv is refused for training" in str(waiting.render())
        assert "not UTF-8 text" in str(waiting.render())
        assert "p lists every reason" in str(waiting.render())
        assert screen.browser.table is None
        assert "of 7" not in title(screen.browser)
        assert any("train refused for training" in n.message for n in pilot.app._notifications)
        assert str(noise) not in screen.goemo.remembered.recent
        assert str(corpus) in screen.goemo.remembered.recent, "the time before"
        await pilot.press("v", "t", "s", "x", "e", "e", "slash", "a", "enter", "escape", "p")
        assert isinstance(pilot.app.screen, Problems)
        await pilot.press("escape")
        screen.open(str(tmp_path / "nowhere"))
        await until(pilot, lambda: "nowhere" in str(waiting.render()) and "✗" in str(waiting.render()))
        screen.open(str(corpus))
        await until(pilot, lambda: screen.browser.table is not None and "7 of 7" in title(screen.browser))
        assert not screen.query_one("#refusal", Static).display


@pytest.mark.parametrize("text", ["", "a,b,c\n1,2,3\n4,5,6\n"], ids=["empty", "no corpus at all"])
async def test_a_file_that_is_refused_whole_takes_the_place_of_nothing(corpus: Path, tmp_path: Path, text: str) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(text, encoding="utf-8")
    async with GoemoApp(str(corpus)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        screen.open(str(bad))
        await until(pilot, lambda: any("bad.csv is refused" in n.message for n in pilot.app._notifications))
        assert screen.opened is not None and screen.opened.corpus.path == corpus and "7 of 7" in title(screen.browser)
        assert screen.goemo.data == str(corpus) and read_state().recent == (str(corpus),)


async def test_a_refused_dev_is_said_on_every_split(corpus: Path) -> None:
    spoilt(corpus, 2).joinpath("train.tsv").rename(corpus / "dev.tsv")
    write(corpus, TRAIN)
    async with GoemoApp(str(corpus)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert "✗ dev.tsv is refused" in str(screen.query_one("#refusal", Static).render())
        assert "7 of 7" in title(screen.browser)


async def test_opening_another_corpus(corpus: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other", [("so happy", "17", "c1")] * 3)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "love")
        await pilot.press("o")
        dialog = pilot.app.screen
        assert isinstance(dialog, OpenCorpus)
        dialog.query_one(Input).value = str(tmp_path / "nothing")
        await pilot.press("enter")
        assert "no such folder or file" in str(dialog.query_one("#complaint", Static).render())
        dialog.query_one(Input).value = str(other)
        await pilot.press("enter")
        await until(pilot, lambda: screen.opened is not None and screen.opened.corpus.path == other)
        assert "3 of 3" in title(screen.browser)
        assert screen.browser.filter_text == ""
        assert read_state().recent == (str(other), str(corpus))
        await pilot.press("o")
        dialog = pilot.app.screen
        choices = dialog.query_one(LongList)
        await until(pilot, lambda: any("train 1,120" in choices.row_text(i) for i in range(choices.count)))
        rows = [choices.row_text(i) for i in range(choices.count)]
        assert [row.split()[0] for row in rows[:2]] == ["sample", "goemotions"]
        at = next(i for i, row in enumerate(rows) if row.startswith(str(corpus)[-10:]) or "/mine " in row)
        await pilot.press("down", *["down"] * at, "enter")
        await until(pilot, lambda: screen.opened is not None and screen.opened.corpus.path == corpus)


async def test_a_corpus_that_fails_to_open_leaves_the_present_one(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)

        def broken(path: str, encoder: str) -> None:
            raise CorpusError("it cannot be read")

        monkeypatch.setattr("goemo_tui.services.corpus_loader.open_corpus", broken)
        screen.open("elsewhere")
        await until(pilot, lambda: any("it cannot be read" in n.message for n in pilot.app._notifications))
        assert shown(screen) == [1, 2, 3, 4, 5, 6, 7]


def test_what_can_be_opened(tmp_path: Path, corpus: Path, goemo_home: Path) -> None:
    assert complaint_about("sample") == ""
    assert complaint_about(str(corpus)) == ""
    assert complaint_about(str(corpus / "train.tsv")) == ""
    assert "type the path" in complaint_about("  ")
    assert "d fetches it" in complaint_about("goemotions")
    assert "no such folder" in complaint_about(str(tmp_path / "x"))
    assert "in this folder" in complaint_about(str(tmp_path))
    tmp_path.joinpath("x.doc").write_text("x", encoding="utf-8")
    assert "ending in" in complaint_about(str(tmp_path / "x.doc"))
    assert "no path" in complaint_about("a\0b")
    write(goemo_home / "corpora" / "goemotions", TRAIN)
    assert complaint_about("goemotions") == ""


@pytest.mark.corpus
async def test_the_real_corpus_opens_whole(goemotions: Path) -> None:
    async with GoemoApp(str(goemotions)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert "43,410 of 43,410" in title(screen.browser)
        assert counts(screen)["neutral"] == 14_219
        assert counts(screen)["grief"] == 77
        await pilot.press("v", "v", "v", "v")
        await until(pilot, lambda: "145 texts stand on several rows: 64 with" in screen.browser.figures.text)
