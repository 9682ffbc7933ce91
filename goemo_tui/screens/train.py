"""Train: the runs of this machine, the selected one as it goes, and what can be done with it.

The screen draws what the run folders tell and asks workers by the same folders; it trains nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import ContentSwitcher, Static, TabbedContent, TabPane, Tabs

from goemo_tui import actions
from goemo_tui.language import word
from goemo_tui.safe_text import clean
from goemo_tui.screens.live_actions import LiveActions
from goemo_tui.screens.run_actions import RunActions
from goemo_tui.services.compare import MOST
from goemo_tui.services.runs import RunsChanged, RunView, title_of
from goemo_tui.widgets.evaluation import Evaluation
from goemo_tui.widgets.live import Live
from goemo_tui.widgets.log_view import LogView
from goemo_tui.widgets.run_config import RunConfig
from goemo_tui.widgets.run_list import RunList
from goemo_tui.widgets.score_table import ScoreTable
from trainer.runs.run import ENDED

NO_RUN = """\
No run yet. n opens a form: every field has a default, ^s starts.

The training goes on in the background; you can leave and come back."""
LOOKING = "looking for runs …"
ABOUT_TABS = (
    "The views of the selected run: ← and → go through them, Enter or ↓ goes into the one that is open; "
    "v goes on to the next from anywhere."
)
TABS = ("live", "evaluation", "config", "log")
NARROWEST, WIDEST = 20, 60
"""Cells of the list, its frame included; it never takes more than half of the screen."""
AGES = 60.0
"""Seconds after which the ages in the list are looked at again."""


class TrainScreen(LiveActions, RunActions):
    """Runs at the left, the selected one at the right."""

    PLACE = "train"
    HOME = "#runs"
    BINDINGS = actions.bindings("train")
    CSS_PATH = "train.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]

    def __init__(self) -> None:
        super().__init__()
        self._runs: dict[str, RunView] = {}
        self._chosen: str | None = None
        self._wanted: str | None = None
        self._pinned: tuple[str, ...] = ()
        self._kept: str | None = None
        self._width: int | None = None
        self._keys_for: tuple[str, bool, bool] | None = None

    def body(self) -> ComposeResult:
        """The list, and the selected run behind four tabs."""
        kept = self.goemo.remembered.of("train")
        tab, pinned, chosen, width = (kept.get(key) for key in ("tab", "pinned", "run", "width"))
        if isinstance(pinned, list):
            self._pinned = tuple(run_id for run_id in pinned if isinstance(run_id, str))[:MOST]
        self._kept = chosen if isinstance(chosen, str) else None
        self._width = width if isinstance(width, int) and not isinstance(width, bool) else None
        with Horizontal(id="train"):
            runs = RunList(id="runs")
            runs.border_title = "runs"
            runs.add_class("pane")
            yield runs
            with ContentSwitcher(initial="none", id="run", classes="pane"):
                yield Static(LOOKING, id="none", markup=False)
                with TabbedContent(id="tabs", initial=tab if tab in TABS else "live"):
                    with TabPane(word("Live"), id="live"):
                        yield Live()
                    with TabPane(word("Evaluation"), id="evaluation"):
                        yield Evaluation()
                    with TabPane(word("Config"), id="config"):
                        yield RunConfig(id="config-scroll")
                    with TabPane(word("Log"), id="log"):
                        yield LogView()

    def on_mount(self) -> None:
        """Follow the runs."""
        self.query_one(Tabs).__dict__["ABOUT"] = ABOUT_TABS
        self._resize_list()
        self._tell_pinned()
        self.watch_of.subscribe(self.post_message)
        self.set_interval(AGES, self._tick)

    def on_unmount(self) -> None:
        """Follow them no more."""
        self.watch_of.unsubscribe(self.post_message)

    @property
    def selected(self) -> RunView | None:
        """The run under the list's cursor, also where keys came faster than it was drawn."""
        run_id = self.query_one(RunList).run_id if self.is_mounted else self._chosen
        return self._runs.get(run_id) if run_id else None

    @property
    def pinned(self) -> tuple[RunView, ...]:
        """The pinned runs that are there, in the order in which they were pinned."""
        return tuple(self._runs[run_id] for run_id in self._pinned if run_id in self._runs)

    # What the runs tell

    @on(RunsChanged)
    def _changed(self, message: RunsChanged) -> None:
        message.stop()
        self._runs = {run.id: run for run in message.runs}
        runs = self.query_one(RunList)
        runs.show(message.runs, self._pinned)
        if self._kept in self._runs:
            runs.choose(str(self._kept))
        if self._kept in self._runs or self.watch_of.all_read:
            self._kept = None
        self._choose_wanted()
        if self._chosen not in self._runs or message.changed & {self._chosen, *self._pinned}:
            self._show()
        else:
            self._check_keys()

    def choose(self, run_id: str) -> None:
        """Select a run, at once or as soon as it is in the list."""
        self._wanted, self._kept = run_id, None
        if self.is_mounted:
            self._choose_wanted()

    def _choose_wanted(self) -> None:
        """Select the run that was asked for, or just started, as soon as it is in the list."""
        if self._wanted in self._runs:
            self.query_one(RunList).choose(self._wanted)
            self._wanted = None

    def _tick(self) -> None:
        if self.is_current:
            self.query_one(RunList).tick()

    @on(RunList.Chosen)
    def _choose(self, message: RunList.Chosen) -> None:
        message.stop()
        if message.run_id != self._chosen:
            self._chosen = message.run_id
            if message.run_id is not None:
                self.goemo.keep("train", run=message.run_id)
            self._show()

    @on(TabbedContent.TabActivated)
    def _tab(self, message: TabbedContent.TabActivated) -> None:
        message.stop()
        self.goemo.keep("train", tab=message.tabbed_content.active)
        self._show()

    def on_screen_resume(self) -> None:
        """Back from another place: what was missed is drawn now."""
        self.query_one(RunList).tick()
        self._show()

    def _show(self) -> None:
        """Draw the selected run's visible tab; the others are drawn when they are looked at."""
        if not self.is_mounted:
            return
        view = self.selected
        switcher = self.query_one("#run", ContentSwitcher)
        current = "tabs" if view else "none"
        if switcher.current != current:
            switcher.current = current
        title = clean(title_of(view)) if view else ""
        if str(switcher.border_title or "") != title:
            switcher.border_title = Content(title)
        self._check_keys()
        if view is None:
            self.query_one("#none", Static).update(NO_RUN if self.watch_of.all_read else LOOKING)
            return
        tab = self.query_one(TabbedContent).active
        if tab == "live":
            self.query_one(Live).show(view, [run for run in self.pinned if run.id != view.id])
        elif tab == "evaluation":
            self.query_one(Evaluation).show(view)
        elif tab == "config":
            self.query_one(RunConfig).show(view)
        elif tab == "log":
            self.query_one(LogView).show(view)

    # Pinned runs, and the list's width

    def action_pin_run(self) -> None:
        """Pin the selected run, or take its pin away."""
        if self.selected is not None:
            self._pin(self.selected.id)

    @on(RunList.PinAsked)
    def _pin_asked(self, message: RunList.PinAsked) -> None:
        message.stop()
        self._pin(message.run_id)

    def _pin(self, run_id: str) -> None:
        there = tuple(run.id for run in self.pinned)
        if run_id in there:
            self._take_pinned(tuple(x for x in there if x != run_id))
        elif len(there) < MOST:
            self._take_pinned((*there, run_id))
        else:
            self.notify(
                f"{MOST} runs are pinned, which is as many as can be told apart; x unpins all", severity="warning"
            )

    def action_unpin_runs(self) -> None:
        """Take all pins away."""
        self._take_pinned(())

    def _take_pinned(self, pinned: Sequence[str]) -> None:
        self._pinned = tuple(pinned)
        self.goemo.keep("train", pinned=list(pinned))
        self.query_one(RunList).show(tuple(self._runs.values()), self._pinned)
        self._tell_pinned()
        self._show()

    def _tell_pinned(self) -> None:
        many = len(self._pinned)
        self.query_one(RunList).border_subtitle = f"{many} pinned · x unpins" if many else ""

    def action_wider(self) -> None:
        """More room for the list."""
        self._take_width(self.query_one(RunList).outer_size.width + 2)

    def action_narrower(self) -> None:
        """More room for the run."""
        self._take_width(self.query_one(RunList).outer_size.width - 2)

    @on(RunList.Dragged)
    def _dragged(self, message: RunList.Dragged) -> None:
        message.stop()
        if self.maximized is None:
            self._take_width(message.width)

    def _take_width(self, width: int) -> None:
        self._width = max(NARROWEST, min(WIDEST, self.size.width // 2, width))
        self.goemo.keep("train", width=self._width)
        self._resize_list()

    def minimize(self) -> None:
        """All panes again; the screen may have another size than before."""
        super().minimize()
        self._resize_list()

    def _resize_list(self) -> None:
        """As wide as was asked for; else as wide as the sheet says for this screen."""
        if self._width is not None and self.maximized is None:
            self.query_one(RunList).styles.width = max(NARROWEST, min(WIDEST, self.size.width // 2, self._width))

    def on_resize(self, event: events.Resize) -> None:
        """Half of a smaller screen is less."""
        self._resize_list()

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key that the selected run's state does not allow is not offered."""
        view = self.selected
        if action in ("wider", "narrower"):
            return self.maximized is None
        if action == "stop_run":
            return view is not None and view.living
        if action == "resume_run":
            return view is not None and view.state in ("stopped", "died", "failed")
        if action == "delete_run":
            return view is not None and not view.living
        if action == "prune_runs":
            return any(run.state in ENDED for run in self._runs.values())
        if action == "unpin_runs":
            return bool(self._pinned)
        if action in ("pin_run", "compare_runs", "about_run", "copy_command", "new_like", "next_figures"):
            return view is not None
        return super().check_action(action, parameters)

    def _check_keys(self) -> None:
        view = self.selected
        state = view.state if view else ""
        ended = any(run.state in ENDED for run in self._runs.values())
        now = (state, ended, bool(self._pinned))
        if now != self._keys_for:
            self._keys_for = now
            self.refresh_bindings()

    def action_new_run(self) -> None:
        """Set up a training."""
        self._set_up()

    def action_new_like(self) -> None:
        """Set up a training that begins with the settings of the selected run."""
        if self.selected is not None:
            self._set_up(self.selected.id)

    def _set_up(self, like: str | None = None) -> None:
        from goemo_tui.screens.new_run import NewRunScreen

        def started(run_id: str | None) -> None:
            if run_id:
                self._wanted = run_id
                self._choose_wanted()  # one that waits may have been seen already, and say nothing new for long
                self.query_one(TabbedContent).active = "live"
                self.watch_of.poke()

        self.app.push_screen(NewRunScreen(self.goemo.data, self.goemo.remembered.recent, like), started)

    def on_key(self, event: events.Key) -> None:
        """From the tabs into what they have opened."""
        if event.key in ("down", "enter") and isinstance(self.focused, Tabs):
            event.stop()
            event.prevent_default()
            pane = self.query_one(TabbedContent).active_pane
            inside = (w for w in (pane.query("*") if pane is not None else ()) if w.focusable)
            self.set_focus(next(inside, self.focused))

    def action_next_tab(self) -> None:
        """Live, Evaluation, Config, Log, and round again."""
        tabs = self.query_one(TabbedContent)
        self.leave_chart()
        if self.selected is not None:
            tabs.active = TABS[(TABS.index(tabs.active) + 1) % len(TABS)]
            self.call_after_refresh(self._keep_focus)

    def _keep_focus(self) -> None:
        """What had the focus may have gone with its tab: keys must always be seen to go somewhere."""
        if self.focused is None:
            self.focus_next()

    def action_next_order(self) -> None:
        """Sort the scores by the next column."""
        self.query_one(ScoreTable).action_next_order()

    def action_turn_order(self) -> None:
        """Turn the order of the scores round."""
        self.query_one(ScoreTable).action_turn()

    def action_next_figures(self) -> None:
        """Open the evaluation; where it is open, go on to its next figures."""
        self.leave_chart()
        tabs = self.query_one(TabbedContent)
        if tabs.active == "evaluation":
            self.query_one(Evaluation).next_view()
        else:
            tabs.active = "evaluation"
