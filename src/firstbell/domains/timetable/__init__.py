"""Owns lessons: the slots of the timetable, their notes and their material."""
