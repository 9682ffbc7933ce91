"""Train recipes and write down what they give: `python -m benchmarks.quality RECIPE… --seeds 0-4 --data FOLDER`.

Runs lie in `.quality` (GOEMO_HOME says otherwise), rows in benchmarks/quality/rows.jsonl; what was measured is not
measured again. `--table` writes QUALITY.md from the rows.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from benchmarks.quality.recipes import RECIPES
from trainer.errors import GoemoError


def seeds(text: str) -> list[int]:
    """`0`, `0-4`, `3,5` or `0-2,7` -> the seeds. Raises ArgumentTypeError."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"{text!r} names no seeds: such as 0, 0-4 or 3,5")
        found += range(int(first), int(last or first) + 1)
    return found


def main() -> int:
    """Train what is asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=", ".join(RECIPES))
    parser.add_argument("--seeds", type=seeds, default=[0], help="such as 0, 0-4 or 3,5")
    parser.add_argument("--data", default="goemotions", help="corpus with a train and a dev split")
    parser.add_argument(
        "--limit", type=int, default=0, help="train on the first N rows only: to choose what is worth more"
    )
    parser.add_argument("--again", action="store_true", help="also what was measured before; the new row counts")
    parser.add_argument("--table", action="store_true", help="write QUALITY.md from what was measured")
    options = parser.parse_args()
    os.environ.setdefault("GOEMO_HOME", str(Path(".quality").resolve()))
    unknown = [name for name in options.recipes if name not in RECIPES]
    if unknown:
        parser.error(f"no recipe is called {unknown[0]!r}; there are: {', '.join(RECIPES)}")
    from benchmarks.quality.run import ROWS, keep, measure

    lines = ROWS.read_text("utf-8").splitlines() if ROWS.exists() else []
    done = {(row["recipe"], row["seed"], row["limit"]) for row in map(json.loads, lines)}
    try:
        for seed in options.seeds:
            for name in options.recipes:
                if options.again or (name, seed, options.limit) not in done:
                    keep(measure(RECIPES[name], seed, options.data, options.limit))
    except GoemoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if options.table or options.recipes:
        from benchmarks.quality.table import write

        write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
