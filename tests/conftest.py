"""What tests share: a home of their own, and the real corpus where it is there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

# Tiny models gain nothing from threads, and many test processes that each spin on all cores lose a lot.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parent.parent

LONGEST = (
    "integration/test_monkey.py",
    "integration/test_wheel.py",
    "integration/test_sample_model.py",
    "integration/test_whole_way.py",
    "integration/test_tour.py",
    "integration/test_docs.py",
    "integration/test_torture.py",
)
"""Files of minutes. They begin first: a process has a whole file at a time, and one that begins last is waited for."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, then those that start whole programs, then screens, then the rest (`--no-loadscope-reorder`)."""
    tests = Path(__file__).parent
    kinds = ("extras", "integration", "ui", "unit")

    def place(item: pytest.Item) -> tuple[int, int]:
        file = item.path.relative_to(tests).as_posix()
        kind = file.partition("/")[0]
        first = LONGEST.index(file) if file in LONGEST else len(LONGEST)
        return first, kinds.index(kind) if kind in kinds else len(kinds)

    items.sort(key=place)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--accept-pictures`: what the screens show now is what they shall show (see tests/ui/gallery.py)."""
    parser.addoption("--accept-pictures", action="store_true", help="take the screens as they are for tests/pictures")


@pytest.fixture(autouse=True)
def goemo_home(tmp_path: Path) -> Iterator[Path]:
    """Every test writes into its own GOEMO_HOME and never asks a hub.

    By a patch of its own: a test that takes back what it patched would else go on in the home of whoever runs the tests.
    """
    home = tmp_path / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOEMO_HOME", str(home))
        patch.setenv("HF_HOME", str(tmp_path / "huggingface"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        # most tests are about models of their own; what the starter is for asks for it with the fixture `starter`
        patch.setenv("GOEMO_STARTER", str(tmp_path / "no-starter"))
        # the terminal that runs the tests must not decide what they see: colours, signs, what is remembered of SSH
        for name in ("NO_COLOR", "SSH_CONNECTION", "SSH_TTY", "LC_ALL", "LC_CTYPE"):
            patch.delenv(name, raising=False)
        for name, value in (("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8")):
            patch.setenv(name, value)
        yield home


@pytest.fixture
def starter(goemo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the model that ships with the program, which is found again."""
    monkeypatch.delenv("GOEMO_STARTER")
    return ROOT / "data" / "starter"


@pytest.fixture(scope="session")
def goemotions() -> Path:
    """The folder of the real corpus; tests that use it carry the marker `corpus`."""
    folder = Path(os.environ.get("GOEMO_TEST_CORPUS", ROOT.parent / "shared" / "goemotions"))
    if not (folder / "train.tsv").is_file():
        pytest.skip("the real corpus is not on this machine (GOEMO_TEST_CORPUS names its folder)")
    return folder


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of the bundled encoder."""
    from trainer.encoders import find_encoder

    return find_encoder("minilm").folder


def _tiny(folder: Path, minilm: Path, kind: str) -> Path:
    """A random encoder of two narrow layers over the bundled vocabulary: real code paths in milliseconds."""
    import torch
    from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

    torch.manual_seed(0)
    if kind == "bert":
        small = BertConfig(
            vocab_size=30522, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
            max_position_embeddings=128,
        )  # fmt: skip
        BertModel(small).save_pretrained(folder)
    else:
        other = DistilBertConfig(
            vocab_size=30522, dim=16, n_layers=2, n_heads=2, hidden_dim=32, max_position_embeddings=128
        )
        DistilBertModel(other).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        (folder / name).write_bytes((minilm / name).read_bytes())
    return folder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Path:
    """A tiny BERT's folder."""
    return _tiny(tmp_path_factory.mktemp("tiny-bert"), minilm, "bert")


@pytest.fixture(scope="session")
def still_encoder(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny encoder without dropout: what it learns does not hang on who draws which numbers."""
    folder = tmp_path_factory.mktemp("still") / "encoder"
    shutil.copytree(tiny_encoder, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="session")
def tiny_distilbert(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Path:
    """A tiny DistilBERT's folder."""
    return _tiny(tmp_path_factory.mktemp("tiny-distilbert"), minilm, "distilbert")
