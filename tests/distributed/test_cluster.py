"""Where a cluster is, and what is said when it is not there."""

from __future__ import annotations

import socket

import pytest

from nextvec.distributed.cluster import cluster
from nextvec.errors import MissingDependencyError, NotFoundError, UsageError


def refusal_of(address: str) -> str:
    with pytest.raises((UsageError, NotFoundError)) as caught, cluster(address):
        raise AssertionError("connected")
    return str(caught.value)


@pytest.fixture
def with_ray():
    pytest.importorskip("ray", reason="needs the extra 'ray': pip install 'nextvec[ray]'")


@pytest.mark.parametrize("address", ["nowhere", "ray://head:10001", ":6379", "host:", "host:port", ""])
def test_what_is_no_address(with_ray, address):
    assert refusal_of(address) == (
        f"'{address}' is no address of a Ray cluster: expected HOST:PORT of its head node, 'auto' on a node of it, "
        "or 'local' for this machine"
    )


def test_an_address_where_nobody_answers(with_ray):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert refusal_of(address).startswith(f"no Ray cluster answers at '{address}' (")


def test_a_host_that_does_not_exist(with_ray):
    assert refusal_of("nowhere.invalid:6379").startswith("no Ray cluster answers at 'nowhere.invalid:6379' (")


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("nextvec.errors.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'nextvec\[ray\]'"), cluster("local"):
        pass
