from __future__ import annotations

import io
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nextvec.corpus.headings import Heading
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import DataError, MismatchError, NotFoundError, UsageError
from nextvec.store.archive import open_archive
from nextvec.store.headings import Headings
from nextvec.store.npz import export_npz, import_npz
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import corpus_names, open_snapshot
from nextvec.structure import BEGINS, UNKNOWN

LENGTHS = [9, 3, 6, 12]


@pytest.fixture
def snapshot(kit) -> Snapshot:
    offsets = np.cumsum([0, *LENGTHS])
    vectors = kit.vectors(int(offsets[-1])).astype(np.float16)
    return Snapshot.from_arrays("x", vectors, offsets, ["a", "b", "ç", "d"], encoder=kit.spec)


@pytest.fixture
def headed(snapshot, kit) -> Snapshot:
    """Of its documents "a" has two headings, "b" and "d" one."""
    names = [["One", "Two"], ["Short"], [], ["Ünder"]]
    lists = [
        Headings(
            tuple(Heading(text=text, level=level, start=0) for level, text in enumerate(own, start=1)),
            kit.vectors(len(own), seed=seed).astype(np.float16),
        )
        for seed, own in enumerate(names)
    ]
    heading = np.concatenate([[-1, 0, 0, 1, 1, 1, 1, 1, 1], [0] * 3, [-1] * 6, [-1, *[0] * 11]])
    return replace(snapshot, heading=heading, read_headings=lambda chosen: [lists[number] for number in chosen])


@pytest.fixture
def told_headings(kit) -> dict[str, np.ndarray]:
    """What a file tells of two headings of "a" under which nothing stands."""
    return {
        "headings": np.full((12, 6), -1, np.int32),
        "heading_doc_ids": np.array(["a", "a"]),
        "heading_texts": np.array(["One", "Two"]),
        "heading_levels": np.array([1, 2], np.int32),
        "heading_vectors": kit.vectors(2, seed=8),
    }


@pytest.fixture
def arrays(snapshot, tmp_path) -> dict[str, np.ndarray]:
    """A good file's arrays, to spoil one at a time."""
    export_npz(snapshot, tmp_path / "good.npz", context=5)
    with np.load(tmp_path / "good.npz") as file:
        return dict(file)


@pytest.fixture
def load(kit, workspace, tmp_path):
    def load(arrays=None, *, path: Path | None = None, encoder: EncoderSpec = kit.spec, **options):
        if path is None:
            path = tmp_path / "in.npz"
            np.savez(path, **arrays)
        return import_npz(workspace, path, "c", encoder, **options)

    return load


def write_members(path: Path, members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def header(text: str, *, version: bytes = b"\x01\x00") -> bytes:
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text.encode()


class TestExport:
    def test_the_file_holds_every_window_and_its_next_vector(self, snapshot, tmp_path):
        windows = export_npz(snapshot, tmp_path / "out.npz", context=5)
        assert windows == sum(max(0, length - 5) for length in LENGTHS) == 12
        with np.load(tmp_path / "out.npz", allow_pickle=False) as file:
            assert file["context_vectors"].shape == (12, 5, 8)
            assert file["context_vectors"].dtype == file["target_vectors"].dtype == np.float32
            assert file["doc_ids"].tolist() == ["a"] * 4 + ["ç"] + ["d"] * 7
            assert file["positions"].tolist() == [5, 6, 7, 8, 5, *range(5, 12)]
            for row, (target, position) in enumerate(zip(file["target_vectors"], file["positions"], strict=True)):
                at = snapshot.offsets[["a", "b", "ç", "d"].index(file["doc_ids"][row])] + position
                np.testing.assert_array_equal(target, snapshot.vectors[at])
                np.testing.assert_array_equal(file["context_vectors"][row], snapshot.vectors[at - 5 : at])

    @pytest.mark.parametrize("context", [1, 3, 7])
    def test_any_context_comes_back(self, snapshot, workspace, kit, tmp_path, context):
        export_npz(snapshot, tmp_path / "out.npz", context=context)
        import_npz(workspace, tmp_path / "out.npz", "c", kit.spec)
        back = open_snapshot(workspace, "c")
        kept = [document for document, length in enumerate(LENGTHS) if length > context]
        assert back.lengths.tolist() == [LENGTHS[document] for document in kept]
        expected = [snapshot.vectors[snapshot.offsets[i] : snapshot.offsets[i + 1]] for i in kept]
        np.testing.assert_array_equal(back.vectors, np.concatenate(expected))

    def test_blocks_do_not_show(self, snapshot, tmp_path, monkeypatch):
        export_npz(snapshot, tmp_path / "whole.npz")
        monkeypatch.setattr("nextvec.store.npz.EXPORT_BLOCK", 5)
        export_npz(snapshot, tmp_path / "parts.npz")
        assert (tmp_path / "whole.npz").read_bytes() == (tmp_path / "parts.npz").read_bytes()

    def test_paragraphs_come_back(self, snapshot, workspace, kit, tmp_path):
        told = replace(snapshot, breaks=np.resize(np.array([1, 0, -1, 1], np.int8), len(snapshot)))
        export_npz(told, tmp_path / "out.npz", context=3)
        with np.load(tmp_path / "out.npz") as file:
            assert file["breaks"].shape == (len(file["positions"]), 4)
            assert file["breaks"][0].tolist() == told.breaks[:4].tolist()
        import_npz(workspace, tmp_path / "out.npz", "c", kit.spec)
        whole = [number for number, document in enumerate(told.doc_index) if LENGTHS[document] > 3]
        assert open_snapshot(workspace, "c").breaks.tolist() == told.breaks[whole].tolist()

    def test_a_snapshot_that_knows_nothing_of_paragraphs_says_nothing(self, arrays):
        assert "breaks" not in arrays

    def test_headings_come_back(self, snapshot, headed, workspace, kit, tmp_path, monkeypatch):
        monkeypatch.setattr("nextvec.store.npz_headings.BLOCK_DOCUMENTS", 1)
        export_npz(headed, tmp_path / "out.npz", context=3)
        with np.load(tmp_path / "out.npz") as file:
            assert file["headings"].shape == (len(file["positions"]), 4)
            assert file["headings"][0].tolist() == [-1, 0, 0, 1]
            assert file["heading_doc_ids"].tolist() == ["a", "a", "d"]
            assert file["heading_texts"].tolist() == ["One", "Two", "Ünder"]
            assert file["heading_levels"].tolist() == [1, 2, 1]
            assert file["heading_vectors"].shape == (3, 8)
        import_npz(workspace, tmp_path / "out.npz", "c", kit.spec, dtype="float32")
        back = open_snapshot(workspace, "c")
        whole = [number for number, document in enumerate(headed.doc_index) if LENGTHS[document] > 3]
        assert back.heading.tolist() == headed.heading[whole].tolist()
        for own, other in zip(back.headings([0, 1, 2]), headed.headings([0, 2, 3]), strict=True):
            assert [(one.text, one.level) for one in own.headings] == [(one.text, one.level) for one in other.headings]
            np.testing.assert_array_equal(own.vectors, other.vectors)

    def test_headings_of_documents_that_are_too_short_stay_behind(self, headed, tmp_path):
        short = replace(headed, heading=np.where(headed.doc_index == 0, headed.heading, -1))
        export_npz(short, tmp_path / "out.npz", context=9)
        with np.load(tmp_path / "out.npz") as file:
            assert "headings" not in file
            assert "heading_texts" not in file

    def test_a_snapshot_without_headings_says_nothing(self, arrays):
        assert not any(key.startswith("heading") for key in arrays)

    def test_nothing_to_export_is_an_error(self, snapshot, tmp_path):
        with pytest.raises(DataError, match="no document longer than 12 chunks"):
            export_npz(snapshot, tmp_path / "out.npz", context=12)
        with pytest.raises(UsageError, match="context 0"):
            export_npz(snapshot, tmp_path / "out.npz", context=0)
        assert list(tmp_path.iterdir()) == []


class TestImport:
    def test_documents_come_back_whole(self, arrays, load, workspace, snapshot):
        report = load(arrays)
        assert (report.stored, report.windows, report.chunks) == (3, 12, 27)
        back = open_snapshot(workspace, "c")
        assert [record.doc_id for record in back.documents] == ["a", "ç", "d"]
        assert back.lengths.tolist() == [9, 6, 12]
        np.testing.assert_array_equal(back.vectors[:9], snapshot.vectors[:9])
        assert back.chunker == {"name": "npz", "context": 5}
        assert list(workspace.cache.glob("import-*")) == []

    def test_chunks_come_back_whole(self, load, workspace, snapshot):
        """In the order of the rows, or of their positions; one is a document as well."""
        ids = np.array(["a", "b", "ç", "d"])[snapshot.doc_index]
        breaks = np.resize(np.array([1, 0, -1], np.int8), len(snapshot))
        shuffled = np.random.default_rng(0).permutation(len(snapshot))
        arrays = {"vectors": snapshot.vectors.astype(np.float32), "doc_ids": ids, "breaks": breaks}
        places = {"positions": np.arange(len(snapshot)) - snapshot.offsets[snapshot.doc_index]}
        report = load({key: array[shuffled] for key, array in (arrays | places).items()})
        assert (report.stored, report.windows, report.chunks) == (4, 0, len(snapshot))
        assert load(arrays).already == 4
        back = open_snapshot(workspace, "c")
        order = [back.documents.ids.index(one) for one in ["a", "b", "ç", "d"]]
        rows = np.concatenate([np.arange(back.offsets[one], back.offsets[one + 1]) for one in order])
        np.testing.assert_array_equal(back.vectors[rows], snapshot.vectors)
        assert back.breaks[rows].tolist() == breaks.tolist()

    @pytest.mark.parametrize(
        ("spoilt", "told"),
        [
            ({"positions": np.array([0, 2])}, "position 2 of document 'x' is further"),
            ({"doc_ids": np.array(["x"])}, r"doc_ids: .*expected \[2\]"),
            ({"vectors": np.ones((2, 8), np.float32)}, "expected finite vectors of norm 1: divide each by its own"),
            ({"vectors": np.ones((2, 3), np.float32)}, r"expected float \[N, 8\]"),
            ({"breaks": np.array([1])}, "breaks: "),
        ],
    )
    def test_chunks_that_are_none_are_refused(self, load, kit, spoilt, told):
        good = {"vectors": kit.vectors(2), "doc_ids": np.array(["x", "x"])}
        with pytest.raises(DataError, match=told):
            load(good | spoilt)

    def test_the_order_of_bytes_changes_nothing(self, arrays, load, workspace, snapshot):
        swapped = {key: array.astype(array.dtype.newbyteorder(">")) for key, array in arrays.items()}
        assert swapped["target_vectors"].dtype == swapped["context_vectors"].dtype == np.dtype(">f4")
        load(swapped)
        back = open_snapshot(workspace, "c")
        assert [record.doc_id for record in back.documents] == ["a", "ç", "d"]
        np.testing.assert_array_equal(back.vectors[:9], snapshot.vectors[:9])

    def test_the_same_again_stores_nothing(self, arrays, load):
        load(arrays)
        report = load(arrays)
        assert (report.stored, report.already) == (0, 3)

    def test_changed_vectors_are_refused(self, arrays, load, kit):
        load(arrays)
        arrays["target_vectors"][-1] = kit.vectors(1, seed=99)
        with pytest.raises(DataError, match="document 'd' differs from the one stored"):
            load(arrays)

    def test_without_breaks_nothing_is_known(self, arrays, load, workspace):
        load(arrays)
        assert set(open_snapshot(workspace, "c").breaks.tolist()) == {UNKNOWN}

    @pytest.mark.parametrize("dtype", [np.int8, ">i8", np.uint8])
    def test_breaks_may_be_any_integers(self, arrays, load, workspace, dtype):
        load(arrays | {"breaks": np.ones((12, 6), dtype)})
        assert set(open_snapshot(workspace, "c").breaks.tolist()) == {BEGINS}

    def test_changed_breaks_are_refused(self, arrays, load):
        load(arrays | {"breaks": np.zeros((12, 6), np.int8)})
        load(arrays | {"breaks": np.zeros((12, 6), np.int8)})
        with pytest.raises(DataError, match="document 'a' differs from the one stored"):
            load(arrays | {"breaks": np.ones((12, 6), np.int8)})

    def test_a_corpus_from_before_there_were_breaks_refuses_them(self, arrays, load, before_breaks):
        load(arrays | {"breaks": np.full((12, 6), UNKNOWN)})
        with pytest.raises(MismatchError, match=r"corpus 'c' is from before .* and .*in\.npz has breaks\. Import into"):
            load(arrays | {"breaks": np.ones((12, 6), np.int8)})

    def test_changed_headings_are_refused(self, arrays, load, told_headings, kit):
        load(arrays | told_headings)
        load(arrays | told_headings)
        for change in ({"heading_texts": np.array(["One", "Three"])}, {"heading_vectors": kit.vectors(2, seed=9)}):
            with pytest.raises(DataError, match="document 'a' differs from the one stored"):
                load(arrays | told_headings | change)

    def test_headings_need_not_be_told_of_every_document(self, arrays, load, told_headings, workspace):
        load(arrays | told_headings)
        back = open_snapshot(workspace, "c")
        assert [len(own) for own in back.headings([0, 1, 2])] == [2, 0, 0]
        assert set(back.heading.tolist()) == {-1}

    def test_a_corpus_from_before_there_were_headings_refuses_them(self, arrays, load, told_headings, before_headings):
        load(arrays | told_headings)
        under = told_headings["headings"].copy()
        under[:4] = 1
        with pytest.raises(MismatchError, match=r"is from before headings were kept, and .*in\.npz has headings\. Imp"):
            load(arrays | told_headings | {"headings": under})

    def test_order_and_compression_do_not_matter(self, arrays, load, workspace, tmp_path, snapshot):
        order = np.random.default_rng(0).permutation(12)
        shuffled = {key: value if key == "encoder" else value[order] for key, value in arrays.items()}
        np.savez_compressed(tmp_path / "in.npz", **shuffled)
        load(path=tmp_path / "in.npz")
        back = open_snapshot(workspace, "c")
        for document, record in enumerate(back.documents):
            at = ["a", "b", "ç", "d"].index(record.doc_id)
            mine = back.vectors[back.offsets[document] : back.offsets[document + 1]]
            np.testing.assert_array_equal(mine, snapshot.vectors[snapshot.offsets[at] : snapshot.offsets[at + 1]])

    @pytest.mark.parametrize("contexts", ["context_sequences", "contexts"])
    def test_older_names_are_understood(self, arrays, load, contexts):
        older = {contexts: arrays["context_vectors"], "targets": arrays["target_vectors"]}
        assert load(older | {"doc_ids": arrays["doc_ids"], "positions": arrays["positions"]}).stored == 3

    @pytest.mark.parametrize("dtype", [np.int64, "S3"])
    def test_ids_may_be_numbers_or_bytes(self, arrays, load, workspace, dtype):
        numbers = np.array([1] * 4 + [2] + [3] * 7)
        load(arrays | {"doc_ids": numbers.astype(dtype)})
        assert [record.doc_id for record in open_snapshot(workspace, "c").documents] == ["1", "2", "3"]

    def test_without_positions_the_order_of_the_file_is_taken_and_proved(self, arrays, load, workspace):
        del arrays["positions"]
        assert load(arrays).stored == 3
        arrays["context_vectors"][:4] = arrays["context_vectors"][[1, 0, 2, 3]]
        with pytest.raises(DataError, match="windows of document 'a' contradict each other"):
            load(arrays)

    def test_windows_may_be_further_apart_as_long_as_they_join(self, arrays, load, workspace, snapshot):
        some = [0, 3, 4, 5, 11]
        load({key: value if key == "encoder" else value[some] for key, value in arrays.items()})
        back = open_snapshot(workspace, "c")
        assert back.lengths.tolist() == [9, 6, 12]
        np.testing.assert_array_equal(back.vectors[:9], snapshot.vectors[:9])

    def test_another_encoder_is_an_error_that_names_both(self, arrays, load):
        other = EncoderSpec(name="other", dim=8, weights_hash="o")
        with pytest.raises(MismatchError, match=r"test 8-D.*other 8-D"):
            load(arrays, encoder=other)
        load(arrays)
        del arrays["encoder"]
        with pytest.raises(MismatchError, match=r"corpus 'c' uses encoder test 8-D.*other 8-D"):
            load(arrays, encoder=other)

    def test_a_file_that_is_not_there(self, load, tmp_path):
        with pytest.raises(NotFoundError, match="no such file"):
            load(path=tmp_path / "none.npz")


class Trap:
    """Unpickling it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


class TestHostile:
    """Each is refused with the file, the key, what was given and what was expected; nothing is stored."""

    @pytest.fixture
    def refused(self, load, workspace, tmp_path):
        def refused(arrays=None, *, path: Path | None = None, match: str, **options):
            with pytest.raises(DataError, match=match) as caught:
                load(arrays, path=path, **options)
            assert str(path or tmp_path / "in.npz") in str(caught.value)
            assert "expected" in str(caught.value)
            assert corpus_names(workspace) == []

        return refused

    @pytest.mark.parametrize("key", ["context_vectors", "doc_ids", "something_else"])
    def test_pickles_are_never_opened(self, arrays, refused, tmp_path, key):
        sprung = tmp_path / "sprung"
        arrays[key] = np.array([Trap(sprung)] * 12, dtype=object)
        refused(arrays, match=rf"{key}: an object array \(pickle\)")
        assert not sprung.exists()

    @pytest.mark.parametrize(
        ("key", "change", "match"),
        [
            ("context_vectors", lambda a: a[:, 0], r"context_vectors: float32 \[12, 8\]; expected float \[N, k, 8\]"),
            ("context_vectors", lambda a: a[:, :, :4], r"context_vectors: float32 \[12, 5, 4\]"),
            ("context_vectors", lambda a: a[:0], r"context_vectors: float32 \[0, 5, 8\]"),
            ("context_vectors", lambda a: a[:, :0], r"context_vectors: float32 \[12, 0, 8\]"),
            ("context_vectors", lambda a: a.astype(np.int8), r"context_vectors: int8"),
            ("context_vectors", lambda a: a.astype(np.complex64), r"context_vectors: complex64"),
            ("context_vectors", lambda a: np.asfortranarray(a), r"context_vectors: columns first"),
            ("target_vectors", lambda a: a[:, None], r"target_vectors: float32 \[12, 1, 8\]"),
            ("target_vectors", lambda a: a[:, :7].copy(), r"target_vectors: float32 \[12, 7\]"),
            ("target_vectors", lambda a: a[:11], r"target_vectors: float32 \[11, 8\]; expected \[12, 8\]"),
            ("doc_ids", lambda a: a[:11], r"doc_ids: <U1 \[11\]; expected \[12\]"),
            ("doc_ids", lambda a: a.reshape(12, 1), r"doc_ids: <U1 \[12, 1\]"),
            ("doc_ids", lambda a: np.zeros(12), r"doc_ids: float64 \[12\]"),
            ("doc_ids", lambda a: a.astype("U2000"), r"doc_ids: <U2000 \[12\]"),
            ("doc_ids", lambda a: np.array([b"\xff"] * 12), r"doc_ids: bytes that are not UTF-8"),
            ("doc_ids", lambda a: np.array(["\ud800"] * 12), r"doc_ids: text at \[0\] that has half a surrogate pair"),
            ("positions", lambda a: a[:11], r"positions: int64 \[11\]; expected \[12\]"),
            ("positions", lambda a: a.astype(float), r"positions: float64 \[12\]"),
            ("positions", lambda a: a * 10**15, r"positions: position \d+ of document 'a' is further than a window"),
            ("positions", lambda a: a * 0, r"positions: position 0 of document 'a' is given twice"),
            ("breaks", lambda _: np.zeros((12, 5), np.int8), r"breaks: int8 \[12, 5\]; expected \[12, 6\], integers"),
            ("breaks", lambda _: np.zeros(12, np.int8), r"breaks: int8 \[12\]"),
            ("breaks", lambda _: np.zeros((12, 6)), r"breaks: float64 \[12, 6\]"),
            ("breaks", lambda _: np.eye(12, 6, dtype=int) * 2, r"breaks: 2 at \[0, 0\]; expected 1 where the chunk"),
            ("breaks", lambda _: np.eye(12, 6, 2, dtype=np.int8), r"breaks: windows of document 'a' contradict"),
            ("encoder", lambda a: np.array("{"), r"encoder: not JSON"),
            ("encoder", lambda a: np.array(["{}"]), r"encoder: <U2 \[1\]"),
        ],
    )
    def test_wrong_types_and_shapes(self, arrays, refused, key, change, match):
        refused(arrays | {key: change(arrays.get(key))}, match=match)

    @pytest.mark.parametrize(
        ("key", "change", "match"),
        [
            ("headings", lambda a: a[:, :5], r"headings: int32 \[12, 5\]; expected \[12, 6\], integers"),
            ("headings", lambda a: a - 1, r"headings: -2 at \[0, 0\]; expected the number, from 0, of a heading"),
            ("headings", lambda a: a + 3, r"headings: 2 in document 'a', which has 2 headings; expected the number"),
            ("headings", lambda a: a + np.eye(12, 6, 2, dtype=int), r"headings: windows of document 'a' contradict"),
            ("heading_doc_ids", lambda a: a[:1], r"heading_doc_ids: <U1 \[1\]; expected \[2\], one for each heading"),
            (
                "heading_texts",
                lambda a: np.zeros(2, int),
                r"heading_texts: int64 \[2\]; .* one for each heading: text of",
            ),
            (
                "heading_levels",
                lambda a: a * 1.0,
                r"heading_levels: float64 \[2\]; expected \[2\], one .*: integers of",
            ),
            (
                "heading_levels",
                lambda a: a - 1,
                r"heading_levels: 0 at \[0\]; expected levels from 1, the highest, to 100",
            ),
            (
                "heading_vectors",
                lambda a: a[:, :7].copy(),
                r"heading_vectors: float32 \[2, 7\]; expected float \[H, 8\]",
            ),
            (
                "heading_texts",
                lambda a: np.array(["One", "\ud800"]),
                r"heading_texts: text at \[1\] that has half",
            ),
            ("heading_vectors", lambda a: a[:0], r"heading_vectors: float32 \[0, 8\]; expected float .*, not empty"),
            ("heading_vectors", lambda a: a * 2, r"heading_vectors: the vector at \[0\] has norm 2"),
        ],
    )
    def test_wrong_headings(self, arrays, refused, told_headings, key, change, match):
        refused(arrays | told_headings | {key: change(told_headings[key])}, match=match)

    @pytest.mark.parametrize(
        "key", ["headings", "heading_doc_ids", "heading_texts", "heading_levels", "heading_vectors"]
    )
    def test_missing_parts_of_headings(self, arrays, refused, told_headings, key):
        del told_headings[key]
        refused(arrays | told_headings, match=r"found heading.* alone; expected headings, heading_doc_ids, .*, or none")

    @pytest.mark.parametrize("key", ["context_vectors", "target_vectors"])
    @pytest.mark.parametrize(
        ("value", "what"), [(np.nan, "is not finite"), (-np.inf, "is not finite"), (0, "is zero"), (9, "norm 1")]
    )
    def test_bad_vectors(self, arrays, refused, key, value, what):
        arrays[key][7] = value
        place = r"\[7, 0\]" if key == "context_vectors" else r"\[7\]"
        refused(arrays, match=rf"{key}: the vector at {place} .*{what}")

    @pytest.mark.parametrize("dtype", ["int32", ">i2", "uint8", "bool", "complex64"])
    def test_other_numbers_than_floats_are_named(self, arrays, refused, dtype):
        wrong = arrays["target_vectors"].astype(dtype)
        refused(arrays | {"target_vectors": wrong}, match=rf"target_vectors: {wrong.dtype} \[.*expected float \[N, 8\]")

    def test_numbers_that_overflow(self, arrays, refused):
        arrays["target_vectors"] = arrays["target_vectors"].astype(np.float64)
        arrays["target_vectors"][3] = 1e300
        refused(arrays, match=r"target_vectors: the vector at \[3\] is not finite")

    def test_windows_that_contradict_each_other(self, arrays, refused, kit):
        arrays["context_vectors"][2, 1] = kit.vectors(1, seed=5)
        refused(arrays, match=r"windows of document 'a' contradict each other")

    @pytest.mark.parametrize("key", ["context_vectors", "target_vectors", "doc_ids"])
    def test_missing_arrays(self, arrays, refused, key):
        del arrays[key]
        refused(arrays, match=f"{key}: ")

    def test_two_arrays_for_one_purpose(self, arrays, refused):
        refused(arrays | {"contexts": arrays["context_vectors"]}, match="expected exactly one of context_vectors")

    def test_a_size_larger_than_the_member(self, refused, tmp_path):
        lie = header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 5, 8)}\n") + b"\0" * 64
        path = write_members(tmp_path / "lie.npz", [("context_vectors.npy", lie)])
        refused(path=path, match=r"context_vectors: float32 .* declares 160000000000 bytes; expected the 64 that")

    @pytest.mark.parametrize(
        "text",
        [
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 5, 8)}\n",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)",
            "{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,)}\n",
            "{'descr': '<f4', 'shape': (1,)}\n",
            "__import__('os').abort()\n",
            "(" * 9000,
            "-" * 9000 + "1",
        ],
    )
    def test_damaged_headers(self, refused, tmp_path, text):
        path = write_members(tmp_path / "bad.npz", [("context_vectors.npy", header(text))])
        refused(path=path, match="context_vectors: ")

    def test_a_header_of_gigabytes(self, refused, tmp_path):
        content = b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFF0) + b" " * 64
        path = write_members(tmp_path / "bad.npz", [("context_vectors.npy", content)])
        refused(path=path, match="a header of 4294967280 bytes; expected at most 10000")

    @pytest.mark.parametrize("content", [b"", b"\x93NUM", b"PK" * 50, b"\x93NUMPY\x03\x00" + b" " * 200])
    def test_members_that_are_no_arrays(self, refused, tmp_path, content):
        path = write_members(tmp_path / "bad.npz", [("context_vectors.npy", content)])
        refused(path=path, match="context_vectors: ")

    def test_a_zip_bomb(self, refused, tmp_path, arrays):
        vectors = np.zeros((20_000, 5, 8), dtype=np.float32)
        targets = np.zeros((20_000, 8), dtype=np.float32)
        members = [("context_vectors.npy", npy(vectors)), ("target_vectors.npy", npy(targets))]
        path = write_members(tmp_path / "bomb.npz", members, zipfile.ZIP_DEFLATED)
        refused(path=path, match=r"context_vectors: unpacks to \d+ times its size; expected at most 100 times")

    def test_more_bytes_than_allowed(self, refused, arrays):
        refused(arrays, match=r"zip directory: \d+ bytes unpacked; expected at most 1000", max_bytes=1000)

    def test_a_truncated_file(self, arrays, refused, tmp_path):
        np.savez(tmp_path / "whole.npz", **arrays)
        path = tmp_path / "cut.npz"
        path.write_bytes((tmp_path / "whole.npz").read_bytes()[:-2000])
        refused(path=path, match="not an NPZ file")

    def test_damaged_bytes(self, arrays, refused, tmp_path):
        np.savez(tmp_path / "in.npz", **arrays)
        content = bytearray((tmp_path / "in.npz").read_bytes())
        content[400] ^= 1
        (tmp_path / "in.npz").write_bytes(content)
        refused(path=tmp_path / "in.npz", match=r"context_vectors: cannot be unpacked \(Bad CRC-32")

    def test_a_directory_that_lies_about_the_size(self, arrays, refused, tmp_path):
        np.savez_compressed(tmp_path / "in.npz", **arrays)
        content = bytearray((tmp_path / "in.npz").read_bytes())
        entry = content.index(b"PK\x01\x02")
        content[entry + 20 : entry + 24] = struct.pack("<I", 1_000_000_000)
        (tmp_path / "in.npz").write_bytes(content)
        refused(path=tmp_path / "in.npz", match=r"zip directory: \d+ bytes packed; expected no more than the file's")

    @pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
    def test_two_members_of_one_name(self, refused, tmp_path):
        members = [("context_vectors.npy", npy(np.zeros(1)))] * 2
        refused(
            path=write_members(tmp_path / "two.npz", members), match=r"context_vectors\.npy: 2 members of that name"
        )

    @pytest.mark.parametrize(
        "name", ["../evil.npy", "/evil.npy", "a/b.npy", "..\\evil.npy", "evil.exe", ".npy", "C:x.npy"]
    )
    def test_names_that_are_paths(self, refused, tmp_path, name):
        path = write_members(tmp_path / "names.npz", [(name, npy(np.zeros(1)))])
        refused(path=path, match="a member that is not a plain array name")

    def test_too_many_members(self, refused, tmp_path):
        path = write_members(tmp_path / "many.npz", [(f"a{number}.npy", b"") for number in range(65)])
        refused(path=path, match="65 members; expected at most 64")

    @pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
    def test_other_compression(self, refused, tmp_path, method):
        path = write_members(tmp_path / "lzma.npz", [("context_vectors.npy", npy(np.zeros(1)))], method)
        refused(path=path, match="compression method")

    def test_encrypted_members(self, refused, tmp_path):
        path = write_members(tmp_path / "locked.npz", [("context_vectors.npy", npy(np.zeros(1)))])
        content = bytearray(path.read_bytes())
        content[content.index(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(content)
        refused(path=path, match="encrypted")

    def test_no_zip_at_all(self, refused, tmp_path):
        np.save(tmp_path / "x.npy", np.zeros(3))
        refused(path=tmp_path / "x.npy", match="not an NPZ file")


def test_headers_are_read_without_the_data(tmp_path):
    """An array of 80 MB is described from a few bytes."""
    import tracemalloc

    np.savez(tmp_path / "big.npz", x=np.zeros((1000, 10_000)))
    tracemalloc.start()
    with open_archive(tmp_path / "big.npz") as archive:
        assert str(archive.headers["x"]) == "float64 [1000, 10000]"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
