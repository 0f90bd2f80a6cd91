"""`--ray` and `--workers` as a user gives them; the work itself is tested in tests/distributed."""

from __future__ import annotations

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
    assert said == "nextvec: --workers 2 are of a Ray cluster: give --ray ADDRESS too, or --ray local\n"


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
