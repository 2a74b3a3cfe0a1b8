# The HTTP side. WSGI, so that it runs under whatever the district has.
import re
import time
from urllib.parse import parse_qs

from accounting import periods, records
from accounting.tables import Tables


def todayText():
    return time.strftime('%Y%m%d')


class Service(object):
    """WSGI application over a Tables object."""

    def __init__(self, tables=None, today=todayText):
        self.tables = tables or Tables()
        self.today = today

    def __call__(self, environ, start_response):
        status, contentType, body = self.dispatch(
            environ['REQUEST_METHOD'], environ.get('PATH_INFO', ''),
            environ.get('QUERY_STRING', ''))
        start_response(status, [('Content-Type', contentType),
                                ('Content-Length', str(len(body)))])
        return [body]

    def dispatch(self, method, path, query):
        if method not in ('GET', 'HEAD'):
            return self.plain('405 Method Not Allowed', 'Only GET here.')
        if path == '/STATUS':
            return self.plain('200 OK', 'OK %s' % self.tables.exportDate)
        if path not in ('/FEES.DAT', '/PERIODS.XML'):
            return self.plain('404 Not Found', 'No such table.')
        year = parse_qs(query).get('SY', [''])[0]
        if not re.match(r'20[0-9][0-9]\Z', year):
            return self.plain('400 Bad Request', 'SY must be the year in which a school year ends.')
        if path == '/FEES.DAT':
            return self.fees(year)
        return self.periods(year)

    def fees(self, year):
        fees = self.tables.getFees(year)
        if not fees:
            return self.plain('404 Not Found', 'No fees for %s.' % year)
        body = records.writeFile(self.tables.exportDate, year, fees)
        return '200 OK', 'text/plain', body

    def periods(self, year):
        rows = self.tables.getPeriods(year)
        if not rows:
            return self.plain('404 Not Found', 'No periods for %s.' % year)
        xml = periods.writeXml(year, rows, self.today())
        return '200 OK', 'application/xml', xml.encode('iso-8859-1')

    def plain(self, status, text):
        return status, 'text/plain', (text + '\r\n').encode('ascii', 'replace')
