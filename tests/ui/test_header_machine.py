"""The header's right side: the run first, and of the GPU what it leaves room for."""

from __future__ import annotations

import pytest

from goemo_tui.widgets.header import GoemoHeader, shortened
from tests.ui.train_story import opened, shown, until

RUN, GPU = "● calm-otter 2/3 61% 1m40s left", "GPU 87% 9.1/80 GB"


def test_the_gpu_is_shown_whole_or_short_or_not_at_all() -> None:
    assert shortened(GPU, 17) == GPU
    assert shortened(GPU, 16) == "GPU 87%" == shortened(GPU, 7)
    assert shortened(GPU, 6) == "" == shortened("", 6)


@pytest.mark.parametrize(("size", "gpu"), [((80, 24), "GPU 87%"), ((120, 36), GPU)])
async def test_both_can_be_read(size: tuple[int, int], gpu: str) -> None:
    async with opened(size) as (app, pilot):
        await until(pilot, lambda: "[3]Inspect" in shown(app))
        app.run_line, app.machine_line = RUN, GPU
        await until(pilot, lambda: gpu in shown(app).splitlines()[0])
        line = shown(app).splitlines()[0]
        assert RUN in line and line.rstrip().endswith(gpu)
        app.run_line = ""
        await until(pilot, lambda: GPU in shown(app).splitlines()[0])  # nothing runs: there is room for all
        app.machine_line = ""
        await until(pilot, lambda: "GPU" not in shown(app))


async def test_a_digit_more_or_less_lays_nothing_out() -> None:
    async with opened() as (app, pilot):
        app.machine_line = GPU
        await until(pilot, lambda: GPU in shown(app))
        place = app.screen.query_one(GoemoHeader).query_one(".header--machine")
        width = place.size.width
        app.machine_line = "GPU 7% 9.1/80 GB"
        await until(pilot, lambda: "GPU 7%" in shown(app))
        assert place.size.width == width
