"""An inverter that begins at a language model: the same layers, causal, cached, saved and loaded like any other."""

import json

import pytest
import torch

from nextvec.decoding.inverter.bundle import load_inverter, save_inverter
from nextvec.decoding.inverter.generation import generate
from nextvec.decoding.inverter.language_model import LanguageModel
from nextvec.decoding.inverter.network import BOUNDARY, Hypothesis, NetworkConfig
from nextvec.decoding.inverter.vocabulary import FIRST, Vocabulary
from nextvec.errors import IntegrityError, NotFoundError, UsageError

KINDS = ("gpt2", "llama", "qwen2")
DIM = 32
TEXTS = ["the ships follow the old river.", "a king falls into the sea."]


@pytest.fixture(scope="module", params=KINDS)
def model(request, language_model_folder):
    return LanguageModel.load(str(language_model_folder(request.param)))


@pytest.fixture(scope="module")
def vocabulary(model):
    return Vocabulary.of_texts(model.tokenizer, TEXTS)


@pytest.fixture(scope="module")
def network(model, vocabulary):
    torch.manual_seed(1)
    config = NetworkConfig(dim=DIM, vocabulary=len(vocabulary), pseudo_tokens=3, longest=10, **model.sizes)
    network = model.inverter(config, vocabulary.pieces)
    # As after training: what begins at zero would hide that it is used.
    for layer in (network.position, network.hypothesis_position, network.everywhere):
        torch.nn.init.normal_(layer.weight, std=0.02)
    return network.eval().requires_grad_(False)


@pytest.fixture
def target():
    return torch.nn.functional.normalize(torch.randn(4, DIM, generator=torch.Generator().manual_seed(1)), dim=1)


def tokens(vocabulary, *shape):
    return torch.randint(FIRST, len(vocabulary), shape, generator=torch.Generator().manual_seed(2))


def hypothesis(vocabulary, target, length=5):
    keep = torch.arange(length) < torch.tensor([5, 3, 1, 4])[:, None]
    return Hypothesis(tokens(vocabulary, 4, length), keep, target.flip(0))


def test_what_follows_a_text_is_what_the_language_model_says(model, network, vocabulary):
    ids = torch.from_numpy(vocabulary.encode(TEXTS)[0])[None]
    mask = torch.ones(1, 1, ids.shape[1], ids.shape[1], dtype=torch.bool).tril()
    here = network.logits(network.read(network.embedding(ids), mask))[..., FIRST:]
    pieces = torch.from_numpy(vocabulary.pieces)
    there = model.network(input_ids=pieces[ids - FIRST]).logits[..., pieces]
    assert torch.allclose(here, there, atol=1e-5)


@pytest.mark.parametrize("corrects", [False, True])
def test_generation_with_a_cache_equals_generation_without(network, vocabulary, target, corrects):
    given = hypothesis(vocabulary, target) if corrects else None
    rows = generate(network, target, given)
    whole = torch.tensor([[BOUNDARY, *row, *[BOUNDARY] * (9 - len(row))] for row in rows])
    logits = network.logits(network(target, whole, given))
    for row, own in zip(rows, logits, strict=True):
        for place, token in enumerate(row[:3]):  # of later ones some are barred
            allowed = own[place].clone()
            allowed[[1, BOUNDARY] if place == 0 else [1]] = -torch.inf
            assert int(allowed.argmax()) == token


def test_padding_of_a_hypothesis_is_not_seen_and_moves_nothing(network, vocabulary, target):
    text, given = tokens(vocabulary, 4, 6), hypothesis(vocabulary, target)
    longer = Hypothesis(
        torch.nn.functional.pad(given.tokens_BH, (0, 2)),
        torch.nn.functional.pad(given.keep_BH, (0, 2)),
        given.vector_BD,
    )
    assert torch.allclose(network(target, text, longer), network(target, text, given), atol=1e-5)


def test_a_later_token_changes_nothing_before_it(network, vocabulary, target):
    text = tokens(vocabulary, 4, 6)
    changed = text.clone()
    changed[:, 4:] = FIRST
    one, other = network(target, text), network(target, changed)
    assert torch.allclose(one[:, :4], other[:, :4], atol=1e-5)
    assert not torch.allclose(one[:, 4:], other[:, 4:], atol=1e-4)


def test_it_is_saved_and_loaded(network, vocabulary, target, encoder, tmp_path):

    origin = {"corpus": {"name": "rivers", "tag": None}, "training": {"lr": 1e-3}, "split": {}, "versions": {}}
    save_inverter(tmp_path / "it", network, vocabulary, encoder.spec, origin=origin, metrics={})
    inverter = load_inverter(tmp_path / "it")
    assert generate(inverter.network, target) == generate(network, target)
    assert inverter.vocabulary.encode(TEXTS)[0].tolist() == vocabulary.encode(TEXTS)[0].tolist()
    assert inverter.network.config.language_model["model_type"] in (tmp_path / "it" / "README.md").read_text()


def test_dropout_is_never_on(network):
    assert not network.train().layers.training
    assert network.training
    network.eval()


def test_code_that_a_configuration_names_is_not_asked_for(language_model_folder, tmp_path):
    model = LanguageModel.load(str(language_model_folder("gpt2")))
    model.network.config.auto_map = {"AutoModel": "evil.Model"}
    assert "auto_map" not in model.sizes["language_model"]


def test_too_long_texts_are_refused_before_anything_is_read(language_model_folder):
    model = LanguageModel.load(str(language_model_folder("gpt2")))
    vocabulary = Vocabulary.of_texts(model.tokenizer, TEXTS)
    config = NetworkConfig(dim=DIM, vocabulary=len(vocabulary), pseudo_tokens=4, longest=40, **model.sizes)
    with pytest.raises(UsageError, match=r"knows 64\. Set longest to at most 26"):
        model.inverter(config, vocabulary.pieces)


def test_a_model_that_scales_its_tokens_elsewhere_is_refused(language_model_folder):
    model = LanguageModel.load(str(language_model_folder("qwen2")))
    vocabulary = Vocabulary.of_texts(model.tokenizer, TEXTS)
    table = model.network.get_input_embeddings()
    table.register_forward_hook(lambda module, given, found: 4 * found)
    config = NetworkConfig(dim=DIM, vocabulary=len(vocabulary), pseudo_tokens=3, longest=10, **model.sizes)
    with pytest.raises(UsageError, match="a qwen2 cannot be told what to read"):
        model.inverter(config, vocabulary.pieces)


def test_another_kind_of_model_is_refused(tmp_path, language_model_folder):
    folder = copied(language_model_folder("gpt2"), tmp_path / "other", model_type="t5")
    with pytest.raises(UsageError, match="is no causal language model"):
        LanguageModel.load(str(folder))


def test_a_model_with_code_of_its_own_is_refused(tmp_path, language_model_folder):
    named = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}}
    folder = copied(language_model_folder("gpt2"), tmp_path / "other", **named)
    (folder / "own.py").write_text("raise SystemExit('it was run')")
    with pytest.raises(UsageError, match="is no causal language model"):
        LanguageModel.load(str(folder))


def copied(given, folder, **config):
    folder.mkdir()
    for path in given.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    known = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**known, **config}))
    return folder


def test_what_is_not_there_is_named(tmp_path, language_model_folder):
    with pytest.raises(NotFoundError, match="is no folder with config"):
        LanguageModel.load(str(tmp_path / "none"))
    folder = copied(language_model_folder("gpt2"), tmp_path / "damaged", n_layer=3)
    with pytest.raises(IntegrityError, match="lacks"):
        LanguageModel.load(str(folder))
