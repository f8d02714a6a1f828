"""Decides, before anything else runs, whether a request is served now, waits, or is told when to come back."""
