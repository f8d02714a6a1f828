"""Owns schools, accounts, persons, classes, families and sessions: who somebody is, what they may see."""
