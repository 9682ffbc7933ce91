"""ONE table of what the terminal can do: key, action, label and help.

Bindings, footer, command palette and help page all read it, so that they cannot disagree. A key is written here and
nowhere else; the method `action_<name>` of a screen (or of the app) does the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding

Where = Literal["everywhere", "data", "train", "inspect"]

PLACES: tuple[tuple[str, str, str], ...] = (
    ("data", "Data", "know the corpus before you train on it"),
    ("train", "Train", "start it, watch it, leave it, come back"),
    ("inspect", "Inspect", "what does it feel?"),
)
"""The three places: mode name, tab title, and what it is for."""


@dataclass(frozen=True)
class Action:
    """One thing that can be done.

    `keys` are Textual key names; the first is shown in footer and help. `name` is a Textual action string as seen
    from where it is bound: `filter` calls `action_filter` of the place's screen, `app.quit` that of the app.
    """

    id: str
    where: Where
    keys: tuple[str, ...]
    name: str
    label: str
    help: str
    footer: bool = False
    typing: bool = False
    """True: the keys also work while a text field has the focus (they are never letters)."""

    @property
    def shown_key(self) -> str:
        """The first key as people write it."""
        return show_key(self.keys[0])


_SHOWN = {"question_mark": "?", "slash": "/", "escape": "Esc", "enter": "Enter", "space": "Space", "tab": "Tab"}


def show_key(key: str) -> str:
    """A Textual key name as people write it: `question_mark` is `?`, `f1` is `F1`, `ctrl+p` is `^p`."""
    if key in _SHOWN:
        return _SHOWN[key]
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+")
    return key.upper() if key[0] == "f" and key[1:].isdigit() else key


def _act(id: str, keys: str, name: str, label: str, help: str, footer: bool = False, typing: bool = False) -> Action:
    head = id.split(".")[0]
    where: Where = head if head in ("data", "train", "inspect") else "everywhere"  # type: ignore[assignment]
    return Action(id, where, tuple(keys.split(",")), name, label, help, footer, typing)


ACTIONS: tuple[Action, ...] = (
    # Data
    _act(
        "data.filter", "slash", "filter", "Filter", "Type words, label:joy, -label:neutral, tokens:>20 and more", True
    ),
    _act(
        "data.filter_typing", "ctrl+f", "filter", "Filter", "The filter line, also from another text field", typing=True
    ),
    _act("data.clear", "x", "clear_filter", "All", "Show every row of the split again", True),
    _act("data.split", "s", "next_split", "Split", "Go on to the next split: train, dev, test", True),
    _act("data.view", "v", "next_view", "View", "Next view: table, counts, co-occurrence, lengths, duplicates", True),
    _act("data.sort", "t", "sort", "Sort", "Sort by the next column; a click on a column's head does it too"),
    _act("data.detail", "e", "toggle_detail", "Detail", "Show or hide the detail pane"),
    _act("data.problems", "p", "problems", "Problems", "List the rows that were skipped, by file and line"),
    _act("data.open", "o", "open", "Open", "Open another corpus: a folder or a file", True),
    _act("data.open_typing", "ctrl+o", "open", "Open", "Open another corpus, also while typing", typing=True),
    _act("data.download", "d", "download", "Download", "Fetch the full GoEmotions corpus (54,263 comments)", True),
    # Train
    _act("train.new", "n", "new_run", "New run", "Set up a training and start it in the background", True),
    _act("train.new_typing", "ctrl+n", "new_run", "New run", "Set up a training, also while typing", typing=True),
    _act(
        "train.stop", "s", "stop_run", "Stop", "Stop the selected run after its current step; it can be resumed", True
    ),
    _act("train.resume", "r", "resume_run", "Resume", "Go on with the selected run from its last checkpoint", True),
    _act("train.delete", "d", "delete_run", "Delete", "Delete the selected run and its model, after asking", True),
    _act("train.prune", "p", "prune_runs", "Prune", "Free disk: checkpoints of finished runs, after asking", True),
    _act("train.view", "v", "next_tab", "View", "Next tab: Live, Evaluation, Config, Log", True),
    _act("train.order", "o", "next_order", "Sort", "Sort the scores by the next column; a click on a head does it too"),
    _act("train.turn", "O", "turn_order", "Turn", "Turn the order of the scores round"),
    # Inspect
    _act("inspect.prompt", "slash", "prompt", "Prompt", "Back to the line where you type a sentence", True),
    _act("inspect.model", "m", "pick_model", "Model", "Pick a model: starter, a run, a folder or a Hub name", True),
    _act("inspect.model_typing", "ctrl+o", "pick_model", "Model", "Pick a model, also while typing", typing=True),
    _act("inspect.threshold", "t", "threshold", "Threshold", "Tuned per emotion, or one value for all", True),
    _act("inspect.copy", "y", "copy_json", "Copy JSON", "Copy the result as JSON", True),
    # Everywhere
    _act("place.data", "1", "app.place('data')", "Data", "Go to Data: know the corpus before you train on it"),
    _act("place.train", "2", "app.place('train')", "Train", "Go to Train: start it, watch it, come back"),
    _act("place.inspect", "3", "app.place('inspect')", "Inspect", "Go to Inspect: what does a sentence feel?"),
    _act("place.data_typing", "f1", "app.place('data')", "Data", "Go to Data, also while typing", typing=True),
    _act("place.train_typing", "f2", "app.place('train')", "Train", "Go to Train, also while typing", typing=True),
    _act(
        "place.inspect_typing", "f3", "app.place('inspect')", "Inspect", "Go to Inspect, also while typing", typing=True
    ),
    _act("app.leave", "escape", "leave_field", "Leave", "Leave a text field, or close what lies on top"),
    _act("app.help", "question_mark", "app.help", "Help", "What the focused part can do, and every key", True),
    _act("app.help_typing", "ctrl+g", "app.help", "Help", "Help, also while typing", typing=True),
    _act("app.palette", "ctrl+p", "app.command_palette", "Palette", "Find any of these by name", True, typing=True),
    _act("app.theme", "ctrl+t", "app.next_theme", "Theme", "Next theme: dark, light, high contrast", typing=True),
    _act("app.quit", "q", "app.quit", "Quit", "Leave; a running training goes on", True),
    _act("app.quit_typing", "ctrl+q", "app.quit", "Quit", "Leave, also while typing", typing=True),
)


def of(where: Where) -> Iterator[Action]:
    """The actions of one place, or those bound everywhere."""
    return (action for action in ACTIONS if action.where == where)


def bindings(where: Where) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Textual bindings of one place's screen, or of the app for `everywhere`."""
    return [
        Binding(
            ",".join(action.keys),
            action.name,
            action.label,
            show=action.footer,
            key_display=action.shown_key,
            priority=action.typing,
            tooltip=action.help,
            id=action.id,
        )
        for action in of(where)
        if not (action.name == "leave_field" and where == "everywhere")
    ]


def leave_binding() -> Binding:
    """Esc, which every place binds on its own screen: the screen's stock Esc would win over the app's."""
    leave = next(action for action in ACTIONS if action.id == "app.leave")
    return Binding(leave.keys[0], leave.name, leave.label, show=False, key_display=leave.shown_key, id=leave.id)
