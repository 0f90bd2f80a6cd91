from __future__ import annotations

import json

import pytest

from nextvec.errors import IntegrityError
from nextvec.store.metadata import METADATA_KEY, CorpusMetadata


def test_metadata_survives_the_schema(kit):
    metadata = CorpusMetadata(encoder=kit.spec, chunker={"name": "é"}, split=kit.split, dtype="float16")
    content = metadata.schema().metadata[METADATA_KEY]
    assert CorpusMetadata.from_json(content, owner="c") == metadata


def test_metadata_of_another_version_is_refused(kit):
    metadata = CorpusMetadata(encoder=kit.spec, chunker={}, split=kit.split, dtype="float16")
    content = json.dumps(json.loads(metadata.to_json()) | {"metadata_version": 99}).encode()
    with pytest.raises(IntegrityError, match="corpus 'c' has metadata version 99, this nextvec reads version 1"):
        CorpusMetadata.from_json(content, owner="c")
