"""Without colours: nothing that a colour told is lost, and none is sent."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from goemo_tui.colourless import Colourless, told
from goemo_tui.themes import THEMES

EACH = pytest.mark.parametrize("theme", THEMES, ids=[theme.name for theme in THEMES])


def grounds(theme: Theme) -> tuple[str, str, str]:
    assert theme.background and theme.panel
    return theme.background, theme.panel, theme.variables["block-cursor-blurred-background"]


@EACH
def test_a_cursor_is_told_by_its_ground(theme: Theme) -> None:
    letter, ground = theme.variables["block-cursor-foreground"], theme.variables["block-cursor-background"]
    seen, shown = told(Style(color=letter, bgcolor=ground, bold=True), *grounds(theme))
    assert seen.reverse and seen.bold and shown and not seen.color and not seen.bgcolor


@EACH
def test_a_cursor_without_focus_can_be_told_too_and_panels_are_plain(theme: Theme) -> None:
    letter, ground = (
        theme.variables["block-cursor-blurred-foreground"],
        theme.variables["block-cursor-blurred-background"],
    )
    seen, _ = told(Style(color=letter, bgcolor=ground), *grounds(theme))
    assert seen.underline and not seen.reverse
    for calm in (theme.background, theme.surface, theme.panel):
        seen, _ = told(Style(color=theme.foreground, bgcolor=calm), *grounds(theme))
        assert not seen.reverse and not seen.underline and not seen.dim


@EACH
def test_what_is_faint_is_dim_and_what_is_quiet_is_read(theme: Theme) -> None:
    assert told(Style(color=theme.variables["quiet"], bgcolor=theme.background), *grounds(theme))[0].dim in (
        None,
        False,
    )
    if theme.name != "goemo-contrast":  # nothing is faint there
        assert told(Style(color=theme.variables["border-blurred"], bgcolor=theme.background), *grounds(theme))[0].dim


@EACH
def test_the_caret_is_seen_in_a_focused_field_and_the_thumb_in_its_bar(theme: Theme) -> None:
    field = Color.parse(theme.variables["block-cursor-blurred-background"]).blend(
        Color.parse(theme.foreground or ""), 0.05
    )
    assert told(Style(bgcolor=field.hex), *grounds(theme))[0].underline
    assert not told(Style(bgcolor=field.hex), *grounds(theme))[0].reverse
    for drawn in ("input-cursor-background", "border-blurred"):
        assert told(Style(bgcolor=theme.variables[drawn]), *grounds(theme))[0].reverse


def test_a_reversed_style_is_marked_where_its_letter_would_be_the_ground() -> None:
    assert told(Style(color="#ffffff", bgcolor="#000000", reverse=True), "#000000", "#111111", "#222222")[0].reverse
    assert not told(Style(color="#000000", bgcolor="#ffffff", reverse=True), "#000000", "#111111", "#222222")[0].reverse


def test_letters_in_the_colour_of_their_ground_stay_unseen_in_as_many_cells() -> None:
    line = [Segment("人x", Style(color="#101010", bgcolor="#101010", meta={"@click": "x"})), Segment("y")]
    seen = Colourless(lambda: THEMES[0]).apply(line, Color.parse("#000000"))
    assert [segment.text for segment in seen] == ["   ", "y"]
    assert seen[0].style is not None and seen[0].style.meta == {"@click": "x"}
