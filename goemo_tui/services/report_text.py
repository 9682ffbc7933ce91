"""An evaluation as text for a terminal of 80 columns: a line an emotion, then the averages, levels and confusions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from goemo_tui.safe_text import cells, clean
from goemo_tui.services import report_words as words
from goemo_tui.services.report_words import Document, between, signed
from goemo_tui.wording import count, limit, score

WIDTH = 80
LONGEST = 18
"""Cells of a label at most; the official ones have 14, and no more is left for them beside a second model."""
LONGEST_OF_TWO = 14
BAR = 10
EIGHTHS = " ▏▎▍▌▋▊▉█"


def text(report: Document) -> str:
    """The whole report; what doubts there are is said elsewhere."""
    parts = _folded(clean(words.heading(report)) + (" (cross-fitted)" if report["cross_fitted"] else ""))
    parts += ["", *_table(report), "", *_means(report), *_levels(report), *_confusions(report)]
    if "difference" in report:
        parts += _difference(report)
    if how := words.drawn_how(report):
        parts += ["", how]
    return "\n".join(line.rstrip() for line in parts)


def _table(report: Document) -> list[str]:
    per_label = report["per_label"]
    drawn, difference = report.get("bootstrap"), report.get("difference")
    wide = min(LONGEST_OF_TWO if difference else LONGEST, max(7, *(cell_len(clean(name)) for name in per_label))) + 1
    ends = f"{'95%':^11}" if drawn else ""
    close = 6 if difference else 7  # a second model needs the room
    head = f"{'emotion':<{wide}}{'P':>5}{'R':>6}{'F1':>6}  {ends}{'AP':>6}{'rows':>{close}}{'limit':>{close}}"
    rows = [head + (f"{'F1 of B':>8}{'B−A':>7}" if difference else "")]
    for name, told in per_label.items():
        line = f"{_cut(name, wide)}{score(told['precision']):>5}{score(told['recall']):>6}{score(told['f1']):>6}  "
        line += f"{words.f1_between(told):^11}" if drawn else ""
        line += (
            f"{words.put_first(told):>6}{count(told['support']):>{close}}{limit(report['thresholds'][name]):>{close}}"
        )
        if difference:
            own = difference["per_label"][name]
            mark = "*" if own["clear"] else ""
            line += f"{words.f1_of_both(report, name)[1]:>8}{signed(own['difference']):>7}{mark}"
        else:
            line += "  " + bar(told["f1"])
        rows.append(line)
    return [
        *rows,
        *(["", "* clear: the 95% interval of the difference leaves out 0"] if difference and drawn else []),
    ]


def _means(report: Document) -> list[str]:
    rows = [f"{'':<10}{'P':>5}{'R':>6}{'F1':>6}" + ("  " + f"{'95%':^11}" if report.get("bootstrap") else "")]
    beside = ["", *(f"{name:<18}{figure:>7}" for name, figure in words.whole(report))]
    for way, precision, recall, f1, ends in words.means(report):
        rows.append(f"{way:<10}{precision:>5}{recall:>6}{f1:>6}  {ends:<11}")
    return [f"{row:<46}{other}" for row, other in zip(rows, beside, strict=True)]


def _levels(report: Document) -> list[str]:
    lines: list[str] = []
    for key, level in report["levels"].items():
        ends = between((level["bootstrap"] or {}).get("macro_f1"))
        head = f"{words.LEVELS[key]:<11}macro-F1 {score(level['macro_f1'])}" + (f" ({ends})" if ends else "")
        lines += ["", head, *_joined([f"{name} {f1}" for name, f1 in words.groups(level)], "  ", 11)]
    return lines


def _confusions(report: Document) -> list[str]:
    found = [f"{_named(c['true'])} → {_named(c['said'])} {count(c['rows'])}" for c in report["confusions"][:8]]
    return ["", "Missed, and what was wrongly said on the same row", *_listed(found, 2)] if found else []


def _difference(report: Document) -> list[str]:
    difference, other = report["difference"], report["against"]
    same = "; both on the same resamples" if difference["resamples"] else ""
    lines = ["", *_folded(f"B is {clean(other['model'])}, A is {clean(report['model'])}{same}")]
    for key, name in words.FIGURES:
        told = difference[key]
        line = f"{name:<12}{score(report[key]):>5} → {score(other[key])}  {signed(told['difference']):>6}"
        lines.append(line + (f"  {words.ends(told):<15}  {words.verdict(told)}" if difference["resamples"] else ""))
    if difference["resamples"]:
        better, worse, alike = words.clear_ones(difference)
        for title, found in (("clearly better", better), ("clearly worse", worse)):
            if found:
                lines += _listed([f"{_named(name)} {signed(by)}" for name, by in found], 2, f"{title}: ")
        many = len(difference["per_label"])
        lines.append(
            f"no clear difference: {alike} of {many} emotions (by chance about {many / 20:.0f} would seem clear)"
        )
    return lines


def bar(value: float, width: int = BAR) -> str:
    """0..1 as a bar in eighths of a cell."""
    eighths = round(max(0.0, min(1.0, value)) * width * 8)
    return "█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")


def _cut(name: str, wide: int) -> str:
    return set_cell_size(cells(name, wide - 1), wide)


def _named(name: Any) -> str:
    return cells(str(name), LONGEST)


def _listed(found: Sequence[str], indent: int, head: str = "") -> list[str]:
    """Things beside each other, broken between them."""
    return _joined(found, " · ", indent, head)


def _joined(found: Sequence[str], gap: str, indent: int, head: str = "") -> list[str]:
    lines, line = [], head or " " * indent
    for n, one in enumerate(found):
        if n and cell_len(line) + cell_len(gap) + cell_len(one) > WIDTH:
            lines.append(line)
            line = " " * indent + one
        else:
            line += (gap if n else "") + one
    return [*lines, line]


def _folded(line: str) -> list[str]:
    """A sentence, broken at its blanks; a word that is longer than a line stays whole."""
    return _joined(line.split(" "), " ", 0)
