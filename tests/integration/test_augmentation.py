"""Augmented trainings in real workers, and a translation there and back by a tiny pair made on the spot."""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from goemo_tui.cli import main
from tests.integration.test_training import create, weights, work
from trainer import load_corpus, train
from trainer.corpus.augmented import NAME
from trainer.corpus.interrupt import Cancelled
from trainer.errors import ModelError, NotFoundError
from trainer.hub_client import Unreachable
from trainer.runs.run import Run
from trainer.runs.tail import read_events

TEXTS = load_corpus("sample").splits["train"].text[:200]


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two tiny random Marian models with a vocabulary of their own: they answer nonsense, through the real code."""
    return _marian(tmp_path_factory.mktemp("there"), 1), _marian(tmp_path_factory.mktemp("back"), 2)


def _marian(folder: Path, seed: int) -> Path:
    import sentencepiece
    import torch
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(TEXTS))
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "source"), vocab_size=300, hard_vocab_limit=False, minloglevel=2
    )
    (folder / "source.model").rename(folder / "source.spm")
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    names = ["</s>", "<unk>", *(pieces.id_to_piece(i) for i in range(3, len(pieces))), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(names)}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tokenizer = MarianTokenizer(
            str(folder / "source.spm"), str(folder / "target.spm"), str(folder / "vocab.json"), model_max_length=64
        )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    last = len(names) - 1
    small = MarianConfig(
        vocab_size=len(names), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=256,
        pad_token_id=last, eos_token_id=0, decoder_start_token_id=last, forced_eos_token_id=0, init_std=2.0,
    )  # fmt: skip
    MarianMTModel(small).save_pretrained(folder)
    return folder


def test_a_run_trains_on_more_rows_and_says_so(tiny_encoder: Path, goemo_home: Path) -> None:
    run = create(tiny_encoder, augment="synonyms+deletion", augment_share=0.5, epochs=1)
    assert work(run) == 0
    started = read_events(run.folder / "events.jsonl")[0]
    assert started["rows"] == {"train": 144, "dev": 280} and started["steps"] == 18
    assert set(started["augmented"]) == {"synonyms", "deletion"} and sum(started["augmented"].values()) == 48
    made = [json.loads(line) for line in (run.folder / NAME).read_text().splitlines()[1:]]
    assert len(made) == 48 and all(origin < 96 for origin, _, _ in made)
    assert not (run.folder / "worker.log").read_text()
    plain = create(tiny_encoder, epochs=1)
    assert work(plain) == 0
    assert "augmented" not in read_events(plain.folder / "events.jsonl")[0]
    assert weights(plain) != weights(run)


def test_it_is_resumed_with_the_same_rows_whatever_became_of_the_cache(tiny_encoder: Path, goemo_home: Path) -> None:
    settings: dict[str, Any] = {"augment": "deletion", "augment_share": 1.0, "epochs": 2, "checkpoint_steps": 5}
    whole = create(tiny_encoder, **settings)
    assert work(whole) == 0
    run = create(tiny_encoder, **settings)

    def stop_soon(worker: Any) -> None:
        while run.snapshot().step in (None, 0) and worker.poll() is None:
            time.sleep(0.01)
        worker.terminate()

    assert work(run, stop_soon) == 0 and run.state == "stopped"
    for file in (goemo_home / "cache" / "augmented").iterdir():
        file.unlink()
    assert work(run) == 0 and run.state == "finished"
    assert weights(run) == weights(whole)


def test_there_and_back(pair: tuple[Path, Path], tiny_encoder: Path, goemo_home: Path) -> None:
    from trainer.learn.translate import translator

    names = "+".join(map(str, pair))
    first = translator(names, "cpu")(TEXTS[:40])
    assert len(first) == 40 and any(first) and first != TEXTS[:40]
    files = sorted((goemo_home / "cache" / "translations").iterdir())
    assert len(files) == 2 and all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert translator(names, "cpu")(TEXTS[:40]) == first
    result = train(
        "sample", str(tiny_encoder), limit=64, epochs=1, augment="back_translation+deletion", translation=names
    )
    run = Run.open(result.run)
    assert run.config.translation == names
    made = read_events(run.folder / "events.jsonl")[0]["augmented"]
    assert made["back_translation"] and 24 <= sum(made.values()) <= 32  # some comments are too short for deletion


def test_the_command_line_translates_too(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    names = "+".join(map(str, pair))
    arguments = ("--method", "back_translation", "--translation", names, "--share", "0.02", "--json")
    assert main(["data", "augment", "sample", *arguments]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["methods"]) <= {"back_translation"} and told["made"] == len(told["results"]) <= 22


def test_a_stop_loses_no_translation(
    pair: tuple[Path, Path], goemo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.learn import translate

    monkeypatch.setattr(translate, "BETWEEN", 0.0)
    monkeypatch.setattr(translate, "BATCH", 8)
    said: list[str] = []
    names = "+".join(map(str, pair))
    with pytest.raises(Cancelled):
        translate.translator(names, "cpu", said.append, lambda: len(said) == 3)(TEXTS[:40])
    assert said == [f"translating there: {n} of 40 comments" for n in (8, 16, 24)]
    (file,) = (goemo_home / "cache" / "translations").iterdir()
    with file.open("a") as out:
        out.write('["half a li')
    said.clear()
    assert len(translate.translator(names, "cpu", said.append)(TEXTS[:40])) == 40
    assert said[0] == "translating there: 8 of 16 comments" and said[2].startswith("translating back: 8 of ")


@pytest.mark.parametrize(
    ("translation", "kind", "said"),
    [
        ("nobody/has-this+nobody/nor-that", Unreachable, "translation model nobody/has-this is not here"),
        ("./nowhere+./nor-there", NotFoundError, "no such folder"),
    ],
)
def test_a_pair_that_is_not_there_is_named_before_anything_is_written(
    translation: str, kind: type[Exception], said: str, tiny_encoder: Path, goemo_home: Path
) -> None:
    with pytest.raises(kind, match=said) as told:
        train("sample", str(tiny_encoder), limit=32, augment="back_translation", translation=translation)
    assert "translation=THERE+BACK" in str(told.value)
    assert not (goemo_home / "runs").exists()


def test_a_folder_that_cannot_translate_says_what_can(tiny_encoder: Path, pair: tuple[Path, Path]) -> None:
    from trainer.learn.translate import translator

    with pytest.raises(ModelError, match="cannot be used for a translation"):
        translator(f"{tiny_encoder}+{pair[1]}", "cpu")(["one text"])


def test_pickled_weights_are_never_opened(pair: tuple[Path, Path], tmp_path: Path) -> None:
    from trainer.learn.translate import translator

    folder = tmp_path / "pickled"
    folder.mkdir()
    for file in pair[0].iterdir():
        if file.suffix != ".safetensors":
            (folder / file.name).write_bytes(file.read_bytes())
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ModelError, match="is pickle"):
        translator(f"{folder}+{pair[1]}", "cpu")
