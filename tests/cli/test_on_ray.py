"""`--ray` and `--workers` as a user gives them; the work itself is tested in tests/distributed."""

from __future__ import annotations

import socket

import pytest


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text('architectures = ["gru"]\ncorpora = ["c@small"]\n')
    return path


@pytest.mark.parametrize("verb", ["ingest", "study"])
def test_workers_need_a_cluster(nextvec, tmp_path, plan, verb):
    command = ("corpus", "ingest", "pydocs:", "--corpus", "c") if verb == "ingest" else ("study", "run", plan)
    said = nextvec(*command, "--workers", 2, workspace=tmp_path, expect=2).err
    assert said == "nextvec: 2 workers are of a Ray cluster: name it with --ray ADDRESS, or --ray local\n"


@pytest.mark.parametrize("verb", ["ingest", "study"])
def test_an_address_that_is_none_is_one_line(nextvec, tmp_path, plan, verb):
    pytest.importorskip("ray", reason="needs the extra 'ray': pip install 'nextvec[ray]'")
    command = ("corpus", "ingest", "pydocs:", "--corpus", "c") if verb == "ingest" else ("study", "run", plan)
    said = nextvec(*command, "--ray", "nowhere", workspace=tmp_path, expect=2).err
    assert said.startswith("nextvec: 'nowhere' is no address of a Ray cluster: expected HOST:PORT")
    assert said.count("\n") == 1


@pytest.mark.parametrize("verb", ["ingest", "study"])
def test_without_ray_the_extra_is_named(nextvec, tmp_path, plan, verb, monkeypatch):
    monkeypatch.setattr("nextvec.errors.find_spec", lambda name: None)
    command = ("corpus", "ingest", "pydocs:", "--corpus", "c") if verb == "ingest" else ("study", "run", plan)
    said = nextvec(*command, "--ray", "local", workspace=tmp_path, expect=1).err
    assert said.endswith("Run: pip install 'nextvec[ray]'\n")
    assert not (tmp_path / "corpora").exists()


def test_a_study_that_was_stopped_says_how_to_go_on(nextvec, tmp_path, plan, monkeypatch):
    def stopped(address, workers):
        raise KeyboardInterrupt

    monkeypatch.setattr("nextvec.distributed.cluster.cluster", stopped)
    said = nextvec("study", "run", plan, "--ray", "head:6379", "--workers", 3, workspace=tmp_path, expect=130).err
    assert said.strip() == (
        f"Stopped. Go on with: nextvec study run {plan} --ray head:6379 --workers 3 --workspace {tmp_path}"
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--replicas", 2), "2 replicas are of a Ray cluster: name it with --ray ADDRESS, or --ray local"),
        (("--ray", "local", "--workers", 2), "2 workers are processes of this machine: on Ray ask for --replicas 2"),
        (("--ray", "127.0.0.1:1", "--port", 0), "--port 0: expected the number of a port that is free"),
        (("--ray", "local", "--device", "gpu"), "unknown device 'gpu'. Did you mean 'cpu'"),
        (("--ray", "nowhere"), "'nowhere' is no address of a Ray cluster: expected HOST:PORT"),
        (
            ("--ray", "local", "--host", "0.0.0.0"),
            "0.0.0.0:9000 can be reached from other machines",
        ),
        (("--ray", "local", "--config", "two.toml"), "2 listeners: on Ray all replicas answer at one address"),
    ],
)
def test_serving_says_what_does_not_go_together(nextvec, tmp_path, monkeypatch, given, told):
    pytest.importorskip("ray", reason="needs the extra 'ray': pip install 'nextvec[ray]'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEXTVEC_TOKEN", raising=False)
    (tmp_path / "two.toml").write_text("[[listeners]]\nport = 9001\n[[listeners]]\nport = 9002\n")
    said = nextvec("serve", *given, workspace=tmp_path, expect=2).err
    assert said.startswith(f"nextvec: {told}")
    assert said.count("\n") == 1


def test_serving_names_a_port_that_is_taken_before_it_begins(nextvec, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = nextvec("serve", "--ray", "local", "--port", port, workspace=tmp_path, expect=2).err
    assert said == f"nextvec: 127.0.0.1:{port}: Address already in use; choose another port\n"
