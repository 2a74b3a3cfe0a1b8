"""The books as a page for people: totals and a table. Holds no script and loads nothing."""

from html import escape
from typing import Any

_STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; color: #24292f; background: #fafafa; margin: 2rem auto; max-width: 84rem;
  padding: 0 1rem }
h1 { font-size: 1.35rem; font-weight: 600 } h2 { font-size: 1.05rem; font-weight: 600; margin-top: 2rem }
p { color: #57606a } table { border-collapse: collapse; width: 100%; background: #fff }
th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid #eaecef; white-space: nowrap }
th { color: #57606a; font-weight: 500 } .n { text-align: right; font-variant-numeric: tabular-nums }
.quiet { color: #8c959f } .bad { color: #9a3412 } code { font: 13px ui-monospace, monospace }
.scroll { overflow-x: auto }
"""

_COLUMNS = (
    ("input_tokens", "uncached"),
    ("cache_read_input_tokens", "cache read"),
    ("ephemeral_5m_input_tokens", "written 5 min"),
    ("ephemeral_1h_input_tokens", "written 1 h"),
    ("output_tokens", "output"),
)


def page(report: dict[str, Any], *, scenario: str, now: str) -> str:
    """Render what books.report returns."""
    totals = report["totals"]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Anthropic emulator: books</title><style>{_STYLE}</style></head>
<body>
<h1>Anthropic emulator: books</h1>
<p>Scenario <code>{escape(scenario)}</code>, the emulator's time {escape(now)}. Tokens are counted by a fixed rule
(4 bytes a token), prices are Anthropic's by date; nothing here has cost real money.</p>
{_totals("In all", {"all": totals}, "")}
{_totals("By phase", report["by_phase"], "phase")}
{_totals("By model", report["by_model"], "model")}
<h2>Requests</h2>
<div class="scroll"><table><thead><tr><th>time</th><th>request</th><th>phase</th><th>repository</th>
<th class="n">turn</th><th>model</th>{_heads()}<th class="n">USD</th><th>status</th></tr></thead>
<tbody>{"".join(_request(row) for row in report["rows"]) or _EMPTY}</tbody></table></div>
</body></html>"""


_EMPTY = '<tr><td class="quiet" colspan="13">No request yet.</td></tr>'


def _heads() -> str:
    return "".join(f'<th class="n">{label}</th>' for _, label in _COLUMNS)


def _numbers(row: dict[str, Any]) -> str:
    return "".join(f'<td class="n">{row[name]:,}</td>' for name, _ in _COLUMNS)


def _totals(title: str, groups: dict[str, dict[str, Any]], label: str) -> str:
    if not groups:
        return ""
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n">{row["billed_requests"]}</td>{_numbers(row)}'
        f'<td class="n">{_money(row["cost_usd"])}</td></tr>'
        for name, row in groups.items()
    )
    return (
        f'<h2>{title}</h2><div class="scroll"><table><thead>'
        f'<tr><th>{label}</th><th class="n">billed requests</th>{_heads()}'
        f'<th class="n">USD</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _request(row: dict[str, Any]) -> str:
    turn = "" if row["turn"] is None else str(row["turn"] + 1)
    look = "" if row["status"] == "ok" else ' class="bad"'
    cells = [
        f"<td>{row['at']:%H:%M:%S}</td>",
        f'<td title="{escape(row["request_id"])}"><code>…{escape(row["request_id"][-6:])}</code></td>',
        f"<td>{escape(row['phase'] or '')}</td>",
        f"<td>{escape(row['repository'] or '')}</td>",
        f'<td class="n">{turn}</td>',
        f"<td>{escape(row['model'] or '')}</td>",
        _numbers(row),
        f'<td class="n">{_money(row["cost_usd"])}</td>',
        f'<td{look} title="{escape(row["error"])}">{escape(row["status"])} {row["http_status"]}</td>',
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _money(amount: str | None) -> str:
    return "unknown" if amount is None else amount
