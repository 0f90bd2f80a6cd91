"""What a corpus is made with and never changes: it travels in the Lance schema, so a dataset explains itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import IntegrityError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

METADATA_VERSION = 1
METADATA_KEY = b"nextvec"
BUCKETS = 1000
BREAKS_COLUMN = "begins"
"""Corpora from before there were breaks have none: `breaks.breaks_of_spans`."""
HEADING_COLUMN, HEADINGS_COLUMN, HEADING_VECTORS_COLUMN = "heading", "headings", "heading_vectors"
"""Corpora from before there were headings have none of these."""
DEFAULT_SPLIT: Mapping[str, Any] = {"salt": "nextvec", "test": 100, "validation": 200}

StoredDtype = Literal["float16", "float32"]


@dataclass(frozen=True, kw_only=True)
class CorpusMetadata:
    """`split`: documents in buckets [0, test) are test, [test, validation) validation, [validation, 1000) training."""

    encoder: EncoderSpec
    chunker: dict[str, Any]
    split: dict[str, Any]
    dtype: StoredDtype

    @property
    def dim(self) -> int:
        return self.encoder.dim

    def to_json(self) -> bytes:
        value = {
            "metadata_version": METADATA_VERSION,
            "encoder": self.encoder.to_dict(),
            "chunker": self.chunker,
            "split": self.split,
            "dtype": self.dtype,
        }
        return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, content: bytes, *, owner: str) -> CorpusMetadata:
        """Raises IntegrityError, naming `owner`, for metadata of another version."""
        value = json.loads(content)
        version = value.get("metadata_version")
        if version != METADATA_VERSION:
            raise IntegrityError(
                f"corpus '{owner}' has metadata version {version}, this nextvec reads version {METADATA_VERSION}. "
                f"Read it with the nextvec that wrote it"
            )
        return cls(
            encoder=EncoderSpec.parse(value["encoder"], owner=f"the encoder of corpus '{owner}'"),
            chunker=value["chunker"],
            split=value["split"],
            dtype=value["dtype"],
        )

    def schema(self) -> pa.Schema:
        """One row a chunk. `position`, `text`, `vector`, `start`, `end`, `begins`, `heading` are its own, the rest its
        document's; `headings` and their vectors are in the row of the first chunk, the others have empty lists.

        `content_hash` is of the source's title and text; `digest` is of what was stored: texts, spans, vector bytes.
        """
        import pyarrow as pa

        number = pa.float16() if self.dtype == "float16" else pa.float32()
        fields = [
            ("doc_id", pa.string()),
            ("doc_number", pa.int64()),
            ("position", pa.int32()),
            ("text", pa.string()),
            ("vector", pa.list_(number, self.dim)),
            ("title", pa.string()),
            ("source", pa.string()),
            ("licence", pa.string()),
            ("content_hash", pa.string()),
            ("digest", pa.string()),
            ("start", pa.int64()),
            ("end", pa.int64()),
            (BREAKS_COLUMN, pa.int8()),
            (HEADING_COLUMN, pa.int32()),
            (HEADINGS_COLUMN, pa.list_(heading_type())),
            (HEADING_VECTORS_COLUMN, pa.list_(pa.list_(number, self.dim))),
        ]
        return pa.schema(
            [pa.field(name, kind, nullable=False) for name, kind in fields], metadata={METADATA_KEY: self.to_json()}
        )


def heading_type() -> pa.StructType:
    """A heading without its vector."""
    import pyarrow as pa

    fields = [("text", pa.string()), ("level", pa.int32()), ("start", pa.int64())]
    return pa.struct([pa.field(name, kind, nullable=False) for name, kind in fields])


def check_split(split: Mapping[str, Any]) -> dict[str, Any]:
    """`split` as a plain dictionary of salt, test, validation.

    Raises UsageError for missing or unknown keys, or unless they are whole, 0 < test < validation < 1000.
    """
    if set(split) != set(DEFAULT_SPLIT):
        raise UsageError(f"split {sorted(split)}: expected the keys {sorted(DEFAULT_SPLIT)}")
    salt, test, validation = str(split["salt"]), split["test"], split["validation"]
    whole = all(isinstance(bound, Integral) and not isinstance(bound, bool) for bound in (test, validation))
    if not whole or not 0 < test < validation < BUCKETS:
        raise UsageError(
            f"split bounds test={test}, validation={validation}: expected whole 0 < test < validation < {BUCKETS}; "
            f"test=100, validation=200 holds out a tenth for each"
        )
    return {"salt": salt, "test": int(test), "validation": int(validation)}


def check_dtype(dtype: str) -> StoredDtype:
    """Raises UsageError unless float16 or float32."""
    if dtype == "float16":
        return "float16"
    if dtype == "float32":
        return "float32"
    raise UsageError.unknown("dtype", dtype, ["float16", "float32"])


def numpy_dtype(dtype: StoredDtype) -> np.dtype[Any]:
    return np.dtype(dtype)
