"""Conditions and outcomes: what a pass found, in the words that users and tools read. Pure."""
