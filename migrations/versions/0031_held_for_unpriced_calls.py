"""Count as held what was reserved for settled calls whose price is unknown, as the budgets do."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

HELD = """
UPDATE run_facts AS f SET held_usd = f.held_usd + unpriced.usd
  FROM (SELECT coalesce(r.episode, r.id) AS episode, sum(u.reserved_usd) AS usd
          FROM usage AS u JOIN runs AS r ON r.id = u.run_id
         WHERE u.state = 'settled' AND u.cost_usd IS NULL
         GROUP BY 1) AS unpriced
 WHERE unpriced.episode = f.episode
"""


def upgrade() -> None:
    op.execute(HELD)
