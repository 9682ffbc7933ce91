"""What the tests of the Data screen share: a small corpus with hostile comments, its tokenizer, and how to look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot

from goemo_tui.screens.data import DataScreen
from goemo_tui.services.corpus_loader import FoundTokenizer
from goemo_tui.widgets.bar_list import BarList
from trainer.corpus import load_corpus
from trainer.corpus.suspects import Ranking, Suspects, folder_of, given_labels, keep_ranking, keep_scores, read_scores
from trainer.corpus.tokens import load_tokenizer

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


def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with TRAIN and two rows of dev; tokens are those of VOCABULARY."""
    vocabulary = tmp_path / "tokenizer"
    vocabulary.mkdir()
    vocabulary.joinpath("vocab.txt").write_text(VOCABULARY.replace(" ", "\n") + "\n", encoding="utf-8")
    monkeypatch.setattr(
        "goemo_tui.services.corpus_loader.find_tokenizer", lambda encoder: FoundTokenizer(load_tokenizer(vocabulary))
    )
    folder = write(tmp_path / "mine", TRAIN)
    return write(folder, [("I love it", "18", "bb1"), ("so sad", "25", "bb2")], "dev")


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


def scored(place: str | Path, both: tuple[int, ...] = (4,), some: tuple[int, ...] = (1, 3)) -> Suspects:
    """Scores in which rows `both` have another label that fits, and of rows `some` the given ones are doubted."""
    corpus = load_corpus(place)
    given = given_labels(corpus)
    p = np.where(given, 0.7, 0.02).astype(np.float32)
    issues, quality = np.zeros(given.shape, dtype=bool), np.linspace(0.3, 0.9, len(given)).astype(np.float32)
    for row in (*both, *some):
        issues[row] = given[row]
        p[row][given[row]] = 0.05
    other = corpus.labels.index()["gratitude"]
    for row in both:
        issues[row, other], p[row, other] = True, 0.83
    told = {"rows": len(given), "any": len(both) + len(some), "both": len(both), "method": "by hand"}
    keep_scores(folder_of(corpus), p, {"labels": list(corpus.labels.names), "macro_f1": 0.471})
    scores = read_scores(corpus)
    assert scores is not None
    ranking = Ranking(quality, issues, told)
    keep_ranking(scores, ranking)
    return Suspects(scores, ranking, given)
