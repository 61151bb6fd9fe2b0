"""Producers carried between nodes: a pipe, its sending and its receiving side, and the pipes of a node."""
