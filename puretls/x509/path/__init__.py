"""Path building and path validation (RFC 5280 6, RFC 4158)."""
