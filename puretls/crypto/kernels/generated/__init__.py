"""Curve arithmetic written by tools/gen_curves.py."""
