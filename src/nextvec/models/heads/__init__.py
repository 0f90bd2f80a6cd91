"""Heads: what a state predicts. `point` is the default and the reference."""

from nextvec.models.heads.point import PointHead

__all__ = ["PointHead"]
