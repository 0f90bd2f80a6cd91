"""What a batch asks of a network: which targets, and what there is to contrast them with."""

from types import SimpleNamespace

import torch

from nextvec.models.targets import Targets


def batch_of(rows, seen_from):
    rows_BS = torch.tensor(rows)
    target_BSD = torch.arange(rows_BS.numel() * 2.0).view(*rows_BS.shape, 2)
    return SimpleNamespace(
        target_BTD=target_BSD, target_mask_BT=rows_BS >= 0, rows_BT=rows_BS, seen_from_B=torch.tensor(seen_from)
    )


def test_targets_of_a_batch_have_seen_what_it_says():
    batch = batch_of([[11, 12, 13], [21, 22, -1]], seen_from=[10, 4])
    targets = Targets.of(batch)
    assert targets.row.tolist() == targets.candidate_row.tolist() == [11, 12, 13, 21, 22]
    assert targets.first.tolist() == targets.candidate_first.tolist() == [10, 10, 10, 4, 4]
    assert torch.equal(targets.target, batch.target_BTD[batch.target_mask_BT])
    assert torch.equal(targets.candidate, targets.target)
    assert torch.equal(targets.mask_BS, batch.target_mask_BT)
    assert targets.share == 1.0


def test_a_part_of_a_batch_has_the_targets_of_all_of_it_to_contrast_with():
    whole, own = batch_of([[11, 12], [21, -1]], seen_from=[10, 20]), batch_of([[21, -1]], seen_from=[20])
    targets = Targets.of(own, whole, 1 / 3)
    assert (targets.row.tolist(), targets.candidate_row.tolist(), targets.share) == ([21], [11, 12, 21], 1 / 3)
    assert targets.candidate_first.tolist() == [10, 10, 20]
    assert len(targets.target) == 1
    assert len(targets.candidate) == 3
    assert targets.mask_BS.tolist() == [[True, False]]
