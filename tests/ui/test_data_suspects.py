"""Suspect labels in Data: the ranking, its keys, what is written, and what is said where nothing is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from goemo_tui.app import GoemoApp
from goemo_tui.screens.data import DataScreen
from goemo_tui.screens.export import ExportRows
from goemo_tui.services.suspects import Judged, cleaned
from goemo_tui.widgets import suspect_view
from tests.ui import data_story
from tests.ui.data_story import opened, scored, shown, title, until
from trainer.corpus import load_corpus
from trainer.corpus.decisions import Decision, read_decisions
from trainer.corpus.suspects import Suspects


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return data_story.corpus(tmp_path, monkeypatch)


def decisions(found: Suspects) -> dict[int, Decision]:
    return read_decisions(found.scores.folder, 28)


async def at_suspects(screen: DataScreen, pilot: object) -> None:
    screen.browser.show_view("suspects")
    screen.set_focus(screen.browser.figures)
    await until(pilot, lambda: "looking" not in screen.browser.figures.text)  # type: ignore[arg-type]


async def test_without_scores_it_names_the_command_and_copies_it(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        copied: list[str] = []
        monkeypatch.setattr(pilot.app, "copy", lambda text, what: copied.append(text))
        await at_suspects(screen, pilot)
        text = " ".join(screen.browser.figures.text.split())
        assert "not known yet" in text and f"data suspects {corpus}" in text
        await pilot.press("y", "f", "w")
        await pilot.pause()
        assert copied == [f"goemo-tui data suspects {corpus}"]
        await pilot.press("escape")
        found = scored(corpus)  # meanwhile the command has found them
        await pilot.press("v", "f")
        await until(pilot, lambda: "gratitude" in screen.browser.figures.text)
        assert decisions(found) == {}  # from another view the key only leads here


async def test_the_ranking_shows_given_and_suggested_labels(corpus: Path) -> None:
    scored(corpus)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("s")  # of train, whatever split is shown
        await at_suspects(screen, pilot)
        assert "train" in title(screen.browser) and "suspect" in title(screen.browser)
        lines = screen.browser.figures.text.splitlines()
        first = next(i for i, line in enumerate(lines) if "very sad" in line)
        assert lines[first].split()[0] == "1"
        assert "sadness 5%" in lines[first + 1] and "→ gratitude 83%" in lines[first + 1]
        said = screen.browser.figures.text.splitlines()[-1]
        assert "doubted: sadness" in said and "missing: gratitude" in said
        text = screen.browser.figures.text
        assert "42.9% of 7 rows" in text and "macro-F1 .471" in text
        assert "[/s] [@click=app.quit]" in text and "\x1b" not in text
        await pilot.press("enter")
        await until(pilot, lambda: screen.browser.view == "table")
        assert (screen.browser.split, screen.browser.filter_text, shown(screen)) == ("train", "line:5", [5])


async def test_who_looks_at_a_row_comes_back_to_it_and_everything_says_train(corpus: Path) -> None:
    scored(corpus)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("s")
        await until(pilot, lambda: screen.browser.split != "train")
        await at_suspects(screen, pilot)
        assert screen.browser.split == "train", "of which the suspects are"
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: screen.browser.view == "table")
        await at_suspects(screen, pilot)
        await until(pilot, lambda: screen.browser.figures.cursor == 2)
        assert "the filter aside" in title(screen.browser)
        await pilot.press("s")
        await until(pilot, lambda: screen.browser.view == "table" and screen.browser.split != "train")


def test_the_line_of_the_cut_says_what_an_export_leaves_out(corpus: Path) -> None:
    found = scored(corpus)
    judged = Judged(found, {})
    order = [int(row) for row in found.order]
    assert suspect_view._cut(judged, 0.3) == (2, 2)
    judged.decisions = {order[0]: Decision("fine"), order[5]: Decision("wrong"), order[1]: Decision("model", (1,))}
    _, kept = cleaned(load_corpus(corpus).splits["train"], judged, 0.3)
    assert suspect_view._cut(judged, 0.3) == (7 - len(kept), 4)
    for width in (60, 90, 120):
        for decided in (False, True):
            line = suspect_view._line_of_cut(3, 200, 0.05, decided, width)
            assert cell_len(line) == width if width > 80 else cell_len(line) <= width
            assert "…" not in line or width < 80


async def test_keys_decide_and_the_same_key_takes_it_back(corpus: Path) -> None:
    found = scored(corpus)
    async with GoemoApp(str(corpus)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await at_suspects(screen, pilot)
        await pilot.press("u", "b", "f")
        await pilot.pause()
        order = [int(row) for row in found.order]
        gratitude = load_corpus("sample").labels.index()["gratitude"]
        assert decisions(found) == {
            order[0]: Decision("model", (gratitude,)), order[1]: Decision("wrong"), order[2]: Decision("fine"),
        }  # fmt: skip
        assert screen.browser.figures.cursor == 3
        assert "✓" in screen.browser.figures.text and "✗" in screen.browser.figures.text
        await pilot.press("home", "u", "f")
        await pilot.pause()
        assert decisions(found)[order[0]] == Decision("fine")
        await pilot.press("home", "f")
        await pilot.pause()
        assert order[0] not in decisions(found) and screen.browser.figures.cursor == 0


async def test_the_models_labels_must_be_others(corpus: Path) -> None:
    found = scored(corpus, both=(), some=(1,))
    async with GoemoApp(str(corpus)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await at_suspects(screen, pilot)
        await pilot.press("down", "u")
        await pilot.pause()
        assert "no other is surer" in screen.browser.figures.text and decisions(found) == {}
        assert any("no other labels" in str(n.message) for n in pilot.app._notifications)


async def test_the_cleaned_list_is_written(corpus: Path, tmp_path: Path) -> None:
    found = scored(corpus)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await at_suspects(screen, pilot)
        await pilot.press("u", "b", "w")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExportRows))
        dialog = pilot.app.screen
        assert isinstance(dialog, ExportRows) and "without 1 with doubtful labels" in dialog.what
        field = dialog.query_one("#path")
        assert "train-cleaned" in field.value  # type: ignore[attr-defined]
        field.value = str(tmp_path / "clean.jsonl")  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "clean.jsonl").is_file())
        rows = [json.loads(line) for line in (tmp_path / "clean.jsonl").read_text().splitlines()]
        ids = load_corpus(corpus).splits["train"].ids
        assert {row["id"] for row in rows} == set(ids) - {ids[int(found.order[1])]}
        assert next(row for row in rows if row["id"] == ids[4])["labels"] == ["gratitude"]


async def test_a_disk_that_refuses_says_so(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = scored(corpus)
    async with GoemoApp(str(corpus)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await at_suspects(screen, pilot)
        (found.scores.folder / ".decisions.json.new").mkdir()
        await pilot.press("f")
        await pilot.pause()
        assert decisions(found) == {} and "✓" not in screen.browser.figures.text
        assert any("cannot be written" in str(n.message) for n in pilot.app._notifications)
