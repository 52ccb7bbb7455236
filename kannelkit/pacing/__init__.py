"""How fast submits may leave for a provider: learnt from its answers, and spread evenly over time. Pure."""
