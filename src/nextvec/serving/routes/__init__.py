"""What each path answers: one file a resource."""
