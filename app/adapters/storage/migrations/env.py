"""How Alembic runs the migrations: on a connection, and in a transaction, that it is given."""

from alembic import context

attributes = context.config.attributes
context.configure(connection=attributes["connection"], version_table=attributes["version_table"])
context.run_migrations()
