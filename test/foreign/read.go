package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"strings"

	"github.com/codenotary/immudb/pkg/client"
)

// proven is a line of the output: a value whose proof held, and its transaction.
type proven struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
	Tx    uint64 `json:"tx"`
}

// read ends with an error at the first value that is not proven. The SDK keeps its trusted state in a file of -state:
// each read is proven against it and moves it on, also over several runs.
func read(ctx context.Context, args []string) (failed error) {
	flags := flag.NewFlagSet("read", flag.ContinueOnError)
	host := flags.String("host", "127.0.0.1", "of immudb")
	port := flags.Int("port", 3322, "of immudb")
	user := flags.String("user", "immudb", "who reads")
	passwordFile := flags.String("password-file", "", "holds the password")
	database := flags.String("database", "", "whose keys are read")
	state := flags.String("state", "", "folder of the trusted state")
	if err := flags.Parse(args); err != nil {
		return err
	}
	password, err := os.ReadFile(*passwordFile)
	if err != nil {
		return err
	}
	options := client.DefaultOptions().WithAddress(*host).WithPort(*port).WithDir(*state)
	immudb := client.NewClient().WithOptions(options)
	secret := []byte(strings.TrimSpace(string(password)))
	if err := immudb.OpenSession(ctx, []byte(*user), secret, *database); err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, immudb.CloseSession(ctx)) }()
	return eachLine(os.Stdin, func(key []byte) error {
		entry, err := immudb.VerifiedGet(ctx, key)
		if err != nil {
			return err
		}
		return emit(proven{string(key), entry.Value, entry.Tx})
	})
}
