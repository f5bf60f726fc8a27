"""Tools for testing TLS with hypothesis (extra `puretls[testing]`): strategies, state machines and properties, for any stack."""
