"""Remakes the pictures in docs/: the app draws itself on the sample corpus and exports what it shows as SVG.

`python docs/screenshots.py [FOLDER]`. A run that is there (GOEMO_HOME) is shown in Train and asked in Inspect.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from goemo_tui.app import GoemoApp

SIZE = (120, 36)
SENTENCE = "I'm so excited about this! But also a bit nervous..."


async def draw(folder: Path) -> None:
    """Open each place, give it something to show, and export it."""
    app = GoemoApp("sample")
    async with app.run_test(size=SIZE) as pilot:

        async def export(name: str) -> None:
            await pilot.pause(0.3)
            svg = app.export_screenshot(title="goemo-tui")
            (folder / f"{name}.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", "utf-8")

        await pilot.pause(3.0)
        await pilot.press("slash", *"label:joy")
        await pilot.pause(1.0)
        await pilot.press("enter", "down", "down")
        await export("data")
        await pilot.press("f2")
        await pilot.pause(2.0)
        await export("train")
        await pilot.press("f3")
        await pilot.pause(12.0)
        for key in SENTENCE:
            await pilot.press({" ": "space"}.get(key, key))
        await pilot.pause(3.0)
        await export("inspect")


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)))
