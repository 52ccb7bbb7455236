"""How a gateway stands, as answers: checks over what was observed, and the figures behind them."""
