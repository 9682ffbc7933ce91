"""A screen as a small text that a person can read and git can compare: its rows, and below them one sign a cell for the
style of that cell, explained for each theme.

An SVG of the same screen weighs thirty times as much and says less in a diff. `python -m tests.ui.picture FILE [THEME]`
writes the SVG of a picture to stdout.
"""

from __future__ import annotations

import io
import string
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import App

SIGNS = string.ascii_letters + string.digits + "".join(map(chr, [*range(0x391, 0x3A2), *range(0x3B1, 0x3CA)]))
"""One for each style of a screen, in the order in which they are met."""


@dataclass(frozen=True)
class Shot:
    """One screen in one theme. `rows` are its lines as shown, `styles` a word or two for each cell of each line."""

    rows: tuple[str, ...]
    styles: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, app: App[object]) -> Shot:
        """What the app shows now: the very segments of which its `export_screenshot` makes an SVG."""
        width, height = app.size
        screen = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
        console = Console(
            width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor",
            legacy_windows=False,
        )  # fmt: skip
        rows, styles = [], []
        for line in Segment.split_lines(s for s in console.render(screen) if not s.control):
            rows.append("".join(segment.text for segment in line))
            styles.append(tuple(word for s in line for word in [_word(s.style)] * cell_len(s.text)))
        return cls(tuple(rows), tuple(styles))

    def replaced(self, old: str, new: str) -> Shot:
        """With another text of the same width in place of one that is never the same twice."""
        return Shot(tuple(row.replace(old, new) for row in self.rows), self.styles)


@dataclass(frozen=True)
class Picture:
    """A screen of one size in some themes, by theme."""

    name: str
    shots: Mapping[str, Shot]

    def text(self, before: Picture | None = None) -> str:
        """As it is stored. Where `before` is the one stored until now, its signs are kept, so that a diff stays small."""
        themes = list(self.shots)
        first = self.shots[themes[0]]
        signs = _signs_of(before, themes) if before is not None else {}
        grid: list[str] = []
        for cells in zip(*(self.shots[theme].styles for theme in themes), strict=True):
            line = ""
            for look in zip(*cells, strict=True):
                if look not in signs:
                    signs[look] = next(sign for sign in SIGNS if sign not in signs.values())
                line += signs[look]
            grid.append(line)
        used = {look: sign for look, sign in signs.items() if any(sign in line for line in grid)}
        parts = [f"{self.name} · {len(grid[0])}x{len(grid)}", *(row.rstrip() for row in first.rows), "styles", *grid]
        for index, theme in enumerate(themes):
            parts += [theme, *(f"{sign} {look[index]}" for look, sign in sorted(used.items(), key=lambda p: p[1]))]
            for y, row in enumerate(self.shots[theme].rows):
                if row != first.rows[y]:
                    parts.append(f"row {y + 1}: {row.rstrip()}")
        return "\n".join(parts) + "\n"

    @classmethod
    def read(cls, text: str) -> Picture:
        """What `text` wrote. Raises ValueError for anything else."""
        head, *lines = text.removesuffix("\n").split("\n")
        name, _, size = head.rpartition(" · ")
        width, height = map(int, size.split("x"))
        rows = tuple(row + " " * (width - cell_len(row)) for row in lines[:height])
        grid, rest = lines[height + 1 : 2 * height + 1], lines[2 * height + 1 :]
        if lines[height] != "styles" or any(len(line) != width for line in grid):
            raise ValueError(f"{name}: its styles are not one sign a cell")
        shots: dict[str, Shot] = {}
        while rest:
            theme, *rest = rest
            known: dict[str, str] = {}
            own = list(rows)
            while rest and rest[0][1:2] == " ":
                line = rest.pop(0)
                known[line[0]] = line[2:]
            while rest and rest[0].startswith("row "):
                y, _, row = rest.pop(0).removeprefix("row ").partition(": ")
                own[int(y) - 1] = row + " " * (width - cell_len(row))
            shots[theme] = Shot(tuple(own), tuple(tuple(known[sign] for sign in line) for line in grid))
        return cls(name, shots)


def difference(accepted: Shot, drawn: Shot) -> str:
    """The first row in which two screens differ, in words; empty where they are the same."""
    if len(accepted.rows) != len(drawn.rows):
        return f"{len(accepted.rows)} rows were accepted, {len(drawn.rows)} are drawn"
    for y, (old, new) in enumerate(zip(accepted.rows, drawn.rows, strict=True)):
        if old != new:
            return f"row {y + 1}\n  accepted: {old.rstrip()}\n  drawn:    {new.rstrip()}"
    for y, (before, after) in enumerate(zip(accepted.styles, drawn.styles, strict=True)):
        if before != after:
            x = next(x for x in range(len(after)) if before[x : x + 1] != after[x : x + 1])
            end = next((i for i in range(x, len(after)) if after[i] != after[x]), len(after))
            part = Text(drawn.rows[y]).plain[x:end].strip() or "blank"
            return f"row {y + 1}, column {x + 1} ({part!r}): {before[x]} was accepted, {after[x]} is drawn"
    return ""


def svg(shot: Shot, title: str) -> str:
    """The screen as a picture for a browser."""
    width = len(shot.styles[0])
    console = Console(
        width=width,
        height=len(shot.rows),
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
    )
    for row, styles in zip(shot.rows, shot.styles, strict=True):
        line, x, run, style = Text(no_wrap=True, overflow="crop"), 0, "", styles[0]
        for char in row:
            here = styles[min(x, width - 1)]
            if here != style:
                line.append(run, Style.parse(style))
                run, style = "", here
            run += char
            x += cell_len(char)
        console.print(line.append(run, Style.parse(style)), crop=True)
    return console.export_svg(title=title)


def _signs_of(before: Picture, themes: list[str]) -> dict[tuple[str, ...], str]:
    """Looks by sign, as the text of a picture has them."""
    if list(before.shots) != themes:
        return {}
    lines = before.text().split("\n")
    height = len(next(iter(before.shots.values())).rows)
    signs: dict[tuple[str, ...], str] = {}
    for y, grid in enumerate(lines[height + 2 : 2 * height + 2]):
        for x, sign in enumerate(grid):
            signs.setdefault(tuple(before.shots[theme].styles[y][x] for theme in themes), sign)
    return signs


def _word(style: Style | None) -> str:
    """A style in Rich's words, without links and whatever else nobody sees."""
    if style is None:
        return "none"
    return str(Style(
        color=style.color, bgcolor=style.bgcolor, bold=style.bold or None, dim=style.dim or None,
        italic=style.italic or None, underline=style.underline or None, reverse=style.reverse or None,
        strike=style.strike or None, blink=style.blink or None,
    ))  # fmt: skip


def main(arguments: Iterable[str]) -> int:
    """Write the SVG of a stored picture; without a theme, of its first."""
    file, *theme = arguments
    picture = Picture.read(Path(file).read_text(encoding="utf-8"))
    shot = picture.shots[theme[0] if theme else next(iter(picture.shots))]
    print(svg(shot, picture.name))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
