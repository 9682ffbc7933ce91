"""Pictures as text: written, read back, compared in words, and drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from tests.ui.picture import Picture, Shot, difference, main, svg


class Words(App[None]):
    """Two lines, one of them with wide characters and a colour."""

    CSS = "#b { color: red; text-style: bold; }"

    def __init__(self, second: str = "明日 b") -> None:
        super().__init__()
        self.second = second

    def compose(self) -> ComposeResult:
        yield Static("row 1: plain", id="a")
        yield Static(self.second, id="b")


async def shot(second: str = "明日 b", colour: str = "red") -> Shot:
    app = Words(second)
    async with app.run_test(size=(20, 4)) as pilot:
        app.query_one("#b").styles.color = colour
        await pilot.pause()
        return Shot.of(app)


async def test_what_is_written_is_read_back() -> None:
    one, two = await shot(), await shot("明日 c", "blue")
    picture = Picture("words", {"dark": one, "light": two})
    text = picture.text()
    assert text.startswith("words · 20x4\nrow 1: plain\n明日 b\n")
    assert "\nrow 2: 明日 c\n" in text, "a row that the second theme words otherwise"
    again = Picture.read(text)
    assert dict(again.shots) == {"dark": one, "light": two} and again.text(picture) == text
    with pytest.raises(ValueError, match="one sign a cell"):
        Picture.read(text.replace("styles\n", "styles\naa"))


async def test_signs_are_kept_so_that_a_diff_stays_small() -> None:
    before = Picture("words", {"dark": await shot()})
    after = Picture("words", {"dark": await shot(colour="blue")})
    lines, new = before.text().splitlines(), after.text(before).splitlines()
    kept = {line for line in lines if line[1:2] == " "} & set(new)
    assert len(kept) >= 2, "the looks that stayed have the signs that they had"
    assert after.text(before) != after.text() and Picture.read(after.text(before)).shots == after.shots


async def test_a_difference_is_said_in_words() -> None:
    one = await shot()
    assert difference(one, await shot()) == ""
    said = difference(one, await shot("明日 c"))
    assert said.startswith("row 2\n") and "accepted: 明日 b" in said and "drawn:    明日 c" in said
    said = difference(one, await shot(colour="blue"))
    assert said.startswith("row 2, column 1 ('明日 b'") and "#ff0000" in said and "#0000ff" in said
    assert difference(one, Shot(one.rows[:3], one.styles[:3])) == "4 rows were accepted, 3 are drawn"


async def test_it_can_be_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = await shot()
    assert "明日" in svg(one, "words") and "#ff0000" in svg(one, "words")
    (tmp_path / "words.txt").write_text(Picture("words", {"dark": one}).text(), encoding="utf-8")
    assert main([str(tmp_path / "words.txt")]) == 0
    assert capsys.readouterr().out.startswith("<svg")


def test_no_accepted_picture_holds_a_path_of_a_machine() -> None:
    pictures = sorted((Path(__file__).parents[1] / "pictures").glob("*.txt"))
    assert pictures
    for file in pictures:
        for path in re.findall(
            r"(?<![\w/])/(?:home|root|work|usr|tmp|mnt|srv|var|opt|Users)/[^\s│]*", file.read_text()
        ):
            assert path.startswith("/tmp/goemo-pictures"[: len(path)]), f"{file.name}: {path}"
