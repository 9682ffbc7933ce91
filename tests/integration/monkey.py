"""A monkey at the keyboard: keys, words, clicks, drags, the wheel, pastes and window sizes, all from one seed.

Knows what terminals send (xterm's codes, SGR mouse reports, bracketed pastes), and nothing of what the app makes of it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from goemo_tui.actions import ACTIONS

SIZES = ((120, 36), (80, 24), (40, 10), (200, 60), (60, 16), (59, 15), (20, 5), (1, 1), (100, 16), (61, 70))

NAMED = {
    "escape": "\x1b", "enter": "\r", "tab": "\t", "space": " ", "backspace": "\x7f", "shift+tab": "\x1b[Z",
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F",
    "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "delete": "\x1b[3~", "insert": "\x1b[2~",
    "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS", "f5": "\x1b[15~", "f6": "\x1b[17~",
    "f7": "\x1b[18~", "f8": "\x1b[19~", "f9": "\x1b[20~", "f10": "\x1b[21~", "f11": "\x1b[23~", "f12": "\x1b[24~",
    "shift+up": "\x1b[1;2A", "ctrl+right": "\x1b[1;5C",
    "slash": "/", "comma": ",", "question_mark": "?", "less_than_sign": "<", "greater_than_sign": ">", "plus": "+",
    "minus": "-", "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{",
    "right_curly_bracket": "}",
}  # fmt: skip

OFTEN = ("escape", "enter", "tab", "up", "down", "left", "right", "pagedown", "pageup", "home", "end")

WORDS = (
    "label:joy", "-label:neutral", "/love.*/", "tokens:>20 or labels:>1", "(", "id:", '"', "\\", "epochs", "1e-3", "-1",
    "so happy today", "9" * 40, "حزن شديد", "👨\u200d👩\u200d👧 😂", "日本語", "[/s]", "[@click=app.quit]x[/]", "[red]",
    "e" + "\u0301" * 30, "starter", "owner/model", "nowhere/at/all", "..", "rows.jsonl", "rows.parquet", "{}", "%s",
)  # fmt: skip

PASTES = (
    *WORDS,
    "one line\nand another\r\nand a third\rand a fourth",
    "\n" * 200,
    "\x1b]52;c;cHduZWQ=\x07 \x1b]0;t\x07 \x1b[2J\x1b[6n \x1bPq\x1b\\ \x9b2J\x9d0;t\x9c \x00\x08\x7f",
    "user\u202egnp.exe\u2066x\u2069 \u200bz\ufeff \u2028 \u0085",
    "x" * 20_000,
    "many words " * 3_000,
    "a\tb\tc\n" * 300,
    '{"text": "json", "emotions": [1, 2]}\n' * 40,
    "e" + "\u0301" * 5_000,
)


@dataclass(frozen=True)
class Act:
    """One thing that the monkey does: `data` is what the terminal sends, `size` (columns, rows) what it becomes."""

    what: str
    data: bytes = b""
    size: tuple[int, int] | None = None


def encoded(key: str) -> str:
    """What a terminal sends for a Textual key name."""
    if key in NAMED:
        return NAMED[key]
    if key.startswith("ctrl+"):
        return chr(ord(key[-1]) & 0x1F)
    assert len(key) == 1, key
    return key


def acts(seed: int, quits: float = 0.002) -> Iterator[Act]:
    """Without end. Keys that leave the app come with the probability `quits` alone: it is to be in, mostly."""
    dice = random.Random(seed)
    quitting = {key for action in ACTIONS if action.name == "app.quit" for key in action.keys}
    keys = sorted({key for action in ACTIONS for key in action.keys} - quitting)
    keys += [*NAMED, *"jkgGhlab059", "ctrl+a", "ctrl+c", "ctrl+d", "ctrl+e", "ctrl+s", "ctrl+u", "ctrl+w", "ctrl+z"]
    size = SIZES[0]
    held = 0
    while True:
        roll = dice.random()
        if roll < quits:
            key = dice.choice(sorted(quitting))
            yield Act(f"key {key}", encoded(key).encode())
        elif roll < 0.25:
            key = dice.choice(OFTEN)
            yield Act(f"key {key}", encoded(key).encode())
        elif roll < 0.60:
            key = dice.choice(keys)
            yield Act(f"key {key}", encoded(key).encode())
        elif roll < 0.68:
            word = dice.choice(WORDS)
            yield Act(f"type {word!r}", word.replace("q", "").encode())
        elif roll < 0.84:
            at = _somewhere(dice, size)
            button = dice.choice((0, 0, 0, 0, 1, 2, 8, 16))
            yield Act(f"click {button} at {at}", (_mouse(button, at) + _mouse(button, at, up=True)).encode())
        elif roll < 0.90:
            at = _somewhere(dice, size)
            turns = dice.choice((1, 1, 3, 30))
            yield Act(f"wheel at {at}", (_mouse(dice.choice((64, 65, 66, 67, 80, 81)), at) * turns).encode())
        elif roll < 0.93:
            way = [_somewhere(dice, size) for _ in range(dice.randint(2, 5))]
            moves = "".join(_mouse(32, at) for at in way[1:])
            held = 0 if dice.random() < 0.9 else 1  # now and then the button is let go outside the window
            end = "" if held else _mouse(0, way[-1], up=True)
            yield Act(f"drag {way}", (_mouse(0, way[0]) + moves + end).encode())
        elif roll < 0.94:
            at = _somewhere(dice, size)
            yield Act(f"hover {at}", _mouse(35, at).encode())
        elif roll < 0.965:
            text = dice.choice(PASTES)
            inside = text.replace("\x1b[201~", "").encode()
            yield Act(f"paste {text[:30]!r}", b"\x1b[200~" + inside + b"\x1b[201~")
        elif roll < 0.97:
            yield Act("bytes", dice.choice((b"\xff\xfe", b"\x9b2J", b"\xe4\xf6\xfc", b"\xf0\x9f\x98", b"\xed\xa0\x80")))
        elif roll < 0.98:
            yield Act("focus", dice.choice((b"\x1b[I", b"\x1b[O", b"\x1b[O\x1b[I")))
        else:
            if dice.random() < 0.7:
                size = dice.choice(SIZES)
            else:
                size = dice.randint(1, 220), dice.randint(1, 70)
            yield Act(f"resize {size}", size=size)


def _somewhere(dice: random.Random, size: tuple[int, int]) -> tuple[int, int]:
    """Column and row, from 1; rarely outside."""
    if dice.random() < 0.02:
        return dice.randint(1, 300), dice.randint(1, 100)
    return dice.randint(1, size[0]), dice.randint(1, size[1])


def _mouse(button: int, at: tuple[int, int], up: bool = False) -> str:
    return f"\x1b[<{button};{at[0]};{at[1]}{'m' if up else 'M'}"
