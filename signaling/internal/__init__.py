"""How servers that share a database speak to each other: one POST per call, told once in `messages`."""
