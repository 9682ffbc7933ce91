"""Datasets of the Hub by name: their Parquet files from a Hub on loopback, pinned, and without a network afterwards."""

from __future__ import annotations

import fcntl
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.whole_hub import TOKEN, Repository, WholeHub, serving
from trainer.corpus import load_corpus
from trainer.corpus.hub import Name, parsed
from trainer.errors import NotFoundError
from trainer.labels import EMOTIONS

ROOT = Path(__file__).parent.parent.parent
GO = "google-research-datasets/go_emotions"
CONVERTED = "refs/convert/parquet"

READ = """
import json, sys
from trainer.corpus import load_corpus
from trainer.errors import GoemoError
try:
    found = load_corpus(sys.argv[1])
    splits = {name: [list(split.text), [list(row) for row in split.labels], list(split.ids)] for name, split in found.splits.items()}
    print(json.dumps({"name": found.name, "path": str(found.path), "labels": list(found.labels.names), "splits": splits}))
except GoemoError as error:
    print(json.dumps({"error": str(error), "code": error.exit_code}))
"""


@pytest.fixture
def hub() -> Iterator[WholeHub]:
    with serving() as found:
        yield found


def environment(hub: WholeHub | None) -> dict[str, str]:
    values = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    values |= {"PYTHONPATH": str(ROOT), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": TOKEN}
    return {**values, "HF_ENDPOINT": hub.endpoint if hub is not None else "http://127.0.0.1:9"}


def read(hub: WholeHub | None, name: str) -> dict[str, Any]:
    """What a fresh process loads under a name; `None` is a Hub that is out of reach."""
    done = subprocess.run(
        [sys.executable, "-c", READ, name],
        env=environment(hub),
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def parquet(rows: list[tuple[str, list[int], str]], names: tuple[str, ...] = EMOTIONS, **more: Any) -> bytes:
    """A split as the Hub converts it: class ids, and their names in the features beside the schema."""
    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "labels": {"feature": {"names": list(names), "_type": "ClassLabel"}, "_type": "List"},
        "id": {"dtype": "string", "_type": "Value"},
    }
    table = pa.table({"text": [r[0] for r in rows], "labels": [r[1] for r in rows], "id": [r[2] for r in rows]})
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def by_raters() -> bytes:
    """The `raw` configuration: one column a label, one row a rater."""
    out = io.BytesIO()
    pq.write_table(pa.table({"text": ["a"], "rater_id": [1], "joy": [0], "anger": [1]}), out)
    return out.getvalue()


TRAIN = [(f"comment {i}", [i % 28], f"t{i}") for i in range(40)]


@pytest.fixture
def go_emotions(hub: WholeHub) -> Repository:
    repo = hub.datasets[GO] = Repository()
    repo.commit({"README.md": b"x", "simplified/train-00000-of-00001.parquet": b"never opened"})
    repo.commit(
        {
            "raw/train/0000.parquet": by_raters(),
            "simplified/train/0000.parquet": parquet(TRAIN[:30]),
            "simplified/train/0001.parquet": parquet(TRAIN[30:]),
            "simplified/validation/0000.parquet": parquet([("dev one", [27], "d1"), ("dev two", [0, 17], "d2")]),
            "simplified/test/0000.parquet": parquet([("test", [1], "x1")]),
        },
        CONVERTED,
    )
    return repo


def test_go_emotions_by_its_name(hub: WholeHub, go_emotions: Repository, goemo_home: Path) -> None:
    found = read(hub, GO)
    assert found.get("labels") == list(EMOTIONS), found
    assert found["name"] == "go_emotions"
    assert found["splits"]["train"] == [[r[0] for r in TRAIN], [r[1] for r in TRAIN], [r[2] for r in TRAIN]]
    assert found["splits"]["dev"][1] == [[27], [0, 17]] and found["splits"]["test"][0] == ["test"]
    sha = go_emotions.refs[CONVERTED]
    assert found["path"] == str(
        goemo_home / "corpora" / "hub" / "google-research-datasets--go_emotions" / f"simplified@{sha}"
    )
    assert not [a for a in hub.asked if "raw" in a and "resolve" in a]
    # once fetched, neither the name nor its pinned form asks anybody; a newer commit does not change what is here
    hub.asked.clear()
    go_emotions.commit({"simplified/train/0000.parquet": parquet([("new", [0], "n")])}, CONVERTED)
    for name in (GO, f"{GO}:simplified", f"{GO}:simplified@{sha}", f"{GO}@{sha[:8]}"):
        assert read(hub, name)["splits"] == found["splits"], name
    assert not hub.asked
    assert read(None, GO)["splits"] == found["splits"]
    for file in goemo_home.rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()


def test_a_training_keeps_the_very_commit(hub: WholeHub, go_emotions: Repository) -> None:
    sha = go_emotions.refs[CONVERTED]
    code = (
        "import sys\nfrom trainer.runs.plan import plan\n"
        f"print(plan({GO!r}).config.data)\nfrom trainer.corpus import load_corpus\nprint(load_corpus(plan({GO!r}).config.data).path)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(hub),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    data, path = done.stdout.split()
    assert data == f"{GO}:simplified@{sha}" and path.endswith(sha), done.stderr


def test_a_repository_that_is_parquet_itself(hub: WholeHub) -> None:
    hub.datasets["they/own"] = Repository()
    hub.datasets["they/own"].commit(
        {"data/train-00000-of-00001.parquet": parquet(TRAIN, ("good", "bad", *EMOTIONS[2:]))}
    )
    found = read(hub, "they/own")
    assert found["labels"][:2] == ["good", "bad"] and set(found["splits"]) == {"train", "dev"}
    assert "default@" in found["path"]


def test_what_cannot_be_used_says_what_to_do(hub: WholeHub, go_emotions: Repository, goemo_home: Path) -> None:
    raw = read(hub, f"{GO}:raw")
    assert raw["code"] == 1 and "no column of labels" in raw["error"] and "configuration" in raw["error"]
    assert not list((goemo_home / "corpora" / "hub").glob("*/.*")), "what is refused takes room"
    for name, words in (
        (f"{GO}:plain", ("no configuration 'plain'", "raw, simplified")),
        (f"{GO}@nosuchrevision", ("no such revision",)),
        ("they/unknown", ("neither a folder nor a file", "check the name")),
    ):
        found = read(hub, name)
        assert found["code"] == 3, found
        for word in words:
            assert word in found["error"], found
    hub.datasets["they/many"] = Repository()
    hub.datasets["they/many"].commit({f"{c}/train/0000.parquet": parquet(TRAIN) for c in ("a", "b")}, CONVERTED)
    assert "several configurations: a, b" in read(hub, "they/many")["error"]
    hub.datasets["they/none"] = Repository()
    hub.datasets["they/none"].commit({"train.csv": b"text,labels\n"})
    none = read(hub, "they/none")
    assert none["code"] == 1 and "no Parquet files" in none["error"]
    gone = read(None, "they/unknown")
    assert gone["code"] == 3 and "neither a folder nor a file" in gone["error"] and "check the network" in gone["error"]
    done = subprocess.run(
        [sys.executable, "-m", "goemo_tui", "data", "check", "they/unknown", "--json"], env=environment(None),
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 3 and "check the network" in json.loads(done.stdout)["problems"][0]["what"]


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """As another process holds it that fetches."""
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    yield
    os.close(handle)


def test_a_transfer_that_breaks_leaves_no_corpus_and_can_be_done_again(
    hub: WholeHub, go_emotions: Repository, goemo_home: Path
) -> None:
    hub.trouble["simplified/validation"] = "cut"
    broken = read(hub, GO)
    assert broken["code"] == 3 and "run the same again" in broken["error"]
    assert not list((goemo_home / "corpora").rglob("source.json"))
    hub.trouble.clear()
    (part,) = (goemo_home / "corpora" / "hub").glob("*/.*.part")
    with held(part):
        busy = read(hub, GO)
        assert busy["code"] == 1 and "by another process" in busy["error"]
    hub.asked.clear()
    assert set(read(hub, GO)["splits"]) == {"train", "dev", "test"}
    assert not [a for a in hub.asked if a.startswith("GET") and "simplified/train" in a], "what was whole came again"


def test_which_texts_name_a_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parsed("a/b") == Name("a/b") and parsed("a/b:c@d") == Name("a/b", "c", "d")
    for text in ("sample", "./a/b", "/a/b", "a/b/c", "a/b:", "a b/c", "../x", "~/x"):
        assert parsed(text) is None or text == "a/b:", text
    # a file's name is never asked for, and a folder of that name goes first
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError, match=r"no corpus at data/train\.tsv"):
        load_corpus("data/train.tsv")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "train.tsv").write_text("hello\t0\tx\n" * 20)
    assert load_corpus("a/b").path == tmp_path / "a" / "b"
    with pytest.raises(NotFoundError, match="goemo-tui data check a/c"):
        load_corpus("a/c", fetch=False)


def test_the_list_of_corpora_names_it(hub: WholeHub, go_emotions: Repository) -> None:
    def cli(*words: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "goemo_tui.cli", "data", *words], env=environment(hub), capture_output=True, text=True,
            timeout=240, check=True,
        ).stdout  # fmt: skip

    assert json.loads(cli("check", GO, "--json"))["splits"]["train"]["rows"] == 40
    (found,) = [c for c in json.loads(cli("list", "--json"))["corpora"] if c["origin"] == "hub"]
    assert found["name"] == f"{GO}:simplified@{go_emotions.refs[CONVERTED]}"
    assert found["splits"] == {"train": 40, "dev": 2, "test": 1}
