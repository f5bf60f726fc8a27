"""The presentation language of RFC 5246 section 4: declare a struct once; parser, serialiser and byte map follow."""
