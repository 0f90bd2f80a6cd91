"""The metrics of several workers, which share a folder of files."""

from __future__ import annotations

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from nextvec.serving.metrics import MULTIPROCESS, Metrics


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Of one worker, which saw three changes."""
    monkeypatch.setenv(MULTIPROCESS, str(tmp_path))
    written = MmapedDict(str(tmp_path / "counter_1.db"))
    written.write_value(mmap_key("nextvec_reloads", "nextvec_reloads_total", (), (), "Changes."), 3.0, 0.0)
    written.close()
    return tmp_path


def test_a_file_that_another_worker_has_just_made_counts_for_nothing_yet(folder) -> None:
    before = Metrics().text()
    assert b"nextvec_reloads_total 3.0" in before
    (folder / "histogram_2.db").touch()
    assert Metrics().text() == before


def test_a_file_that_goes_while_files_are_listed_counts_for_nothing(folder) -> None:
    before = Metrics().text()
    (folder / "gauge_livesum_2.db").symlink_to(folder / "gone")
    assert Metrics().text() == before
