"""Which small curves stand under the charts of a run: what its events tell, and what the machine says meanwhile.

From plain values to `Spark`s, the most telling first; nothing is painted here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from goemo_tui.services.machine import Sample
from goemo_tui.services.runs import RunView
from goemo_tui.widgets.sparks import Spark, along, scaled
from goemo_tui.wording import size, small

MOST = 240
"""Values of a long run that are looked at for each of these curves."""

CELLS = 60
"""Values that a curve over the whole run is thinned to."""


def gauges(view: RunView, samples: Sequence[Sample]) -> tuple[Spark, ...]:
    """Learning rate and gradient norm; while it lives, its processor and memory, the GPU, the machine."""
    return (*_of_events(view), *(_of_machine(samples) if view.living else ()))


def _of_events(view: RunView) -> tuple[Spark, ...]:
    s = view.snapshot
    total = max(s.steps, s.step, 1)
    norm = "–" if s.grad_norm is None else f"{s.grad_norm:.2f}"
    rows = (("lr", small(s.lr), s.curve.lr), ("grad", norm, s.curve.grad_norm))
    every = 1 + len(s.curve) // MOST  # a mean of some values is mean enough
    thinned = [
        (name, value, along(s.curve.step[::every], values[::every], total, CELLS)) for name, value, values in rows
    ]
    return tuple(
        Spark(name, value, scaled(values), anchored=True)
        for name, value, values in thinned
        if not all(math.isnan(v) for v in values)
    )


def _of_machine(samples: Sequence[Sample]) -> tuple[Spark, ...]:
    if not samples:
        return ()
    now = samples[-1]
    found: list[Spark] = []
    if now.cpu is not None:
        values = scaled([s.cpu for s in samples], max(100.0, *(s.cpu or 0 for s in samples)))
        found.append(Spark("CPU", f"{now.cpu:.0f}%", values, style="spark--machine"))
    if now.memory is not None:
        top = 1.1 * max(s.memory or 0 for s in samples)
        found.append(Spark("RAM", size(now.memory), scaled([s.memory for s in samples], top), style="spark--machine"))
    if now.gpu is not None:
        found += _of_gpu(samples)
    if now.machine_cpu is not None:
        values = scaled([s.machine_cpu for s in samples], 100.0)
        found.append(Spark("all CPU", f"{now.machine_cpu:.0f}%", values, style="spark--machine"))
    if now.machine_used is not None and now.machine_total:
        shares = [s.machine_used / now.machine_total if s.machine_used is not None else None for s in samples]
        value = f"{now.machine_used / 2**30:.1f}/{now.machine_total / 2**30:.0f} GB"
        found.append(Spark("all RAM", value, scaled(shares, 1.0), style="spark--machine"))
    return tuple(found)


def _of_gpu(samples: Sequence[Sample]) -> list[Spark]:
    now = samples[-1].gpu
    assert now is not None
    gpus = [s.gpu for s in samples]
    found = []
    if now.load is not None:
        found.append(
            Spark("GPU", f"{now.load}%", scaled([g.load if g else None for g in gpus], 100.0), style="spark--gpu")
        )
    memory = scaled([g.used if g else None for g in gpus], float(now.total))
    found.append(Spark("GPU mem", now.memory, memory, style="spark--gpu"))
    if now.celsius is not None:
        warmth = scaled([g.celsius if g else None for g in gpus], 100.0)
        found.append(Spark("GPU temp", f"{now.celsius}°C", warmth, style="spark--gpu"))
    return found
