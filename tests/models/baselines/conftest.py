import pytest
import torch


@pytest.fixture
def gather():
    """Every scored position of some batches: features f(x) and targets, one row each."""

    def gather(batches, features):
        pairs = [
            (features(batch.x_BTD)[batch.target_mask_BT], batch.target_BTD[batch.target_mask_BT]) for batch in batches()
        ]
        return tuple(torch.cat(part).double().numpy() for part in zip(*pairs, strict=True))

    return gather
