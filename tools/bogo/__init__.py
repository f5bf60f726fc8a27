"""The parts of tools/bogo_shim.py: flags, what they make of a configuration, and the conversation that they describe."""
