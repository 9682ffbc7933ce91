"""An evaluation as Markdown: plain tables that any viewer shows, with every foreign name escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import bidirectional

from goemo_tui.safe_text import clean
from goemo_tui.services import report_words as words
from goemo_tui.services.report_words import Document, between, signed
from goemo_tui.wording import count, percent, score
from trainer import __version__

_SIGNS = re.compile(r"([\\`*_\[\]<>|~&#$]|:(?=//)|(?<=www)\.|^[-+](?= )|(?<=^\d)[.)])", re.I)
"""What Markdown, or what extends it, takes for more than text: marks, tags, cells, formulas, lists, and bare addresses."""

_MENTION = re.compile(r"@(?=[\w-])")

NO_BREAK = "\u2060"
"""Takes no place; behind an @ it keeps a forge from calling somebody of that name."""

LEFT_TO_RIGHT = "\u200e"
"""Takes no place; keeps the figures behind a name that is read from right to left behind it."""


def markdown(report: Document) -> str:
    """The report."""
    parts = [f"# {_safe(words.heading(report))}", ""]
    parts += [f"- {_safe(note)}" for note in report["notes"]]
    if how := words.drawn_how(report):
        parts.append(f"- {how}")
    parts += ["", *_means(report), *_difference(report), *_labels(report), *_levels(report), *_confusions(report)]
    parts += [*_calibration(report), f"Data: {_safe(report['data'])}. Made by goemo-tui {__version__}."]
    return "\n".join(parts) + "\n"


def _means(report: Document) -> list[str]:
    rows = [[way, *parts] for way, *parts in words.means(report)]
    whole = " · ".join(f"{name} {figure}" for name, figure in words.whole(report))
    return [*_table(["average", "precision", "recall", "F1", "95%"], rows), whole, ""]


def _labels(report: Document) -> list[str]:
    head = ["emotion", "precision", "recall", "F1", "95%", "AP", "ECE", "support", "threshold", "said instead"]
    rows = [
        [
            _safe(name),
            *(score(told[part]) for part in ("precision", "recall", "f1")),
            words.f1_between(told),
            words.put_first(told),
            f"{told['ece']:.4f}",
            count(told["support"]),
            f"{report['thresholds'][name]:.3f}",
            ", ".join(f"{_safe(other)} {count(rows)}" for other, rows in words.instead(told)),
        ]
        for name, told in report["per_label"].items()
    ]
    return ["## Emotions", "", *_table(head, rows)]


def _levels(report: Document) -> list[str]:
    parts: list[str] = []
    for key, level in report["levels"].items():
        ends = between((level["bootstrap"] or {}).get("macro_f1"))
        head = f"macro-F1 {score(level['macro_f1'])}" + (f" ({ends})" if ends else "")
        rows = [
            [_safe(name), *(score(told[part]) for part in ("precision", "recall", "f1")), words.f1_between(told),
             count(told["support"])]
            for name, told in level["per_label"].items()
        ]  # fmt: skip
        parts += [f"## {words.LEVELS[key]}", "", head, ""]
        parts += _table(["group", "precision", "recall", "F1", "95%", "support"], rows)
    return parts


def _confusions(report: Document) -> list[str]:
    rows = [[_safe(c["true"]), _safe(c["said"]), count(c["rows"])] for c in report["confusions"]]
    return ["## What was said instead", "", *_table(["missed", "wrongly said", "rows"], rows)] if rows else []


def _calibration(report: Document) -> list[str]:
    calibration = report["calibration"]
    told = (
        f"Expected calibration error {calibration['ece']:.4f} over all decisions (each label of each row is one), "
        f"{calibration['mean_ece']:.4f} as the mean over labels; Brier score {calibration['brier']:.4f}."
    )
    rows = [[percent(b["probability"], 1), percent(b["true"], 1), count(b["decisions"])] for b in calibration["bins"]]
    return ["## Calibration", "", told, "", *_table(["said, on average", "true", "decisions"], rows)]


def _difference(report: Document) -> list[str]:
    if "difference" not in report:
        return []
    difference, other = report["difference"], report["against"]
    parts = [f"## {_safe(other['model'])} (B) against {_safe(report['model'])} (A)", ""]
    notes = [f"- {_safe(note)}" for note in other["notes"] if note not in report["notes"]]
    parts += [*notes, ""] if notes else []
    rows = [
        [name, score(report[key]), score(other[key]), signed(difference[key]["difference"]), words.ends(difference[key]),
         words.verdict(difference[key])]
        for key, name in words.FIGURES
    ]  # fmt: skip
    parts += [*_table(["figure", "A", "B", "B−A", "95%", ""], rows)]
    each = [
        [
            _safe(name),
            *words.f1_of_both(report, name),
            signed(told["difference"]),
            words.ends(told),
            words.verdict(told),
        ]
        for name, told in difference["per_label"].items()
    ]
    return [*parts, *_table(["emotion", "F1 of A", "F1 of B", "B−A", "95%", ""], each)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Names at the left, figures at the right; columns that hold nothing are left out."""
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    figures = [all(re.fullmatch(r"[-−+=–.,%<>\d …]*", row[i]) for row in rows) for i in kept]
    lines = [_line([head[i] for i in kept]), "|" + "|".join("--:" if n else "---" for n in figures) + "|"]
    return [*lines, *(_line([row[i] for i in kept]) for row in rows), ""]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _safe(text: object) -> str:
    shown = _MENTION.sub(f"@{NO_BREAK}", _SIGNS.sub(r"\\\1", clean(str(text))))
    return shown + LEFT_TO_RIGHT if any(bidirectional(char) in ("R", "AL") for char in shown) else shown
