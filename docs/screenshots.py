"""Remakes the pictures in docs/: the app draws itself on the sample corpus and exports what it shows as SVG.

`python docs/screenshots.py [--quick] [FOLDER]` works on a fresh checkout: it trains a model on the sample in a home of its
own (a minute on two cores) and throws it away afterwards. `--quick` trains a few steps only, to see whether all is well.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

SIZE = (120, 36)
SENTENCE = "I'm so excited about this! But also a bit nervous..."
OTHERS = ("The bus was late again, and nobody even said sorry.", "Grandma's plum cake, at last")

NAMES = (
    "data", "filter", "counts", "pairs", "form", "train", "finished", "evaluation", "compare", "inspect", "batch", "help",
)  # fmt: skip
"""The pictures, in the order in which docs/tour.md shows them."""


class Guide:
    """Goes through the app and exports what it shows."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, home
        self.app: Any = None
        self.pilot: Any = None

    async def until(self, what: str, true: Callable[[], object], seconds: float = 600.0) -> None:
        """Wait for something that a process brings about."""
        for _ in range(int(seconds * 10)):
            await self.pilot.pause()
            if true():
                return
            if self.app.signal_number is not None or not self.app.is_running:
                raise SystemExit("screenshots: ended from outside")
            await asyncio.sleep(0.1)
        raise SystemExit(f"screenshots: waited in vain for {what}; the screen shows\n{self.text}")

    @property
    def text(self) -> str:
        """The screen as text."""
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    async def shows(self, *words: str) -> None:
        """Wait until these words are on the screen."""
        await self.until(repr(words), lambda: all(word in self.text for word in words))

    async def export(self, name: str) -> None:
        """Write NAME.svg, without toasts and without a path of this machine."""
        self.app.clear_notifications()
        await self.pilot.pause(0.3)
        svg = self.app.export_screenshot(title="goemo-tui")
        svg = svg.replace(str(self.home), "~/goemo").replace(str(Path.home()), "~").replace(sys.prefix, ".venv")
        # the app has put right-to-left text into the order of the cells already; a browser would do it once more
        svg = svg.replace("<style>\n", "<style>\n    text { direction: ltr; unicode-bidi: bidi-override; }\n", 1)
        svg = re.sub(r"terminal-\d+", f"goemo-{name}", svg)
        (self.folder / f"{name}.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", "utf-8")
        print(f"{name}.svg", flush=True)

    async def type(self, text: str) -> None:
        """Type as a person does."""
        for char in text:
            await self.pilot.press({" ": "space"}.get(char, char))


async def data(guide: Guide) -> None:
    """The first place: the table, a filter, two of the figures."""
    await guide.shows("1,120 of 1,120", "tokens", "multi-hot")
    await guide.export("data")
    await guide.pilot.press("slash")
    await guide.type("label:joy -label:love tokens:>20")
    await guide.shows("label:joy -label:love tokens:>20")
    await guide.until("fewer rows", lambda: "1,120 of" not in guide.text)
    await guide.pilot.press("enter", "down", "down")
    await guide.export("filter")
    await guide.pilot.press("x", "v")
    await guide.shows("counts")
    await guide.export("counts")
    await guide.pilot.press("v")
    await guide.shows("which go together")
    await guide.export("pairs")
    await guide.pilot.press("v", "v", "v")


async def train(guide: Guide, epochs: int, again: Callable[..., Awaitable[str]]) -> None:
    """The second place: the form, a run on its way, the same run at its end."""
    pilot = guide.pilot
    await pilot.press("f2", "n")
    await guide.shows("of disk", "1,120 train")
    await guide.export("form")
    await pilot.press("escape", "escape")
    runs = guide.app.runs

    def look(run_id: str) -> Any:
        return next((run for run in runs.runs if run.id == run_id), None)

    def half(run_id: str) -> bool:
        run = look(run_id)
        return run is not None and run.snapshot.step * 2 > run.snapshot.steps > 0

    def ended(run_id: str) -> bool:
        run = look(run_id)
        if run is not None and run.state in ("failed", "died"):
            raise SystemExit(f"screenshots: {run_id}: {run.state}")
        return run is not None and run.state == "finished"

    first = await again(epochs)
    await guide.until("its end", lambda: ended(first))
    second = await again(epochs, "lr=0.0004")
    await guide.until("half of it", lambda: half(second))
    await pilot.press("home")
    await guide.export("train")
    await guide.until("its end", lambda: ended(second))
    await guide.shows("finished")
    await guide.export("finished")
    await pilot.press("v")
    await guide.shows("support")
    await guide.export("evaluation")
    await pilot.press("v", "v", "v", "space", "down", "c")
    await guide.shows("Settings that differ")
    await guide.export("compare")
    await pilot.press("escape", "x", "home")


async def inspect(guide: Guide) -> None:
    """The third place: a sentence, a history, a batch."""
    pilot = guide.pilot
    await pilot.press("f3")
    await guide.shows("threshold")
    for sentence in (*OTHERS, SENTENCE):
        await pilot.press("slash") if not guide.app.focused else None
        await guide.type(sentence)
        await guide.until("its emotions", lambda s=sentence: guide.app.screen.readings.a.fits(s))  # type: ignore[misc]
        await pilot.press("enter")
    await guide.shows(OTHERS[0][:20], "because")
    await guide.until("the nearest comments", lambda: re.search(r" like +[.]\d\d", guide.text), 120)
    await guide.export("inspect")
    await pilot.press("escape", "i")
    from textual import events

    guide.app.post_message(events.Paste("\n".join([*OTHERS, "What on earth is that noise?", SENTENCE])))
    await guide.shows("What on earth", "%")
    await guide.export("batch")
    await pilot.press("escape", "f1", "question_mark")
    await guide.shows("Enter")
    await guide.export("help")


async def draw(folder: Path, home: Path, quick: bool) -> None:
    """All pictures of the tour."""
    from goemo_tui.app import GoemoApp
    from trainer.runs import process
    from trainer.runs.run import Run

    async def again(epochs: int, *more: str) -> str:
        """Start a training in the background, as `goemo-tui train --detach` does; its id."""
        chosen = [f"epochs={epochs}", *more, *(["limit=320"] if quick else [])]
        settings = [word for pair in chosen for word in ("--set", pair)]
        command = (sys.executable, "-m", "goemo_tui", "train", "--data", "sample", "--detach", *settings)
        child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        said, _ = await child.communicate()
        if child.returncode:
            raise SystemExit("screenshots: the training was not started")
        return said.decode().strip()

    guide = Guide(folder, home)
    guide.app = GoemoApp("sample")
    async with guide.app.run_test(size=SIZE) as guide.pilot:
        guide.app.animation_level = "none"
        try:
            await data(guide)
            await train(guide, 1 if quick else 6, again)
            await inspect(guide)
        finally:  # no worker outlives its home
            for run in guide.app.runs.runs:
                if run.living:
                    await asyncio.to_thread(process.stop, Run.open(run.folder))


def main() -> int:
    """Draw into FOLDER, in a home that lasts as long as this takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    folder = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8", TEXTUAL_ANIMATIONS="none")
    for name in ("NO_COLOR", "SSH_CONNECTION", "SSH_TTY", "LC_ALL"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="goemo-screenshots-") as home:
        os.environ["GOEMO_HOME"] = home
        os.environ["HF_HUB_OFFLINE"] = "1"
        asyncio.run(draw(folder, Path(home), options.quick))
    return 0


if __name__ == "__main__":
    sys.exit(main())
