"""Straight-line code written by the tools gen_curves, gen_sbox, gen_chacha20 and gen_poly1305; never edited by hand."""
