"""From a corpus to an inverter that writes its chunks back."""

import pytest

from nextvec.decoding.inverter.bundle import load_inverter
from nextvec.decoding.inverter.decoder import InverterDecoder
from nextvec.errors import MismatchError, NotFoundError, UsageError
from nextvec.records import read_lines
from nextvec.sequences.splits import split_snapshot
from nextvec.training.inverter.run import part_rows, resolve_plan, train_inverter


@pytest.fixture(scope="module")
def trained(snapshot, encoder, make_plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "inverter-rivers"
    plan = make_plan(epochs=40, lr=5e-3)
    metrics = train_inverter(snapshot, encoder, plan, folder)
    return folder, metrics


def test_it_learns_to_write_held_out_chunks_back(trained, snapshot, encoder):
    folder, metrics = trained
    decoder = InverterDecoder(load_inverter(folder), encoder, snapshot.encoder)
    rows = part_rows(snapshot, split_snapshot(snapshot), "test")
    decoded = decoder.decode(snapshot.vectors[rows], steps=1)
    right = [one.text == text for one, text in zip(decoded, snapshot.texts(rows), strict=True)]
    assert sum(right) / len(right) > 0.5
