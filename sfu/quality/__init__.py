"""How good a stream is: what it did over the last seconds, and the score that follows from it."""
