"""`goemo-tui serve`: the numbers of `predict`, whoever else asks; and an answer that says why, to whoever gets no numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from goemo_tui.cli import main
from tests.integration.served import PREDICT, Service, serving
from trainer import load_corpus
from trainer.labels import EMOTIONS

pytest.importorskip("uvicorn", reason="the extra serve is not installed")

Refusing = Callable[..., tuple[int, str]]

ODD = ["", " ", "😀😀 ok", "word " * 400, "مرحبا بالعالم", "tab\there \x1b[31m", "\ufffd", "a" * 9_000]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refusing:
    """Calls `goemo-tui serve` with what it refuses: the exit code, and what it says."""

    def ask(*arguments: str) -> tuple[int, str]:
        code = main(["serve", *arguments])
        told = capsys.readouterr()
        assert not told.out and "Traceback" not in told.err
        return code, told.err

    return ask


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One with the starter, for all that leaves it as it was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GOEMO_STARTER", raising=False)
        with serving(GOEMO_HOME=str(tmp_path_factory.mktemp("home"))) as found:
            yield found


def by_hand(texts: list[str], *options: str) -> list[dict[str, object]]:
    """What `goemo-tui predict --json` says of each text."""
    done = subprocess.run(
        [sys.executable, "-m", "goemo_tui", "predict", "-", "--json", *options],
        input="\n".join(texts) + "\n", capture_output=True, text=True, timeout=240, check=True,
    )  # fmt: skip
    found: list[dict[str, object]] = json.loads(done.stdout)["results"]
    return found


def test_the_numbers_are_those_of_predict_whoever_else_asks(service: Service, starter: Path) -> None:
    """To the last digit: alone, together, and in the midst of others."""
    texts = [*ODD, *map(str, load_corpus("sample").splits["dev"].text[:72])]
    expected = by_hand(texts)
    together = service.predict(*texts)
    assert together.code == 200
    assert together.document == {"model": "starter", "results": expected}
    with ThreadPoolExecutor(24) as pool:
        at_once = list(pool.map(service.predict, texts))
    assert [answer.code for answer in at_once] == [200] * len(texts)
    assert [answer.document["results"][0] for answer in at_once] == expected
    rounds, computed = service.metrics("goemo_batch_texts_count")[""], service.metrics("goemo_texts_total")[""]
    assert computed >= 2 * len(texts) and rounds < computed / 2  # they were computed together


def test_thresholds_are_those_that_are_asked_for(service: Service, starter: Path) -> None:
    text = "I'm so excited about this! But also a bit nervous about how it will turn out..."
    for threshold in ("0.05", "0.3"):
        (expected,) = by_hand([text], "--threshold", threshold)
        assert service.predict(text, threshold=float(threshold)).document["results"] == [expected]
    assert service.predict(text, threshold="tuned").document["results"] == by_hand([text])
    assert service.predict(text, threshold=1).document["results"][0]["emotions"] == []


def test_it_tells_of_itself(service: Service) -> None:
    about = service.ask("/v1/model").document
    assert about["labels"] == list(EMOTIONS) and set(about["thresholds"]) == set(EMOTIONS)
    assert (about["model"], about["max_length"], about["device"]) == ("starter", 64, "cpu")
    assert service.ask("/healthz").document == {"status": "ok"}
    assert service.ask("/readyz").document == {"status": "ready"}
    assert set(service.ask("/openapi.json").document["paths"]) == {
        PREDICT, "/v1/model", "/healthz", "/readyz", "/metrics",
    }  # fmt: skip
    assert (
        service.ask("/docs").code == service.ask("/redoc").code == 404
    )  # their pages would load scripts from elsewhere


WRONG = {
    "no JSON": (b"texts", 422, "Invalid JSON"),
    "no UTF-8": (b'{"texts": ["\xff"]}', 422, "Invalid JSON"),
    "half a character": (b'{"texts": ["\\ud800"]}', 422, "Invalid JSON"),
    "nothing": (b"", 422, "Invalid JSON"),
    "a list": (["a"], 422, "object"),
    "no texts": ({}, 422, "texts: Field required"),
    "an empty list": ({"texts": []}, 422, "at least 1"),
    "numbers": ({"texts": [1, 2]}, 422, "texts.0: Input should be a valid string"),
    "one text": ({"texts": "a"}, 422, "texts: Input should be a valid array"),
    "too many": ({"texts": ["a"] * 257}, 422, "at most 256 items"),
    "too long": ({"texts": ["a" * 10_001]}, 422, "at most 10000 characters"),
    "another key": ({"texts": ["a"], "treshold": 0.5}, 422, "treshold: Extra inputs are not permitted"),
    "a threshold beyond 1": ({"texts": ["a"], "threshold": 1.5}, 422, "tuned, or a number from 0 to 1"),
    "a threshold that is true": ({"texts": ["a"], "threshold": True}, 422, "tuned, or a number from 0 to 1"),
    "no number": (b'{"texts": ["a"], "threshold": NaN}', 422, "tuned, or a number from 0 to 1"),
    "a hole": (b"[" * 100_000, 422, "Invalid JSON"),
    "too large": (b'{"texts": ["' + b"a" * 1_000_000 + b'"]}', 413, "larger than 1,000,000 bytes"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said(service: Service, what: str) -> None:
    body, code, said = WRONG[what]
    answer = service.ask(PREDICT, body)
    assert (answer.code, said in answer.error) == (code, True), answer.body
    assert service.predict("still there").code == 200


def test_paths_methods_and_kinds(service: Service) -> None:
    assert service.ask("/nothing").code == 404 and PREDICT in service.ask("/nothing").error
    got = service.ask(PREDICT)
    assert got.code == 405 and got.headers["allow"] == "POST" and got.error
    assert service.ask("/healthz", {}, "POST").code == 405
    assert service.ask("/healthz", method="HEAD").code == 200 and service.ask("/readyz", method="HEAD").code == 200
    assert service.ask(PREDICT, b"{}", content_type="text/plain").code == 415


def test_a_body_of_unknown_length_ends_at_the_limit(service: Service) -> None:
    import http.client

    link = http.client.HTTPConnection(*service.where, timeout=60)
    pieces = (b"a" * 65_536 for _ in range(400))
    link.request("POST", PREDICT, pieces, {"content-type": "application/json"}, encode_chunked=True)
    answer = link.getresponse()
    assert answer.status == 413 and "larger" in json.loads(answer.read())["error"]
    link.close()


def test_pages_of_other_sites_reach_nothing(service: Service) -> None:
    host = "{}:{}".format(*service.where)
    assert service.ask("/v1/model", host="evil.example").code == 421  # a name that was made to point here
    assert service.ask(PREDICT, {"texts": ["a"]}, host=f"evil.example:{service.where[1]}").code == 421
    assert service.ask(PREDICT, {"texts": ["a"]}, origin="http://evil.example").code == 403
    assert service.ask(PREDICT, {"texts": ["a"]}, origin="null").code == 403
    assert service.ask("/v1/model", sec_fetch_site="cross-site", sec_fetch_mode="no-cors").code == 403
    assert service.ask(PREDICT, {"texts": ["a"]}, origin=f"http://{host}").code == 200
    assert service.ask("/v1/model", host=f"localhost:{service.where[1]}").code == 200


def test_others_are_let_in_by_a_token_only(starter: Path, tmp_path: Path, refused: Refusing) -> None:
    code, said = refused("--http", "0.0.0.0:0")
    assert code == 2 and "GOEMO_SERVE_TOKEN" in said and "--token-file" in said
    token = "0123456789abcdef-secret"
    file = tmp_path / "token"
    file.write_text(token + "\n")
    file.chmod(0o600)
    for arguments, environment in ((["--token-file", str(file)], {}), ([], {"GOEMO_SERVE_TOKEN": token})):
        with serving(*arguments, http="0.0.0.0:0", **environment) as service:
            service.url = service.url.replace("0.0.0.0", "127.0.0.1")
            assert service.ask("/healthz").code == service.ask("/readyz").code == 200
            for given in (
                {},
                {"authorization": token},
                {"authorization": "Bearer wrong"},
                {"authorization": f"Basic {token}"},
            ):
                answer = service.ask(PREDICT, {"texts": ["a"]}, **given)
                assert (
                    answer.code == 401 and answer.headers["www-authenticate"] == "Bearer" and token not in answer.error
                )
                assert service.ask("/metrics", **given).code == service.ask("/openapi.json", **given).code == 401
            mine = {"authorization": f"Bearer {token}", "host": "models.example"}
            assert service.ask(PREDICT, {"texts": ["a"]}, **mine).code == 200
            assert service.ask("/v1/model", **mine, origin="http://evil.example").code == 403
            assert "token" in service.ask("/openapi.json", **mine).document["components"]["securitySchemes"]
            stopped = service.process
        assert token not in "".join(map(str, stopped.args))


def test_a_token_that_is_none_is_refused(tmp_path: Path, refused: Refusing, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "short").write_text("short")
    assert refused("--token-file", str(tmp_path / "none"))[0] == 3
    assert "at least 16" in refused("--token-file", str(tmp_path / "empty"))[1]
    assert refused("--token-file", str(tmp_path / "short"))[0] == 2
    monkeypatch.setenv("GOEMO_SERVE_TOKEN", "a token with a blank in it")
    assert refused()[0] == 2


@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        ("127.0.0.1", 2, "HOST:PORT"), ("127.0.0.1:x", 2, "a port is a number"), ("127.0.0.1:70000", 2, "65535"),
        ("::1:8000", 2, "[::1]:8000"), ("no.such.host.invalid:1", 2, "no address"), ("8.8.8.8:0", 2, "token"), (":80", 2, "HOST"),
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(where: str, code: int, said: str, refused: Refusing) -> None:
    found = refused("--http", where)
    assert found[0] == code and said in found[1], found


def test_a_port_in_use_and_a_model_that_is_not_there(
    service: Service, tmp_path: Path, starter: Path, refused: Refusing
) -> None:
    code, said = refused("--http", "{}:{}".format(*service.where))
    assert code == 1 and "another program listens there" in said
    assert refused("--http", "127.0.0.1:0", "--model", "no-such-run")[0] == 3
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text((starter / "config.json").read_text())
    (broken / "model.safetensors").write_bytes(b"nothing")
    code, said = refused("--http", "127.0.0.1:0", "--model", str(broken))
    assert code == 1 and "broken" in said
    assert refused("--http", "127.0.0.1:0", "--queue", "0")[0] == 2
    assert refused("--http", "127.0.0.1:0", "--deadline", "nan")[0] == 2
    assert refused("--http", "127.0.0.1:0", "--threshold", "7")[0] == 2


def test_ipv6_json_and_a_log_without_texts(starter: Path) -> None:
    with serving("--json", "--access-log", http="[::1]:0") as service:
        assert service.url.startswith("http://[::1]:")
        assert service.predict("a private remark").code == 200
        assert service.ask("/a/private/path").code == 404
        service.process.terminate()
        _, log = service.process.communicate(timeout=60)
        assert "POST /v1/predict 200" in log and "GET other 404" in log and "private" not in log
        assert service.process.returncode == 143
