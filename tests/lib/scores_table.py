"""A table of scores as text."""
import csv
import io


def to_csv(rows, columns=None):
    """The rows (dicts of texts) with these columns, or with all that some row has, in the order of their appearance."""
    columns = columns or list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
