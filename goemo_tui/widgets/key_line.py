"""The footer: as many keys as fit, never more, the most important ones always. Mouse people click on them.

It shows what is bound where the focus is; labels come from the action table, in the language of the screen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Footer, Input, TextArea
from textual.widgets._footer import FooterKey

from goemo_tui.actions import ACTIONS
from goemo_tui.language import language, word
from goemo_tui.right_to_left import apart

ALWAYS = ("app.help", "app.help_typing", "app.palette", "app.quit", "app.quit_typing")
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
        for action, (binding, _, _) in shown.items():
            if self._leads_back(binding):
                labels[action] = apart(word("Back"))
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
        """What is bound here and wants to be seen, from the focused part outwards; each action once, with its first key.

        What the screen counts among its FIRST_KEYS stands first: the keys of what it shows now.
        In a text field, where letters are text, the twins for typing stand in for the keys that they double, and tell
        the way to the other places.
        """
        seen: set[str] = set()
        active = self.screen.active_bindings
        twins = self._twins() if isinstance(self.screen.focused, Input | TextArea) else ()
        first: Sequence[str] = getattr(self.screen, "FIRST_KEYS", ()) if not twins else ()
        bound = sorted(active.values(), key=lambda each: each.binding.id not in first)
        for _, binding, enabled, tip in bound:
            wanted = binding.show or binding.id in twins or binding.id in first
            if binding.action not in seen and (wanted or self._leads_back(binding)):
                seen.add(binding.action)
                yield binding, enabled, tip

    def _leads_back(self, binding: Binding) -> bool:
        """Whether it makes a pane that stands alone one of several again."""
        typing = isinstance(self.screen.focused, Input | TextArea)
        return self.screen.maximized is not None and binding.key == "escape" and not typing

    def _twins(self) -> frozenset[str]:
        """Ids of the actions for typing whose letter is in the footer, and those that lead to another place."""
        shown = {action.name for action in ACTIONS if action.footer}
        here = f"place.{getattr(self.screen, 'PLACE', '')}_typing"
        return frozenset(
            action.id
            for action in ACTIONS
            if action.typing and action.id != here and (action.name in shown or action.id.startswith("place."))
        )

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
    """What the key is called in the language of the screen."""
    if binding.id:
        for action in ACTIONS:
            if action.id == binding.id:
                return apart(action.shown_label)
    if language() != "ar":
        return binding.description
    from goemo_tui.arabic_help import LABELS

    return apart(LABELS.get(binding.description, binding.description))
