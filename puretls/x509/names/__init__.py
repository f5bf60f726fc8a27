"""Names: distinguished names, GeneralName, and how they are prepared for comparison."""
