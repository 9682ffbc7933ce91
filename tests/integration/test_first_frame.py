"""What the first frame waits for: no library of columns or models, and no thread that reads a corpus or runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BEFORE_THE_FIRST_FRAME = """
import asyncio, json, sys, threading
from goemo_tui.app import GoemoApp

place = sys.argv[1]
found = {}

class Looked(GoemoApp):
    __module__ = GoemoApp.__module__  # Textual looks for the style sheet beside it
    DEFAULT_MODE = place

    def on_ready(self):
        found["loaded"] = sorted({name.partition(".")[0] for name in sys.modules})
        found["threads"] = sorted(thread.name for thread in threading.enumerate())
        super().on_ready()

async def main():
    app = Looked("sample")
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        found["runs"] = any(thread.name == "runs" for thread in threading.enumerate())
        found["opened"] = getattr(app.screen, "opened", None) is not None

asyncio.run(main())
print(json.dumps(found))
"""
LATER = {
    "torch",
    "transformers",
    "pandas",
    "numpy",
    "pyarrow",
    "textual_fastdatatable",
    "psutil",
    "pynvml",
    "tokenizers",
}


@pytest.mark.parametrize("place", ["data", "train", "inspect"])
def test_the_first_frame_waits_for_no_library_and_no_thread(place: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEFORE_THE_FIRST_FRAME, place],
        env={**os.environ, "GOEMO_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert LATER & set(found["loaded"]) == set()
    if place != "inspect":  # there a model's process is started at once: that holds up nobody
        assert found["threads"] == ["MainThread"]
    assert found["runs"]
    assert found["opened"] == (place == "data")
