"""A whole torture: references first, then one run after another until there are kills enough, and the negative control.

Several torture side by side, each with a fork server of its own. However it ends, no process is left.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from tests.torture.moment import Interrupted
from tests.torture.ordeal import Bench, Order, Reference, control, torture, undisturbed
from tests.torture.tally import Tally
from tests.torture.variant import Variant
from tests.torture.worker import ForkServer

MOST_FAULTS = 20
"""So many are enough to see that something is wrong."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is asked for: kills in all and in one run, the seed of all choices, and how many torture side by side.

    There must be two variants or more: the reference of the first is started as people do, the others are forked.
    """

    variants: Sequence[Variant]
    kills: int
    kills_a_run: int
    seed: int
    jobs: int


class Session:
    """One torture. `tally` and `control_noticed` are its result."""

    def __init__(self, plan: Plan, folder: Path, say: Say) -> None:
        self.plan, self.say = plan, say
        self.tally = Tally()
        self.control_noticed = False
        self._encoder = folder / "encoder"
        self._references: dict[str, Reference] = {}
        self._pending = list(enumerate(plan.variants))
        self._number = self._under_way = 0
        self._mutex = threading.Lock()
        self._halt = threading.Event()
        self._together = threading.Barrier(plan.jobs)

    @property
    def complaints(self) -> list[str]:
        """Everything that makes this a failure."""
        control = [] if self.control_noticed else ["the negative control was not noticed"]
        return [*self.tally.faults, *self.tally.shortcomings(self.plan.kills), *control]

    def run(self) -> None:
        """Torture until there are kills enough. Raises what went wrong with the torture itself."""
        with ThreadPoolExecutor(self.plan.jobs) as pool:
            jobs = [pool.submit(self._job, number) for number in range(self.plan.jobs)]
            try:
                wait(jobs, return_when=FIRST_EXCEPTION)
            finally:  # also for ctrl-c
                self._halt.set()
                self._together.abort()
        errors = [error for job in jobs if (error := job.exception())]
        consequences = (Interrupted, threading.BrokenBarrierError)
        for error in sorted(errors, key=lambda error: isinstance(error, consequences)):
            raise error

    def _job(self, number: int) -> None:
        with ForkServer() as server:
            bench = Bench(self._encoder, server, self._halt)
            server.wait_until_ready()
            if number == 0:
                server.encoder(self._encoder)
            self._together.wait()
            while (variant := self._next_variant()) is not None:
                self._refer(*variant, bench)
            self._together.wait()
            if number == 0:
                self._control(bench)
            while (order := self._next_order()) is not None:
                self._torture(order, bench)

    def _next_variant(self) -> tuple[int, Variant] | None:
        with self._mutex:
            return self._pending.pop(0) if self._pending else None

    def _refer(self, number: int, variant: Variant, bench: Bench) -> None:
        # the first one as people start it: what is forked must come to the same
        reference = undisturbed(variant, bench, real=number == 0)
        self._references[variant.name] = reference
        outcome, pace = reference.outcome, reference.pace
        self.say(
            f"reference {variant.name}: {outcome.finished['step']} steps in {pace.train:.1f} s after {pace.load:.1f} s, "
            f"best epoch {outcome.finished['best_epoch']}, {outcome.weights[:12]}"
        )

    def _control(self, bench: Bench) -> None:
        first = self.plan.variants[0]
        self.control_noticed, about = control(first, self._references[first.name], bench)
        self.say(about)

    def _next_order(self) -> Order | None:
        """The next run and the kills that are due in it, or None if there are enough."""
        with self._mutex:
            due = self.plan.kills - self.tally.total - self._under_way
            if due <= 0 or self._halt.is_set() or len(self.tally.faults) >= MOST_FAULTS:
                return None
            kills = min(due, self.plan.kills_a_run)
            number, self._number = self._number, self._number + 1
            self._under_way += kills
            real_load = self._references[self.plan.variants[0].name].pace.load
            return Order(number, kills, self.plan.kills_a_run, self.plan.seed, real_load)

    def _torture(self, order: Order, bench: Bench) -> None:
        variant = self.plan.variants[order.number % len(self.plan.variants)]
        reference = self._references[variant.name]
        # one of them was not forked: all forked ones load alike
        load = min(other.pace.load for other in self._references.values())
        reference = replace(reference, pace=replace(reference.pace, load=load))
        about = torture(variant, reference, bench, order, self.tally)
        with self._mutex:
            self._under_way -= order.kills
        self.say(f"{self.tally.total:4} of {self.plan.kills}  {about}")
