"""Numbered migrations: one sentence why each."""
