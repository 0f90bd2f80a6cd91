"""Ordered vectors and their texts, versioned. `open_snapshot(workspace, "wiki@small")` gives a corpus to work on."""
