"""AES (FIPS 197): one block, counter mode and chains, each in the way that is fastest for its size."""
