"""Random unit vectors as documents, and batches of them without a corpus."""

from types import SimpleNamespace

import pytest
import torch

from nextvec.models.predictor import unit


@pytest.fixture(scope="session")
def make_vectors():
    def make(*shape, seed=0):
        return unit(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)))

    return make


@pytest.fixture(scope="session")
def make_batches(make_vectors):
    """Documents (n, D) to what `fit` takes: batches of `size` documents, padded with zeros on the right."""

    def make(documents, size=3):
        batches = []
        for start in range(0, len(documents), size):
            some = documents[start : start + size]
            longest, dim = max(len(d) for d in some), some[0].shape[1]
            whole = torch.zeros(len(some), longest, dim)
            lengths = torch.tensor([len(d) for d in some])
            for row, document in enumerate(some):
                whole[row, : len(document)] = document
            mask = torch.arange(longest - 1) < lengths[:, None] - 1
            batches.append(
                SimpleNamespace(
                    x_BTD=whole[:, :-1] * mask[..., None],
                    mask_BT=mask,
                    target_BTD=whole[:, 1:] * mask[..., None],
                    target_mask_BT=mask,
                    breaks_BT=None,
                    heading=None,
                    begins_BT=None,
                )
            )
        return lambda: iter(batches)

    return make


@pytest.fixture(scope="session")
def chain():
    """Documents of x' = unit(R x + noise): (n, D) each, and the rotation."""

    def make(count=30, length=25, dim=8, noise=0.3, seed=0):
        generator = torch.Generator().manual_seed(seed)
        rotation = torch.linalg.qr(torch.randn(dim, dim, generator=torch.Generator().manual_seed(99)))[0]
        x = unit(torch.randn(count, dim, generator=generator))
        rows = [x]
        for _ in range(length - 1):
            x = unit(x @ rotation.T + noise * unit(torch.randn(count, dim, generator=generator)))
            rows.append(x)
        return list(torch.stack(rows, dim=1)), rotation

    return make
