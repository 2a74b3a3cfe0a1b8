# Writes FEES.DAT. See docs/RECORDS.txt before you touch a column.
#
# 2026-08-03 tf  UTF-8, as the export
RECLEN = 80
ENCODING = 'utf-8'


def alpha(value, width):
    """A text column: left-justified, blanks, cut at its width."""
    return value[:width].ljust(width)


def numeric(value, width):
    """A number column: right-justified, zeros."""
    s = str(int(value))
    if len(s) > width:
        raise ValueError('%s does not fit into %d columns' % (s, width))
    return s.rjust(width, '0')


def header(exportDate, schoolYear):
    return 'H' + alpha(exportDate, 8) + ' ' + alpha(schoolYear, 4)


def detail(fee):
    return ''.join([
        'D',
        alpha(fee['CODE'], 6),
        alpha(fee['DESCRIPTION'], 30),
        numeric(fee['CENTS'], 9),
        alpha(fee['FROM'], 8),
        alpha(fee['SCHOOL'], 4),
    ])


def trailer(count):
    return 'T' + numeric(count, 6)


def writeFile(exportDate, schoolYear, fees):
    """The bytes of a fee file."""
    records = [header(exportDate, schoolYear)]
    for fee in fees:
        records.append(detail(fee))
    records.append(trailer(len(fees)))
    result = b''
    for record in records:
        result = result + record.ljust(RECLEN).encode(ENCODING) + b'\r\n'
    return result
