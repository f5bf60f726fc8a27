"""Certificates (RFC 5280 4): reading, their extensions, and what each byte means."""
