"""What the form for a training knows of corpora and of the queue, and that a start does what the form says."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from goemo_tui.cli import parser
from goemo_tui.commands.train import asked_for
from goemo_tui.services import new_run, offers
from goemo_tui.services.new_run import NOW, WHEN_FREE, Draft
from goemo_tui.services.runs import RunView
from trainer import devices, paths
from trainer.config import SETTINGS, TrainConfig, recipe
from trainer.devices import Device
from trainer.encoders import anatomy, find_encoder
from trainer.errors import ConfigError, NotFoundError
from trainer.runs import process
from trainer.runs.like import like_run
from trainer.runs.plan import plan
from trainer.runs.queue import Queue
from trainer.runs.run import Run, list_runs
from trainer.runs.snapshot import Snapshot

CARD = Device("cuda:0", "Card", 80 * 2**30, 0, 0, 0, False)


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for split, rows in (("train", 4), ("dev", 2)):
        (folder / f"{split}.tsv").write_text("".join(f"so good {i}\t17\tid{split}{i}\n" for i in range(rows)))
    return folder


def test_names_stay_names_and_paths_become_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "mine")
    assert [offers.data_setting(x) for x in ("sample", "goemotions", "other")] == ["sample", "goemotions", "other"]
    assert offers.data_setting("mine") == str(tmp_path / "mine") == offers.data_setting(str(tmp_path / "mine"))
    assert offers.data_setting("./gone") == str(tmp_path / "gone")


def test_offered_are_the_open_corpus_the_recent_ones_and_the_named(tmp_path: Path) -> None:
    mine, other = str(made(tmp_path / "mine")), str(made(tmp_path / "other"))
    made(paths.corpora_folder() / "fetched")
    found = offers.corpus_choices(mine, (other, mine, str(tmp_path / "gone")))
    assert [value for value, _, _ in found] == [mine, other, "sample", "fetched"]
    assert {value: rows for value, _, rows in found}["fetched"] == "4 train · 2 dev"
    assert [value for value, _, _ in offers.corpus_choices()] == ["sample", "fetched"]


def test_a_corpus_is_looked_at_as_the_start_does(tmp_path: Path) -> None:
    assert offers.look_at_corpus(str(made(tmp_path / "mine"))).text == "4 train · 2 dev"
    gone = offers.look_at_corpus(str(tmp_path / "gone"))
    assert not gone.text and "no corpus at" in gone.wrong
    (tmp_path / "odd").mkdir()
    assert "does not say" in offers.look_at_corpus(str(tmp_path / "odd")).wrong


def test_a_long_path_is_told_by_its_end() -> None:
    assert offers.short_path("/tmp/mine") == "/tmp/mine"
    assert offers.short_path("/home/somebody/corpora/mine") == "…/corpora/mine"
    assert offers.short_path("goemotions") == "goemotions"


def draft(**more: str) -> Draft:
    return replace(Draft("goemo", new_run.defaults("goemo")), **more)  # type: ignore[arg-type]


def view(name: str, state: str) -> RunView:
    return RunView(f"20261124-0412-{name}", name, paths.runs_folder() / name, state, None, Snapshot())


def test_a_start_can_wait_for_living_runs_and_where_there_is_one_for_a_gpu() -> None:
    runs = [view("odd-lynx", "waiting"), view("calm-otter", "running"), view("brave-finch", "finished")]

    def values(*arguments: object) -> list[str]:
        return [value for value, _, _ in offers.start_choices(*arguments)]  # type: ignore[arg-type]

    assert values((), ("auto", "cpu")) == [NOW]
    assert values(runs, ("auto", "cuda:0", "cpu")) == [NOW, WHEN_FREE, runs[0].id, runs[1].id]
    assert values(runs, ("auto", "cpu"), runs[2].id) == [NOW, runs[0].id, runs[1].id, runs[2].id]
    notes = {value: note for value, _, note in offers.start_choices(runs, (), runs[2].id)}
    assert "ended by now" in notes[runs[2].id] and "ended by now" not in notes[runs[1].id]


def test_the_command_shown_asks_for_the_same_queue() -> None:
    config, wrong = new_run.check(draft())
    assert config is not None and not wrong
    for start, after, free in (
        (NOW, None, False),
        (WHEN_FREE, None, True),
        ("20261124-0412-odd", "20261124-0412-odd", False),
    ):
        words = shlex.split(new_run.command(draft(start=start), config))
        asked = parser().parse_args(words[1:])
        assert (asked.after, asked.when_free) == (after, free)


DRAFTS = [
    {},
    {"epochs": "7", "lr": "1e-3", "clip": "0.123456789"},
    {"encoder": "distilbert", "seed": "4_000"},
    {"deterministic": "true", "scheduler": "cosine", "checkpoint_minutes": "1e6"},
]


@pytest.mark.parametrize("name", ["mine", "two words", 'it\'s "quoted" $HOME; *', "-odd=name"])
@pytest.mark.parametrize("recipe_name", ["goemo", "notebook"])
@pytest.mark.parametrize("texts", DRAFTS)
def test_the_command_shown_makes_the_very_same_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, recipe_name: str, texts: dict[str, str]
) -> None:
    data = str(made(tmp_path / name))
    shown = Draft(recipe_name, {**new_run.defaults(recipe_name), "data": data, **texts})
    assert planned(monkeypatch, shown) == new_run.check(shown)[0]


@pytest.mark.parametrize("texts", [{}, {"epochs": "7"}, {"encoder": "distilbert"}, {"clip": "1", "seed": "0"}])
def test_so_does_the_command_of_a_training_like_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: dict[str, str]
) -> None:
    data = str(made(tmp_path / "two words"))
    like = like_run(Run.create(recipe("notebook", "minilm").with_settings({"data": data, "seed": 3, "clip": 2})).id)
    shown = Draft("notebook", {**new_run.texts_of(like.config), **texts}, like=like)
    config, _ = new_run.check(shown)
    assert config is not None
    assert f"--like {like.run_id}" in new_run.command(shown, config) and "--data" not in new_run.command(shown, config)
    assert planned(monkeypatch, shown) == config
    elsewhere = replace(shown, texts={**shown.texts, "data": str(made(tmp_path / "other"))})
    assert planned(monkeypatch, elsewhere) == new_run.check(elsewhere)[0]


def planned(monkeypatch: pytest.MonkeyPatch, shown: Draft) -> TrainConfig:
    """What `goemo-tui train` would train for the command that a draft shows."""
    monkeypatch.setattr("trainer.runs.plan.find_encoder", lambda name, progress=None: find_encoder("minilm"))
    monkeypatch.setattr("trainer.runs.plan.anatomy", lambda folder: replace(anatomy(folder), width=0, positions=0))
    config, wrong = new_run.check(shown)
    assert config is not None, wrong
    args = parser().parse_args(shlex.split(new_run.command(shown, config))[1:])
    asked = asked_for(args)
    return plan(asked.data, asked.encoder, asked.recipe, asked.settings).config


def test_the_command_of_a_run_makes_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = recipe("notebook").with_settings({"data": str(made(tmp_path / "a b")), "lr": 0.000123456789, "epochs": 9})
    monkeypatch.setattr("trainer.runs.plan.find_encoder", lambda name, progress=None: find_encoder("minilm"))
    asked = asked_for(parser().parse_args(shlex.split(new_run.command_of(config))[1:]))
    assert plan(asked.data, asked.encoder, asked.recipe, asked.settings).config == config


def test_a_field_is_as_usual_when_it_says_the_same_otherwise() -> None:
    texts = new_run.defaults("goemo")
    assert new_run.differing(Draft("goemo", texts)) == {}
    assert new_run.differing(Draft("goemo", {**texts, "lr": "1e-3", "data": "else", "clip": " 1.0 "})) == {}
    odd = Draft("goemo", {**texts, "lr": "2e-5", "clip": "x", "encoder": "distilbert", "deterministic": "true"})
    assert new_run.differing(odd) == {
        "lr": "3e-05", "clip": "1", "encoder": "minilm", "deterministic": "false", "lora_rank": "0", "pooling": "cls",
    }  # fmt: skip
    assert set(odd.usual) == set(SETTINGS) - {"data", "recipe"}


def test_every_setting_of_a_run_can_be_taken_over() -> None:
    assert [value for value, _, _ in offers.like_choices(())] == [offers.NONE]
    runs = [
        replace(view("odd-lynx", "running"), trouble="no TOML"),
        replace(view("bee", "failed"), config=TrainConfig()),
    ]
    found = {value: (label, note) for value, label, note in offers.like_choices(runs, "20200101-0000-gone")}
    assert list(found) == [offers.NONE, runs[0].id, runs[1].id, "20200101-0000-gone"]
    assert found[runs[0].id] == ("odd-lynx", "its settings cannot be read: no TOML")
    assert found[runs[1].id][1] == "minilm · goemo · 3 epochs · failed"


def test_a_start_puts_the_run_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "start", lambda run: None)
    monkeypatch.setattr(devices, "list_devices", lambda: [CARD])
    other = Run.create(TrainConfig())
    assert Queue.of(Run.open(new_run.begin(draft()).run_id)) == Queue()
    assert Queue.of(Run.open(new_run.begin(draft(start=other.id)).run_id)) == Queue(other.id)
    assert Queue.of(Run.open(new_run.begin(draft(start=WHEN_FREE)).run_id)) == Queue(None, True)
    count = len(list_runs())
    with pytest.raises(NotFoundError):
        new_run.begin(draft(start="20200101-0000-gone"))
    monkeypatch.setattr(devices, "list_devices", list)
    with pytest.raises(ConfigError, match="names no GPU"):
        new_run.begin(draft(start=WHEN_FREE))
    assert len(list_runs()) == count


def test_a_run_is_mirrored_to_where_the_form_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Started for nobody, it is noted in its folder and in its command."""
    monkeypatch.setattr(process, "start", lambda run: None)
    monkeypatch.setattr("trainer.track.start.begin", lambda run: [])
    monkeypatch.setenv("GOEMO_TRACK", "tensorboard")
    for said, to, option in (
        (new_run.AS_SET, ["tensorboard"], ""),
        (new_run.NOWHERE, None, " --track none"),
        ("tensorboard", ["tensorboard"], " --track tensorboard"),
    ):
        wanted = replace(draft(), track=said)
        config, wrong = new_run.check(wanted)
        assert config is not None and not wrong
        assert new_run.command(wanted, config).endswith(f"--data sample{option}")
        assert Run.open(new_run.begin(wanted).run_id).record.get("track", {}).get("to") == to
    none, wrong = new_run.check(replace(draft(), track="tensorbored"))
    assert none is None and "no tracker is called 'tensorbored'" in wrong["track"]


def test_what_can_mirror_a_run_is_offered_behind_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> list[tuple[str, str]]:
        return [(value, label) for value, label, _ in offers.track_choices()]

    trackers = [(name, name) for name in ("tensorboard", "trackio", "wandb", "mlflow")]
    assert found() == [("", "nowhere"), *trackers]
    monkeypatch.setenv("GOEMO_TRACK", "mlflow")
    assert found() == [("", "as set: mlflow"), ("none", "nowhere"), *trackers]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert all("pip install 'goemo-tui[track]'" in note for _, _, note in offers.track_choices()[2:])


def test_a_start_tells_what_the_plan_warns_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process, "start", lambda run: None)
    folder = tmp_path / "russian"
    folder.mkdir()
    for split in ("train", "dev"):
        text = "".join(
            f"\u043e\u0447\u0435\u043d\u044c \u0445\u043e\u0440\u043e\u0448\u043e {i}\t17\t{split}{i}\n"
            for i in range(60)
        )
        (folder / f"{split}.tsv").write_text(text)
    texts = {**new_run.defaults("goemo"), "data": str(folder)}
    begun = new_run.begin(Draft("goemo", texts))
    assert any("language" in text or "script" in text or "English" in text for text in begun.warnings), begun.warnings
