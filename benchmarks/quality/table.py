"""Writes `benchmarks/QUALITY.md` from the rows that were measured; the words around them stand in `quality/about.md`."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.quality.recipes import RECIPES
from benchmarks.quality.run import ROWS
from trainer.model.thresholds import WAYS

TOGETHER = Path(__file__).parent / "together.jsonl"
TABLE = Path(__file__).parent.parent / "QUALITY.md"
ABOUT = Path(__file__).parent / "about.md"

MANY = 5
"""Seeds of one recipe that tell ways of fitting thresholds apart."""

Row = dict[str, Any]


def write(file: Path = TABLE) -> None:
    """Make the document anew. Raises OSError."""
    lines = ROWS.read_text("utf-8").splitlines() if ROWS.exists() else []
    rows = newest([json.loads(line) for line in lines if line.strip()])
    whole = [row for row in rows if not row["limit"]]
    parts = [ABOUT.read_text("utf-8").rstrip(), "## Whole corpus\n", _table(whole) if whole else "Nothing yet."]
    for limit in sorted({row["limit"] for row in rows if row["limit"]}):
        some = [row for row in rows if row["limit"] == limit]
        parts += [f"## Screening: the first {limit:,} training rows\n", _table(some)]
    if whole:
        parts += ["## Ways of fitting thresholds\n", f"All {len(whole)} trainings on the whole corpus:", _ways(whole)]
        for name in RECIPES:
            own = [row for row in whole if row["recipe"] == name]
            if len(own) >= MANY:
                parts += [f"{len(own)} seeds of `{name}`:", _ways(own)]
    if TOGETHER.exists():
        parts += ["## Several trainings together\n", _together(TOGETHER.read_text("utf-8").splitlines())]
    parts += ["## Not measured here\n", _unmeasured(rows)]
    if rows:
        parts += ["## Machine\n", _machines(rows)]
    file.write_text("\n\n".join(part.rstrip("\n") for part in parts) + "\n", "utf-8")


def newest(rows: list[Row]) -> list[Row]:
    """Of trainings that were measured again the last one, in the order in which they ended: a seed counts once."""
    return list({(row["recipe"], row["seed"], row["limit"]): row for row in rows}.values())


def _table(rows: list[Row]) -> str:
    """One recipe a line: mean ± sd over its seeds."""
    by_recipe: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_recipe[row["recipe"]].append(row)
    order = sorted(by_recipe, key=lambda name: list(RECIPES).index(name) if name in RECIPES else len(RECIPES))
    heads = (
        "recipe", "what", "seeds", "macro-F1, calibrated", "macro-F1, per label", "macro-F1 at 0.3", "micro-F1", "macro-AP",
        "dev loss", "minutes",
    )  # fmt: skip
    told = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name in order:
        found = by_recipe[name]
        figures = [
            _spread([r["dev"]["calibrated"]["macro_f1"] for r in found]),
            _spread([r["dev"]["per_label"]["macro_f1"] for r in found]),
            _spread([r["dev"]["0.3"]["macro_f1"] for r in found]),
            _spread([r["dev"]["calibrated"]["micro_f1"] for r in found]),
            _spread([r["macro_ap"] for r in found]),
            _spread([r["dev_loss"] for r in found]),
            f"{mean(r['minutes'] for r in found):.0f}",
        ]
        seeds = ", ".join(str(r["seed"]) for r in sorted(found, key=lambda r: int(r["seed"])))
        told.append(f"| {name} | {found[0]['what']} | {seeds} | " + " | ".join(figures) + " |")
    return "\n".join(told)


def _ways(rows: list[Row]) -> str:
    """One way of fitting a line, over these trainings."""
    told = ["| way | macro-F1 | micro-F1 | trainings |", "|---|---|---|---|"]
    for way in (*WAYS, "0.3"):
        some = [row["dev"][way] for row in rows if way in row["dev"]]
        if some:
            macro, micro = (_spread([s[key] for s in some]) for key in ("macro_f1", "micro_f1"))
            told.append(f"| {way} | {macro} | {micro} | {len(some)} |")
    return "\n".join(told)


def _together(lines: list[str]) -> str:
    """What the means of several trainings are worth, as `together` found it."""
    told = [
        "| mean of | trainings (recipe:seed) | macro-F1, calibrated | macro-F1 at 0.3 | macro-AP | dev loss |",
        "|" + "---|" * 6,
    ]
    for row in map(json.loads, lines):
        dev = row["dev"]
        cells = (
            row["mean_of"], ", ".join(row["trainings"]), dev["calibrated"], dev["0.3"], row["macro_ap"], row["dev_loss"]
        )  # fmt: skip
        told.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(told)


BEYOND = (
    ("back-translation", "augment=back_translation; it wants two translation models"),
    ("rater labels", "rater_labels; they come with the raw annotations"),
)
"""What the program offers and no recipe tries."""


def _unmeasured(rows: list[Row]) -> str:
    """What has no row: nothing is known of what it is worth."""
    there = {row["recipe"] for row in rows}
    found = [(name, one.what) for name, one in RECIPES.items() if name not in there]
    return "\n".join(f"- {name}: {what}" for name, what in (*found, *BEYOND))


def _machines(rows: list[Row]) -> str:
    """Where the minutes are from, as each row says it."""
    machines: dict[str, int] = defaultdict(int)
    for row in rows:
        machines[str(row.get("machine", "not noted"))] += 1
    return "\n".join(f"- {name}: {count} training{'s' if count != 1 else ''}" for name, count in machines.items())


def _spread(values: list[float]) -> str:
    return f"{mean(values):.4f}" + (f" ± {stdev(values):.4f}" if len(values) > 1 else "")
