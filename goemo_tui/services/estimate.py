"""What a training would take: asks a child process that times a few steps, and puts its answer into words.

torch lives in the child, which is killed as soon as nobody wants to know any more, and ends by itself when this process
does. No widget is known here, and nothing is written.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from goemo_tui import wording
from trainer.config import TrainConfig
from trainer.errors import ConfigError, GoemoError
from trainer.runs.forecast import Forecast, Measured, Room

if TYPE_CHECKING:
    from goemo_tui.services.runs import RunView

COMMAND = (sys.executable, "-P", "-m", "trainer.learn.estimate")
"""`-P`: a folder called trainer where the user happens to be is not ours."""


class Measurement:
    """One child that measures one set of settings. `cancel` may be called from any thread, at any time, and again."""

    def __init__(self, config: TrainConfig, command: Sequence[str] = COMMAND) -> None:
        self.config = config
        self._command = tuple(command)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False

    @property
    def pid(self) -> int | None:
        """The child's, None before it was started."""
        return self._process.pid if self._process is not None else None

    def result(self, say: Callable[[str], None] = lambda text: None) -> Measured | None:
        """Start the child and wait for its answer; None if it was cancelled. `say` is told what it is busy with.

        Blocks: call it from a thread. Raises GoemoError for what the training would refuse too, or if the child fails.
        """
        process = self._start()
        if process is None or process.stdout is None or process.stderr is None:
            return None
        talk: deque[bytes] = deque(maxlen=20)
        drain = threading.Thread(target=talk.extend, args=(process.stderr,), name="estimate stderr", daemon=True)
        drain.start()
        try:
            for line in process.stdout:
                answer = _answer(line)
                if isinstance(answer, Measured):
                    return None if self._cancelled else answer
                if answer:
                    say(answer)
            process.wait()
        finally:
            self._end()
            drain.join()
            process.stdout.close()
            process.stderr.close()
        if self._cancelled:
            return None
        said = b"".join(talk).decode("utf-8", "replace").strip().splitlines()
        last = said[-1] if said else f"exit code {process.returncode}"
        raise GoemoError(f"the measurement ended without a result: {last}")

    def cancel(self) -> None:
        """End the child now; `result` returns None."""
        self._cancelled = True
        self._end()

    def _start(self) -> subprocess.Popen[bytes] | None:
        from trainer.runs.launch import environment

        with self._lock:
            if self._cancelled:
                return None
            pipe = subprocess.PIPE
            try:
                # of a group of its own: ctrl-c in a terminal is for us, who then end it
                process = subprocess.Popen(
                    self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(), process_group=0
                )
            except OSError as error:
                raise GoemoError(f"the measurement could not be started: {error}") from None
            self._process = process
        if process.stdin is not None:
            with suppress(OSError):  # it has ended already; what it said on stderr tells why
                process.stdin.write(json.dumps(self.config.to_dict()).encode() + b"\n")
                process.stdin.flush()
        return process

    def _end(self) -> None:
        """Nothing of it is left behind: it has no children and writes no file, so it may be killed at any moment."""
        with self._lock:
            process = self._process
            if process is not None:
                process.kill()
                process.wait()
                if process.stdin is not None:
                    with suppress(OSError):
                        process.stdin.close()


def _answer(line: bytes) -> Measured | str:
    """What a line of the child says: what it is busy with, or what it measured. Raises GoemoError if that is an error."""
    try:
        message = json.loads(line)
        if not isinstance(message, dict):
            return ""
        if isinstance(message.get("measured"), dict):
            return Measured.from_dict(message["measured"])
    except (ValueError, TypeError):
        return ""
    if message.get("error"):
        key = message.get("key")
        text = str(message["error"])
        raise ConfigError(text, key) if isinstance(key, str) else GoemoError(text)
    return str(message.get("say") or "")


# In words


def about(seconds: float) -> str:
    """A time that is only about right: `≈ 40 s`, `≈ 11 min`, `≈ 3.5 h`, `≈ 2.1 days`."""
    if seconds < 100:
        return f"≈ {max(5, 5 * round(seconds / 5))} s"
    if seconds < 5400:
        return f"≈ {max(2, round(seconds / 60))} min"
    return f"≈ {seconds / 3600:.1f} h" if seconds < 36 * 3600 else f"≈ {seconds / 86_400:.1f} days"


def disk_words(room: Room) -> str:
    """`1.3 GB of disk (48 GB free)`: what a run takes up at its largest."""
    free = f" ({wording.size(room.free)} free)" if room.free is not None else ""
    return f"{wording.size(room.needed)} of disk{free}"


def words(found: Forecast, room: Room | None) -> str:
    """`≈ 11 min · 1.3 GB of disk (48 GB free) · 3.8 steps/s on cpu (8 timed)`, and what is to be said besides."""
    disk = [disk_words(room)] if room is not None else []
    parts = [about(found.seconds), *disk, f"{speed(found)} on {found.device} ({found.steps_timed} timed)"]
    return " · ".join([*parts, *([found.note] if found.note else [])])


def speed(found: Forecast) -> str:
    """`3.8 steps/s`, or `2.5 s a step` where one takes longer than a second."""
    a_step = found.seconds_per_step
    if not math.isfinite(a_step) or a_step <= 0:
        return "–"
    return f"{wording.rate(1 / a_step)} steps/s" if a_step < 1 else f"{a_step:.1f} s a step"


def busy_words() -> str:
    """`measured while this machine was busy (load 13.6 on 2 cores)`; empty where it is not, or does not tell.

    Ask before a measurement begins, which is work too.
    """
    try:
        load, cores = os.getloadavg()[0], os.cpu_count() or 1
    except OSError:
        return ""
    if load < cores:
        return ""
    return f"measured while this machine was busy (load {load:.1f} on {cores} core{'s' if cores > 1 else ''})"


def beside_words(names: Sequence[str]) -> str:
    """`slower while calm-otter runs`; empty where nothing else is trained on that device."""
    if not names:
        return ""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"slower while {names[0]}{more} run{'' if more else 's'}"


def trained_on(runs: Iterable[RunView], device: str, best: str) -> list[str]:
    """What the runs are called that are being trained on `device` now. `best` is what `auto` stands for here."""
    wanted = device_name(device, best)
    found = []
    for run in runs:
        if run.state not in ("starting", "running", "stalled"):
            continue
        said = (run.snapshot.started or {}).get("device")
        on = said if isinstance(said, str) else run.config.device if run.config else ""
        if on and device_name(on, best) == wanted:
            found.append(run.title)
    return found


def device_name(device: str, best: str) -> str:
    """`auto` and `cuda` as the device that they stand for."""
    if device == "auto":
        return best
    return "cuda:0" if device == "cuda" else device
