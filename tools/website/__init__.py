"""What `tools/site.py` is made of: Markdown to HTML, the reference of the code, the search, the layout, Pyodide, and the check of links."""
