// What the model predicts: a number for each row.

package main

// predict is the price of a flat. A row has a value for each column, nil where it is missing.
func predict(row Row) any {
	return price(row)
}

// price of a flat. A missing value counts as a usual one.
func price(row Row) float64 {
	north := 0.0
	if row["district"] == "north" {
		north = 15000
	}
	return 20000 + 3000*row.number("area", 60) + 8000*row.number("rooms", 2) + north
}

// number is the value of a column, or the usual one where it is missing.
func (row Row) number(column string, usual float64) float64 {
	if value, ok := row[column].(float64); ok {
		return value
	}
	return usual
}
