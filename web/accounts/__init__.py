"""Who may sign in: credentials apart from the register's own actors.

A login points at one actor; the register never sees a password.
"""
