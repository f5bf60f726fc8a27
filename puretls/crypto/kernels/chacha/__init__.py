"""ChaCha20 and Poly1305 (RFC 8439), and the AEAD made of both."""
