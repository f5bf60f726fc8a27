"""Straight-line code written by the tools gen_curves, gen_sbox and gen_chacha20; never edited by hand."""
