"""Predictions stand where the chunk stands that they expect."""

from pathlib import Path

import numpy as np
import pytest

from nextvec.encoders import load_encoder
from nextvec.errors import MismatchError
from nextvec.models.baseline import BASELINES
from nextvec.models.bundle import Bundle
from nextvec.records import read_json
from nextvec.training.inverter.predictions import predict_chunks
from nextvec.training.inverter.run import train_inverter


@pytest.fixture
def copy_last(snapshot):
    """Expects the vector before once more."""
    config = {"encoder_fingerprint": snapshot.encoder.fingerprint, "encoder": {"name": snapshot.encoder.name}}
    predictor = BASELINES.get("copy-last")(snapshot.dim)
    return Bundle(folder=Path("copy-last"), predictor=predictor, config=config, metrics={})


def test_each_row_has_what_was_expected_there(snapshot, copy_last):
    rows = np.array([0, 1, 2, 7, 8, 9, 20])
    expected = predict_chunks(copy_last, snapshot, rows)
    before = [0, 0, 1, 6, 8, 8, 19]  # documents have eight rows: 0 and 8 begin one
    assert np.allclose(expected, snapshot.vectors[before], atol=1e-3)


def test_a_model_of_another_encoder_is_refused(snapshot, copy_last):
    copy_last.config["encoder_fingerprint"] = load_encoder("hashing:32").spec.fingerprint
    with pytest.raises(MismatchError, match="same encoder"):
        predict_chunks(copy_last, snapshot, np.array([1]))


def test_an_inverter_learns_from_them_too(snapshot, encoder, copy_last, make_plan, tmp_path):
    plan = make_plan(predictor="copy-last", predicted=1.0, epochs=1, noise=0.0)
    metrics = train_inverter(snapshot, encoder, plan, tmp_path / "inverter", predictor=copy_last)
    assert metrics["steps"] > 0
    assert read_json(tmp_path / "inverter" / "config.json")["training"]["predictor"] == "copy-last"
