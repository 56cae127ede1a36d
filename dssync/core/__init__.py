"""Decisions: values in, values out. Nothing here reads a file, a clock, a socket or a database."""
