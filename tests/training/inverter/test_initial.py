"""Where training begins: frequencies, MiniLM's embedding, and a regression that names the topic."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from nextvec.decoding.inverter.network import InverterNetwork, NetworkConfig
from nextvec.encoders.transformer import minilm_folder
from nextvec.training.inverter.chunks import Chunks, Texts
from nextvec.training.inverter.initial import EMBEDDING, fit_topic, initialise, projected_embedding


@pytest.fixture(scope="module")
def table():
    return load_file(minilm_folder() / "model.safetensors")[EMBEDDING]


def alone(pieces):
    """Every token is a word piece of its own."""
    return pieces[:, None].tolist()


def test_a_token_of_several_pieces_begins_at_their_mean(table):
    spelt = [[1000, 1001], *alone(np.arange(1002, 2000))]
    means = torch.cat([table[1000:1002].mean(dim=0, keepdim=True), table[1002:2000]])
    centred = means - means.mean(dim=0)
    found = projected_embedding(spelt, 384)
    scale = 0.25 / centred.square().sum(dim=1).mean()
    assert torch.allclose(found @ found.T, centred @ centred.T * scale, atol=1e-4)


@pytest.mark.parametrize("width", [384, 500])
def test_a_wide_embedding_keeps_every_angle_about_the_mean(table, width):
    pieces = np.arange(1000, 2000)
    found = projected_embedding(alone(pieces), width)
    given = table[1000:2000] - table[1000:2000].mean(dim=0)
    expected = given @ given.T
    scale = 0.25 / expected.diagonal().mean()
    assert found.shape == (1000, width)
    assert torch.allclose(found @ found.T, expected * scale, atol=1e-4)


def test_a_narrow_one_keeps_the_largest_axes():
    whole, narrow = (projected_embedding(alone(np.arange(1000, 2000)), width) for width in (384, 64))
    assert narrow.square().sum(dim=1).mean().sqrt() == pytest.approx(0.5, abs=1e-4)
    axes = whole.var(dim=0)
    assert (axes[:-1] >= axes[1:] - 1e-6).all()


@pytest.fixture(scope="module")
def linear():
    """Chunks of one token each; a vector is a rotation of its token's embedding."""
    random = np.random.default_rng(0)
    embedding = torch.from_numpy(random.standard_normal((40, 8)).astype(np.float32))
    tokens = random.integers(2, 40, size=2500)
    rotation = np.linalg.qr(random.standard_normal((8, 8)))[0]
    vectors = embedding.numpy()[tokens] @ rotation
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chunks = Chunks(texts=Texts.of(tokens[:, None].tolist()), vectors=vectors.astype(np.float32))
    return embedding, tokens, chunks


def test_the_topic_path_finds_a_linear_relation(linear):
    embedding, tokens, chunks = linear
    topic = fit_topic(embedding, torch.ones(40), chunks)
    found = torch.from_numpy(chunks.vectors) * 8**0.5 @ topic
    cosines = torch.cosine_similarity(found, embedding[torch.from_numpy(tokens)])
    assert cosines.mean() > 0.95
    assert found.square().mean().sqrt() == pytest.approx(1, abs=1e-3)


def test_words_without_weight_do_not_count(linear):
    embedding, _, chunks = linear
    doubled = Chunks(texts=Texts.of([[*chunks.texts[i], 2] for i in range(len(chunks))]), vectors=chunks.vectors)
    rarity = torch.ones(40)
    rarity[2] = 0
    kept = (chunks.texts.tokens != 2).nonzero()[0]
    one = fit_topic(embedding, rarity, chunks.subset(kept))
    other = fit_topic(embedding, rarity, doubled.subset(kept))
    assert torch.allclose(one, other, atol=1e-4)


def test_biases_are_log_frequencies(linear):
    _, tokens, chunks = linear
    network = InverterNetwork(NetworkConfig(dim=8, vocabulary=40, width=16, layers=1, heads=2))
    initialise(network, chunks, alone(np.arange(1000, 1038)), pretrained=True)
    share = torch.softmax(network.bias.detach(), dim=0)
    assert float(share[5]) == pytest.approx((tokens == 5).sum() / 5000, rel=0.1)
    assert float(share[0]) == pytest.approx(0.5, rel=0.05)  # every chunk has one token and one end
    assert torch.equal(network.embedding.weight[2:], projected_embedding(alone(np.arange(1000, 1038)), 16))
