"""Without colours (NO_COLOR): what a ground told is told by reverse, what was faint is dim, and no colour is sent.

Textual's own filter sends greys, and colours are what the user asked to be spared.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

STANDS_OUT = 1.8
"""Contrast with the screen's ground from which a cell is reversed: a cursor, a selection, the thumb of a scroll bar."""

ABOVE_RESTING = 1.2
"""How much more than a resting cursor's it has to be: a focused field has such a ground, and its caret is to be seen."""

RAISED = 1.08
"""How much more a ground stands out than a panel's for a cell to be underlined: the cursor of a part without focus."""

FAINT = 4.5
"""Contrast of a letter with its ground below which it is dim."""

UNSEEN = 1.05
"""Contrast below which a letter is not meant to be read."""


class Colourless(LineFilter):
    """Stands where Textual's Monochrome stood. `theme` gives the theme, which changes."""

    def __init__(self, theme: Callable[[], Theme]) -> None:
        super().__init__()
        self._theme = theme

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The line in the terminal's own two colours."""
        theme = self._theme()
        ground = theme.background or ("#000000" if theme.dark else "#ffffff")
        panel = theme.panel or ground
        resting = theme.variables.get("block-cursor-blurred-background", panel)
        plain: list[Segment] = []
        for text, style, control in segments:
            if style is None:
                plain.append(Segment(text, style, control))
                continue
            seen, shown = told(style, ground, panel, resting)
            plain.append(Segment(text if shown else " " * Segment(text).cell_length, seen, control))
        return plain


@lru_cache(maxsize=4096)
def told(style: Style, ground: str, panel: str, resting: str) -> tuple[Style, bool]:
    """`style` without colours on a screen with such grounds, and whether its letters can be seen."""
    screen = Color.parse(ground)
    behind, letter = _colour(style.bgcolor, screen), _colour(style.color, screen.get_contrast_text(1.0))
    if style.reverse:
        behind, letter = letter, behind
    contrast = _contrast(letter, behind)
    height = _contrast(behind, screen)
    marked = height >= max(STANDS_OUT, ABOVE_RESTING * _contrast(Color.parse(resting), screen))
    raised = not marked and height > RAISED * _contrast(Color.parse(panel), screen)
    faint = bool(style.dim) or (contrast < FAINT and not marked)
    plain = style.without_color + Style(reverse=marked, dim=faint, underline=bool(style.underline) or raised)
    return (plain + Style(meta=style.meta) if style.meta else plain), contrast >= UNSEEN


def _colour(colour: RichColor | None, otherwise: Color) -> Color:
    return otherwise if colour is None or colour.triplet is None else Color.from_rich_color(colour)


def _contrast(one: Color, other: Color) -> float:
    """WCAG's, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
