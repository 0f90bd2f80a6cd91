"""Studies: several models, one answer."""
