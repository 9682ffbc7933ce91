"""Two panes above each other, the lower of a height that a person sets: by key, or by dragging its upper edge."""

from __future__ import annotations

from textual import events
from textual.containers import Vertical
from textual.message import Message


class StackedPanes(Vertical):
    """`lower` is the selector of the pane whose height is set; the other one takes the rest, at least `least` lines."""

    class Resized(Message):
        """The lower pane has another height: `wanted`."""

    def __init__(self, *, id: str, lower: str, lowest: int, least: int) -> None:
        super().__init__(id=id)
        self.lower, self.lowest, self.least = lower, lowest, least
        self._dragging = False
        self.wanted: int | None = None

    @property
    def _edge(self) -> int:
        """The line of the screen that the upper edge of the lower pane stands on."""
        pane = self.query_one(self.lower)
        return self.region.bottom - (pane.outer_size.height if self.wanted is None else self._within(self.wanted))

    def set_height(self, height: int | None) -> None:
        """Give the lower pane `height` lines, as far as there is room; None leaves it to the style sheet."""
        self.wanted = height
        self._fit()

    def grow(self, lines: int) -> None:
        """A lower pane taller by `lines`, which is said and kept."""
        pane = self.query_one(self.lower)
        if pane.display:
            before = pane.outer_size.height if self.wanted is None else self._within(self.wanted)
            self.set_height(self._within(before + lines))
            self.post_message(self.Resized())

    def _within(self, height: int) -> int:
        return max(self.lowest, min(height, self.size.height - self.least))

    def _fit(self) -> None:
        """The wish is kept on a screen that is too low for it; what is drawn fits."""
        styles = self.query_one(self.lower).styles
        if self.wanted is None or not self.size.height:
            styles.clear_rule("height")
        else:
            styles.height = self._within(self.wanted)

    def on_resize(self) -> None:
        """Another room."""
        self._fit()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """On the upper edge of the lower pane a drag begins."""
        pane = self.query_one(self.lower)
        if pane.display and event.screen_y == self._edge and pane.region.contains(event.screen_x, event.screen_y):
            self._dragging = True
            self.capture_mouse()
            event.stop()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The edge follows the pointer."""
        if self._dragging:
            event.stop()
            self.grow(self._edge - event.screen_y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """The edge stays where it is."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()
            event.stop()
