// Command registry is the development schema registry: the Confluent REST API, kept in memory.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/sr/srfake"
)

func main() {
	address := flag.String("address", "127.0.0.1:8081", "host:port to listen on")
	flag.Parse()
	server := &http.Server{
		Addr:              *address,
		Handler:           srfake.NewRegistry().Handler(),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Printf("schema registry listening on %s", *address)
	log.Fatal(server.ListenAndServe())
}
