// What the model predicts: for each row a probability for each of two labels.

package main

import (
	"math"
	"os"
)

var positive, negative = os.Getenv("POSITIVE_CLASS_LABEL"), os.Getenv("NEGATIVE_CLASS_LABEL")

// predict says whether a flat is expensive. A row has a value for each column, nil where it is missing.
func predict(row Row) any {
	probability := 1 / (1 + math.Exp((200000-price(row))/50000))
	return map[string]float64{positive: probability, negative: 1 - probability}
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
