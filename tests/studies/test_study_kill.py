"""kill -9 at the worst moments of a study: nothing is lost, nothing is done twice, the models are the same."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nextvec.records import read_json, read_lines
from nextvec.records.names import COMPARISON, RECORD
from nextvec.studies.status import study_status
from nextvec.workspace import Workspace

MODELS = ("gru-c-small", "amn-c-small")
MOMENTS = ("gru-c-small step 5", "gru-c-small finished", "amn-c-small step 9", "amn-c-small reported")
PLAN = """
name = "killed"
architectures = ["gru", "amn"]
corpora = ["c@small"]

[set]
epochs = 2
batch = 64
checkpoint_steps = 1

[set.gru]
width = 16
layers = 1

[set.amn]
hidden = 16
attention = 8
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory, make_corpus):
    """Workspaces of a study that nobody disturbed and of one that was killed; the exit statuses and steps of both."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "plan.toml").write_text(PLAN)
    lines = []
    for name, moments in (("calm", ()), ("killed", MOMENTS)):
        make_corpus(Workspace(folder / name), "c")
        lines += [json.dumps([str(folder / name), str(folder / "plan.toml"), m]) for m in (*moments, "never")]
    program = [sys.executable, str(Path(__file__).with_name("victim.py"))]
    done = subprocess.run(program, input="\n".join(lines), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said, attempts = [], []
    for line in done.stdout.splitlines():
        said.append(line)
        if line.startswith("ended "):
            attempts.append(said)
            said = []
    return Workspace(folder / "calm"), Workspace(folder / "killed"), attempts


def test_it_was_killed_at_every_moment(killed):
    *_, attempts = killed
    assert [attempt[-1] for attempt in attempts] == ["ended 0", *["ended -9"] * len(MOMENTS), "ended 0"]


@pytest.mark.parametrize("model", MODELS)
def test_the_models_are_the_same_bit_for_bit(killed, model):
    calm, disturbed, _ = killed
    weights = [place.model(model) / "model.safetensors" for place in (calm, disturbed)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_nothing_is_trained_twice(killed):
    """But for the step at hand, whose checkpoint was not written when the kill came."""
    *_, attempts = killed
    calm = attempts[0][:-1]
    disturbed = [line for attempt in attempts[1:] for line in attempt[:-1]]
    assert list(dict.fromkeys(disturbed)) == calm
    repeated = sorted({line for line in disturbed if disturbed.count(line) > 1})
    assert repeated == ["amn-c-small 9", "gru-c-small 5"]


def test_nothing_is_lost(killed):
    calm, disturbed, _ = killed
    status = study_status(disturbed, "killed")
    assert [run.run.model for run in status.runs if run.state == "done"] == list(MODELS)
    assert rounded(status.to_dict()["runs"]) == rounded(study_status(calm, "killed").to_dict()["runs"])
    rows = [rounded(read_json(place.study("killed") / COMPARISON)["rows"]) for place in (calm, disturbed)]
    assert rows[0] == rows[1]


def rounded(value):
    """Evaluations are recorded with nine digits: what is read again may differ in the tenth."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 6) if isinstance(value, float) else value


def test_the_record_has_every_event_once(killed):
    _, disturbed, _ = killed
    events = [(event["event"], event.get("model")) for event in read_lines(disturbed.study("killed") / RECORD)]
    assert [event for event, _ in events].count("begin") == len(MOMENTS) + 1
    assert sorted(model for event, model in events if event == "finish") == sorted(MODELS)
    assert sorted(model for event, model in events if event == "compare") == sorted(MODELS)
    assert events[-1][0] == "end"
