"""Whether publishers keep to their grants: what they send, measured, and what is forwarded if they do not."""
