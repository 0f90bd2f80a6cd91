"""The server as a process: OpenAI's client, the reference layout, slow clients, killed workers, an orderly end."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from multiprocessing.context import SpawnProcess
from pathlib import Path
from unittest.mock import MagicMock

import httpx
import numpy as np
import openai
import pytest

from nextvec.serving.connection import gated
from nextvec.serving.settings import Settings
from nextvec.serving.supervisor import Supervisor

EXAMPLE = Path(__file__).parents[2] / "examples" / "serving.toml"
CROWD = 4
SLOW = "[limits]\nheader_seconds = 0.3\nbody_seconds = 1.5\nbody_bytes = 1000000\n[[listeners]]\nport = 0\n"
TEXT = "The first sentence of a tale. The second one follows it."


@pytest.fixture(scope="module")
def server(launch, workspace, tmp_path_factory):
    """No client of these tests is slow but those that mean to be."""
    config = tmp_path_factory.mktemp("server") / "serving.toml"
    config.write_text(SLOW)
    with launch(workspace, "--config", config) as server:
        yield server


@pytest.fixture
def talk(server):
    """`talk(b"GET ...", b"more", pause=1)`: what a raw connection is answered."""

    def talk(*parts: bytes, pause: float = 0.0) -> bytes:
        url = httpx.URL(server.urls[0])
        with socket.create_connection((url.host, url.port), timeout=20) as connection:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    return talk


@pytest.fixture(scope="module")
def api(server):
    with openai.OpenAI(base_url=f"{server.urls[0]}/v1", api_key="none", max_retries=0) as api:
        yield api


class TestOpenAI:
    def test_models(self, api) -> None:
        assert [model.id for model in api.models.list()] == ["gru", "mix"]
        assert api.models.retrieve("gru").id == "gru"

    def test_embeddings(self, api) -> None:
        """The client asks for base64 by itself."""
        answer = api.embeddings.create(model="hashing", input=["One text.", "Another."])
        plain = api.embeddings.create(model="gru", input="One text.", encoding_format="float")
        assert np.linalg.norm(answer.data[1].embedding) == pytest.approx(1, abs=1e-6)
        assert answer.data[0].embedding == pytest.approx(plain.data[0].embedding)

    def test_completions(self, api, story) -> None:
        asked = {"model": "production", "prompt": story, "extra_body": {"sentences": 3}}
        whole = api.completions.create(**asked)
        assert whole.choices[0].text
        assert whole.choices[0].finish_reason in ("length", "stop")
        assert whole.usage.completion_tokens > 0
        assert len(whole.choices[0].nextvec["sentences"]) <= 3
        chunks = list(api.completions.create(**asked, stream=True))
        assert "".join(chunk.choices[0].text for chunk in chunks) == whole.choices[0].text
        assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason

    def test_errors_are_the_library_s_own(self, api) -> None:
        with pytest.raises(openai.NotFoundError, match="Did you mean 'gru'"):
            api.completions.create(model="grub", prompt="A.")

    @pytest.mark.parametrize(
        ("field", "value"),
        [("n", 2), ("temperature", 0.7), ("max_tokens", 0), ("prompt", ""), ("prompt", [[1, 2], [3]]), ("stop", 5)],
    )
    def test_they_name_the_field(self, api, field, value) -> None:
        for stream in (False, True):
            with pytest.raises(openai.UnprocessableEntityError, match=f"{field}: ") as error:
                api.completions.create(**{"model": "gru", "prompt": TEXT, field: value}, stream=stream)
            assert error.value.param == field

    def test_token_numbers_are_told_as_such(self, api) -> None:
        """What LangChain sends unless it is told not to."""
        with pytest.raises(openai.UnprocessableEntityError, match="input: token numbers are not read here, send text"):
            api.embeddings.create(model="hashing", input=[100, 201, 301])


class TestConnections:
    def test_headers_that_do_not_come_are_not_waited_for(self, talk) -> None:
        assert b"408 Request Timeout" in talk(b"GET / HTTP/1.1\r\nHost: local", pause=1)
        assert b"408 Request Timeout" in talk()

    def test_a_second_request_must_hurry_as_well(self, talk) -> None:
        first = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = talk(first, b"GET /health/live HTTP/1.1\r\n", pause=0.1)
        assert b"200 OK" in answer
        assert b"408 Request Timeout" in answer

    def test_a_body_that_does_not_come_is_not_waited_for(self, talk) -> None:
        head = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        assert b"408 Request Timeout" in talk(head + b"Content-Length: 100\r\n\r\n{")

    @pytest.mark.parametrize("cut", [None, 60, 100, 104, 112, 121])
    def test_another_protocol_is_not_spoken_and_the_body_is_read(self, talk, cut) -> None:
        """As Java's client asks for HTTP/2, and curl with --http2; the headers may come in pieces."""
        body = b'{"model": "gru", "texts": ["A river is long."]}'
        head = (
            b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        )
        parts = (head + body,) if cut is None else (head[:cut], head[cut:] + body)
        assert talk(*parts, pause=0.05).startswith(b"HTTP/1.1 200 OK")

    def test_what_is_asked_for_without_its_body_leaves_the_connection_in_step(self, talk) -> None:
        head, live = b"HEAD / HTTP/1.1\r\nhost: localhost\r\n\r\n", b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n"
        answer = talk(head, live + b"connection: close\r\n\r\n", pause=0.2)
        first, second, body = answer.split(b"\r\n\r\n")
        assert first.startswith(b"HTTP/1.1 200 OK")
        assert b"content-type: text/html" in first
        assert second.startswith(b"HTTP/1.1 200 OK")
        assert body.startswith(b"{")

    def test_endless_headers_are_cut_off(self, talk) -> None:
        assert b"431 " in talk(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)

    @pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01", b"hello\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"])
    def test_what_is_not_http_is_told_so(self, talk, noise) -> None:
        answer = talk(noise)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"application/problem+json" in answer

    def test_a_hundred_megabytes_are_refused_with_a_status(self, server) -> None:
        body, headers = b"x" * 100_000_000, {"content-type": "application/json"}
        answer = httpx.post(f"{server.urls[0]}/v1/predict", content=body, headers=headers, timeout=60)
        assert answer.status_code == 413

    def test_the_server_is_as_well_as_before(self, server) -> None:
        assert httpx.get(f"{server.urls[0]}/health/ready", timeout=60).json()["status"] == "ok"


CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "refused"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", True),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 65_000 + b"\r\n\r\n", False),
        (2 * (b"GET / HTTP/1.1\r\nX: " + b"x" * 65_000 + b"\r\n\r\n"), False),
        (b"POST / HTTP/1.1\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90_000, False),
        (CHUNKED + b"15f90\r\n" + b"x" * 90_000 + b"\r\n0\r\n\r\n", False),
        (CHUNKED + b"0\r\n" + b"X: y\r\n" * 40_000 + b"\r\n", True),
    ],
)
def test_headers_that_come_in_one_read_are_counted_and_their_body_is_not(monkeypatch, data, refused) -> None:
    behind, transport = MagicMock(), MagicMock()
    transport.is_closing.return_value = False
    monkeypatch.setattr("nextvec.serving.connection.AutoHTTPProtocol", lambda: behind)

    async def receive() -> None:
        gate = gated(10.0)()
        gate.connection_made(transport)
        gate.data_received(data)
        gate.connection_lost(None)

    asyncio.run(receive())
    assert [call.args[0][:12] for call in transport.write.call_args_list] == ([b"HTTP/1.1 431"] if refused else [])
    assert behind.data_received.called is not refused


def test_the_reference_layout_routes_by_address_and_by_name(launch, workspace, tmp_path) -> None:
    """The shipped example, its ports exchanged for free ones and its models for those at hand."""
    text = re.sub(r"^port = \d+", "port = 0", EXAMPLE.read_text(), flags=re.MULTILINE)
    text = re.sub(r'^model = "(gru|lstm)"', r'name = "\1"\nmodel = "gru"', text, flags=re.MULTILINE)
    text = re.sub(r'^model = "(amn|transformer-optimised)"', 'model = "mix"', text, flags=re.MULTILINE)
    text = re.sub(r'^model = "transformer"', 'name = "transformer"\nmodel = "production"', text, flags=re.MULTILINE)
    (tmp_path / "serving.toml").write_text(text)
    with launch(workspace, "--config", tmp_path / "serving.toml", listeners=7) as server:
        gateway, *others = server.urls
        served = [[entry["id"] for entry in httpx.get(f"{url}/v1/models", timeout=60).json()["data"]] for url in others]
        assert served == [["amn"], ["transformer"], ["gru"], ["lstm"], [], ["transformer-optimised"]]
        for name in ("amn", "gru"):
            asked = {"model": name, "prompt": TEXT}
            own = others[served.index([name])]
            told = [
                httpx.post(f"{url}/v1/completions", json=asked, timeout=60).json()["choices"] for url in (gateway, own)
            ]
            assert told[0][0]["text"] == told[1][0]["text"]
        assert (
            httpx.post(f"{others[0]}/v1/completions", json={"model": "gru", "prompt": TEXT}, timeout=60).status_code
            == 404
        )


def test_a_killed_worker_is_replaced_and_no_answer_is_wrong(launch, workspace, story) -> None:
    """Nor is any given by the new one while it loads."""
    asked = {"model": "gru", "texts": [story]}
    wrong, right, broken = [], [], []
    with launch(workspace, "--workers", 2, "--port", 0) as server:
        url = f"{server.urls[0]}/v1/predict"
        expected = httpx.post(url, json=asked, timeout=60).json()["vectors"]

        def ask() -> None:
            try:
                answer = httpx.post(url, json=asked, timeout=60)
                known = answer.status_code == 200 and np.allclose(answer.json()["vectors"], expected, atol=1e-6)
                (right if known else wrong).append(answer.status_code)
            except httpx.TransportError:
                broken.append(1)

        with crowd(ask):
            victim = workers_of(server.process.pid)[0]
            os.kill(victim, signal.SIGKILL)
            server.wait(
                lambda: victim not in workers_of(server.process.pid) and len(workers_of(server.process.pid)) == 2
            )
            before = len(right)
            server.wait(lambda: len(right) > before + 20)
        assert "starting another" in server.log()

        def gauges() -> list[str]:
            lines = httpx.get(f"{server.urls[0]}/metrics", timeout=60).text.splitlines()
            return [line for line in lines if line.startswith(("nextvec_models ", "nextvec_waiting_items{"))]

        server.wait(lambda: "nextvec_models 2.0" in gauges())
        assert any('stage="predict"' in line and line.endswith(" 0.0") for line in gauges())
    assert wrong == []
    assert len(broken) <= CROWD
    assert server.process.returncode == 0


@contextlib.contextmanager
def crowd(work):
    """So many threads do it over and over until the block is left."""
    over = threading.Event()

    def go() -> None:
        while not over.is_set():
            work()

    threads = [threading.Thread(target=go) for _ in range(CROWD)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def workers_of(pid: int) -> list[int]:
    """Worker processes of a supervisor."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in command_line(child)]


def command_line(pid: str) -> bytes:
    """Nothing of a process that has ended meanwhile."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def test_a_worker_that_begins_while_the_server_is_told_to_stop_is_told_too(workspace, monkeypatch) -> None:
    begun = []

    def start(process, really=SpawnProcess.start) -> None:
        really(process)
        begun.append(process)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(SpawnProcess, "start", start)
    with socket.create_server(("127.0.0.1", 0)) as bound:
        Supervisor(workspace, Settings(workers=2, shutdown_seconds=600), None, [bound]).run()
    assert [process.exitcode for process in begun] == [-signal.SIGTERM]


@pytest.mark.parametrize("workers", [1, 2])
def test_running_requests_finish_when_the_server_is_told_to_stop(launch, workspace, story, workers) -> None:
    with launch(workspace, "--workers", workers, "--port", 0) as server:
        asked = {"model": "gru", "prompt": story, "sentences": 20, "stream": True}
        with httpx.stream("POST", f"{server.urls[0]}/v1/completions", json=asked, timeout=60) as answer:
            lines = answer.iter_lines()
            next(lines)
            server.process.send_signal(signal.SIGTERM)
            assert list(lines)[-2:] == ["data: [DONE]", ""]
        server.process.wait(30)
    assert server.process.returncode == 0


@pytest.fixture
def slowed(tmp_path):
    """`slowed(600)`: the environment of a server that takes so many seconds to predict what comes after three texts."""

    def slowed(seconds):
        (tmp_path / "sitecustomize.py").write_text(
            "import time\n"
            "from nextvec.continuation.stages import Served\n"
            "predict = Served._predict_batch\n"
            "def slow(*given):\n"
            f"    time.sleep({seconds} * (len(given[1]) == 3))\n"
            "    return predict(*given)\n"
            "Served._predict_batch = slow\n"
        )
        return {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}

    return slowed


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stage_that_hangs_does_not_keep_the_server_from_ending(launch, workspace, tmp_path, slowed, workers) -> None:
    settings = "shutdown_seconds = 1\n[timeouts]\npredict = 0.5\n[[listeners]]\nport = 0\n"
    (tmp_path / "serving.toml").write_text(settings)
    arguments = ["--config", tmp_path / "serving.toml", "--workers", workers]
    with launch(workspace, *arguments, environment=slowed(600)) as server:
        answer = httpx.post(f"{server.urls[0]}/v1/predict", json={"model": "gru", "texts": [TEXT] * 3}, timeout=60)
        assert answer.status_code == 504
        server.process.send_signal(signal.SIGTERM)
        try:
            server.process.wait(20)
        except subprocess.TimeoutExpired:
            for process in [*workers_of(server.process.pid), server.process.pid]:
                os.kill(process, signal.SIGKILL)
            raise
    assert "predict of gru still runs; ending without it" in server.log()


def press_ctrl_c(server) -> None:
    """A terminal tells all processes of a command."""
    for process in [*workers_of(server.process.pid), server.process.pid]:
        os.kill(process, signal.SIGINT)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("times", "seconds", "status"), [(1, 2, 200), (2, 600, 503)])
def test_ctrl_c_waits_for_requests_and_a_second_one_does_not(
    launch, workspace, slowed, workers, times, seconds, status
) -> None:
    asked, answers = {"model": "gru", "texts": [TEXT] * 3}, []
    with launch(workspace, "--workers", workers, "--port", 0, environment=slowed(seconds)) as server:
        url = server.urls[0]
        client = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{url}/v1/predict", json=asked, timeout=60))
        )
        client.start()
        server.wait(lambda: 'stage="predict"' in httpx.get(f"{url}/metrics", timeout=60).text)
        for _ in range(times):
            press_ctrl_c(server)
            time.sleep(0.3)
        client.join(30)
        server.process.wait(30)
    assert answers[0].status_code == status, answers[0].text
    assert "Traceback" not in server.log()


def test_a_hang_up_signal_looks_for_models_at_once(launch, workspace, tmp_path) -> None:
    (tmp_path / "serving.toml").write_text("reload_seconds = 0\n[[listeners]]\nport = 0\n")
    with launch(workspace, "--config", tmp_path / "serving.toml") as server:
        server.process.send_signal(signal.SIGHUP)
        server.wait(lambda: server.log().count("serving 2 models") == 2)


def test_a_token_opens_other_addresses(launch, workspace) -> None:
    token = {"NEXTVEC_TOKEN": "a-token-of-some-length"}
    with launch(workspace, "--host", "0.0.0.0", "--port", 0, environment=token) as server:
        url = server.urls[0].replace("0.0.0.0", "127.0.0.1") + "/v1/models"
        assert httpx.get(url, timeout=60).status_code == 401
        assert (
            httpx.get(url, headers={"authorization": f"Bearer {token['NEXTVEC_TOKEN']}"}, timeout=60).status_code == 200
        )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "0.0.0.0", "--port", "0"], "no token is set"),
        (["--config", "/nowhere/serving.toml"], "there is no settings file"),
        (["--port", "TAKEN"], "choose another port"),
    ],
)
def test_what_cannot_be_served_is_one_line(workspace, arguments, told) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NEXTVEC_TOKEN"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = [argument.replace("TAKEN", str(taken.getsockname()[1])) for argument in arguments]
        line = [sys.executable, "-m", "nextvec", "serve", *given, "--workspace", str(workspace.root)]
        result = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert result.returncode in (1, 2)
    assert told in result.stderr
    assert "Traceback" not in result.stderr
