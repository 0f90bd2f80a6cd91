"""Backbones: what turns the vectors so far into a state. One file an architecture; `gru.py` is the one to copy."""

from nextvec.models.backbone import BACKBONES

__all__ = ["BACKBONES"]
