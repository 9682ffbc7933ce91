"""One run from its start to its end: left alone, killed and started again many times, or with a state left out.

Whoever looks at it meanwhile must be told the truth: a killed run has died, and is neither finished nor failed.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from tests.torture.footprint import Event, Footprint, per_epoch, place
from tests.torture.forkserver import LEFT_OUT
from tests.torture.moment import Interrupted, Moment, Pace, moments, wait_for
from tests.torture.tally import Tally
from tests.torture.variant import Variant
from tests.torture.verdict import Outcome, leftovers, restart_faults, story_faults
from tests.torture.worker import ForkServer, Worker, start_for_real
from trainer.runs.events import LOG
from trainer.runs.run import Look, Run

REAL = 10
"""Of so many starts one is made as people make it."""
MOST_STARTS = 4
"""Starts for each kill that is wanted, after which a run that does not end is given up."""
WHOLE_RUN = 300.0
"""Seconds after which a worker that nobody kills counts as hanging."""


@dataclass(frozen=True)
class Bench:
    """Where one torturer works: the encoder's folder, its own fork server, and the wish that it end at once."""

    encoder: Path
    server: ForkServer
    halt: threading.Event


@dataclass(frozen=True)
class Reference:
    """What an uninterrupted run came to, and how long it took."""

    outcome: Outcome
    pace: Pace


@dataclass(frozen=True)
class Order:
    """Which run of the session this is, how often it is to be killed, and how often it would be if there were no end.

    `real_load` is how many seconds a worker takes to load that is started as people do.
    """

    number: int
    kills: int
    kills_a_run: int
    seed: int
    real_load: float


@dataclass(frozen=True)
class Attempt:
    """One worker's life by what it left. `place` is where it was killed, or None if it ended by itself."""

    before: Footprint
    after: Footprint
    place: str | None
    faults: tuple[str, ...]

    @property
    def start(self) -> Event | None:
        """Its `started` or `resumed` event."""
        return next((e for e in self.after.since(self.before) if e["kind"] in ("started", "resumed")), None)


def undisturbed(variant: Variant, bench: Bench, real: bool) -> Reference:
    """Run `variant` to its end; `real` starts it as people do. Raises RuntimeError if anything is wrong even so."""
    run = variant.create(bench.encoder)
    began = time.time()
    attempt = _live(run, _starter(run, bench, real), None, bench.halt)
    events = attempt.after.events
    faults = [*attempt.faults, *story_faults(run.folder / LOG, whole=True), *leftovers(run.folder)]
    if run.state != "finished" or faults:
        raise RuntimeError(f"{variant.name}: left alone, {run.folder} is {run.state}: {faults}")
    started = next(e for e in events if e["kind"] == "started")
    validation = min(float(e["seconds"]) for e in events if e["kind"] == "validation")
    checkpoints = sum(e["kind"] == "checkpoint" for e in events)
    train = events[-1]["wall"] - started["wall"]
    pace = Pace(started["wall"] - began, train, validation, checkpoints, len(events))
    return Reference(Outcome.of(run), pace)


def torture(variant: Variant, reference: Reference, bench: Bench, order: Order, tally: Tally) -> str:
    """Kill a run of `variant` as often as is ordered, then let it end; count all of it. Returns a line about it."""
    rng = random.Random(f"{order.seed}/{order.number}")
    run = variant.create(bench.encoder)
    reader = Run.open(run.folder)  # looks at the run all the time, as a screen does
    plan = moments(rng, reference.pace, order.kills_a_run)
    real_plan = moments(rng, replace(reference.pace, load=order.real_load), order.kills_a_run)
    faults: list[str] = []
    done = 0
    for turn in count():
        real = (order.number + turn) % REAL == 1
        moment = next(real_plan if real else plan) if done < order.kills else None
        attempt = _live(run, _starter(run, bench, real), moment, bench.halt)
        faults += attempt.faults
        if turn:
            tally.started_again(attempt.start)
            faults += restart_faults(attempt.before.events, attempt.after.since(attempt.before))
        if attempt.place:
            tally.killed(attempt.place, real)
        if attempt.place in (None, "after the end"):
            break
        done += 1
        faults += _seen_dead(run.look(), reader.look())
        faults += story_faults(run.folder / LOG, whole=False)
        if turn > order.kills * MOST_STARTS or len(faults) > 10:
            faults.append("given up")
            break
    faults += _at_the_end(run, reader, reference)
    tally.finished(f"{variant.name}, {run.folder}: {fault}" for fault in faults)
    weights = Outcome.of(run).weights[:12]
    return f"{variant.name}: {done} kills, {run.snapshot().step} steps, {weights} {'FAULTS' if faults else 'equal'}"


def control(variant: Variant, reference: Reference, bench: Bench) -> tuple[bool, str]:
    """The same with the state of torch's generator left out at each resume: (whether that was noticed, a line about it).

    Killed three times while a third checkpoint is written, so that it goes on from within the first epoch.
    """
    run = variant.create(bench.encoder)
    within = 0
    for turn in range(4):
        moment = Moment("checkpoint", 3, 0.0) if turn < 3 else None
        start = _live(run, lambda: bench.server.start(run, forgetful=True), moment, bench.halt).start
        if turn and start and int(start.get("step", 0)) % per_epoch(start):
            within += 1
    left_out = run.worker_log.read_text().count(LEFT_OUT)
    mine, theirs = Outcome.of(run).weights, reference.outcome.weights
    about = f"{within} resumes in mid-epoch, the state left out {left_out} times, run {run.state}"
    if run.state == "finished" and mine != theirs and within and left_out:
        return True, f"the control fails as it must ({about}): {theirs[:12]} became {mine[:12]}"
    return False, f"the control shows nothing ({about}): {theirs[:12]} and {mine[:12]}"


def _starter(run: Run, bench: Bench, real: bool) -> Callable[[], Worker]:
    return (lambda: start_for_real(run)) if real else (lambda: bench.server.start(run))


def _live(run: Run, start: Callable[[], Worker], moment: Moment | None, halt: threading.Event) -> Attempt:
    """Start a worker, kill it at `moment` (None: let it end), and return what it left. No worker outlives this."""
    before = Footprint.of(run.folder)
    worker = start()
    killed, killed_at = False, 0.0
    faults: list[str] = []
    try:
        if moment:
            wait_for(moment, run.folder, worker, halt)
            killed_at = time.time()
            killed = worker.kill()
        else:
            faults += _watch(run, worker, halt)
    except TimeoutError as error:
        faults.append(str(error))
    finally:
        worker.kill()
        worker.ended(within=60)
        code = worker.bury()
    after = Footprint.of(run.folder)
    where = place(before, after, killed_at) if killed else None
    expected = {-9} if killed else {0}
    if where == "after the end":
        expected.add(0)  # it may have been about to be gone
    if code not in expected:
        faults.append(f"the worker ended with {code}; see {run.worker_log}")
    return Attempt(before, after, where, tuple(faults))


def _watch(run: Run, worker: Worker, halt: threading.Event) -> list[str]:
    """Wait for the end of a worker that nobody kills, looking at it as a screen does."""
    deadline = time.monotonic() + WHOLE_RUN
    while not worker.ended(0.1):
        if halt.is_set():
            raise Interrupted
        if time.monotonic() > deadline:
            raise TimeoutError(f"a worker that nobody killed did not come to its end in {WHOLE_RUN:g} seconds")
        look = run.look()
        if look.pid and look.state not in ("running", "finished"):
            return [f"a living run was called {look.state}"]
    return []


def _seen_dead(*looks: Look) -> list[str]:
    """What is wrong with how a killed run is seen. One that no worker ever held is on its way still."""
    wrong = [look.state for look in looks if look.state != ("died" if look.holder else "starting")]
    return [f"after a kill it was called {state}" for state in wrong]


def _at_the_end(run: Run, reader: Run, reference: Reference) -> list[str]:
    faults = reference.outcome.differences(Outcome.of(run))
    faults += story_faults(run.folder / LOG, whole=True)
    faults += leftovers(run.folder)
    if run.state != "finished":
        faults.append(f"in the end it is {run.state}")
    seen, fresh = reader.snapshot(), Run.open(run.folder).snapshot()
    if (seen.curve, seen.validations, seen.step, seen.end) != (fresh.curve, fresh.validations, fresh.step, fresh.end):
        faults.append("who looked all the time sees another story than who looks at the end")
    if seen.bad or fresh.bad:
        faults.append(f"{fresh.bad} bad lines in the log")
    said = run.worker_log.read_text("utf-8", "replace").strip() if run.worker_log.exists() else ""
    return [*faults, f"the worker said: {said[-200:]!r}"] if said else faults
