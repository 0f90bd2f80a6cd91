"""A real Ray cluster: two nodes of one CPU each on this machine. Drivers are processes of their own, to be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

MEMORY = 100 * 2**20
SYSTEM = {"health_check_period_ms": 500, "health_check_failure_threshold": 3}
"""A lost node is noticed within seconds."""
LOADED = 900
"""Seconds for a test of this folder: where much else is at work, Ray's processes take minutes to begin."""

os.environ.update(RAY_worker_niceness="0")  # they are not those who wait where other tests run beside them


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(LOADED))


class TwoNodes:
    """`driver` starts a script beside this file on the cluster; `lose_a_node` kills one node and brings another."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Lance says at every fork that it is not safe in the child
            head = self._size(include_dashboard=False, _system_config=SYSTEM)
            self._cluster = Cluster(initialize_head=True, head_node_args=head)
            self._other = self._cluster.add_node(**self._size())
        self.address = self._cluster.address
        self._drivers: list[subprocess.Popen[str]] = []

    def _size(self, **more):
        return {"num_cpus": 1, "object_store_memory": MEMORY, **more}

    def driver(self, script, *arguments):
        command = [sys.executable, str(Path(__file__).with_name(script)), self.address, *map(str, arguments)]
        self._drivers.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return self._drivers[-1]

    def end_drivers(self):
        """A driver that a failed test left would keep the nodes from all tests after it."""
        while self._drivers:
            driver = self._drivers.pop()
            driver.kill()
            driver.communicate()

    def lose_a_node(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._cluster.remove_node(self._other, allow_graceful=False)
            self._other = self._cluster.add_node(**self._size())

    def shutdown(self):
        self._cluster.shutdown()


@pytest.fixture(scope="package")
def two_nodes():
    pytest.importorskip("ray", reason="needs the extra 'ray': pip install 'nextvec[ray]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    nodes = TwoNodes()
    yield nodes
    nodes.shutdown()


@pytest.fixture(autouse=True)
def _no_driver_is_left(request):
    yield
    if "two_nodes" in request.fixturenames:
        request.getfixturevalue("two_nodes").end_drivers()
