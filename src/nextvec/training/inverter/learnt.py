"""An inverter that learns on: the corpus has grown, or there is more time. Its sizes, tokens and weights are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nextvec.decoding.inverter.bundle import Inverter
from nextvec.decoding.inverter.network import InverterNetwork
from nextvec.encoders.encoder import require_same_encoder
from nextvec.errors import MismatchError

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot

DECIDES = ("byte_pairs", "bag_of_words", "pretrained_embedding")
"""What a recipe says of tokens and of where a network begins."""


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
        kept = ("weights", "corpus", "training", "start", "metrics")
        return {
            "inverter": self.inverter.identity,
            **{key: config[key] for key in kept if key in config},
            "metrics": self.inverter.metrics,
        }

    def network(self) -> InverterNetwork:
        """To be trained."""
        return self.inverter.network.requires_grad_(True)

    def require_fit(self, snapshot: Snapshot, split: str) -> None:
        """Raises MismatchError where it reads other vectors, or has learnt from what is held out here."""
        owner = f"inverter:{self.inverter.identity}"
        require_same_encoder(snapshot.encoder, self.inverter.encoder, left_name=snapshot.label, right_name=owner)
        if (known := self.inverter.config["split"]["fingerprint"]) != split:
            raise MismatchError(
                f"{owner} was trained under split {known}, {snapshot.label} has split {split}: it may have learnt "
                "from chunks that are held out here. Train another one from the beginning: leave start out"
            )
