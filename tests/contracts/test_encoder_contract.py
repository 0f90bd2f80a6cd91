"""What every registered encoder promises, in every reading: the same vectors whatever is encoded with them."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from nextvec.encoders import ENCODERS, load_encoder
from nextvec.encoders.encoder import EncoderSpec, require_same_encoder, verify_golden
from nextvec.encoders.hashing import HashingEncoder
from nextvec.encoders.lengths import TokenLimited
from nextvec.encoders.reading import LimitedReading
from nextvec.errors import DataError, MismatchError, UsageError

TEXTS = [
    "The river rises in the hills and falls into the sea.",
    "It does.",
    "In 1869 the canal was opened to ships of every nation, and the long way round the cape lost its trade.",
    "Why does the moon keep one face towards us?",
    "The river rises in the hills and falls into the sea.",
]
READINGS = {"prompt": "query: ", "dim": 12, "max_length": 9}


class Server(BaseHTTPRequestHandler):
    """OpenAI's endpoint, with hashing vectors of norm 3."""

    encoder = HashingEncoder(16)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        vectors = 3 * self.encoder.encode(body["input"])
        content = json.dumps({"data": [{"embedding": vector.tolist()} for vector in vectors]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1")
        yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def sentence_transformer(tiny_t5, tmp_path_factory) -> Path:
    library = pytest.importorskip("sentence_transformers")
    from sentence_transformers.sentence_transformer import modules

    folder = tmp_path_factory.mktemp("st")
    parts = [modules.Transformer(str(tiny_t5), max_seq_length=128), modules.Pooling(24, pooling_mode="mean")]
    library.SentenceTransformer(modules=parts, prompts={"query": "query: "}).save(str(folder))
    return folder


REFERENCES = {
    "gtr-t5-base": "gtr-t5-base:{tiny_t5}",
    "hashing": "hashing:16",
    "minilm": "minilm",
    "model2vec": "model2vec:{static_model}",
    "openai": "openai:{address}#tiny",
    "sonar": "sonar:{sonar_port}",
    "sentence-transformers": "sentence-transformers:{sentence_transformer}",
}
"""Of each kind, with the fixtures that it needs in braces."""


@pytest.fixture(scope="module", params=sorted(REFERENCES))
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def reference(kind, request):
    place = REFERENCES[kind]
    name = place.partition("{")[2].partition("}")[0]
    return place.format(**({name: request.getfixturevalue(name)} if name else {}))


@pytest.fixture(scope="module")
def encoder(reference):
    return load_encoder(reference)


@pytest.fixture(scope="module")
def read(kind, reference):
    """The encoder in every reading that it takes, one at a time."""
    options = [name for name in READINGS if name in ENCODERS.get(kind).options.model_fields]
    return {name: load_encoder(f"{reference}?{name}={READINGS[name]}") for name in options}


def test_every_kind_is_here() -> None:
    assert set(REFERENCES) == set(ENCODERS)


def everyone(encoder, read):
    return [encoder, *read.values()]


def test_vectors_are_unit_and_in_order(encoder, read):
    for one in everyone(encoder, read):
        vectors = one.encode(TEXTS)
        assert vectors.dtype == np.float32
        assert vectors.shape == (len(TEXTS), one.spec.dim)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
        np.testing.assert_allclose(vectors[0], vectors[4], atol=1e-3)
        assert one.encode([]).shape == (0, one.spec.dim)


def test_a_vector_does_not_depend_on_its_company(encoder, read):
    for one in everyone(encoder, read):
        together = one.encode(TEXTS)
        np.testing.assert_allclose(np.concatenate([one.encode([text]) for text in TEXTS]), together, atol=1e-3)
        np.testing.assert_allclose(one.encode(TEXTS[::-1])[::-1], together, atol=1e-3)


def test_twice_is_the_same_bit_for_bit(encoder, read):
    for one in everyone(encoder, read):
        assert np.array_equal(one.encode(TEXTS), one.encode(TEXTS))


def test_an_empty_text_is_refused(encoder, read):
    for one in everyone(encoder, read):
        with pytest.raises(DataError, match="text 1 of 3 is empty"):
            one.encode(["a", " ", "b"])
        with pytest.raises(UsageError, match="got one string"):
            one.encode("a text")


def test_the_golden_sentences_are_those_of_the_spec(encoder, read):
    for one in everyone(encoder, read):
        assert one.spec.golden
        verify_golden(one, one.spec)


def test_the_reference_loads_it_again(encoder, read):
    for one in everyone(encoder, read):
        again = load_encoder(one.spec.reference)
        require_same_encoder(one.spec, again.spec, left_name="it", right_name="it again")
        assert (again.spec.name, again.spec.reference) == (one.spec.name, one.spec.reference)
        assert EncoderSpec.parse(one.spec.to_dict(), owner="its record") == one.spec


def test_every_reading_is_another_encoder(encoder, read):
    assert len({one.spec.fingerprint for one in everyone(encoder, read)}) == 1 + len(read)
    for name, one in read.items():
        with pytest.raises(MismatchError, match=f"differ in .*{name}"):
            require_same_encoder(encoder.spec, one.spec, left_name="corpus", right_name="query")
        assert one.spec.name.startswith(f"{encoder.spec.name}?{name}=")


def test_a_prompt_stands_before_every_text(encoder, read):
    prompted = encoder.encode([READINGS["prompt"] + text for text in TEXTS])
    np.testing.assert_allclose(read["prompt"].encode(TEXTS), prompted, atol=1e-3)


def test_fewer_dimensions_are_the_first_of_the_vector(encoder, read):
    cut = encoder.encode(TEXTS)[:, : READINGS["dim"]]
    expected = cut / np.linalg.norm(cut, axis=1, keepdims=True)
    np.testing.assert_allclose(read["dim"].encode(TEXTS), expected, atol=1e-3)


def test_the_rest_of_a_text_is_not_read(kind, encoder, read):
    if not issubclass(ENCODERS.get(kind).options, LimitedReading):
        assert not isinstance(encoder, TokenLimited)
        return
    limited = read["max_length"]
    assert limited.spec.max_length == READINGS["max_length"]
    counts = encoder.count_tokens(TEXTS)
    assert (limited.count_tokens(TEXTS) == counts).all()
    assert (read["prompt"].count_tokens(TEXTS) > counts).all()
    long = "the river rises in the hills " * 4
    np.testing.assert_allclose(*limited.encode([long, long + "and falls into the sea."]), atol=1e-3)
    assert np.abs(encoder.encode([long])[0] - encoder.encode([long + "and falls into the sea."])[0]).max() > 1e-3


@pytest.mark.parametrize(("option", "words"), [("dim=400000", "dim = 400000"), ("pormpt=a", "Did you mean 'prompt'")])
def test_what_it_cannot_be_told_is_said(reference, option, words):
    with pytest.raises(UsageError, match=words):
        load_encoder(f"{reference}?{option}")
