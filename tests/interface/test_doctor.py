"""What is there is told, what is missing with its command, what is wrong with what to do."""

import shutil
from types import SimpleNamespace

import pytest

from nextvec.interface import doctor
from nextvec.interface.doctor import examine, extras
from nextvec.models import bundle
from nextvec.records import read_json, write_json
from nextvec.store import vectors
from nextvec.workspace import Workspace


def by_name(findings):
    return {finding.what: finding for finding in findings}


def test_versions_devices_and_extras_are_told(tmp_path):
    found = by_name(examine(Workspace(tmp_path / "none")))
    assert {"Python", "torch", "CPU", "GPU", "disk", "workspace", "extra serve", "models"} <= found.keys()
    assert "threads" in found["CPU"].found
    assert found["models"].found == "0 of 0 are whole"
    assert not (tmp_path / "none").exists()


def test_extras_are_those_of_the_package():
    found = extras()
    assert "fastapi" in found["serve"]
    assert not any("pytest" in packages for packages in found.values())


def test_an_extra_that_is_missing_says_how_to_have_it(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "_installed", lambda package: package != "fastapi")
    finding = by_name(examine(Workspace(tmp_path)))["extra serve"]
    assert (finding.state, finding.found) == ("missing", "without fastapi")
    assert finding.do == "if you need it: pip install 'nextvec[serve]'"


def test_a_full_disk_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    assert by_name(examine(Workspace(tmp_path)))["disk"].state == "wrong"


@pytest.fixture
def place(tales, tmp_path):
    shutil.copytree(tales.root, tmp_path / "ws")
    return Workspace(tmp_path / "ws")


@pytest.mark.parametrize("damage", [b"", b"[]", None])
@pytest.mark.parametrize("file", ["model.safetensors", "metrics.json", "config.json"])
def test_every_file_of_a_model_is_looked_at(place, file, damage):
    path = place.model("ridge") / file
    path.unlink()
    path.mkdir() if damage is None else path.write_bytes(damage)
    found = by_name(examine(place))
    assert file in found["model ridge"].found
    assert found["models"].found == "1 of 2 are whole"


def test_weights_that_are_others_are_found(place):
    path = place.model("ridge") / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "is not the file that config.json records" in by_name(examine(place))["model ridge"].found


def test_a_damaged_corpus_and_damaged_aliases_are_found(place):
    assert "1 of 1 can be opened" in by_name(examine(place))["corpora"].found
    for manifest in place.corpus("tales").glob("_versions/*.manifest"):
        manifest.write_bytes(b"")
    (place.models / "aliases.jsonl").write_text('{"alias": "a"}\n')
    found = by_name(examine(place))
    assert "cannot be read as a corpus" in found["corpus tales"].found
    assert "0 of 1 can be opened" in found["corpora"].found
    assert "aliases.jsonl is not as it was written" in found["aliases"].found


def test_a_damaged_model_and_a_lost_corpus_are_found(place, nextvec, monkeypatch):
    assert by_name(examine(place))["models"].found == "2 of 2 are whole"
    (place.model("ridge") / "model.safetensors").unlink()
    found = by_name(examine(place))
    assert "is missing" in found["model ridge"].found
    assert found["models"].found == "1 of 2 are whole"
    shutil.rmtree(place.corpus("tales"))
    assert "its corpus 'tales' is gone" in by_name(examine(place))["model mix"].found


def test_what_goes_while_it_is_looked_at_is_not_counted(place, monkeypatch):
    read = bundle.require_recorded_weights

    def goes(folder):
        shutil.rmtree(place.model("ridge"), ignore_errors=True)
        read(folder)

    monkeypatch.setattr(bundle, "require_recorded_weights", goes)
    monkeypatch.setattr(vectors, "corpus_names", lambda workspace: ["gone", "tales"])
    found = by_name(examine(place))
    assert (found["corpora"].state, found["models"].state) == ("ok", "ok")
    assert "1 of 1 can be opened" in found["corpora"].found
    assert found["models"].found == "1 of 1 are whole"
    assert not {"corpus gone", "model ridge"} & found.keys()


def test_a_model_of_what_nothing_here_registers_is_found(place):
    config = read_json(place.model("ridge") / "config.json")
    write_json(place.model("ridge") / "config.json", {**config, "spec": {**config["spec"], "name": "own"}})
    found = by_name(examine(place))
    assert "ridge was made with baseline 'own', which nothing here registers" in found["model ridge"].found
    assert (found["model ridge"].state, found["models"].found) == ("wrong", "1 of 2 are whole")


def test_what_killed_processes_left_is_named(place):
    for number in range(7):
        (place.model("ridge") / f".metrics.json.00000000000{number}").touch()
    finding = by_name(examine(place))["leftovers"]
    assert finding.found == "7 files or folders that killed processes had begun"
    assert finding.do.endswith(".metrics.json.000000000004, and 2 more that are named so")
    assert finding.state == "ok"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("", ["corpus", "list"]),
        ("", ["models", "list"]),
        ("corpora", ["corpus", "list"]),
        ("models", ["models", "list"]),
        ("models", ["models", "remove", "gru"]),
        ("studies", ["study", "status", "one"]),
        ("cache", ["doctor"]),
    ],
)
def test_a_file_in_place_of_a_folder_is_wrong(tmp_path, name, line, nextvec):
    path = tmp_path / "ws" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert by_name(examine(Workspace(tmp_path / "ws")))["workspace"].found == f"{path} is a file; expected a folder"
    told = nextvec(*line, workspace=tmp_path / "ws", expect=1 if line == ["doctor"] else 2)
    assert "is a file; expected a folder" in " ".join((told.out + told.err).split())
