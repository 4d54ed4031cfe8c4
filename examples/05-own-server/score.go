package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"sort"
)

// Normal says what one measure usually is.
type Normal struct {
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"`
}

// Model holds what is normal, by the name of the measure.
type Model map[string]Normal

// Columns are the rows to score, by the name of the measure; nil is a measure that is missing.
type Columns map[string][]*float64

// Load reads a model from a file. A model without measures, or one that never vary, is refused.
func Load(path string) (Model, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var model Model
	if err := json.Unmarshal(text, &model); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for name, normal := range model {
		if normal.Deviation <= 0 {
			return nil, fmt.Errorf("%s: the deviation of %q is %g; it must be more than 0", path, name, normal.Deviation)
		}
	}
	if len(model) == 0 {
		return nil, fmt.Errorf("%s: there are no measures", path)
	}
	return model, nil
}

// Score gives each row a number: how many deviations its measures are from their means, as the root of the mean
// square over those that are there. A row without any is as normal as can be: 0.
func (model Model) Score(columns Columns) ([]float64, error) {
	rows, err := model.rows(columns)
	if err != nil {
		return nil, err
	}
	names := sorted(columns)
	scores := make([]float64, rows)
	for row := range scores {
		scores[row] = model.away(names, columns, row)
		if math.IsInf(scores[row], 0) {
			return nil, fmt.Errorf("row %d is too far from anything to be a measure", row)
		}
	}
	return scores, nil
}

func (model Model) away(names []string, columns Columns, row int) float64 {
	sum, seen := 0.0, 0.0
	for _, name := range names {
		if value := columns[name][row]; value != nil {
			away := (*value - model[name].Mean) / model[name].Deviation
			sum, seen = sum+away*away, seen+1
		}
	}
	return math.Sqrt(sum / math.Max(seen, 1))
}

// sorted makes the order of a sum, and with it its last digits, the same each time: Go's maps have no order.
func sorted(columns Columns) []string {
	names := make([]string, 0, len(columns))
	for name := range columns {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (model Model) rows(columns Columns) (int, error) {
	rows := -1
	for name, values := range columns {
		if _, known := model[name]; !known {
			return 0, fmt.Errorf("unknown column %q", name)
		}
		if rows >= 0 && len(values) != rows {
			return 0, errors.New("all columns must be of one length")
		}
		rows = len(values)
	}
	if rows < 1 {
		return 0, errors.New("at least one column and one row are needed")
	}
	return rows, nil
}
