"""How right the foretold time is: trainings run for real, and at 10, 25 and 50% of the steps what was said is set beside what came.

`python -m benchmarks.eta` trains on the sample corpus (3 epochs, the bundled encoder); arguments are other corpora with
settings, such as `/data/goemotions,limit=4000,epochs=2`, or folders of runs that have ended (nothing is trained for these).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from trainer.runs.events import LOG
from trainer.runs.tail import read_events

SHARES = (0.1, 0.25, 0.5, 0.75)
ALLOWED = 0.2
DEFAULT = ("sample,epochs=3",)


def trained(wanted: str, home: str) -> Path:
    """Train `CORPUS,key=value,…` in a worker as a user would, and return the run's folder."""
    corpus, *settings = wanted.split(",")
    command = [sys.executable, "-m", "goemo_tui", "train", "--data", corpus, "--encoder", "minilm", "--json"]
    command += [word for setting in settings for word in ("--set", setting)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env={**os.environ, "GOEMO_HOME": home})
    return Path(home) / "runs" / str(json.loads(done.stdout)["run"])


def story(folder: Path) -> tuple[list[dict[str, Any]], float, float] | None:
    """The steps of a run that was trained in one go, the moment it began and the one it ended (monotonic); else None."""
    events = read_events(folder / LOG)
    begun = [e for e in events if e["kind"] in ("started", "resumed")]
    ended = [e for e in events if e["kind"] == "finished"]
    if len(begun) != 1 or not ended:
        return None
    steps = [e for e in events if e["kind"] == "step" and e.get("eta_s") is not None]
    return [{**e, "steps": begun[0]["steps"]} for e in steps], begun[0]["mono"], ended[-1]["mono"]


def moves(steps: list[dict[str, Any]], began: float, ended: float) -> float:
    """The largest move of the foretold end from one event to the next, behind the first tenth, as a share of the run."""
    ends = [e["mono"] + e["eta_s"] for e in steps if e["step"] >= 0.1 * e["steps"]]
    return max((abs(b - a) for a, b in pairwise(ends)), default=0.0) / (ended - began)


def main(arguments: list[str]) -> int:
    """Measure and print; 1 where an error is beyond what is allowed."""
    table = Table("run", "took", *(f"at {share:.0%}" for share in SHARES), "largest move")
    worst = 0.0
    with tempfile.TemporaryDirectory() as home:
        for wanted in arguments or DEFAULT:
            folder = Path(wanted) if (Path(wanted) / LOG).exists() else trained(wanted, home)
            told = story(folder)
            if told is None:
                print(f"{wanted}: not trained to its end in one go", file=sys.stderr)
                continue
            steps, began, ended = told
            said = []
            for share in SHARES:
                at = next(e for e in steps if e["step"] >= share * e["steps"])
                left = ended - at["mono"]
                error = at["eta_s"] / left - 1
                worst = max(worst, abs(error))
                said.append(f"{at['eta_s']:.0f} s for {left:.0f} s ({error:+.0%})")
            table.add_row(wanted, f"{ended - began:.0f} s", *said, f"{moves(steps, began, ended):.1%} of the run")
    Console(width=160).print(table)
    print(f"the largest error is {worst:.0%}; {ALLOWED:.0%} are allowed")
    return int(worst > ALLOWED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
