"""Face: Flask pages, JSON API and the command line; the only package that knows HTTP."""
