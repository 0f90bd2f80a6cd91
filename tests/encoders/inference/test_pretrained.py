import torch
from torch import nn
from transformers.utils import logging

from nextvec.encoders.inference.pretrained import hash_parameters, quiet_transformers


def two_layers(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))


def test_hash_depends_on_weights_not_on_names_or_sharing():
    model = two_layers()
    renamed = nn.ModuleDict({"second": model[1], "first": model[0], "first_again": model[0]})
    assert hash_parameters(renamed) == hash_parameters(model) == hash_parameters(two_layers())
    assert hash_parameters(two_layers(seed=1)) != hash_parameters(model)


def test_hash_sees_one_changed_bit():
    model, other = two_layers(), two_layers()
    with torch.no_grad():
        other[0].weight[0, 0] = torch.nextafter(other[0].weight[0, 0], torch.tensor(9.0))
    assert hash_parameters(model) != hash_parameters(other)


def test_quiet_restores_what_was_set():
    logging.set_verbosity_info()
    logging.enable_progress_bar()
    try:
        with quiet_transformers():
            assert not logging.is_progress_bar_enabled()
            assert logging.get_verbosity() == logging.ERROR
        assert logging.is_progress_bar_enabled()
        assert logging.get_verbosity() == logging.INFO
    finally:
        logging.set_verbosity_warning()
