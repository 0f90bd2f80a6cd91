from __future__ import annotations

import json

import numpy as np
import pytest

from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.sources import open_source
from nextvec.corpus.sources.postgres import open_address
from nextvec.encoders import load_encoder
from nextvec.errors import DataError, MismatchError, StorageError, UsageError
from nextvec.store import importing, pgvector
from nextvec.store.ingest import ingest
from nextvec.store.npz import export_npz, import_npz
from nextvec.store.pgvector import export_table
from nextvec.store.pgvector_rows import import_table
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import Corpus, open_snapshot

ENCODER = load_encoder("hashing:16")
PAGE = """# Rivers

The river {0} rises in the hills. It was named after king {0}, who never saw it.

Boats sail it in summer.

## Mouth

## Delta

It ends in a delta of {0} arms. Birds live there.
"""


@pytest.fixture
def snapshot(workspace, tmp_path) -> Snapshot:
    """Of 40 pages with paragraphs and headings, of which one has no text under it."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02d}.md").write_text(PAGE.format(number))
    ingest(workspace, "pages", open_source(str(folder)), build_chunker("sentence"), ENCODER)
    return open_snapshot(workspace, "pages")


@pytest.fixture
def export(snapshot, postgres):
    def export(options: str = "table=chunks", **how):
        address, chosen = open_address(postgres.uri(options))
        return export_table(snapshot, address, chosen.require_table(address), **how)

    return export


@pytest.fixture
def load(workspace, postgres):
    def load(options: str = "table=chunks", name: str = "back", encoder=ENCODER):
        import_table(workspace, *open_address(postgres.uri(options)), name, encoder)
        return open_snapshot(workspace, name)

    return load


def told(snapshot: Snapshot):
    """All that is known of every document, by its id."""
    numbers = range(len(snapshot.documents))
    return {
        snapshot.documents[number].doc_id: (
            snapshot.documents[number].title,
            snapshot.documents[number].source,
            snapshot.texts(range(snapshot.offsets[number], snapshot.offsets[number + 1])),
            snapshot.vectors[snapshot.offsets[number] : snapshot.offsets[number + 1]].tobytes(),
            snapshot.breaks[snapshot.offsets[number] : snapshot.offsets[number + 1]].tolist(),
            snapshot.heading[snapshot.offsets[number] : snapshot.offsets[number + 1]].tolist(),
            [(one.text, one.level) for one in snapshot.headings([number])[0].headings],
            snapshot.headings([number])[0].vectors.tobytes(),
        )
        for number in numbers
    }


def test_what_goes_out_comes_back(snapshot, export, load, monkeypatch) -> None:
    monkeypatch.setattr(pgvector, "BLOCK_DOCUMENTS", 7)
    report = export()
    assert (report.documents, report.chunks, report.indexed) == (40, len(snapshot), True)
    assert told(load()) == told(snapshot)


def test_the_rows_of_a_document(export, postgres) -> None:
    export()
    columns = "position, text, begins, heading, heading_number, headings, title, source, licence, vector_dims(vector)"
    rows = postgres.execute(f"SELECT {columns} FROM chunks WHERE doc_id = '07.md' ORDER BY position")
    headings = [{"text": text, "level": level} for text, level in (("Rivers", 1), ("Mouth", 2), ("Delta", 2))]
    assert rows[0] == (
        *(0, "The river 7 rises in the hills.", True, "Rivers", 0, headings, "Rivers", "07.md", "unknown", 16),
    )
    assert rows[1][:6] == (1, "It was named after king 7, who never saw it.", False, "Rivers", 0, None)
    assert rows[3][2:5] == (True, "Delta", 2)


def test_the_nearest_are_found_through_the_index(snapshot, export, postgres) -> None:
    export()
    wanted = snapshot.vectors[5].astype(float).tolist()
    nearest = f"SELECT text FROM chunks ORDER BY vector <=> '{wanted}' LIMIT 1"
    assert postgres.execute(nearest)[0][0] == snapshot.texts([5])[0]
    [(kind,)] = postgres.execute(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'chunks' AND indexdef LIKE '%hnsw%'"
    )
    assert kind.endswith("USING hnsw (vector vector_cosine_ops)")


def test_a_table_that_exists_is_kept(export, postgres) -> None:
    postgres.execute("CREATE TABLE chunks (mine int)")
    with pytest.raises(UsageError, match="has a table 'chunks' already"):
        export()
    export(replace=True)
    assert postgres.execute("SELECT count(*) FROM chunks WHERE position = 0") == [(40,)]


def test_all_or_nothing(export, postgres, monkeypatch) -> None:
    postgres.execute("CREATE TABLE chunks (mine int)")

    def fail(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(pgvector, "_finish", fail)
    with pytest.raises(KeyboardInterrupt):
        export(replace=True)
    assert postgres.execute("SELECT * FROM chunks") == []
    with pytest.raises(KeyboardInterrupt):
        export("table=others")
    assert postgres.execute("SELECT to_regclass('others')") == [(None,)]


def test_vectors_without_text_and_too_many_dimensions(make_process, workspace, postgres, tmp_path) -> None:
    """What came as an NPZ has no text: it is taken where the table says of which encoder it is."""
    wide = make_process([8, 9], dim=2001, encoder=load_encoder("hashing:2001").spec)
    export_npz(wide, tmp_path / "a.npz", context=2)
    import_npz(workspace, tmp_path / "a.npz", "npz", wide.encoder)
    address, chosen = open_address(postgres.uri("table=wide"))
    assert not export_table(open_snapshot(workspace, "npz"), address, "wide").indexed
    import_table(workspace, address, chosen, "again", load_encoder("hashing:2001"))
    back = open_snapshot(workspace, "again")
    np.testing.assert_array_equal(back.vectors, open_snapshot(workspace, "npz").vectors)
    postgres.execute("COMMENT ON TABLE wide IS NULL")
    with pytest.raises(DataError, match="without texts nothing shows"):
        import_table(workspace, address, chosen, "more", load_encoder("hashing:2001"))


def test_a_killed_import_goes_on(snapshot, export, load, workspace, monkeypatch) -> None:
    export()
    monkeypatch.setattr(importing, "BATCH_ROWS", 40)
    whole = load(name="whole")
    append, commits = Corpus.append, []

    def third(corpus, documents):
        commits.append(1)
        if len(commits) == 3:
            raise KeyboardInterrupt
        return append(corpus, documents)

    monkeypatch.setattr(Corpus, "append", third)
    with pytest.raises(KeyboardInterrupt):
        load()
    monkeypatch.setattr(Corpus, "append", append)
    assert 0 < len(open_snapshot(workspace, "back")) < len(snapshot)
    assert load().fingerprint == whole.fingerprint


@pytest.fixture
def rows(postgres):
    """A table of somebody else's: vectors of `hashing:16` in a column of their own."""
    postgres.execute("CREATE EXTENSION IF NOT EXISTS vector")
    postgres.execute("CREATE TABLE notes (note int, part int, words text, emb vector(16))")
    texts = [f"Part {place} of the note {note}." for note in range(30) for place in range(3)]
    vectors = ENCODER.encode(texts).tolist()
    values = [(i // 3, i % 3, text, str(vector)) for i, (text, vector) in enumerate(zip(texts, vectors, strict=True))]
    postgres.execute("INSERT INTO notes VALUES (%s, %s, %s, %s)", values[::-1])
    return postgres


NOTES = "table=notes&id=note&position=part&text=words&vector=emb"


def test_vectors_that_exist_are_taken(rows, load) -> None:
    taken = load(NOTES)
    assert taken.documents.ids == [str(number) for number in range(30)]
    assert taken.texts([4]) == ["Part 1 of the note 1."]
    assert taken.breaks.tolist() == [-1] * 90
    np.testing.assert_allclose(taken.vectors[4], ENCODER.encode(["Part 1 of the note 1."])[0], atol=1e-3)
    assert load(NOTES).fingerprint == taken.fingerprint


def test_vectors_of_a_query_may_be_arrays(rows, load) -> None:
    query = "SELECT note AS id, part AS position, words AS text, emb::real[] AS vector FROM notes WHERE note < 3"
    assert len(load(f"query={query}")) == 9


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            "SET words = 'Other words than those.'",
            MismatchError,
            r"gives another one: cosine [-0.\d]+, the lowest of 32",
        ),
        ("SET emb = NULL WHERE note = 4 AND part = 1", MismatchError, "document '4', position 1: emb is null"),
        ("SET emb = (2 * emb::real[][1:1] || emb::real[])[1:16]::vector WHERE note = 4", DataError, "norm"),
        ("SET note = NULL WHERE note = 4", DataError, "a row has no document"),
    ],
)
def test_rows_that_are_no_chunks_of_the_encoder(rows, load, change: str, error: type, message: str) -> None:
    rows.execute(f"UPDATE notes {change}".replace("2 * emb::real[][1:1]", "ARRAY[2::real]"))
    with pytest.raises(error, match=message) as caught:
        load(NOTES)
    assert rows.password not in str(caught.value)


def test_another_encoder_is_refused(export, rows, load) -> None:
    with pytest.raises(MismatchError, match="emb is 16-D, expected one of hashing 32-D"):
        load(NOTES, encoder=load_encoder("hashing:32"))
    export()
    with pytest.raises(MismatchError, match="they differ in dim"):
        load(encoder=load_encoder("hashing:32"))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ("table=notes", UsageError, "no column for id; has note, part, words, emb. Name it: id=COLUMN"),
        ("table=notes&id=note&position=part&text=words", UsageError, "unknown column of vectors 'vector'"),
        ("table=notes&id=note&position=part&text=words&vector=embb", UsageError, "Did you mean 'emb'"),
        ("table=notes&port=1", StorageError, "cannot connect"),
    ],
)
def test_columns_that_are_not_there(rows, load, options: str, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        load(options)


def test_a_data_base_without_pgvector(postgres, load) -> None:
    postgres.execute("CREATE TABLE notes (id int, position int, text text, vector real[])")
    with pytest.raises(DataError, match="CREATE EXTENSION vector"):
        load("table=notes")


def test_on_the_command_line(nextvec, snapshot, workspace, postgres, tmp_path) -> None:
    uri, place = postgres.uri("table=chunks"), {"workspace": workspace.root}
    out = nextvec("corpus", "export", "pages", uri, **place)
    assert f"{len(snapshot)} chunks of 40 documents from pages written to table 'chunks' of" in out.out
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(ENCODER.spec.to_dict()))
    back = nextvec("corpus", "import", uri, "--corpus", "back", "--encoder", spec, "--json", **place)
    assert json.loads(back.out)["stored"] == 40
    again = nextvec("corpus", "export", "pages", uri, expect=2, **place)
    assert "--replace it" in again.err
    nextvec("corpus", "export", "pages", uri, "--replace", "--json", **place)
    for wrong in ([uri, "--context", 3], [tmp_path / "a.npz", "--replace"], [postgres.uri("query=SELECT 1")]):
        out.err += nextvec("corpus", "export", "pages", *wrong, expect=2, **place).err
    assert postgres.password not in out.out + out.err + back.out + again.err
