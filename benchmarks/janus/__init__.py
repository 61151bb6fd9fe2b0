"""The same load on Janus (Debian's package), so that figures of one machine stand beside each other."""
