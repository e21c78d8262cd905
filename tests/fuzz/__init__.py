"""Fuzz targets, one a decoder: `make fuzz`."""
