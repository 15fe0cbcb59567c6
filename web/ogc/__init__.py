"""``/ogc``: OGC API Features (Core, GeoJSON, HTML, CRS, CQL2 text): public places, own plots."""
