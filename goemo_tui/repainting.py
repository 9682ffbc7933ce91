"""A repaint that asks only those widgets for their lines of which something is drawn.

Textual 8 takes the box around all that changed and renders every widget in it, with each container behind: where a few
figures in two corners change, that is the whole screen. What is drawn is the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip

Rendered = tuple[Region, Region, list[Strip]]
"""A widget's region, the clip it is seen through, and its lines."""


class SparingCompositor(Compositor):
    """Textual's, but for `_get_renders` of a partial update."""

    _changed: tuple[Region, ...] = ()
    """What is to be drawn, while a partial update is; empty: everything."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Draw what changed."""
        self._changed = tuple(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._changed = ()

    def _get_renders(self, crop: Region | None = None) -> Iterable[Rendered]:
        """The lines of each widget from the front to the back, until all that changed is covered."""
        if not self._changed:
            yield from super()._get_renders(crop)
            return
        uncovered = list(self._changed)
        for widget, (region, clip) in self.visible_widgets.items():
            seen = region.intersection(clip)
            if not any(seen.overlaps(change) for change in uncovered):
                continue
            yield region, clip, widget.render_lines(seen.translate(-region.offset))
            uncovered = [change for change in uncovered if not seen.contains_region(change)]
            if not uncovered:
                return
