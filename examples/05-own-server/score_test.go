package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

var model = Model{"heat": {Mean: 60, Deviation: 2}, "noise": {Mean: 3, Deviation: 0.5}}

func measured(value float64) *float64 { return &value }

func TestARowIsAsStrangeAsItsMeasuresAreFarFromNormal(t *testing.T) {
	columns := Columns{
		"heat":  {measured(60), measured(64), measured(64), nil, nil},
		"noise": {measured(3), measured(3), nil, measured(4.5), nil},
	}

	scores, err := model.Score(columns)

	if err != nil {
		t.Fatal(err)
	}
	for row, want := range []float64{0, math.Sqrt2, 2, 3, 0} {
		if math.Abs(scores[row]-want) > 1e-12 {
			t.Errorf("row %d has %g, not %g", row, scores[row], want)
		}
	}
}

func TestDataThatCannotBeScoredIsRefused(t *testing.T) {
	refused := map[string]Columns{
		"no columns":      {},
		"no rows":         {"heat": {}},
		"unknown column":  {"heat": {nil}, "cold": {nil}},
		"unequal lengths": {"heat": {nil}, "noise": {nil, nil}},
		"beyond numbers":  {"heat": {measured(1e300)}},
	}
	for what, columns := range refused {
		if scores, err := model.Score(columns); err == nil {
			t.Errorf("%s: scored as %v", what, scores)
		}
	}
}

func TestAModelThatMeansNothingIsRefused(t *testing.T) {
	for _, text := range []string{``, `{}`, `{"heat": {"mean": 60}}`, `{"heat": {"mean": 60, "deviation": -1}}`} {
		path := filepath.Join(t.TempDir(), "model.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if loaded, err := Load(path); err == nil {
			t.Errorf("%q was loaded as %v", text, loaded)
		}
	}
}
