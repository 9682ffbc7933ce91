"""`because` and `like` with real models: the words are the right ones, the index is built once and distrusts what it finds."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goemo_tui.cli import main
from tests.integration.test_service import Child
from trainer import Predictor, paths, train
from trainer.errors import NotFoundError
from trainer.infer import like, nearest
from trainer.infer.explain import because, words_of
from trainer.runs.run import Run

SENTENCE = "the kettle stood on a table near our window while people walked past and it was tuesday again"
CALM = SENTENCE.split()
TOLD = {"joy": ("happy", "glad", "lovely"), "fear": ("scared", "afraid", "panic"), "anger": ("furious", "mad", "hate")}


def rows(count: int, seed: int) -> list[str]:
    """Comments of eight plain words with one or two telling ones among them."""
    draw, found = random.Random(seed), []
    for number in range(count):
        label = draw.choice(list(TOLD))
        words = draw.choices(CALM, k=8)
        for word in draw.sample(TOLD[label], k=draw.choice((1, 2))):
            words.insert(draw.randrange(len(words)), word)
        found.append(f"{' '.join(words)}\t{list(TOLD).index(label)}\tid{number}")
    return found


@pytest.fixture(scope="module")
def told(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A home with a run that has learned what the telling words tell."""
    base = tmp_path_factory.mktemp("told")
    corpus = base / "corpus"
    corpus.mkdir()
    (corpus / "emotions.txt").write_text("\n".join(TOLD) + "\n")
    for name, count in (("train", 600), ("dev", 200)):
        (corpus / f"{name}.tsv").write_text("\n".join(rows(count, len(name))) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOEMO_HOME", str(base / "home"))
        run = train(
            corpus,
            str(tiny_encoder),
            epochs=12,
            seed=3,  # learns all three emotions early; some need the first ten epochs for two of them
            lr=5e-3,
            head_lr=5e-3,
            batch_size=16,
            head_init="random",
            pooling="cls",
            lora_rank=0,
        ).run
    yield base / "home", run


@pytest.fixture
def model(told: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """That run's folder; what is written goes elsewhere."""
    home, run = told
    monkeypatch.setenv("GOEMO_HOME", str(tmp_path / "cache-home"))
    return str(home / "runs" / run)


def test_without_its_words_an_emotion_falls_further_than_without_words_at_random(model: str) -> None:
    predictor = Predictor(model)
    texts = [line.split("\t")[0] for line in rows(200, 7)]
    before = predictor.probabilities(texts)
    best = before.argmax(axis=1)
    draw = np.random.default_rng(0)
    for count in (1, 2, 3):
        told, chance = [], []
        for text, label in zip(texts, best, strict=True):
            weights = because(predictor, text).weights[:, label]
            told.append(_without(text, np.argsort(-weights)[:count]))
            chance.append(_without(text, draw.permutation(len(weights))[:count]))
        row = np.arange(len(texts))
        drops = [(before - predictor.probabilities(left))[row, best].mean() for left in (told, chance)]
        assert drops[0] > (3 if count == 1 else 1.5) * drops[1] and drops[0] > 0.1, (count, drops)


def _without(text: str, out: Any) -> str:
    return " ".join(word for k, word in enumerate(text.split()) if k not in set(map(int, out)))


def test_words_are_those_that_were_typed_and_those_beyond_the_limit_are_not_read(model: str) -> None:
    predictor = Predictor(model)
    reasons = because(predictor, "so happy, [NAME]! 🙂")
    assert [w.word for w in reasons.of("joy")] == ["so", "happy", ",", "[NAME]", "!", "🙂"]
    assert all(w.weight is not None for w in reasons.of("anger")), "whether it is felt or not"
    long = because(predictor, "so " * 100 + "happy")
    assert long.of("joy")[-1].weight is None and long.of("joy")[0].weight is not None
    assert because(predictor, "").of("joy") == because(predictor, "  \n").of("joy") == []
    with pytest.raises(NotFoundError, match="knows no emotion 'pride'"):
        reasons.of("pride")


def test_a_distilbert_is_explained_and_compared_too(tiny_distilbert: Path, goemo_home: Path) -> None:
    run = train("sample", str(tiny_distilbert), limit=64, epochs=1, head_init="random").run
    predictor = Predictor(run)
    assert len([w for w in because(predictor, "what a day").of("joy") if w.weight]) == 3
    built = like.build(predictor)
    text = built._nearest.split.text[3] if built._nearest else ""
    first = built.ask(text, 2)[0]
    assert first.text == text and first.similarity == 1 and first.labels


def test_an_index_is_built_once_and_one_that_is_damaged_or_of_another_model_is_not_trusted(
    model: str, tiny_distilbert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor, told = Predictor(model), []
    built = like.build(predictor, progress=lambda done, of: told.append((done, of)))
    (folder,) = nearest.index_folder().iterdir()
    assert built.note == "" and built.of == 600 and all(of == 600 for _, of in told)
    assert (folder.stat().st_mode & 0o777, built.ask("", 3)) == (0o700, [])
    assert built._nearest is not None
    text = built._nearest.split.text[9]
    assert (built.ask(text, 1)[0].text, built.ask(text, 1)[0].similarity) == (text, 1)
    made = (folder / nearest.VECTORS).stat().st_mtime_ns
    again = like.build(predictor)
    assert (folder / nearest.VECTORS).stat().st_mtime_ns == made, "it is read, not made again"
    assert again._nearest is not None and again.ask(text, 1)[0].text == text
    assert np.allclose(again._nearest.vectors, built._nearest.vectors, atol=1e-3), "half precision keeps enough"
    for spoil in (_cut, _flip, lambda f: (f / nearest.ABOUT).write_text("{"), lambda f: (f / nearest.VECTORS).unlink()):
        spoil(folder)
        third = like.Like(predictor)
        third.prepare()
        assert not third.ready, "what is damaged is no index"
        like.build(predictor)
        assert nearest.read(folder, *third._names, 600) is not None, "and is made again"
    run = train("sample", str(tiny_distilbert), limit=64, epochs=1, head_init="random").run
    other = like.Like(Predictor(run))
    other.prepare()
    assert not other.ready and other.note == like.ONLY_SAMPLE


def _cut(folder: Path) -> None:
    file = folder / nearest.VECTORS
    os.truncate(file, file.stat().st_size - 7)


def _flip(folder: Path) -> None:
    file = folder / nearest.VECTORS
    raw = bytearray(file.read_bytes())
    raw[-3] ^= 0x40
    file.write_bytes(raw)


def test_whose_comments_they_are(model: str, tmp_path: Path) -> None:
    folder, labels = Run.open(Path(model)).folder / "model", tuple(TOLD)
    own = like.find_source(folder, labels)
    assert own.note == "" and len(own.corpus.splits["train"]) == 600
    train_file = own.corpus.path / "train.tsv"
    before = train_file.read_text()
    try:
        train_file.write_text(before + "one more\t0\tx\n")
        assert like.find_source(folder, labels).note == like.ONLY_SAMPLE, "another fingerprint: not what it learned"
        mine = tmp_path / "mine"
        mine.mkdir()
        (mine / "train.tsv").write_text("so glad\t17\ta\n" * 12)
        assert "mine" in like.find_source(folder, labels, str(mine)).note
        assert like.find_source(folder, labels, str(tmp_path / "gone")).note == like.ONLY_SAMPLE
        asked = like.find_source(folder, labels, str(mine), asked=True)
        assert asked.note == "of mine, as asked for" and asked.corpus.path == mine
        with pytest.raises(NotFoundError, match="no corpus at"):
            like.find_source(folder, labels, str(tmp_path / "gone"), asked=True)
        (mine / "train.tsv").rename(mine / "test.tsv")
        with pytest.raises(NotFoundError, match="no training comments"):
            like.find_source(folder, labels, str(mine), asked=True)
    finally:
        train_file.write_text(before)


def test_a_model_without_its_run_finds_its_comments_among_those_at_hand(model: str, tmp_path: Path) -> None:
    own, labels = Run.open(Path(model)).folder / "model", tuple(TOLD)
    alone = tmp_path / "alone"
    shutil.copytree(own, alone)
    assert like.find_source(alone, labels, "sample").note == like.ONLY_SAMPLE
    shutil.copytree(like.find_source(own, labels).corpus.path, paths.corpora_folder() / "theirs")
    found = like.find_source(alone, labels, "sample")
    assert (found.note, found.corpus.path.name) == ("", "theirs")


def test_what_a_run_learned_is_what_its_mistakes_are_of(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    learned = str(like.find_source(Run.open(Path(model)).folder / "model", tuple(TOLD)).corpus.path)
    assert main(["runs", "errors", model, "joy", "--split", "dev"]) == 0
    assert f"dev of {learned}:" in capsys.readouterr().err
    assert main(["eval", "--model", model, "--split", "dev", "--bootstrap", "0"]) == 0
    out, err = capsys.readouterr()
    assert f"--data {learned} scores it there" in err and " on dev of sample, " in " ".join(out.split())


def test_of_the_same_text_in_many_rows_one_is_shown() -> None:
    from trainer.corpus import Split

    split = Split("train", ["Thanks", "thanks ", "no", "maybe"], [(0,)] * 4, list("abcd"), [1, 2, 3, 4])
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0.8, 0.6]], dtype=np.float32)
    found = nearest.Nearest(vectors, split, ("joy",)).to(np.array([1, 0]), "thanks", 5)
    assert [n.text for n in found] == ["thanks ", "maybe", "no"]
    assert nearest.Nearest(vectors, split, ("joy",)).to(np.array([0, 1]), "no", 1)[0].similarity == 1


@pytest.fixture
def child(model: str) -> Iterator[Child]:
    service = Child("--model", model)
    yield service
    service.end()


def test_the_child_explains_and_compares_after_what_is_typed(child: Child) -> None:
    child.until("event", "ready")
    child.say(
        {"id": 1, "op": "because", "text": "old", "emotion": "joy"},
        {"id": 2, "op": "because", "text": "so happy", "emotion": "joy"},
        {"id": 3, "op": "predict", "texts": ["so happy"]},
    )
    heard = {}
    while len(heard) < 3:
        answer = child.hear()
        heard[answer["id"]] = answer
    assert "because" not in heard[1] or heard[1]["because"]["joy"][0]["word"] == "old"
    assert heard[3]["results"]
    if heard[2].get("skipped"):  # the prediction came while it was at it
        child.say({"id": 2, "op": "because", "text": "so happy", "emotion": "joy"})
        heard[2] = child.until("id", 2)
    assert [w["word"] for w in heard[2]["because"]["joy"]] == ["so", "happy"]
    child.say({"id": 4, "op": "because", "text": "so happy", "emotion": "pride"})
    assert "knows no emotion" in child.until("id", 4)["error"]
    for number, wrong in enumerate(({"text": 3}, {"text": "a", "k": 0}, {"text": "a", "k": "3"}), 5):
        child.say({"id": number, "op": "like", **wrong})
        assert "error" in child.until("id", number)


def test_the_child_builds_the_index_between_requests_and_answers_while_it_does(child: Child) -> None:
    child.until("event", "ready")
    child.say({"id": 1, "op": "like", "text": "so happy", "k": 2})
    first = child.until("id", 1)
    assert first["like"] is None and set(first["indexing"]) == {"done", "of"}
    child.say({"id": 2, "op": "predict", "texts": ["so happy"]})
    assert child.until("id", 2)["results"]
    assert child.until("event", "indexed")["of"] == 600
    child.say({"id": 3, "op": "like", "text": "so happy", "k": 2})
    answer = child.until("id", 3)
    assert [near["labels"] for near in answer["like"]] == [["joy"], ["joy"]] and answer["note"] == ""


def test_an_index_that_is_left_is_not_built(child: Child) -> None:
    child.until("event", "ready")
    child.say({"id": 1, "op": "like", "text": "so happy", "k": 2}, {"id": 2, "op": "leave"})
    child.until("id", 2)
    child.say({"id": 3, "op": "predict", "texts": ["so"]})
    child.until("id", 3)
    assert child.end() == 0
    assert not nearest.index_folder().exists() or not list(nearest.index_folder().iterdir())


def test_the_command_line_adds_both_and_changes_nothing_else(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "so happy now", "", "--model", model, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert main(["predict", "so happy now", "", "--model", model, "--because", "--like", "2", "--json"]) == 0
    both = json.loads(capsys.readouterr().out)
    asked, empty = [(result.pop("because"), result.pop("like")) for result in both["results"]]
    assert both == plain
    felt = [e["emotion"] for e in plain["results"][0]["emotions"]]
    assert list(asked[0]) == (felt or [max(plain["results"][0]["scores"], key=plain["results"][0]["scores"].get)])
    assert all([set(word) for word in words] == [{"word", "weight"}] * 3 for words in asked[0].values())
    assert len(asked[1]) == 2 and set(asked[1][0]) == {"text", "labels", "similarity", "id"}
    assert empty == ({}, [])
    assert main(["predict", "so happy", "--model", model, "--because", "Fear", "--like", "1"]) == 0
    told = capsys.readouterr().out
    assert "because fear: " in told and "\n  like " in told
    assert main(["predict", " ", "--model", model, "--because", "--like"]) == 0
    assert "a text without words" in capsys.readouterr().out
    assert main(["predict", "so happy", "--model", model, "--like", "--data", "/no/such"]) == 3
    assert "no corpus at /no/such" in capsys.readouterr().err
    assert main(["predict", "so happy", "--model", model, "--data", "sample"]) == 2
    capsys.readouterr()
    assert main(["predict", "so", "--model", model, "--because", "pride"]) == 3
    assert 'A text stands before --because: goemo-tui predict "what a day" --because' in capsys.readouterr().err
    assert main(["predict", "so", "--model", model, "--like", "0"]) == 2
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["predict", "--model", model, "--like", "so happy now"])
    assert "a text stands before it" in capsys.readouterr().err


def test_a_text_behind_because_is_the_text(
    model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("never read"))
    assert main(["predict", "so happy now", "--model", model, "--because", "--json"]) == 0
    asked = capsys.readouterr().out
    assert main(["predict", "--model", model, "--json", "--because", "so happy now"]) == 0
    assert capsys.readouterr().out == asked
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert main(["predict", "--model", model, "--because", "joy"]) == 2
    assert "give a text" in capsys.readouterr().err


def test_words() -> None:
    words = [s.word for s in words_of("e\u0301a مَرْحَبا 感情 don't!!👩‍👩‍👧 a[s] x_1")]
    assert words == ["e\u0301a", "مَرْحَبا", "感", "情", "don't", "!!👩‍👩‍👧", "a", "[s]", "x_1"]
