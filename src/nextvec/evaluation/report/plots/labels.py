"""Labels beside points without one covering another."""

from __future__ import annotations

from collections.abc import Sequence

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in pixels."""

_WIDTH, _HEIGHT = 380.0, 240.0  # of a plot's inner area: a desktop has a little more, a phone has less and may touch
_CHARACTER, _LINE, _GAP = 6.0, 13.0, 7.0
_PADDING = 0.15
_OVERHANG = 12.0  # a label may reach into the margin at the right


def padded(values: Sequence[float]) -> list[float]:
    """The range of an axis with room for labels around the outermost points."""
    low, high = min(values), max(values)
    room = _PADDING * (high - low) or max(abs(high) * 0.05, 0.05)
    return [low - room, high + room]


def place_labels(x: Sequence[float], y: Sequence[float], texts: Sequence[str]) -> list[str]:
    """A plotly text position for each point, "" for a label that would cover a point or another label.

    Args:
        x, y: positions in data units as drawn (logarithms for a logarithmic axis) on axes of `padded` range; earlier
            points choose first.
    """
    points = list(zip(_pixels(x, _WIDTH), _pixels(y, _HEIGHT), strict=True))
    taken: list[Box] = [(px - 5, py - 5, px + 5, py + 5) for px, py in points]
    positions = []
    for (px, py), text in zip(points, texts, strict=True):
        candidates = _candidates(px, py, len(text) * _CHARACTER)
        free = [name for name, box in candidates.items() if _inside(box) and not any(_cover(box, t) for t in taken)]
        positions.append(free[0] if free else "")
        if free:
            taken.append(candidates[free[0]])
    return positions


def _candidates(px: float, py: float, width: float) -> dict[str, Box]:
    half, middle = width / 2, _LINE / 2
    return {
        "top center": (px - half, py + _GAP, px + half, py + _GAP + _LINE),
        "bottom center": (px - half, py - _GAP - _LINE, px + half, py - _GAP),
        "middle right": (px + _GAP, py - middle, px + _GAP + width, py + middle),
        "middle left": (px - _GAP - width, py - middle, px - _GAP, py + middle),
    }


def _pixels(values: Sequence[float], size: float) -> list[float]:
    low, high = padded(values)
    return [(value - low) / (high - low) * size for value in values]


def _inside(box: Box) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= _WIDTH + _OVERHANG and box[3] <= _HEIGHT


def _cover(left: Box, right: Box) -> bool:
    return left[0] < right[2] and right[0] < left[2] and left[1] < right[3] and right[1] < left[3]
