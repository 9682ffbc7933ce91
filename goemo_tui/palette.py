"""The command palette's entries: the action table, once more, and what has a name: runs and themes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.command import CommandInput, CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.errors import NoWidget
from textual.events import Click, Mount
from textual.filter import LineFilter

from goemo_tui import right_to_left, themes
from goemo_tui.actions import ACTIONS, Action, places, told_once
from goemo_tui.forgiving import ForgivingApp
from goemo_tui.language import word
from goemo_tui.over_ssh import REMOTE
from goemo_tui.safe_text import cells
from goemo_tui.screens.closes_once import ClosesOnce
from goemo_tui.screens.present_size import PresentSize
from goemo_tui.widgets.field import ShownClean

if TYPE_CHECKING:
    from goemo_tui.app import GoemoApp


class CleanCommandInput(CommandInput, ShownClean):
    """Textual's line of the palette; what is typed may be marks without end."""


class Palette(ClosesOnce, PresentSize, CommandPalette):
    """Textual's palette, whose cursor does not blink over SSH."""

    def on_mount(self, event: Mount) -> None:
        """An idle screen sends nothing, and none sends what harms a terminal."""
        if self.app.screen is not self:
            # another place was gone to in the same breath: Textual would look for what lies beneath this one there
            event.prevent_default()
            self.dismiss()
        line = self.query_one(CommandInput)
        line.cursor_blink = not REMOTE
        line.__class__ = CleanCommandInput  # Textual makes it, and asks nobody of what class

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What shows through is ready."""
        return right_to_left.for_modal(super().get_line_filters())

    def _on_click(self, event: Click) -> None:  # type: ignore[override]
        """As Textual's, unless the click was for a screen of another size or what lies on top now."""
        try:
            self.get_widget_at(event.screen_x, event.screen_y)
        except NoWidget:
            event.prevent_default()

    def _action_cursor_down(self) -> None:
        """As Textual's; in the breath in which it was opened there is no list yet."""
        if self.query(CommandList):
            super()._action_cursor_down()

    def _refresh_command_list(self, *args: Any, **kwargs: Any) -> None:
        """As Textual's; what was still being looked for when the palette closed finds no list any more."""
        if self.query(CommandList):
            super()._refresh_command_list(*args, **kwargs)

    def _start_no_matches_countdown(self, search_value: str) -> None:
        """As Textual's, with the same care for a palette that closes before its time is up."""
        super()._start_no_matches_countdown(search_value)
        timer = self._no_matches_timer
        shown = timer._callback if timer is not None else None
        if timer is not None and shown is not None:
            timer._callback = lambda: shown() if self.query(CommandList) else None

    def _action_command_list(self, action: str) -> None:
        """As Textual's; a list that has not been laid out has no pages yet."""
        if any(found.scrollable_content_region for found in self.query(CommandList)):
            super()._action_command_list(action)


class Entry(NamedTuple):
    """One line of the palette. `english` is found by, too, whatever the screen speaks."""

    title: str
    help: str
    do: Callable[[], object]
    english: tuple[str, str] = ("", "")


class ActionProvider(Provider):
    """Offers each action of the table that can be done here, and by name every run and every theme."""

    async def discover(self) -> Hits:
        """Every action, in the table's order."""
        for entry in self._told(self.actions):
            yield DiscoveryHit(entry.title, entry.do, help=entry.help)

    async def search(self, query: str) -> Hits:
        """What matches by title or by help text."""
        matcher = self.matcher(query)
        for entry in self._told(lambda: [*self.actions(), *self.runs(), *self.themes()]):
            texts = ((entry.title, entry.help), entry.english)
            score = max(max(matcher.match(title), 0.6 * matcher.match(help)) for title, help in texts)
            if score > 0:
                yield Hit(score, matcher.highlight(entry.title), entry.do, text=entry.title, help=entry.help)

    def actions(self) -> list[Entry]:
        """The actions. A twin for typing is not offered twice, nor what cannot be done now."""
        place = getattr(self.screen, "PLACE", "")
        titles = {name: title for name, title, _ in places()}
        found: dict[tuple[str, str], Entry] = {}
        for action in ACTIONS:
            if action.where not in ("everywhere", place) or action.id in ("app.palette", "app.leave"):
                continue
            where = (
                f"{titles[place]}: "
                if action.where == place
                else f"{word('Go to')} "
                if action.id.startswith("place.")
                else ""
            )
            if self._can(action):
                entry = Entry(
                    f"{where}{action.shown_label}", self._help(action), self._do(action), (action.label, action.help)
                )
                found.setdefault((action.where, action.name), entry)
        return list(found.values())

    def runs(self) -> list[Entry]:
        """Each run of this machine, to be gone to."""
        app = self._goemo
        runs = () if app is None else app.runs.runs
        title = f"{word('Go to')} "
        return [
            Entry(
                title + cells(run.title, 60), f"{run.state} · {run.id}", partial(self._go_to, run.id), ("run", run.id)
            )
            for run in runs
        ]

    def themes(self) -> list[Entry]:
        """Each theme."""
        label = next(action.shown_label for action in ACTIONS if action.id == "app.theme")
        return [
            Entry(f"{label}: {theme.name}", themes.ABOUT[theme.name], partial(self._take, theme.name), ("theme", ""))
            for theme in themes.THEMES
        ]

    @property
    def _goemo(self) -> GoemoApp | None:
        from goemo_tui.app import GoemoApp

        return self.app if isinstance(self.app, GoemoApp) else None

    def _told(self, entries: Callable[[], list[Entry]]) -> list[Entry]:
        """The entries; what goes wrong is said, for the palette itself would only stay empty."""
        try:
            return entries()
        except Exception as error:
            if isinstance(self.app, ForgivingApp):
                self.app.tell_error(error, "palette")
            return []

    def _can(self, action: Action) -> bool:
        name, _, arguments = action.name.partition("(")
        if "." in name:
            return True
        return self.screen.check_action(name, (arguments.rstrip(")"),) if arguments else ()) is True

    def _help(self, action: Action) -> str:
        keys = {a.id: keys for a, keys in told_once(action.where)}
        return f"{' '.join(keys.get(action.id, (action.shown_key,)))}  {action.shown_help}"

    def _do(self, action: Action) -> Callable[[], None]:
        def run() -> None:
            self.app.call_later(self.app.run_action, action.name, self.screen)

        return run

    def _go_to(self, run_id: str) -> None:
        if self._goemo is not None:
            self._goemo.call_later(self._goemo.show_run, run_id)

    def _take(self, theme: str) -> None:
        if self._goemo is not None:
            self._goemo.take_theme(theme)
