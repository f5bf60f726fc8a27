"""GHASH (SP 800-38D 6.4): by tables, by parity masks, or as a tree over many records."""
