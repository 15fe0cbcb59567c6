"""Contracts on credits: lots, subscriptions, settlement; stands on registry."""
