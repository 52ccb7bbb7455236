"""When an account leaves a host of its provider for the other one, and what a refused bind means; pure."""
