"""The corpus in figures: counts per split, which labels go together, lengths, duplicates. Text in, no widget state.

Every view is plain Content of a given width; numbers stand beside every bar and shade.
"""

from __future__ import annotations

import numpy as np
from textual.content import Content

from goemo_tui import safe_text
from goemo_tui.services.corpus import SplitColumns
from goemo_tui.widgets.bar_list import bar
from trainer.corpus import stats

PAIRS = 24
GROUPS = 200


def _head(text: str) -> Content:
    return Content.styled(text, "bold $accent")


def counts(splits: dict[str, SplitColumns], width: int) -> Content:
    """Rows and shares of each label in every split; the bar is train's (or the first split's)."""
    names = list(splits)
    first = splits[names[0]]
    numbers = {name: columns.label_counts() for name, columns in splits.items()}
    order = np.argsort(-numbers[names[0]], kind="stable")
    most = max(1, int(numbers[names[0]].max()))
    label_width = min(16, max(len(n) for n in first.labels.names))
    room = max(0, min(40, width - label_width - 15 * len(names) - 2))
    heading = f"{'':<{label_width}}" + "".join(f"{name:>15}" for name in names)
    lines = [_head(heading)]
    for i in order:
        label = safe_text.cells(first.labels.names[i], label_width)
        cells = "".join(f"{numbers[n][i]:>8,}{100 * numbers[n][i] / max(1, len(splits[n])):>6.1f}%" for n in names)
        shown = bar(int(numbers[names[0]][i]) / most, room) if room >= 6 else ""
        lines.append(Content.assemble(f"{label:<{label_width}}", cells, "  ", (shown, "$bar")))
    total = "".join(f"{len(splits[n]):>8,}{'rows':>7}" for n in names)
    several = "".join(f"{int((splits[n].label_numbers > 1).sum()):>8,}{'':>7}" for n in names)
    lines += [
        Content(""),
        Content(f"{'comments':<{label_width}}{total}"),
        Content(f"{'several labels':<{label_width}}{several}"),
    ]
    return Content("\n").join(lines)


def together(columns: SplitColumns, width: int) -> Content:
    """A heat map of labels that stand on the same row (share of the rarer one), and the most frequent pairs."""
    matrix = stats.cooccurrence(columns.split, columns.labels)
    names = [safe_text.cells(name, 14) for name in columns.labels.names]
    alone = np.maximum(1, np.diag(matrix))
    share = matrix / np.minimum.outer(alone, alone)
    lines: list[Content] = []
    if 19 + 2 * len(names) <= width:
        lines.append(_head("share of the rarer label's rows that carry the other one too"))
        for digits in ([str(i // 10 or " ") for i in range(len(names))], [str(i % 10) for i in range(len(names))]):
            lines.append(Content.styled(" " * 15 + "".join(f" {digit}" for digit in digits), "$quiet"))
        for i, name in enumerate(names):
            row = "".join(" ╲" if i == j else f" {_shade(float(share[i, j]))}" for j in range(len(names)))
            lines.append(Content.assemble(f"{name:<14} ", (row, "$bar"), (f"  {i}", "$quiet")))
        lines.append(Content.styled("  · under 5%   ░ 5   ▒ 10   ▓ 20   █ 40% and more", "$quiet"))
        lines.append(Content(""))
    pairs = [(int(matrix[i, j]), i, j) for i in range(len(names)) for j in range(i) if matrix[i, j]]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    lines.append(_head(f"most frequent pairs of {len(pairs):,}"))
    room = max(4, min(30, width - 44))
    for number, i, j in pairs[:PAIRS]:
        pair = f"{names[j]} + {names[i]}"
        shown = bar(number / pairs[0][0], room)
        lines.append(Content.assemble(f"{pair:<32}{number:>7,}  ", (shown, "$bar")))
    if not pairs:
        lines.append(Content("no row carries two labels"))
    return Content("\n").join(lines)


def _shade(share: float) -> str:
    for limit, shade in ((0.4, "█"), (0.2, "▓"), (0.1, "▒"), (0.05, "░"), (0.0, "·")):
        if share >= limit and share > 0:
            return shade
    return " "


def lengths(columns: SplitColumns, width: int, max_length: int) -> Content:
    """A histogram of tokens (words while they are being counted), with the place where `max_length` cuts."""
    counted = columns.counted
    values = columns.tokens.astype(np.int64) if counted else stats.word_lengths(columns.split)
    unit = "tokens" if counted else "words (tokens are still being counted)"
    summary = stats.Lengths.of(values)
    lines = [
        _head(f"{unit} of {summary.rows:,} comments"),
        Content(
            f"mean {summary.mean:.1f}   median {summary.median:.0f}   95% under {summary.p95:.0f}   "
            f"99% under {summary.p99:.0f}   longest {summary.longest:,}"
        ),
    ]
    if counted:
        over = int((values > max_length).sum())
        lines.append(
            Content(f"cut by max_length {max_length}: {over:,} comments ({100 * over / max(1, summary.rows):.2f}%)")
        )
    lines.append(Content(""))
    step = 4
    bins = max(max_length // step + 4, 8)
    histogram = stats.length_histogram(values, step, bins)
    most = max(1, *histogram)
    room = max(10, min(80, width - 26))
    for i, number in enumerate(histogram):
        last = i == bins - 1
        span = f"{i * step:>4}{' and more' if last else f'–{i * step + step - 1}'}"
        if counted and i * step == max_length // step * step:
            lines.append(Content.styled(f"{'':>4}── max_length {max_length} ✂ ──", "bold $warning"))
        if number or i * step <= summary.longest:
            lines.append(Content.assemble(f"{span:<14}{number:>8,}  ", (bar(number / most, room), "$bar")))
    return Content("\n").join(lines)


def duplicates(columns: SplitColumns, width: int) -> Content:
    """Texts that stand on several rows; those whose labels differ come first, marked ≠."""
    found = sorted(stats.duplicates(columns.split), key=lambda d: not d.conflicting)
    conflicting = sum(d.conflicting for d in found)
    lines = [
        _head(f"{len(found):,} texts stand on several rows, {conflicting:,} of them with different labels (≠)"),
        Content(""),
    ]
    for group in found[:GROUPS]:
        text = safe_text.cells(columns.split.text[group.rows[0]], max(20, width - 4))
        lines.append(Content.assemble(("≠ " if group.conflicting else "= ", "bold $warning"), text))
        where = [f"{columns.lines[row]}: {safe_text.clean(columns.emotions(row))}" for row in group.rows[:6]]
        lines.append(Content.styled("    " + "   ".join(where), "$quiet"))
    if len(found) > GROUPS:
        lines.append(Content.styled(f"… and {len(found) - GROUPS:,} more", "$quiet"))
    return Content("\n").join(lines)
