"""Name effects that wait since the release before as this one does: ConfirmEnd became Confirm."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

RENAMED = """
UPDATE effects SET kind = 'Confirm',
    key = replace(key, ':ConfirmEnd:', ':Confirm:'),
    payload = jsonb_set(payload, '{type}', '"Confirm"')
WHERE kind = 'ConfirmEnd'
"""


def upgrade() -> None:
    op.execute(RENAMED)
