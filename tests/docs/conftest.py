"""Where the documents' examples run: a folder with a few small texts, and a workspace with models of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from nextvec.encoders.encoder import Encoder

DOCUMENTS, SENTENCES, PARAGRAPH = 60, 12, 4


def small_minilm(argument: str, options: Any) -> Encoder:
    """What `minilm` names here: 32 numbers from the spelling of words, in microseconds."""
    from nextvec.encoders.hashing import HashingEncoder

    return HashingEncoder(32)


@contextmanager
def quickened() -> Iterator[None]:
    """A small encoder, and latencies of a few calls; other tests find everything as it was."""
    from nextvec.encoders import ENCODERS
    from nextvec.evaluation import latency

    ENCODERS.names()
    time_batch = latency._time_batch
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENCODERS._entries, "minilm", replace(ENCODERS.get("minilm"), load=small_minilm))
        patch.setattr(latency, "_time_batch", lambda *given: time_batch(*given[:-1], 0.0))
        patch.setattr(latency, "LEAST_CALLS", 1)
        patch.setattr(latency, "WARM_UP", 1)
        yield


@pytest.fixture(scope="session")
def prepared(write_prose: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `texts/`, and a workspace with the corpus `mine` (tag `small`) and two models of it."""
    import nextvec

    folder = tmp_path_factory.mktemp("documents")
    for path in write_prose(folder / "texts", documents=DOCUMENTS, sentences=SENTENCES).iterdir():
        sentences = path.read_text().split(". ")
        paragraphs = (sentences[first : first + PARAGRAPH] for first in range(0, SENTENCES, PARAGRAPH))
        path.write_text(".\n\n".join(". ".join(paragraph) for paragraph in paragraphs))
    workspace = nextvec.open(folder / "nextvec-workspace")
    with quickened():
        workspace.ingest(str(folder / "texts"), "mine").tag("small")
        workspace.train("recommended", "mine@small", name="recommended-mine", epochs=1)
        workspace.train("gru", "mine@small", name="gru-mine", epochs=1, width=16)
        workspace.compare(["recommended-mine", "gru-mine"], latency=False).save()
    return folder


@pytest.fixture
def quick() -> Iterator[None]:
    with quickened():
        yield


@pytest.fixture
def home(prepared: Path, quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which the example runs; what it registers is forgotten afterwards."""
    from nextvec.api import KINDS

    folder = tmp_path / "home"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("NEXTVEC_WORKSPACE", raising=False)
    for module, constant in KINDS.values():
        registry = getattr(import_module(module), constant)
        registry.names()
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    return folder
