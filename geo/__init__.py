"""Places: files, reference systems, area, validity, overlap, eligibility; no database, no web."""
