import threading
import unittest
import urllib.error
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server

from accounting.service import Service


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


class TestOverHttp(unittest.TestCase):
    def setUp(self):
        service = Service(today=lambda: '20261115')
        self.server = make_server('127.0.0.1', 0, service, handler_class=Quiet)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def tearDown(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def get(self, path):
        url = 'http://127.0.0.1:%d%s' % (self.server.server_port, path)
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def testStatusNamesTheExport(self):
        self.assertEqual(self.get('/STATUS'), (200, b'OK 20261101\r\n'))

    def testTheFeesOfLastYearAreComplete(self):
        status, body = self.get('/FEES.DAT?SY=2026')
        self.assertEqual(status, 200)
        self.assertEqual([line[1:7] for line in body.split(b'\r\n')[1:3]], [b'LUNCH ', b'BAND  '])

    def testThePeriodOfTodayIsOpen(self):
        status, body = self.get('/PERIODS.XML?SY=2027')
        self.assertEqual(status, 200)
        self.assertIn(b'nr="2" from="20261001" to="20261231" state="open"', body)

    def testWhatIsNotThereHasItsStatus(self):
        for path, status in [('/', 404), ('/FEES.DAT', 400), ('/FEES.DAT?SY=27', 400),
                             ('/FEES.DAT?SY=2030', 404)]:
            self.assertEqual(self.get(path)[0], status, path)


if __name__ == '__main__':
    unittest.main()
