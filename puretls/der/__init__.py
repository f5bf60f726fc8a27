"""DER (X.690): a strict reader that keeps offsets, a writer, and the object identifiers that puretls knows."""
