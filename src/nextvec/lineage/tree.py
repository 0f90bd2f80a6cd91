"""The lineage of a model as a tree: the corpus with its documents and encoder, training, code, where it was fetched
from, what it was judged on, and what it is called. Every word of it is read from records; nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

from nextvec.adoption import origin_of
from nextvec.errors import NextvecError
from nextvec.evaluation.evaluation import Evaluation, read_evaluations
from nextvec.mirror import fetch
from nextvec.models.aliases import Aliases
from nextvec.models.bundle import read_config
from nextvec.records import read_json, read_lines
from nextvec.records.names import EVALUATIONS, METRICS, ORIGIN, PUSHED
from nextvec.store.generation import generation_label, run_in_words
from nextvec.store.vectors import Corpus
from nextvec.workspace import Workspace

WIDTH = 80
RECIPE = ("epochs", "lr", "batch", "seed")
"""Of the training's settings those that a tree shows; all of them are in the configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """`what` it is, in a word, `said` of it, and what that comes from or led to."""

    what: str
    said: str
    below: tuple[Node, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"what": self.what, "said": self.said, "below": [node.to_dict() for node in self.below]}

    def lines(self, width: int = WIDTH) -> list[str]:
        """As it is printed."""
        return _drawn(self, "", "", width)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def lineage_of(workspace: Workspace, identity: str) -> Node:
    """Raises NotFoundError without such a model, IntegrityError for damaged records."""
    folder = workspace.model(identity)
    config, metrics = read_config(folder), read_json(folder / METRICS)
    parts = [
        _fetched(folder),
        _corpus(workspace, config),
        _anchor(config, metrics),
        _training(config),
        _code(config),
        *_evaluations(folder),
        *_pushes(folder),
        *_aliases(workspace, identity),
    ]
    spec = config["spec"]
    said = f"{identity}: {spec['name']}, {spec['parameters']:,} parameters, weights {config['weights']}"
    return Node(what=str(config["kind"]), said=said, below=tuple(part for part in parts if part is not None))


def _fetched(folder: Path) -> Node | None:
    origin = origin_of(folder)
    return None if origin is None else _hub("from the hub", origin)


def _hub(what: str, record: Mapping[str, Any]) -> Node:
    return Node(
        what=what, said=f"{record.get('hub') or record.get('name')}, revision {record['revision']}, {record['at'][:10]}"
    )


def _corpus(workspace: Workspace, config: Mapping[str, Any]) -> Node | None:
    corpus = config.get("corpus")
    if not corpus:
        return None
    encoder, split = config.get("encoder") or {}, config.get("split") or {}
    below = [
        Node(what="documents", said=_documents(corpus), below=tuple(_sources(workspace, corpus))),
        Node(what="encoder", said=_encoder(config, encoder)),
        Node(what="split", said=_split(split)),
    ]
    if (origin := _origin_of_corpus(workspace, corpus["name"])) is not None:
        below.insert(0, _hub("from the hub", origin))
    said = f"{generation_label(corpus)}, version {corpus['version']}, fingerprint {corpus['fingerprint']}"
    return Node(what="generation", said=said, below=tuple(below))


def _documents(corpus: Mapping[str, Any]) -> str:
    trained, left_out = corpus.get("training documents"), corpus.get("training documents left out as near-duplicates")
    said = f"{corpus['documents']:,} in {corpus['chunks']:,} chunks" if "documents" in corpus else "not recorded"
    said += f", {trained:,} of them for training" if trained is not None else ""
    said += f", {left_out:,} left out as near-duplicates" if left_out else ""
    return f"{said}; licences: {', '.join(corpus.get('licences', [])) or 'not recorded'}"


def _sources(workspace: Workspace, corpus: Mapping[str, Any]) -> Iterator[Node]:
    """As the corpus says, as long as it is there and the same."""
    try:
        counts = Corpus.open(workspace, corpus["name"]).counts(corpus["tag"] or corpus["version"])
    except NextvecError:
        yield Node(what="sources", said="the corpus is gone")
        return
    for name, found in counts.sources.items():
        yield Node(what="source", said=f"{name}, {found['documents']:,} documents, {found['chunks']:,} chunks")
    if not counts.sources and counts.first_source is not None:
        more = f" and {counts.different_sources - 1:,} more" if counts.different_sources > 1 else ""
        yield Node(what="source", said=f"{counts.first_source}{more}")


def _encoder(config: Mapping[str, Any], encoder: Mapping[str, Any]) -> str:
    if not encoder:
        return "not recorded"
    revision = f", revision {encoder['revision']}" if encoder.get("revision") else ""
    return f"{encoder['name']} {encoder['dim']}-D, fingerprint {config.get('encoder_fingerprint')}{revision}"


def _split(split: Mapping[str, Any]) -> str:
    if not split:
        return "not recorded"
    test, validation = split["test"], split["validation"]
    return (
        f"test {test / 10:g} %, validation {(validation - test) / 10:g} %, salt '{split['salt']}', "
        f"fingerprint {split['fingerprint']}"
    )


def _anchor(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> Node | None:
    """What it starts at, and the bar on validation documents."""
    anchor, best = config["spec"]["anchor"], metrics.get("best_baseline")
    bar = f"; best baseline {best}, validation cosine {metrics['best_baseline_cosine']:.4f}" if best else ""
    return None if config["kind"] != "network" else Node(what="starts at", said=f"{anchor}{bar}")


def _training(config: Mapping[str, Any]) -> Node | None:
    recipe = config.get("training") or {}
    told = [f"{key} {recipe[key]}" for key in RECIPE if recipe.get(key) is not None]
    parent = recipe.get("predictor")
    below = (*((Node(what="predictions of", said=str(parent)),) if parent else ()), *_learnt_on(config))
    return Node(what="training", said=", ".join(told), below=below) if told else None


def _learnt_on(config: Mapping[str, Any]) -> Iterator[Node]:
    """Of an inverter that began with another one."""
    if before := config.get("start"):
        yield Node(what="learnt on from", said=run_in_words(before), below=tuple(_learnt_on(before)))


def _code(config: Mapping[str, Any]) -> Node | None:
    versions = config.get("versions") or {}
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    return Node(what="code", said=said) if versions else None


def _evaluations(folder: Path) -> list[Node]:
    """The newest on each test set."""
    path = folder / EVALUATIONS
    fetch(path)
    try:
        newest = {each.fingerprint: each for each in read_evaluations(path)}
    except NextvecError:
        return [Node(what="evaluations", said="cannot be read")]
    return [Node(what="evaluation", said=_evaluated(each)) for each in newest.values()]


def _evaluated(evaluation: Evaluation) -> str:
    found = evaluation.interval("cosine") if "cosine" in evaluation.columns else None
    figure = f", cosine {found.estimate:.4f} [{found.ends('.4f')}]" if found else ""
    leakage = f". {evaluation.leakage}" if evaluation.leakage else ""
    return (
        f"{evaluation.documents:,} documents of {evaluation.corpus}{figure}, test set {evaluation.fingerprint}{leakage}"
    )


def _pushes(folder: Path) -> list[Node]:
    fetch(folder / PUSHED)
    return [_hub("pushed to", line) for line in read_lines(folder / PUSHED)]


def _aliases(workspace: Workspace, identity: str) -> list[Node]:
    aliases = Aliases(workspace)
    last = {change.alias: change for change in aliases.history()}
    return [Node(what="alias", said=f"{name}, since {last[name].at[:10]}") for name in aliases.of(identity)]


def _origin_of_corpus(workspace: Workspace, name: str) -> dict[str, Any] | None:
    path = workspace.corpus(name).with_suffix(f".{ORIGIN}")
    fetch(path)
    origin: dict[str, Any] | None = read_json(path) if path.exists() else None
    return origin


def _drawn(node: Node, first: str, rest: str, width: int) -> list[str]:
    """`first` is before the node's own line, `rest` before those that follow it."""
    hanging = rest + ("│ " if node.below else "  ")
    lines = wrap(
        f"{node.what}  {node.said}", width, initial_indent=first, subsequent_indent=hanging,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return [*lines, *_below(node.below, rest, width)]


def _below(nodes: Sequence[Node], rest: str, width: int) -> Iterator[str]:
    for node in nodes:
        last = node is nodes[-1]
        yield from _drawn(node, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "), width)
