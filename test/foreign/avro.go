package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/sr"
)

// avroEncoder encodes JSON texts with the newest schema of a subject, in the frame of the registry.
func avroEncoder(ctx context.Context, url, subject string) (encoder, error) {
	registry, err := sr.NewClient(sr.URLs(url))
	if err != nil {
		return nil, err
	}
	found, err := registry.SchemaByVersion(ctx, subject, -1)
	if err != nil {
		return nil, err
	}
	schema, err := avro.Parse(found.Schema.Schema)
	if err != nil {
		return nil, err
	}
	serde := sr.NewSerde(sr.EncodeFn(func(value any) ([]byte, error) { return avro.Marshal(schema, value) }))
	serde.Register(found.ID, map[string]any{})
	return func(text string) ([]byte, error) {
		var event map[string]any
		if err := json.Unmarshal([]byte(text), &event); err != nil {
			return nil, err
		}
		shaped, err := shape(schema, event)
		if err != nil {
			return nil, err
		}
		return serde.Encode(shaped)
	}, nil
}

// shape gives JSON values the types that the schema asks for: fields that are absent are null, whole numbers are not
// floating, and what is not null in a union is named by its type.
func shape(schema avro.Schema, value any) (any, error) {
	switch schema := schema.(type) {
	case *avro.RecordSchema:
		members, isObject := value.(map[string]any)
		if !isObject {
			return nil, fmt.Errorf("%s is a record, not %v", schema.Name(), value)
		}
		shaped := map[string]any{}
		for _, field := range schema.Fields() {
			inner, err := shape(field.Type(), members[field.Name()])
			if err != nil {
				return nil, err
			}
			shaped[field.Name()] = inner
		}
		return shaped, nil
	case *avro.UnionSchema:
		if value == nil {
			return nil, nil
		}
		inner := schema.Types()[1]
		shaped, err := shape(inner, value)
		return map[string]any{nameOf(inner): shaped}, err
	default:
		if number, isNumber := value.(float64); isNumber && schema.Type() == avro.Long {
			return int64(number), nil
		}
		return value, nil
	}
}

func nameOf(schema avro.Schema) string {
	if named, isNamed := schema.(avro.NamedSchema); isNamed {
		return named.FullName()
	}
	return string(schema.Type())
}
