"""The setting `keys`: other keys for some actions, checked before anything is bound.

What cannot be used is left as the table has it, and said in words that name both sides. Nothing here knows a screen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from textual.keys import Keys, _character_to_key, key_to_character

from goemo_tui.actions import ACTIONS, PLACES, Action, show_key

_MODIFIERS = frozenset(("ctrl", "shift", "alt", "super", "meta", "hyper"))
_NAMED = frozenset(key.value for key in Keys) | {f"f{number}" for number in range(1, 25)}
_CHARACTERS = frozenset(_character_to_key(chr(code)) for code in range(0x20, 0x7F))


def read_keys(asked: Mapping[str, str]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Action id -> its keys, from the table `[keys]` of the settings, and warnings about what stays as it was."""
    known = {action.id: action for action in ACTIONS}
    taken: dict[str, tuple[str, ...]] = {}
    warnings: list[str] = []
    for id, text in asked.items():
        if id not in known:
            warnings.append(f"[keys] no action is called {id!r}: {_nearest(id, tuple(known))}")
            continue
        keys = tuple(key_name(part.strip()) for part in text.split(",") if part.strip())
        wrong = _what_is_wrong(known[id], keys, text)
        if wrong:
            warnings.append(f"[keys] {id} = {text!r} {wrong}: it keeps {_shown(known[id].keys)}")
        else:
            taken[id] = keys
    while clash := _clash(taken):
        loser, other, key = clash
        del taken[loser]
        warnings.append(
            f"[keys] {loser} = {show_key(key)!r} is the key of {other} as well: it keeps {_shown(known[loser].keys)}; "
            "give one of the two another key"
        )
    return taken, tuple(warnings)


def key_name(text: str) -> str:
    """A key as Textual calls it: `?` is `question_mark`, `^p` is `ctrl+p`, `F5` is `f5`."""
    if len(text) == 1:
        return _character_to_key(text)
    text = re.sub(r"^\^(?=.)", "ctrl+", text)
    head, _, last = text.rpartition("+")
    named = {"esc": "escape", "del": "delete", "ins": "insert", "pgup": "pageup", "pgdn": "pagedown", "return": "enter"}
    last = last if len(last) == 1 else named.get(last.lower(), last.lower())
    if head and len(last) == 1 and not last.isalnum():
        last = _character_to_key(last)
    return f"{head.lower()}+{last}" if head else last


def types_text(key: str) -> bool:
    """Whether a text field takes the key for a character."""
    if key in _CHARACTERS or len(key) == 1:
        return True
    return "+" not in key and key not in _NAMED and key_to_character(key) is not None


def _what_is_wrong(action: Action, keys: tuple[str, ...], text: str) -> str:
    """What is wrong with `keys` for `action`, in words that follow them; empty where nothing is."""
    if not keys:
        return "names no key"
    for key in keys:
        if not _exists(key):
            return f"names {key!r}, which is no key (f5, ctrl+k, question_mark and x are some)"
        must_not_type = action.typing or not any(types_text(own) for own in action.keys)
        if must_not_type and types_text(key):
            return "would be typed into text fields, where this action has to work, too"
    return ""


def _exists(key: str) -> bool:
    *modifiers, last = key.split("+")
    if not set(modifiers) <= _MODIFIERS:
        return False
    return last in _NAMED or last in _CHARACTERS or key_to_character(last) is not None


def _clash(taken: Mapping[str, tuple[str, ...]]) -> tuple[str, str, str] | None:
    """(changed action, other action, key) where two actions of one place would have the same key; None where none do."""
    for place, _, _ in PLACES:
        holder: dict[str, str] = {}
        for action in ACTIONS:
            if action.where not in (place, "everywhere"):
                continue
            for key in taken.get(action.id, action.keys):
                other = holder.setdefault(key, action.id)
                if other == action.id:
                    continue
                if action.id in taken:
                    return action.id, other, key
                if other in taken:
                    return other, action.id, key
    return None


def _nearest(id: str, known: tuple[str, ...]) -> str:
    import difflib

    close = difflib.get_close_matches(id, known, n=1)
    return f"is it {close[0]!r}?" if close else f"such as {known[0]!r}; the key tables of README name what there is"


def _shown(keys: tuple[str, ...]) -> str:
    return " ".join(show_key(key) for key in keys)
