"""What a school does, one folder each, in the levels that .importlinter names."""
