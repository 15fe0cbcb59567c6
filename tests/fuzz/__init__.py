"""Broken files for every reader: whatever comes in, an answer comes out."""
