"""From `q` to the end of the process, and what is left behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.budgets import Figure, timed
from benchmarks.screen import Screen
from benchmarks.ui.asking import BAR
from benchmarks.ui.bench import Bench, to_prompt

ENDING = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?1006l", b"\x1b[?1004l")
"""Back from the alternate screen, cursor, no pasting marks, no mouse, no focus reports."""

STATES = ("while tokens are counted", "with all counted", "with a model loaded")


def quitting(bench: Bench) -> Iterator[Figure]:
    """Right after the start, idle with the large corpus, and with a model loaded."""
    for state in STATES:
        spans, unclean = [], ""
        for _ in range(bench.few):
            with bench.screen("--data", str(bench.corpus)) as screen:
                _prepare(screen, bench, state)
                children = screen.children()
                moment = screen.press("q")
                code = screen.wait()
                assert screen.ended is not None
                spans.append(screen.ended - moment)
                unclean = unclean or _unclean(screen, code, children)
        yield timed(f"quitting {state}", spans, 0.3, unclean or "the terminal left clean")
        if unclean:
            yield Figure("… leaves the terminal clean", None, "", 0, unclean)


def _prepare(screen: Screen, bench: Bench, state: str) -> None:
    screen.arrives(*bench.page)
    if state == STATES[0]:
        return
    screen.settle(3.0, 60)
    if state == STATES[2]:
        to_prompt(screen)
        screen.press("so happy")
        screen.arrives(BAR)
        screen.settle(1.0, 5)
        screen.press("escape")
        screen.settle(0.5, 5)


def _unclean(screen: Screen, code: int, children: Sequence[int]) -> str:
    """What was left behind, in words; empty where nothing was."""
    wrong = [] if code == 0 else [f"exit code {code}"]
    for off in ENDING:
        on = off[:-1] + (b"l" if off.endswith(b"h") else b"h")
        if screen.raw.rfind(off) <= screen.raw.rfind(on):
            wrong.append(f"{off.decode()[1:]} was not sent")
    if screen.raw.rfind(b"\x1b[>") > screen.raw.rfind(b"\x1b[<u"):
        wrong.append("the keyboard protocol stays on")
    wrong += [f"process {child} lives on" for child in children if _alive(child)]
    return ", ".join(wrong)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
