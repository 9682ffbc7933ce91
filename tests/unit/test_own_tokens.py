"""Tokens of a corpus's own: which they are, how they are read, what their vectors begin as, and that they are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from trainer.corpus.own_tokens import add_own_tokens, find_own_tokens, in_words, words_behind
from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.errors import ModelError
from trainer.labels import OFFICIAL
from trainer.model import adapters, bert, classifier, compact
from trainer.model.own_vectors import OwnRows

GRIN, FACE = "\N{GRINNING FACE}", "\N{FACE WITH TEARS OF JOY}"
THUMB = "\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}"
TEXTS = [f"well done [NAME] {FACE}{FACE}"] * 6 + [f"[RELIGION] is for [NAME] {THUMB}"] * 5 + [f"once {GRIN} [RARE]"] * 4
OTHERS = ["[deleted] and [/s] and [Name] and [X]", "3 \N{DEGREE SIGN}C \N{COPYRIGHT SIGN}"] * 9
CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("none", ()),
        ("placeholders", ("[NAME]", "[RELIGION]")),
        ("emoji", (FACE, *sorted(THUMB))),
        ("all", ("[NAME]", FACE, "[RELIGION]", *sorted(THUMB))),
    ],
)
def test_what_becomes_a_token(kinds: str, expected: tuple[str, ...], tiny_encoder: Path) -> None:
    assert find_own_tokens(TEXTS + OTHERS, kinds, load_tokenizer(tiny_encoder)) == expected


def test_what_the_vocabulary_has_is_not_taken_again(tiny_encoder: Path) -> None:
    tokenizer = load_tokenizer(tiny_encoder)
    tokenizer.add_tokens(["[NAME]"])
    assert find_own_tokens(TEXTS, "placeholders", tokenizer) == ("[RELIGION]",)


def test_each_is_one_token_and_begins_as_its_words(tiny_encoder: Path) -> None:
    tokenizer = load_tokenizer(tiny_encoder)
    before, known = tokenizer.get_vocab_size(), tokenizer.encode("well done name", add_special_tokens=False)
    own = ("[NAME]", FACE)
    add_own_tokens(tokenizer, own)
    read = tokenizer.encode(f"Well done [NAME]{FACE}{FACE}!", add_special_tokens=False)
    assert read.ids[:2] == known.ids[:2] and read.ids[2:5] == [before, before + 1, before + 1]
    assert tokenizer.encode("[name]").tokens[1:4] == ["[", "name", "]"], "lower case is a word like any other"
    assert (in_words("[NAME]"), in_words("[SOME_THING]")) == ("name", "some thing")
    assert in_words(FACE) == "face with tears of joy"
    words = words_behind(tokenizer, own)
    assert words[before] == known.ids[2:] and len(words[before + 1]) >= 5
    model = classifier.build(tiny_encoder, OFFICIAL, 0, "random", own=words)
    weight = model.get_input_embeddings().weight  # type: ignore[operator]
    assert len(weight) == before + 2 == model.config.vocab_size  # type: ignore[union-attr, arg-type]
    assert torch.allclose(weight[before + 1], weight[words[before + 1]].mean(0))


@pytest.mark.parametrize("kind", ["tiny_encoder", "tiny_distilbert"])
def test_beside_adapters_only_their_rows_are_learned(kind: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(kind)
    tokenizer = load_tokenizer(folder)
    own = ("[NAME]", FACE)
    add_own_tokens(tokenizer, own)
    words = words_behind(tokenizer, own)
    model = classifier.build(folder, OFFICIAL, 0, "random", own=words)
    names, stock = [name for name, _ in model.named_parameters()], sum(p.numel() for p in model.parameters())
    adapters.add(model, 4, 8, 0, own_from=min(words))
    assert adapters.stock_parameters(model) == stock
    groups = classifier.parameter_groups(model, 0.01)
    optimizer = torch.optim.AdamW(groups, lr=0.1)
    tokens = tokenize([f"hello [NAME] {FACE}", "no"], tokenizer, 64)
    ids, mask = classifier.padded(tokens, [0, 1], classifier.pad_id(model))
    before = model.get_input_embeddings().whole().weight.clone()  # type: ignore[operator]
    model.eval()  # no dropout, so that only what was learned makes a difference
    model(input_ids=ids, attention_mask=mask).logits.pow(2).sum().backward()
    optimizer.step()
    expected = classifier.probabilities(model, tokens, CPU)
    plain = adapters.merged(model)
    after = plain.get_input_embeddings().weight  # type: ignore[operator]
    assert [name for name, _ in plain.named_parameters()] == names
    assert torch.equal(after[: min(words)], before[: min(words)]), "the encoder's own rows stay"
    assert (after[min(words) :] != before[min(words) :]).any(1).all()
    assert classifier.probabilities(plain, tokens, CPU) == pytest.approx(expected, abs=1e-5)
    assert isinstance(model.get_input_embeddings(), OwnRows)  # type: ignore[operator]


def test_a_packed_model_knows_them(minilm: Path, tmp_path: Path) -> None:
    tokenizer, own = load_tokenizer(minilm), ["[NAME]", FACE, GRIN]
    add_own_tokens(tokenizer, own)
    words = words_behind(tokenizer, own)
    model = classifier.build(minilm, OFFICIAL, 0, "random", pooling="mean", own=words)
    adapters.add(model, 4, 8, 0, own_from=min(words))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".lora_B." in name or name.endswith("own_rows"):
                parameter.normal_(std=0.05)
    whole, packed, out = (tmp_path / name for name in ("whole", "packed", "out"))
    classifier.save(adapters.merged(model), minilm, whole, 64, {"thresholds": {}}, "", own)
    packed.mkdir()
    for name in ("config.json", "tokenizer_config.json", "thresholds.json", "README.md"):
        (packed / name).write_bytes((whole / name).read_bytes())
    compact.pack(whole, "minilm", 4, packed)
    assert load_tokenizer(packed).to_str() == load_tokenizer(whole).to_str()
    tokens = tokenize([f"thanks [NAME] {FACE} {GRIN}", "no"], load_tokenizer(packed), 64)
    expected = classifier.probabilities(classifier.load(whole), tokens, CPU)
    assert classifier.probabilities(bert.load(packed), tokens, CPU) == pytest.approx(expected, abs=2e-3)
    compact.write_whole(packed, out)
    assert classifier.probabilities(classifier.load(out), tokens, CPU) == pytest.approx(expected, abs=2e-3)
    about = packed / "compact.json"
    about.write_text(about.read_text("utf-8").replace('"[NAME]"', "7"), "utf-8")
    with pytest.raises(ModelError, match="own_tokens is no list of tokens"):
        load_tokenizer(packed)
