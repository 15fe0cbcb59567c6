"""The demo county and its story: every verb once, every balance as a check."""
