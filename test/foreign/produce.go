package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// record is a line of the input. A header is a name and a value; a value that is null is no value.
type record struct {
	Key     string       `json:"key"`
	Value   string       `json:"value"`
	Headers [][2]*string `json:"headers"`
}

// sent is a line of the output: what the broker acknowledged.
type sent struct {
	Offset int64  `json:"offset"`
	Value  []byte `json:"value"`
}

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

// encoder makes a record's bytes of the line's value.
type encoder func(value string) ([]byte, error)

func produce(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("produce", flag.ContinueOnError)
	brokers := flags.String("brokers", "", "host:port, comma separated")
	topic := flags.String("topic", "", "where to")
	codec := flags.String("codec", "none", "none, gzip, snappy, lz4 or zstd")
	transaction := flags.String("transaction", "", "commit or abort: all lines are one transaction that ends so")
	id := flags.String("id", "", "the transactional id")
	registry := flags.String("registry", "", "URL of a schema registry, for framed Avro")
	subject := flags.String("subject", "", "whose newest schema encodes the values")
	if err := flags.Parse(args); err != nil {
		return err
	}
	compression, known := codecs[*codec]
	if !known {
		return fmt.Errorf("no codec is named %q", *codec)
	}
	encode := encoder(func(value string) ([]byte, error) { return []byte(value), nil })
	if *subject != "" {
		var err error
		if encode, err = avroEncoder(ctx, *registry, *subject); err != nil {
			return err
		}
	}
	records, err := readRecords(encode)
	if err != nil {
		return err
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(*brokers, ",")...),
		kgo.DefaultProduceTopic(*topic),
		kgo.ProducerBatchCompression(compression),
		kgo.ProducerLinger(100 * time.Millisecond), // one batch, so that there is something to compress
	}
	if *transaction != "" {
		options = append(options, kgo.TransactionalID(*id))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	return send(ctx, client, records, *transaction)
}

func readRecords(encode encoder) ([]*kgo.Record, error) {
	var records []*kgo.Record
	return records, eachLine(os.Stdin, func(line []byte) error {
		var one record
		if err := json.Unmarshal(line, &one); err != nil {
			return err
		}
		value, err := encode(one.Value)
		if err != nil {
			return err
		}
		made := &kgo.Record{Key: []byte(one.Key), Value: value}
		for _, header := range one.Headers {
			made.Headers = append(made.Headers, kgo.RecordHeader{Key: *header[0], Value: bytesOf(header[1])})
		}
		records = append(records, made)
		return nil
	})
}

func bytesOf(text *string) []byte {
	if text == nil {
		return nil
	}
	return []byte(*text)
}

// send resolves every record, then ends the transaction, so that also those of an aborted one lie on the topic.
func send(ctx context.Context, client *kgo.Client, records []*kgo.Record, transaction string) error {
	if transaction != "" {
		if err := client.BeginTransaction(); err != nil {
			return err
		}
	}
	var failed error
	for _, result := range client.ProduceSync(ctx, records...) {
		failed = errors.Join(failed, result.Err)
	}
	if transaction != "" {
		failed = errors.Join(failed, client.EndTransaction(ctx, kgo.TransactionEndTry(transaction == "commit")))
	}
	if failed != nil {
		return failed
	}
	for _, one := range records {
		if err := emit(sent{one.Offset, one.Value}); err != nil {
			return err
		}
	}
	return nil
}
