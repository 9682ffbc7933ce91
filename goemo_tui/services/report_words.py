"""What the reports of an evaluation say in words and figures, the same as text, Markdown and HTML.

Takes the JSON document of `goemo-tui eval`; everything foreign in it is cleaned by whoever writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goemo_tui.wording import count, percent, score

Document = Mapping[str, Any]

WAYS = ("macro", "micro", "weighted", "samples")
LEVELS = {"ekman": "Ekman", "sentiment": "Sentiment"}
FIGURES = (("macro_f1", "macro-F1"), ("micro_f1", "micro-F1"), ("weighted_f1", "weighted-F1"))


def between(ends: Mapping[str, float] | None) -> str:
    """An interval: `.482–.517`; empty where there is none."""
    return f"{score(ends['low'])}–{score(ends['high'])}" if ends else ""


def f1_between(told: Mapping[str, Any]) -> str:
    """The interval of a label's F1; a label without rows has none."""
    return between(told["f1_interval"]) if told["support"] or not told["f1_interval"] else "–"


def put_first(told: Mapping[str, Any]) -> str:
    """The average precision of a label; a label without rows has none."""
    return score(told["average_precision"]) if told["support"] else "–"


def signed(value: float | None) -> str:
    """A difference: `+.021`, `−.004`, `=` where it rounds to nothing."""
    if value is None:
        return "–"
    text = score(abs(value))
    return "=" if text == ".000" else ("+" if value > 0 else "−") + text


def ends(told: Mapping[str, Any]) -> str:
    """Where the difference of two models lies: `+.009 … +.034`; `.000` where an end rounds to nothing."""
    if told.get("low") is None:
        return ""
    low, high = (".000" if signed(told[end]) == "=" else signed(told[end]) for end in ("low", "high"))
    return f"{low} … {high}"


def verdict(told: Mapping[str, Any]) -> str:
    """What a difference means, in words."""
    if told.get("clear") is None:
        return ""
    if not told["clear"]:
        return "no clear difference"
    better = told["difference"] > 0
    sure = told["better"] if better else 1 - told["better"]
    way = "better" if better else "worse"
    return f"{way} in every resample" if sure == 1 else f"{way} in {percent(sure, 1)} of resamples"


def heading(report: Document) -> str:
    """`calm-otter on test of goemotions, 5,427 rows`."""
    return f"{report['model']} on {report['split']} of {Path(report['data']).name}, {count(report['n'])} rows"


def means(report: Document) -> list[tuple[str, str, str, str, str]]:
    """(way, precision, recall, F1, its interval) of the four averages."""
    drawn = report.get("bootstrap") or {}
    return [
        (way, score(report[f"{way}_precision"]), score(report[f"{way}_recall"]), score(report[f"{way}_f1"]),
         between(drawn.get(f"{way}_f1")))
        for way in WAYS
    ]  # fmt: skip


def whole(report: Document) -> list[tuple[str, str]]:
    """(what, figure) of the split as a whole."""
    calibration, there = report["calibration"], len(report["per_label"]) - len(report["empty"])
    labels = f"{there} label{'s' if there != 1 else ''}"
    return [
        ("all labels right", percent(report["subset_accuracy"], 1)),
        ("Hamming loss", f"{report['hamming_loss']:.4f}"),
        (f"mean AP, {labels}" if report["empty"] else "mean AP", score(report["mean_average_precision"])),
        ("calibration error", f"{calibration['ece']:.4f}"),
    ]


def groups(level: Document) -> list[tuple[str, str]]:
    """(group, F1) of a level, the best first."""
    ranked = sorted(level["per_label"].items(), key=lambda item: -float(item[1]["f1"]))
    return [(str(name), score(told["f1"])) for name, told in ranked]


def drawn_how(report: Document) -> str:
    """How the intervals came about; empty where there are none."""
    drawn = report.get("bootstrap")
    return (
        f"95% intervals from {count(drawn['resamples'])} resamples of the rows (bootstrap, seed {drawn['seed']})"
        if drawn
        else ""
    )


def instead(told: Document, most: int = 3) -> list[tuple[str, int]]:
    """(label, rows) wrongly said on the rows where a label was missed; `nothing` where nothing wrong was said."""
    found = [(str(name), int(rows)) for name, rows in told["said_instead"].items()][:most]
    return [*found, *([("nothing wrong", told["nothing_instead"])] if told["nothing_instead"] else [])]


def f1_of_both(report: Document, name: str) -> tuple[str, str]:
    """A label's F1 of A and of B."""
    first = report["per_label"][name]["f1"]
    return score(first), score(first + report["difference"]["per_label"][name]["difference"])


def clear_ones(difference: Document) -> tuple[list[tuple[str, float]], list[tuple[str, float]], int]:
    """Labels of which B is clearly better and clearly worse with how much, the largest first, and how many are neither."""
    each = difference["per_label"].items()
    ranked = sorted(((str(n), float(d["difference"])) for n, d in each if d["clear"]), key=lambda one: -abs(one[1]))
    better, worse = [one for one in ranked if one[1] > 0], [one for one in ranked if one[1] < 0]
    return better, worse, len(difference["per_label"]) - len(ranked)
