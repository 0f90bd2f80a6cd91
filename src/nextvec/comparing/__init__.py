"""Models set against each other and against baselines: contests and their reports, gates, verification, inversion."""
