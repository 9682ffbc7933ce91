"""A visitor of `goemo-tui --web`: headless Chromium at the page, and pyte fed with what the page gets, as the screen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import pyte
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

WAIT_SECONDS = 60.0


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`goemo-tui --web` on a free port, and its address. It is gone afterwards, and so is all that it started."""
    process = subprocess.Popen(
        [sys.executable, "-m", "goemo_tui", *arguments, "--web", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | environment,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        left = children(process.pid)
        if process.poll() is None:
            process.terminate()
        process.wait(60)
        psutil.wait_procs(left, 30)
        still = [one for one in left if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        for one in still:
            one.kill()
        assert not still, [one.cmdline() for one in still]


def children(pid: int) -> list[psutil.Process]:
    """What `pid` started, and what they did."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window; the test is skipped where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install --no-install-recommends chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """A page at `url`. `asked` are the addresses that it loaded or tried to; `text` is what the app drew so far."""

    def __init__(self, browser: Any, url: str) -> None:
        self.page = browser.new_page(viewport={"width": 1200, "height": 800})
        self.asked: list[str] = []
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", self._connected)
        self.page.goto(url)

    def _connected(self, socket: Any) -> None:
        self.asked.append(socket.url)
        size = parse_qs(urlsplit(socket.url).query)
        self.screen.resize(int(size["height"][0]), int(size["width"][0]))
        socket.on("framereceived", self._received)
        socket.on("framesent", self._sent)

    def _received(self, payload: Any) -> None:
        if isinstance(payload, bytes):
            self.stream.feed(payload)

    def _sent(self, payload: Any) -> None:
        kind, data = json.loads(payload)
        if kind == "resize":
            self.screen.resize(data["height"], data["width"])

    @property
    def text(self) -> str:
        """The screen as lines."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait(self, seen: Callable[[str], bool]) -> str:
        """Until the screen is so; returns it."""
        until = time.monotonic() + WAIT_SECONDS
        while not seen(self.text):
            assert time.monotonic() < until, self.text
            self.page.wait_for_timeout(50)  # events of the page are handed on meanwhile
        return self.text

    def pixels(self, y: int) -> list[tuple[int, int, int]]:
        """One row of a picture of the page: what a person would see, and not what was sent."""
        import base64

        picture = base64.b64encode(self.page.screenshot()).decode()
        found = self.page.evaluate(_ROW, [picture, y])
        return [tuple(found[i : i + 3]) for i in range(0, len(found), 4)]

    def pixels_of_line(self, line: int) -> list[tuple[int, int, int]]:
        """Those through the middle of a line of text."""
        top, height = self.page.evaluate(
            "(() => { const b = document.querySelector('.xterm-screen').getBoundingClientRect(); return [b.top, b.height] })()"
        )
        return self.pixels(int(top + (line + 0.5) * height / self.screen.lines))


_ROW = """
async ([picture, y]) => {
  const image = new Image();
  image.src = "data:image/png;base64," + picture;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  return Array.from(context.getImageData(0, y, image.width, 1).data);
}
"""
