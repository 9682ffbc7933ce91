"""A run's settings as a new training starts from them."""

from __future__ import annotations

import pytest

from trainer.config import TrainConfig, chosen, recipe
from trainer.errors import NotFoundError, RunError
from trainer.runs.like import like_run
from trainer.runs.run import Run


@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(),
        TrainConfig(epochs=7, seed=3, lr=0.01, deterministic=True, data="/some where/else"),
        recipe("notebook"),
        recipe("goemo", "distilbert"),
        recipe("goemo", "someone/wide", 768),
        recipe("goemo", "someone/narrow", 384),
        recipe("notebook", "someone/wide").with_settings(["clip=1"]),
    ],
)
def test_what_was_chosen_on_top_of_the_recipe_is_the_run_again(config: TrainConfig) -> None:
    settings = {**chosen(config), "data": config.data}
    for width in (None,) if config.encoder in ("minilm", "distilbert") else (None, 384, 768, 1024):
        assert recipe(config.recipe, config.encoder, width).with_settings(settings) == config
    like = like_run(Run.create(config).id)
    assert like.config == config and like.base() == config


def test_only_what_was_chosen_is_chosen() -> None:
    assert chosen(recipe("notebook")) == {} == chosen(recipe("goemo", "distilbert"))
    assert chosen(TrainConfig(epochs=9)) == {"epochs": 9}


def test_a_rate_that_nobody_chose_goes_by_the_other_encoder() -> None:
    like = like_run(Run.create(TrainConfig(epochs=2)).id)
    assert like.base("distilbert").lr == 3e-5 and like.base("distilbert").epochs == 2
    assert like_run(Run.create(TrainConfig(lr=0.01)).id).base("distilbert").lr == 0.01


def test_a_run_that_cannot_be_read_is_said_to_be_one() -> None:
    with pytest.raises(NotFoundError):
        like_run("calm-otter")
    run = Run.create(TrainConfig())
    file = run.folder / "config.toml"
    file.write_text(file.read_text().replace('recipe = "goemo"', 'recipe = "grandma"'))
    with pytest.raises(RunError, match=r"cannot be used any more: recipe = 'grandma'"):
        like_run(run.id)
    file.write_text("no TOML")
    with pytest.raises(RunError, match="cannot be read"):
        like_run(run.id)
