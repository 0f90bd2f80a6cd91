"""The mixture head: each part against its own slow twin, and what it finds in a process that is a mixture."""

import itertools
import math

import pytest
import torch

from nextvec.errors import TrainingError
from nextvec.models.angular import log_density
from nextvec.models.backbone import Backbone
from nextvec.models.baselines.scale_mixture import ScaleMixture
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
    """Axes of different lengths, of which the last is dead; its components differ."""
    anchor, generator = ScaleMixture(DIM), torch.Generator().manual_seed(0)
    for number in (anchor.logit, anchor.mean_change, anchor.variance_change):
        number.copy_(0.3 * torch.randn(number.shape, generator=generator))
    anchor.axes = torch.linalg.qr(torch.randn(DIM, DIM, generator=generator))[0]
    anchor.spread = torch.tensor([0.5, 0.4, 0.3, 0.2, 0.1, 0.01])
    anchor.alive = torch.arange(DIM) < DIM - 1
    return anchor


def make_head(anchor=None, *, stirred=False, **options):
    torch.manual_seed(0)
    head = MixtureHead(MixtureConfig(**{"width": 5} | options), Plain(None, DIM), anchor)
    if stirred:
        torch.nn.init.normal_(head.compute.weight, std=0.5)
    return head.eval().requires_grad_(False)


def make_state(batch=2, length=4):
    generator = torch.Generator().manual_seed(1)
    return State(*(torch.randn(batch, length, width, generator=generator) for width in (3, DIM)))


def by_hand(head, state, y_BSD, b, s):
    """log of the weighted sum of densities of projected normals, each computed alone in the coordinates of y."""
    head = head.double()
    told = head.readout(state.hidden_BSM[b, s].double())
    anchor, mean = head.anchor, told if head.anchor is None else state.base_BSE[b, s].double()
    colour = torch.eye(DIM, dtype=torch.float64) if anchor is None else anchor.axes * anchor.spread
    alive = torch.ones(DIM) > 0 if anchor is None else anchor.alive
    total, weights, y = 0.0, [], y_BSD[b, s].double()
    for k, code in enumerate(head.codes):
        said = head.compute(torch.nn.functional.gelu(head.describe(told) + code))
        logit, changes = head.size * said[0], (head.size * 3 * (said[1:] / 3).tanh()).view(2, DIM)
        if anchor is not None:
            logit = logit + anchor.logit[k]
            changes = changes + torch.stack([anchor.mean_change[k], anchor.variance_change[k]])
        common = changes[1][alive].mean()
        change = torch.stack([changes[0] - common / 2 + head.certainty.log(), changes[1] - common]).exp()
        change[:, ~alive] = 1.0
        inverse, mu = torch.linalg.inv((colour * change[1]) @ colour.T), colour @ (change[0] * mean)
        parts = (p @ inverse @ q for p, q in ((y, y), (y, mu), (mu, mu)))
        density = log_density(*parts, -torch.linalg.slogdet(inverse)[1] / 2, DIM)
        total, weights = total + float((logit + density).exp()), [*weights, float(logit.exp())]
    head.float()
    return math.log(total / sum(weights))


@pytest.mark.parametrize("anchored", [False, True])
def test_its_density_is_the_sum_over_its_components(anchored, make_vectors):
    head, state = make_head(make_anchor() if anchored else None, stirred=True), make_state()
    state = state if anchored else State(state.hidden_BSM, None)
    head.size.fill_(0.7)
    head.certainty.fill_(0.9)
    y_BSD = make_vectors(2, 4, DIM)
    density_BS = head.log_density(state, y_BSD)
    for b, s in ((0, 0), (1, 3)):
        assert float(density_BS[b, s]) == pytest.approx(by_hand(head, state, y_BSD, b, s), abs=2e-4)


def test_untrained_it_is_its_anchor(make_vectors):
    anchor, state, y_BSD = make_anchor(), make_state(), make_vectors(2, 4, DIM)
    head = make_head(anchor)
    torch.testing.assert_close(head.log_density(state, y_BSD), anchor.log_density(state.base_BSE, y_BSD))
    seed = (4, torch.Generator().manual_seed(0)), (4, torch.Generator().manual_seed(0))
    torch.testing.assert_close(head.sample(state, *seed[0]), anchor.sample(state.base_BSE, *seed[1]))


def make_targets(y_ND, mask_BS):
    where = torch.arange(len(y_ND)), torch.arange(len(y_ND))
    return Targets(y_ND, *where, y_ND, *where, mask_BS)


def test_its_loss_is_minus_the_density_of_the_targets_in_nats_a_dimension(make_vectors):
    head, state, y_BSD = make_head(make_anchor(), stirred=True), make_state(), make_vectors(2, 4, DIM)
    mask_BS = torch.tensor([[True, True, False, True], [False, True, False, False]])
    expected = -head.log_density(state, y_BSD)[mask_BS].mean() / DIM
    torch.testing.assert_close(head.train().loss(state, make_targets(y_BSD[mask_BS], mask_BS)), expected)


def test_its_components_part_in_the_first_step(make_vectors):
    head, state, mask_BS = make_head(make_anchor()).train().requires_grad_(True), make_state(), torch.ones(2, 4) > 0
    head.loss(state, make_targets(make_vectors(1, 8, DIM)[0], mask_BS)).backward()
    with torch.no_grad():
        head.compute.weight -= 0.1 * head.compute.weight.grad
        said_NKO, _ = head.read(state.at(mask_BS))
    assert bool(((said_NKO[:, 0] - said_NKO[:, 1]).abs().amax(-1) > 1e-4).all())


def test_its_density_is_that_of_what_it_draws(make_vectors):
    """If y is drawn from p, the mean of q(y) / p(y) is 1 for any density q."""
    one, other = (make_head(make_anchor(), stirred=True) for _ in range(2))
    other.size.fill_(0.8)
    state = State(*(part[:1, :1] for part in (make_state().hidden_BSM, make_state().base_BSE)))
    y_NSD = one.sample(state, 200_000, torch.Generator().manual_seed(0))[:, 0]
    many = State(*(part.expand(-1, len(y_NSD), -1) for part in (state.hidden_BSM, state.base_BSE)))
    y_1ND = y_NSD.transpose(0, 1)
    ratio_N = (other.log_density(many, y_1ND) - one.log_density(many, y_1ND))[0].exp()
    assert float(ratio_N.mean()) == pytest.approx(1.0, abs=5 * float(ratio_N.std()) / len(ratio_N) ** 0.5)
    assert float(ratio_N.std()) > 0.1


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
    for tried in itertools.product(mixture.SIZES, mixture.CERTAINTIES):
        head.size.fill_(tried[0])
        head.certainty.fill_(tried[1])
        found[tried] = float(head.log_density(state, y_BSD)[mask_BS].mean())
    best = max(found, key=found.__getitem__)
    assert tuple(kept.values()) == pytest.approx(best)
    assert tuned == pytest.approx(found[best], abs=1e-4)


def test_after_a_context_like_none_of_those_seen_the_means_are_its_anchors(make_vectors):
    head, silent, state = (
        make_head(make_anchor(), stirred=True),
        make_head(make_anchor(), stirred=True),
        make_state(1, 2),
    )
    of_means = slice(1, 1 + DIM)
    silent.compute.weight[of_means] = silent.compute.bias[of_means] = 0.0
    y_BSD, mask_BS = make_vectors(1, 2, DIM), torch.ones(1, 2) > 0
    moved_BS = head.log_density(state, y_BSD)
    familiar_ND = state.base_BSE[0, 0] + 0.01 * torch.randn(100, DIM, generator=torch.Generator().manual_seed(2))
    head.acquaint([familiar_ND], [familiar_ND])
    expected_BS = torch.stack([moved_BS[:, 0], silent.log_density(state, y_BSD)[:, 1]], 1)
    torch.testing.assert_close(head.log_density(state, y_BSD), expected_BS)
    assert not torch.allclose(moved_BS, expected_BS, atol=1e-2)
    loss = head.train().loss(state, make_targets(y_BSD[0], mask_BS))
    torch.testing.assert_close(loss, -moved_BS.mean() / DIM)  # all is familiar while it trains


def test_without_an_anchor_there_is_nothing_to_be_left_with(make_vectors):
    head, state, y_BSD = make_head(stirred=True), State(make_state().hidden_BSM, None), make_vectors(2, 4, DIM)
    before = head.log_density(state, y_BSD)
    head.acquaint([make_vectors(1, 50, DIM)[0]], [make_vectors(1, 50, DIM)[0]])
    assert torch.equal(head.log_density(state, y_BSD), before)


def test_without_a_target_nothing_can_be_tuned():
    with pytest.raises(TrainingError, match=r"there is no target to tune the mixture on"):
        make_head().calibrate(lambda: iter([]))


def test_dead_axes_are_left_as_they_are():
    head, state = make_head(make_anchor(), stirred=True), make_state()
    components = head.components(*head.read(state.at(torch.ones(2, 4) > 0)), 1.0)
    for changes_NKG in (components.mean_NKG, components.variance_NKG):
        assert bool((changes_NKG[..., :-1] != 0).all())
        assert not changes_NKG[..., -1].any()
    assert head.members_DG.argmax(1).tolist() == [0, 1, 2, 3, 4, 6]


def test_it_learns_after_which_states_one_is_sure(make_vectors):
    """After one state targets are close to the mean, after another at random near it or far away."""
    generator, N = torch.Generator().manual_seed(0), 600
    anchor, mean_D = make_anchor(), torch.tensor([1.0, 0.5, 0, 0, 0, 0])
    anchor.axes, anchor.spread, anchor.alive = torch.eye(DIM), torch.full((DIM,), 0.4), torch.ones(DIM) > 0
    head = make_head(anchor, width=16).train().requires_grad_(True)
    sure_N = torch.rand(N, generator=generator) < 0.5
    near_N = sure_N | (torch.rand(N, generator=generator) < 0.5)
    y_ND = unit(mean_D + torch.where(near_N, 0.05, 0.6)[:, None] * torch.randn(N, DIM, generator=generator))
    hidden_1NM = torch.stack([sure_N.float(), 1 - sure_N.float(), torch.ones(N)], 1)[None]
    state = State(hidden_1NM, anchor.whiten(mean_D).expand(1, N, DIM))
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(200):
        optimizer.zero_grad()
        head.loss(state, make_targets(y_ND, torch.ones(1, N) > 0)).backward()
        optimizer.step()
    with torch.no_grad():
        drawn_nND = head.eval().sample(state, 50, generator)[:, 0]
    far_nN = drawn_nND @ unit(mean_D) < 0.95
    assert float(far_nN[:, sure_N].float().mean()) < 0.03
    truth = float((y_ND[~sure_N] @ unit(mean_D) < 0.95).float().mean())
    assert float(far_nN[:, ~sure_N].float().mean()) == pytest.approx(truth, abs=0.08)
