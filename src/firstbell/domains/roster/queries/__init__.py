"""Statements on the roster's own temporary tables: the files as they came, what is wrong with them, what they mean.

A row is rejected when it is wrong, and outside when it belongs to another school of the same files. What a file means
is written to the tables that people and courses stage.
"""
