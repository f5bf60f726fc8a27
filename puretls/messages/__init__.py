"""Messages of TLS 1.2 as declared structs, in the order and spelling of the RFCs."""
