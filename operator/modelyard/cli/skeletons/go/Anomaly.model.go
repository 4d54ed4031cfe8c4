// What the model predicts: a number for each row, higher for stranger ones.

package main

import "math"

// predict says how unusual the rooms of a flat are. A row has a value for each column, nil where it is missing.
func predict(row Row) any {
	return math.Abs(row.number("area", 60)-27*row.number("rooms", 2)) / 27
}

// number is the value of a column, or the usual one where it is missing.
func (row Row) number(column string, usual float64) float64 {
	if value, ok := row[column].(float64); ok {
		return value
	}
	return usual
}
