// A server for models that are numbers only: it reads model.json from the version's files, and tells how far rows
// are from what that file calls normal.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	model, err := Load(filepath.Join(os.Getenv("CODE_DIR"), "model.json"))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: ":" + os.Getenv("PORT"), Handler: handler(os.Getenv("URL_PREFIX"), model)}
	ended := make(chan struct{})
	go func() {
		told, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		<-told.Done()
		// Requests that are being answered are finished.
		if err := server.Shutdown(context.Background()); err != nil {
			log.Print(err)
		}
		close(ended)
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	<-ended
}

func handler(prefix string, model Model) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		switch request.Method + " " + request.URL.EscapedPath() {
		case "GET " + prefix + "/":
			writer.WriteHeader(http.StatusOK)
		case "POST " + prefix + "/predict_no_state/":
			predict(writer, request, model)
		default:
			http.NotFound(writer, request)
		}
	})
}

func predict(writer http.ResponseWriter, request *http.Request, model Model) {
	var asked struct{ X Columns }
	err := json.NewDecoder(request.Body).Decode(&asked)
	var scores []float64
	if err == nil {
		scores, err = model.Score(asked.X)
	}
	if err != nil {
		answer(writer, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	answer(writer, http.StatusOK, map[string][]float64{"predictions": scores})
}

func answer(writer http.ResponseWriter, status int, content any) {
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(status)
	if err := json.NewEncoder(writer).Encode(content); err != nil {
		log.Print(err)
	}
}
