"""The network is causal, its cache changes nothing, and a hypothesis's padding is not seen."""

import pytest
import torch

from nextvec.decoding.inverter.generation import alternatives, drawn, generate
from nextvec.decoding.inverter.network import BOUNDARY, Hypothesis, InverterNetwork, NetworkConfig, prefix_mask
from nextvec.errors import MismatchError, UsageError

CONFIG = NetworkConfig(dim=12, vocabulary=30, width=16, layers=2, heads=2, pseudo_tokens=3, longest=10)


@pytest.fixture(scope="module", params=[False, True], ids=["states alone", "bag of words"])
def network(request):
    torch.manual_seed(0)
    network = InverterNetwork(CONFIG.model_copy(update={"bag_of_words": request.param})).eval().requires_grad_(False)
    if network.bag:
        for each in network.bag.parameters():
            torch.nn.init.normal_(each)
    return network


@pytest.fixture
def target():
    return torch.nn.functional.normalize(torch.randn(4, 12, generator=torch.Generator().manual_seed(1)), dim=1)


def tokens(*shape, seed=2):
    return torch.randint(2, 30, shape, generator=torch.Generator().manual_seed(seed))


def hypothesis(target, length=5):
    keep = torch.arange(length) < torch.tensor([5, 3, 1, 4])[:, None]
    return Hypothesis(tokens(4, length), keep, target.flip(0))


def slow_generate(network, target, given=None):
    """No cache: every step runs the whole text again. Runs of three already written are barred one by one."""
    texts = []
    for row in range(len(target)):
        own = given and Hypothesis(*(getattr(given, name)[row : row + 1] for name in given.__slots__))
        text = [BOUNDARY]
        while len(text) < CONFIG.longest:
            states = network(target[row : row + 1], torch.tensor([text]), own)
            logits = network.logits(states[0, -1], tuple(each[0] for each in network.told(target[row : row + 1], own)))
            barred = {1, BOUNDARY} if len(text) == 1 else {1}
            barred |= {text[i + 2] for i in range(len(text) - 2) if text[i : i + 2] == text[-2:]}
            logits[list(barred)] = -torch.inf
            text.append(int(logits.argmax()))
            if text[-1] == BOUNDARY:
                break
        texts.append([token for token in text if token != BOUNDARY])
    return texts


@pytest.mark.parametrize("corrects", [False, True])
def test_generation_with_a_cache_equals_generation_without(network, target, corrects):
    given = hypothesis(target) if corrects else None
    assert generate(network, target, given) == slow_generate(network, target, given)


@pytest.mark.parametrize("corrects", [False, True])
def test_a_state_depends_on_what_was_written_before_it(network, target, corrects):
    given = hypothesis(target) if corrects else None
    text = tokens(4, 6)
    changed = text.clone()
    changed[:, 4:] = tokens(4, 2, seed=9)
    one, other = network(target, text, given), network(target, changed, given)
    assert torch.allclose(one[:, :4], other[:, :4], atol=1e-6)
    assert not torch.allclose(one[:, 4:], other[:, 4:], atol=1e-3)


def test_padding_of_a_hypothesis_is_not_seen(network, target):
    text, given = tokens(4, 6), hypothesis(target)
    other = Hypothesis(torch.where(given.keep_BH, given.tokens_BH, 7), given.keep_BH, given.vector_BD)
    longer = Hypothesis(
        torch.nn.functional.pad(given.tokens_BH, (0, 2)),
        torch.nn.functional.pad(given.keep_BH, (0, 2)),
        given.vector_BD,
    )
    expected = network(target, text, given)
    assert torch.allclose(network(target, text, other), expected, atol=1e-6)
    assert torch.allclose(network(target, text, longer), expected, atol=1e-5)


def test_a_hypothesis_and_its_vector_are_seen(network, target):
    text, given = tokens(4, 6), hypothesis(target)
    expected = network(target, text, given)
    turned = Hypothesis(given.tokens_BH, given.keep_BH, -given.vector_BD)
    other = Hypothesis(given.tokens_BH.flip(1), given.keep_BH, given.vector_BD)
    for changed in (None, turned, other):
        assert not torch.allclose(network(target, text, changed), expected, atol=1e-3)


def test_mask_of_prefix_and_text():
    keep = torch.tensor([[True, True, False]])
    seen = prefix_mask(keep, 2)[0, 0].int().tolist()
    assert seen == [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 0, 1, 0], [1, 1, 0, 1, 1]]


def test_draws_repeat_with_their_seed_and_not_without(network, target):
    one, again, other = (generate(network, target, noise=drawn(2.0, seed)) for seed in (0, 0, 1))
    assert one == again
    assert one != other


def test_draws_follow_the_sharpened_distribution():
    logits = torch.tensor([0.0, 1.0, 2.0]).repeat(20_000, 1)
    found = (
        torch.bincount((logits + drawn(0.5, 0)(logits, torch.arange(len(logits)))).argmax(dim=1), minlength=3) / 20_000
    )
    assert torch.allclose(found, torch.softmax(logits[0] / 0.5, dim=0), atol=0.015)


def test_alternatives_begin_with_the_most_probable_text_whoever_else_is_there(network, target):
    def write(vectors):
        rows = generate(network, vectors, noise=alternatives(3, 1.0, 0), candidates=3)
        return [rows[first : first + 3] for first in range(0, len(rows), 3)]

    together = write(target)
    assert [texts[0] for texts in together] == generate(network, target)
    assert together == [write(vector[None])[0] for vector in target]
    assert any(texts[1] != texts[0] for texts in together)


def test_texts_are_never_empty_and_end_in_time(network, target):
    texts = generate(network, target.repeat(8, 1), noise=drawn(5.0, 0))
    assert all(0 < len(text) < CONFIG.longest for text in texts)
    assert all(token > 1 for text in texts for token in text)
    assert generate(network, target[:0]) == []


@pytest.mark.parametrize("corrects", [False, True])
def test_logits_of_some_tokens_are_those_of_all(network, target, corrects):
    given = hypothesis(target) if corrects else None
    states, chosen = network(target, tokens(4, 3), given)[:, -1], torch.tensor([3, 0, 17])
    some = network.logits(states, network.told(target, given, chosen), chosen)
    assert torch.allclose(some, network.logits(states, network.told(target, given))[..., chosen], atol=1e-5)


def test_a_bag_of_words_says_what_hypothesis_and_target_differ_in(target):
    """Where the two agree, a correction is told of the target alone."""
    torch.manual_seed(0)
    bag = InverterNetwork(CONFIG.model_copy(update={"bag_of_words": True})).bag.requires_grad_(False)
    torch.nn.init.normal_(bag.weight)
    of_target, of_difference = bag.told(target, hypothesis(target), None)
    assert torch.allclose(of_target, target @ bag.weight.T)
    assert torch.allclose(of_difference, (target - target.flip(0)) @ bag.weight.T, atol=1e-6)
    same = Hypothesis(tokens(4, 5), torch.ones(4, 5, dtype=torch.bool), target)
    assert not bag.told(target, same, None)[1].any()


def test_other_vectors_are_refused(network):
    with pytest.raises(MismatchError, match="12-D"):
        network(torch.zeros(2, 11), tokens(2, 3))


def test_heads_must_divide_the_width():
    with pytest.raises(UsageError, match="no multiple of heads"):
        NetworkConfig.parse({"dim": 4, "vocabulary": 9, "width": 30, "heads": 4}, owner="inverter")
