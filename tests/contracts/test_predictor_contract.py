"""What every predictor must hold: each registered backbone with each anchor and context, and each baseline."""

import itertools
from typing import get_args

import pytest
import torch

from nextvec.errors import MismatchError, UsageError
from nextvec.models.backbone import BACKBONES
from nextvec.models.baseline import BASELINES, Baseline
from nextvec.models.bundle import load_bundle, save_bundle
from nextvec.models.memory import join
from nextvec.models.network import Network
from nextvec.models.predictor import AnchorName, Predictor, unit
from nextvec.structure import UNKNOWN
from nextvec.training.run import resolve_plan

DIM = 8
T = 12
PREDICTED = ("point", "topic", "query", "ahead")
CONTEXTS = (None, 1, 4)
NETWORKS = [
    case
    for case in itertools.product(BACKBONES, get_args(AnchorName), CONTEXTS)
    if case[2] is not None or resolve_plan(case[0], DIM, {}).network.context is None
]
CASES = [*NETWORKS, *BASELINES]


def name_of(case):
    return case if isinstance(case, str) else "-".join(map(str, case))


@pytest.fixture(scope="module")
def make_predictor(fitted, build):
    """A fitted baseline, or a network whose correction is random and large, so that nothing holds by being zero."""
    made = {}

    def make(case):
        if isinstance(case, str):
            return fitted[case]
        if case not in made:
            architecture, anchor, context = case
            torch.manual_seed(0)
            network = build(architecture, anchor=anchor, context=context)
            network.set_anchors(fitted.__getitem__)
            if anchor != "none":
                for parameter in list(network.heads["point"].parameters())[-2:]:
                    torch.nn.init.normal_(parameter, std=0.1)
            made[case] = network
        return made[case]

    return make


def predict(predictor, x_BTD, mask_BT=None):
    return predictor.predict(x_BTD, torch.ones(x_BTD.shape[:2], dtype=torch.bool) if mask_BT is None else mask_BT)


def assert_close(left, right):
    torch.testing.assert_close(left, right, atol=2e-6, rtol=0)


def assert_as_close(left, right):
    torch.testing.assert_close(left, right, atol=1e-5, rtol=0)


def paragraphs(documents, length):
    """Breaks of which the first few are not known."""
    generator = torch.Generator().manual_seed(5)
    breaks_BT = (torch.rand(documents, length, generator=generator) < 0.2).to(torch.int8)
    breaks_BT[:, :3] = UNKNOWN
    return breaks_BT


def part(breaks_BT, positions):
    return None if breaks_BT is None else breaks_BT[:, positions]


every_predictor = pytest.mark.parametrize("case", CASES, ids=name_of)
every_network = pytest.mark.parametrize("case", NETWORKS, ids=name_of)


@every_predictor
def test_predictions_are_finite_unit_vectors_without_gradient(case, make_predictor, x_BTD):
    predictor = make_predictor(case)
    y_BTD = predict(predictor, x_BTD)
    assert isinstance(predictor, Predictor)
    assert y_BTD.shape == x_BTD.shape
    assert y_BTD.dtype == torch.float32
    assert not y_BTD.requires_grad
    assert_close(y_BTD.norm(dim=-1), torch.ones(3, T))


@every_predictor
@pytest.mark.parametrize("seen", [1, 4, 11])
def test_the_future_changes_nothing_before_it(case, seen, make_predictor, x_BTD):
    predictor = make_predictor(case)
    changed_BTD = x_BTD.clone()
    changed_BTD[:, seen:] = -changed_BTD[:, seen:].flip(0)
    assert_close(predict(predictor, changed_BTD)[:, :seen], predict(predictor, x_BTD)[:, :seen])


@every_predictor
def test_padding_on_the_right_changes_nothing(case, make_predictor, x_BTD):
    predictor = make_predictor(case)
    lengths = torch.tensor([T, 7, 2])
    mask_BT = torch.arange(T) < lengths[:, None]
    y_BTD = predict(predictor, x_BTD * mask_BT[..., None], mask_BT)
    assert bool(torch.isfinite(y_BTD).all())
    for b, length in enumerate(lengths):
        assert_close(y_BTD[b, :length], predict(predictor, x_BTD[b : b + 1, :length])[0])


@every_predictor
def test_documents_do_not_see_each_other(case, make_predictor, x_BTD):
    predictor = make_predictor(case)
    alone_BTD = torch.cat([predict(predictor, x_BTD[b : b + 1]) for b in range(3)])
    assert_close(alone_BTD, predict(predictor, x_BTD))


@every_predictor
def test_only_the_context_counts(case, make_predictor, x_BTD):
    """The slow twin: every position predicted alone, from the vectors its spec says it looks at."""
    predictor = make_predictor(case)
    context = predictor.spec.context or T
    y_BTD = predict(predictor, x_BTD)
    for t in range(T):
        alone_BTD = predict(predictor, x_BTD[:, max(0, t + 1 - context) : t + 1])
        assert_close(alone_BTD[:, -1], y_BTD[:, t])


@every_predictor
@pytest.mark.parametrize("structured", [False, True])
def test_topics_are_unit_vectors_of_the_context_alone(case, structured, make_predictor, x_BTD):
    predictor, breaks_BT = make_predictor(case), paragraphs(3, T) if structured else None

    def topic(begin, end):
        x_BSD = x_BTD[:, begin:end]
        mask_BS = torch.ones(x_BSD.shape[:2], dtype=torch.bool)
        return predictor.forecast(x_BSD, mask_BS, part(breaks_BT, slice(begin, end))).topic

    topic_BTD = topic(0, T)
    assert not topic_BTD.requires_grad
    assert_close(topic_BTD.norm(dim=-1), torch.ones(3, T))
    for t in range(0, T, 3):
        assert_close(topic(max(0, t + 1 - (predictor.spec.context or T)), t + 1)[:, -1], topic_BTD[:, t])


@every_predictor
@pytest.mark.parametrize("structured", [False, True])
def test_step_by_step_is_the_same_as_at_once(case, structured, make_predictor):
    """Past the blocks that fast paths work in, after a first part that was read in one go."""
    predictor = make_predictor(case)
    x_BTD = unit(torch.randn(2, 140, DIM, generator=torch.Generator().manual_seed(4)))
    breaks_BT = paragraphs(2, 140) if structured else None
    expected = predictor.forecast(x_BTD, torch.ones(2, 140, dtype=torch.bool), breaks_BT)
    length, density = expected.query.norm(dim=-1).amax(), predictor.spec.density
    density_BT = expected.log_density(x_BTD.roll(-1, dims=1)) if density else None
    for first in (1, 70):
        forecast, memory = predictor.read(x_BTD[:, :first], predictor.start(2), part(breaks_BT, slice(first)))
        told = []
        for t in range(first, 140):
            told.append((forecast, forecast.log_density(x_BTD[:, t : t + 1]) if density else None))
            forecast, memory = predictor.step(x_BTD[:, t], memory, part(breaks_BT, t))
        at_once = slice(first - 1, 139)
        point, topic, query, ahead = (torch.cat([getattr(one, name) for one, _ in told], 1) for name in PREDICTED)
        assert_as_close(point, expected.point[:, at_once])
        assert_as_close(topic, expected.topic[:, at_once])
        assert_as_close(query / length, expected.query[:, at_once] / length)
        assert_as_close(ahead / length, expected.ahead[:, at_once] / length)
        if density_BT is not None:
            stepped_BS = torch.cat([one for _, one in told], 1)
            torch.testing.assert_close(stepped_BS, density_BT[:, at_once], atol=1e-4, rtol=1e-4)


@every_predictor
def test_many_continuations_start_from_one_memory(case, make_predictor, x_BTD):
    predictor = make_predictor(case)
    _, memory = predictor.read(x_BTD[:, :5], predictor.start(3))
    first, _ = predictor.step(x_BTD[:, 5], memory)
    _, other = predictor.step(x_BTD[:, 6], memory)
    predictor.step(x_BTD[:, 7], other)
    again, _ = predictor.step(x_BTD[:, 5], memory)
    assert torch.equal(first.point, again.point)


@every_predictor
def test_memories_are_joined_and_parted(case, make_predictor, x_BTD):
    predictor = make_predictor(case)
    memories = [predictor.read(x_BTD[b : b + 1, :5], predictor.start(1))[1] for b in range(3)]
    together, after = predictor.step(x_BTD[:, 5], join(memories))
    assert_as_close(together.point, predict(predictor, x_BTD[:, :6])[:, -1:])
    alone, _ = predictor.step(x_BTD[1:2, 6], after.part(1))
    assert_as_close(alone.point, predict(predictor, x_BTD[1:2, :7])[:, -1:])


@every_predictor
def test_the_memory_of_another_is_refused(case, make_predictor, x_BTD):
    predictor = make_predictor(case)
    with pytest.raises(MismatchError, match=r"given 3 documents to go on with and a memory of 2 documents"):
        predictor.step(x_BTD[:, 0], predictor.start(2))


@every_predictor
def test_one_vector_is_enough(case, make_predictor, x_BTD):
    y_BTD = predict(make_predictor(case), x_BTD[:, :1])
    assert_close(y_BTD.norm(dim=-1), torch.ones(3, 1))


@every_predictor
def test_long_documents_stay_finite(case, make_predictor):
    x_BTD = unit(torch.randn(1, 300, DIM, generator=torch.Generator().manual_seed(2)))
    assert_close(predict(make_predictor(case), x_BTD).norm(dim=-1), torch.ones(1, 300))


@every_predictor
def test_half_precision_input_is_taken(case, make_predictor, x_BTD):
    y_BTD = predict(make_predictor(case), x_BTD.half())
    assert y_BTD.dtype == torch.float32
    torch.testing.assert_close(y_BTD, predict(make_predictor(case), x_BTD), atol=2e-2, rtol=0)


@every_predictor
def test_what_does_not_fit_is_refused(case, make_predictor, x_BTD):
    predictor = make_predictor(case)
    with pytest.raises(MismatchError, match=r"predicts 8-D vectors and was given a tensor of shape \(3, 12, 7\)"):
        predict(predictor, x_BTD[..., :7])
    with pytest.raises(MismatchError, match=r"expected torch.bool \(3, 12\)"):
        predict(predictor, x_BTD, torch.ones(3, 4, dtype=torch.bool))


@every_predictor
def test_the_spec_is_true(case, make_predictor):
    predictor = make_predictor(case)
    spec = predictor.spec
    assert spec.dim == DIM
    assert spec.parameters == sum(parameter.numel() for parameter in predictor.parameters())
    assert spec.fitted == sum(buffer.numel() for buffer in predictor.buffers())
    if isinstance(case, str):
        assert (spec.name, spec.parameters, spec.anchor) == (case, 0, "none")
    else:
        assert (spec.name, spec.anchor, spec.context) == case
        assert spec.parameters > 0


@every_predictor
def test_a_forecast_draws_and_weighs_where_the_spec_says_so(case, make_predictor, x_BTD):
    predictor, mask_BT = make_predictor(case), torch.ones(3, T, dtype=torch.bool)
    forecast, seeded = predictor.forecast(x_BTD, mask_BT), torch.Generator().manual_seed
    for has, ask, shape in (
        (predictor.spec.samples, lambda: forecast.sample(2, seeded(0)), (2, 3, T, DIM)),
        (predictor.spec.density, lambda: forecast.log_density(x_BTD.flip(0)), (3, T)),
    ):
        if not has:
            with pytest.raises(UsageError, match=r"train one with a head that"):
                ask()
            continue
        answer = ask()
        assert (answer.shape, answer.dtype, answer.requires_grad) == (shape, torch.float32, False)
        assert bool(torch.isfinite(answer).all())
        assert torch.equal(ask(), answer)


@every_predictor
def test_it_survives_its_bundle(case, make_predictor, x_BTD, tmp_path):
    predictor = make_predictor(case)
    save_bundle(tmp_path / "m", predictor, origin={}, metrics={})
    loaded = load_bundle(tmp_path / "m").predictor
    assert loaded.spec == predictor.spec
    assert torch.equal(predict(loaded, x_BTD), predict(predictor, x_BTD))


@every_network
def test_a_network_starts_at_its_anchor(case, fitted, build, x_BTD):
    architecture, anchor, context = case
    network = build(architecture, anchor=anchor, context=context)
    if anchor == "none":
        assert bool(predict(network, x_BTD).std() > 0)
        return
    network.set_anchors(fitted.__getitem__)
    baseline: Baseline = network.heads["point"].anchor
    y_BTD = predict(network, x_BTD)
    for t in range(T):
        first = 0 if context is None else max(0, t + 1 - context)
        assert_close(y_BTD[:, t], predict(baseline, x_BTD[:, first : t + 1])[:, -1])


@every_network
def test_every_parameter_learns(case, make_predictor, process):
    network: Network = make_predictor(case)
    network.zero_grad()
    network.train()
    recipe = resolve_plan(case[0], DIM, {"batch": 64, "span": 0, "first_span": 0}).training
    for batch in process.training_batches(network, recipe).epoch(0):
        network(batch).backward()
    still = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert not still
    assert not any(buffer.requires_grad for buffer in network.buffers())
    network.eval()
