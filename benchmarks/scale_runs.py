"""What training on a corpus and scoring it cost, by size: both begin, and are left once their pace is known.

The training is the recipe's, detached as ever; an epoch is what it says itself is left after some steps. The scoring is the
starter's over the comments as lines of a file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.command import GOEMO, goemo
from benchmarks.scale import size_of

STEPS = 40
"""Steps after which the pace of a training is known."""

SCORED_SECONDS = 45.0
PORTION = 1_024
"""Rows of a portion of the scoring, so that several fit into that time."""


def main() -> int:
    """Measure one folder and print it as JSON."""
    folder = sys.argv[-1]
    steps = training(folder)
    rows = sum(1 for file in Path(folder).glob("*.tsv") for _ in file.open("rb"))
    steps |= scoring(folder)
    print(json.dumps({"rows": rows, "bytes": size_of(folder), "steps": steps}))
    return 0


def training(folder: str) -> dict[str, tuple[float, int]]:
    """Seconds to the first step, again with the tokens kept, and of an epoch; each with the worker's peak in MB."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        first = _begun(folder, home)
        again = _begun(folder, home, STEPS)
        return {"train: first step": first[:2], "… tokens kept": again[:2], "… an epoch": (again[2], again[1])}


def _begun(folder: str, home: str, steps: int = 1) -> tuple[float, int, float]:
    began = time.time()
    run = goemo(home, "train", "--data", folder, "--detach", "--set", "epochs=1")
    log = Path(home) / "runs" / run / "events.jsonl"
    told: list[dict[str, Any]] = []
    while not any(event.get("step", 0) >= steps for event in told):
        time.sleep(0.2)
        told = [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []
        assert not any(event["kind"] == "failed" for event in told), told[-1]
    (worker,) = (event["pid"] for event in told if event["kind"] == "started")
    peak = _peak(worker)
    goemo(home, "runs", "stop", run)
    seen = [event for event in told if event["kind"] == "step"]
    started = next(event["wall"] for event in told if event["kind"] == "started")
    return seen[0]["wall"] - began, peak, seen[-1]["eta_s"] + seen[-1]["wall"] - started


def scoring(folder: str) -> dict[str, tuple[float, int]]:
    """Seconds for all comments at the pace of the first ones, and the peak of its process in MB."""
    with tempfile.TemporaryDirectory() as home:
        file, out = Path(home) / "comments.txt", Path(home) / "scored.csv"
        rows = 0
        with file.open("wb") as into:
            for line in (Path(folder) / "train.tsv").open("rb"):
                into.write(line.split(b"\t", 1)[0] + b"\n")
                rows += 1
        command = [*GOEMO, "score", str(file), "--model", "starter", "--out", str(out), "--portion", str(PORTION)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as worker:
            paces: list[tuple[float, int]] = []
            began, peak = time.time(), 0
            while (time.time() - began < SCORED_SECONDS or len(paces) < 3) and worker.poll() is None:
                time.sleep(0.5)
                peak = max(peak, _peak(worker.pid))
                parts = len(list(out.with_name(f"{out.name}.parts").glob("part-*.json")))
                if parts and (not paces or parts != paces[-1][1]):
                    paces.append((time.time(), parts))
            worker.terminate()
        (start, first), (end, last) = paces[0], paces[-1]
        return {"score": (rows / ((last - first) * PORTION / (end - start)), peak)}


def _peak(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)


if __name__ == "__main__":
    sys.exit(main())
