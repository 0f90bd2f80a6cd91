"""The objects that the Python API hands out: a corpus, a model, a comparison. `nextvec.api` is the way in."""
