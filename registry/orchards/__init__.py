"""Orchard accounts: a book of lines a year, its balance, the label it earns, and the reward."""
