"""`rostrum load`: many bots against a running server, and what became of every packet they sent."""
