"""The playground: a page on which a handshake of two ends of puretls runs step by step, and its engine, JSON in and JSON out."""
