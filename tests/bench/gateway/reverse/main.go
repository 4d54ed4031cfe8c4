// Go's own reverse proxy as one would set it up: connections to the model are kept, and nothing is logged.
package main

import (
	"flag"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "address to listen on")
	model := flag.String("model", "http://127.0.0.1:8080", "where the model is")
	flag.Parse()
	target, err := url.Parse(*model)
	if err != nil {
		log.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(request *httputil.ProxyRequest) { request.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	}
	log.Fatal(http.ListenAndServe(*listen, proxy))
}
