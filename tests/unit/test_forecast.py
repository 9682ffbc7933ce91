"""What a training will take, reckoned from what was measured: time, steps, disk."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from tests.unit import scripted_estimate
from trainer.config import TrainConfig, recipe
from trainer.runs.forecast import WRITE_RATE, Measured, bearing, forecast, learned_at_most, room
from trainer.surroundings import needed_bytes

MEASURED = Measured.from_dict(scripted_estimate.MEASURED)


def test_steps_updates_validations_loading_and_models_add_up() -> None:
    config = TrainConfig(epochs=2, checkpoint_minutes=0)
    found = forecast(config, MEASURED, None)
    assert (found.steps, found.seconds_per_step) == (20, 0.6)
    assert found.seconds == round(4 + 20 * 0.6 + 2 * (2 + 4e6 / WRITE_RATE), 2)
    assert found.examples_per_s == round(320 / 6, 2) and found.tokens_per_s == round(6400 / 6, 1)
    assert (found.checkpoints_kept, found.disk_needed, found.disk_free) == (0, 8_000_000, None)


def test_epochs_and_accumulation_need_no_new_measurement() -> None:
    one, three = (forecast(TrainConfig(epochs=n, checkpoint_minutes=0), MEASURED, None) for n in (1, 3))
    assert three.seconds - 4 == pytest.approx(3 * (one.seconds - 4), abs=0.1)
    four = forecast(TrainConfig(epochs=1, accumulation=4), MEASURED, None)
    assert four.steps == 3 and four.seconds_per_step == 2.1 and four.seconds < one.seconds
    config = TrainConfig()
    for same in ({"epochs": 9}, {"accumulation": 2}, {"lr": 0.1}, {"patience": 1}, {"seed": 3}, {"retries": 2}):
        assert bearing(replace(config, **same)) == bearing(config)  # type: ignore[arg-type]
    for other in (
        {"batch_size": 8},
        {"max_length": 32},
        {"limit": 9},
        {"precision": "fp32"},
        {"data": "x"},
        {"padding": "max_length"},
    ):
        assert bearing(replace(config, **other)) != bearing(config)  # type: ignore[arg-type]


def test_checkpoints_cost_time_and_room() -> None:
    often, never = (forecast(TrainConfig(checkpoint_steps=n, checkpoint_minutes=0), MEASURED, 10**12) for n in (1, 0))
    assert often.seconds > never.seconds
    assert often.disk_needed == needed_bytes(1_000_000) == room(TrainConfig(), 1_000_000, None).needed
    assert often.checkpoints_kept == 3 and often.checkpoint_bytes == 12_000_000 and often.model_bytes == 4_000_000


def test_a_disk_that_is_too_small_is_seen() -> None:
    need = needed_bytes(1_000_000)
    assert room(TrainConfig(), 1_000_000, need - 1).short
    assert not room(TrainConfig(), 1_000_000, need).short and not room(TrainConfig(), 1_000_000, None).short


def test_what_a_child_measured_survives_json() -> None:
    assert Measured.from_dict({**asdict(MEASURED), "new": 1}) == MEASURED
    with pytest.raises(TypeError):
        Measured.from_dict({"device": "cpu"})


def test_of_adapters_only_their_own_moments_are_kept() -> None:
    config = recipe("goemo")
    learned = learned_at_most(config, 22_713_216, layers=6, width=384)
    assert learned is not None and 932_764 <= learned < 1_000_000  # what the bundled encoder learns with 28 labels
    assert room(config, 22_713_216, None, learned).needed < room(config, 22_713_216, None).needed / 2
    assert learned_at_most(replace(config, lora_rank=0), 22_713_216, 6, 384) is None
