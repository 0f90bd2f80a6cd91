"""Replicas on two nodes answer as one process does, also while models are exchanged, replicas lost, clients gone.

One server, asked for a token, for all tests of this file.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import httpx
import psutil
import pytest

from nextvec.models.aliases import Aliases
from nextvec.workspace import Workspace

TOKEN = "a-token-of-some-length"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
TEXT = "The first sentence of a tale. The second one follows it."
CLIENTS, TEXTS = 6, 4
RAW = {"Content-Type": "application/octet-stream"}
PROMPTS, SENTENCES = 32, 64
LONG = 2
"""Seconds that no answer takes."""
PATIENCE = 600
"""Seconds for what takes 20 where nothing else is at work."""


class Server:
    """`nextvec serve --ray` in a process of its own, on two nodes."""

    def __init__(self, address: str, root, log) -> None:
        self.url, self._log = f"http://127.0.0.1:{free_port()}", log
        self.place = Workspace(root)
        command = [sys.executable, "-m", "nextvec", "serve", "--ray", address, "--replicas", "2"]
        command += ["--port", self.url.rpartition(":")[2], "--workspace", str(root)]
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | {"NEXTVEC_TOKEN": TOKEN})

    def said(self) -> str:
        return self._log.read_text()

    def wait(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.1)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=BEARER, timeout=60)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def replicas() -> list[psutil.Process]:
    commands = ((each, " ".join(each.info["cmdline"] or [])) for each in psutil.process_iter(["cmdline"]))
    return [each for each, command in commands if command.startswith("ray::") and ":ServeReplica:" in f":{command[5:]}"]


@pytest.fixture(scope="module")
def server(two_nodes, workspace, tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    shutil.copytree(workspace.root, folder / "ws")
    server = Server(two_nodes.address, folder / "ws", folder / "log")
    try:
        server.wait(lambda: "2 replicas" in server.said())
        yield server
    finally:  # what is left would keep the nodes from all tests after it
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="module")
def alone(server):
    """A client of the same application in this process."""
    from starlette.testclient import TestClient

    from nextvec.serving.app import create_app
    from nextvec.serving.engine import Engine
    from nextvec.serving.metrics import Metrics
    from nextvec.serving.settings import ListenerSettings, Settings
    from nextvec.serving.token import Token

    engine = Engine(server.place, Settings(), Metrics())
    app = create_app(engine, ListenerSettings(), Token.of(TOKEN), at_once=False)
    with TestClient(app, base_url="http://127.0.0.1", headers=BEARER) as client:
        yield client


ASKED = {
    "page": ("GET", "/", None),
    "models": ("GET", "/v1/models", None),
    "ready": ("GET", "/health/ready", None),
    "completion": ("POST", "/v1/completions", {"model": "gru", "prompt": TEXT, "sentences": 4}),
    "embedding": ("POST", "/v1/embeddings", {"model": "gru", "input": [TEXT, "Another."]}),
    "rank": ("POST", "/v1/rerank", {"model": "gru", "query": TEXT, "documents": ["One.", "Two."]}),
    "vectors": ("POST", "/v1/predict?model=gru&shape=2,1,32", struct.pack("<64f", *([32**-0.5] * 64))),
    "unknown model": ("POST", "/v1/completions", {"model": "grub", "prompt": TEXT}),
    "wrong field": ("POST", "/v1/completions", {"model": "gru", "prompt": TEXT, "max_tokens": 0}),
    "nowhere": ("GET", "/nowhere", None),
}
OWN = {"id", "created", "instance", "milliseconds", "ms", "times", "seconds"}
"""Of each answer alone."""


def common(value):
    if isinstance(value, dict):
        return {key: common(part) for key, part in value.items() if key not in OWN}
    return [common(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("what", ASKED)
def test_it_answers_as_one_process_does(what, server, alone):
    method, path, content = ASKED[what]
    sent = {"content": content, "headers": RAW} if isinstance(content, bytes) else {"json": content}
    with server.client() as client:
        there, here = (each.request(method, path, **sent) for each in (client, alone))
    assert there.status_code == here.status_code
    assert there.headers["content-type"] == here.headers["content-type"]
    assert there.headers["content-security-policy"] == here.headers["content-security-policy"]
    assert len(there.headers.get_list("x-request-id")) == 1
    if "json" in there.headers["content-type"]:
        assert common(there.json()) == common(here.json())
    else:
        assert there.content == here.content


def test_without_the_token_nothing_is_told(server):
    for headers in ({}, {"Authorization": "Bearer another-token-of-some-length"}):
        answer = httpx.get(f"{server.url}/v1/models", headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["title"]) == (401, "Unauthorized")


def test_openai_s_client_streams(server, alone):
    import openai

    asked = {"model": "gru", "prompt": TEXT, "extra_body": {"sentences": 4}}
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=TOKEN, max_retries=0) as api:
        chunks = list(api.completions.create(**asked, stream=True))
    whole = alone.post("/v1/completions", json={"model": "gru", "prompt": TEXT, "sentences": 4}).json()
    assert len(chunks) > 2
    assert "".join(chunk.choices[0].text for chunk in chunks) == whole["choices"][0]["text"]


def test_what_nobody_reads_is_not_written(server, alone):
    texts = [f"{TEXT} It is number {number}." for number in range(PROMPTS)]
    asked = {"model": "mix", "prompt": texts, "sentences": SENTENCES}
    whole = alone.post("/v1/completions", json=asked).json()["choices"]
    with server.client() as client:
        with client.stream("POST", "/v1/completions", json=asked | {"stream": True}) as answer:
            assert next(answer.iter_lines()).startswith("data: ")
        before, now = -1.0, decoded(client)
        while before != now:
            time.sleep(0.5)
            before, now = now, decoded(client)
    assert 0 < now < sum(len(choice["nextvec"]["sentences"]) for choice in whole) / 2


def decoded(client: httpx.Client) -> float:
    """Texts decoded with mix by that replica which has done more."""
    return max(counted(client, "nextvec_decoded_total", 'scope="mix"') for _ in range(12))


def both_answer(client: httpx.Client) -> bool:
    """One replica alone would count each of these questions."""
    first, *counts = [counted(client, "nextvec_requests_total", 'route="/metrics"') for _ in range(8)]
    return counts != [first + more for more in range(1, 8)]


def counted(client: httpx.Client, name: str, label: str) -> float:
    """By the replica that happens to be asked."""
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name) and label in line)


class Load:
    """Clients that ask for long answers while inside, one after the other, and keep what is wrong of them."""

    def __init__(self, server: Server, alone, model: str) -> None:
        names = ("gru", "mix") if model == "production" else (model,)
        self._right = [{ask(alone, name, number) for name in names} for number in range(TEXTS)]
        self._server, self._model, self._over = server, model, threading.Event()
        self.statuses: list[int] = []
        self.wrong: list[str] = []
        self._asked: dict[int, float] = {}
        """When each client asked what it waits for."""
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def answered(self, more: int) -> None:
        """Returns once there are so many more answers."""
        enough = len(self.statuses) + more
        self._server.wait(lambda: len(self.statuses) >= enough)

    def waiting(self, since: float) -> bool:
        """Whether a client asked before that time and has no answer."""
        return any(asked < since for asked in [*self._asked.values()])

    def _work(self, number: int) -> None:
        client_number = number
        with self._server.client() as client:
            while not self._over.is_set():
                self._asked[client_number] = time.monotonic()
                number = (number + 1) % TEXTS
                try:
                    self._judge(number, client.post("/v1/completions", json=body(self._model, number)))
                except httpx.TransportError as error:
                    self.wrong.append(repr(error))

    def _judge(self, number: int, answer: httpx.Response) -> None:
        self.statuses.append(answer.status_code)
        right = told(answer) in self._right[number] if answer.status_code == 200 else is_our_503(answer)
        if not right:
            self.wrong.append(f"{answer.status_code} {answer.headers} {answer.text}")


def body(model: str, number: int):
    return {
        "model": model,
        "prompt": [f"{TEXT} It is text {number}, part {part}." for part in range(4)],
        "sentences": 6,
    }


def told(answer: httpx.Response) -> str:
    return " / ".join(choice["text"] for choice in answer.json()["choices"])


def ask(client, model: str, number: int) -> str:
    return told(client.post("/v1/completions", json=body(model, number)))


def is_our_503(answer: httpx.Response) -> bool:
    problem = json.loads(answer.content) if "problem+json" in answer.headers.get("content-type", "") else {}
    told = (problem.get("status"), problem.get("title"), answer.headers.get("retry-after"))
    return answer.status_code == 503 and told == (503, "Service Unavailable", "1") and "x-request-id" in answer.headers


def test_an_alias_moves_without_a_request_dropped(server, alone):
    right = {ask(alone, name, 0): name for name in ("gru", "mix")}

    def served_by(client) -> str:
        return right[ask(client, "production", 0)]

    with server.client() as client, Load(server, alone, "production") as load:
        assert served_by(client) == "gru"
        load.answered(2 * CLIENTS)
        Aliases(server.place).promote("production", "mix")
        server.process.send_signal(signal.SIGHUP)
        server.wait(lambda: {served_by(client) for _ in range(8)} == {"mix"})
        load.answered(2 * CLIENTS)
    assert load.wrong == []
    assert set(load.statuses) == {200}


def kill_a_replica(nodes, load, server) -> None:
    """It stands still first, until requests that only it can hold are unanswered."""
    held = False
    while not held:
        victim = replicas()[0]
        victim.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        time.sleep(LONG)
        held = load.waiting(stopped)
        victim.send_signal(signal.SIGKILL if held else signal.SIGCONT)


def lose_a_node(nodes, load, server) -> None:
    """And once more, when both replicas answer again, where the lost one held no request: that is chance."""
    with server.client() as client:
        while 503 not in load.statuses:
            nodes.lose_a_node()
            server.wait(lambda: 503 in load.statuses or both_answer(client))


@pytest.mark.parametrize("lose", [kill_a_replica, lose_a_node])
def test_what_is_lost_answers_nothing_wrong(lose, server, alone, two_nodes):
    with server.client() as client:
        server.wait(lambda: both_answer(client))
        with Load(server, alone, "gru") as load:
            load.answered(CLIENTS)
            lose(two_nodes, load, server)
            server.wait(lambda: 503 in load.statuses)
            load.answered(CLIENTS)
        assert load.wrong == []
        assert set(load.statuses) == {200, 503}
        server.wait(lambda: both_answer(client))


def test_what_there_is_no_room_for_is_said(monkeypatch, caplog):
    import ray

    from nextvec.distributed.serve import Job, _each, _warn_of_little_room
    from nextvec.serving.settings import Settings

    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0, "GPU": 1.0})
    monkeypatch.setattr(ray, "available_resources", lambda: {"CPU": 3.0, "GPU": 1.0})
    for device in ("auto", "cpu"):
        _warn_of_little_room(_each(Job(Workspace("ws"), Settings(device=device, threads=2), None)), 2)
    there = "the cluster has {} free: it answers once there are more"
    cpus, gpus = f"2 replicas take 4 CPUs, {there.format(3)}", f"2 replicas take 2 GPUs, {there.format(1)}"
    assert [record.getMessage() for record in caplog.records] == [cpus, gpus, cpus]


def test_a_second_server_on_the_cluster_is_refused(server, two_nodes):
    port = str(free_port())
    command = [sys.executable, "-m", "nextvec", "serve", "--ray", two_nodes.address, "--port", port]
    done = subprocess.run([*command, "--workspace", str(server.place.root)], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Ray Serve runs on this cluster already. End what it serves: serve shutdown -y" in done.stderr


def test_it_ends_in_order(server):
    with server.client() as client, client.stream("GET", "/health/live") as answer:
        assert answer.status_code == 200
    assert server.stop() == 0
    assert replicas() == []
