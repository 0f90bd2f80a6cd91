import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from nextvec.evaluation.metric import Passage, Setting, unit_rows
from nextvec.evaluation.metrics.log_loss import LogLoss
from nextvec.evaluation.pools import ForeignPool
from nextvec.models.baselines.means import CopyLast

from ..topics import slow_query

TEMPERATURES = {"document": 0.3, "ahead": 0.5, "foreign-10k": 0.7}


def unit(shape, seed):
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return x / x.norm(dim=-1, keepdim=True)


def setting_of(foreign, owners, temperatures=TEMPERATURES):
    return Setting(
        min_context=5,
        seed=0,
        train_mean_D=torch.zeros(foreign.shape[1]),
        foreign=ForeignPool(vectors_PD=foreign, owner_P=torch.tensor(owners)),
        context=None,
        predictor=CopyLast(foreign.shape[1]),
        temperatures=temperatures,
    )


def passage_of(vectors, query):
    point = unit_rows(query)
    return Passage(number=0, doc_id="d", vectors_ND=vectors, predicted_MD=point, query_MD=query, topic_MD=point)


def slow_loss(query, target, rivals, temperature):
    """In double precision, candidate by candidate."""
    odds = [math.exp(float(query.double() @ y.double()) / temperature) for y in [target, *rivals]]
    return math.log(sum(odds) / odds[0])


def test_losses_are_those_of_a_softmax_of_raw_scores():
    vectors, foreign, owners = unit((23, 8), 1), unit((50, 8), 2), [0] * 5 + [1] * 20 + [-1] * 25
    query = 3 * torch.rand(18, 1, generator=torch.Generator().manual_seed(4)) * unit((18, 8), 3)
    parts = LogLoss(setting_of(foreign, owners)).measure(passage_of(vectors, query))
    totals, chance = dict.fromkeys(TEMPERATURES, 0.0), dict.fromkeys(TEMPERATURES, 0.0)
    for j, row in enumerate(range(5, 23)):
        rivals = {
            "document": [*vectors[: row - 5], *vectors[row + 1 :]],
            "ahead": vectors[row + 1 :],
            "foreign-10k": foreign[5:],
        }
        for pool, temperature in TEMPERATURES.items():
            asked = slow_query(unit_rows(query[j]), foreign) if pool == "foreign-10k" else query[j]
            totals[pool] += slow_loss(asked, vectors[row], rivals[pool], temperature)
            chance[pool] += math.log(1 + len(rivals[pool]))
    for pool, total in totals.items():
        loss, bits = parts[f"log_loss[{pool}]"], parts[f"bits_gained[{pool}]"]
        assert loss.count == bits.count == (17 if pool == "ahead" else 18)
        assert loss.total == pytest.approx(total, rel=1e-5)
        assert loss.chance == pytest.approx(chance[pool])
        assert bits.total == pytest.approx((chance[pool] - total) / math.log(2), rel=1e-4)
        assert bits.chance == 0


def test_a_query_of_length_zero_guesses():
    """And a topic that is what all that is searched has in common."""
    foreign = unit((30, 8), 1)
    passage = replace(passage_of(unit((20, 8), 2), torch.zeros(15, 8)), topic_MD=foreign.mean(0).expand(15, 8))
    parts = LogLoss(setting_of(foreign, [0] * 10 + [1] * 20)).measure(passage)
    for pool, guessed in {"document": 15**15, "ahead": math.factorial(15), "foreign-10k": 21**15}.items():
        assert parts[f"log_loss[{pool}]"].total == pytest.approx(math.log(guessed), rel=1e-5)
        assert parts[f"bits_gained[{pool}]"].total == pytest.approx(0, abs=1e-4)


def test_blocks_of_targets_change_nothing(monkeypatch):
    foreign = unit((30, 8), 1)
    passage = passage_of(unit((40, 8), 2), unit((35, 8), 3))
    whole = LogLoss(setting_of(foreign, [1] * 30)).measure(passage)
    monkeypatch.setattr("nextvec.evaluation.pools._BLOCK_CELLS", 3 * 40)
    parts = LogLoss(setting_of(foreign, [1] * 30)).measure(passage)
    assert {name: part.total for name, part in parts.items()} == pytest.approx(
        {name: part.total for name, part in whole.items()}, rel=1e-6
    )


def test_a_pool_without_a_temperature_or_without_others_is_left_out():
    vectors = unit((20, 8), 1)
    nobody, somebody = setting_of(vectors[:0], []), setting_of(vectors, [1] * 20, {"foreign-10k": 1.0})
    passage = passage_of(vectors, unit((15, 8), 2))
    assert LogLoss(nobody).measure(passage).keys() == {
        f"{figure}[{pool}]" for figure in ("log_loss", "bits_gained") for pool in ("document", "ahead")
    }
    assert LogLoss(somebody).measure(passage).keys() == {"log_loss[foreign-10k]", "bits_gained[foreign-10k]"}
    assert LogLoss(setting_of(vectors, [1] * 20, {})).measure(passage) == {}


def test_a_target_without_rivals_is_certain():
    vectors = unit((6, 8), 1)
    parts = LogLoss(setting_of(vectors[:0], [])).measure(passage_of(vectors, unit((1, 8), 2)))
    assert parts["log_loss[document]"].total == parts["bits_gained[document]"].total == 0
    assert np.isfinite(parts["log_loss[document]"].chance)
    assert parts.keys() == {"log_loss[document]", "bits_gained[document]"}
