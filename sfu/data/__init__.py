"""Data messages between the clients of a session: what they look like, and who gets them."""
