"""The parts of `sfu.bot`: a WebRTC client that neither encodes nor decodes, for load and for tests."""
