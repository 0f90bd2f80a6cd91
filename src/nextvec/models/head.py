"""What a head is, and the registry of all of them.

A network is one backbone with one or more heads. A head owns all that is particular to what it predicts: its loss, the
baseline it starts at, its calibration on validation. B documents, S positions, M state width, D embedding size, N
targets.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from torch import Generator, Tensor, nn

from nextvec.ahead import Ahead
from nextvec.config import Config, require_config
from nextvec.errors import MismatchError, UsageError
from nextvec.models.backbone import Backbone
from nextvec.models.baseline import Baseline
from nextvec.models.memory import Kept
from nextvec.models.predictor import AnchorName
from nextvec.models.targets import TargetBatch, Targets
from nextvec.registry import Registry

Gift = Literal["point", "query", "samples", "density"]

SIZES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0)
"""Sizes of a correction that are tried on validation."""


@dataclass(frozen=True, slots=True)
class State:
    """What a head is given: the backbone's states (B, S, M), and what its anchor expects there (B, S, E), if it has
    one."""

    hidden_BSM: Tensor
    base_BSE: Tensor | None

    def at(self, mask_BS: Tensor) -> State:
        """The N states where the mask is True, as one document: (1, N, M) and (1, N, E)."""
        base = None if self.base_BSE is None else self.base_BSE[mask_BS][None]
        return State(self.hidden_BSM[mask_BS][None], base)


Readings = Callable[[], Iterable[tuple[State, TargetBatch]]]
"""Every call starts one pass over the validation batches, with the states at all of their positions."""


class Head(nn.Module, ABC):
    """One thing that a network predicts; built by `Kind(config, backbone, anchor)`.

    Attributes:
        Config: the options it knows, with their defaults.
        gives: which parts of a forecast it has; of two heads that have the same, the first one's is taken.
        whole_documents: whether it learns from a document's chunks together; no context can be set then, and documents
            are not cut into spans unless a recipe says so.
        contrasts: whether its loss looks at the candidates of `Targets`, which several processes then gather all of.
        anchor: the baseline it starts at, unfitted at first (`set_anchor`); None where it starts from nothing.
    """

    Config: ClassVar[type[Config]]
    gives: ClassVar[frozenset[Gift]]
    whole_documents: ClassVar[bool] = False
    contrasts: bool = True
    anchor: Baseline | None

    def __init__(self, config: Any, backbone: Backbone, anchor: Baseline | None) -> None:
        super().__init__()
        self.config, self.dim, self.anchor = config, backbone.dim, anchor

    @classmethod
    @abstractmethod
    def baseline(cls, anchor: AnchorName) -> str | None:
        """Name of the baseline that this kind of head starts at in a network that is anchored so."""

    def set_anchor(self, anchor: Baseline | None) -> None:
        """Give the head its fitted anchor. Raises MismatchError unless it is of the configured kind and D."""
        expected, given = (None if part is None else (part.name, part.dim) for part in (self.anchor, anchor))
        if given != expected:
            raise MismatchError(
                f"this {type(self).__name__} was configured with anchor {_named(expected)} and was given "
                f"{_named(given)}; fit the one that its configuration names"
            )
        self.anchor = anchor

    @property
    def anchored(self) -> bool:
        """Whether it starts at something."""
        return self.anchor is not None

    def base(
        self,
        x_BTD: Tensor,
        breaks_BT: Tensor | None = None,
        kept: Kept = None,
        ahead: Ahead | None = None,
    ) -> Tensor:
        """(B, T, E) what it starts at after each position; asked only where it is anchored.

        `kept` is what `remember` gave of the vectors before these; None where documents begin.
        """
        assert self.anchor is not None
        return self.anchor.base_after(x_BTD, breaks_BT, kept, ahead)

    def topic(
        self, x_BTD: Tensor, breaks_BT: Tensor | None = None, kept: Kept = None, ahead: Ahead | None = None
    ) -> Tensor:
        """(B, T, D) what its anchor says that the next chunk is about; asked only where that has a topic."""
        assert self.anchor is not None
        return self.anchor.topic_after(x_BTD, breaks_BT, kept, ahead)

    def lean(
        self, x_BTD: Tensor, breaks_BT: Tensor | None = None, kept: Kept = None, ahead: Ahead | None = None
    ) -> Tensor:
        """(B, T, D) what is added to its query where all candidates lie ahead; asked only where its anchor leans."""
        assert self.anchor is not None
        return self.anchor.lean_after(x_BTD, breaks_BT, kept, ahead)

    def remember(self, x_BTD: Tensor, breaks_BT: Tensor | None, kept: Kept) -> Kept:
        """What its base needs of a document to go on with it after these vectors; nothing without an anchor."""
        return None if self.anchor is None else self.anchor.remember(x_BTD, breaks_BT, kept)

    def acquaint(self, seen: Iterable[Tensor], held_out: Iterable[Tensor]) -> None:
        """Take from its bases (N, E) of training and of validation contexts, in blocks, what it must know of them, once
        its anchor is fitted and before it trains. Most heads take nothing, and one that is not anchored has none."""

    def correction(self, state: State) -> Tensor | None:
        """(B, S, any width) what it learnt, where forecasts of some contexts do not show it; None for most heads."""
        return None

    @abstractmethod
    def loss(self, state: State, targets: Targets) -> Tensor:
        """Mean over the batch's targets; the state has all of its positions."""

    @abstractmethod
    def calibrate(self, readings: Readings) -> float:
        """Set what is tuned on validation and return how good the head is there, more is better.

        Raises TrainingError where there is no target.
        """

    @property
    def calibration(self) -> dict[str, float]:
        """What `calibrate` has set, for the run's log."""
        return {}

    def point(self, state: State) -> Tensor:
        """(B, S, D) unit vectors."""
        raise NotImplementedError(f"{type(self).__name__} gives {sorted(self.gives)}")

    def query(self, state: State) -> Tensor:
        """(B, S, D), see `Forecast.query`."""
        raise NotImplementedError(f"{type(self).__name__} gives {sorted(self.gives)}")

    def sample(self, state: State, n: int, generator: Generator) -> Tensor:
        """(n, B, S, D) unit vectors."""
        raise NotImplementedError(f"{type(self).__name__} gives {sorted(self.gives)}")

    def log_density(self, state: State, y_BSD: Tensor) -> Tensor:
        """(B, S) nats, see `Forecast.log_density`."""
        raise NotImplementedError(f"{type(self).__name__} gives {sorted(self.gives)}")


def start_at_zero(module: nn.Module) -> None:
    """Zero the last Linear of a module. Raises UsageError where there is none."""
    linears = [part for part in module.modules() if isinstance(part, nn.Linear)]
    if not linears:
        raise UsageError(f"the readout {type(module).__name__} has no Linear to start at zero; end it with one")
    nn.init.zeros_(linears[-1].weight)
    if linears[-1].bias is not None:
        nn.init.zeros_(linears[-1].bias)


def least_as_good(totals_CK: Tensor, counts_C: Tensor) -> int:
    """The first of K whose mean over C documents, from their totals over so many targets, is within a standard error of
    the highest: the rule of Breiman et al. 1984, "Classification and Regression Trees", ch. 3. The error is that of the
    difference from the highest, paired over documents. What is no number counts as the highest, so that it is seen."""
    highest = int(totals_CK.sum(0).argmax())
    behind_CK = totals_CK[:, [highest]] - totals_CK
    mean_K = behind_CK.sum(0) / counts_C.sum()
    error_K = (behind_CK - counts_C[:, None] * mean_K).square().sum(0).sqrt() / counts_C.sum()
    as_good_K = mean_K <= error_K
    as_good_K[highest] = True
    return int(as_good_K.int().argmax())


def _named(anchor: tuple[str, int] | None) -> str:
    return "none" if anchor is None else f"{anchor[0]} of {anchor[1]} dimensions"


def _require_head(name: str, component: Any, known: Mapping[str, Any]) -> None:
    """Raises UsageError for one without options, or that gives what no forecast has."""
    require_config(name, component, known)
    gives, gifts = getattr(component, "gives", None), frozenset(get_args(Gift))
    if isinstance(component, type) and gives is not None and not (isinstance(gives, frozenset) and gives <= gifts):
        raise UsageError(f"head '{name}' gives {gives!r}; expected a frozenset of some of {', '.join(sorted(gifts))}")


HEADS: Registry[type[Head]] = Registry("heads", "nextvec.models.heads", check=_require_head, base=Head)
