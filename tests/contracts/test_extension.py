"""Adding an architecture is one file: a copy of gru.py under another name, installed by somebody else."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nextvec.models.backbones import gru

METADATA = "Metadata-Version: 2.1\nName: somebody-elses\nVersion: 1.0\n"
ENTRY_POINTS = "[nextvec.backbones]\nmine = somebody_elses_network\n"

TRAIN = """
import json, sys
from pathlib import Path

import numpy as np

from nextvec.encoders.encoder import EncoderSpec
from nextvec.models.bundle import load_bundle
from nextvec.store.snapshot import Snapshot
from nextvec.training.run import resolve_plan, train_model

vectors, lengths = np.load("vectors.npy"), json.loads(Path("lengths.json").read_text())
snapshot = Snapshot.from_arrays(
    "process", vectors, np.concatenate([[0], np.cumsum(lengths)]), [f"doc-{i}" for i in range(len(lengths))],
    encoder=EncoderSpec(name="process", dim=vectors.shape[1]), split={"salt": "s", "test": 200, "validation": 400},
)
plan = resolve_plan("my-gru", snapshot.dim, {"width": "16", "layers": 1, "epochs": 2, "lr": 3e-3, "batch": 64})
metrics = train_model(snapshot, plan, Path("model"), cache=Path("cache"))
bundle = load_bundle(Path("model"))
made_by = type(bundle.predictor.backbone).__module__
print(json.dumps({"architecture": bundle.predictor.spec.name, "made by": made_by, "epochs": metrics["epochs"]}))
"""


@pytest.fixture
def installed(tmp_path):
    """A package of one module, as pip leaves it in site-packages."""
    site = tmp_path / "site-packages"
    (site / "somebody_elses-1.0.dist-info").mkdir(parents=True)
    source = Path(gru.__file__).read_text().replace('register("gru")', 'register("my-gru")')
    assert 'register("my-gru")' in source
    (site / "somebody_elses_network.py").write_text(source)
    (site / "somebody_elses-1.0.dist-info" / "METADATA").write_text(METADATA)
    (site / "somebody_elses-1.0.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    return site


def run(command, site, folder):
    result = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={"PYTHONPATH": str(site), "PATH": "", "OMP_NUM_THREADS": "1", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_an_installed_copy_of_gru_is_listed_trained_saved_and_loaded(installed, make_process, tmp_path):
    snapshot = make_process(np.random.default_rng(0).integers(6, 30, size=50).tolist())
    np.save(tmp_path / "vectors.npy", snapshot.vectors)
    (tmp_path / "lengths.json").write_text(json.dumps(snapshot.lengths.tolist()))
    outcome = json.loads(run(["-c", TRAIN], installed, tmp_path).splitlines()[-1])
    assert outcome == {"architecture": "my-gru", "made by": "somebody_elses_network", "epochs": 2}


def test_the_command_line_knows_it_without_a_second_edit(installed, tmp_path):
    listed = json.loads(run(["-m", "nextvec", "models", "list", "--json"], installed, tmp_path))
    assert "my-gru" in listed["backbones"]
    shown = run(["-m", "nextvec", "models", "show", "my-gru", "--dim", "768"], installed, tmp_path)
    assert "7,095,552" in shown
