"""Whether a part of the screen is still there: what was put off until after the next frame may come when it has gone.

Esc and another key in one breath, or a slow machine, and what was about to be shown has no place to be shown in.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType

from textual.css.query import DOMQuery, NoMatches
from textual.dom import DOMNode
from textual.widget import MountError


def gone(node: DOMNode) -> bool:
    """Whether `node` is being taken off the screen, or off it already."""
    leaving = any(each._pruning or each._closing or each._closed for each in node.ancestors_with_self)
    return leaving or not (node.is_attached or node.is_dom_root)


def missed_on_what_is_gone(error: BaseException) -> bool:
    """Whether `error` says that something was looked for, or put, on what is `gone`: nobody would have seen it."""
    if error.__traceback__ is None or not isinstance(error, NoMatches | MountError):
        return False
    *_, last = _frames(error)
    asked = last.f_locals.get("self")  # whose query_one, first or mount it was: the error has it as text only
    node = asked.node if isinstance(asked, DOMQuery) else asked
    return isinstance(node, DOMNode) and gone(node)


def was_put_off(error: BaseException) -> bool:
    """Whether it happened in what was put off (`call_after_refresh`, `call_next`), between messages: those behind it
    are obeyed all the same, while a message that fails is the last of its screen or widget.
    """
    return not any(frame.f_code.co_name == "_dispatch_message" for frame in _frames(error))


def _frames(error: BaseException) -> Iterator[FrameType]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next
