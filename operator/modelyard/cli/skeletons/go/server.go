// The HTTP side of the model, of the standard library alone; what it predicts is in model.go.

package main

import (
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// Row has the values of one row by column: float64, string, bool, or nil where one is missing.
type Row map[string]any

func rowsOf(columns map[string][]any) ([]Row, error) {
	rows := []Row(nil)
	for name, values := range columns {
		if rows == nil {
			rows = make([]Row, len(values))
		}
		if len(rows) != len(values) {
			return nil, errors.New("all columns must be of one length")
		}
		for at, value := range values {
			if rows[at] == nil {
				rows[at] = Row{}
			}
			rows[at][name] = value
		}
	}
	return rows, nil
}

func predictNoState(response http.ResponseWriter, request *http.Request) {
	var body struct{ X map[string][]any }
	err := json.NewDecoder(request.Body).Decode(&body)
	rows, problem := rowsOf(body.X)
	if err = errors.Join(err, problem); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	predictions := make([]any, len(rows))
	for at, row := range rows {
		predictions[at] = predict(row)
	}
	response.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(response).Encode(map[string]any{"predictions": predictions}); err != nil {
		log.Print(err)
	}
}

func main() {
	prefix := os.Getenv("URL_PREFIX")
	http.HandleFunc(prefix+"/", func(response http.ResponseWriter, request *http.Request) {
		switch {
		case request.Method == http.MethodGet && request.URL.Path == prefix+"/":
		case request.Method == http.MethodPost && request.URL.Path == prefix+"/predict_no_state/":
			predictNoState(response, request)
		default:
			http.NotFound(response, request)
		}
	})
	// In a pod a process without a handler of its own is deaf to SIGTERM.
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	go func() { <-end; os.Exit(0) }()
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
