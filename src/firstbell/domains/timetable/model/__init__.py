"""What lessons, weeks of lessons and timetable files are; no I/O."""
