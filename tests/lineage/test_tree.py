"""The tree of a model says where it comes from and what became of it, from records alone."""

from __future__ import annotations

import json
import shutil

import pytest

import nextvec as api
from nextvec.lineage.tree import Node, lineage_of
from nextvec.models.bundle import read_config
from nextvec.records import write_json
from nextvec.workspace import Workspace


@pytest.fixture
def own(workspace, tmp_path):
    shutil.copytree(workspace.root, tmp_path / "own")
    return Workspace(tmp_path / "own")


def found(node, *path):
    """What is said at the end of a path of words."""
    for what in path:
        (node,) = [below for below in node.below if below.what == what]
    return node.said


def test_a_model_says_all_that_it_comes_from(own, nextvec):
    nextvec("evaluate", "gru", workspace=own.root)
    tree, config = api.open(own.root).model("production").lineage, read_config(own.model("gru"))
    assert tree.what == "network"
    assert tree.said.startswith("gru: gru, ")
    assert tree.said.endswith(f"weights {config['weights']}")
    assert found(tree, "generation").startswith("tales@first, version 2, fingerprint ")
    assert found(tree, "generation", "documents").startswith("40 in 640 chunks, ")
    assert "hashing 32-D, fingerprint" in found(tree, "generation", "encoder")
    assert config["split"]["fingerprint"] in found(tree, "generation", "split")
    assert "best baseline" in found(tree, "starts at")
    assert found(tree, "training").startswith("epochs ")
    assert found(tree, "code").startswith("nextvec ")
    assert "documents of tales@first, cosine 0." in found(tree, "evaluation")
    assert found(tree, "alias").startswith("production, since ")


def test_sources_and_the_hub_are_told_and_what_is_gone_is_too(own):
    write_json(own.model("mix") / "origin.json", {"hub": "ada/mix", "revision": "1a2b", "at": "2026-11-27T03:00:00"})
    origin = {"hub": "ada/tales", "revision": "3c4d", "at": "2026-11-26T03:00:00"}
    write_json(own.corpus("tales").with_suffix(".origin.json"), origin)
    tree = lineage_of(own, "mix")
    assert found(tree, "from the hub") == "ada/mix, revision 1a2b, 2026-11-27"
    assert found(tree, "generation", "from the hub") == "ada/tales, revision 3c4d, 2026-11-26"
    (documents,) = [node for node in tree.below[1].below if node.what == "documents"]
    assert [node.what for node in documents.below] == ["source"]
    shutil.rmtree(own.corpus("tales"))
    assert found(lineage_of(own, "mix"), "generation", "documents", "sources") == "the corpus is gone"


def test_it_is_drawn_on_80_columns(own, nextvec):
    out = nextvec("models", "show", "gru", workspace=own.root).out
    tree = out[out.index("network  gru") :].splitlines()
    assert all(len(line) <= 80 for line in tree)
    assert tree == lineage_of(own, "gru").lines()
    shown = json.loads(nextvec("models", "show", "gru", "--json", workspace=own.root).out)
    assert shown["lineage"] == lineage_of(own, "gru").to_dict()


def test_branches_join():
    leaf = Node(what="leaf", said="one two three four five")
    tree = Node(what="root", said="said", below=(Node(what="a", said="b", below=(leaf,)), leaf))
    assert tree.lines(16) == [
        "root  said",
        "├─ a  b",
        "│  └─ leaf  one",
        "│       two",
        "│       three",
        "│       four",
        "│       five",
        "└─ leaf  one two",
        "     three four",
        "     five",
    ]
