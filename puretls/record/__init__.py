"""The record layer (RFC 5246 section 6): framing, protection, fragmentation. It knows nothing of handshakes."""
