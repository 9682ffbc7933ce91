"""Rows that leave the screen: written into a file that opens again, and copied into the terminal's clipboard."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from goemo_tui.app import GoemoApp
from goemo_tui.screens.confirm import Confirm
from goemo_tui.screens.export import ExportRows
from goemo_tui.widgets.field import Field
from tests.ui import data_story
from tests.ui.data_story import TRAIN, opened, typed, until
from trainer.corpus import load_corpus


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return data_story.corpus(tmp_path, monkeypatch)


async def dialog(pilot: Pilot[Any], path: str) -> ExportRows:
    """The dialog with a path in its field."""
    await pilot.press("w")
    found = pilot.app.screen
    assert isinstance(found, ExportRows)
    await until(pilot, lambda: bool(found.query(Field)))
    found.query_one(Field).value = path
    await pilot.press("enter")
    return found


@pytest.mark.parametrize("ending", [".tsv", ".csv", ".jsonl", ".parquet"])
async def test_the_rows_that_were_found_are_written_in_their_order(corpus: Path, tmp_path: Path, ending: str) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "love")
        screen.browser.sort((0, True))
        await dialog(pilot, f"out{ending}")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert any("2 rows" in n.message and f"out{ending}" in n.message for n in pilot.app._notifications)
        await pilot.press("w")
        await until(pilot, lambda: bool(pilot.app.screen.query(Field)))
        assert pilot.app.screen.query_one(Field).value == str(tmp_path / f"mine-train-rows{ending}")
    written = load_corpus(tmp_path / f"out{ending}").splits["train"]
    assert written.text == [TRAIN[2][0], TRAIN[0][0]]
    assert written.ids == ["aa3", "aa1"]


async def test_the_whole_folder_is_shown_before_anything_is_written(corpus: Path, tmp_path: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("w")
        await until(pilot, lambda: bool(pilot.app.screen.query(Field)))
        field, said = pilot.app.screen.query_one(Field), pilot.app.screen.query_one("#said", Static)
        await until(pilot, lambda: "".join(str(said.render()).split()) == f"into{tmp_path}")
        for typed_in, folder in (("sub/x.tsv", f"into{tmp_path}/sub"), ("~/x.tsv", f"into{Path.home()}"), ("", "")):
            field.value = typed_in
            await until(pilot, lambda: "".join(str(said.render()).split()) == folder)  # noqa: B023 - called at once


async def test_what_is_wrong_is_said_at_the_field_and_a_file_that_is_there_is_asked_about(
    corpus: Path, tmp_path: Path
) -> None:
    tmp_path.joinpath("there.tsv").write_text("mine\t1\tx\n", "utf-8")
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        found = await dialog(pilot, "rows.doc")
        said = found.query_one("#said", Static)
        await until(pilot, lambda: "the ending says the format" in str(said.render()))
        found.query_one(Field).value = str(corpus / "train.tsv")
        await pilot.press("enter")
        await until(pilot, lambda: "the file that these rows were read from" in str(said.render()))
        found.query_one(Field).value = "there.tsv"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is found)
        assert tmp_path.joinpath("there.tsv").read_text("utf-8") == "mine\t1\tx\n"
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)


async def test_nothing_found_is_nothing_to_write(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "zebra")
        await pilot.press("w", "y")
        assert pilot.app.screen is screen
        assert [n.message for n in pilot.app._notifications] == [
            "There is no row to write.",
            "There is no comment to copy.",
        ]


async def test_a_comment_is_copied_as_it_stands_in_the_file_and_only_as_base64(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("STY", raising=False)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        sent: list[str] = []
        driver = pilot.app._driver
        assert driver is not None
        monkeypatch.setattr(driver, "write", sent.append)
        await pilot.press(*["down"] * 5, "y")
        whole = "".join(sent)
        text = base64.b64encode(TRAIN[5][0].encode()).decode()
        assert f"\x1b]52;c;{text}\x07" in whole
        assert "\x1b]52;c;eA==" not in whole
        assert any("Comment 6" in n.message for n in pilot.app._notifications)
