"""The alembic environment: `env.py` runs what is in `versions`, on the connection it is handed."""
