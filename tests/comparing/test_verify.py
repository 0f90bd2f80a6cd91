"""What was recorded is measured again, at every batch size."""

import subprocess
import sys

import numpy as np
import pytest

from nextvec.comparing.verify import BATCH_SIZES, TOLERANCE, validation_cosine, verify, verify_here
from nextvec.corpus.headings import Heading
from nextvec.errors import IntegrityError, NotFoundError
from nextvec.models.baseline import told_cosine
from nextvec.models.bundle import load_bundle, record_metrics
from nextvec.models.predictor import unit
from nextvec.store.headings import Headings
from nextvec.training.data import TrainingData

MODELS = ["plain", "anchored", "windowed", "baseline"]


def test_the_batch_sizes_are_those_of_the_evaluation():
    assert BATCH_SIZES == (1, 7, 64)
    assert TOLERANCE == 1e-4


@pytest.mark.parametrize("identity", MODELS)
def test_every_model_reproduces_its_figure(identity, place):
    result = verify_here(place, identity)
    assert result.identity == identity
    assert result.recorded == load_bundle(place.model(identity)).metrics["validation_cosine"]
    assert len(result.measured) == 3
    assert result.worst < 1e-5
    assert result.passed


def test_a_fresh_process_reproduces_it_too(place):
    (result,) = verify(place, ["anchored"])
    assert result.passed


def test_a_script_that_verifies_is_run_once(place, tmp_path):
    """Processes that multiprocessing spawns run their parent's script again, where nothing guards it."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, nextvec\n"
        "print('begun')\n"
        "print([each.passed for each in nextvec.open(sys.argv[1]).verify(['plain'])])\n"
    )
    done = subprocess.run([sys.executable, script, place.root], capture_output=True, text=True, check=False)
    assert done.stdout == "begun\n[True]\n", done.stderr


def test_a_figure_that_was_not_measured_is_found(place):
    folder = place.model("plain")
    metrics = load_bundle(folder).metrics
    try:
        record_metrics(folder, {**metrics, "validation_cosine": metrics["validation_cosine"] + 0.001})
        result = verify_here(place, "plain")
    finally:
        record_metrics(folder, metrics)
    assert not result.passed
    assert result.worst == pytest.approx(0.001, abs=1e-5)


def test_what_cannot_be_loaded_is_an_error_that_crosses_processes(place):
    with pytest.raises(NotFoundError, match=r"there is no finished model at .*never"):
        list(verify(place, ["never"]))


def test_altered_weights_are_found(place):
    path = place.model("plain") / "model.safetensors"
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(IntegrityError, match=r"is not the file that config.json records"):
            verify_here(place, "plain")
    finally:
        path.write_bytes(content)


class Told:
    """A predictor that says what it was told of the next chunk's heading."""

    @staticmethod
    def predict(x_BTD, mask_BT, breaks_BT=None, heading=None):
        return unit(x_BTD + heading.vector_BTD + heading.fresh_BT[..., None])


@pytest.mark.parametrize("size", BATCH_SIZES)
def test_headings_are_told_as_in_training(size, make_process):
    lengths = [9, 14, 11] * 20
    own = [Headings((Heading(text="H", level=1, start=0),), np.eye(1, 8, i % 8, dtype=np.float32)) for i in range(60)]
    under = np.concatenate([np.where(np.arange(length) < 5, -1, 0) for length in lengths]).astype(np.int32)
    data = TrainingData(make_process(lengths, dim=8, headings=own, heading=under))
    told = told_cosine(Told.predict, data.validation_batches)
    assert validation_cosine(Told, data, size) == pytest.approx(told, abs=1e-6)
