"""What may go wrong when a site is made."""


class SiteError(Exception):
    """Why there is no site, in one line."""
