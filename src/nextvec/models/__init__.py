"""Predictors, on tensors alone: networks (backbone x head, on an anchor) and the baselines that need no training.

`BACKBONES` and `BASELINES` hold every architecture a user can name; `HEADS` what a network's state predicts.
"""
