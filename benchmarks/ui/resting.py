"""What the app costs when nothing happens, and how much memory it holds when everything has."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.budgets import MB, Figure
from benchmarks.screen import Screen
from benchmarks.ui.asking import BAR
from benchmarks.ui.bench import FIRST, Bench, to_prompt
from benchmarks.ui.watching import OVER_SSH, looked_at

VIEWS = 4
"""How often `v` shows another view than the table."""


def idling(bench: Bench) -> Iterator[Figure]:
    """Nothing runs and no key comes: each place, with and without SSH."""
    seconds = bench.seconds / 2
    for where, there in (("", {}), (" over SSH", OVER_SSH)):
        for place, key in (("Data", "f1"), ("Train", "f2"), ("Inspect", "f3")):
            with bench.screen(environment=there) as screen:
                screen.arrives(FIRST)
                if key == "f3":
                    to_prompt(screen)
                    screen.press("a")
                    screen.arrives(BAR)
                else:
                    screen.settle(1.5, 20)
                    screen.press(key)
                screen.settle(1.5, 20)
                screen.bytes_in(bench.rest)
                came, processor = looked_at(screen, seconds)
            yield Figure(f"idle in {place}{where}", came, "bytes", 0, f"in {seconds:g} s")
            yield processor.figure(0.5)


def memory(bench: Bench) -> Iterator[Figure]:
    """The app's own process with the large corpus open, and after every place and view was visited."""
    with bench.screen("--data", str(bench.corpus)) as screen:
        screen.arrives(*bench.page)
        screen.settle(3.0, 60)
        yield _held("memory with the large corpus open", screen)
        screen.press("f2")
        screen.settle(1.5, 20)
        to_prompt(screen)
        screen.press("so happy")
        screen.arrives(BAR)
        screen.settle(1.0, 5)
        screen.press("f1")
        screen.settle(1.0, 5)
        for _ in range(VIEWS + 1):
            screen.press("v")
            screen.settle(1.5, 20)
        yield _held("… after every place and view", screen)


def _held(what: str, screen: Screen) -> Figure:
    proportional, resident = screen.memory()
    return Figure(what, resident / MB, "MB", 200, f"resident (RSS); its share of it (PSS) {proportional / MB:,.0f} MB")
