"""A widget of lines that is drawn often: it may hold more or less without the whole screen being laid out again.

Textual lays out everything when a widget's virtual size changes, and then paints everything. Where the widget's own
size does not follow from what it holds, only its scroll bars have to be told: that saves half of what a filter keystroke
costs. A bar that comes or goes still lays out.
"""

from __future__ import annotations

from rich.style import Style
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip


class Measured(ScrollView):
    """Set `virtual_size` as ever. Not for widgets that are as high or as wide as what they hold (`auto`)."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)
    _base: Style | None = None

    @property
    def base(self) -> Style:
        """`rich_style`, worked out once for all lines that are drawn together."""
        return self._base if self._base is not None else self.rich_style

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region."""
        self._base = self.rich_style
        try:
            return super().render_lines(crop)
        finally:
            self._base = None

    def watch_virtual_size(self, size: Size) -> None:
        """Tell the scroll bars, once there is a place for them."""
        if self._container_size:
            self._scroll_update(size)
