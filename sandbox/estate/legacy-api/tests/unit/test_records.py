import unittest

from accounting import records

LUNCH = {'CODE': 'LUNCH', 'DESCRIPTION': 'School lunch, month', 'CENTS': '6480',
         'FROM': '20260801', 'SCHOOL': 'ALL'}


class TestColumns(unittest.TestCase):
    def testAlphaIsFilledWithBlanks(self):
        self.assertEqual(records.alpha('BAND', 6), 'BAND  ')

    def testAlphaIsCut(self):
        self.assertEqual(records.alpha('After-school', 5), 'After')

    def testNumericIsFilledWithZeros(self):
        self.assertEqual(records.numeric('6480', 9), '000006480')

    def testNumericThatDoesNotFitIsAnError(self):
        self.assertRaises(ValueError, records.numeric, '1234567890', 9)


class TestFile(unittest.TestCase):
    def setUp(self):
        data = records.writeFile('20261101', '2027', [LUNCH])
        self.lines = data.split(b'\r\n')

    def testThereIsARecordForHeaderEachFeeAndTrailer(self):
        self.assertEqual([line[:1] for line in self.lines], [b'H', b'D', b'T', b''])

    def testEachRecordHas80Bytes(self):
        self.assertEqual([len(line) for line in self.lines], [80, 80, 80, 0])

    def testTheColumnsAreWhereTheDocumentSays(self):
        d = self.lines[1]
        self.assertEqual(d[1:7], b'LUNCH ')
        self.assertEqual(d[7:37], b'School lunch, month           ')
        self.assertEqual(d[37:46], b'000006480')
        self.assertEqual(d[46:54], b'20260801')
        self.assertEqual(d[54:58], b'ALL ')

    def testTheTrailerCounts(self):
        self.assertEqual(self.lines[2][:7], b'T000001')


if __name__ == '__main__':
    unittest.main()
