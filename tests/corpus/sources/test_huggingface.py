from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from nextvec.corpus.document import Document
from nextvec.corpus.sources import open_source
from nextvec.errors import DataError, MissingDependencyError, NotFoundError, UsageError

datasets = pytest.importorskip("datasets", reason="the extra 'hf' is not installed")

TEXT = "A first sentence of some length. And a second one."
CARD = """---
configs:
- config_name: plain
  data_files: [{split: train, path: plain/*.jsonl}, {split: test, path: test/*.jsonl}]
- config_name: other
  data_files: [{split: train, path: other/*.jsonl}]
---
"""


@pytest.fixture
def hub_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set on disk as the hub keeps it: a card that names its configurations, files in folders."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    folder = tmp_path / "set"
    for name in ("plain", "test", "other"):
        (folder / name).mkdir(parents=True)
        rows = [{"id": f"{name}{number}", "content": TEXT} for number in range(4)]
        (folder / name / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "README.md").write_text(CARD)
    return folder


def ids(reference: str, limit: int | None = None) -> list[str]:
    items = list(open_source(reference, limit).documents())
    assert all(isinstance(item, Document) for item in items)
    return [item.id for item in items]


def test_a_configuration_is_streamed(hub_folder: Path) -> None:
    assert ids(f"hf:{hub_folder}:other") == ["other0", "other1", "other2", "other3"]
    assert ids(f"hf:{hub_folder}:plain", limit=2) == ["plain0", "plain1"]


def test_splits_and_columns_are_options(hub_folder: Path) -> None:
    assert ids(f"hf:{hub_folder}:plain?split=test&text=content", limit=1) == ["test0"]


@pytest.mark.parametrize("form", ["{}", "hf:{}"])
def test_what_was_saved_to_disk_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    part = datasets.Dataset.from_dict({"id": ["a", "b"], "text": [TEXT, TEXT]})
    part.save_to_disk(tmp_path / "a:part")
    datasets.DatasetDict({"train": part, "test": part}).save_to_disk(tmp_path / "set")
    assert ids(form.format(tmp_path / "a:part")) == ids(form.format(tmp_path / "set")) == ["a", "b"]


def test_a_part_that_was_not_saved_is_refused(tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"text": [TEXT]}, split="train").save_to_disk(tmp_path / "part")
    assert ids(f"hf:{tmp_path / 'part'}?split=train") == ["train:1"]
    with pytest.raises(UsageError, match="saved as one part, 'train'"):
        ids(f"hf:{tmp_path / 'part'}?split=test")


@pytest.mark.parametrize("rest", [":none", ":plain?split=none"])
def test_a_wrong_configuration_or_split(hub_folder: Path, rest: str) -> None:
    with pytest.raises(DataError, match="none"):
        ids(f"hf:{hub_folder}{rest}")


def test_no_such_data_set(hub_folder: Path) -> None:
    with pytest.raises((NotFoundError, DataError), match="nobody/nothing"):
        ids("hf:nobody/nothing")


def test_options_and_names_are_checked_before_anything_is_loaded() -> None:
    with pytest.raises(UsageError, match="Did you mean 'split'"):
        open_source("hf:name?splt=test")
    with pytest.raises(UsageError, match="expected a data set's name"):
        open_source("hf:")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingDependencyError, match=r"nextvec\[hf\]"):
        ids("hf:name")


@pytest.mark.parametrize("name", ["a%20b", "a#b", "{x}", "дом 家", "~"])
def test_a_folder_may_be_called_almost_anything(hub_folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(hub_folder.parent)
    hub_folder.rename(name)
    for place in (name, hub_folder.with_name(name)):
        assert ids(f"hf:{place}:other") == ["other0", "other1", "other2", "other3"]


@pytest.mark.parametrize("name", ["a*b", "a[b]"])
def test_a_folder_that_the_library_takes_for_a_pattern_is_refused(hub_folder: Path, name: str) -> None:
    """It would read other folders, or none."""
    with pytest.raises(UsageError, match="a pattern to this library: rename it"):
        ids(f"hf:{hub_folder.rename(hub_folder.with_name(name))}")
