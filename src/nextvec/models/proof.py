"""Somebody else's predictors and backbones, held to what the contract suites hold this package's own to.

B documents, T positions, D embedding size, M state width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from nextvec.errors import DataError, UsageError
from nextvec.models.backbone import BACKBONES, Backbone
from nextvec.models.own import OwnPredictor, looks_ahead
from nextvec.models.predictor import Predictor, unit

SAME = 1e-3
"""Rounding: by how much of its largest number an answer may change with what is computed beside it."""
DOCUMENTS, POSITIONS = 2, 4
_PROVED = ("nextvec.", "torch.")


def is_proved(predictor: object) -> bool:
    """Whether a class, or all that a predictor is made of, is of this package, whose tests have seen it, or torch's."""
    parts = predictor.modules() if isinstance(predictor, nn.Module) else [predictor]
    kinds = [part if isinstance(part, type) else type(part) for part in parts]
    return all(kind is not OwnPredictor and kind.__module__.startswith(_PROVED) for kind in kinds)


@torch.no_grad()
def require_causal(name: str, predictor: Predictor, x_BTD: Tensor, breaks_BT: Tensor | None = None) -> None:
    """Asked of the first half of documents, twice, and of all. What is no answer is left to who asks for more of it.

    Raises DataError for one that looks ahead, answers otherwise when asked again, or changes what it is given.
    """
    half = (x_BTD.shape[1] + 1) // 2
    first, again, whole = (
        _said(name, predictor, x_BTD[:, :end], None if breaks_BT is None else breaks_BT[:, :end])
        for end in (half, half, x_BTD.shape[1])
    )
    if (worst := _difference(first, again)) > SAME:
        raise DataError(
            f"{name} answers otherwise when it is asked the same again: what it says of {half} vectors changes by "
            f"{worst:.2g}. Let it depend on the vectors that it is given alone: keep nothing between two calls, and "
            "seed what is drawn at random"
        )
    if (worst := _difference(first, {part: answer[:, :half] for part, answer in whole.items()})) > SAME:
        raise looks_ahead(name, half, worst)


def _said(name: str, predictor: Predictor, x_BTD: Tensor, breaks_BT: Tensor | None) -> Mapping[str, Tensor]:
    mask_BT = torch.ones(x_BTD.shape[:2], dtype=torch.bool, device=x_BTD.device)
    forecast = predictor.forecast(given_BTD := x_BTD.clone(), mask_BT, breaks_BT)
    answers = {part: getattr(forecast, part) for part in ("point", "query", "ahead", "topic")}
    if predictor.spec.density:
        answers["density"] = forecast.log_density(x_BTD)
    if not torch.equal(given_BTD, x_BTD):
        raise DataError(f"{name} changes the vectors that it is given; let it work on a copy of them")
    return {part: answer for part, answer in answers.items() if isinstance(answer, Tensor) and answer.ndim > 1}


def _difference(left: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> float:
    """The largest, in parts of the largest number; 0 for answers of other shapes, and that are not finite."""
    return max((_apart(left[part], right[part]) for part in left.keys() & right.keys()), default=0.0)


def _apart(left: Tensor, right: Tensor) -> float:
    if left.shape != right.shape or not left.numel():
        return 0.0
    worst = float((left - right).abs().max() / left.abs().max().clamp_min(1e-12))
    return worst if math.isfinite(worst) else 0.0


@torch.no_grad()
def require_backbone(name: str, options: Mapping[str, Any], dim: int) -> None:
    """Builds somebody else's backbone and asks it, before a network of it is trained. Raises UsageError, which says
    what was expected, for one whose states or readout break its contract."""
    kind = BACKBONES.get(name)
    if is_proved(kind):
        return
    with torch.random.fork_rng():  # what is built afterwards begins as if nobody had asked
        _prove(name, kind(kind.Config.parse(options, owner=name), dim).eval())


def _prove(name: str, backbone: Backbone) -> None:
    if not hasattr(backbone, "config"):
        raise UsageError(f"backbone '{name}' has no config: begin its __init__ with super().__init__(config, dim)")
    x_BTD = _vectors(backbone)
    hidden_BTM, half = _states(name, backbone, x_BTD), (x_BTD.shape[1] + 1) // 2
    _require_same(name, "answers otherwise when it is asked again", _states(name, backbone, x_BTD), hidden_BTM)
    _require_same(name, "mixes documents", _states(name, backbone, x_BTD[:1]), hidden_BTM[:1])
    _require_same(name, "looks ahead", _states(name, backbone, x_BTD[:, :half]), hidden_BTM[:, :half])
    _require_same(name, "says something else in parts (`read`)", _in_parts(backbone, x_BTD, half), hidden_BTM)
    _require_readout(name, backbone, hidden_BTM)


def _vectors(backbone: Backbone) -> Tensor:
    """(B, T, D) as it is given them, of norm sqrt(D)."""
    positions = min(POSITIONS, backbone.longest(backbone.config) or POSITIONS)
    x_BTD = torch.randn(DOCUMENTS, positions, backbone.dim, generator=torch.Generator().manual_seed(0), device="cpu")
    device = next((tensor.device for tensor in backbone.parameters()), torch.device("cpu"))
    return unit(x_BTD).to(device) * backbone.dim**0.5


def _in_parts(backbone: Backbone, x_BTD: Tensor, length: int) -> Tensor:
    """States (B, T, M), read by so many vectors at a time."""
    states, kept = [], None
    for part_BSD in x_BTD.split(length, dim=1):
        part_BSM, kept = backbone.read(part_BSD, kept)
        states.append(part_BSM)
    return torch.cat(states, dim=1)


def _states(name: str, backbone: Backbone, x_BTD: Tensor) -> Tensor:
    """(B, T, M)"""
    given_BTD = x_BTD.clone()
    hidden = backbone(given_BTD)
    expected = f"expected states ({x_BTD.shape[0]}, {x_BTD.shape[1]}, M) of float32, one a position, all finite"
    if not isinstance(hidden, Tensor):
        raise UsageError(f"backbone '{name}': forward gave a {type(hidden).__name__}; {expected}")
    if hidden.ndim != 3 or hidden.shape[:2] != x_BTD.shape[:2] or hidden.dtype != torch.float32:
        raise UsageError(f"backbone '{name}': forward gave {hidden.dtype} {tuple(hidden.shape)}; {expected}")
    if not bool(hidden.isfinite().all()):
        raise UsageError(f"backbone '{name}': forward gave NaN or infinity for unit vectors; {expected}")
    if not torch.equal(given_BTD, x_BTD):
        raise UsageError(f"backbone '{name}' changes the vectors that it is given; work on a copy of them")
    return hidden


def _require_same(name: str, what: str, left: Tensor, right: Tensor) -> None:
    if left.shape != right.shape or _apart(left, right) > SAME:
        raise UsageError(
            f"backbone '{name}' {what}. Let its states after vector t depend on the first t vectors of their own "
            "document alone, in eval mode on nothing that is drawn or kept between two calls"
        )


def _require_readout(name: str, backbone: Backbone, hidden_BTM: Tensor) -> None:
    module = backbone.readout()
    expected = f"expected a module that maps states of {hidden_BTM.shape[-1]} numbers to vectors of {backbone.dim}"
    if not isinstance(module, nn.Module):
        raise UsageError(f"backbone '{name}': readout gave a {type(module).__name__}; {expected}")
    try:
        shape = tuple(module.to(hidden_BTM.device)(hidden_BTM).shape)
    except RuntimeError as error:
        raise UsageError(f"backbone '{name}': its readout takes no states ({error}); {expected}") from error
    if shape != (*hidden_BTM.shape[:2], backbone.dim):
        raise UsageError(f"backbone '{name}': its readout gave {shape} for {tuple(hidden_BTM.shape)}; {expected}")
