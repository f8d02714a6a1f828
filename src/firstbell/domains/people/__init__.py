"""Owns schools, accounts, persons, classes, families and sessions: who somebody is and what they may be shown."""
