import unittest

from accounting import periods

SECOND = {'NR': '2', 'FROM': '20261001', 'TO': '20261231'}


class TestState(unittest.TestCase):
    def testBeforeItsFirstDayAPeriodIsFuture(self):
        self.assertEqual(periods.stateOf(SECOND, '20260930'), 'future')

    def testOnItsFirstDayAPeriodIsOpen(self):
        self.assertEqual(periods.stateOf(SECOND, '20261001'), 'open')

    def testInTheMiddleAPeriodIsOpen(self):
        self.assertEqual(periods.stateOf(SECOND, '20261115'), 'open')

    def testAfterItsLastDayAPeriodIsClosed(self):
        self.assertEqual(periods.stateOf(SECOND, '20270101'), 'closed')


class TestXml(unittest.TestCase):
    def testEachPeriodIsAnElement(self):
        xml = periods.writeXml('2027', [SECOND], '20261115')
        self.assertIn('<period nr="2" from="20261001" to="20261231" state="open"/>', xml)


if __name__ == '__main__':
    unittest.main()
