// Command registry is the development schema registry: the Confluent REST API, kept in memory.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/sr/srfake"
)

// check asks a running registry for its subjects. It is the health check of an image that has no other program.
func check(address string) error {
	client := &http.Client{Timeout: 2 * time.Second}
	answer, err := client.Get("http://" + address + "/subjects")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the registry answers %s", answer.Status)
	}
	return nil
}

func main() {
	address := flag.String("address", "127.0.0.1:8081", "host:port to listen on")
	checked := flag.String("check", "", "host:port of a registry to check, instead of being one")
	flag.Parse()
	if *checked != "" {
		if err := check(*checked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	server := &http.Server{
		Addr:              *address,
		Handler:           srfake.NewRegistry().Handler(),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Printf("schema registry listening on %s", *address)
	log.Fatal(server.ListenAndServe())
}
