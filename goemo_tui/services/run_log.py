"""What a run told, as text: the last that its worker printed, and its events in words.

Reads `worker.log` and `events.jsonl` and nothing else; no widget is known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goemo_tui.wording import duration, score, size
from trainer.runs.events import LOG
from trainer.runs.snapshot import number
from trainer.runs.tail import EventTail


def worker_log(folder: Path, limit: int = 64_000) -> str:
    """The last `limit` bytes of what the worker printed; empty where it printed nothing."""
    try:
        with (folder / "worker.log").open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - limit))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text.partition("\n")[2] if size > limit else text


class Told:
    """The events of one run in words, all but the steps; reads only what came since the last time."""

    def __init__(self, folder: Path) -> None:
        self._tail = EventTail(folder / LOG)
        self._lines: deque[tuple[float | None, str]] = deque(maxlen=300)

    def lines(self) -> tuple[tuple[float | None, str], ...]:
        """Time (unix seconds) and words, the latest at the end."""
        try:
            events = self._tail.poll(1 << 20)
        except OSError as error:
            return ((None, f"the event log cannot be read: {error}"),)
        self._lines.extend((number(e.get("wall")), event_words(e)) for e in events if e["kind"] != "step")
        return tuple(self._lines)


def event_words(event: dict[str, Any]) -> str:
    """One event in words, for the log."""
    kind = event.get("kind")
    if kind == "started":
        rows = event.get("rows")
        known = ", ".join(f"{v:,} {k}" for k, v in rows.items()) if isinstance(rows, dict) else "?"
        new = event.get("augmented")
        made = (
            f" ({sum(v for v in new.values() if isinstance(v, int)):,} of train made by augmentation)"
            if isinstance(new, dict)
            else ""
        )
        return (
            f"started on {event.get('device', '?')}: {known} rows{made}, {event.get('steps', '?')} steps{_after(event)}"
        )
    if kind == "validation":
        values = (number(event.get("macro_f1")), number(event.get("loss")))
        kept = ", kept as the best" if event.get("best") else ""
        return f"epoch {event.get('epoch')}: dev macro-F1 {score(values[0])}, dev loss {score(values[1])}{kept}"
    if kind == "checkpoint":
        return f"checkpoint at step {event.get('step')}"
    if kind == "warning":
        return f"warning: {event.get('text', '')}"
    if kind == "finished":
        why = f" ({event['reason']})" if event.get("reason") else ""
        return f"finished after {duration(number(event.get('seconds')))}{why}{at_most(event)}"
    if kind == "failed":
        return f"failed: {event.get('error', '')}"
    if kind == "stopped":
        return f"stopped at step {event.get('step')}"
    if kind == "resumed":
        return f"resumed at step {event.get('step')}{_after(event)}"
    if kind == "preparing":
        return str(event.get("text", ""))
    if kind == "waiting":
        return f"waits for {event.get('on', 'its turn')}"
    return str(kind)


def at_most(event: Mapping[str, Any]) -> str:
    """The memory that a `finished` event tells of, in words; nothing where it tells of none."""
    peak = number(event.get("memory_peak"))
    return f", {size(int(peak))} of memory at most" if peak else ""


def _after(event: dict[str, Any]) -> str:
    return f", since {event['after']}" if event.get("after") else ""
