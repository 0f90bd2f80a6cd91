"""What people import: a small surface, nothing heavy before it is needed, and the whole way from text to verdict."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import nextvec
from nextvec import api
from nextvec.errors import DataError, MismatchError, NotFoundError, UsageError
from nextvec.models.baseline import BASELINES

MOST_NAMES = 25
SURFACE = Path(__file__).with_name("surface.txt")
WORDS = ["red", "blue", "green", "small", "large", "old", "new", "fast", "slow", "bright", "dark", "warm", "cold"]


def story(random: np.random.Generator) -> str:
    """Twelve sentences, each of which says again half of what the last one said."""
    said, sentences = list(random.choice(WORDS, 4)), []
    for _ in range(12):
        said = [*said[2:], *random.choice(WORDS, 2)]
        sentences.append(f"The {' '.join(said)} thing came next.")
    return " ".join(sentences)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    random = np.random.default_rng(0)
    for number in range(60):
        (folder / f"{number:02}.txt").write_text(story(random))
    workspace = nextvec.open(folder / "workspace")
    workspace.ingest(str(folder), "tales", encoder="hashing:64", split={"test": 200, "validation": 400}).tag("small")
    return workspace


@pytest.fixture(scope="module")
def model(place):
    return place.train("gru", "tales@small", epochs=1, width=16, allow_unordered=True)


def test_the_surface_is_small_typed_and_documented():
    assert set(nextvec.__all__) - {"__version__"} == set(api.__all__)
    assert len(nextvec.__all__) <= MOST_NAMES
    for name in api.__all__:
        assert getattr(nextvec, name) is getattr(api, name)
        assert getattr(nextvec, name).__doc__
    assert dir(nextvec) == nextvec.__all__
    with pytest.raises(AttributeError, match="no attribute 'opn'"):
        _ = nextvec.opn


def surface() -> Iterator[str]:
    """Every public name with its signature, a line each."""
    for name in api.__all__:
        entry = getattr(api, name)
        if isinstance(entry, type) and issubclass(entry, Exception):
            yield name
            continue
        yield f"{name}{inspect.signature(entry)}"
        members = inspect.getmembers_static(entry) if isinstance(entry, type) else []
        yield from (f"{name}.{member}{signature(found)}" for member, found in members if not member.startswith("_"))


def signature(member: object) -> str:
    if isinstance(member, classmethod | staticmethod):
        member = member.__func__
    if callable(member):
        return str(inspect.signature(member))
    function = getattr(member, "fget", None) or getattr(member, "func", None)
    return "" if function is None else f" -> {function.__annotations__['return']}"


def test_the_surface_is_what_was_promised():
    """What others call changes on purpose alone: python tests/test_api.py writes it anew, and CHANGELOG.md says why."""
    assert list(surface()) == SURFACE.read_text("utf-8").splitlines()


def test_opening_a_workspace_imports_nothing_heavy():
    heavy = "[name for name in ('torch', 'lance', 'numpy') if name in sys.modules]"
    code = f"import nextvec, sys; nextvec.open('nowhere'); print({heavy})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_corpus_says_what_it_holds(place):
    corpus = place.corpus("tales@small")
    assert [each.name for each in place.corpora()] == ["tales"]
    assert corpus.info().documents == 60
    assert corpus.tags() == {"small": corpus.info().version}
    assert corpus.snapshot.vectors.shape == (720, 64)
    assert corpus.report is None
    with pytest.raises(NotFoundError):
        place.corpus("tails").info()
    with pytest.raises(UsageError, match="was looked up"):
        corpus.require_report()


def test_a_corpus_writes_texts_for_vectors(place):
    corpus = place.corpus("tales@small")
    (said,) = corpus.decode(corpus.snapshot.vectors[5])
    assert said["text"] == corpus.snapshot.texts([5])[0]


def test_a_document_is_shown_and_chunks_are_found(place):
    corpus = place.corpus("tales@small")
    document = corpus.snapshot.documents.ids[2]
    chunks = corpus.show(document)
    assert [text for text, _ in chunks] == corpus.snapshot.texts(range(24, 36))
    assert [begins for _, begins in chunks] == [True, *[False] * 11]
    nearest = corpus.search(chunks[3][0], 2)
    assert nearest[0].text == chunks[3][0]
    assert nearest[0].similarity == pytest.approx(1, abs=1e-3)
    with pytest.raises(NotFoundError, match="has no document 'nowhere' among 60"):
        corpus.show("nowhere")


def test_a_model_is_found_by_its_name_its_alias_or_for_being_the_only_one(place, model):
    assert model.name == "gru-tales-small"
    assert place.model().name == place.model(model.name).name == model.name
    assert [each.name for each in place.models()] == [model.name]
    change = place.promote(model, "production", gates=[])
    assert place.aliases() == {"production": model.name} == {change.alias: change.model}
    assert place.model("production").summary["architecture"] == "gru"
    assert [each.alias for each in place.alias_history()] == ["production"]


def test_vectors_in_vectors_out(place, model):
    vectors = place.corpus("tales").snapshot.vectors[:12].astype(np.float32)
    predicted = model.predict(vectors)
    assert predicted.shape == (12, 64)
    np.testing.assert_allclose(np.linalg.norm(predicted, axis=1), 1, atol=1e-5)
    memory = model.start()
    for vector, expected in zip(vectors, predicted, strict=True):
        forecast, memory = model.step(vector, memory)
        # So few words make seven weights that cancel; the contract suite holds every predictor to 1e-5.
        np.testing.assert_allclose(forecast.point[0, 0].detach(), expected, atol=1e-3)
    with pytest.raises(DataError, match="expected vectors of norm 1"):
        model.predict(2 * vectors)
    with pytest.raises(DataError, match="begins a paragraph"):
        model.predict(vectors, breaks=[7] * 12)
    known = [1, *[0] * 11]
    np.testing.assert_array_equal(model.predict(vectors, [*known, -1]), model.predict(vectors, known))
    with pytest.raises(MismatchError, match="paragraph breaks are"):
        model.predict(vectors, known[1:])
    np.testing.assert_array_equal(model.predict(vectors, headings=0 * vectors), predicted)
    with pytest.raises(DataError, match=r"expected \(12, 64\), the heading of each"):
        model.query(vectors, headings=vectors[1:])
    with pytest.raises(UsageError, match="draws none"):
        model.sample(vectors)


def test_a_step_is_told_of_paragraphs_as_a_whole_document_is(place, model, monkeypatch):
    vectors, told = place.corpus("tales").snapshot.vectors[:4].astype(np.float32), []
    step, forecast = model.predictor.step, model.predictor.forecast
    monkeypatch.setattr(model.predictor, "step", lambda *given: told.append(given[2:4]) or step(*given), raising=False)
    monkeypatch.setattr(model.predictor, "forecast", lambda *given: told.append(given[2:4]) or forecast(*given))
    model.forecast(vectors[:1], [1, 0])
    for known in ({"begins": 1, "following": 0}, {}):
        model.step(vectors[0], model.start(), **known)
    assert [[int(each) for each in both] for both in told] == [[1, 0], [1, 0], [-1, -1]]
    with pytest.raises(DataError, match="begins a paragraph"):
        model.step(vectors[0], model.start(), begins=7)


def test_a_step_is_told_of_headings_as_a_whole_document_is(place, model, monkeypatch):
    vectors, told = place.corpus("tales").snapshot.vectors[:4].astype(np.float32), []
    step, forecast = model.predictor.step, model.predictor.forecast
    monkeypatch.setattr(model.predictor, "step", lambda *given: told.append(given[4]) or step(*given), raising=False)
    monkeypatch.setattr(model.predictor, "forecast", lambda *given: told.append(given[4]) or forecast(*given))
    for headings in (vectors[2:4], np.stack([vectors[2]] * 2), vectors[2:3], np.zeros((2, 64))):
        told.clear()
        model.forecast(vectors[:1], headings=headings)
        model.step(vectors[0], model.start(), headings=headings)
        whole, stepped = told
        torch.testing.assert_close(stepped.vector_BTD, whole.vector_BTD, rtol=0, atol=0)
        assert bool(stepped.fresh_BT) == bool(whole.fresh_BT) == (len({each.tobytes() for each in headings}) > 1)
    with pytest.raises(DataError, match="for headings; expected"):
        model.step(vectors[0], model.start(), headings=vectors[:3])


def test_a_density_is_that_of_a_direction(place):
    """What is taken for a unit vector may be off by a hundredth, which were D hundredths of a nat."""
    drawing = place.train("gaussian", "tales@small", name="density", allow_unordered=True)
    vectors = place.corpus("tales").snapshot.vectors[:4].astype(np.float32)
    exact, longer = (drawing.log_density(vectors[:-1], size * vectors[1:]) for size in (1, 1.015))
    np.testing.assert_allclose(exact, longer, atol=1e-3)


def test_a_model_that_draws_draws_the_same_for_the_same_seed(place):
    drawing = place.train("gaussian", "tales@small", allow_unordered=True)
    vectors = place.corpus("tales").snapshot.vectors[:4].astype(np.float32)
    first, again, other = (drawing.sample(vectors, 3, seed=seed) for seed in (1, 1, 2))
    assert first.shape == (3, 64)
    assert (first == again).all()
    assert (first == drawing.sample(vectors, np.int64(3), seed=np.int64(1))).all()
    assert (first != other).any()
    assert drawing.log_density(vectors[:-1], vectors[1:]).shape == (3,)


@pytest.mark.parametrize("asked", [{}, {"temperature": 1, "seed": 3}])
def test_other_sentences_are_told_whether_it_is_drawn_or_not(place, asked):
    model = place.train("gaussian", "tales@small", name="tells", allow_unordered=True)
    (said,) = model.continuations(story(np.random.default_rng(7)), 1, sentences=1, logprobs=2, **asked)
    assert len(said.steps[0].likelihood.alternatives) == 2
    model.remove()


def test_text_in_text_out(place, model):
    text = story(np.random.default_rng(7))
    said = model.continue_text(text, sentences=2)
    assert len(said.steps) == 2
    events = list(model.stream(text, sentences=2))
    assert [type(event).__name__ for event in events] == ["Opening", "Step", "Step", "Ending"]
    assert [event.decoded.text for event in events[1:-1]] == [step.decoded.text for step in said.steps]
    ranking = model.rank(text, ["The red thing came next.", "Nothing else."])
    assert {candidate.index for candidate in ranking.candidates} == {0, 1}
    assert model.rank(text, np.array(["The red thing came next.", "Nothing else."])) == ranking
    with pytest.raises(UsageError, match="no candidate"):
        model.rank(text, [])
    for none in (iter([]), None):
        with pytest.raises(UsageError, match="expected a list of texts"):
            model.rank(text, none)
    with pytest.raises(UsageError, match="candidate 1 of 2 is empty"):
        model.rank(text, ["The red thing came next.", " "])
    with pytest.raises(UsageError, match="expected a list of texts"):
        model.rank(text, "The red thing came next.")
    with pytest.raises(UsageError, match="without a temperature"):
        model.continuations(text, 2)
    for n in (0, -1, 1.5):
        with pytest.raises(UsageError, match=f"n ?= ?{n}.*expected a whole number"):
            model.continuations(text, n)
    with pytest.raises(UsageError, match="Did you mean 'sentences'"):
        model.continue_text(text, sentence=2)
    with pytest.raises(UsageError, match=r"continue_text\(n=3\): it gives one; several: continuations"):
        model.continue_text(text, n=3)


def test_text_is_answered_where_a_loop_runs_already_as_in_a_notebook(place, model):
    text = story(np.random.default_rng(7))
    expected = model.continue_text(text, sentences=2).text
    order = [one.index for one in model.rank(text, ["The red thing came next.", "Nothing else."]).candidates]

    async def cell():
        told = [type(event).__name__ for event in model.stream(text, sentences=2)]
        ranked = model.rank(text, ["The red thing came next.", "Nothing else."])
        return model.continue_text(text, sentences=2).text, [one.index for one in ranked.candidates], told

    assert asyncio.run(cell()) == (expected, order, ["Opening", "Step", "Step", "Ending"])


def test_a_function_of_ones_own_is_judged_beside_every_baseline(place, model, tmp_path):
    def last_two(vectors):
        return vectors[-2:].mean(axis=0)

    found = place.compare([last_two, model], on="tales@small", latency=False)
    frame = found.frame()
    assert set(frame["subject"]) == {"last_two", model.name, *BASELINES}
    own = frame[(frame["subject"] == "last_two") & (frame["figure"] == "cosine")].iloc[0]
    assert own["kind"] == "model"
    assert own["low"] < own["estimate"] < own["high"]
    assert own["verdict"] in ("better", "worse", "cannot tell")
    assert any(sentence.startswith("last_two ") for sentence in found.verdicts())
    assert "last_two" in found.to_html(tmp_path / "report.html").read_text()
    assert found.save().exists()


def test_the_same_function_as_a_baseline_has_the_same_figures(place):
    found = place.compare([lambda vectors: vectors[-1]], on="tales@small", latency=False)
    frame = found.frame().set_index(["subject", "figure"])["estimate"]
    for figure in ("cosine", "mrr[document]"):
        assert frame["own", figure] == pytest.approx(frame["copy-last", figure], abs=1e-6)


def test_what_cannot_be_judged_is_told(place):
    def copy_last(vectors):
        return vectors[-1]

    copy_last.__name__ = "copy-last"
    with pytest.raises(UsageError, match="needs a corpus to be judged on"):
        place.compare([copy_last])
    with pytest.raises(UsageError, match="'copy-last' is the name of a baseline"):
        place.compare([copy_last], on="tales@small")
    with pytest.raises(UsageError, match="no model was named"):
        place.compare([])


def test_what_is_asked_wrongly_is_told_in_a_line(place, model, quick_latency, tmp_path):
    found = place.compare([lambda vectors: vectors[-1], lambda vectors: vectors.mean(0)], on="tales@small")
    assert {"own", "own-2"} <= {row.name for row in found.rows}
    assert len(repr(found)) < 10_000
    with pytest.raises(UsageError, match=r"unknown figure 'cosin'\. Did you mean 'cosine'"):
        found.verdicts("cosin")
    for nothing in (3, np.zeros(4), object()):
        with pytest.raises(UsageError, match="cannot be judged: expected a model"):
            place.compare([nothing], on="tales@small")
    with pytest.raises(DataError, match="answered with zeros"):
        place.compare([lambda vectors: 0 * vectors[-1]], on="tales@small")
    (tmp_path / "a.txt").write_text("A text.")
    with pytest.raises(UsageError, match="an encoder is a name or an object"):
        place.ingest(str(tmp_path), "new", encoder=5)
    with pytest.raises(UsageError, match="on which corpus"):
        place.train("gru")
    for no_memory in (None, "memory"):
        with pytest.raises(UsageError, match=r"at the beginning, model\.start"):
            model.step(np.eye(64)[0], no_memory)
    with pytest.raises(NotFoundError, match="there is no folder"):
        nextvec.Model.from_pretrained("somewhere/else")
    elsewhere = nextvec.open(tmp_path / "elsewhere")
    for ask in (
        lambda: elsewhere.compare([model]),
        lambda: elsewhere.gates(model),
        lambda: elsewhere.promote(model, "x"),
    ):
        with pytest.raises(UsageError, match=r"model gru-tales-small is in workspace .*, and this is .*elsewhere"):
            ask()
    for text, count in (("", 3), ("a text", 0)):
        with pytest.raises(UsageError, match="expected 1 or more, and some text"):
            place.corpus("tales").search(text, count)


def test_no_command_names_a_function(place, model):
    """It could not be typed."""

    def last(vectors):
        return vectors[-1]

    found = place.compare([model.name, last], on="tales@small", reference="ewma", latency=False)
    assert found.command == f"Python: compare(['{model.name}', last], on='tales@small', reference='ewma')"
    assert "nextvec compare" not in found.report_content.provenance["command"]
    alone = place.compare([model], allow_leakage=True, latency=False)
    assert alone.command == f"nextvec compare {model.name} --allow-leakage"


def test_a_file_cannot_be_where_a_folder_is(place, model, tmp_path):
    found, corpus = place.compare([model], latency=False), place.corpus("tales")
    (file := tmp_path / "a.txt").write_text("")
    for write in (found.to_html, found.save, corpus.export_npz):
        with pytest.raises(UsageError, match="is a folder; expected a file"):
            write(tmp_path)
        with pytest.raises(UsageError, match=r"a\.txt is no folder, so that no file can be in it"):
            write(file / "b" / "c")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_an_architecture_of_ones_own_is_trained_by_its_name(place):
    from nextvec.models.backbone import BACKBONES

    gru = BACKBONES.get("gru")

    @nextvec.register("backbone", "mine")
    class Mine(gru):
        pass

    try:
        own = place.train("mine", "tales@small", epochs=1, width=16, allow_unordered=True)
        assert own.config["network"]["architecture"] == "mine"
        assert isinstance(own.predictor.backbone, Mine)
    finally:
        del BACKBONES._entries["mine"]


def test_a_source_and_an_encoder_of_ones_own_go_by_their_names(place):
    from nextvec.corpus.document import Document
    from nextvec.corpus.sources import SOURCES
    from nextvec.encoders import ENCODERS
    from nextvec.encoders.hashing import HashingEncoder

    random = np.random.default_rng(1)

    @nextvec.register("encoder", "few-numbers")
    def load(argument, options):
        return HashingEncoder(int(argument))

    @nextvec.register("source", "counting")
    class Counting:
        def __init__(self, argument, options, name):
            self.count = int(argument)

        def documents(self):
            for number in range(self.count):
                yield Document(id=str(number), title="", text=story(random), source="counting", licence="")

    try:
        info = place.ingest("counting:3", "counted", encoder="few-numbers:16").info()
        assert (info.documents, info.encoder.dim) == (3, 16)
    finally:
        del SOURCES._entries["counting"], ENCODERS._entries["few-numbers"]
        place.corpus("counted").remove(force=True)
    with pytest.raises(UsageError, match="object with documents"):
        place.ingest({"a": "a text"}, "counted", encoder="hashing:16")


def test_a_tracker_and_a_decoder_of_ones_own_go_by_their_names(place):
    from nextvec.decoding import DECODERS
    from nextvec.decoding.decoder import Decoded
    from nextvec.decoding.quality import judge
    from nextvec.training.tracker import TRACKERS, Tracker

    told = []

    @nextvec.register("tracker", "listener")
    class Listener(Tracker):
        @classmethod
        def open(cls, folder, address):
            return cls()

        def start(self, settings):
            told.append("start")

        def log(self, event, step, figures, at):
            told.append(event)

        def artefact(self, path):
            pass

        def close(self, *, finished):
            told.append(finished)

    @nextvec.register("decoder", "parrot")
    class Parrot:
        name, max_steps = "parrot", 0

        def __init__(self, argument, surroundings):
            self.said = argument

        def decode(self, vectors, sources=None, *, steps=0):
            return [Decoded(text=self.said, verdict=judge(self.said)) for _ in vectors]

    try:
        model = place.train(
            "gru", "tales@small", name="told-of", track=["listener"], epochs=1, width=8, allow_unordered=True
        )
        assert (told[0], told[-1]) == ("start", True)
        said = model.continue_text(
            "One day it rained. And then it stopped.", decoder="parrot:And the sun came out again."
        )
        assert "And the sun came out again." in said.text
        with pytest.raises(UsageError, match=r"'half' .* extends nextvec.training.tracker.Tracker"):
            nextvec.register("tracker", "half")(Parrot)
    finally:
        del TRACKERS._entries["listener"], DECODERS._entries["parrot"]


def test_kinds_of_components_are_known():
    assert callable(nextvec.register("metric", "own-metric"))
    with pytest.raises(UsageError, match=r"unknown kind of component 'metrics'\. Did you mean 'metric'"):
        nextvec.register("metrics", "mine")


def test_weights_are_those_of_the_command_line(place, model, tmp_path):
    """One way to train, however it is asked for."""
    arguments = ["train", "gru", "--corpus", "tales@small", "--name", "told", "--set", "epochs=1", "--set", "width=16"]
    command = [sys.executable, "-m", "nextvec", *arguments, "--allow-unordered", "--workspace", str(place.root)]
    subprocess.run(command, check=True, capture_output=True)
    told = place.model("told")
    for name, weights in model.predictor.state_dict().items():
        assert torch.equal(weights, told.predictor.state_dict()[name]), name


def test_a_model_that_was_trained_anew_is_not_taken_for_the_one_that_was_read(place):
    settings = {"epochs": 1, "width": 8, "allow_unordered": True}
    read = place.train("gru", "tales@small", name="again", **settings)
    assert "again" in read.card
    read.remove()
    anew = place.train("gru", "tales@small", name="again", seed=1, **settings)
    for look in (lambda: read.card, lambda: read.metrics):
        with pytest.raises(
            MismatchError, match=r"'again' was trained anew .* open it again: Workspace\.model\('again'\)"
        ):
            look()
    assert anew.metrics["validation_cosine"]
    anew.remove()


if __name__ == "__main__":
    SURFACE.write_text("\n".join(surface()) + "\n", "utf-8")
