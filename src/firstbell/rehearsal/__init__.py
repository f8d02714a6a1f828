"""A played school morning: the world it happens in, the load, the report."""
