"""The terminal's themes: dark, light, high contrast, one for every kind of colour sight, and two for the love of it.

Colours carry no meaning alone: every state has its sign or its word. Screens use the variables, never a colour value.
The tests measure the contrasts of each theme and how far apart its signals stay for colour-blind eyes.
"""

from __future__ import annotations

from textual.theme import Theme


def _theme(
    name: str,
    dark: bool,
    *,
    ground: tuple[str, str, str],
    text: tuple[str, str],
    colours: tuple[str, str, str],
    signals: tuple[str, str, str],
    cursor: tuple[str, str],
    blurred: str,
    line: str,
    footer: str,
    cursor_style: str = "bold",
    alpha: float = 0.95,
    bar: str = "",
) -> Theme:
    """A theme from few colours: ground (background, surface, panel), text (plain, quiet), colours (primary, secondary,
    accent), signals (success, warning, error), cursor (background, text), the blurred cursor's ground, the frame of what
    has no focus, and the footer's ground.
    """
    primary, secondary, accent = colours
    plain, quiet = text
    return Theme(
        name=name,
        dark=dark,
        primary=primary,
        secondary=secondary,
        accent=accent,
        foreground=plain,
        background=ground[0],
        surface=ground[1],
        panel=ground[2],
        success=signals[0],
        warning=signals[1],
        error=signals[2],
        text_alpha=alpha,
        variables={
            "block-cursor-background": cursor[0],
            "block-cursor-foreground": cursor[1],
            "block-cursor-text-style": cursor_style,
            "block-cursor-blurred-background": blurred,
            "block-cursor-blurred-foreground": plain,
            "border": primary if name != "goemo-contrast" else accent,
            "border-blurred": line,
            "footer-background": footer,
            "footer-key-foreground": accent,
            "footer-description-foreground": plain,
            "input-cursor-background": accent,
            "input-cursor-foreground": ground[0],
            "input-selection-background": f"{primary} 35%",
            "scrollbar": line,
            "scrollbar-background": ground[1],
            "bar": bar or primary,
            "quiet": quiet,
        },
    )


_DARK = _theme(
    "goemo-dark",
    True,
    ground=("#14161f", "#191c27", "#232736"),
    text=("#c8d0e8", "#8a94b8"),
    colours=("#7aa2f7", "#a98ae0", "#e0af68"),
    signals=("#8fc76b", "#e0af68", "#f7768e"),
    cursor=("#41549a", "#ffffff"),
    blurred="#2c334a",
    line="#3d445e",
    footer="#191c27",
)

_LIGHT = _theme(
    "goemo-light",
    False,
    ground=("#f4f1ea", "#fbf9f4", "#e9e5da"),
    text=("#23283a", "#5d6274"),
    colours=("#2b59ab", "#73439f", "#875000"),
    signals=("#276b2a", "#875000", "#ad1f3a"),
    cursor=("#2f5fb3", "#ffffff"),
    blurred="#d0d9ee",
    line="#bdb5a3",
    footer="#e9e5da",
)

_CONTRAST = _theme(
    "goemo-contrast",
    True,
    ground=("#000000", "#000000", "#1c1c1c"),
    text=("#ffffff", "#c6c6c6"),
    colours=("#ffffff", "#00d7ff", "#ffff00"),
    signals=("#5fff5f", "#ffff00", "#ff8080"),
    cursor=("#ffff00", "#000000"),
    blurred="#404040",
    line="#8a8a8a",
    footer="#000000",
    alpha=1.0,
    bar="#00d7ff",
)

# Okabe and Ito's sky blue, yellow and vermilion (lightened for a dark ground): they stay apart whatever cones an eye lacks.
_CLEAR = _theme(
    "goemo-clear",
    True,
    ground=("#101519", "#151b21", "#1f2730"),
    text=("#d6dde4", "#93a1ae"),
    colours=("#56b4e9", "#cc9bbd", "#f0e442"),
    signals=("#56b4e9", "#f0e442", "#f0803c"),
    cursor=("#1f6f9f", "#ffffff"),
    blurred="#26333f",
    line="#3c4a57",
    footer="#151b21",
)

_EMBER = _theme(
    "goemo-ember",
    True,
    ground=("#221d1a", "#2a2420", "#362e28"),
    text=("#ecdcbd", "#ad9c82"),
    colours=("#e59a4a", "#cf93a6", "#efc15c"),
    signals=("#b3bd4c", "#efc15c", "#f77f66"),
    cursor=("#8f4f23", "#fff3df"),
    blurred="#443931",
    line="#5a4d42",
    footer="#2a2420",
)

_FJORD = _theme(
    "goemo-fjord",
    True,
    ground=("#232a36", "#293140", "#333d4e"),
    text=("#dfe6f0", "#a3b0c4"),
    colours=("#8fc4d4", "#bfa3d6", "#f0c9a0"),
    signals=("#a8cc93", "#f0cf86", "#f0919c"),
    cursor=("#4f6f9c", "#ffffff"),
    blurred="#3a465a",
    line="#52607a",
    footer="#293140",
)

THEMES: tuple[Theme, ...] = (_DARK, _LIGHT, _CONTRAST, _CLEAR, _EMBER, _FJORD)
"""In the order in which ctrl+t goes through them."""

ABOUT: dict[str, str] = {
    "goemo-dark": "dark",
    "goemo-light": "light",
    "goemo-contrast": "high contrast",
    "goemo-clear": "safe for colour-blind eyes",
    "goemo-ember": "warm and dark",
    "goemo-fjord": "cool and soft",
}
"""Theme -> what it is like, in a word or two."""

DEFAULT = _DARK.name


def for_colours(colours: str | None) -> tuple[Theme, ...]:
    """The themes as they are for what Rich calls the terminal's colour system.

    Where sixteen colours make the cursor's ground the same as the ground around it, the cursor is shown in reverse.
    """
    if colours not in ("standard", "windows"):
        return THEMES
    from dataclasses import replace

    return tuple(
        replace(theme, variables={**theme.variables, "block-cursor-text-style": "bold reverse"})
        if _sixteen(theme.variables["block-cursor-background"])
        in {_sixteen(theme.surface or ""), _sixteen(theme.panel or "")}
        else theme
        for theme in THEMES
    )


def _sixteen(colour: str) -> int | None:
    """The number of the colour that a terminal of sixteen shows for it."""
    from rich.color import Color, ColorSystem

    return Color.parse(colour).downgrade(ColorSystem.STANDARD).number


def default(colours: str | None) -> str:
    """The theme of somebody who chose none, for what Rich calls the terminal's colour system.

    Sixteen colours cannot tell the shades of the others apart: there it is the one of high contrast.
    """
    return _CONTRAST.name if colours in ("standard", "windows") else DEFAULT


def after(name: str) -> str:
    """The name of the theme after `name`, round and round; the first where `name` is none of ours."""
    names = [theme.name for theme in THEMES]
    return names[(names.index(name) + 1) % len(names)] if name in names else names[0]
