"""Sources of documents. `open_source` finds the right one from what the user typed."""
