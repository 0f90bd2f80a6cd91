"""Figures of a corpus version that take long to find: found when somebody asks for it, and kept beside the corpus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nextvec.errors import IntegrityError
from nextvec.mirror import fetch
from nextvec.records import read_json, write_json
from nextvec.records.names import MEASURED
from nextvec.store.dataset import transaction_of
from nextvec.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    import lance


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSize:
    """Of training, validation or test. `windows` are targets with five chunks before them in their document."""

    documents: int
    chunks: int
    windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """parts: by name, every document in one. left_out: training documents that nearly duplicate a held-out one; None
    for a corpus too small to be split. lag_1, shuffled: mean cosine of neighbouring chunks, and of chunks of the same
    document in random order; None where no document has two. index: the kind that a corpus of this size gets; recall:
    the share of the exact 16 nearest chunks that it finds, 0..1, on a sample of windows.
    """

    windows: int
    parts: Mapping[str, PartSize]
    left_out: int | None
    lag_1: float | None
    shuffled: float | None
    index: str
    recall: float | None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Measures:
        """From what `to_dict` gives."""
        return cls(**{**plain, "parts": {name: PartSize(**part) for name, part in plain["parts"].items()}})


def kept_measures(workspace: Workspace, name: str, dataset: lance.LanceDataset) -> Measures | None:
    """Of a version; None when it was not measured, or by a version of nextvec that measured something else."""
    try:
        return Measures.of(_kept(_path(workspace, name))[commit_of(dataset)])
    except (KeyError, TypeError):
        return None


def keep_measures(workspace: Workspace, name: str, dataset: lance.LanceDataset, measures: Measures) -> None:
    """Beside those of other versions."""
    path = _path(workspace, name)
    write_json(path, {**_kept(path), commit_of(dataset): measures.to_dict()})


def _path(workspace: Workspace, name: str) -> Path:
    return workspace.corpus(name).with_suffix(f".{MEASURED}")


def _kept(path: Path) -> dict[str, Any]:
    fetch(path)
    try:
        kept: dict[str, Any] = read_json(path) if path.exists() else {}
        return kept
    except IntegrityError:
        return {}


def commit_of(dataset: lance.LanceDataset) -> str:
    """Of the version: another one wherever it was made anew under an old name and number."""
    transaction = transaction_of(dataset)
    return f"{dataset.version}:{transaction.uuid if transaction else ''}"
