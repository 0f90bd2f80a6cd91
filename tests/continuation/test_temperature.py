"""A model's temperature is that of the newest evaluation of its present weights."""

import os
import shutil

import pytest

from nextvec.continuation.resources import Resources
from nextvec.continuation.stages import Served
from nextvec.continuation.temperature import fitted_temperature
from nextvec.models.bundle import predictions_fingerprint
from nextvec.records import append_line
from nextvec.records.names import EVALUATIONS, TEMPERATURES, WEIGHTS
from nextvec.workspace import Workspace


@pytest.fixture
def folder(tales, tmp_path):
    """Of a model without a record of an evaluation, whatever other tests have done."""
    none = shutil.ignore_patterns(EVALUATIONS, TEMPERATURES)
    return shutil.copytree(tales.model("mix"), tmp_path / "mix", ignore=none)


def record(folder, **fields):
    append_line(folder / EVALUATIONS, {"weights": predictions_fingerprint(folder)} | fields)


def test_a_model_that_was_never_evaluated_has_none(folder) -> None:
    assert fitted_temperature(folder) is None


def test_evaluations_without_one_are_passed_over(folder) -> None:
    record(folder, temperatures={"ahead": 0.5, "foreign": 9.0})
    record(folder, temperatures={"foreign": 9.0})
    record(folder)
    assert fitted_temperature(folder) == 0.5


def test_the_newest_counts_as_soon_as_it_is_recorded(folder) -> None:
    record(folder, temperatures={"ahead": 0.5})
    assert fitted_temperature(folder) == 0.5
    record(folder, temperatures={"ahead": 0.25})
    assert fitted_temperature(folder) == 0.25


def test_candidates_from_anywhere_have_their_own_if_it_is_the_topics(folder) -> None:
    record(folder, temperatures={"ahead": 0.5, "foreign-10k": 9.0}, metrics={"log_loss": 2})
    assert fitted_temperature(folder, "anywhere") is None
    record(folder, temperatures={"ahead": 0.5, "foreign-10k": 0.25}, metrics={"log_loss": 3})
    assert fitted_temperature(folder, "anywhere") == 0.25
    assert fitted_temperature(folder) == 0.5


def test_that_of_other_weights_is_no_answer(folder) -> None:
    record(folder, temperatures={"ahead": 0.5})
    assert fitted_temperature(folder) == 0.5
    other = bytearray((folder / WEIGHTS).read_bytes())
    other[-1] ^= 1
    (folder / WEIGHTS).write_bytes(other)
    os.utime(folder / WEIGHTS, ns=(0, 0))
    assert fitted_temperature(folder) is None


def test_a_served_model_has_that_of_its_bundle(tales, folder) -> None:
    served = Served.load("mix", Resources(tales))
    assert served.temperature() == fitted_temperature(tales.model("mix"))
    assert served.temperature("anywhere") == fitted_temperature(tales.model("mix"), "anywhere")


def test_once_its_bundle_is_gone_a_served_model_has_none(scattered, tmp_path) -> None:
    place = Workspace(shutil.copytree(scattered.root, tmp_path / "ws"))
    served = Served.load("mix", Resources(place))
    assert served.temperature() is not None
    shutil.rmtree(place.model("mix"))
    assert served.temperature() is None
    assert served.chances.draws is None


def test_a_model_from_the_hub_brings_its_own(folder) -> None:
    """Evaluations stay where they were made; what they fitted goes with the model."""
    kept = {"ahead": 0.75, "foreign-10k": 0.5}
    append_line(folder / TEMPERATURES, {"identity": "i", "weights": "another", "temperatures": {"ahead": 9.0}})
    append_line(folder / TEMPERATURES, {"identity": "i", "temperatures": {"ahead": 9.0}})
    assert fitted_temperature(folder) is None
    its_own = {"identity": "i", "weights": predictions_fingerprint(folder)}
    append_line(folder / TEMPERATURES, {**its_own, "temperatures": kept})
    assert (fitted_temperature(folder), fitted_temperature(folder, "anywhere")) == (0.75, 0.5)
    record(folder, temperatures={"ahead": 0.25})
    assert fitted_temperature(folder) == 0.25
