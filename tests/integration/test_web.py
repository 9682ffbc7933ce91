"""`goemo-tui --web`: the app in a real browser, for whoever was told its address and nobody else; nothing is left behind."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.integration.browser import Tab, children, chromium, serving
from tests.integration.lasting import until
from trainer import Predictor
from trainer.runs import process
from trainer.runs.run import list_runs

pytest.importorskip("textual_serve", reason="the extra web is not installed")

SENTENCE = "I am so happy for you, congratulations!"


def lines_of(text: str, word: str) -> list[int]:
    """The numbers of the lines in which an emotion's bar stands."""
    return [n for n, line in enumerate(text.splitlines()) if re.search(rf"{word} .*%", line)]


def test_a_sentence_is_inspected_and_the_picture_shows_it(starter: Path, tmp_path: Path) -> None:
    scores = Predictor().predict(SENTENCE)[0].scores
    first, second = sorted(scores, key=lambda name: -scores[name])[:2]
    with serving("--data", "sample") as (server, url), chromium() as browser:
        tab = Tab(browser, url)
        tab.wait(lambda text: "of 1,120" in text)
        tab.page.keyboard.press("F3")
        tab.wait(lambda text: "model  starter" in text)
        tab.page.keyboard.type(SENTENCE)
        told = tab.wait(
            lambda text: all(f"{scores[name]:.0%}" in text for name in (first, second)) and SENTENCE in text
        )
        told = tab.wait(lambda text: "congratulations !" in text)  # the words that made it so: all is drawn
        widths = {}
        for name in (first, second):
            (line,) = lines_of(told, name)
            row = tab.pixels_of_line(line)
            before = told.splitlines()[line].index("█")
            colour = row[round((before + 0.5) * len(row) / tab.screen.columns)]
            widths[name] = row.count(colour)
        # bars as long as the probabilities say: a blank page, or one in another font, would not have them
        assert widths[first] / widths[second] == pytest.approx(scores[first] / scores[second], rel=0.05)
        assert widths[first] > 200
        picture = tmp_path / "inspect.png"
        tab.page.screenshot(path=picture)
        assert picture.stat().st_size > 20_000
        # all that the page asked for came from its own server
        assert {urlsplit(asked).netloc for asked in tab.asked} == {urlsplit(url).netloc}
        app = children(server.pid)
        assert len(app) == 2  # the app, and the model's process
        tab.page.close()
        _, left = psutil.wait_procs(app, 60)
        assert not left


def test_trainings_go_on_when_the_tab_is_closed() -> None:
    with serving("--data", "sample") as (server, url), chromium() as browser:
        tab = Tab(browser, url)
        tab.wait(lambda text: "of 1,120" in text)
        tab.page.keyboard.press("F2")
        tab.wait(lambda text: "n opens a form" in text)
        tab.page.keyboard.press("n")
        tab.wait(lambda text: "goemo-tui train --data sample" in text)
        tab.page.keyboard.press("Control+s")
        try:
            tab.wait(lambda text: bool(list_runs()) and list_runs()[0].state == "running")
            (run,) = list_runs()
            app = [one for one in children(server.pid) if "goemo_tui.web" in one.cmdline()]
            tab.page.close()
            assert len(app) == 1 and not psutil.wait_procs(app, 60)[1]
            step = run.snapshot().step or 0
            until(lambda: (run.snapshot().step or 0) > step, "no further step")
            assert run.state == "running"
        finally:
            for one in list_runs():
                process.stop(one)


def test_q_ends_the_app_and_a_click_starts_it_again() -> None:
    with serving("--data", "sample") as (server, url), chromium() as browser:
        tab = Tab(browser, url)
        tab.wait(lambda text: "of 1,120" in text)
        before = children(server.pid)
        tab.page.keyboard.press("q")
        button = tab.page.get_by_role("button", name="Start it again")
        button.wait_for()
        assert not psutil.wait_procs(before, 60)[1]
        tab.screen.reset()
        button.click()
        tab.wait(lambda text: "of 1,120" in text)


def connected(url: str, path: str = "ws", **headers: str) -> tuple[socket.socket, bytes]:
    """A bare websocket's handshake and the first line of the answer."""
    where = urlsplit(url)
    assert where.hostname and where.port
    given = {
        "Host": where.netloc, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **headers,
    }  # fmt: skip
    plug = socket.create_connection((where.hostname, where.port), 30)
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    plug.sendall(f"GET {where.path}{path}?width=100&height=30 HTTP/1.1\r\n{head}\r\n".encode())
    return plug, plug.recv(4096).partition(b"\r\n")[0]


def answered(url: str, path: str, host: str) -> int:
    where = urlsplit(url)
    link = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    link.request("GET", path, headers={"Host": host})
    code = link.getresponse().status
    link.close()
    return code


def test_who_was_not_told_gets_nothing_and_starts_nothing() -> None:
    with serving() as (server, url):
        where = urlsplit(url)
        assert where.hostname == "127.0.0.1" and len(where.path) > 20
        own = where.netloc
        refused = {
            "another site's page": connected(url, Origin="http://evil.example"),
            "a program without a page": connected(url),
            "a name that was made to point here": connected(url, Host="evil.example", Origin="http://evil.example"),
            "another port's page": connected(url, Origin="http://127.0.0.1:1"),
            "a guessed path": connected(f"http://{own}/guess/", Origin=f"http://{own}"),
        }
        told = {who: answer.split(b" ")[1] for who, (_, answer) in refused.items()}
        assert set(told.values()) <= {b"403", b"404", b"421"}, told
        for plug, _ in refused.values():
            plug.close()
        assert [answered(url, path, own) for path in ("/", "/ws", "/static/js/textual.js", where.path)] == [
            404,
            404,
            404,
            200,
        ]
        assert answered(url, where.path, "evil.example") == 421
        assert answered(url, f"{where.path}static/", own) in (403, 404)  # no list of files
        assert children(server.pid) == []
        listening = {link.laddr.ip for link in psutil.Process(server.pid).net_connections() if link.status == "LISTEN"}
        assert listening == {"127.0.0.1"}
        plug, answer = connected(url, Origin=f"http://{own}")
        assert answer.split(b" ")[1] == b"101"
        until(lambda: children(server.pid), "no app")
        plug.close()
        until(lambda: not children(server.pid), "the app stays")


def test_a_server_that_is_killed_leaves_no_app_behind() -> None:
    with serving() as (server, url):
        plug, _ = connected(url, Origin=f"http://{urlsplit(url).netloc}")
        until(lambda: children(server.pid), "no app")
        app = children(server.pid)
        server.kill()
        assert not psutil.wait_procs(app, 60)[1]
        plug.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_end_it_and_every_app(number: int, code: int) -> None:
    with serving() as (server, url):
        plug, _ = connected(url, Origin=f"http://{urlsplit(url).netloc}")
        until(lambda: children(server.pid), "no app")
        app = children(server.pid)
        os.kill(server.pid, number)
        assert server.wait(60) == code
        assert not psutil.wait_procs(app, 60)[1]
        plug.close()


def test_what_cannot_be_is_said() -> None:
    def said(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "goemo_tui", *arguments], capture_output=True, text=True, timeout=60
        )
        assert "Traceback" not in done.stderr and not done.stdout
        return done.returncode, done.stderr

    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, text = said("--web", "--port", str(taken.getsockname()[1]))
    assert code == 1 and "another program listens there" in text
    assert said("--web", "predict", "x")[0] == 2
    assert said("--port", "1")[0] == 2
    assert said("--web", "--port", "70000") == (
        2,
        "goemo-tui: --port 70000: a port is a number from 0 (a free one) to 65535\n",
    )
