"""What people see of a conversation: pure functions from values to text, pages, diagrams and JSON.

They print nothing and ask no terminal; those for terminals take a width in columns and a palette.
"""
