/**
 * `npm run bench:decode`: records per second of CPU through decode and validation, for each encoding, beside the fastest way of
 * the libraries to the same end in the same run: avsc (`fromBuffer`, alone and with the JSON that the ledger stores) and
 * JSON.parse with ajv on the generated schema. Rounds are interleaved, medians count. Options: --rounds N, --ms N.
 */
import { parseArgs } from 'node:util';
import { Ajv } from 'ajv';
import avsc, { type Schema } from 'avsc';
import { tableOf } from '../src/cli/output.ts';
import { seededRandom } from '../src/producers/random.ts';
import { story } from '../src/producers/story/story.ts';
import { avroOptions } from '../src/schemas/avro/reader-type.ts';
import { avroSchemaOf } from '../src/schemas/catalogue/avro-schema.ts';
import { jsonSchemaOf } from '../src/schemas/catalogue/json-schema.ts';
import { documentFieldsOf, eventTypes } from '../src/schemas/catalogue/services.ts';
import { decode } from '../src/schemas/decode.ts';
import { payloadRule } from '../src/schemas/payload-rule.ts';
import { registryDecoder } from '../src/schemas/registry/decoder.ts';
import { median } from './figures.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, ms: { type: 'string', default: '700' } },
});

const types = [...eventTypes.values()];
const avroTypes = types.map((type) => avsc.Type.forSchema(avroSchemaOf(type) as Schema, avroOptions()));
const ids = new Map(types.map(({ type }, index) => [type, index + 1]));
/** Free objects travel as text in Avro. */
const orText = (key: string, value: unknown): unknown => (key === 'original_payload' ? {} : value);
const validators = new Map(
  types.map((type) => [
    type.type,
    new Ajv({ strict: false }).compile(JSON.parse(JSON.stringify(jsonSchemaOf(type), orText)) as object),
  ]),
);

const events = Array.from({ length: 40 }, (_, seed) => story(seededRandom(seed), Date.UTC(2026, 2, 2, 8))).flat();
const plain = events.map((event) => Buffer.from(JSON.stringify(event)));
const frame = (id: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, body]);
};
/** As Avro carries them. */
const withTextDocuments = (event: (typeof events)[number]) => {
  const data: Record<string, unknown> = { ...event.event_data };
  for (const name of documentFieldsOf(event.event_type)) {
    if (data[name] !== undefined) data[name] = JSON.stringify(data[name]);
  }
  return { ...event, event_data: data };
};
const idOf = (type: string): number => ids.get(type) ?? 0;
const avro = events.map((event) => {
  const id = idOf(event.event_type);
  return frame(id, avroTypes[id - 1]?.toBuffer(withTextDocuments(event)) ?? Buffer.alloc(0));
});
const jsonBase = 1_000;
const json = events.map((event, index) => frame(jsonBase + idOf(event.event_type), plain[index] ?? Buffer.alloc(0)));

const decoder = registryDecoder({
  registry: {
    fetch: (id) => {
      const type = avroTypes[id - 1];
      return Promise.resolve(type === undefined ? { kind: 'json' } : { kind: 'avro', type });
    },
  },
  judge: payloadRule('enforce'),
});
await decoder.prepare([...avro, ...json]);

let sink = 0;
const accept = (value: Buffer): void => {
  const decoded = decoder.decode(value);
  if (!decoded.accepted) throw new Error(decoded.message);
  sink += decoded.json.length;
};
const avroValue = (value: Buffer): unknown => avroTypes[value.readInt32BE(1) - 1]?.fromBuffer(value.subarray(5));
const ways: Readonly<Record<string, readonly [inputs: readonly Buffer[], work: (value: Buffer) => void]>> = {
  'plain JSON': [plain, accept],
  'plain JSON, payload not checked': [plain, (value) => (sink += decode(value).accepted ? 1 : 0)],
  'framed JSON Schema': [json, accept],
  Avro: [avro, accept],
  'avsc: fromBuffer': [avro, (value) => (sink += avroValue(value) === null ? 0 : 1)],
  'avsc: fromBuffer to JSON': [avro, (value) => (sink += Buffer.from(JSON.stringify(avroValue(value))).length)],
  'avsc to JSON, and ajv': [
    avro,
    (value) => {
      const event = avroValue(value) as { event_type: string };
      if (validators.get(event.event_type)?.(event) !== true) throw new Error('ajv refuses');
      sink += Buffer.from(JSON.stringify(event)).length;
    },
  ],
  'JSON.parse and ajv': [
    plain,
    (value) => {
      const event = JSON.parse(value.toString()) as { event_type: string };
      if (validators.get(event.event_type)?.(event) !== true) throw new Error('ajv refuses');
      sink++;
    },
  ],
};

/** Records per second of CPU, so that what else runs on the machine takes no part in it. */
const perSecond = (inputs: readonly Buffer[], work: (value: Buffer) => void, ms: number): number => {
  const started = process.cpuUsage();
  let count = 0;
  for (;;) {
    for (const value of inputs) work(value);
    count += inputs.length;
    const { user, system } = process.cpuUsage(started);
    if (user + system >= ms * 1000) return (count / (user + system)) * 1e6;
  }
};

const results = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const [name, [inputs, work]] of Object.entries(ways)) {
    const rate = perSecond(inputs, work, Number(values.ms));
    // The first round warms up.
    if (round > 0) results.get(name)?.push(rate);
  }
}
const rate = (name: string): number => median(results.get(name) ?? []);
const bytes = Math.round(plain.reduce((sum, value) => sum + value.length, 0) / plain.length);
const rows = Object.keys(ways).map((name) => [
  name,
  Math.round(rate(name)).toLocaleString('en'),
  (1e6 / rate(name)).toFixed(1),
]);
console.log(`${events.length} events of the seven services, ${bytes} bytes of JSON each on average (${sink % 10})\n`);
console.log(tableOf(['way', 'records/s', 'µs'], rows, [1, 2]));
const ratio = (one: string, other: string) => `${one} / ${other}: ${(rate(one) / rate(other)).toFixed(2)}`;
console.log(
  [
    '',
    ratio('Avro', 'avsc to JSON, and ajv'),
    ratio('Avro', 'avsc: fromBuffer to JSON'),
    ratio('Avro', 'avsc: fromBuffer'),
    ratio('plain JSON', 'JSON.parse and ajv'),
  ].join('\n'),
);
