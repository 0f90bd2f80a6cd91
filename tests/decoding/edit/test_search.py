"""Retrieve and edit: never below the nearest chunk, never stranger than allowed, the same each time."""

import numpy as np
import pytest

from nextvec.decoding import DECODERS, load_decoder
from nextvec.decoding.decoder import Decoded
from nextvec.decoding.edit.bank import fluency_of, lexicon_of, untrained
from nextvec.decoding.edit.fluency import words
from nextvec.decoding.edit.search import EditConfig, EditDecoder
from nextvec.decoding.nearest import NearestDecoder
from nextvec.decoding.quality import Verdict
from nextvec.encoders.hashing import HashingEncoder
from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.retrieval.index import ExactIndex, build_index
from nextvec.store.snapshot import Snapshot

NOUNS, VERBS = ["cat", "dog", "owl", "bee", "ant", "elk", "eel", "rat"], ["eats", "sees", "hears", "finds"]
ENCODER = HashingEncoder(64)
DOCUMENTS, LENGTH = 40, 6


class Listening:
    """An encoder that keeps what it was asked."""

    spec = ENCODER.spec

    def __init__(self):
        self.asked = []

    def encode(self, texts, on_progress=None):
        self.asked.append(list(texts))
        return ENCODER.encode(texts)


@pytest.fixture(scope="module")
def snapshot():
    chance = np.random.default_rng(0)
    said = [f"{chance.choice(NOUNS)} {chance.choice(VERBS)} the {chance.choice(NOUNS)}" for _ in range(480)]
    texts = [f"The {first}, and the {second}." for first, second in zip(said[::2], said[1::2], strict=True)]
    return Snapshot.from_arrays(
        "animals",
        ENCODER.encode(texts).astype(np.float16),
        np.arange(0, len(texts) + 1, LENGTH),
        [f"doc-{number}" for number in range(DOCUMENTS)],
        encoder=ENCODER.spec,
        split={"salt": "s", "test": 200, "validation": 400},
        texts=texts,
    )


@pytest.fixture(scope="module")
def targets():
    """Of texts that no chunk says."""
    return ENCODER.encode(["The cat eats the owl, and the owl.", "The bee hears the elk and the rat.", "The dog."])


@pytest.fixture(scope="module")
def nearest(snapshot, targets):
    return NearestDecoder(snapshot, build_index(snapshot), untrained(snapshot)).decode(targets)


@pytest.fixture
def edited(snapshot):
    def edited(reference="edit", encoder=ENCODER, of=snapshot):
        return load_decoder(reference, of, build_index(of), encoder=encoder)

    return edited


def test_it_comes_nearer_than_the_nearest_chunk_and_its_cosine_is_true(edited, targets, nearest):
    found = edited("edit?bound=0.3").decode(targets)
    assert all(one.cosine >= begun.cosine for one, begun in zip(found, nearest, strict=True))
    assert sum(one.row is None and one.cosine > begun.cosine for one, begun in zip(found, nearest, strict=True)) >= 2
    new = [number for number, one in enumerate(found) if one.row is None]
    again = np.einsum("nd,nd->n", ENCODER.encode([found[number].text for number in new]), targets[new])
    assert again == pytest.approx([found[number].cosine for number in new], abs=1e-5)


@pytest.mark.parametrize("bound", [0.0, 0.5])
def test_it_stays_as_fluent_as_the_bound_says(snapshot, edited, targets, nearest, bound):
    fluency = fluency_of(snapshot, untrained(snapshot))
    found = edited(f"edit?bound={bound}").decode(targets)
    strange = fluency.strangeness([words(one.text) for one in (*nearest, *found)])
    assert (strange[len(nearest) :] <= strange[: len(nearest)] + bound + 1e-9).all()


def test_all_candidates_of_a_step_are_encoded_together(edited, targets):
    listening = Listening()
    edited("edit?steps=2&bound=0.3", listening).decode(targets)
    assert len(listening.asked) == len(targets) + 2  # the words of each one's neighbours, then the steps
    assert len(set(listening.asked[-1])) == len(listening.asked[-1]) > 0


def test_the_same_vector_has_the_same_text_alone_and_in_company(edited, targets):
    together = edited().decode(targets)
    alone = [edited().decode(target[None])[0] for target in targets]
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.cosine for one in together] == pytest.approx([one.cosine for one in alone], abs=1e-6)


def test_without_a_step_it_is_the_nearest_chunk(edited, targets, nearest):
    assert edited("edit?steps=0").decode(targets) == nearest


def test_what_is_stored_stays_as_it_is(snapshot, edited):
    row = int(np.flatnonzero(~untrained(snapshot))[3])
    (found,) = edited().decode(snapshot.vectors[[row]].astype(np.float32))
    assert found.text == snapshot.texts([row])[0]
    assert found.row is not None


def test_held_out_chunks_are_given_where_all_are_asked_for(snapshot, edited):
    held_out = np.flatnonzero(untrained(snapshot))
    vectors = snapshot.vectors[held_out].astype(np.float32)
    assert not {one.row for one in edited("edit?steps=0").decode(vectors)} & set(held_out.tolist())
    assert all(one.cosine > 0.999 for one in edited("edit?steps=0&bank=all").decode(vectors))


def test_sources_are_judged(edited, targets):
    verdicts = [one.verdict for one in edited().decode(targets[:2], [["A zeppelin"], ["It hears"]])]
    assert "keyword" in verdicts[0].reasons[-1]
    with pytest.raises(MismatchError, match="3 vectors came with sources for 1"):
        edited().decode(targets, [["one"]])


def test_a_name_says_all_that_the_texts_depend_on(edited):
    names = {edited(each).name for each in ("edit", "edit?beam=3", "edit?bank=all", "edit?bound=1", "edit?beam=2")}
    assert len(names) == 4
    assert all(name.startswith("edit:") for name in names)


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("edit:12", "unknown decoder '12'"),
        ("edit?step=1", "Did you mean 'steps'?"),
        ("edit?beam=0", "greater than or equal to 1"),
        ("edit?bank=test", "'train' or 'all'"),
        ("edit?steps", "expected key=value"),
    ],
)
def test_a_wrong_reference_is_told(edited, reference, says):
    with pytest.raises(UsageError, match=says):
        edited(reference)


def test_its_steps_are_an_option(edited, targets):
    decoder = edited()
    assert decoder.max_steps == 0
    with pytest.raises(UsageError, match=r"edit\?steps=3"):
        decoder.decode(targets, steps=3)


class Writing:
    """A decoder that writes one text for every vector, and corrects it by adding to it."""

    name, max_steps = "writing", 5

    def __init__(self, text):
        self._text = text

    def decode(self, vectors, sources=None, *, steps=0):
        text = self._text + " and the rat" * steps
        cosines = vectors @ ENCODER.encode([text])[0]
        return [Decoded(text=text, verdict=Verdict(True), steps=steps, cosine=float(one)) for one in cosines]


@pytest.fixture
def begun_at(snapshot):
    def begun_at(begin, config=None):
        held_out = untrained(snapshot)
        index, fluency = build_index(snapshot), fluency_of(snapshot, held_out)
        return EditDecoder(snapshot, index, ENCODER.encode, fluency, held_out, config or EditConfig(), begin)

    return begun_at


def test_what_another_decoder_wrote_is_edited(begun_at, targets):
    begin = Writing("The rat sees the cat.")
    found, begun = begun_at(begin).decode(targets), begin.decode(targets)
    assert all(one.cosine >= given.cosine for one, given in zip(found, begun, strict=True))
    assert any(one.text != given.text for one, given in zip(found, begun, strict=True))
    again = np.einsum("nd,nd->n", ENCODER.encode([one.text for one in found]), targets)
    assert again == pytest.approx([one.cosine for one in found], abs=1e-5)


def test_the_other_decoder_takes_the_corrections(begun_at, targets):
    decoder = begun_at(Writing("The rat sees the cat"), EditConfig(steps=0))
    assert decoder.max_steps == 5
    (found, *_) = decoder.decode(targets, steps=2)
    assert (found.text, found.steps) == ("The rat sees the cat and the rat and the rat", 2)


def test_small_letters_are_spelt_as_in_the_corpus_where_that_costs_nothing(snapshot, begun_at, targets):
    decoder = begun_at(Writing("the rat sees the cat."), EditConfig(steps=0))
    assert {one.text for one in decoder.decode(targets)} == {"The rat sees the cat."}


def test_a_decoder_to_begin_with_is_named_in_the_reference(edited, targets, nearest):
    assert [one.text for one in edited("edit:nearest?steps=0").decode(targets)] == [one.text for one in nearest]
    assert edited("edit:nearest").name != edited("edit").name


def test_another_encoder_or_index_is_refused(snapshot, edited):
    with pytest.raises(MismatchError, match="animals"):
        edited(encoder=HashingEncoder(32))
    with pytest.raises(MismatchError, match="Build the index from this snapshot"):
        EditDecoder(snapshot, ExactIndex(snapshot.vectors), ENCODER.encode, fluency_of(snapshot, untrained(snapshot)))


def test_nothing_to_begin_at_is_an_error(snapshot, targets):
    fluency, everything = fluency_of(snapshot, untrained(snapshot)), np.ones(len(snapshot), dtype=bool)
    decoder = EditDecoder(snapshot, build_index(snapshot), ENCODER.encode, fluency, everything)
    with pytest.raises(DataError, match="animals"):
        decoder.decode(targets)


def test_one_chunk_alone_and_one_of_marks_can_be_edited(snapshot, targets):
    fluency = fluency_of(snapshot, untrained(snapshot))
    for text in ("The cat eats the owl, and it rests.", "?!"):
        lone = Snapshot.from_arrays(
            "lone", np.eye(64, dtype=np.float32)[:1], [0, 1], ["a"], encoder=ENCODER.spec, texts=[text]
        )
        decoder = EditDecoder(lone, build_index(lone), ENCODER.encode, fluency, config=EditConfig(bound=9))
        assert decoder.decode(targets)[0].text


def test_what_is_fluent_is_learnt_once(snapshot, tmp_path, monkeypatch):
    from dataclasses import replace

    from nextvec.decoding.edit.fluency import Fluency

    kept, held_out = replace(snapshot, cache=tmp_path), untrained(snapshot)
    first = fluency_of(kept, held_out)
    monkeypatch.setattr(Fluency, "learn", None)
    assert fluency_of(kept, held_out).perplexity(["The cat."]) == first.perplexity(["The cat."])


def test_words_that_no_neighbour_has_are_put_in_where_the_vector_tells_them(snapshot, edited):
    """One neighbour has few of the animals."""
    wanted = "The eel hears the elk, and the eel hears the elk."
    alone, told = (
        edited(f"edit?neighbours=1&bound=0.5&told={told}").decode(ENCODER.encode([wanted]))[0] for told in (0, 20)
    )
    assert told.text == wanted != alone.text


def test_which_words_a_vector_tells_is_learnt_once(snapshot, tmp_path, monkeypatch):
    from dataclasses import replace

    from nextvec.decoding.edit.lexicon import Lexicon

    kept, held_out = replace(snapshot, cache=tmp_path), untrained(snapshot)
    first, vectors = lexicon_of(kept, held_out), snapshot.vectors[:3].astype(np.float32)
    monkeypatch.setattr(Lexicon, "learn", None)
    assert lexicon_of(kept, held_out).told(vectors, 9) == first.told(vectors, 9)


def test_it_is_registered():
    assert "edit" in DECODERS
