"""Owns nothing that stays: brings people, classes and courses in from OneRoster files."""
