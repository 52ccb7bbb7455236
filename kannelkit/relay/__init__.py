"""A relay between bearerbox and its providers: submits leave evenly, each account at its provider's limit."""
