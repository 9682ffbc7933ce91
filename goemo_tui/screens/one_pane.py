"""One pane on the whole screen, and back: the pane of the focused part, or a chart where that has the focus.

Header and footer stay. Whatever leads out of the pane (the same key, Esc, another focus) brings the others back.
"""

from __future__ import annotations

from typing import Any

from textual.screen import Screen
from textual.widget import Widget

from goemo_tui.screens.present_size import PresentSize

SIZES: dict[str, Any] = {
    "width": "1fr", "height": "1fr", "min_width": 0, "min_height": 0, "max_width": "100%", "max_height": "100%", "margin": 0,
}  # fmt: skip
"""What a pane's size is while it stands alone, whatever it is among the others."""


class OnePane(PresentSize, Screen[None]):
    """A screen whose panes (class `pane`, or a widget that sets STANDS_ALONE) can stand alone, one at a time."""

    ALLOW_IN_MAXIMIZED_VIEW = "GoemoHeader, KeyLine"
    ESCAPE_TO_MINIMIZE = False
    """Esc leaves a text field first; what it does then is the place's affair."""

    DEFAULT_CSS = """
    OnePane.-maximized-view { hatch: none; align: left top; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._own: dict[str, Any] = {}
        """The sizes that were set on the pane itself, to be set again."""

    def on_mount(self) -> None:
        """Follow the focus."""
        self.watch(self, "focused", self._focus_went, init=False)

    def action_one_pane(self) -> None:
        """The pane with the focus alone, or all of them again."""
        if self.maximized is not None:
            self.minimize()
            return
        pane = self.pane_of(self.focused)
        if pane is None:
            self.go_home()
            pane = self.pane_of(self.focused)
        if pane is not None:
            self._stand_alone(pane)

    def go_home(self) -> None:
        """Give the focus to where work starts."""

    def pane_of(self, widget: Widget | None) -> Widget | None:
        """What `widget` stands in, or is; None where that is no pane."""
        inside = [] if widget is None else [node for node in widget.ancestors_with_self if isinstance(node, Widget)]
        return next((node for node in inside if node.has_class("pane") or getattr(node, "STANDS_ALONE", False)), None)

    def _stand_alone(self, pane: Widget) -> None:
        rules = dict(pane.styles.inline.get_rules())
        self._own = {name: rules[name] for name in SIZES if name in rules}
        for name, value in SIZES.items():
            setattr(pane.styles, name, value)
        self.maximized = pane
        self.refresh_bindings()

    def minimize(self) -> None:
        """All panes again, each in its own size."""
        pane = self.maximized
        if pane is None:
            return
        for name in SIZES:
            pane.styles.clear_rule(name)
        for name, value in self._own.items():
            pane.styles.inline.set_rule(name, value)
        super().minimize()
        pane.refresh(layout=True)
        self.refresh_bindings()

    def _focus_went(self, focused: Widget | None) -> None:
        """Out of the pane that stands alone: what has the focus has to be seen."""
        if self.maximized is not None and focused is not None and self.maximized not in focused.ancestors_with_self:
            self.minimize()
