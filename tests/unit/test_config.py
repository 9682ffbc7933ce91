"""Settings are checked where they are made, say which key is wrong, and survive TOML."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trainer.config import BEFORE, RECIPES, SETTINGS, TrainConfig, recipe
from trainer.errors import ConfigError


def test_defaults_are_the_recipe_goemo() -> None:
    assert recipe("goemo") == TrainConfig()


def test_the_notebook_to_the_letter() -> None:
    c = recipe("notebook")
    assert (c.encoder, c.max_length, c.padding, c.batch_size, c.precision) == (
        "distilbert",
        128,
        "max_length",
        16,
        "fp32",
    )
    assert (c.lr, c.head_lr, c.scheduler, c.warmup, c.epochs, c.threshold) == (2e-5, 2e-5, "constant", 0.0, 2, 0.3)
    assert (c.batching, c.clip, c.head_init, c.decay) == ("shuffled", 0.0, "random", "all")
    assert recipe("notebook", encoder="minilm").encoder == "minilm"


@pytest.mark.parametrize(("width", "lr"), [(384, 1e-3), (768, 3e-5), (None, 1e-3)])
def test_the_rate_of_goemo_goes_by_the_encoders_width(width: int | None, lr: float) -> None:
    assert recipe("goemo", width=width).lr == lr


def test_what_is_measured_on_the_bundled_encoder_is_the_default_there_alone() -> None:
    assert (recipe("goemo").lora_rank, recipe("goemo").pooling) == (16, "auto")
    for config in (recipe("goemo", "distilbert"), recipe("goemo", width=768), recipe("notebook", "minilm")):
        assert (config.lora_rank, config.pooling) == (0, "cls")


def test_a_run_of_an_older_version_is_read_as_it_was_meant() -> None:
    old = {k: v for k, v in TrainConfig(epochs=2).to_dict().items() if k not in BEFORE}
    read = TrainConfig.from_dict(old)
    assert (read.epochs, read.lora_rank, read.pooling, read.threshold_fit) == (2, 0, "cls", "per_label")


def test_every_setting_explains_itself_and_design_keys_exist() -> None:
    assert all(setting.help for setting in SETTINGS.values())
    promised = (
        "epochs batch_size accumulation lr head_lr weight_decay scheduler warmup clip max_length patience seed precision "
        "device limit checkpoint_steps checkpoint_minutes taxonomy"
    )
    assert set(promised.split()) <= set(SETTINGS)


@pytest.mark.parametrize("name", RECIPES)
def test_toml_round_trip(name: str) -> None:
    config = replace(recipe(name), data='/odd "path"\\x', seed=7)
    assert TrainConfig.from_toml(config.to_toml()) == config


@pytest.mark.parametrize(
    ("pair", "key", "says"),
    [
        ("epochs=0", "epochs", "1 to 1000"),
        ("epochs=two", "epochs", "whole number"),
        ("epochs=1.5", "epochs", "whole number"),
        ("lr=nan", "lr", "finite"),
        ("lr=-1", "lr", "0 to 1"),
        ("scheduler=step", "scheduler", "linear, cosine, constant"),
        ("device=gpu", "device", "cuda:N"),
        ("device=cuda:one", "device", "cuda:N"),
        ("max_length=2", "max_length", "4 to"),
        ("colour=red", "colour", "no setting is called"),
        ("epochs", None, "key=value"),
        ("encoder=", "encoder", "empty"),
    ],
)
def test_wrong_settings_name_key_and_remedy(pair: str, key: str | None, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        TrainConfig().with_settings([pair])
    assert caught.value.key == key


def test_both_rates_at_zero_learn_nothing() -> None:
    with pytest.raises(ConfigError, match="nothing would be learned"):
        TrainConfig().with_settings(["lr=0", "head_lr=0"])


def test_settings_of_a_newer_version_are_passed_over() -> None:
    assert TrainConfig.from_toml('epochs = 2\nfuture_key = "x"\n').epochs == 2


@pytest.mark.parametrize("name", ["auto:1", "foo", "cuda:²", "cuda:", "CPU", "cuda:99999"])
def test_devices_that_cannot_be(name: str) -> None:
    with pytest.raises(ConfigError, match="cuda:N") as caught:
        TrainConfig(device=name)
    assert caught.value.key == "device"


def test_whole_numbers_are_taken_where_a_real_one_is_meant() -> None:
    assert TrainConfig().with_settings({"checkpoint_minutes": 1}).checkpoint_minutes == 1.0
    assert isinstance(TrainConfig(lr=1).lr, float)
