"""Modes of AES as protections of records: CBC, CCM (SP 800-38C) and GCM (SP 800-38D)."""
