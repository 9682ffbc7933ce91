"""How numbers, times and states of a run are put into words, the same everywhere on the screen.

Plain text in and out; nothing here knows a widget.
"""

from __future__ import annotations

import math

MARKS: dict[str, str] = {
    "starting": "○",
    "waiting": "◔",
    "running": "●",
    "stalled": "◌",
    "stopping": "◐",
    "finished": "✓",
    "failed": "✗",
    "stopped": "■",
    "died": "†",
    "unknown": "?",
}
"""State of a run -> the sign before its name; the word itself stands in the title line."""

STATES: dict[str, str] = {
    "starting": "the worker is loading the corpus and the encoder",
    "waiting": "it waits for its turn",
    "running": "in training",
    "stalled": "the worker lives but has said nothing for a while",
    "stopping": "it was asked to stop and finishes its current step",
    "finished": "done, its model is ready to use",
    "failed": "it ended with an error",
    "stopped": "it was stopped and can be resumed",
    "died": "its process ended without a word and can be resumed",
    "unknown": "it was started on another machine",
}


def duration(seconds: float | None) -> str:
    """`38s`, `1m40s`, `2h05m`, `3d04h`; a dash where it is not known."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02d}h"


def age(seconds: float | None) -> str:
    """How long ago, in at most three cells: `now`, `3m`, `2h`, `4d`, `3w`, `2y`; empty where it is not known."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    for unit, length, most in (("m", 60, 60), ("h", 3600, 24), ("d", 86_400, 99), ("w", 604_800, 99)):
        count = int(max(0.0, seconds) // length)
        if count < most:
            return f"{count}{unit}" if count else "now"
    return f"{int(seconds // 31_557_600)}y"


def score(value: float | None) -> str:
    """A share in 0..1, or a loss, with three decimals and no leading zero: `.531`; `5.1e8` where it is huge."""
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) >= 1000:  # a loss that has burst
        return small(value)
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0") else text


def rate(value: float | None) -> str:
    """Things a second: `0.8`, `103`, `2.1k`, `1.3M`."""
    if value is None or not math.isfinite(value):
        return "–"
    if value >= 1e6:
        return f"{value / 1e6:.1f}M"
    if value >= 1e3:
        return f"{value / 1e3:.1f}k"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def small(value: float | None) -> str:
    """A learning rate: `1.1e-4`, `0`."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    head, _, power = f"{value:.1e}".partition("e")
    return f"{head}e{int(power)}"


def size(count: int | None) -> str:
    """Bytes: `512 B`, `90 MB`, `1.3 GB`."""
    if count is None:
        return "–"
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            value = count / factor
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{count} B"


def millions(count: int) -> str:
    """Parameters: `22.7M`, `110M`, `5k`."""
    if count >= 1e6:
        return f"{count / 1e6:.1f}M" if count < 1e8 else f"{count / 1e6:.0f}M"
    return f"{count / 1e3:.0f}k" if count >= 1e3 else str(count)


def percent(share: float, digits: int = 0) -> str:
    """A share in 0..1 as percent, whole unless `digits` are asked for: the one rounding that every screen uses.

    What is not nothing is never shown as 0%, what is not all never as 100%.
    """
    text = f"{100 * share:.{digits}f}"
    step = 10.0**-digits
    if share > 0 and float(text) == 0:
        return f"<{step:.{digits}f}%"
    if share < 1 and float(text) >= 100:
        return f">{100 - step:.{digits}f}%"
    return f"{text}%"


MOST_DIGITS = 4


def against(probability: float, threshold: float, above: bool, least: int = 0) -> tuple[str, str]:
    """A probability as percent and its threshold as `.31`, with as many digits as it takes to see which is larger.

    `above` is whether the probability counts as having reached the threshold; `least` is how many digits more than usual
    there are in any case. `("87%", ".31")`, `("5.6%", ".059")`.
    """
    digits = max(least, digits_against(probability, threshold, above))
    limit = f"{threshold:.{digits + 2}f}"
    limit = limit[1:] if limit.startswith("0") else limit[: digits + 3]
    return percent(probability, digits), limit


def limit(threshold: float) -> str:
    """A threshold in a table: `0.47`; `.0005` where two digits would make 0 or 1 of it."""
    text = f"{threshold:.2f}"
    return f"{threshold:.4f}".lstrip("0") if 0 < threshold < 1 and float(text) in (0, 1) else text


def digits_against(probability: float, threshold: float, above: bool) -> int:
    """How many digits more than usual it takes to see whether a probability reached its threshold; 0 to MOST_DIGITS."""
    digits = 0
    while digits < MOST_DIGITS and not _tells(probability, threshold, above, digits):
        digits += 1
    return digits


def _tells(probability: float, threshold: float, above: bool, digits: int) -> bool:
    """Whether the two, rounded so, stand to each other as they really do."""
    shown, limit = float(f"{100 * probability:.{digits}f}"), round(100 * float(f"{threshold:.{digits + 2}f}"), digits)
    if above:
        return shown > limit or (shown == limit and probability == threshold)
    return shown < limit


def count(value: int) -> str:
    """A whole number with thousands set apart."""
    return f"{value:,}"
