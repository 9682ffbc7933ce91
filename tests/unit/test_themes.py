"""The themes: text has its contrast everywhere it stands, and signals stay apart for every kind of colour sight."""

from __future__ import annotations

import itertools
import math

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from goemo_tui import themes

TEXT = 4.5
"""WCAG AA for text; the quiet text has it, too."""
SEEN = 1.5
"""Least contrast of what is only a shape: the cursor's ground against the ground around it."""

# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB
BLINDNESS = {
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
}
by_name = pytest.mark.parametrize("theme", themes.THEMES, ids=lambda theme: theme.name)


def linear(colour: str) -> tuple[float, ...]:
    found = Color.parse(colour)
    return tuple(
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (found.r / 255, found.g / 255, found.b / 255)
    )


def contrast(one: str, other: str) -> float:
    low, high = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(one), linear(other)))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: tuple[float, ...]) -> tuple[float, float, float]:
    r, g, b = rgb
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883,
    )
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def as_seen(colour: str, matrix: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    rgb = linear(colour)
    return tuple(min(1.0, max(0.0, sum(m * v for m, v in zip(row, rgb, strict=True)))) for row in matrix)


def test_there_are_six_and_each_is_described() -> None:
    assert len({theme.name for theme in themes.THEMES}) == 6
    assert themes.ABOUT.keys() == {theme.name for theme in themes.THEMES}
    assert {"light", "high contrast"} <= set(themes.ABOUT.values())
    assert sum(not theme.dark for theme in themes.THEMES) == 1


@by_name
def test_text_has_contrast_on_every_ground(theme: Theme) -> None:
    variables = theme.variables
    texts = [theme.foreground, theme.primary, theme.secondary, theme.accent, theme.success, theme.warning, theme.error]
    for ground in (theme.background, theme.surface, theme.panel):
        for text in (*texts, variables["quiet"], variables["bar"]):
            assert contrast(str(text), str(ground)) >= TEXT, (text, ground)


@by_name
def test_cursor_footer_and_the_tab_of_the_place_have_contrast(theme: Theme) -> None:
    v = theme.variables
    assert contrast(v["block-cursor-foreground"], v["block-cursor-background"]) >= TEXT
    assert contrast(v["block-cursor-blurred-foreground"], v["block-cursor-blurred-background"]) >= TEXT
    assert contrast(v["footer-key-foreground"], v["footer-background"]) >= TEXT
    assert contrast(v["footer-description-foreground"], v["footer-background"]) >= TEXT
    assert contrast(v["input-cursor-foreground"], v["input-cursor-background"]) >= TEXT
    assert contrast(str(theme.background), str(theme.primary)) >= TEXT
    assert contrast(v["block-cursor-background"], str(theme.surface)) >= SEEN
    assert contrast(v["border"], v["border-blurred"]) >= SEEN, "the frame of what has the focus"


@pytest.mark.parametrize("kind", BLINDNESS)
def test_the_signals_of_the_clear_theme_stay_apart_for_colour_blind_eyes(kind: str) -> None:
    theme = next(t for t in themes.THEMES if t.name == "goemo-clear")
    for one, other in itertools.combinations((theme.success, theme.warning, theme.error), 2):
        apart = math.dist(lab(as_seen(str(one), BLINDNESS[kind])), lab(as_seen(str(other), BLINDNESS[kind])))
        assert apart >= 20, (one, other, apart)


def test_the_measure_knows_what_it_measures() -> None:
    green, red = "#8fc76b", "#e0af68"
    assert math.dist(lab(linear(green)), lab(linear(red))) > 40
    assert math.dist(lab(as_seen(green, BLINDNESS["deuteranopia"])), lab(as_seen(red, BLINDNESS["deuteranopia"]))) < 20
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0


@by_name
def test_with_sixteen_colours_the_cursor_can_be_seen(theme: Theme) -> None:
    (reduced,) = (t for t in themes.for_colours("standard") if t.name == theme.name)
    cursor = reduced.variables["block-cursor-background"]
    numbers = [RichColor.parse(c).downgrade(ColorSystem.STANDARD).number for c in (cursor, str(theme.surface))]
    assert numbers[0] != numbers[1] or "reverse" in reduced.variables["block-cursor-text-style"]


def test_sixteen_colours_begin_with_high_contrast() -> None:
    assert themes.default("standard") == "goemo-contrast"
    assert themes.default("truecolor") == themes.default("256") == "goemo-dark"
    assert themes.for_colours("truecolor") is themes.THEMES
