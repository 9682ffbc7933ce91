"""Downloads from a real server on this machine: ranges, broken transfers, wrong files, cancelling."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from trainer.corpus import load_corpus
from trainer.corpus.download import FILES, OFFICIAL, Pinned, download
from trainer.corpus.interrupt import Cancelled
from trainer.errors import ConfigError, CorpusError
from trainer.labels import EMOTIONS

CONTENT = {
    "emotions.txt": "\n".join(EMOTIONS).encode(),
    "train.tsv": b"".join(b"train row number %d\t%d\tt%d\n" % (i, i % 28, i) for i in range(9_000)),
    "dev.tsv": b"".join(b"dev row number %d\t%d\td%d\n" % (i, i % 28, i) for i in range(50)),
    "test.tsv": b"".join(b"test row number %d\t%d\te%d\n" % (i, i % 28, i) for i in range(40)),
}


@dataclass
class Mirror:
    """What the server holds and how it misbehaves; `asked` are the requests it got as (path, Range)."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=lambda: dict(CONTENT))
    ranges: bool = True
    break_after: list[int] = field(default_factory=list)  # bytes sent before the connection is cut, one a request
    status: list[int] = field(default_factory=list)  # answers to give before the real one
    redirect: str = ""
    range_start: int | None = None  # lies about where the rest starts
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def names(self) -> list[str]:
        return [path.rpartition("/")[2] for path, _ in self.asked]


class Handler(BaseHTTPRequestHandler):
    mirror: Mirror

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        mirror, wanted = self.mirror, self.headers.get("Range")
        mirror.asked.append((self.path, wanted))
        if mirror.redirect:
            self.send_response(302)
            self.send_header("Location", mirror.redirect)
            self.end_headers()
            return
        content = mirror.files.get(self.path.partition("?")[0].rpartition("/")[2])
        if mirror.status or content is None:
            self.send_error(mirror.status.pop(0) if mirror.status else 404)
            return
        start = 0
        if wanted and mirror.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])  # type: ignore[index]
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            said = start if mirror.range_start is None else mirror.range_start
            self.send_header("Content-Range", f"bytes {said}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        self.wfile.write(body[: mirror.break_after.pop(0)] if mirror.break_after else body)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A server of small files, pinned as if they were the real ones."""
    made = Mirror()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"mirror": made}))
    made.url = f"http://127.0.0.1:{server.server_port}/goemotions/data"
    for name, content in CONTENT.items():
        monkeypatch.setitem(FILES, name, Pinned(hashlib.sha256(content).hexdigest(), len(content)))
    monkeypatch.setattr("trainer.corpus.download.PAUSES", (0.0, 0.0))
    monkeypatch.setenv("no_proxy", "*")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def left(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_the_pinned_files_are_the_published_ones() -> None:
    assert OFFICIAL == "https://raw.githubusercontent.com/google-research/google-research/master/goemotions/data"
    assert {name: file.size for name, file in FILES.items()} == {
        "train.tsv": 3_519_053, "dev.tsv": 439_059, "test.tsv": 436_706, "emotions.txt": 248,
    }  # fmt: skip
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in FILES.values())


@pytest.mark.corpus
def test_the_pinned_hashes_are_those_of_the_real_files(goemotions: Path) -> None:
    for name in ("train.tsv", "dev.tsv", "emotions.txt"):
        assert hashlib.sha256((goemotions / name).read_bytes()).hexdigest() == FILES[name].sha256


def test_all_four_files_arrive_and_load(mirror: Mirror, goemo_home: Path) -> None:
    told: list[tuple[str, int, int]] = []
    folder = download(mirror.url, progress=lambda *step: told.append(step))
    assert folder == goemo_home / "corpora" / "goemotions"
    assert {name: (folder / name).read_bytes() for name in left(folder)} == CONTENT
    corpus = load_corpus("goemotions")
    assert {name: len(split) for name, split in corpus.splits.items()} == {"train": 9_000, "dev": 50, "test": 40}
    for name, content in CONTENT.items():
        steps = [(done, total) for file, done, total in told if file == name]
        assert steps == sorted(steps) and steps[-1] == (len(content), len(content))
    assert len([step for step in told if step[0] == "train.tsv"]) > 3
    assert {path for path, _ in mirror.asked} == {f"/goemotions/data/{name}" for name in CONTENT}


def test_what_is_whole_is_not_fetched_again(mirror: Mirror, tmp_path: Path) -> None:
    download(mirror.url, tmp_path)
    mirror.asked.clear()
    download(mirror.url, tmp_path)
    assert mirror.asked == []
    (tmp_path / "dev.tsv").write_bytes(CONTENT["dev.tsv"][:-2] + b"x\n")
    told: dict[str, int] = {}
    download(mirror.url, tmp_path, progress=lambda file, done, total: told.update({file: done}))
    assert mirror.names() == ["dev.tsv"] and (tmp_path / "dev.tsv").read_bytes() == CONTENT["dev.tsv"]
    assert told == {name: len(content) for name, content in CONTENT.items()}


def test_a_broken_transfer_goes_on_where_it_broke(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files = {"emotions.txt": CONTENT["emotions.txt"], **CONTENT}
    mirror.break_after = [10**9, 100_000, 50_000]
    download(mirror.url, tmp_path)
    assert (tmp_path / "train.tsv").read_bytes() == CONTENT["train.tsv"]
    asked = [wanted for path, wanted in mirror.asked if path.endswith("train.tsv")]
    assert asked == [None, "bytes=100000-", "bytes=150000-"]
    assert left(tmp_path) == sorted(CONTENT)


def test_a_transfer_that_keeps_breaking_is_kept_for_the_next_time(mirror: Mirror, tmp_path: Path) -> None:
    mirror.break_after = [10**9, 100_000, 10_000, 1_000]
    with pytest.raises(CorpusError, match=r"111,000 of .* bytes are kept in .*train\.tsv\.part") as error:
        download(mirror.url, tmp_path)
    assert "--url" in str(error.value) and mirror.url in str(error.value)
    assert left(tmp_path) == ["emotions.txt", "train.tsv.part"]
    assert (tmp_path / "train.tsv.part").read_bytes() == CONTENT["train.tsv"][:111_000]
    mirror.asked.clear()
    download(mirror.url, tmp_path)
    assert mirror.asked[0] == ("/goemotions/data/train.tsv", "bytes=111000-")
    assert {name: (tmp_path / name).read_bytes() for name in left(tmp_path)} == CONTENT


def test_a_server_without_ranges_starts_over(mirror: Mirror, tmp_path: Path) -> None:
    mirror.ranges = False
    (tmp_path / "train.tsv.part").write_bytes(b"junk of another day")
    download(mirror.url, tmp_path)
    assert ("/goemotions/data/train.tsv", "bytes=19-") in mirror.asked
    assert (tmp_path / "train.tsv").read_bytes() == CONTENT["train.tsv"]


def test_a_server_that_sends_another_range_is_not_believed(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "train.tsv.part").write_bytes(CONTENT["train.tsv"][:1000])
    mirror.range_start = 5
    with pytest.raises(CorpusError, match=r"train\.tsv"):
        download(mirror.url, tmp_path)
    assert not (tmp_path / "train.tsv").exists()


@pytest.mark.parametrize("extra", [0, 1, 5000])
def test_a_part_as_long_as_the_file_or_longer(mirror: Mirror, tmp_path: Path, extra: int) -> None:
    (tmp_path / "dev.tsv.part").write_bytes(CONTENT["dev.tsv"] + b"x" * extra)
    download(mirror.url, tmp_path)
    assert (tmp_path / "dev.tsv").read_bytes() == CONTENT["dev.tsv"]
    assert mirror.names().count("dev.tsv") == (0 if not extra else 1)


def test_a_range_that_the_server_cannot_give_starts_over(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "dev.tsv.part").write_bytes(b"x" * 100)
    mirror.status = [404, 416]
    with pytest.raises(CorpusError, match="404"):
        download(mirror.url, tmp_path)
    (tmp_path / "emotions.txt").write_bytes(CONTENT["emotions.txt"])
    (tmp_path / "train.tsv").write_bytes(CONTENT["train.tsv"])
    mirror.asked.clear()
    download(mirror.url, tmp_path)
    assert [wanted for path, wanted in mirror.asked if path.endswith("dev.tsv")] == ["bytes=100-", None]
    assert (tmp_path / "dev.tsv").read_bytes() == CONTENT["dev.tsv"]


def test_a_wrong_file_is_thrown_away_and_said(mirror: Mirror, tmp_path: Path) -> None:
    wrong = CONTENT["train.tsv"][:-5] + b"lies\n"
    mirror.files["train.tsv"] = wrong
    with pytest.raises(CorpusError) as error:
        download(mirror.url, tmp_path)
    assert FILES["train.tsv"].sha256 in str(error.value) and hashlib.sha256(wrong).hexdigest() in str(error.value)
    assert left(tmp_path) == ["emotions.txt"]


@pytest.mark.parametrize(
    "wrong", [b"<html>log in first</html>", b"", CONTENT["train.tsv"] + b"more\n", CONTENT["train.tsv"] * 2]
)
def test_a_file_of_another_length_is_never_taken(mirror: Mirror, tmp_path: Path, wrong: bytes) -> None:
    (tmp_path / "train.tsv").write_bytes(b"what was here before\t1\tx\n")
    mirror.files["train.tsv"] = wrong
    with pytest.raises(CorpusError, match="not the file it should be"):
        download(mirror.url, tmp_path)
    assert (tmp_path / "train.tsv").read_bytes() == b"what was here before\t1\tx\n"
    assert left(tmp_path) == ["emotions.txt", "train.tsv"]


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(mirror: Mirror, tmp_path: Path) -> None:
    mirror.status = [503, 500]
    download(mirror.url, tmp_path)
    assert mirror.names().count("emotions.txt") == 3
    mirror.asked.clear()
    (tmp_path / "dev.tsv").unlink()
    del mirror.files["dev.tsv"]
    with pytest.raises(CorpusError, match=r"dev\.tsv cannot be fetched: the server answered 404"):
        download(mirror.url, tmp_path)
    assert mirror.names() == ["dev.tsv"]
    assert left(tmp_path) == ["emotions.txt", "test.tsv", "train.tsv"]


def test_no_network(mirror: Mirror, tmp_path: Path) -> None:
    port = int(mirror.url.split(":")[2].split("/")[0])
    closed = mirror.url.replace(str(port), "9")
    with pytest.raises(CorpusError, match="Check the network") as error:
        download(closed, tmp_path)
    assert "refused" in str(error.value) and str(tmp_path) in str(error.value)
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc", "file://localhost/etc", "ftp://example.org/x", "example.org/x", "http://", "http://:80/x",
        "http://a b/", "javascript:x", "http://h:99999/", "http://h\n/x",
    ],
)  # fmt: skip
def test_addresses_that_are_none(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        download(url, tmp_path)
    assert error.value.exit_code == 2 and error.value.key == "url"


def test_a_redirect_leads_to_no_file_of_this_machine(mirror: Mirror, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT["emotions.txt"])
    for target in (secret.as_uri(), "ftp://127.0.0.1/emotions.txt"):
        mirror.redirect = target
        with pytest.raises(CorpusError):
            download(mirror.url, tmp_path / "into")
        assert not (tmp_path / "into" / "emotions.txt").exists()


def test_slashes_and_queries_of_a_mirror(mirror: Mirror, tmp_path: Path) -> None:
    download(mirror.url + "/?raw=1#top", tmp_path)
    assert ("/goemotions/data/train.tsv?raw=1", None) in mirror.asked


def test_cancelling_keeps_what_is_there(mirror: Mirror, tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []
    with pytest.raises(Cancelled) as error:
        download(
            mirror.url,
            tmp_path,
            progress=lambda file, done, total: seen.append((file, done)),
            cancelled=lambda: bool(seen) and seen[-1][0] == "train.tsv" and seen[-1][1] > 100_000,
        )
    assert error.value.exit_code == 130
    kept = (tmp_path / "train.tsv.part").read_bytes()
    assert 100_000 < len(kept) < len(CONTENT["train.tsv"]) and CONTENT["train.tsv"].startswith(kept)
    mirror.asked.clear()
    download(mirror.url, tmp_path)
    assert mirror.asked[0] == ("/goemotions/data/train.tsv", f"bytes={len(kept)}-")


def test_two_downloads_at_once_do_not_mix(mirror: Mirror, tmp_path: Path) -> None:
    def meanwhile(file: str, done: int, total: int) -> None:
        if file == "train.tsv" and 0 < done < total:
            with pytest.raises(CorpusError, match="another download"):
                download(mirror.url, tmp_path)

    download(mirror.url, tmp_path, progress=meanwhile)
    assert {name: (tmp_path / name).read_bytes() for name in left(tmp_path)} == CONTENT


def test_a_folder_that_cannot_be_written(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CorpusError, match="cannot write into"):
        download(mirror.url, tmp_path / "file" / "below")


def test_a_file_is_on_disk_before_it_has_its_name(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(number: int) -> None:
        steps.append("fsync")
        fsync(number)

    def noted_replace(path: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    download(mirror.url, tmp_path)
    assert steps == ["fsync", "rename", "fsync"] * 4


def test_the_folder_is_private(mirror: Mirror, goemo_home: Path) -> None:
    folder = download(mirror.url)
    assert folder.stat().st_mode & 0o777 == 0o700
