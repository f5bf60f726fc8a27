"""Arithmetic modulo large integers: RSA, and Diffie-Hellman in finite fields."""
