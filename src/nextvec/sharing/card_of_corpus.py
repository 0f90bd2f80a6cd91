"""The card of a corpus: what people read of it, and what makes it that corpus again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nextvec.encoders.lengths import Cut
from nextvec.errors import DataError, NextvecError
from nextvec.sequences.splits import PARTS, Part
from nextvec.sharing.cards import Rights, front_matter, made_with, public_reference, split_card, table
from nextvec.store.metadata import CorpusMetadata, check_dtype, check_split
from nextvec.store.vectors import CorpusInfo

KEY = "nextvec"
"""In the head of the card, JSON: `Description`."""
FORMAT = 1
FILES = "data/*.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is needed to have the corpus again, exactly; `fingerprint` proves that it is."""

    name: str
    tag: str | None
    fingerprint: str
    documents: int
    chunks: int
    cut: Cut
    metadata: CorpusMetadata

    def to_dict(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in ("name", "tag", "fingerprint", "documents", "chunks")}
        made = json.loads(self.metadata.to_json())
        return {"format": FORMAT, **plain, "cut": [self.cut.cut, self.cut.counted], "made": made}

    @classmethod
    def from_card(cls, text: str, owner: str) -> Description:
        """Raises DataError, naming `owner`, for a card that does not say it, or says what cannot be."""
        values, _ = split_card(text, owner)
        if KEY not in values:
            raise DataError(
                f"{owner}: its card does not say what made the vectors (key '{KEY}'). A data set of texts alone is "
                "encoded here: nextvec corpus ingest hf:NAME"
            )
        try:
            return cls._parse(json.loads(values[KEY]), owner)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{owner}: '{KEY}' in its card cannot be read ({error!r})") from None
        except NextvecError as error:
            raise DataError(f"{owner}: '{KEY}' in its card: {error}") from None

    @classmethod
    def _parse(cls, plain: Mapping[str, Any], owner: str) -> Description:
        if plain["format"] != FORMAT:
            raise DataError(f"format {plain['format']}; this version of nextvec reads {FORMAT}")
        metadata = CorpusMetadata.from_json(json.dumps(plain["made"]).encode(), owner=owner)
        check_split(metadata.split), check_dtype(metadata.dtype)
        if not isinstance(metadata.chunker["name"], str):
            raise DataError(f"chunker {metadata.chunker['name']!r}")
        cut, counted = plain["cut"]
        return cls(
            name=str(plain["name"]), tag=plain["tag"] and str(plain["tag"]), fingerprint=str(plain["fingerprint"]),
            documents=int(plain["documents"]), chunks=int(plain["chunks"]), cut=Cut(int(cut), int(counted)),
            metadata=metadata,
        )  # fmt: skip


def described(info: CorpusInfo, metadata: CorpusMetadata, fingerprint: str) -> Description:
    """Without folders of this machine."""
    encoder = metadata.encoder.model_copy(update={"reference": public_reference(metadata.encoder.reference)})
    return Description(
        name=info.name, tag=info.tag, fingerprint=fingerprint, documents=info.documents, chunks=info.chunks,
        cut=info.cut, metadata=replace(metadata, encoder=encoder),
    )  # fmt: skip


def corpus_rights(given: Description, licence: str | None) -> Rights:
    """`licence`: what whoever pushes it says."""
    encoder = given.metadata.encoder
    return made_with(encoder.name, encoder.licence, licence)


def corpus_card(
    given: Description, shards: Mapping[Part, int], parts: Mapping[Part, int], texts: Iterable[str], rights: Rights
) -> str:
    """`shards` and `parts`: how many files and documents each part has; `texts`: licences of the documents."""
    files = [{"split": part, "path": f"data/{part}-*.parquet"} for part in PARTS if shards[part]]
    head = {
        **rights.values(),
        "tags": ["nextvec", "sentence-vectors", "sequential-text"],
        "configs": [{"config_name": "default", "data_files": files}],
        KEY: json.dumps(given.to_dict(), ensure_ascii=False),
    }
    return front_matter(head) + "\n" + "\n".join(_lines(given, parts, sorted(texts), rights))


def _lines(given: Description, parts: Mapping[Part, int], texts: Sequence[str], rights: Rights) -> list[str]:
    encoder, split = given.metadata.encoder, given.metadata.split
    return [
        f"# {given.name}{f'@{given.tag}' if given.tag else ''}", "",
        f"Sequential text as unit vectors: {given.documents:,} documents cut into {given.chunks:,} chunks, one a row, "
        "in reading order, each with the vector that stands for it.", "",
        "## Made with", "",
        *table(("", ""), [
            ("encoder", encoder.describe()),
            ("chunker", ", ".join(f"{key} {value}" for key, value in given.metadata.chunker.items())),
            ("vectors", f"{encoder.dim} numbers of {given.metadata.dtype}, norm 1"),
            ("fingerprint", given.fingerprint),
        ]),
        "## Parts", "",
        *table(("part", "documents"), [(part, f"{parts[part]:,}") for part in PARTS]),
        f"A document's part follows from its id and the salt '{split['salt']}'. A training document that nearly "
        "duplicates a held-out one is in `train` here; nextvec leaves it out when it trains.", "",
        "## Licence", "", *rights.lines(texts),
        "## Use it", "",
        "    nextvec corpus import hf:USER/NAME --corpus " + given.name, "",
        "The encoder is loaded then and proven on golden texts, and the rows on the fingerprint.", "",
    ]  # fmt: skip
