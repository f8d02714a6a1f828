"""Owns courses and enrolments: who follows or teaches what."""
