# Writes PERIODS.XML.
from xml.sax.saxutils import quoteattr


def stateOf(period, today):
    """'closed', 'open' or 'future'; days are texts YYYYMMDD, which compare as days do."""
    if period['TO'] <= today:
        return 'closed'
    if period['FROM'] > today:
        return 'future'
    return 'open'


def writeXml(schoolYear, periods, today):
    lines = ['<?xml version="1.0" encoding="ISO-8859-1"?>']
    lines.append('<periods schoolyear=%s>' % quoteattr(schoolYear))
    for p in periods:
        lines.append('  <period nr=%s from=%s to=%s state=%s/>' % (
            quoteattr(p['NR']), quoteattr(p['FROM']), quoteattr(p['TO']),
            quoteattr(stateOf(p, today))))
    lines.append('</periods>')
    return '\r\n'.join(lines) + '\r\n'
