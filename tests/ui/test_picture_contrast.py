"""What is written on a screen can be read: the contrast of every word in the accepted pictures of the places."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.style import Style

from tests.ui.gallery import FOLDER
from tests.ui.picture import Picture, Shot

LEAST = 2.2
"""Of quiet words too, such as the figures at an axis; WCAG asks for 4.5 where text is read at length."""

OVER = (
    "help",
    "settings",
    "palette",
    "download",
    "export",
    "open",
    "problems",
    "about",
    "delete",
    "models",
    "pick",
    "wrong",
)
"""Pictures in which something lies over a place, which is dimmed, or a button that cannot be pressed."""


def words(shot: Shot) -> list[tuple[str, str]]:
    """Each run of cells of one style that holds a letter or a figure, and that style."""
    found: list[tuple[str, str]] = []
    for row, styles in zip(shot.rows, shot.styles, strict=True):
        x, run, style = 0, "", styles[0]
        for char in [*row, None]:
            here = styles[min(x, len(styles) - 1)]
            if char is None or here != style:
                if any(c.isalnum() for c in run):
                    found.append((run.strip(), style))
                run, style = "", here
            if char is not None:
                run, x = run + char, x + cell_len(char)
    return found


def contrast(style: str) -> float:
    """As WCAG reckons it, 1 to 21; 21 where a colour is the terminal's own."""
    parsed = Style.parse(style)
    if parsed.color is None or parsed.bgcolor is None:
        return 21.0
    low, high = sorted(_luminance(*colour.get_truecolor()) for colour in (parsed.color, parsed.bgcolor))
    return (high + 0.05) / (low + 0.05)


def _luminance(*channels: int) -> float:
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (channel / 255 for channel in channels)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_contrast_is_reckoned_as_wcag_does() -> None:
    assert contrast("#000000 on #ffffff") == pytest.approx(21)
    assert contrast("#777777 on #ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("on #ffffff") == 21


@pytest.mark.parametrize(
    "file", [f for f in sorted(FOLDER.glob("*.txt")) if not any(word in f.name for word in OVER)], ids=lambda f: f.stem
)
def test_every_word_of_a_place_can_be_read(file: Path) -> None:
    picture = Picture.read(file.read_text(encoding="utf-8"))
    dim = {
        (theme, word, style)
        for theme, shot in picture.shots.items()
        for word, style in words(shot)
        if contrast(style) < LEAST
    }
    assert not dim
