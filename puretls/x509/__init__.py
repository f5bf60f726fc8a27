"""X.509: certificates, keys, path validation, revocation (RFC 5280, 9525, 6960). No I/O, no clock: see `verifier`."""
