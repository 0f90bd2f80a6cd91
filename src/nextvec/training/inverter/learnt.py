"""An inverter that learns on: the corpus has grown, or there is more time. Its sizes, tokens and weights are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nextvec.decoding.inverter.bundle import Inverter
from nextvec.decoding.inverter.network import InverterNetwork
from nextvec.encoders.encoder import require_same_encoder
from nextvec.errors import MismatchError, NotFoundError, UsageError
from nextvec.sequences.findings import ALLOWED, LeakageError, require_no_leakage
from nextvec.sequences.leakage import Documents, Pair, check_pairs, part_pairs
from nextvec.sequences.splits import split_snapshot
from nextvec.store.generation import generation_label, trained_generation

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot
    from nextvec.workspace import Workspace

PREFIX = "inverter:"
DECIDES = ("byte_pairs", "bag_of_words", "pretrained_embedding")
"""What a recipe says of tokens and of where a network begins."""


def named_inverter(start: str | None) -> str | None:
    """The inverter that a recipe's `start` names, None for a language model. Raises UsageError for no name."""
    if start is None or not start.startswith(PREFIX):
        return None
    name = start.removeprefix(PREFIX)
    if not name or "?" in name:
        raise UsageError(
            f"start = '{start}': expected inverter:NAME, an inverter of the workspace, and nothing behind it"
        )
    return name


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a run begins with."""

    inverter: Inverter

    @property
    def weights(self) -> str:
        return self.inverter.weights

    @property
    def sizes(self) -> dict[str, Any]:
        sizes = self.inverter.network.config.to_dict()
        return {key: value for key, value in sizes.items() if key not in ("dim", "vocabulary", "bag_of_words")}

    @property
    def decided(self) -> dict[str, Any]:
        """The part of its recipe that holds for what it becomes; of one from before there were bags, none."""
        training = {"bag_of_words": False, **self.inverter.config["training"]}
        return {key: training[key] for key in DECIDES if key in training}

    @property
    def record(self) -> dict[str, Any]:
        """Where it came from itself, one before the other."""
        config = self.inverter.config
        kept = ("weights", "corpus", "split", "training", "start")
        return {
            "inverter": self.inverter.identity,
            **{key: config[key] for key in kept if key in config},
            "metrics": self.inverter.metrics,
        }

    def network(self) -> InverterNetwork:
        """To be trained."""
        return self.inverter.network.requires_grad_(True)

    def require_fit(self, snapshot: Snapshot) -> None:
        """Raises MismatchError where it reads the vectors of another encoder."""
        owner = f"{PREFIX}{self.inverter.identity}"
        require_same_encoder(snapshot.encoder, self.inverter.encoder, left_name=snapshot.label, right_name=owner)


def leakage_of(inverter: Inverter, snapshot: Snapshot, workspace: Workspace, *, allow: bool) -> str:
    """A warning where an inverter, or what it began with, has learnt from what is held out of `snapshot`; "" elsewhere.

    Raises LeakageError that names documents and counts, unless `allow`, and where the corpus of one of its runs is
    gone, so that nobody can tell.
    """
    where = f"{PREFIX}{inverter.identity} learns on from {snapshot.label}"
    try:
        pairs = [pair for config in _runs(inverter.config) for pair in _pairs(workspace, config, snapshot)]
    except (NotFoundError, MismatchError) as error:
        told = f"whether it has seen what is held out cannot be told: {error}"
        if not allow:
            raise LeakageError(
                f"{where}: {told}. Begin anew (leave start out), or go on all the same with --allow-leakage"
            ) from None
        return f"{ALLOWED} {told}"
    report = check_pairs(pairs, cache=workspace.cache)
    if not allow:
        require_no_leakage(report, where)
    return report.warning


def _runs(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The run that made it, and those before."""
    yield config
    if before := config.get("start"):
        yield from _runs(before)


def _pairs(workspace: Workspace, config: Mapping[str, Any], snapshot: Snapshot) -> Iterator[Pair]:
    """What a run has seen against what is held out; nothing for one on the same version, whose split is the same."""
    split = split_snapshot(snapshot)
    if (config["corpus"]["fingerprint"], config["split"]["fingerprint"]) == (snapshot.fingerprint, split.fingerprint):
        return
    seen = trained_generation(workspace, config)
    role = f"training of {generation_label(config['corpus'])}"
    trained = Documents(role=role, snapshot=seen, chosen=split_snapshot(seen).train, trained=True)
    for _, held_out in part_pairs(snapshot, split.parts)[:2]:
        yield trained, held_out
