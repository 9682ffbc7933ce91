"""A real process that dies, or is refused, at the n-th system call of a kind: strace stands in for the failing machine.

One process imports torch; each attempt is a fork of it that strace attaches to, so that hundreds of them take seconds.
Run as a module it is that process.
"""

from __future__ import annotations

import functools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import nn

from trainer.learn import checkpoint
from trainer.learn.checkpoint import Checkpoint, Position
from trainer.runs.events import LOG, EventLog

ROOT = Path(__file__).parent.parent.parent
STRACE = shutil.which("strace")

CALLS = (
    "write", "pwrite64", "openat", "mkdir", "mkdirat", "chmod", "fchmodat", "fsync", "fdatasync", "rename", "renameat",
    "renameat2", "unlink", "unlinkat", "rmdir", "ftruncate",
)  # fmt: skip
"""All that changes files or opens them. safetensors makes openat, ftruncate, write and renameat, and maps nothing."""


# -- what a child does: prepare without being watched, then act


@functools.cache
def trained(steps: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    """A small model with as many updates behind it, the same in every process."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    for _ in range(steps):
        model(torch.ones(3, 4)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return model, optimizer


def write(folder: Path, content: str, step: int, best: bool = False) -> None:
    """Write a checkpoint that holds `content`, A or B, at `step`. The random state is part of the content."""
    number = ord(content)
    model, optimizer = trained(number % 8)
    torch.manual_seed(number)
    random.seed(number)
    checkpoint.write(folder, model, optimizer, Position(step=step, rows=number, loss_sum=number / 7), best=best)


def content(found: Checkpoint) -> str:
    """Which content a checkpoint holds, every bit of it; raises AssertionError if it is neither."""
    model, optimizer = trained.__wrapped__(1)
    checkpoint.restore(found, model, optimizer)
    drawn = (random.random(), float(torch.rand(())))
    name = chr(found.position.rows)
    number = ord(name)
    its_model, its_optimizer = trained(number % 8)
    torch.manual_seed(number)
    random.seed(number)
    assert found.position == Position(step=found.position.step, rows=number, loss_sum=number / 7)
    assert drawn == (random.random(), float(torch.rand(())))
    assert all(torch.equal(value, model.state_dict()[key]) for key, value in its_model.state_dict().items())
    states, others = optimizer.state_dict()["state"], its_optimizer.state_dict()["state"]
    assert states.keys() == others.keys() and len(states) == 4
    assert all(torch.equal(states[k][name], others[k][name]) for k in others for name in others[k])
    return name


def first(folder: Path, _: str) -> Callable[[], object]:
    """The first checkpoint of a run, which makes the folder of all that will come."""
    folder.mkdir()
    return lambda: write(folder / "checkpoints", "B", 2)


def fresh(folder: Path, _: str) -> Callable[[], object]:
    """The second checkpoint of a run, at a later step."""
    write(folder, "A", 1)
    return lambda: write(folder, "B", 2)


def over(folder: Path, _: str) -> Callable[[], object]:
    """One at the very step of the one that is there, as a stop right after a save writes it."""
    write(folder, "A", 1)
    return lambda: write(folder, "B", 1)


def pruning(folder: Path, _: str) -> Callable[[], object]:
    """One that makes an older one superfluous, while the best one, older still, has to stay."""
    write(folder, "A", 1, best=True)
    write(folder, "A", 2)
    write(folder, "A", 3)
    return lambda: write(folder, "B", 4)


@functools.cache
def classifiers(encoder: str) -> tuple[nn.Module, nn.Module]:
    """Two whole classifiers that differ."""
    from trainer.labels import OFFICIAL
    from trainer.model import classifier

    folder = Path(encoder)
    return classifier.build(folder, OFFICIAL, 1, "random"), classifier.build(folder, OFFICIAL, 2, "random")


def kept(folder: Path, encoder: str, which: int) -> None:
    """Keep one of the two as a run's model, in `folder`/model."""
    from trainer.learn.work import keep_model

    text = f"card {which}\n"
    model = classifiers(encoder)[which]
    keep_model(folder / "model", model, Path(encoder), 64, {"which": which}, text)


def keeping(folder: Path, encoder: str) -> Callable[[], object]:
    """A better model takes the place of the one that was kept."""
    folder.mkdir(exist_ok=True)
    kept(folder, encoder, 0)
    return lambda: kept(folder, encoder, 1)


def logging(folder: Path, _: str) -> Callable[[], object]:
    """An event log with a story already, to which a short one is added."""
    folder.mkdir()
    with EventLog(folder / LOG) as before:
        before.append("started", steps=9)
        before.append("step", step=1)
    log = EventLog(folder / LOG)

    def act() -> None:
        with log:
            for step in range(2, 8):
                log.append("step", step=step)
                log.append("checkpoint", step=step)
            log.append("warning", text="all is told")
            log.append("finished", step=7)

    return act


SCENARIOS = {f.__name__: f for f in (first, fresh, over, pruning, keeping, logging)}


# -- the process that forks


def serve() -> None:
    """Fork a child for each order on stdin, tell its pid once it is prepared, let it act, tell how it ended."""
    torch.set_num_threads(1)
    for n in "AB":
        trained(ord(n) % 8)
    for line in sys.stdin:
        order = json.loads(line)
        if order["scenario"] == "keeping":
            classifiers(order["encoder"])
        ready, prepared = os.pipe()
        waits, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ready)
            os.close(go)
            _child(order, prepared, waits)
        os.close(prepared)
        os.close(waits)
        os.read(ready, 1)
        print(json.dumps(pid), flush=True)
        if sys.stdin.readline() == "go\n":
            os.write(go, b"!")
        os.close(go)
        status = os.waitpid(pid, 0)[1]
        with os.fdopen(ready, "rb") as rest:
            told = rest.read()
        print(json.dumps([os.waitstatus_to_exitcode(status), told.decode()]), flush=True)


def _child(order: dict[str, str], prepared: int, waits: int) -> None:
    # writev and _exit: nothing of what happens around the act is a call that strace counts
    act = SCENARIOS[order["scenario"]](Path(order["folder"]), order["encoder"])
    os.writev(prepared, [b"!"])
    if not os.read(waits, 1):
        os._exit(3)
    try:
        act()
        os._exit(0)
    except OSError:
        os._exit(1)
    except BaseException:
        os.writev(prepared, [traceback.format_exc().encode()])
        os._exit(2)


# -- what a test holds


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: exit code (0 done, 1 OSError, -9 killed), the traceback of anything else, strace's log."""

    code: int
    told: str
    log: str

    @property
    def injected(self) -> bool:
        """Whether the call that was to be hit was made."""
        return self.code == -9 or "(INJECTED)" in self.log


class Injector:
    """The forking process, seen from a test. `attempt` is one child; a context manager, so that nothing stays."""

    def __init__(self, encoder: Path, home: Path) -> None:
        self.encoder, self.home, self.log = encoder, home, home / "strace"
        self.whole: dict[str, Outcome] = {}
        """Each scenario's attempt in which nothing was injected."""
        words = [sys.executable, "-m", "tests.integration.faults"]
        self.server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def __enter__(self) -> Injector:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.server.stdin.close()
        self.server.stdout.close()
        self.server.wait(timeout=60)

    def folder(self, scenario: str) -> Path:
        """Where the attempts of a scenario take place; made anew for each."""
        return self.home / scenario

    def attempt(self, scenario: str, *inject: str) -> Outcome:
        """One child, with strace's own words for what is injected."""
        folder = self.folder(scenario)
        shutil.rmtree(folder, ignore_errors=True)
        order = {"scenario": scenario, "folder": str(folder), "encoder": str(self.encoder)}
        pid = self._ask(json.dumps(order))
        words = [word for one in inject for word in ("-e", f"inject=?{one}")]
        traced = ",".join(f"?{call}" for call in CALLS)
        self.log.unlink(missing_ok=True)
        command = [STRACE, "-f", "-y", "-s", "0", "-o", self.log, "-e", f"trace={traced}", *words, "-p", str(pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
            told = strace.stderr.readline()
            attached = "attached" in told
            code, error = self._ask("go" if attached else "no")
            assert attached, told + strace.stderr.read()
        return Outcome(code, error, self.log.read_text("utf-8", "replace"))

    def uninjected(self, scenario: str) -> Outcome:
        """The attempt in which all goes well."""
        if scenario not in self.whole:
            self.whole[scenario] = self.attempt(scenario)
            assert self.whole[scenario].code == 0, self.whole[scenario].told
        return self.whole[scenario]

    def every(self, scenario: str, call: str, what: str) -> Iterator[tuple[int, Outcome]]:
        """Attempts with the 1st, 2nd, 3rd … `call` hit, as many as there are. `what` is strace's, with an {n}.

        Of the files that are opened only those in the folder; to be killed, only those that are made by it: opening
        the others changes nothing, so that dying there is dying at the next call.
        """
        lines = [one for one in self.uninjected(scenario).log.splitlines() if re.match(rf"\d+ +{call}\(", one)]
        wanted = "O_CREAT" if "KILL" in what else str(self.folder(scenario))
        for n, line in enumerate(lines, start=1):
            if call != "openat" or wanted in line:
                outcome = self.attempt(scenario, f"{call}:{what.format(n=n)}")
                assert outcome.injected, f"{call} {n} is not made each time: {outcome.told}"
                yield n, outcome

    def _ask(self, text: str) -> Any:
        self.server.stdin.write(text + "\n")
        self.server.stdin.flush()
        return json.loads(self.server.stdout.readline())


def refused() -> str | None:
    """Why nothing can be injected here, or None."""
    if STRACE is None:
        return "strace is not installed"
    done = subprocess.run([STRACE, "-e", "trace=none", "true"], capture_output=True, text=True)
    return None if done.returncode == 0 else f"ptrace is refused: {done.stderr.strip()}"


def seqs(log: Path) -> list[int]:
    """The numbers of all lines of an event log that are whole, read without the program's own reader."""
    found = re.findall(rb'^\{"v":1,"seq":(\d+),.*\}$', log.read_bytes(), re.MULTILINE)
    return [int(number) for number in found]


if __name__ == "__main__":
    serve()
