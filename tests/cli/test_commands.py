"""The command line as a user sees it: its surface, its exit statuses, its errors, its manners."""

from __future__ import annotations

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main

from nextvec.cli.main import app
from nextvec.models.bundle import read_config
from nextvec.workspace import Workspace

NEW_CORPUS = "--salt --test --validation --dtype --workspace --json"
SURFACE = {
    "": "--config --version --install-completion --show-completion",
    "demo": "--workspace",
    "doctor": "--workspace --json",
    "corpus": "",
    "corpus ingest": "SOURCE --corpus --encoder --chunker --set --limit --tolerate --salt --test --validation --dtype "
    "--ray --workers --workspace --json",
    "corpus list": "--workspace --json",
    "corpus info": "REFERENCE --measure --workspace --json",
    "corpus show": "REFERENCE DOCUMENT --workspace --json",
    "corpus search": "REFERENCE TEXT --count --workspace --json",
    "corpus tag": "REFERENCE TAG --workspace --json",
    "corpus compact": "NAME --keep-versions --workspace --json",
    "corpus rename": "NAME NEW --force --workspace --json",
    "corpus remove": "NAME --yes --force --workspace --json",
    "corpus check": "REFERENCE --workspace --json",
    "corpus chunkers": "SOURCE --chunkers --encoder --limit --workspace --json",
    "corpus export": "REFERENCE OUT --format --context --replace --licence --workspace --json",
    "corpus push": "REFERENCE NAME --licence --public --workspace --json",
    "corpus import": f"SOURCE --corpus --encoder {NEW_CORPUS}",
    "models": "",
    "models list": "--archived --workspace --json",
    "models show": "WHAT --dim --workspace --json",
    "models rename": "MODEL NAME --force --workspace --json",
    "models remove": "MODEL --yes --force --workspace --json",
    "models archive": "MODEL --force --workspace --json",
    "models restore": "MODEL --workspace --json",
    "train": "ARCHITECTURE --corpus --name --seed --set --resume --allow-unordered --allow-leakage --ray --workers "
    "--track --workspace --json",
    "train-inverter": "--corpus --name --seed --set --resume --allow-leakage --report --track --workspace --json",
    "evaluate": "MODELS --on --allow-leakage --workspace --json",
    "compare": "MODELS --on --reference --report --allow-leakage --track --workspace --json",
    "verify": "MODELS --workspace --json",
    "study": "",
    "study run": "PATH --allow-unordered --allow-leakage --ray --workers --track --workspace --json",
    "study status": "STUDY --workspace --json",
    "study report": "STUDY --allow-leakage --workspace --json",
    "study update": "STUDY --corpus --name --allow-unordered --allow-leakage --ray --workers --track --workspace "
    "--json",
    "study watch": "STUDY --workspace",
    "push": "MODEL NAME --licence --public --workspace --json",
    "promote": "MODEL --as --set --force --reason --workspace --json",
    "aliases": "ALIAS --drop --workspace --json",
    "rollback": "ALIAS --workspace --json",
    "complete": "TEXT --model --sentences --decoder --feedback --fill --snap --steps --temperature --n --seed --set "
    "--workspace --json",
    "rank": "--candidates TEXT --context --model --among --top --workspace --json",
    "encode": "--out TEXTS --encoder --breaks --json",
    "predict": "VECTORS --out --model --breaks --workspace --json",
    "decode": "VECTORS CORPUS --decoder --set --steps --workspace --json",
    "serve": "--config --host --port --workers --device --ray --replicas --workspace",
}
"""Every command with its arguments (in capitals) and options, in the order of its help. People's scripts hold them."""

TINY = ["--set", "layers=1", "--set", "width=16", "--set", "epochs=2"]
TINY_INVERTER = [part for pair in ("width=16", "heads=2", "layers=1", "epochs=1") for part in ("--set", pair)]
NO_GATES = [
    part
    for gate in (
        "validation_cosine",
        "out_of_domain_skill",
        "out_of_domain_cosine_centred",
        "skill",
        "latency_ms",
    )
    for part in ("--set", f"{gate}=off")
]
PLAN = """
name = "one"
architectures = ["gru"]
corpora = ["tales@first"]
set = { layers = 1, width = 16, epochs = 2 }
"""
NO_SPINNER = re.compile(r"[\x1b\r]")
pytestmark = pytest.mark.usefixtures("quick_latency")


@pytest.fixture(scope="module")
def place(nextvec, write_prose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with corpus `tales` (tag `first`), corpus `small`, corpus `shuffled`, and models of the first two.

    Of the text from which it was made one document is not in it yet.
    """
    folder = tmp_path_factory.mktemp("commands")
    text, workspace = write_prose(folder / "text"), folder / "ws"
    shuffle(text, folder / "shuffled")
    split = ["--test", 200, "--validation", 400]
    for source, name, dim in (("text", "tales", 32), ("text", "small", 16), ("shuffled", "shuffled", 32)):
        line = ["corpus", "ingest", folder / source, "--corpus", name, "--encoder", f"hashing:{dim}", *split]
        nextvec(*line, workspace=workspace)
    nextvec("corpus", "tag", "tales", "first", workspace=workspace)
    nextvec("train", "gru", "--corpus", "tales@first", *TINY, workspace=workspace)
    (folder / "plan.toml").write_text(PLAN)
    (folder / "sentences.ndjson").write_text('{"text": "The of was in."}\n{"text": "In was of the."}\n')
    nextvec("train", "ewma-mix", "--corpus", "small", workspace=workspace)
    for model in ("ewma-mix-small", "gru-tales-first"):
        nextvec("promote", model, "--as", "back", *NO_GATES, workspace=workspace)
    nextvec("encode", "One text.", "Another.", "--out", folder / "in.npy", "--encoder", "hashing:32")
    (new,) = write_prose(folder / "new", documents=1, seed=1).iterdir()
    new.rename(text / "story-new.txt")
    return workspace


def shuffle(source: Path, target: Path) -> None:
    """Every sentence of the documents, dealt out anew."""
    chance, files = np.random.default_rng(0), sorted(source.glob("*.txt"))
    sentences = [line for path in files for line in re.findall(r"[^.]+\.", path.read_text())]
    dealt = np.array_split(chance.permutation(sentences), len(files))
    target.mkdir()
    for path, lines in zip(files, dealt, strict=True):
        (target / path.name).write_text(" ".join(line.strip() for line in lines))


@pytest.fixture
def call(nextvec, place: Path):
    def call(*arguments: Any, expect: int | None = 0):
        return nextvec(*arguments, workspace=place, expect=expect)

    return call


def surface() -> dict[str, str]:
    found: dict[str, str] = {}

    def walk(command: Any, path: str) -> None:
        found[path] = " ".join(shown(parameter) for parameter in command.params if parameter.name != "help")
        for name, below in getattr(command, "commands", {}).items():
            walk(below, f"{path} {name}".strip())

    walk(typer.main.get_command(app), "")
    return found


def shown(parameter: Any) -> str:
    """The long option as it is typed, or the argument's name in capitals."""
    return parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.name.upper()


def test_the_surface_is_frozen() -> None:
    assert surface() == SURFACE


@pytest.mark.parametrize("path", SURFACE)
def test_every_help_fits_80_columns(nextvec, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = nextvec(*path.split(), "--help")
    assert "Usage: nextvec" in result.out
    assert max(map(len, result.out.splitlines())) <= 80
    for line, after in pairwise(result.out.splitlines()):
        if line[1:].strip() and after[1:].strip() and line[1].isalpha() and after[1].isalpha():
            assert len(f"{line.rstrip()} {after.split()[0]}") > 79, "a line of help ends where it does in the source"


JSON = {
    "doctor": [],
    "corpus show": ["tales", "story-003.txt"],
    "corpus search": ["tales", "The of was in."],
    "corpus list": [],
    "corpus info": ["tales@first"],
    "corpus check": ["tales"],
    "corpus chunkers": ["TEXT", "--chunkers", "sentence", "--encoder", "hashing:32"],
    "corpus export": ["tales", "OUT.npz"],
    "corpus import": ["OUT.npz", "--corpus", "back", "--encoder", "hashing:32"],
    "corpus ingest": ["TEXT", "--corpus", "tales", "--encoder", "hashing:32"],
    "corpus tag": ["tales", "as-json"],
    "corpus compact": ["tales"],
    "models list": [],
    "models show": ["gru-tales-first"],
    "train": ["copy-last", "--corpus", "tales", "--name", "as-json"],
    "train-inverter": ["--corpus", "tales", "--report", "8", *TINY_INVERTER],
    "evaluate": ["gru-tales-first"],
    "compare": ["gru-tales-first", "--report", "REPORT.html"],
    "verify": ["gru-tales-first"],
    "study run": ["plan.toml"],
    "study status": ["one"],
    "study report": ["one"],
    "study update": ["one", "--corpus", "tales@as-json"],
    "promote": ["gru-tales-first", "--as", "json", *NO_GATES],
    "aliases": [],
    "rollback": ["back"],
    "complete": ["The of was in.", "--model", "gru-tales-first"],
    "rank": ["The of was in.", "--candidates", "sentences.ndjson", "--model", "gru-tales-first"],
    "encode": ["Some text.", "--encoder", "hashing:32", "--out", "VECTORS.npy"],
    "predict": ["in.npy", "--model", "gru-tales-first", "--out", "PREDICTED.npy"],
    "decode": ["in.npy", "tales"],
    "models rename": ["as-json", "renamed"],
    "models archive": ["renamed"],
    "models restore": ["renamed"],
    "models remove": ["renamed", "--yes"],
    "corpus rename": ["back", "again"],
    "corpus remove": ["again", "--yes"],
}
KEYS = {
    "doctor": "found",
    "corpus show": "begins_paragraph",
    "corpus search": "similarity",
    "corpus list": "name",
    "corpus info": "documents",
    "corpus check": "passed",
    "corpus chunkers": "chunks",
    "corpus export": "windows",
    "corpus import": "stored",
    "corpus ingest": "already",
    "corpus tag": "version",
    "corpus compact": "versions_removed",
    "models list": "backbones",
    "models show": "spec",
    "train": "validation_cosine",
    "train-inverter": "inversion",
    "evaluate": "figures",
    "compare": "contrasts",
    "verify": "passed",
    "study run": "answers",
    "study status": "runs",
    "study report": "answers",
    "study update": "answers",
    "promote": "gates",
    "aliases": "replaced",
    "rollback": "replaced",
    "complete": "sentences",
    "rank": "candidates",
    "encode": "shape",
    "predict": "shape",
    "decode": "text",
    "models rename": "before",
    "models archive": "folder",
    "models restore": "model",
    "models remove": "bytes",
    "corpus rename": "before",
    "corpus remove": "documents",
}


TESTED_WITH_A_HUB = {"push", "corpus push"}
"""In tests/sharing."""


def filled(arguments: list[str], place: Path) -> list[str]:
    """File names become paths beside the workspace."""
    files = re.compile(r"\w+\.(npz|npy|html|toml|ndjson)")
    return [str(place.parent / part) if files.fullmatch(part) else part for part in arguments]


def test_every_command_that_has_json_is_tested() -> None:
    known = {path for path, options in SURFACE.items() if "--json" in options}
    assert known - TESTED_WITH_A_HUB == set(JSON) == set(KEYS)


@pytest.mark.parametrize("path", JSON)
def test_json_is_all_that_is_printed(nextvec, place: Path, path: str) -> None:
    arguments = [part.replace("TEXT", str(place.parent / "text")) for part in filled(JSON[path], place)]
    workspace = None if path == "encode" else place
    value = json.loads(nextvec(*path.split(), *arguments, "--json", workspace=workspace).out)
    assert KEYS[path] in (value[0] if isinstance(value, list) else value)


PLAIN = [
    ["doctor"], ["corpus", "show", "tales", "story-003.txt"], ["corpus", "search", "tales", "The of was in."],
    ["corpus", "list"], ["corpus", "info", "tales"],
    ["corpus", "info", "tales@first", "--measure"], ["corpus", "check", "tales"], ["models", "list"],
    ["models", "show", "gru"], ["models", "show", "ridge-mix"], ["evaluate", "gru-tales-first"],
    ["compare", "gru-tales-first"], ["verify", "gru-tales-first"], ["study", "run", "plan.toml"],
    ["study", "status", "one"], ["study", "report", "one"], ["aliases"], ["aliases", "back"],
    ["complete", "The of was in. In was of the.", "--model", "gru-tales-first"], ["decode", "in.npy", "tales"],
    ["rank", "The of was in.", "--candidates", "sentences.ndjson", "--model", "gru-tales-first"],
    ["train", "gru", "--corpus", "tales", "--name", "plain", *TINY],
]  # fmt: skip


@pytest.mark.parametrize("arguments", PLAIN, ids=lambda arguments: " ".join(arguments[:2]))
def test_without_a_terminal_lines_are_plain_and_fit_80_columns(call, place: Path, arguments: list[str]) -> None:
    result = call(*filled(arguments, place))
    assert not NO_SPINNER.search(result.out + result.err)
    too_wide = [line for line in (result.out + result.err).splitlines() if len(line) > 80 and "/" not in line]
    assert not too_wide


def test_a_training_of_seconds_says_what_came_out_and_nothing_before(call) -> None:
    trained = call("train", "gru", "--corpus", "tales", "--name", "epochs", *TINY)
    assert (trained.err, trained.out.partition(":")[0]) == ("", "epochs")


@pytest.mark.parametrize("key", ["loss", "point.loss"])
def test_the_loss_is_an_option_of_the_point_head(call, key: str) -> None:
    name = key.replace(".", "-")
    call("train", "gru", "--corpus", "tales", "--name", name, *TINY, "--set", f"{key}=mse")
    config = json.loads(call("models", "show", name, "--json").out)
    assert config["network"]["head_options"] == {"point": {"loss": "mse", "rho": None}}
    assert "| head point | loss mse |" in call("models", "show", name).out


def test_an_architecture_shows_the_options_of_its_head(call) -> None:
    lines = call("models", "show", "gru").out.splitlines()
    assert {"  predicts = point", "  loss = cosine", "  structure = False", "  context = unlimited"} <= set(lines)


def test_what_is_damaged_is_told_and_hides_nothing_else(nextvec, place: Path, tmp_path: Path) -> None:
    shutil.copytree(place, tmp_path / "ws")
    (tmp_path / "ws" / "models" / "ewma-mix-small" / "config.json").write_text("{}")
    for manifest in (tmp_path / "ws" / "corpora" / "small.lance").glob("_versions/*.manifest"):
        manifest.write_bytes(b"")
    listed = nextvec("models", "list", workspace=tmp_path / "ws", expect=1)
    assert "gru-tales-first" in listed.out
    assert "ewma-mix-small/config.json has format None" in " ".join(listed.err.split())
    listed = nextvec("corpus", "list", workspace=tmp_path / "ws", expect=1)
    assert "tales" in listed.out
    assert "small.lance cannot be read as a corpus" in " ".join(listed.err.split())


def test_a_long_name_is_not_cut(call) -> None:
    name = "a-name-that-is-longer-than-any-table-would-like-it-to-be"
    call("train", "copy-last", "--corpus", "tales", "--name", name)
    columns = [line.split("  ")[0].strip() for line in call("models", "list").out.splitlines()]
    assert name in "".join(columns)


TRAIN = ["train", "gru", "--corpus"]
ERRORS = [
    (["train", "grue", "--corpus", "tales"], 2, "unknown architecture 'grue'. Did you mean 'gru'?"),
    ([*TRAIN, "tale"], 1, "no corpus 'tale' in"),
    ([*TRAIN, "tales@second"], 1, "corpus 'tales' has no tag 'second'. Known: "),
    ([*TRAIN, "tales@"], 2, "'' cannot name a tag"),
    ([*TRAIN, "tales", "--set", "layer=2"], 2, "unknown option of gru 'layer'. Did you mean 'layers'?"),
    ([*TRAIN, "tales", "--set", "layers"], 2, "expected key=value"),
    ([*TRAIN, "tales", "--set", "layers=two"], 2, "gru: layers = 'two'"),
    ([*TRAIN, "tales", "--set", "epochs=0"], 2, "gru: epochs = '0'"),
    ([*TRAIN, "tales", "--set", "lr=inf"], 2, "gru: lr = 'inf': Input should be a finite number"),
    ([*TRAIN, "tales", "--name", "new", "--seed", str(2**63)], 2, "gru: seed = 9223372036854775808"),
    ([*TRAIN, "tales", "--name", "new", "--set", "width=1000000000"], 1, "there is not enough memory: "),
    (["models", "show", "gru", "--dim", str(10**11)], 1, "there is not enough memory: "),
    (["corpus", "ingest", "pydocs:", "--corpus", "new", "--encoder", f"hashing:{10**11}"], 2, "must be 2 to 65,536"),
    ([*TRAIN, "tales", "--set", "lr=1", "--set", "lr=2"], 2, "--set lr is given twice"),
    ([*TRAIN, "tales", "--set", "loss=cosin"], 2, "unknown loss 'cosin'. Did you mean 'cosine'?"),
    ([*TRAIN, "tales", "--set", "point=mse"], 2, "point = 'mse': expected options of the head"),
    ([*TRAIN, "tales", "--set", "point.loss=mse", "--set", "loss=mse"], 2, "one option, given twice"),
    ([*TRAIN, "tales", "--set", "predicts=piont"], 2, "unknown head 'piont'. Did you mean 'point'?"),
    ([*TRAIN, "tales", "--set", "anchor=mean-mix"], 2, "anchor = 'mean-mix'"),
    (["train", "ewma", "--corpus", "tales", "--set", "epochs=3"], 2, "has no option 'epochs'"),
    ([*TRAIN, "tales@first"], 2, "gru-tales-first exists. Choose another --name, or continue it with --resume"),
    ([*TRAIN, "tales", "--name", "a/b"], 2, "'a/b' cannot name a model"),
    ([*TRAIN, "tales", "--name", "new", "--resume"], 1, "new was never begun"),
    ([*TRAIN, "shuffled"], 1, "shuffled is not sequential text"),
    (["evaluate", "nobody"], 1, "no finished model at"),
    (["compare", "gru-tales-first", "gru-tales-first"], 2, "named twice"),
    (["compare", "gru-tales-first", "ewma-mix-small"], 1, "hashing 32-D"),
    (["compare", "gru-tales-first", "--on", "small"], 1, "hashing"),
    (["compare", "gru-tales-first", "--reference", "nobody"], 2, "nobody"),
    (["verify", "nobody"], 1, "no finished model at"),
    (["complete", "", "--model", "gru-tales-first"], 2, "give a few sentences"),
    (["study", "run", "nothing.toml"], 1, "there is no plan"),
    (["study", "status", "on"], 1, "there is no study 'on'"),
    (["study", "report", "two"], 1, "there is no study 'two'"),
    (["study", "update", "two", "--corpus", "tales@next"], 1, "there is no study 'two'"),
    (["study", "watch", "two"], 1, "there is no study 'two'"),
    (["promote", "nobody", "--as", "production"], 1, "no finished model at"),
    (["promote", "gru-tales-first", "--as", "ewma-mix-small", *NO_GATES], 2, "is the id of a model"),
    (["promote", "gru-tales-first", "--as", "production", "--force"], 2, "--force and --reason 'TEXT' go together"),
    (["promote", "gru-tales-first", "--as", "production", "--set", "skil=1"], 2, "Did you mean 'skill'?"),
    (["promote", "gru-tales-first", "--as", "production", "--set", "skill=nan"], 2, "gates: skill = 'nan'"),
    (["aliases", "bakc"], 1, "there is no alias 'bakc'. Did you mean 'back'?"),
    (["aliases", "bakc", "--drop"], 1, "there is no alias 'bakc'. Did you mean 'back'?"),
    (["aliases", "--drop"], 2, "--drop which alias? Name it: nextvec aliases ALIAS --drop"),
    (["rollback", "production"], 1, "there is no alias 'production'"),
    (["train", "ewma", "--corpus", "tales", "--name", "back"], 2, "'back' is an alias of"),
    (["models", "show", "grue"], 2, "unknown architecture or model 'grue'"),
    (["corpus", "info", "tale"], 1, "no corpus 'tale'"),
    (["train", "gru", "--corpus", "tales", "--name", ""], 2, "'' cannot name a model"),
    (["train-inverter", "--corpus", "tales", "--name", ""], 2, "'' cannot name a model"),
    (["corpus", "ingest", "", "--corpus", "new"], 1, "no file or folder is named"),
    (["corpus", "ingest", "nowhere.txt", "--corpus", "new"], 1, "no file or folder 'nowhere.txt'"),
    (["corpus", "ingest", "pydocs:", "--corpus", "new", "--chunker", "sentense"], 2, "Did you mean 'sentence'?"),
    (["corpus", "ingest", "pydocs:", "--corpus", "new", "--encoder", "hashin"], 2, "Did you mean 'hashing'?"),
    (["corpus", "import", "nothing.npz", "--corpus", "new", "--encoder", "hashing:32"], 1, "no such file"),
    (["decode", "nothing.npy", "tales"], 1, "there is no file"),
    (["predict", "in.npy", "--model", "ewma-mix-small", "--out", "x.npy"], 1, "32"),
]


@pytest.mark.parametrize(("arguments", "status", "message"), ERRORS, ids=lambda value: str(value)[:60])
def test_an_error_is_one_line_with_its_exit_status(
    call, place: Path, arguments: list[str], status: int, message: str
) -> None:
    before = sorted(place.rglob("*"))
    result = call(*filled(arguments, place), expect=status)
    last = result.err.splitlines()[-1]
    assert last.startswith("nextvec: ")
    assert message in last
    assert "Traceback" not in result.err
    assert result.out == ""
    left = {path for path in set(place.rglob("*")) - set(before) if "cache" not in path.parts}
    assert not left, "a refused call leaves something behind"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["trian"], "trian"),
        (["train"], "--corpus"),
        (["train", "gru"], "--corpus"),
        (["train", "gru", "--corpus", "tales", "--epoch", "3"], "--epoch"),
        (["train", "gru", "--corpus", "tales", "--seed", "-1"], "--seed"),
        (["corpus", "export", "tales", "x.npz", "--context", "no"], "--context"),
    ],
    ids=lambda value: str(value),
)
def test_a_wrong_call_names_what_is_wrong(nextvec, arguments: list[str], named: str) -> None:
    result = nextvec(*arguments, expect=2)
    assert named in result.err
    assert result.out == ""


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "alias"], ["compare", "alias", "--report", "REPORT.html"], ["verify", "alias"],
        ["models", "show", "alias"], ["predict", "in.npy", "--model", "alias", "--out", "ALIASED.npy"],
    ],
    ids=lambda command: command[0],
)  # fmt: skip
def test_an_alias_is_taken_wherever_a_model_is(call, place: Path, command: list[str]) -> None:
    if "alias" not in json.loads(call("models", "list", "--json").out)["aliases"]:
        call("promote", "gru-tales-first", "--as", "alias", *NO_GATES)
    assert call(*filled(command, place)).status == 0


def test_gates_that_are_not_passed_stop_a_promotion_and_say_what_to_run(call) -> None:
    refused = call("promote", "ewma-mix-small", "--as", "production", expect=1)
    assert "out_of_domain_skill: never recorded: nextvec evaluate ewma-mix-small --on" in refused.out
    assert max(map(len, refused.out.splitlines())) <= 80
    assert refused.err.startswith("nextvec: ewma-mix-small is not promoted to production: it does not pass")
    gates = json.loads(call("promote", "ewma-mix-small", "--as", "production", "--json", expect=1).out)["gates"]
    assert {gate["gate"]: gate["passed"] for gate in gates}["latency_ms"] is False
    forced = call("promote", "ewma-mix-small", "--as", "forced", "--force", "--reason", "a demonstration").out
    assert "(forced: a demonstration)" in " ".join(forced.split())


def test_a_study_with_a_failed_run_ends_in_one_line_and_status_1(call, place: Path) -> None:
    plan = place.parent / "failing.toml"
    plan.write_text('architectures = ["gru"]\ncorpora = ["tales@first"]\n[set]\nepochs = 1\nwidth = 8\nlr = 1e30\n')
    result = call("study", "run", plan, expect=1)
    assert result.err.splitlines()[-1].startswith("nextvec: 1 of 1 runs failed; gru-tales-first-")
    assert "failed" in call("study", "status", "failing").out


def test_ctrl_c_in_a_study_repeats_the_call(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nextvec.studies.runner.run_study", interrupted)
    plan = place.parent / "plan.toml"
    error = call("study", "run", plan, "--allow-unordered", expect=130).err
    assert f"Stopped. Go on with: nextvec study run {plan} --allow-unordered --workspace {place}\n" == error


def test_comparing_encoders_names_both(call) -> None:
    error = call("compare", "gru-tales-first", "ewma-mix-small", expect=1).err
    for name in ("gru-tales-first", "ewma-mix-small", "hashing 32-D", "hashing 16-D"):
        assert name in error


def test_an_unordered_corpus_trains_only_when_told_to(call) -> None:
    assert call("corpus", "check", "shuffled", expect=1).out.startswith("coherence of shuffled")
    refused = call("train", "copy-last", "--corpus", "shuffled", expect=1).err
    assert "nextvec corpus check shuffled; to train all the same, add --allow-unordered" in refused
    call("train", "copy-last", "--corpus", "shuffled", "--allow-unordered")


def test_what_the_machine_refuses_is_one_line(nextvec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "x.npy"
    error = nextvec("encode", "Hi.", "--encoder", "hashing:32", "--out", out, expect=1).err
    assert (
        error
        == f"nextvec: {out.parent} is no folder, so that no file can be in it. Give the path of a file in a folder\n"
    )
    monkeypatch.setattr("nextvec.cli.doctor.emit", _opens_a_folder)
    error = nextvec("doctor", "--json", "--workspace", tmp_path, expect=1).err
    assert error == "nextvec: / is a folder; expected a file. Give the path of a file\n"


def _opens_a_folder(*_: object) -> None:
    Path("/").read_bytes()


def test_ctrl_c_says_how_to_go_on(call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nextvec.comparing.contest.run_contest", interrupted)
    assert call("evaluate", "gru-tales-first", expect=130).err == "Stopped. Run the same command again to go on.\n"


def test_without_an_architecture_the_recommended_model_is_trained(call, place: Path) -> None:
    small = ["--set", "epochs=1", "--set", "width=8"]
    assert call("train", "--corpus", "tales", *small).out.startswith("recommended-tales: validation cosine")
    config = read_config(Workspace(place).model("recommended-tales"))
    assert config["network"]["heads"] == ["rank", "point", "mixture"]


@pytest.mark.parametrize(("stopped_in", "resume"), [("TrainingData", ""), ("measure_reference", " --resume")])
def test_ctrl_c_in_training_repeats_the_whole_call_and_resumes_what_was_begun(
    call, monkeypatch: pytest.MonkeyPatch, stopped_in: str, resume: str
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"nextvec.training.run.{stopped_in}", interrupted)
    line = ["train", "gru", "--corpus", "tales", "--name", f"in-{stopped_in}", "--seed", 3, "--set", "layers=1"]
    error = call(*line, expect=130).err
    assert f"nextvec train gru --corpus tales --name in-{stopped_in}{resume} --seed 3 --set layers=1" in error
    told = " ".join(call("models", "list").out.split()).partition("(go on: the same command and --resume):")[2]
    assert (f"in-{stopped_in}" in told) == bool(resume)
    assert (f"in-{stopped_in}" in json.loads(call("models", "list", "--json").out)["unfinished"]) == bool(resume)


def test_nothing_is_written_outside_the_workspace(
    nextvec, write_prose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, here = write_prose(tmp_path / "text", documents=12), tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NEXTVEC_WORKSPACE", raising=False)
    nextvec("corpus", "ingest", text, "--corpus", "c", "--encoder", "hashing:32", "--test", 300, "--validation", 600)
    nextvec("train", "ewma", "--corpus", "c", "--allow-unordered")
    nextvec("compare", "ewma-c")
    assert [path.name for path in here.iterdir()] == ["nextvec-workspace"]
    assert {path.name for path in tmp_path.iterdir()} == {"text", "here"}


def test_the_workspace_of_the_environment_is_used(nextvec, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTVEC_WORKSPACE", str(place))
    assert "tales" in nextvec("corpus", "list").out


@pytest.mark.parametrize("text", ["- Bring a coat.", "-x marks the spot", "-- No, he said.", "--no such"])
@pytest.mark.parametrize("command", [["complete"], ["rank"], ["encode"], ["corpus", "search", "tales"]])
def test_a_text_that_begins_with_a_dash_says_how_it_is_given(call, command: list[str], text: str) -> None:
    error = call(*command, text, expect=2).err
    assert error.startswith(f"nextvec: '{text}' begins with a dash, as options do. Put -- before it, and all options")


def test_a_text_after_two_dashes_is_taken_as_it_is(nextvec, tmp_path: Path) -> None:
    nextvec("encode", "--encoder", "hashing:8", "--out", tmp_path / "x.npy", "--", "- Bring a coat.", "--no such")
    assert np.load(tmp_path / "x.npy").shape == (2, 8)
