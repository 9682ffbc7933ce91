"""Inspect with the bundled encoder: the first answer after a start, and every keystroke once it is warm."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.budgets import Figure, timed
from benchmarks.moment import Span
from benchmarks.screen import NotSeenError
from benchmarks.ui.bench import FIRST, Bench, to_prompt

SENTENCE = "I'm so excited about this! But also a bit nervous, because nobody told me what comes next."
BAR = r"\d%"


def asking(bench: Bench) -> Iterator[Figure]:
    """First the start, with what is said meanwhile; then the keys."""
    yield from _first(bench)
    with bench.screen() as screen:
        screen.arrives(FIRST)
        to_prompt(screen)
        screen.press("so")
        screen.arrives(BAR)
        screen.settle(1.0, 10)
        screen.press("ctrl+u")
        screen.settle(0.5, 5)
        spans = []
        letters = SENTENCE if bench.starts > 1 else SENTENCE[:12]
        for letter in letters:
            moment = screen.press(letter)
            try:
                spans.append(screen.arrives(BAR, seconds=1.0) - moment)
            except NotSeenError:
                continue  # no bar changed: a blank at the end is no token
            screen.settle(0.12, 2)
    note = f"{len(letters)} letters, the others change no bar"
    yield timed("keystroke to new bars, p50", spans, None, note, unit="ms")
    yield timed("… p95", spans, 60, share=0.95, unit="ms")


def _first(bench: Bench) -> Iterator[Figure]:
    spans: list[Span] = []
    silent, said = 0, ""
    for n in range(bench.few + 1):
        with bench.screen() as screen:
            screen.arrives(FIRST)
            to_prompt(screen)
            screen.press("so happy today")
            seen = screen.arrives(BAR)
            lines = re.findall(r"… ([a-z][^│╭╰─·…]{4,60})", bytes(screen.raw).decode("utf-8", "replace"))
            said = re.sub(r"\s+|\x1b\S*", " ", lines[-1]).strip() if lines else said
            silent += not lines
            if n or bench.starts == 1:  # the first one warmed the disk
                spans.append(seen - screen.began)
    yield timed("first prediction after start", spans, 4.0, "start, F3, a sentence")
    yield Figure("… without a word of what is loading", silent, "starts", 0, f"said: {said or 'nothing'}")
