"""Pictures of Data and its dialogs, held against the accepted ones in tests/pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goemo_tui.app import GoemoApp
from goemo_tui.screens.data import DataScreen
from goemo_tui.services.transfer import Transfer
from tests.ui.data_story import scored
from tests.ui.gallery import Studio, opened, text
from tests.ui.gallery import studio as studio
from trainer.errors import CorpusError

ODD = (
    ("Thank you for the soup, truly", "15", "od1"),
    ("thank you for the soup, truly!", "15,17", "od2"),
    ("Never lend Marek a ladder", "3", "od3"),
    ("Never lend Marek a ladder", "3", "od4"),
    ("Never lend Marek a ladder", "27", "od5"),
    ("شكرا جزيلا على كل شيء", "15", "od6"),
    ("明日また会おう 🙂 see you", "17", "od7"),
    ("a\x1b[2Jb \u202eevil", "27", "od8"),
    ("the lift is out again " * 20, "3,10", "od9"),
)
BAD = "no label at all\n\t15\tod11\nwhat is this\t99\tod12\ntwo\t15,x\tod13\n"


def ready(app: GoemoApp) -> Callable[[], bool]:
    """Whether the corpus is there and counted, and its tokenizer found."""

    def whether() -> bool:
        screen = next(s for s in app.screen_stack if isinstance(s, DataScreen))
        columns = screen.browser.columns
        return columns is not None and columns.counted and screen.tokenizer is not None

    return whether


async def test_the_sample(studio: Studio) -> None:
    async with opened(studio, "data", "sample") as (app, pilot):
        await studio.take(pilot, "data", "1,120", when=ready(app))
        await pilot.press("slash", *"label:joy -tokens:>20")
        await studio.take(pilot, "data-filter-typing", "label:joy -tokens:>20", " of 1,120")
        await pilot.press("enter", "down", "down", "enter")
        await studio.take(pilot, "data-detail")
        await pilot.press("i")
        await studio.take(pilot, "data-similar", "%")
        await pilot.press("a")
        await studio.take(pilot, "data-augment", "deletion")
        await pilot.press("i")
        await pilot.press("slash", *" or (", "enter")
        await studio.take(pilot, "data-filter-wrong")


async def test_the_figures(studio: Studio) -> None:
    async with opened(studio, "data", "sample") as (app, pilot):
        await studio.until(pilot, ready(app))
        for name in ("data-counts", "data-pairs", "data-lengths", "data-duplicates"):
            await pilot.press("v")
            await studio.take(pilot, name)


async def test_the_suspects(studio: Studio) -> None:
    async with opened(studio, "data", "sample") as (app, pilot):
        await studio.until(pilot, ready(app))
        await pilot.press("f")
        await studio.take(pilot, "data-suspects-unknown", "not known yet")
        scored("sample", both=(9, 300, 700), some=tuple(range(11, 1000, 77)))
        await pilot.press("v", "f")
        await studio.until(pilot, lambda: "gratitude" in text(app))
        await pilot.press("f", "b", "u", "down")
        await studio.take(pilot, "data-suspects", "doubted")


async def test_the_dialogs(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Path.cwd()
    for name in ("letters", "notes"):
        (desk / name).mkdir()
    (desk / "letters" / "train.tsv").write_text("Dear all\t27\tx\n")
    (desk / "my-comments.jsonl").write_text("{}\n" * 40)
    async with opened(studio, "data", "sample") as (app, pilot):
        await studio.until(pilot, ready(app))
        await pilot.press("w")
        await studio.take(pilot, "data-export", "1,120 rows")
        await pilot.press("escape", "o")
        await studio.take(pilot, "data-open", "my-comments.jsonl")
        await pilot.press("escape")
        end = threading.Event()

        def download(
            url: Any, into: Any, progress: Callable[[str, int, int], None], cancelled: Callable[[], bool]
        ) -> Path:
            progress("emotions.txt", 300, 300)
            progress("train.tsv", 1_000_000, 3_500_000)
            end.wait(60)
            raise CorpusError("train.tsv: the connection was closed. What has come is kept: try again")

        monkeypatch.setattr("trainer.corpus.download.download", download)
        monkeypatch.setattr(Transfer, "rate", lambda self, now: 412_000.0)
        monkeypatch.setattr(Transfer, "silent", lambda self, now: 0.0)
        await pilot.press("d")
        await studio.take(pilot, "data-download", "train.tsv")
        end.set()
        await studio.take(pilot, "data-download-failed", "connection")


async def test_a_corpus_with_faults(studio: Studio) -> None:
    folder = Path.cwd() / "odd"
    folder.mkdir()
    rows = "".join("\t".join(row) + "\n" for row in ODD)
    (folder / "train.tsv").write_text(rows + BAD, encoding="utf-8")
    (folder / "dev.tsv").write_text("Never lend Marek a ladder\t3\tod4\nso glad\t17\tod20\n")
    async with opened(studio, "data", str(folder)) as (app, pilot):
        await studio.take(pilot, "data-odd", "odd", when=ready(app))
        for _ in range(4):
            await pilot.press("v")
        await studio.take(pilot, "data-odd-duplicates", "Marek")
        await pilot.press("p")
        await studio.take(pilot, "data-problems", "99")
        await pilot.press("escape", "v", "slash", *"label:grief", "enter")
        await studio.take(pilot, "data-nothing-found", "No comment")


async def test_a_corpus_that_is_not_there(studio: Studio) -> None:
    async with opened(studio, "data", str(Path.cwd() / "nowhere")) as (_, pilot):
        await studio.take(pilot, "data-no-corpus", "nowhere", "o opens")
