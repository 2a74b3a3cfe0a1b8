"""The queue's own tables, as procrastinate 3.10 ships them (MIT licence), frozen here.

A newer procrastinate brings migrations of its own; they are wrapped in new revisions beside this one.
"""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = Path(__file__).parents[1] / "sql" / "procrastinate_3_10.sql"


def upgrade() -> None:
    # The driver's own cursor: the script has many statements and its `%` are not parameters.
    connection = op.get_bind().connection.driver_connection
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA.read_text(encoding="utf-8"))
