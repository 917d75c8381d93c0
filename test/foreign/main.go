// Command foreign does with other people's libraries what the tests hold immutrail to: franz-go produces and looks at
// what lies on a topic, hamba/avro and franz-go's sr make framed Avro, immudb's own SDK reads the ledger with proofs.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
)

var commands = map[string]func(context.Context, []string) error{
	"produce": produce, // JSON lines on standard input to a topic
	"look":    look,    // every record of a one-partition topic, with the codec of its batch
	"read":    read,    // keys on standard input, values proven by immudb's SDK
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || commands[args[0]] == nil {
		return fmt.Errorf("usage: foreign produce|look|read, each with -h")
	}
	return commands[args[0]](ctx, args[1:])
}

// eachLine calls work with every line of the input. The bytes are valid until it returns.
func eachLine(input io.Reader, work func([]byte) error) error {
	lines := bufio.NewScanner(input)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if err := work(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// emit prints one JSON line.
func emit(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }
