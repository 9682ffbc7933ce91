"""Words typed into the filter over the large split: from a key to the new count and the new first row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.budgets import Figure, timed
from benchmarks.comments import TYPED
from benchmarks.moment import Moment, Span, later, of, quantile
from benchmarks.screen import NotSeenError, Screen
from benchmarks.ui.bench import Bench, beginning


def filtering(bench: Bench) -> Iterator[Figure]:
    """Every keystroke that changes the result."""
    pages: list[Span] = []
    counts: list[Span] = []
    ends: list[Span] = []
    texts = [text.lower() for text in bench.texts]
    with bench.empty("--data", str(bench.corpus)) as screen:
        screen.arrives(*bench.page)
        screen.settle(3.0, 60)  # until the tokens are counted
        screen.press("/")
        screen.settle(0.5, 5)
        for word in TYPED[: max(1, bench.starts)]:
            before = _found(texts, bench.texts, "")
            for n in range(1, len(word) + 1):
                after = _found(texts, bench.texts, word[:n])
                moment = screen.press(word[n - 1])
                if after[0] != before[0]:
                    counted, shown = _arrive(screen, word[:n], bench.total, before, after)
                    counts.append(counted - moment)
                    pages.append(shown - moment)
                ends.append(screen.settle(0.15, 5) - moment)
                before = after
            screen.press("ctrl+u")
            screen.settle(0.3, 5)
    counted_p50 = of(counts, lambda values: quantile(values, 0.5))[1] * 1000
    ends_p50 = of(ends, lambda values: quantile(values, 0.5))[1] * 1000
    note = f"alone: count {counted_p50:.0f}, all drawn {ends_p50:.0f}"
    yield timed("filter keystroke to new page, p50", pages, 50, note, unit="ms")
    yield timed("… p95", pages, 50, share=0.95, unit="ms")


def _found(lowered: Sequence[str], texts: Sequence[str], typed: str) -> tuple[int, str]:
    """How many rows hold all words, and the first of them."""
    words = typed.split()
    fits = [row for row, text in enumerate(lowered) if all(word in text for word in words)]
    return len(fits), texts[fits[0]] if fits else ""


def _arrive(
    screen: Screen, typed: str, total: str, before: tuple[int, str], after: tuple[int, str]
) -> tuple[Moment, Moment]:
    """When the new count is there, and when the new first row is; where that is the old one, nothing has to come."""
    try:
        counted = screen.arrives(rf"\b{after[0]:,} of {total}", seconds=10)
        row = beginning(after[1])
        if before[1] == after[1] or not row:
            return counted, counted
        return counted, later(counted, screen.arrives(row, seconds=10))
    except NotSeenError as error:
        raise NotSeenError(f"filter {typed!r}: {error}") from None
