"""Firstbell: the school platform which holds at the first bell."""
