"""ONE table of what the terminal can do: key, action, label and help.

Bindings, footer, command palette, help page and README all read it, so that they cannot disagree. A key is written here
and nowhere else; the method `action_<name>` of a screen (or of the app) does the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    def present_keys(self) -> tuple[str, ...]:
        """The keys it has now: the table's, or those of the setting `keys`."""
        return _changed.get(self.id, self.keys)

    @property
    def shown_key(self) -> str:
        """The first of its present keys as people write it."""
        return show_key(self.present_keys[0])

    @property
    def shown_label(self) -> str:
        """Its label in the language of the screen."""
        return _translated(self.id, self.label, self.help)[0]

    @property
    def shown_help(self) -> str:
        """Its help in the language of the screen."""
        return _translated(self.id, self.label, self.help)[1]


_changed: dict[str, tuple[str, ...]] = {}


def use_keys(changed: Mapping[str, tuple[str, ...]]) -> None:
    """Take other keys for some actions from now on (what `keymap.read_keys` made of the settings)."""
    _changed.clear()
    _changed.update(changed)


def _translated(id: str, label: str, help: str) -> tuple[str, str]:
    """Label and help of an action in the language of the screen; English where a translation is missing."""
    from goemo_tui import language

    if language.language() != "ar":
        return label, help
    from goemo_tui import arabic

    return arabic.ACTIONS.get(id, (label, help))


def places() -> tuple[tuple[str, str, str], ...]:
    """`PLACES` in the language of the screen."""
    from goemo_tui import language

    if language.language() != "ar":
        return PLACES
    from goemo_tui import arabic

    return tuple((name, *arabic.PLACES[name]) for name, _, _ in PLACES)


_SHOWN = {
    "question_mark": "?", "slash": "/", "escape": "Esc", "enter": "Enter", "space": "Space", "tab": "Tab",
    "comma": ",", "full_stop": ".", "plus": "+", "minus": "-", "less_than_sign": "<", "greater_than_sign": ">",
    "left_curly_bracket": "{", "right_curly_bracket": "}",
    "left_square_bracket": "[", "right_square_bracket": "]", "semicolon": ";", "colon": ":", "backslash": "\\",
    "exclamation_mark": "!", "number_sign": "#", "equals_sign": "=", "asterisk": "*", "underscore": "_",
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End",
    "delete": "Del", "insert": "Ins", "backspace": "Backspace",
}  # fmt: skip


def show_key(key: str) -> str:
    """A Textual key name as people write it: `question_mark` is `?`, `f1` is `F1`, `ctrl+p` is `^p`."""
    if key in _SHOWN:
        return _SHOWN[key]
    if key.startswith("ctrl+"):
        return "^" + show_key(key.removeprefix("ctrl+"))
    if key.startswith("shift+"):
        return "Shift+" + show_key(key.removeprefix("shift+"))
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
    _act(
        "data.view",
        "v",
        "next_view",
        "View",
        "Next view: table, counts, co-occurrence, lengths, duplicates, suspects",
        True,
    ),
    _act("data.sort", "t", "sort", "Sort", "Sort by the next column; a click on a column's head does it too"),
    _act("data.turn", "T", "turn_order", "Turn", "Turn the order of the rows round"),
    _act("data.narrower", "less_than_sign", "widen(-1)", "Narrower", "Wider emotions; a head's edge can be dragged"),
    _act("data.wider", "greater_than_sign", "widen(1)", "Wider", "Wider comments, narrower emotions"),
    _act("data.detail", "e", "toggle_detail", "Detail", "Show or hide the detail pane"),
    _act("data.taller", "plus", "heighten(1)", "Taller", "A taller detail pane; its upper edge can be dragged too"),
    _act("data.lower", "minus", "heighten(-1)", "Lower", "A lower detail pane, a longer table"),
    _act("data.similar", "i", "similar", "Similar", "The rows most like the one at the cursor, in the detail pane"),
    _act("data.augment", "a", "augment", "Augment", "What augmentation makes of the comment at the cursor"),
    _act("data.grouping", "c", "grouping", "Group", "Counts by emotion, by Ekman's six or by sentiment"),
    _act("data.fine", "f", "decide('fine')", "Fine", "Suspect labels: those of the row are fine; again: undecided"),
    _act("data.wrong", "b", "decide('wrong')", "Wrong", "Suspect labels: they are wrong, the row is left out"),
    _act("data.model", "u", "decide('model')", "Model's", "Suspect labels: those that the model gives are right"),
    _act("data.copy", "y", "copy_row", "Copy", "Copy the comment at the cursor, also over SSH and in tmux"),
    _act(
        "data.export",
        "w",
        "export",
        "Export",
        "Write the rows found, or train without suspects: TSV, CSV, JSONL, Parquet",
    ),
    _act("data.problems", "p", "problems", "Problems", "List the rows that were skipped, by file and line"),
    _act("data.reload", "r", "reload", "Reload", "Read the corpus again, after its files were changed"),
    _act("data.open", "o", "open", "Open", "Open another corpus: a folder or a file", True),
    _act("data.open_typing", "ctrl+o", "open", "Open", "Open another corpus, also while typing", typing=True),
    _act("data.download", "d", "download", "Download", "Fetch the full GoEmotions corpus (54,263 comments)", True),
    # Train
    _act("train.new", "n", "new_run", "New run", "Set up a training and start it in the background", True),
    _act("train.new_typing", "ctrl+n", "new_run", "New run", "Set up a training, also while typing", typing=True),
    _act("train.like", "l", "new_like", "Like", "Set up a training with the settings of the selected run"),
    _act(
        "train.stop", "s", "stop_run", "Stop", "Stop the selected run after its current step; it can be resumed", True
    ),
    _act("train.resume", "r", "resume_run", "Resume", "Go on with the selected run from its last checkpoint", True),
    _act("train.delete", "d", "delete_run", "Delete", "Delete the selected run and its model, after asking", True),
    _act("train.prune", "p", "prune_runs", "Prune", "Free disk: checkpoints of finished runs, after asking", True),
    _act("train.view", "v", "next_tab", "View", "Next tab: Live, Evaluation, Config, Log", True),
    _act("train.order", "o", "next_order", "Sort", "Sort the scores by the next column; a click on a head does it too"),
    _act("train.turn", "O", "turn_order", "Turn", "Turn the order of the scores round"),
    _act(
        "train.figures",
        "m",
        "next_figures",
        "More figures",
        "More of the evaluation: Ekman and sentiment, calibration, what was confused",
    ),
    _act("train.pin", "space", "pin_run", "Pin", "Pin the selected run or unpin it: charts draw pinned runs too", True),
    _act("train.unpin", "x", "unpin_runs", "Unpin", "Take all pins away"),
    _act(
        "train.compare",
        "c",
        "compare_runs",
        "Compare",
        "Put the pinned runs, or the selected one and a pinned one, side by side",
        True,
    ),
    _act("train.about", "e", "about_run", "Name", "Give the selected run a name and a note", True),
    _act("train.copy", "y", "copy_command", "Copy", "Copy the command that makes the selected run again"),
    _act("train.wider", "plus", "wider", "Wider", "More room for the list of runs; its right edge can be dragged"),
    _act("train.narrower", "minus", "narrower", "Narrower", "Less room for the list of runs"),
    _act(
        "train.log_scale",
        "L",
        "log_scale",
        "Log scale",
        "Logarithmic y axis, for the chart with the focus, else the loss",
    ),
    _act("train.smoothing", "a", "next_smoothing", "Smoothing", "Loss: raw and smoothed, smoothed only, raw only"),
    _act("train.zoom", "z", "zoom_in", "Zoom", "The chart closer, around its cursor; wheel and dragging do it too"),
    _act(
        "train.zoom_out", "Z,backspace", "zoom_out", "Zoom out", "The chart from further away, until it is whole again"
    ),
    _act("train.search", "slash", "search_log", "Search", "Search the log of the selected run"),
    _act("train.follow", "f", "follow_log", "Follow", "The log of the selected run: follow its end, or hold still"),
    # Inspect
    _act(
        "inspect.back",
        "backspace",
        "back",
        "Back",
        "Back to what the sentence was taken from: the list of mistakes, or the lines of a batch",
        True,
    ),
    _act("inspect.prompt", "slash", "prompt", "Prompt", "Back to the line where you type a sentence", True),
    _act("inspect.model", "m", "pick_model", "Model", "Pick a model: starter, run, import, folder or Hub name", True),
    _act("inspect.model_typing", "ctrl+o", "pick_model", "Model", "Pick a model, also while typing", typing=True),
    _act("inspect.threshold", "t", "threshold", "Threshold", "Tuned per emotion, or one value for all", True),
    _act("inspect.two", "b", "two_models", "Two", "Put a second model beside it; again: close it", True),
    _act("inspect.other", "o", "other_model", "Other", "Of two models, the one that m, t and [ ] are about"),
    _act("inspect.lower", "left_square_bracket", "threshold_by(-5)", "Lower", "One threshold for all, lower by .05"),
    _act("inspect.higher", "right_square_bracket", "threshold_by(5)", "Higher", "One threshold for all, higher by .05"),
    _act("inspect.bit_lower", "left_curly_bracket", "threshold_by(-1)", "Bit lower", "The threshold lower by .01"),
    _act("inspect.bit_higher", "right_curly_bracket", "threshold_by(1)", "Bit higher", "The threshold higher by .01"),
    _act("inspect.tuned", "T", "tuned", "Tuned", "Back to the model's own threshold for each emotion"),
    _act(
        "inspect.why",
        "w",
        "toggle_why",
        "Why",
        "Show or hide the words (because) and the comments (like) under the bars",
    ),
    _act("inspect.next_emotion", "e", "choose(1)", "Emotion", "Explain the next emotion; ↓ in the bars does it too"),
    _act(
        "inspect.emotion_before", "E", "choose(-1)", "Before", "Explain the emotion before; ↑ in the bars does it too"
    ),
    _act(
        "inspect.next_typing",
        "ctrl+down",
        "choose(1)",
        "Emotion",
        "Explain the next emotion, also while typing",
        typing=True,
    ),
    _act(
        "inspect.before_typing",
        "ctrl+up",
        "choose(-1)",
        "Before",
        "Explain the emotion before, while typing",
        typing=True,
    ),
    _act("inspect.copy", "y", "copy_json", "Copy", "Copy the result, or the line of the history, as JSON", True),
    _act("inspect.batch", "i", "batch", "Batch", "Many lines as a table; pasting several opens it too", True),
    _act("inspect.clear", "x", "clear_history", "Clear", "Forget the history, after asking"),
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
    _act("app.one_pane", "M", "screen.one_pane", "Whole", "The part with the focus on the whole screen, and back"),
    _act(
        "app.one_pane_typing",
        "f10",
        "screen.one_pane",
        "Whole",
        "That part on the whole screen, also while typing",
        typing=True,
    ),
    _act("app.theme", "ctrl+t", "app.next_theme", "Theme", "Next theme; the settings list them all", typing=True),
    _act("app.settings", "comma", "app.settings", "Settings", "See and change theme, language, alerts and more"),
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


MOTIONS: tuple[tuple[str, str], ...] = (
    ("j", "down"),
    ("k", "up"),
    ("g", "home"),
    ("G", "end"),
    ("ctrl+d", "pagedown"),
    ("ctrl+u", "pageup"),
)
"""vim's keys, and the keys that do the same in every list, table and page."""


def motions(action: str) -> list[Binding]:
    """Bindings of vim's motions; `action` is the Textual action that gets the key they stand for. Whoever binds such a
    key closer to the focus has it.
    """
    return [Binding(key, f"{action}({meant!r})", show=False) for key, meant in MOTIONS]


def leave_binding() -> Binding:
    """Esc, which every place binds on its own screen: the screen's stock Esc would win over the app's."""
    leave = next(action for action in ACTIONS if action.id == "app.leave")
    return Binding(leave.keys[0], leave.name, leave.label, show=False, key_display=leave.shown_key, id=leave.id)


def help_binding() -> Binding:
    """The key of the help, which every dialog binds on its own screen: no key of the app's gets past one."""
    told = next(action for action in ACTIONS if action.id == "app.help")
    return Binding(",".join(told.keys), told.name, show=False, key_display=told.shown_key, id=told.id)


def beneath_dialogs() -> list[tuple[Action, tuple[str, ...]]]:
    """What can be done everywhere, with the keys that work while a dialog lies on top: the help's, and those for typing."""
    found: dict[str, tuple[Action, list[str]]] = {}
    for action in of("everywhere"):
        if action.id == "app.help" or (action.typing and not action.name.startswith("screen.")):
            found.setdefault(action.name, (action, []))[1].extend(show_key(key) for key in action.present_keys)
    return [(action, tuple(keys)) for action, keys in found.values()]


def told_once(where: Where, own_keys: bool = False) -> list[tuple[Action, tuple[str, ...]]]:
    """Each thing that can be done in one place, with all its present keys as people write them: a twin for typing stands
    behind the key that it doubles. `own_keys`: those of the table, whatever the settings say.
    """
    found: dict[str, tuple[Action, list[str]]] = {}
    for action in of(where):
        keys = action.keys if own_keys else action.present_keys
        found.setdefault(action.name, (action, []))[1].extend(show_key(key) for key in keys)
    return [(action, tuple(keys)) for action, keys in found.values()]


def readme_table() -> str:
    """README's key tables as Markdown: the table as it is, without anybody's settings, in English."""
    parts: list[str] = []
    titles: list[tuple[Where, str]] = [
        ("data", "Data"),
        ("train", "Train"),
        ("inspect", "Inspect"),
        ("everywhere", "Everywhere"),
    ]
    for where, title in titles:
        parts += [f"| {title} | |", "|---|---|"]
        for action, keys in told_once(where, own_keys=True):
            shown = " ".join(f"`{key}`" for key in keys).replace("|", "\\|")
            parts.append(f"| {shown} | {action.help} |")
        parts.append("")
    return "\n".join(parts).rstrip("\n") + "\n"


if __name__ == "__main__":
    print(readme_table(), end="")
