"""Decides, before anything else runs: is a request served now, does it wait, or when may it come back."""
