"""Processes that another one starts: told what to do, restarted when they die, stopped together."""
