"""The footer: as many keys as fit, never more, the most important ones always. Mouse people click on them.

It shows what is bound where the focus is; labels come from the action table, in the language of the screen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from goemo_tui.actions import ACTIONS
from goemo_tui.right_to_left import apart

ALWAYS = ("app.help", "app.palette", "app.quit")
"""Shown whatever else does not fit: with them everything else can be found."""

GAP = 2
"""Blanks between two keys."""


class KeyLine(Footer):
    """Textual's footer, cut to its width by importance instead of at its right end."""

    def compose(self) -> ComposeResult:
        """The keys that fit."""
        if not self._bindings_ready:
            return
        shown = {binding.action: (binding, enabled, tip) for binding, enabled, tip in self._shown()}
        labels = {action: _label(binding) for action, (binding, _, _) in shown.items()}
        keys = {action: self.app.get_key_display(binding) for action, (binding, _, _) in shown.items()}
        widths = [cell_len(keys[action]) + 1 + cell_len(labels[action]) for action in shown]
        always = [binding.id in ALWAYS for binding, _, _ in shown.values()]
        fitting = fit(widths, always, self.app.size.width)
        for (action, (binding, enabled, tip)), fits in zip(shown.items(), fitting, strict=True):
            if fits:
                yield FooterKey(
                    binding.key, keys[action], labels[action], action, disabled=not enabled, tooltip=tip
                ).data_bind(compact=Footer.compact)

    def _shown(self) -> Iterator[tuple[Binding, bool, str]]:
        """What is bound here and wants to be seen, from the focused part outwards; each action once, with its first key."""
        seen: set[str] = set()
        for _, binding, enabled, tip in self.screen.active_bindings.values():
            if binding.show and binding.action not in seen:
                seen.add(binding.action)
                yield binding, enabled, tip

    def on_resize(self, event: events.Resize) -> None:
        """Another width, other keys."""
        if event.size.width != getattr(self, "_width_shown", 0):
            self._width_shown = event.size.width
            self.bindings_changed(self.screen)


def fit(widths: Sequence[int], always: Sequence[bool], room: int) -> list[bool]:
    """Which of the keys are shown in `room` cells: those that always are, then from the left as long as they fit."""
    left = room - sum(width + GAP for width, must in zip(widths, always, strict=True) if must)
    shown: list[bool] = []
    full = False
    for width, must in zip(widths, always, strict=True):
        full = full or (not must and width + GAP > left)
        if not must and not full:
            left -= width + GAP
        shown.append(must or not full)
    return shown


def _label(binding: Binding) -> str:
    """The action's label in the language of the screen; a widget's own bindings have English ones."""
    if binding.id:
        for action in ACTIONS:
            if action.id == binding.id:
                return apart(action.shown_label)
    return binding.description
