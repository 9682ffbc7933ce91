"""A Hub on loopback that keeps what it is sent: repositories with commits, large files, trees, and whatever goes wrong.

Speaks the endpoints that huggingface_hub's own client uses for `push`, `pull` and datasets (plain HTTP and LFS; of Xet it
knows nothing, so clients are told HF_HUB_DISABLE_XET=1).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_MarkedTokenThatMustNeverBeSeen0123"
OWNER = "somebody"
LARGE = (".safetensors", ".parquet", ".bin")


@dataclass
class Repository:
    """`commits`: id -> path -> bytes; `refs`: branch -> id."""

    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes], ref: str = "main") -> str:
        digest = hashlib.sha1(repr((len(self.commits), sorted(files))).encode()).hexdigest()
        self.commits[digest] = files
        self.refs[ref] = digest
        return digest

    def sha(self, revision: str) -> str | None:
        return self.refs.get(revision) or (revision if revision in self.commits else None)


@dataclass
class WholeHub:
    """`trouble` maps a part of "METHOD path" to a status, or to "cut", which ends the connection half way."""

    models: dict[str, Repository] = field(default_factory=dict)
    datasets: dict[str, Repository] = field(default_factory=dict)
    trouble: dict[str, int | str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    cards: list[dict[str, Any]] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    endpoint: str = ""


def large(path: str) -> bool:
    return path.endswith(LARGE)


def etag(path: str, data: bytes) -> str:
    if large(path):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@contextmanager
def serving() -> Iterator[WholeHub]:
    hub = WholeHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.handled()

        def do_GET(self) -> None:
            self.handled()

        def do_POST(self) -> None:
            self.handled()

        def do_PUT(self) -> None:
            self.handled()

        def handled(self) -> None:
            path = urlsplit(self.path).path
            hub.asked.append(f"{self.command} {path}")
            self.sent = self.body()
            wrong = next(
                (what for part, what in hub.trouble.items() if part in f"{self.command} {unquote(path)}"), None
            )
            if isinstance(wrong, int):
                return self.refuse(wrong)
            self.cut = wrong == "cut"
            with suppress(BrokenPipeError):
                self.route(path)
            return None

        def body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                parts = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        @property
        def known(self) -> bool:
            return self.headers.get("Authorization") == f"Bearer {TOKEN}"

        def route(self, path: str) -> None:
            if path.startswith("/lfs/"):
                return self.stored(path)
            if path == "/api/whoami-v2":
                return self.json({"name": OWNER, "type": "user"}) if self.known else self.refuse(401)
            if path == "/api/validate-yaml":
                import yaml

                front = json.loads(self.sent)["content"].split("---")[1]
                hub.cards.append(yaml.safe_load(front))
                return self.json({"errors": [], "warnings": []})
            if path == "/api/repos/create":
                return self.create()
            if found := re.fullmatch(
                r"/api/(models|datasets)/([^/]+/[^/]+)(?:/(revision|tree|preupload|commit)/([^/]+).*)?", path
            ):
                return self.api(*found.groups())
            if found := re.fullmatch(r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch", path):
                return self.batch()
            if found := re.fullmatch(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
                kind = "datasets" if found[1] else "models"
                return self.resolve(kind, found[2], unquote(found[3]), unquote(found[4]))
            return self.refuse(404)

        def create(self) -> None:
            if not self.known:
                return self.refuse(401)
            asked = json.loads(self.sent)
            repo = f"{asked.get('organization') or OWNER}/{asked['name']}"
            url = {"url": f"{hub.endpoint}/{repo}"}
            if repo in hub.models:
                return self.json({"error": "You already created this model repo", **url}, 409)
            private = asked.get("visibility") == "private" or asked.get("private") is True
            hub.models[repo] = Repository(private=private)
            hub.models[repo].commit({".gitattributes": b""})
            return self.json(url)

        def repository(self, kind: str, repo: str) -> Repository | None:
            found: Repository | None = getattr(hub, kind).get(repo)
            return found if found is not None and (not found.private or self.known) else None

        def api(self, kind: str, repo: str, what: str | None, revision: str | None) -> None:
            found = self.repository(kind, repo)
            if found is None:
                return self.refuse(404 if self.known else 401, "RepoNotFound")
            if what in ("preupload", "commit"):
                if not self.known:
                    return self.refuse(401)
                return self.preupload(found) if what == "preupload" else self.commit(repo, found)
            sha = found.sha(unquote(revision or "main"))
            if sha is None:
                return self.refuse(404, "RevisionNotFound")
            files = found.commits[sha]
            if what == "tree":
                return self.json([self.entry(path, data) for path, data in sorted(files.items())])
            siblings = [{"rfilename": path, "size": len(data)} for path, data in sorted(files.items())]
            return self.json({"id": repo, "sha": sha, "private": found.private, "siblings": siblings, "tags": []})

        def entry(self, path: str, data: bytes) -> dict[str, Any]:
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            more = {"lfs": {"oid": etag(path, data), "size": len(data), "pointerSize": 130}} if large(path) else {}
            return {"type": "file", "path": path, "size": len(data), "oid": blob, **more}

        def preupload(self, found: Repository) -> None:
            files = json.loads(self.sent)["files"]
            modes = [
                {"path": f["path"], "uploadMode": "lfs" if large(f["path"]) else "regular", "shouldIgnore": False}
                for f in files
            ]
            self.json({"files": modes})

        def batch(self) -> None:
            objects = [
                {
                    "oid": o["oid"], "size": o["size"],
                    "actions": {
                        "upload": {"href": f"{hub.endpoint}/lfs/{o['oid']}"},
                        "verify": {"href": f"{hub.endpoint}/lfs/verify"},
                    },
                }
                for o in json.loads(self.sent)["objects"]
            ]  # fmt: skip
            self.json({"transfer": "basic", "objects": objects}) if self.known else self.refuse(401)

        def stored(self, path: str) -> None:
            if self.command == "PUT":
                assert hashlib.sha256(self.sent).hexdigest() == path.removeprefix("/lfs/")
                hub.objects[path.removeprefix("/lfs/")] = self.sent
            self.json({})

        def commit(self, repo: str, found: Repository) -> None:
            files = dict(found.commits[found.refs["main"]])
            for line in self.sent.splitlines():
                told = json.loads(line)
                value = told["value"]
                if told["key"] == "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                elif told["key"] == "lfsFile":
                    files[value["path"]] = hub.objects[value["oid"]]
            sha = found.commit(files)
            self.json({"success": True, "commitOid": sha, "commitUrl": f"{hub.endpoint}/{repo}/commit/{sha}"})

        def resolve(self, kind: str, repo: str, revision: str, path: str) -> None:
            found = self.repository(kind, repo)
            if found is None:
                return self.refuse(404 if self.known else 401, "RepoNotFound")
            sha = found.sha(revision)
            if sha is None:
                return self.refuse(404, "RevisionNotFound")
            data = found.commits[sha].get(path)
            if data is None:
                return self.refuse(404, "EntryNotFound")
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
            start = int(wanted[1]) if wanted else 0
            if wanted:
                hub.ranges.append(path)
            about = {"ETag": f'"{etag(path, data)}"', "X-Repo-Commit": sha}
            if large(path):
                about |= {"X-Linked-ETag": f'"{etag(path, data)}"', "X-Linked-Size": str(len(data))}
            if wanted:
                about["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            return self.send(206 if wanted else 200, data[start:], "application/octet-stream", about)

        def json(self, document: Any, status: int = 200) -> None:
            self.send(status, json.dumps(document).encode(), "application/json", {})

        def refuse(self, status: int, code: str = "") -> None:
            self.cut = False
            about = {"X-Error-Code": code} if code else {}
            self.send(status, json.dumps({"error": f"no, {status}"}).encode(), "application/json", about)

        def send(self, status: int, content: bytes, kind: str, about: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **about}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            if self.cut:
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
