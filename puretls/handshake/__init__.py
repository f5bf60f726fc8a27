"""The handshake (RFC 5246 section 7): tables of states, pure handlers, effects as data."""
