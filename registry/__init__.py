"""Record: the only owner of rows for places, people and units."""
