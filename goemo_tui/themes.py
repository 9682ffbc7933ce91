"""The terminal's themes: a dark one, a light one and one of high contrast.

Colours carry no meaning alone: every state has its sign or its word. Screens use the variables, never a colour value.
"""

from __future__ import annotations

from textual.theme import Theme

_DARK = Theme(
    name="goemo-dark",
    primary="#7aa2f7",
    secondary="#9d7cd8",
    accent="#e0af68",
    foreground="#c8d0e8",
    background="#14161f",
    surface="#191c27",
    panel="#232736",
    success="#8fc76b",
    warning="#e0af68",
    error="#f7768e",
    dark=True,
    variables={
        "block-cursor-background": "#34406b",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#262c40",
        "block-cursor-blurred-foreground": "#c8d0e8",
        "border": "#7aa2f7",
        "border-blurred": "#343a50",
        "footer-background": "#191c27",
        "footer-key-foreground": "#e0af68",
        "footer-description-foreground": "#98a2c3",
        "input-cursor-background": "#e0af68",
        "input-selection-background": "#7aa2f7 35%",
        "scrollbar": "#343a50",
        "scrollbar-background": "#191c27",
        "bar": "#7aa2f7",
        "quiet": "#7c86a8",
    },
)

_LIGHT = Theme(
    name="goemo-light",
    primary="#2f5fb3",
    secondary="#7a4aa8",
    accent="#9a5b00",
    foreground="#23283a",
    background="#f4f1ea",
    surface="#fbf9f4",
    panel="#e7e2d6",
    success="#2f7d32",
    warning="#9a5b00",
    error="#b3243f",
    dark=False,
    variables={
        "block-cursor-background": "#2f5fb3",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#d7dff0",
        "block-cursor-blurred-foreground": "#23283a",
        "border": "#2f5fb3",
        "border-blurred": "#c9c2b2",
        "footer-background": "#e7e2d6",
        "footer-key-foreground": "#9a5b00",
        "footer-description-foreground": "#4c5266",
        "input-cursor-background": "#9a5b00",
        "input-cursor-foreground": "#ffffff",
        "scrollbar": "#c9c2b2",
        "scrollbar-background": "#efebe2",
        "bar": "#2f5fb3",
        "quiet": "#666b7d",
    },
)

_CONTRAST = Theme(
    name="goemo-contrast",
    primary="#ffffff",
    secondary="#00d7ff",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    success="#5fff5f",
    warning="#ffff00",
    error="#ff8080",
    dark=True,
    text_alpha=1.0,
    variables={
        "block-cursor-background": "#ffff00",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#404040",
        "block-cursor-blurred-foreground": "#ffffff",
        "border": "#ffff00",
        "border-blurred": "#8a8a8a",
        "footer-background": "#000000",
        "footer-key-foreground": "#ffff00",
        "footer-description-foreground": "#ffffff",
        "input-cursor-background": "#ffff00",
        "input-cursor-foreground": "#000000",
        "scrollbar": "#8a8a8a",
        "scrollbar-background": "#000000",
        "bar": "#00d7ff",
        "quiet": "#c6c6c6",
    },
)

THEMES: tuple[Theme, ...] = (_DARK, _LIGHT, _CONTRAST)
"""In the order in which ctrl+t goes through them."""

DEFAULT = _DARK.name


def after(name: str) -> str:
    """The name of the theme after `name`, round and round; the first where `name` is none of ours."""
    names = [theme.name for theme in THEMES]
    return names[(names.index(name) + 1) % len(names)] if name in names else names[0]
