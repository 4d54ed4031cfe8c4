"""What the model predicts: a number for each row, higher for stranger ones."""


def predict(row):
    """How unusual the rooms of a flat are. `row` has a value for each column, None where it is missing."""
    area = 60 if row["area"] is None else row["area"]
    rooms = 2 if row["rooms"] is None else row["rooms"]
    return abs(area - 27 * rooms) / 27
