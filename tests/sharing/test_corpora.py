"""Corpora go out as data sets that others can read, and come back the same, bit for bit, or not at all."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as parquet
import pytest

from nextvec.adoption import adopted
from nextvec.errors import DataError, IntegrityError, MismatchError, NotFoundError, UsageError
from nextvec.housekeeping.corpora import remove_corpus
from nextvec.models.bundle import load_bundle
from nextvec.sequences.splits import PARTS, SplitSpec
from nextvec.sharing import corpora
from nextvec.sharing.corpora import export_corpus, import_corpus, push_corpus
from nextvec.sharing.models import push_model
from nextvec.store.generation import trained_generation
from nextvec.store.npz import export_npz, import_npz
from nextvec.store.proving import PROVED
from nextvec.store.vectors import Corpus, open_snapshot
from nextvec.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=")  # of huggingface_hub, about itself


@pytest.fixture
def exported(workspace, tmp_path):
    return export_corpus(workspace, "tales@first", tmp_path / "tales", licence="cc0-1.0").folder


def rewritten(folder, change):
    """The rows of the training part after `change`."""
    (file,) = folder.glob("data/train-*.parquet")
    parquet.write_table(change(parquet.read_table(file)), file)


def described(folder, change):
    """What the card says of itself after `change`."""
    lines = (folder / "README.md").read_text().split("\n")
    (at,) = [number for number, line in enumerate(lines) if line.startswith("nextvec: ")]
    plain = json.loads(json.loads(lines[at].removeprefix("nextvec: ")))
    change(plain)
    lines[at] = f"nextvec: {json.dumps(json.dumps(plain))}"
    (folder / "README.md").write_text("\n".join(lines))


def test_a_corpus_comes_back_bit_for_bit(workspace, exported, elsewhere):
    done = import_corpus(elsewhere, str(exported), "mine")
    there, here = open_snapshot(workspace, "tales@first"), open_snapshot(elsewhere, "mine@first")
    assert (done.stored, done.already, done.chunks, done.tag) == (len(there.documents), 0, len(there), "first")
    assert here.fingerprint == there.fingerprint
    np.testing.assert_array_equal(here.vectors, there.vectors)
    assert here.texts(range(len(here))) == there.texts(range(len(there)))
    assert list(here.documents) == list(there.documents)
    assert (here.split, here.chunker) == (there.split, there.chunker)
    assert import_corpus(elsewhere, str(exported), "mine").already == len(there.documents)


def test_headings_and_breaks_come_back(nextvec, elsewhere, tmp_path):
    text = "\n\n".join(f"## Part {part}\n\nOne of {part} is here. Two of {part} is there." for part in range(3))
    (tmp_path / "text").mkdir()
    for number in range(12):
        (tmp_path / "text" / f"{number}.md").write_text(f"# Title {number}\n\n{text}\n")
    ingest = ["corpus", "ingest", tmp_path / "text", "--corpus", "told", "--encoder", "hashing:16"]
    nextvec(*ingest, "--dtype", "float32", workspace=tmp_path / "ws")
    place = Workspace(tmp_path / "ws")
    export_corpus(place, "told", tmp_path / "out")
    import_corpus(elsewhere, str(tmp_path / "out"), "told")
    there, here = open_snapshot(place, "told"), open_snapshot(elsewhere, "told")
    assert there.breaks.any()
    assert len(there.headings([0])[0]) >= 3
    assert here.fingerprint == there.fingerprint
    np.testing.assert_array_equal(here.heading, there.heading)
    np.testing.assert_array_equal(here.headings([5])[0].vectors, there.headings([5])[0].vectors)


def test_others_read_it_with_its_parts(workspace, exported, tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    loaded = datasets.load_dataset(str(exported), cache_dir=str(tmp_path / "cache"))
    snapshot = open_snapshot(workspace, "tales@first")
    assert sum(map(len, loaded.values())) == len(snapshot)
    part_of = SplitSpec.parse(snapshot.split, owner="test").assign
    for part in PARTS:
        assert {part_of(doc_id) for doc_id in loaded[part]["document"]} == {part}
    first = loaded["train"][0]
    row = snapshot.offsets[first["number"]] + first["position"]
    assert first["text"] == snapshot.texts([row])[0]
    np.testing.assert_array_equal(np.array(first["vector"], np.float16), snapshot.vectors[row])


def test_files_of_many_shards_are_joined(workspace, elsewhere, tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "SHARD_ROWS", 100)
    real = Corpus.batches
    monkeypatch.setattr(Corpus, "batches", lambda corpus, at, rows=37: real(corpus, at, rows))
    folder = export_corpus(workspace, "tales@first", tmp_path / "tales").folder
    assert len(list(folder.glob("data/train-*-of-*.parquet"))) > 2
    import_corpus(elsewhere, str(folder), "mine")
    assert open_snapshot(elsewhere, "mine").fingerprint == open_snapshot(workspace, "tales@first").fingerprint


def test_it_goes_by_the_hub(own, hub, elsewhere, nextvec, tmp_path):
    pushed = json.loads(nextvec("corpus", "push", "tales@first", "ada/tales", "--json", workspace=own.root).out)
    assert hub.private["dataset", "ada/tales"]
    pinned = f"hf:ada/tales@{pushed['revision']}"
    done = nextvec("corpus", "import", pinned, "--corpus", "tales", workspace=elsewhere.root)
    assert "stored as corpus 'tales@first'" in done.out
    origin = json.loads(elsewhere.corpus("tales").with_suffix(".origin.json").read_text())
    assert (origin["hub"], origin["revision"]) == ("ada/tales", pushed["revision"])
    nextvec("push", "gru", "ada/gru", workspace=own.root)
    card = hub.commits["model", "ada/gru"][-1][1]["README.md"].decode()
    assert f"nextvec corpus import {pinned} --corpus tales" in card
    line = ["complete", "One. Two.", "--model", "hf:ada/gru"]
    lost = nextvec(*line, workspace=tmp_path / "empty", expect=1).err
    assert f"It is on the hub: nextvec corpus import {pinned} --corpus tales" in lost
    said = nextvec("complete", "One. Two.", "--model", "hf:ada/gru", "--sentences", "1", workspace=elsewhere.root)
    assert "on tales@first" in said.out


def test_a_killed_import_goes_on(workspace, exported, elsewhere, monkeypatch):
    monkeypatch.setattr(corpora, "BATCH_ROWS", 100)
    real, calls = Corpus.append, []

    def dies(corpus, documents):
        calls.append(documents)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(corpus, documents)

    monkeypatch.setattr(Corpus, "append", dies)
    with pytest.raises(KeyboardInterrupt):
        import_corpus(elsewhere, str(exported), "mine")
    monkeypatch.setattr(Corpus, "append", real)
    done = import_corpus(elsewhere, str(exported), "mine")
    assert 0 < done.already < done.stored + done.already
    assert open_snapshot(elsewhere, "mine").fingerprint == open_snapshot(workspace, "tales@first").fingerprint


def test_a_card_decides_neither_what_is_loaded_nor_which_server_is_asked(exported, elsewhere):
    described(exported, lambda plain: plain["made"]["encoder"].update(reference="openai:http://eve/v1#m"))
    with pytest.raises(UsageError, match=r"A card does not decide what is loaded here.*--encoder REFERENCE"):
        import_corpus(elsewhere, str(exported), "mine")
    assert import_corpus(elsewhere, str(exported), "mine", encoder="hashing:32").stored
    assert Corpus.open(elsewhere, "mine").metadata.encoder.reference == "hashing:32"


def test_another_encoder_is_found_out(exported, elsewhere):
    with pytest.raises(MismatchError, match="differ in dim"):
        import_corpus(elsewhere, str(exported), "mine", encoder="hashing:16")
    described(exported, lambda plain: plain["made"]["encoder"].update(golden=[[0.5] * 16] * 8))
    with pytest.raises(MismatchError, match="golden sentences"):
        import_corpus(elsewhere, str(exported), "mine")
    described(exported, lambda plain: plain["made"]["encoder"].update(golden=[]))
    with pytest.raises(MismatchError, match="no golden vectors to prove"):
        import_corpus(elsewhere, str(exported), "mine")
    assert not elsewhere.corpora.exists()


def replaced(table, column, values):
    import pyarrow as pa

    return table.set_column(table.column_names.index(column), column, pa.array(values))


def test_vectors_that_are_not_of_their_texts_are_found_out(exported, elsewhere):
    rewritten(exported, lambda table: replaced(table, "text", ["Changed."] * len(table)))
    told = r"tales: the vectors are not those of hashing 32-D.*, gives another one: cosine .*, the lowest of 32"
    with pytest.raises(MismatchError, match=told):
        import_corpus(elsewhere, str(exported), "mine")
    assert not Corpus.open(elsewhere, "mine").known_documents()


@pytest.mark.parametrize("size", [1, 10_000])
def test_every_batch_is_proven(exported, elsewhere, monkeypatch, size):
    monkeypatch.setattr(corpora, "BATCH_ROWS", size)
    done = import_corpus(elsewhere, str(exported), "mine")
    assert done.encoder.startswith("hashing 32-D")
    assert done.proven == (done.chunks if size == 1 else PROVED)


def test_without_texts_nothing_is_proven_and_that_is_said(workspace, elsewhere, nextvec, tmp_path):
    snapshot = open_snapshot(workspace, "tales@first")
    export_npz(snapshot, tmp_path / "tales.npz")
    bare, folder, spec = Workspace(tmp_path / "bare"), tmp_path / "out", tmp_path / "spec.json"
    import_npz(bare, tmp_path / "tales.npz", "bare", snapshot.encoder)
    export_corpus(bare, "bare", folder)
    assert import_corpus(elsewhere, str(folder), "mine").proven == 0
    told = nextvec("corpus", "import", folder, "--corpus", "again", workspace=elsewhere.root)
    line = "taken at its word, with no text encoded: that its vectors are of hashing 32-D"
    assert line in told.out
    assert line not in nextvec("corpus", "import", folder, "--corpus", "again", workspace=elsewhere.root).out
    with_texts = export_corpus(workspace, "tales@first", tmp_path / "tales").folder
    assert line not in nextvec("corpus", "import", with_texts, "--corpus", "tales", workspace=elsewhere.root).out
    spec.write_text(snapshot.encoder.model_dump_json())
    given = ("corpus", "import", with_texts, "--corpus", "spec", "--encoder", spec)
    assert line in nextvec(*given, workspace=elsewhere.root).out


def test_rows_that_were_changed_are_found_out(exported, elsewhere):
    rewritten(exported, lambda table: replaced(table, "licence", ["changed"] * len(table)))
    with pytest.raises(IntegrityError, match=r"its rows have fingerprint .* nextvec corpus remove mine"):
        import_corpus(elsewhere, str(exported), "mine")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.drop_columns(["vector"]), "it has no column vector"),
        (lambda table: table.slice(1), "does not begin with its chunk 0"),
        (lambda table: table.take([1, 0, *range(2, len(table))]), "does not begin with its chunk 0"),
        (lambda table: table.take([0, 2, 1, *range(3, len(table))]), "are not at positions"),
        (lambda table: table.slice(0, 16), "files are missing"),
        (lambda table: table.slice(16), "files are missing"),
    ],
)
def test_rows_that_are_no_documents_are_refused(change, words, exported, elsewhere):
    rewritten(exported, change)
    with pytest.raises(DataError, match=words):
        import_corpus(elsewhere, str(exported), "mine")


def test_a_vector_that_is_none_is_refused(exported, elsewhere):
    import pyarrow as pa

    def longer(table):
        vectors = np.stack(table["vector"].to_numpy()).astype(np.float16) * np.float16(3)
        column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
        return table.set_column(table.column_names.index("vector"), "vector", column)

    rewritten(exported, longer)
    with pytest.raises(DataError, match="has norm 3"):
        import_corpus(elsewhere, str(exported), "mine")


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ("# Texts\n", "does not say what made the vectors"),
        ("---\nnextvec: '{'\n---\n", "cannot be read"),
        ("---\nnextvec: '{\"format\": 9}'\n---\n", "format 9"),
        ("---\n!!python/object/apply:os.system ['true']\n---\n", "is not YAML"),
        ("---\n- a\n---\n", "expected YAML"),
    ],
)
def test_a_card_that_says_nothing_is_told(card, words, exported, elsewhere):
    (exported / "README.md").write_text(card)
    with pytest.raises(DataError, match=words):
        import_corpus(elsewhere, str(exported), "mine")


def test_a_file_that_is_no_parquet_is_refused(exported, elsewhere):
    (file,) = exported.glob("data/test-*")
    file.write_bytes(b"PAR1 but not really PAR1")
    with pytest.raises(DataError, match=r"test-00000-of-00001\.parquet"):
        import_corpus(elsewhere, str(exported), "mine")


def test_a_corpus_that_holds_something_else_is_left_alone(
    workspace, exported, elsewhere, nextvec, write_prose, tmp_path
):
    text = write_prose(tmp_path / "text", documents=3, seed=5)
    split = ["--test", "200", "--validation", "400"]
    nextvec("corpus", "ingest", text, "--corpus", "mine", "--encoder", "hashing:32", *split, workspace=elsewhere.root)
    before = open_snapshot(elsewhere, "mine").fingerprint
    with pytest.raises(MismatchError, match="holds other documents"):
        import_corpus(elsewhere, str(exported), "mine")
    assert open_snapshot(elsewhere, "mine").fingerprint == before


def test_nothing_half_written_is_left(workspace, tmp_path, monkeypatch, nextvec):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    with pytest.raises(UsageError, match="not empty"):
        export_corpus(workspace, "tales", tmp_path / "full")
    monkeypatch.setattr(corpora, "corpus_card", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_corpus(workspace, "tales", tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"full"}
    with pytest.raises(NotFoundError, match=r"no README\.md"):
        import_corpus(workspace, str(tmp_path / "full"), "mine")
    error = nextvec("corpus", "import", tmp_path / "x.npz", "--corpus", "y", workspace=tmp_path / "w", expect=2).err
    assert "needs --encoder" in error
    rows = "postgresql://me:hush@localhost/db?table=t"
    error = nextvec("corpus", "import", rows, "--corpus", "y", workspace=tmp_path / "w", expect=2).err
    assert "needs --encoder" in error
    assert "hush" not in error


def test_push_says_who_pushed_where(own, hub):
    done = push_corpus(own, "tales@first", "tales", public=True)
    assert done.name == "ada/tales"
    assert not hub.private["dataset", "ada/tales"]
    assert json.loads(own.corpus("tales").with_suffix(".pushed.jsonl").read_text())["revision"] == done.revision


def test_one_that_is_removed_leaves_no_record_of_its_push(own, hub, monkeypatch):
    push_corpus(own, "tales@first", "tales")
    push = corpora.push_repository

    def meanwhile(*given, **known):
        done = push(*given, **known)
        remove_corpus(own, "tales", force=True)
        return done

    monkeypatch.setattr(corpora, "push_repository", meanwhile)
    with pytest.raises(NotFoundError, match="'tales' was pushed to ada/tales is not recorded"):
        push_corpus(own, "tales@first", "tales")
    assert {path.suffix for path in own.corpora.iterdir()} <= {".lock", ".generations"}


def test_in_a_bucket_all_of_it_works(own, hub, bucket, machine):
    place = Workspace(bucket)
    pushed, model = push_corpus(own, "tales@first", "ada/tales"), push_model(own, "gru", "ada/gru")
    import_corpus(place, "hf:ada/tales", "tales")
    identity = adopted(place, "hf:ada/gru")
    machine("second")
    elsewhere = Workspace(bucket)
    assert adopted(elsewhere, f"hf:ada/gru@{model.revision}") == identity
    assert trained_generation(elsewhere, load_bundle(elsewhere.model(identity)).config).label == "tales@first"
    again = push_corpus(elsewhere, "tales@first", "ada/tales-again")
    first, second = (hub.commits["dataset", name][-1][1] for name in ("ada/tales", "ada/tales-again"))
    assert first == second
    assert again.revision != pushed.revision or again.name != pushed.name
    push_model(elsewhere, identity, "ada/gru-again")
