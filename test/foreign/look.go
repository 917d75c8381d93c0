package main

import (
	"context"
	"flag"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// seen is a line of the output: a record, or the marker that ends a transaction.
type seen struct {
	Offset        int64  `json:"offset"`
	Key           string `json:"key"`
	Codec         string `json:"codec"`
	Transactional bool   `json:"transactional"`
	Control       bool   `json:"control"`
}

var codecNames = []string{"none", "gzip", "snappy", "lz4", "zstd"}

// look reads a topic of one partition to its end, uncommitted records and markers included.
func look(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("look", flag.ContinueOnError)
	brokers := flags.String("brokers", "", "host:port, comma separated")
	topic := flags.String("topic", "", "a topic of one partition that is not empty")
	if err := flags.Parse(args); err != nil {
		return err
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(*brokers, ",")...),
		kgo.ConsumeTopics(*topic),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadUncommitted()),
		kgo.KeepControlRecords(),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for isAtEnd := false; !isAtEnd; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachPartition(func(partition kgo.FetchTopicPartition) {
			for _, one := range partition.Records {
				err = emit(describe(one))
				isAtEnd = one.Offset+1 == partition.HighWatermark
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func describe(one *kgo.Record) seen {
	return seen{
		Offset:        one.Offset,
		Key:           string(one.Key),
		Codec:         codecNames[one.Attrs.CompressionType()],
		Transactional: one.Attrs.IsTransactional(),
		Control:       one.Attrs.IsControl(),
	}
}
