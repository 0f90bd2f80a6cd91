"""What is given to the API is of the kind that it takes, or one error says which, and nothing has been done."""

from __future__ import annotations

import copy
import pickle
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import nextvec
from nextvec.api import Comparison, Corpus, Model, Workspace
from nextvec.corpus.document import Document
from nextvec.corpus.sources import SOURCES
from nextvec.encoders import ENCODERS
from nextvec.encoders.encoder import EncoderSpec
from nextvec.errors import MismatchError, NextvecError, NotFoundError, UsageError
from nextvec.interface.checked import KINDS, checking
from nextvec.store.report import IngestReport
from nextvec.workspace import Workspace as Place

LISTS = "expected a list of texts"
CALLS = {
    "a number for a name": (lambda ws: ws.model(3), r"model\(name=3\): expected a text or None"),
    "a path for a name": (lambda ws: ws.corpus(Path("x")), r"corpus\(reference=PosixPath\('x'\)\): expected a text"),
    "nothing for a name": (lambda ws: ws.corpus(None), r"corpus\(reference=None\): expected a text"),
    "a number for a text": (lambda ws: ws.corpus("c").search(3), r"search\(text=3\): expected a text"),
    "a text for a number": (
        lambda ws: ws.corpus("c").search("a", "x"),
        r"search\(count='x'\): expected a whole number",
    ),
    "a text for a share": (lambda ws: ws.ingest(".", "c", tolerate="x"), r"ingest\(tolerate='x'\): expected a number"),
    "a text for options": (
        lambda ws: ws.ingest(".", "c", chunker_options="bank"),
        r"chunker_options='bank'\): expected a mapping of names to values or None",
    ),
    "a list for options": (lambda ws: ws.train("gru", "c", options=["a"]), r"options=\['a'\]\): expected a mapping"),
    "a list for a plan": (
        lambda ws: ws.run_study([]),
        r"run_study\(plan=\[\]\): expected a path or a text or a mapping",
    ),
    "a folder for a plan": (lambda ws: ws.run_study("."), r"\. is a folder; expected the TOML file of a plan"),
    "a text for trackers": (lambda ws: ws.train("gru", "c", track="mlflow"), LISTS + ". Put it in a list"),
    "a text for texts": (lambda ws: Model(ws.place, "m").too_long("abc"), LISTS),
    "numbers for texts": (lambda ws: ws.encode(["a", 3]), LISTS),
    "a set of texts": (lambda ws: ws.encode({"a", "b"}), LISTS),
    "a list used up by looking": (lambda ws: ws.encode(each for each in ["a"]), LISTS),
    "a number for yes": (lambda ws: ws.train("gru", "c", resume="no"), r"resume='no'\): expected True or False"),
    "a model for a list": (lambda ws: ws.compare(Model(ws.place, "m")), r"also of one: compare\(\[\.\.\.\]\)"),
    "nothing for a list": (lambda ws: ws.compare(None), r"compare\(models=None\): expected a list"),
    "a model for models": (lambda ws: ws.verify(Model(ws.place, "m")), r"also of one: verify\(\[\.\.\.\]\)"),
    "a number among models": (lambda ws: ws.compare([3]), r"3 cannot be judged: expected a model, its name"),
    "a number to verify": (lambda ws: list(ws.verify([3])), r"model\(name=3\): expected a text"),
    "a number for a workspace": (lambda ws: nextvec.open(3), r"open\(root=3\): expected a path or a text or None"),
    "no dimension": (lambda ws: nextvec.describe("gru", dim=0), r"gru: dim = 0: Input should be greater than"),
    "an array of nothing": (lambda ws: ws.encode(np.array("a text")), LISTS),
    "a table": (lambda ws: ws.encode(np.array([["a"], ["b"]])), LISTS),
    "numbers for names": (lambda ws: ws.train("gru", "c", options={1: 2}), "expected a mapping of names to values"),
    "another class of that name": (
        lambda ws: ws.train("gru", type("Corpus", (), {})()),
        r"train\(corpus=.*expected a corpus or a text",
    ),
    "a class to judge": (lambda ws: ws.compare([dict]), r"<class 'dict'> cannot be judged"),
    "a number for an encoder": (lambda ws: ws.compare_chunkers(".", encoder=3), "an encoder is a name or an object"),
    "no dimension of a baseline": (lambda ws: nextvec.describe("ewma", dim=0), r"ewma: dim = 0"),
    "workers of no cluster": (lambda ws: ws.train("gru", "c", workers=2), "2 workers are of a Ray cluster: name it"),
    "workers of no cluster for an ingest": (lambda ws: ws.ingest(".", "c", workers=2), "2 workers are of a Ray"),
    "much of it": (lambda ws: ws.model(["a" * 100]), r"model\(name=\['a{58}\.\.\.\): expected"),
}


@pytest.fixture
def ws(tmp_path):
    return nextvec.open(tmp_path / "ws")


@pytest.mark.parametrize("name", CALLS)
def test_another_kind_is_refused_by_name(ws, name):
    call, message = CALLS[name]
    with pytest.raises(UsageError, match=message):
        call(ws)
    assert not ws.root.exists()


def test_a_word_of_python_is_left_to_python(ws):
    with pytest.raises(
        TypeError, match=r"Workspace\.model\(\) got an unexpected keyword argument 'nmae'|Models\.model"
    ):
        ws.model(nmae="x")


def test_numbers_of_numpy_are_numbers():
    @checking
    def take(count: int, share: float, flag: bool) -> tuple:
        return count, share, flag

    assert take(np.int64(3), np.float32(0.5), np.bool_(True)) == (3, 0.5, True)
    assert take(3, 1, flag=False) == (3, 1, False)
    with pytest.raises(UsageError, match="a whole number"):
        take(True, 0.5, True)


def test_what_a_library_has_for_them_becomes_python_s_own():
    """Numbers of numpy are written into files whose readers know none."""

    @checking
    def take(count: int, texts: Sequence[str], path: Path | str) -> tuple:
        return count, texts, path

    class Folder:
        def __fspath__(self) -> str:
            return "a/folder"

    taken = take(np.int64(3), deque(["a", "b"]), Folder())
    assert taken == (3, ["a", "b"], Path("a/folder"))
    assert [type(each) for each in taken[:2]] == [int, list]
    assert take(1, np.array(["a"]), "as it is") == (1, ["a"], "as it is")


def test_a_home_is_told_from_a_folder_of_that_sign_wherever_a_path_is_taken(ws, monkeypatch, tmp_path):
    @checking
    def take(path: Path | str, name: str) -> tuple:
        return path, name

    monkeypatch.setenv("HOME", str(tmp_path))
    assert take("~/a", "~/a") == (f"{tmp_path}/a", "~/a")
    assert take(Path("~/a"), "a") == (tmp_path / "a", "a")
    with pytest.raises(NotFoundError, match=rf"no file or folder '{tmp_path}/none'"):
        ws.ingest("~/none", "c", encoder="hashing:64")


def test_a_kind_that_is_not_known_is_left_to_what_takes_it():
    @checking
    def take(vectors: npt.ArrayLike | None, **rest: str) -> tuple:  # noqa: F821
        return vectors, rest

    assert "npt.ArrayLike" not in KINDS
    assert take(3, other=4) == (3, {"other": 4})


@pytest.mark.parametrize("given", [{"id": "a", "text": "b"}, "text"])
def test_a_source_that_gives_no_documents_is_told_so(ws, given):
    class Own:
        def documents(self):
            yield given

    with pytest.raises(UsageError, match=rf"Own\.documents\(\) gave a {type(given).__name__}; expected .*\.Document"):
        ws.ingest(Own(), "own", encoder="hashing:64")


def test_a_source_that_gives_nothing_to_iterate_over_is_told_so(ws):
    class Own:
        def documents(self):
            return 3

    with pytest.raises(UsageError, match=r"Own\.documents\(\) gave a int; expected an iterator"):
        ws.ingest(Own(), "own", encoder="hashing:64")


NOT_DOCUMENTS = {
    r"Own\.documents\(\) gave a NoneType; expected an iterator": None,
    r"Own\.documents\(\) gave a dict; expected nextvec\.corpus\.document\.Document": [{"id": "a", "text": "b"}],
    r"a Document whose id is a int; expected a text": [
        Document(id=3, title="T", text="A text.", source="own", licence="CC0")
    ],
    r"a Document whose text is a NoneType; expected a text": [
        Document(id="a", title="T", text=None, source="own", licence="CC0")
    ],
}


@pytest.mark.parametrize("words", NOT_DOCUMENTS)
def test_a_source_that_is_asked_for_by_its_name_is_told_so_too(words, ws, monkeypatch):
    own = type("Own", (), {"__init__": lambda *_: None, "documents": lambda _: NOT_DOCUMENTS[words]})
    monkeypatch.setattr(SOURCES, "_entries", dict(SOURCES._entries))
    nextvec.register("source", "own")(own)
    with pytest.raises(UsageError, match=words):
        ws.ingest("own:", "own", encoder="hashing:64")


def of_an_encoder(vectors, **parts):
    spec = EncoderSpec(name="own", reference="own", dim=4, weights_hash="own")
    return type("Own", (), {"spec": spec, "encode": lambda _, texts, told=None: vectors, **parts})()


@pytest.mark.parametrize(
    ("encoder", "words"),
    [
        (of_an_encoder(np.eye(4, dtype=np.float32)[:1]), r"encoder 'own' gave float32 of shape \(1, 4\) for 2 texts"),
        (of_an_encoder(2 * np.eye(4, dtype=np.float32)[:2]), "vector 0 has norm 2, not norm 1"),
        (of_an_encoder(None, spec=None), r"encoder 'own' \(Own\): expected a method encode"),
        (3, r"encoder 'own' \(int\): expected a method encode"),
    ],
)
def test_an_encoder_of_ones_own_is_told_what_it_gives_that_is_no_vectors(encoder, words, ws, monkeypatch):
    monkeypatch.setattr(ENCODERS, "_entries", dict(ENCODERS._entries))
    nextvec.register("encoder", "own")(lambda argument, reading: encoder)
    with pytest.raises(NextvecError, match=words):
        ws.encode(["A text.", "Another."], "own")


def test_a_folder_that_is_not_there_is_no_name_of_the_hub(ws, tmp_path):
    with pytest.raises(NotFoundError, match=r"there is no folder .*nowhere"):
        ws.import_data_set(tmp_path / "nowhere", "c")


def test_a_corpus_of_another_workspace_is_refused(ws, tmp_path):
    other = Corpus(Place(tmp_path / "other"), "c@a")
    for call in (
        lambda: ws.train("gru", other),
        lambda: ws.compare(["m"], on=other),
        lambda: ws.update_study("s", other),
        lambda: ws.train_inverter(other),
        lambda: ws.judge_inverter("i", other),
    ):
        with pytest.raises(UsageError, match=r"corpus c@a is in workspace .*other, and this is .*ws"):
            call()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_what_was_used_is_copied_without_what_it_has_loaded(ws, copied):
    model, corpus = Model(ws.place, "m"), Corpus(ws.place, "c@a")
    for one in (model, corpus):
        one.__dict__["loaded"] = lambda: None  # as a cached property keeps what cannot be pickled
        again = copied(one)
        assert (type(again), repr(again)) == (type(one), repr(one))
        assert "loaded" not in vars(again)
    assert repr(copied(ws)) == repr(ws) == f"Workspace(place=Workspace('{ws.root}'))"


def test_it_is_the_same_workspace_by_whatever_path(tmp_path, monkeypatch):
    (tmp_path / "ws").mkdir()
    (tmp_path / "link").symlink_to("ws")
    monkeypatch.chdir(tmp_path)
    same = [nextvec.open(path) for path in ("ws", "link", "./link/../ws", tmp_path / "ws")]
    assert len({*same}) == 1
    assert pickle.loads(pickle.dumps(same[0])) == same[0] != nextvec.open(tmp_path)
    assert Model(same[0].place, "m") == Model(same[1].place, "m") != Model(same[0].place, "n")
    with pytest.raises(NotFoundError, match="no corpus 'c'"):
        same[1].train("gru", Corpus(same[0].place, "c@a"))


def test_what_an_ingest_returns_is_the_corpus_that_is_looked_up(ws):
    assert {Corpus(ws.place, "c", report=IngestReport(corpus="c", version=1)), ws.corpus("c")} == {ws.corpus("c")}


def test_a_model_that_is_gone_is_not_called_damaged(ws):
    model = Model(ws.place, "gone")
    for ask in (lambda: model.card, lambda: model.metrics, lambda: model.config):
        with pytest.raises(NotFoundError, match="gone"):
            ask()


def test_a_comparison_says_what_to_pickle():
    found = Comparison(Place("ws"), None, "nextvec compare")
    assert copy.deepcopy(found) is copy.copy(found) is found
    assert {found} == {found}
    with pytest.raises(TypeError, match=r"pickle its frame\(\) or to_dict\(\)"):
        pickle.dumps(found)


def test_every_public_method_checks():
    for cls in (Workspace, Corpus, Model, Comparison):
        for name in dir(cls):
            member = getattr(cls, name)
            if not name.startswith("_") and callable(member) and not isinstance(member, type):
                assert hasattr(member, "__wrapped__"), name


def test_vectors_keep_their_own_errors(ws):
    with pytest.raises((MismatchError, NotFoundError)):
        ws.corpus("c").decode(np.zeros((1, 3)))
