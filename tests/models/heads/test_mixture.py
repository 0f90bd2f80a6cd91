"""The mixture head: each part against its own slow twin, and what it finds in a process that is a mixture."""

import itertools
import math

import pytest
import torch

from nextvec.errors import TrainingError
from nextvec.models.backbone import Backbone
from nextvec.models.baselines.gaussian import Gaussian
from nextvec.models.head import State
from nextvec.models.heads import mixture
from nextvec.models.heads.mixture import MixtureConfig, MixtureHead
from nextvec.models.predictor import unit
from nextvec.models.targets import Targets

DIM = 6


class Plain(Backbone):
    """States of width 3."""

    def forward(self, x_BTD):
        return x_BTD[..., :3]

    def readout(self):
        return torch.nn.Linear(3, self.dim)


def make_anchor():
    """Axes of different lengths, of which the last is dead."""
    anchor, generator = Gaussian(DIM), torch.Generator().manual_seed(0)
    anchor.axes = torch.linalg.qr(torch.randn(DIM, DIM, generator=generator))[0]
    anchor.spread = torch.tensor([0.5, 0.4, 0.3, 0.2, 0.1, 0.01])
    anchor.alive = torch.arange(DIM) < DIM - 1
    return anchor


def make_head(anchor=None, *, stirred=False, **options):
    torch.manual_seed(0)
    head = MixtureHead(MixtureConfig(**{"components": 3, "width": 5, "groups": 2} | options), Plain(None, DIM), anchor)
    if stirred:
        torch.nn.init.normal_(head.compute.weight, std=0.5)
    return head.eval().requires_grad_(False)


def make_state(batch=2, length=4):
    generator = torch.Generator().manual_seed(1)
    return State(*(torch.randn(batch, length, width, generator=generator) for width in (3, DIM)))


def by_hand(head, state, y_BSD, b, s):
    """log of the weighted sum of densities of projected normals, each computed alone in the coordinates of y."""
    head = head.double()
    told = head.describe(head.readout(state.hidden_BSM[b, s].double()))
    colour = torch.eye(DIM, dtype=torch.float64) if head.anchor is None else head.anchor.axes * head.anchor.spread
    total, weights = 0.0, []
    for code in head.codes:
        logit, *out = head.compute(torch.nn.functional.gelu(told + code))
        move, log_variance = 0.3 * torch.stack(out[:DIM]), 2 * (torch.stack(out[DIM:]) / 2).tanh()
        move, log_variance, logit = head.sizes[0] * move, head.sizes[1] * log_variance, head.sizes[1] * logit
        variance = torch.ones(DIM, dtype=torch.float64)
        for axis in range(DIM):
            if head.anchor is not None and not head.anchor.alive[axis]:
                move[axis] = 0.0
            else:
                variance[axis] = log_variance[axis * 2 // DIM].exp()
        mean = (state.base_BSE[b, s].double() + move) * head.certainty
        inverse, y = torch.linalg.inv((colour * variance) @ colour.T), y_BSD[b, s].double()
        parts = (p @ inverse @ q for p, q in ((y, y), (y, colour @ mean), (colour @ mean, colour @ mean)))
        density = mixture.log_density(*parts, -torch.linalg.slogdet(inverse)[1] / 2, DIM)
        total, weights = total + float((logit + density).exp()), [*weights, float(logit.exp())]
    head.float()
    return math.log(total / sum(weights))


@pytest.mark.parametrize("anchored", [False, True])
def test_its_density_is_the_sum_over_its_components(anchored, make_vectors):
    head, state = make_head(make_anchor() if anchored else None, stirred=True), make_state()
    head.sizes.copy_(torch.tensor([0.7, 0.6]))
    head.certainty.fill_(0.9)
    y_BSD = make_vectors(2, 4, DIM)
    density_BS = head.log_density(state, y_BSD)
    for b, s in ((0, 0), (1, 3)):
        assert float(density_BS[b, s]) == pytest.approx(by_hand(head, state, y_BSD, b, s), abs=2e-4)


def test_untrained_it_is_gaussian(make_vectors):
    anchor, state, y_BSD = make_anchor(), make_state(), make_vectors(2, 4, DIM)
    head = make_head(anchor)
    torch.testing.assert_close(head.log_density(state, y_BSD), anchor.log_density(state.base_BSE, y_BSD))
    torch.testing.assert_close(head.point(state), unit(anchor.colour(state.base_BSE)))


def test_its_components_part_in_the_first_step(make_vectors):
    head, state = make_head(make_anchor()).train().requires_grad_(True), make_state()
    targets = make_vectors(1, 8, DIM)[0]
    mask_BS = torch.ones(2, 4, dtype=torch.bool)
    where = torch.arange(8), torch.arange(8)
    head.loss(state, Targets(targets, *where, targets, *where, mask_BS)).backward()
    with torch.no_grad():
        head.compute.weight -= 0.1 * head.compute.weight.grad
        mean_NKD = head.expected(state.at(mask_BS)).mean_NKD
    assert bool(((mean_NKD[:, 0] - mean_NKD[:, 1]).abs().amax(-1) > 1e-4).all())


def test_its_density_is_that_of_what_it_draws(make_vectors):
    """If y is drawn from p, the mean of q(y) / p(y) is 1 for any density q."""
    one, other = (make_head(make_anchor(), stirred=True) for _ in range(2))
    other.sizes.fill_(0.8)
    state = State(*(part[:1, :1] for part in (make_state().hidden_BSM, make_state().base_BSE)))
    y_NSD = one.sample(state, 200_000, torch.Generator().manual_seed(0))[:, 0]
    many = State(*(part.expand(-1, len(y_NSD), -1) for part in (state.hidden_BSM, state.base_BSE)))
    y_1ND = y_NSD.transpose(0, 1)
    ratio_N = (other.log_density(many, y_1ND) - one.log_density(many, y_1ND))[0].exp()
    assert float(ratio_N.mean()) == pytest.approx(1.0, abs=5 * float(ratio_N.std()) / len(ratio_N) ** 0.5)
    assert float(ratio_N.std()) > 0.1
    shares = one.expected(state).logit_NK.softmax(-1)
    assert shares.min() > 0.02


def test_pieces_change_nothing(monkeypatch, make_vectors):
    head, state, y_BSD = make_head(make_anchor(), stirred=True), make_state(), make_vectors(2, 4, DIM)
    whole = head.log_density(state, y_BSD), head.point(state)
    monkeypatch.setattr(mixture, "AT_ONCE", 3)
    torch.testing.assert_close((head.log_density(state, y_BSD), head.point(state)), whole)
    assert head.sample(state, 5, torch.Generator()).shape == (5, 2, 4, DIM)


def test_what_is_tuned_is_where_validation_targets_are_likeliest(make_vectors):
    head, state, y_BSD = make_head(make_anchor(), stirred=True), make_state(batch=8, length=9), make_vectors(8, 9, DIM)
    mask_BS = torch.arange(9) < torch.arange(2, 10)[:, None]
    batch = type("Batch", (), {"target_BTD": y_BSD, "target_mask_BT": mask_BS})
    tuned = head.calibrate(lambda: iter([(state, batch)]))
    kept = head.calibration
    found = {}
    for tried in itertools.product(mixture.MOVES, mixture.SHAPES, mixture.CERTAINTIES):
        head.sizes.copy_(torch.tensor(tried[:2]))
        head.certainty.fill_(tried[2])
        found[tried] = float(head.log_density(state, y_BSD)[mask_BS].mean())
    best = max(found, key=found.__getitem__)
    assert tuple(kept.values()) == pytest.approx(best)
    assert tuned == pytest.approx(found[best], abs=1e-4)


def test_without_a_target_nothing_can_be_tuned():
    with pytest.raises(TrainingError, match=r"there is no target to tune the mixture on"):
        make_head().calibrate(lambda: iter([]))


def test_dead_axes_are_left_as_they_are():
    head, state = make_head(make_anchor(), stirred=True), make_state()
    components = head.expected(state.at(torch.ones(2, 4, dtype=torch.bool)))
    assert torch.equal(components.mean_NKD[..., -1], state.base_BSE.flatten(0, 1)[:, None, -1].expand(-1, 3))
    assert not components.variance_NKG[..., -1].any()
    assert head.members_DG.argmax(1).tolist() == [0, 0, 0, 1, 1, 2]


def test_it_learns_which_of_two_ways_a_process_goes():
    """After one state it goes one of two ways by a coin, after another always the first way."""
    ways = unit(torch.tensor([[1.0, 0.3, 0, 0, 0, 0], [-0.2, 1.0, 0, 0, 0, 0]]))
    generator = torch.Generator().manual_seed(0)
    anchor = make_anchor()
    anchor.axes, anchor.spread, anchor.alive = torch.eye(DIM), torch.full((DIM,), 0.3), torch.ones(DIM) > 0
    head = make_head(anchor, components=2).train().requires_grad_(True)
    sure_N = torch.rand(400, generator=generator) < 0.5
    chosen_N = torch.where(sure_N, 0, (torch.rand(400, generator=generator) < 0.5).long())
    y_ND = unit(ways[chosen_N] + 0.1 * torch.randn(400, DIM, generator=generator))
    state = State(torch.stack([sure_N.float(), 1 - sure_N.float(), torch.ones(400)], 1)[None], torch.zeros(1, 400, DIM))
    where = torch.arange(400), torch.arange(400)
    targets = Targets(y_ND, *where, y_ND, *where, torch.ones(1, 400) > 0)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        head.loss(state, targets).backward()
        optimizer.step()
    head.eval()
    with torch.no_grad():
        drawn_nND = head.sample(state, 50, generator)[:, 0]
    first_nN = (drawn_nND @ ways.T).argmax(-1) == 0
    assert float(first_nN[:, sure_N].float().mean()) > 0.9
    assert float(first_nN[:, ~sure_N].float().mean()) == pytest.approx(0.5, abs=0.12)
