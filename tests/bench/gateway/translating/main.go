// The Open Inference Protocol in front of a model that speaks the contract (docs/contract.md), as one would write it in
// Go: net/http and encoding/json. It reads a request in JSON or with binary FP64 tensors, checks datatypes, shapes and
// lengths, asks the model with columns, checks its answer and tells it as the protocol wants.
//
// It does less than the gateway: one datatype, one model, regression only, no metrics, no log, no limits, no second try.
// That is to its advantage, and meant to be.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"strconv"
)

type tensor struct {
	Name       string          `json:"name"`
	Shape      []int           `json:"shape"`
	Datatype   string          `json:"datatype"`
	Data       json.RawMessage `json:"data,omitempty"`
	Parameters struct {
		Size *int `json:"binary_data_size"`
	} `json:"parameters"`
}

type request struct {
	ID     string   `json:"id"`
	Inputs []tensor `json:"inputs"`
}

type output struct {
	Name     string    `json:"name"`
	Shape    []int     `json:"shape"`
	Datatype string    `json:"datatype"`
	Data     []float64 `json:"data"`
}

type answer struct {
	Model   string   `json:"model_name"`
	Version string   `json:"model_version"`
	ID      string   `json:"id,omitempty"`
	Outputs []output `json:"outputs"`
}

type proxy struct {
	client *http.Client
	model  string
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "address to listen on")
	model := flag.String("model", "http://127.0.0.1:8080/model", "where the model is, its prefix included")
	flag.Parse()
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	here := &proxy{&http.Client{Transport: transport}, *model + "/predict_no_state/"}
	http.HandleFunc("POST /v2/models/{model}/infer", here.infer)
	log.Fatal(http.ListenAndServe(*listen, nil))
}

func (p *proxy) infer(writer http.ResponseWriter, asked *http.Request) {
	body := make([]byte, max(asked.ContentLength, 0))
	if _, err := io.ReadFull(asked.Body, body); err != nil {
		refuse(writer, http.StatusBadRequest, err)
		return
	}
	inputs, columns, err := parse(body, asked.Header.Get("Inference-Header-Content-Length"))
	if err != nil {
		refuse(writer, http.StatusBadRequest, err)
		return
	}
	predictions, err := p.predict(asked, columns, inputs.Inputs[0].Shape[0])
	if err != nil {
		refuse(writer, http.StatusBadGateway, err)
		return
	}
	told := output{"y", []int{len(predictions)}, "FP64", predictions}
	tell(writer, http.StatusOK, answer{asked.PathValue("model"), "1", inputs.ID, []output{told}})
}

// parse gives the request and its inputs as columns: flat ones, or lists for each row.
func parse(body []byte, header string) (*request, map[string]any, error) {
	document, binaries := body, []byte(nil)
	if header != "" {
		length, err := strconv.Atoi(header)
		if err != nil || length < 0 || length > len(body) {
			return nil, nil, fmt.Errorf("no such header length: %q", header)
		}
		document, binaries = body[:length], body[length:]
	}
	var inputs request
	if err := json.Unmarshal(document, &inputs); err != nil {
		return nil, nil, err
	}
	if len(inputs.Inputs) == 0 {
		return nil, nil, fmt.Errorf("no inputs")
	}
	columns := make(map[string]any, len(inputs.Inputs))
	for _, input := range inputs.Inputs {
		values, rest, err := input.values(binaries)
		if err != nil {
			return nil, nil, fmt.Errorf("input %q: %w", input.Name, err)
		}
		if input.Shape[0] != inputs.Inputs[0].Shape[0] {
			return nil, nil, fmt.Errorf("inputs have %d and %d rows", inputs.Inputs[0].Shape[0], input.Shape[0])
		}
		columns[input.Name], binaries = rows(values, input.Shape), rest
	}
	if len(binaries) != 0 {
		return nil, nil, fmt.Errorf("%d bytes too many", len(binaries))
	}
	return &inputs, columns, nil
}

// values are the numbers of an input, as many as its shape says, and the binary data behind it.
func (t *tensor) values(binaries []byte) ([]float64, []byte, error) {
	count := 1
	for _, length := range t.Shape {
		count *= length
	}
	if len(t.Shape) == 0 || count <= 0 || t.Datatype != "FP64" {
		return nil, nil, fmt.Errorf("datatype %s, shape %v", t.Datatype, t.Shape)
	}
	size := t.Parameters.Size
	if size == nil {
		var values []float64
		if err := json.Unmarshal(t.Data, &values); err != nil {
			return nil, nil, err
		}
		if len(values) != count {
			return nil, nil, fmt.Errorf("%d values for shape %v", len(values), t.Shape)
		}
		return values, binaries, nil
	}
	if *size != 8*count || *size > len(binaries) {
		return nil, nil, fmt.Errorf("%d bytes for shape %v", *size, t.Shape)
	}
	values := make([]float64, count)
	for index := range values {
		values[index] = math.Float64frombits(binary.LittleEndian.Uint64(binaries[8*index:]))
	}
	return values, binaries[*size:], nil
}

// rows are the values of [n] and [n, 1] as they are, else a list for each row.
func rows(values []float64, shape []int) any {
	width := len(values) / shape[0]
	if width == 1 {
		return values
	}
	lists := make([][]float64, shape[0])
	for row := range lists {
		lists[row] = values[row*width : (row+1)*width]
	}
	return lists
}

func (p *proxy) predict(asked *http.Request, columns map[string]any, rows int) ([]float64, error) {
	body, err := json.Marshal(map[string]any{"X": columns})
	if err != nil {
		return nil, err
	}
	sent, err := http.NewRequestWithContext(asked.Context(), http.MethodPost, p.model, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sent.Header.Set("Content-Type", "application/json")
	got, err := p.client.Do(sent)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	var said struct {
		Predictions []float64 `json:"predictions"`
	}
	body, err = io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the model answered %s: %v", got.Status, err)
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil, fmt.Errorf("the model answered no JSON: %w", err)
	}
	if len(said.Predictions) != rows {
		return nil, fmt.Errorf("the model answered %d predictions for %d rows", len(said.Predictions), rows)
	}
	return said.Predictions, nil
}

func refuse(writer http.ResponseWriter, status int, err error) {
	tell(writer, status, map[string]string{"error": err.Error()})
}

func tell(writer http.ResponseWriter, status int, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error": "no JSON for the answer"}`)
	}
	writer.Header().Set("Content-Type", "application/json")
	writer.Header().Set("Content-Length", strconv.Itoa(len(body)))
	writer.WriteHeader(status)
	_, _ = writer.Write(body)
}
