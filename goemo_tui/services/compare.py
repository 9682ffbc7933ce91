"""Two or more runs side by side: settings that differ, scores of the best epochs, and each emotion against the first.

Plain data for the screen and the command line. What was scored on other comments or other labels is never subtracted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goemo_tui.services.train_command import text_of
from goemo_tui.wording import count, duration, millions, percent, rate, score
from trainer.config import SETTINGS
from trainer.errors import GoemoError
from trainer.runs.run import Run
from trainer.runs.snapshot import Snapshot, number

if TYPE_CHECKING:
    from goemo_tui.services.evaluation import Paired

MOST = 6
"""Runs that can be compared, and pinned, at once: as many columns as 80 cells hold."""

FIGURES: tuple[tuple[str, str, int], ...] = (
    ("macro_f1", "macro-F1", 1),
    ("micro_f1", "micro-F1", 1),
    ("weighted_f1", "weighted F1", 1),
    ("macro_f1_at_0.3", "macro at .3", 1),
    ("loss", "dev loss", -1),
    ("train_loss", "train loss", 0),
    ("epoch", "best epoch", 0),
    ("epochs", "epochs", 0),
    ("progress", "done", 0),
    ("seconds", "time", -2),
    ("examples_per_s", "examples/s", 2),
    ("parameters", "parameters", 0),
)
"""Key, what it is called, and which is better: 1 the higher, -1 the lower, 0 neither; 2 and -2 hold for any corpus."""


@dataclass(frozen=True)
class Side:
    """One run in a comparison. `figures` has a value, or None, for each of FIGURES; `per_label` the F1s of its best epoch.

    `dev` is the fingerprint of the comments it was scored on, empty where that is not known.
    """

    run: str
    title: str
    state: str
    data: str
    dev: str
    labels: tuple[str, ...]
    settings: Mapping[str, str]
    figures: Mapping[str, float | None]
    per_label: Mapping[str, float]


@dataclass(frozen=True)
class Delta:
    """One emotion: its F1 in each run, and how much each differs from the base (None: not to be compared)."""

    label: str
    f1: tuple[float | None, ...]
    deltas: tuple[float | None, ...]

    @property
    def size(self) -> float:
        """The largest difference, whichever way; -1 where there is none."""
        return max((abs(d) for d in self.deltas if d is not None), default=-1.0)


@dataclass(frozen=True)
class Comparison:
    """What there is to see. `base` is the run that the others are held against; `other` says why one cannot be."""

    sides: tuple[Side, ...]
    base: int
    other: tuple[str, ...]
    notes: tuple[str, ...]
    settings: Mapping[str, tuple[str, ...]]
    deltas: tuple[Delta, ...]

    def differing(self) -> dict[str, tuple[str, ...]]:
        """The settings whose values are not the same everywhere."""
        return {key: values for key, values in self.settings.items() if len(set(values)) > 1}

    def best(self, key: str) -> frozenset[int]:
        """The runs that are best at a figure; none where nothing is better or all are alike."""
        better = next(way for name, _, way in FIGURES if name == key)
        values = {
            i: value
            for i, side in enumerate(self.sides)
            if (value := side.figures[key]) is not None and (not self.other[i] or abs(better) == 2)
        }
        if not better or len(set(values.values())) < 2:
            return frozenset()
        top = max(values.values()) if better > 0 else min(values.values())
        return frozenset(i for i, value in values.items() if value == top)


def side_of(folder: Path) -> Side:
    """Read a run for a comparison. Blocks for a moment: call it from a thread. Raises GoemoError."""
    run = Run.open(folder)
    look = run.look()
    try:
        config = run.config.to_dict()
        settings = {key: text_of(config[key]) for key in SETTINGS if key in config}
        corpus = run.record.get("corpus")
    except GoemoError:  # scores can be compared all the same
        settings, corpus = {}, None
    known = corpus.get("sha256") if isinstance(corpus, dict) else None
    dev = known.get("dev") if isinstance(known, dict) else None
    seen = look.snapshot
    best = seen.best or {}
    scores = best.get("per_label")
    f1 = {
        str(name): value
        for name, values in (scores.items() if isinstance(scores, dict) else ())
        if isinstance(values, dict) and (value := number(values.get("f1"))) is not None
    }
    return Side(
        run.id,
        run.about.name or run.short,
        look.state,
        settings.get("data", ""),
        dev if isinstance(dev, str) else "",
        _labels(seen, f1),
        settings,
        _figures(seen, best),
        f1,
    )


def _labels(seen: Snapshot, f1: Mapping[str, float]) -> tuple[str, ...]:
    told = (seen.started or {}).get("labels")
    return tuple(str(name) for name in told) if isinstance(told, list) and told else tuple(f1)


def _figures(seen: Snapshot, best: Mapping[str, Any]) -> dict[str, float | None]:
    found: dict[str, float | None] = {key: number(best.get(key)) for key, _, _ in FIGURES[:7]}
    found["epochs"] = float(seen.epochs) if seen.epochs else None
    found["progress"] = seen.fraction
    found["seconds"] = number((seen.end or {}).get("seconds"))
    found["examples_per_s"] = seen.rows_per_s  # of the whole run: the last steps' rate says who else was busy then
    found["parameters"] = number((seen.started or {}).get("parameters"))
    return found


def compare(sides: Sequence[Side], base: int = 0) -> Comparison:
    """Hold the runs against the one numbered `base`."""
    first = sides[base]
    other = tuple(_other(first, side) for side in sides)
    keys = [key for key in SETTINGS if any(key in side.settings for side in sides)]
    settings = {key: tuple(side.settings.get(key, "–") for side in sides) for key in keys}
    alike = [side for side, why in zip(sides, other, strict=True) if not why]
    names = dict.fromkeys(name for side in alike for name in side.per_label)
    rows = [_delta(name, sides, base, other) for name in names]
    rows.sort(key=lambda row: -row.size)  # stable: what is alike keeps the order of the labels
    return Comparison(tuple(sides), base, other, tuple(_notes(first, sides, other)), settings, tuple(rows))


def _other(first: Side, side: Side) -> str:
    """Why a run's scores cannot be held against the first's: `other labels`, `other comments`; empty where they can."""
    if side.labels and first.labels and side.labels != first.labels:
        return "other labels"
    if side.dev and first.dev:
        return "" if side.dev == first.dev else "other comments"
    return "" if side.data == first.data else "other comments"


def _delta(name: str, sides: Sequence[Side], base: int, other: Sequence[str]) -> Delta:
    f1 = tuple(None if why else side.per_label.get(name) for side, why in zip(sides, other, strict=True))
    start = f1[base]
    deltas = tuple(None if i == base or x is None or start is None else x - start for i, x in enumerate(f1))
    return Delta(name, f1, deltas)


def _notes(first: Side, sides: Sequence[Side], other: Sequence[str]) -> list[str]:
    """What must be known before the figures are read."""
    notes = []
    for why, what in (
        ("other labels", "not the labels of {first}: what their scores mean differs, so they are not subtracted"),
        ("other comments", "not scored on the dev comments of {first}, so their scores are not subtracted"),
    ):
        names = [side.title for side, reason in zip(sides, other, strict=True) if reason == why]
        if names:
            notes.append(f"{', '.join(names)}: {what.format(first=first.title)}")
    unknown = [side.title for side in sides if not side.dev]
    if unknown and not all(other[i] for i, side in enumerate(sides) if not side.dev and side is not first):
        notes.append(f"{', '.join(unknown)}: the corpus is known by its path alone, it may have changed in between")
    none = [side.title for side in sides if not side.per_label]
    if none:
        notes.append(f"no validation yet: {', '.join(none)}")
    return notes


def shown(key: str, value: float | None) -> str:
    """A figure as people read it."""
    if value is None:
        return "–"
    if key in ("epoch", "epochs"):
        return f"{value:g}"
    if key == "seconds":
        return duration(value)
    if key == "examples_per_s":
        return rate(value)
    if key == "parameters":
        return millions(int(value))
    return percent(value) if key == "progress" else score(value)


def signed(delta: float | None) -> str:
    """A difference of two scores: `+.031`, `-.004`, `=`; a dash where there is none."""
    if delta is None:
        return "–"
    text = score(abs(delta))
    return "=" if text == ".000" else ("+" if delta > 0 else "-") + text


def paired_with(comparison: Comparison, folders: Sequence[Path]) -> tuple[Paired, ...]:
    """Each run that can be compared over the base, on the same resamples of dev, from their stored scores. For a thread."""
    from goemo_tui.services.evaluation import Paired, paired_over

    c = comparison
    alike = tuple(folder for i, folder in enumerate(folders) if i != c.base and not c.other[i])
    found = {one.run: one for one in paired_over(folders[c.base], alike)}
    others = [(side.run, c.other[i]) for i, side in enumerate(c.sides) if i != c.base]
    return tuple(found.get(run) or Paired(run, {}, trouble=why) for run, why in others)


def document(comparison: Comparison, paired: Sequence[Paired] = ()) -> dict[str, Any]:
    """The comparison as JSON values, all settings and exact figures."""
    c = comparison
    return {
        "paired": {
            one.run: {
                "resamples": one.resamples,
                "trouble": one.trouble or None,
                **{key: {**asdict(told), "clear": told.clear} for key, told in one.found.items()},
            }
            for one in paired
        },
        "runs": [
            {"run": side.run, "name": side.title, "state": side.state, "not_compared": c.other[i] or None}
            for i, side in enumerate(c.sides)
        ],
        "base": c.sides[c.base].run,
        "notes": list(c.notes),
        "settings": {key: list(values) for key, values in c.differing().items()},
        "scores": {key: [side.figures[key] for side in c.sides] for key, _, _ in FIGURES},
        "per_label": {row.label: {"f1": list(row.f1), "delta": list(row.deltas)} for row in c.deltas},
    }


def emotions_counted(comparison: Comparison) -> str:
    """`16 better, 9 worse, 3 alike` of the run that is held against the base where there are two."""
    told = [row.deltas[1 - comparison.base] for row in comparison.deltas] if len(comparison.sides) == 2 else []
    signs = [signed(delta) for delta in told if delta is not None]
    if not signs:
        return ""
    better, worse = sum(s[0] == "+" for s in signs), sum(s[0] == "-" for s in signs)
    return f"{count(better)} better, {count(worse)} worse, {count(len(signs) - better - worse)} alike"
