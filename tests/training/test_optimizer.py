from nextvec.decoding.inverter.network import InverterNetwork, NetworkConfig
from nextvec.models.network import build_network
from nextvec.training.optimizer import parameter_groups


def test_weight_decay_is_on_matrices_alone():
    network = build_network("gru", 8, {"width": 4}, anchor="none")
    network.backbone.project.weight.no_weight_decay = True
    decayed, rest = (group["params"] for group in parameter_groups(network, 0.1))
    assert all(parameter.ndim >= 2 for parameter in decayed)
    assert any(parameter is network.backbone.project.weight for parameter in rest)
    assert len(decayed) + len(rest) == len(list(network.parameters()))
    assert [group["weight_decay"] for group in parameter_groups(network, 0.1)] == [0.1, 0.0]


def test_none_is_on_the_tables_of_an_inverter():
    network = InverterNetwork(NetworkConfig(dim=8, vocabulary=20, width=8, layers=1, heads=2, longest=16))
    decayed, rest = (group["params"] for group in parameter_groups(network, 0.1))
    tables = [network.embedding.weight, network.position.weight, network.hypothesis_position.weight]
    assert all(any(table is parameter for parameter in rest) for table in tables)
    assert all(parameter.ndim >= 2 for parameter in decayed)
