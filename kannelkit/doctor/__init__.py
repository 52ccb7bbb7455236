"""What an operator would try by hand before a gateway's first message, step by step: what was found, what to do."""
