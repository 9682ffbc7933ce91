"""The filters typed before, newest first: plain tuples, so that they can be kept and compared."""

from __future__ import annotations

from goemo_tui.safe_text import clean

MOST = 50
LONGEST = 1_000
"""Characters of a filter that is kept."""


def added(history: tuple[str, ...], text: str, instead: str = "") -> tuple[str, ...]:
    """With `text` as the newest; the same filter stands once. `instead` goes where `text` is what became of it."""
    text = text.strip()
    if not text or len(text) > LONGEST:
        return history
    if instead and text.startswith(instead):
        history = tuple(old for old in history if old != instead)
    return (text, *(old for old in history if old != text))[:MOST]


def kept(value: object) -> tuple[str, ...]:
    """A history as a file may hold it, without what cannot be one."""
    if not isinstance(value, list):
        return ()
    texts = (clean(text).strip() for text in value if isinstance(text, str) and len(text) <= LONGEST)
    return tuple(dict.fromkeys(text for text in texts if text))[:MOST]
