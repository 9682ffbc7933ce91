"""How requests and the service end: everybody who was let in is answered, nobody who dawdles holds anything."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.integration.lasting import until
from tests.integration.served import PREDICT, Service, running, serving

pytest.importorskip("uvicorn", reason="the extra serve is not installed")

TEXTS = [f"comment {number}: what a day, thank you all" for number in range(64)]

IMPATIENT = """
import functools, sys
from trainer.serve import limits
limits.Limits = functools.partial(limits.Limits, header_s=0.5, body_s=0.5, write_s=0.5)
from goemo_tui.cli import main
sys.exit(main(["serve", "--http", "127.0.0.1:0"]))
"""

POISONED = """
import sys
from trainer.serve import batcher
compute = batcher.probabilities
def poisoned(predictor, texts):
    if "poison" in texts:
        raise RuntimeError("a private matter")
    return compute(predictor, texts)
batcher.probabilities = poisoned
from goemo_tui.cli import main
sys.exit(main(["serve", "--http", "127.0.0.1:0"]))
"""

HELD = """
import sys, time
from pathlib import Path
from trainer.infer import predictor
make = predictor.Predictor.__init__
def held(self, *arguments, **options):
    while not Path(sys.argv[2]).exists():
        time.sleep(0.02)
    make(self, *arguments, **options)
predictor.Predictor.__init__ = held
print('{"address": "http://' + sys.argv[1] + '"}', flush=True)
from goemo_tui.cli import main
sys.exit(main(["serve", "--http", sys.argv[1]]))
"""


def waiting(service: Service) -> float:
    return service.metrics("goemo_queue_texts")[""]


def sent(service: Service, head: str, body: bytes = b"") -> socket.socket:
    """A connection over which this was sent; host and port are filled in."""
    plug = socket.create_connection(service.where, 60)
    plug.sendall(head.format(*service.where).replace("\n", "\r\n").encode() + body)
    return plug


def all_of(plug: socket.socket) -> bytes:
    """What comes until the other side closes."""
    got = b""
    try:
        while piece := plug.recv(65_536):
            got += piece
    except ConnectionResetError:
        pass
    return got


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_whoever_was_let_in_is_answered_before_the_end(starter: Path, number: int, code: int) -> None:
    with serving("--deadline", "250") as service, ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(service.predict, *TEXTS) for _ in range(8)]
        computed = lambda: service.metrics("goemo_texts_total")[""]  # noqa: E731
        until(lambda: waiting(service) + computed() >= 8 * 64 - 32, "the requests never came in")
        os.kill(service.process.pid, number)
        found = [answer.result() for answer in answers]
        assert [answer.code for answer in found] == [200] * 8
        assert all([one["text"] for one in answer.document["results"]] == TEXTS for answer in found)
        assert service.process.wait(60) == code
        with pytest.raises(OSError):
            service.predict("late")


def test_a_second_signal_does_not_wait(starter: Path) -> None:
    with serving() as service:
        body = json.dumps({"texts": TEXTS * 4}).encode()
        head = (
            f"POST {PREDICT} HTTP/1.1\nHost: {{}}:{{}}\nContent-Type: application/json\nContent-Length: {len(body)}\n\n"
        )
        plugs = [sent(service, head, body) for _ in range(4)]
        until(lambda: waiting(service) > 500, "nothing waits")
        service.process.send_signal(signal.SIGINT)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 130
        for plug in plugs:
            plug.close()


@pytest.mark.parametrize("meanwhile", ["it gets ready", "a signal comes"])
def test_while_the_model_is_loaded_it_says_so(starter: Path, tmp_path: Path, meanwhile: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
    go = tmp_path / "go"
    with running([sys.executable, "-c", HELD, where, str(go)]) as service:

        def alive() -> bool:
            try:
                return service.ask("/healthz").code == 200
            except OSError:
                return False

        until(alive, "it never listened")
        for answer in (service.ask("/readyz"), service.predict("early"), service.ask("/v1/model")):
            assert answer.code == 503 and "being loaded" in answer.error and int(answer.headers["retry-after"]) > 0
        assert service.metrics("goemo_ready") == {"": 0}
        if meanwhile == "it gets ready":
            go.touch()
            until(lambda: service.ask("/readyz").code == 200, "it never got ready")
            assert service.predict("now").code == 200
        else:
            service.process.terminate()
            assert service.process.wait(50) == 143


def test_who_waited_too_long_is_told_so_and_not_computed(starter: Path) -> None:
    with serving("--deadline", "0.02") as service:
        answer = service.predict(*TEXTS * 4)
        assert answer.code == 503 and "waited for 0.02 s" in answer.error and int(answer.headers["retry-after"]) > 0
        until(lambda: waiting(service) == 0, "they still wait")
        assert service.metrics("goemo_texts_total")[""] < 256


def test_nothing_is_computed_for_a_client_that_has_gone_and_no_http_is_told_so(starter: Path) -> None:
    with serving() as service:
        body = json.dumps({"texts": TEXTS * 4}).encode()
        head = (
            f"POST {PREDICT} HTTP/1.1\nHost: {{}}:{{}}\nContent-Type: application/json\nContent-Length: {len(body)}\n\n"
        )
        plugs = [sent(service, head, body) for _ in range(4)]
        until(lambda: waiting(service) > 500, "nothing waits")
        for plug in plugs:
            plug.close()
        until(lambda: waiting(service) == 0, "they still wait")
        assert service.metrics("goemo_texts_total")[""] < 1_024
        got = all_of(sent(service, "\x16\x03\x01 no HTTP at all\n\n"))
        assert got.startswith(b"HTTP/1.1 400 ") and b'{"error": ' in got
        assert all_of(sent(service, "GET /healthz HTTP/1.1\nConnection: close\n\n")).startswith(
            b"HTTP/1.1 400 "
        )  # no Host
        long_head = "GET /healthz HTTP/1.1\nHost: {}:{}\nX: " + "x" * 200_000
        with suppress(OSError):  # it may be left before it has said all
            assert b"200 OK" not in all_of(sent(service, long_head))
        assert service.predict("still there").code == 200


def test_clients_that_dawdle_are_left(starter: Path) -> None:
    with running([sys.executable, "-c", IMPATIENT]) as service:
        silent = sent(service, "")
        half_a_head = sent(service, f"POST {PREDICT} HTTP/1.1\nHost: ")
        assert all_of(silent) == all_of(half_a_head) == b""
        head = f"POST {PREDICT} HTTP/1.1\nHost: {{}}:{{}}\nContent-Type: application/json\n"
        for how, first in (("Content-Length: 100\n\n", b'{"te'), ("Transfer-Encoding: chunked\n\n", b'4\r\n{"te\r\n')):
            got = all_of(sent(service, head + how, first))
            assert got.startswith(b"HTTP/1.1 408 ") and b'{"error": "the body did not come within 0.5 s"}' in got
        trickling = sent(service, head)
        stop = threading.Event()

        def trickle() -> None:  # a byte now and then is no sign of good will
            try:
                while not stop.wait(0.05):
                    trickling.sendall(b"x")
            except OSError:
                pass

        thread = threading.Thread(target=trickle)
        thread.start()
        assert all_of(trickling) == b""
        stop.set()
        thread.join()
        # many answers that nobody reads: the server must not keep them for ever
        again = "GET /openapi.json HTTP/1.1\r\nHost: {}:{}\r\n\r\n".format(*service.where).encode()
        unread = sent(service, "", again * 1_000)
        until(lambda: not _kept(service, unread), "the answers are still kept")
        assert service.predict("still there").code == 200


def _kept(service: Service, plug: socket.socket) -> bool:
    """Whether the service has this connection still."""
    links = psutil.Process(service.process.pid).net_connections()
    return any(link.raddr and link.raddr.port == plug.getsockname()[1] for link in links)


def test_what_fails_is_told_by_its_id_and_harms_nobody_else(starter: Path, goemo_home: Path) -> None:
    with running([sys.executable, "-c", POISONED]) as service:
        with ThreadPoolExecutor(8) as pool:
            fine = [pool.submit(service.predict, *TEXTS[:8]) for _ in range(7)]
            bad = service.predict("poison", *TEXTS[:8])
        assert bad.code == 500 and "private" not in bad.error
        error_id = bad.error.rpartition(" ")[2]
        assert [answer.result().code for answer in fine] == [200] * 7
        log = (goemo_home / "state" / "app.log").read_text()
        assert error_id in log and "a private matter" in log
        service.process.terminate()
        _, said = service.process.communicate(timeout=60)
        assert "Traceback" not in said and error_id in said
