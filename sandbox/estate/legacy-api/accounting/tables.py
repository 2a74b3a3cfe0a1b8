# Reads what accounting exports every night.
#
# 2021-05-20 tf  ported
# 2026-08-03 tf  encoding comes from EXPORT.INI
import configparser
import csv
import os

DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'data')


class Tables(object):
    """The exported tables. Everything is text, as it is in the files."""

    def __init__(self, folder=DATA):
        self.folder = folder
        ini = configparser.ConfigParser()
        ini.read(os.path.join(folder, 'EXPORT.INI'))
        self.exportDate = ini.get('export', 'date')
        self.encoding = ini.get('export', 'encoding')
        self.delimiter = ini.get('export', 'delimiter')

    def getFees(self, schoolYear):
        """All fees of a school year, in the order of the file."""
        return self._select('FEES.CSV', schoolYear)

    def getPeriods(self, schoolYear):
        """All billing periods of a school year, in the order of the file."""
        return self._select('PERIODS.CSV', schoolYear)

    def _select(self, name, schoolYear):
        result = []
        f = open(os.path.join(self.folder, name), encoding=self.encoding, newline='')
        try:
            for row in csv.DictReader(f, delimiter=self.delimiter):
                if row['SY'] == schoolYear:
                    result.append(row)
        finally:
            f.close()
        return result
