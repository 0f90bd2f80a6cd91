"""`manifest:MIX.toml`, a mixture: sources by name, whose documents take turns as often as their weights say.

    seed = 1                    # another one, another order; 0 if not said
    until = "first"             # ends when a source runs out, so that the weights hold; "last": when all have

    [[source]]
    name = "wikipedia"          # of its documents' ids and sources
    from = "wikipedia.jsonl.gz" # as `corpus ingest` takes it; paths begin at the manifest's folder
    weight = 3                  # 1 if not said
    limit = 10000               # of its usable documents; all if not said

A .json file holds the same. The order depends on seed, weights and what the sources give alone, so that a run that
continues another meets the same documents.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from nextvec.config import Config
from nextvec.corpus.document import Document, Source, Unusable
from nextvec.corpus.origin import APART, MOST, named_source
from nextvec.corpus.sources import SOURCES, missing_path, open_source, register_source
from nextvec.errors import DataError, NotFoundError, UsageError


class ManifestOptions(Config):
    """None: everything is in the manifest."""


class Part(Config):
    """One source of the mixture."""

    name: str = Field(min_length=1, max_length=100)
    reference: str = Field(alias="from", min_length=1)
    weight: float = Field(default=1.0, gt=0)
    limit: int | None = Field(default=None, ge=1)

    @field_validator("name")
    @classmethod
    def _is_plain(cls, name: str) -> str:
        if APART in name or "/" in name or name != name.strip():
            raise ValueError(f"expected a name without '/', '{APART}' and spaces around it")
        return name


class Manifest(Config):
    """What a manifest's file says."""

    seed: int = 0
    until: Literal["first", "last"] = "first"
    source: tuple[Part, ...] = Field(min_length=1, max_length=MOST)

    @field_validator("source")
    @classmethod
    def _have_names_of_their_own(cls, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        names = [part.name for part in parts]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two sources have the name '{min(twice)}'")
        return parts


@register_source("manifest", form="manifest:MIX.toml", leaves="what its sources leave out")
class ManifestSource:
    """Documents have the id `NAME/ID` and the source `NAME: SOURCE`, with those that they have in their own source.

    Raises NotFoundError; DataError for a file that is no manifest; and what opening its sources raises.
    """

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        ManifestOptions.parse(options, owner=f"manifest {name}")
        path = Path(argument)
        if not path.is_file():
            raise missing_path(path)
        self._manifest = read_manifest(path)
        self._sources = [_opened(part, path.parent) for part in self._manifest.source]

    def documents(self) -> Iterator[Document | Unusable]:
        pairs = zip(self._manifest.source, self._sources, strict=True)
        streams = [_Stream(part.weight, _named(part.name, source)) for part, source in pairs]
        return _in_turns(streams, Random(self._manifest.seed), to_the_last=self._manifest.until == "last")


def read_manifest(path: Path) -> Manifest:
    """Raises DataError that names the file and what is wrong in it."""
    try:
        content = path.read_text(encoding="utf-8-sig")
        said = json.loads(content) if path.suffix.lower() == ".json" else tomllib.loads(content)
        return Manifest.model_validate(said)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the file"
        raise DataError(f"manifest {path}: {where}: {problem['msg']}") from None
    except ValueError as error:
        raise DataError(f"manifest {path} is neither TOML nor, with the ending .json, JSON: {error}") from None


def _opened(part: Part, folder: Path) -> Source:
    """Raises UsageError for a manifest in a manifest: its ids would be those of two mixtures."""
    if part.reference.startswith("manifest:"):
        raise UsageError(f"source '{part.name}' is a manifest itself: name its sources here")
    try:
        return open_source(_placed(part.reference, folder), part.limit)
    except NotFoundError as error:
        raise NotFoundError(f"source '{part.name}' of the manifest: {error}") from None


def _placed(reference: str, folder: Path) -> str:
    """With a path from the manifest's folder; what follows a kind that opens no files is one where there is such a file
    or folder."""
    kind, colon, argument = reference.partition(":")
    if not colon or kind not in SOURCES:
        return reference if argument.startswith("//") else str(folder / reference)
    is_path = SOURCES.get(kind).opens_files or (folder / argument.partition("?")[0]).exists()
    return f"{kind}:{folder / argument}" if argument and is_path else reference


@dataclass(slots=True)
class _Stream:
    weight: float
    items: Iterator[Document | Unusable]


def _named(name: str, source: Source) -> Iterator[Document | Unusable]:
    for item in source.documents():
        if isinstance(item, Document):
            yield replace(item, id=f"{name}/{item.id}", source=named_source(name, item.source))
        else:
            yield replace(item, id=f"{name}/{item.id}")


def _in_turns(streams: Sequence[_Stream], random: Random, *, to_the_last: bool) -> Iterator[Document | Unusable]:
    """A turn is one document, and what is unusable before it."""
    left = list(streams)
    while left:
        stream = _drawn(left, random)
        found = None
        for found in stream.items:
            yield found
            if isinstance(found, Document):
                break
        if not isinstance(found, Document):
            left = [other for other in left if other is not stream] if to_the_last else []


def _drawn(streams: Sequence[_Stream], random: Random) -> _Stream:
    sums = list(accumulate(stream.weight for stream in streams))
    place = random.random() * sums[-1]
    return next((stream for stream, end in zip(streams, sums, strict=True) if place < end), streams[-1])
