"""Defaults from a file: what is typed goes first, what nothing has is refused, and records say that there was one."""

from __future__ import annotations

import json

import pytest

from nextvec.applied import defaults_file
from nextvec.cli.defaults import config_first

TRAINING = """
[train]
allow-unordered = true
allow_leakage = true
epochs = 1
layers = 1
width = 16
seed = 3

[train.point]
loss = "mse"
"""


@pytest.fixture
def file(tmp_path):
    """`file(text)`: the path of a file that holds it."""

    def write(text):
        path = tmp_path / "my.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(autouse=True)
def forgotten():
    """What one command's file said is not said by the next one's records."""
    yield
    assert defaults_file() is None


def trained(nextvec, workspace, path, *given):
    line = ["--config", path, "train", "gru", "--corpus", "tales@first", "--name", "made", *given]
    nextvec(*line, workspace=workspace)
    return json.loads((workspace / "models" / "made" / "config.json").read_text())


@pytest.fixture
def own(workspace, tmp_path):
    import shutil

    shutil.copytree(workspace.root, tmp_path / "own")
    return tmp_path / "own"


def test_a_file_says_what_was_not_typed(nextvec, own, file):
    config = trained(nextvec, own, file(TRAINING), "--set", "width=24", "--seed", "5")
    assert (config["network"]["options"]["width"], config["network"]["options"]["layers"]) == (24, 1)
    assert (config["training"]["epochs"], config["training"]["seed"]) == (1, 5)
    assert config["network"]["head_options"]["point"]["loss"] == "mse"
    assert config["defaults"]["file"] == "my.toml"
    assert config["defaults"]["content"]["train"]["seed"] == 3


def test_comparisons_say_with_which_file(nextvec, own, file):
    nextvec("evaluate", "mix", "--config", file("[evaluate]\njson = true\n"), workspace=own)
    (record,) = (own / "studies").glob("evaluate-*/comparison.json")
    assert json.loads(record.read_text())["provenance"]["defaults"].startswith("my.toml, fingerprint ")


def test_what_stands_above_all_tables_is_for_every_command(nextvec, own, file, monkeypatch):
    path = file(f"workspace = '{own}'\njson = true\n")
    assert json.loads(nextvec("corpus", "list", "--config", path).out)[0]["name"] == "tales"
    monkeypatch.setenv("NEXTVEC_CONFIG", str(path))
    assert json.loads(nextvec("models", "show", "gru").out)["kind"] == "network"
    monkeypatch.setenv("NEXTVEC_CONFIG", "")
    assert nextvec("corpus", "list", workspace=own).out.lstrip().startswith("corpus")


def test_a_command_below_another_has_its_table(nextvec, own, file):
    path = file('[corpus.export]\nformat = "hf"\nlicence = "mit"\n')
    nextvec("corpus", "export", "tales", own / "out", "--config", path, workspace=own)
    assert 'license: "mit"' in (own / "out" / "README.md").read_text()


@pytest.mark.parametrize(
    ("text", "words", "status"),
    [
        ("[trian]\nseed = 1\n", "unknown command in .*my.toml 'trian'. Did you mean 'train'?", 2),
        ("[corpus.ingst]\n", "unknown command in .* 'corpus ingst'. Did you mean 'corpus ingest'?", 2),
        ("[verify]\njsn = true\n", "unknown option of 'verify' in .* 'jsn'. Did you mean 'json'?", 2),
        ("worksapce = 'x'\n", "unknown option of any command in .* 'worksapce'. Did you mean 'workspace'?", 2),
        ("train = 3\n", "unknown option of any command", 2),
        ("[corpus]\nlist = 3\n", r"'list' is a command: expected a table, \[list\]", 2),
        ("[train\n", "is not TOML", 1),
        ("[corpus.ingest]\nlimit = true\n", "limit = true: expected a value, as --limit takes one", 2),
        ("[corpus.ingest]\nencoder = false\n", "encoder = false: expected a value, as --encoder takes one", 2),
        (None, "there is no such file", 1),
    ],
)
def test_what_nothing_has_is_refused(text, words, status, nextvec, own, file, tmp_path):
    path = tmp_path / "none.toml" if text is None else file(text)
    assert __import__("re").search(words, nextvec("--config", path, "corpus", "list", workspace=own, expect=status).err)


def test_a_setting_that_no_architecture_has_is_told_as_if_it_was_typed(nextvec, own, file):
    line = ["--config", file("[train]\nepochz = 1\n"), "train", "gru", "--corpus", "tales@first", "--name", "x"]
    assert "Did you mean 'epochs'?" in nextvec(*line, "--allow-unordered", workspace=own, expect=2).err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("train gru --config f --seed 1", "--config f train gru --seed 1"),
        ("train --config=f gru", "--config=f train gru"),
        ("--config f train", "--config f train"),
        ("serve --config s.toml", "serve --config s.toml"),
        ("encode -- --config f", "encode -- --config f"),
        ("train gru", "train gru"),
        ("corpus list --config", "--config"),
        ("encode --config -- text", "--config"),
    ],
)
def test_it_may_be_typed_after_the_command(typed, meant):
    assert config_first(typed.split()) == meant.split()
