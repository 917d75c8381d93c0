// The directions of docs/architecture.md. `npm run check` fails on any import against them.
const only = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** Only these files may import a library; each has one owner. */
const owned = (library, owners) =>
  only(
    `${library.replaceAll(/[^a-z-]/g, '')}-has-one-owner`,
    `${library} is behind ${owners}`,
    { path: '^src/', pathNot: owners },
    { path: `^node_modules/${library}/` },
  );

export default {
  forbidden: [
    only(
      'no-cycles',
      'a cycle has no direction',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    only(
      'no-tests-in-src',
      'src never imports test, bench or scripts',
      { path: '^src/' },
      { path: '^(test|bench|scripts|stack)/' },
    ),
    only('proofs-know-nothing', 'proofs run in a browser, too', { path: '^src/proofs/' }, { path: '^src/(?!proofs/)' }),
    only(
      'proofs-need-no-node',
      'proofs run in a browser, too',
      { path: '^src/proofs/' },
      { dependencyTypes: ['core', 'npm'] },
    ),
    only('errors-know-nothing', 'errors are at the bottom', { path: '^src/errors\\.ts$' }, { path: '^src/' }),
    only(
      'schemas-know-errors-only',
      'schemas are shapes',
      { path: '^src/schemas/' },
      { path: '^src/(?!schemas/|errors\\.ts$)' },
    ),
    only(
      'consumers-know-no-sinks',
      'in and out never meet',
      { path: '^src/consumers/' },
      { path: '^src/(?!consumers/|schemas/|errors\\.ts$)' },
    ),
    only(
      'sinks-know-no-consumers',
      'in and out never meet',
      { path: '^src/sinks/' },
      { path: '^src/(?!sinks/|schemas/|proofs/|errors\\.ts$)' },
    ),
    only(
      'pipeline-knows-the-ports',
      'the pipeline decides, and does no I/O of its own',
      { path: '^src/pipeline/' },
      { path: '^src/(?!pipeline/|schemas/|errors\\.ts$|consumers/[a-z]+\\.ts$|sinks/(sink|dead-letters)\\.ts$)' },
    ),
    only(
      'queries-read',
      'queries know the ledger and the proofs',
      { path: '^src/queries/' },
      { path: '^src/(?!queries/|sinks/immudb/|sinks/thread\\.ts$|proofs/|schemas/|errors\\.ts$)' },
    ),
    only(
      'redrive-acts-on-the-ledger',
      'acts on dead letters know the ledger and its letters; Kafka is a port',
      { path: '^src/redrive/' },
      { path: '^src/(?!redrive/|sinks/|proofs/|schemas/|errors\\.ts$)' },
    ),
    only(
      'producers-are-for-services',
      'a service imports nothing of the pipeline',
      { path: '^src/producers/' },
      { path: '^src/(?!producers/|schemas/|errors\\.ts$)' },
    ),
    only(
      'only-main-knows-wire',
      'the composition root is imported by the entry alone',
      { path: '^src/(?!wire/|main\\.ts$)' },
      { path: '^src/wire/' },
    ),
    only(
      'faces-are-thin',
      'http and cli know no pipeline',
      { path: '^src/(http|cli)/' },
      { path: '^src/(pipeline|consumers|sinks)/' },
    ),
    owned('kafkajs', '^src/consumers/kafka/'),
    owned('@grpc/grpc-js', '^src/sinks/immudb/'),
    owned('protobufjs', '^src/sinks/immudb/proto/'),
    owned('pino', '^src/log\\.ts$'),
    owned('pino-pretty', '^src/log\\.ts$'),
    owned('prom-client', '^src/telemetry/metrics\\.ts$'),
    owned('fastify', '^src/http/server\\.ts$'),
    owned('commander', '^src/cli/'),
    owned('cli-table3', '^src/cli/output\\.ts$'),
    owned('picocolors', '^src/cli/output\\.ts$'),
    owned('bottleneck', '^src/sinks/bucket\\.ts$'),
    owned('@kafkajs/confluent-schema-registry', '^src/schemas/registry/client\\.ts$'),
    owned('avsc', '^src/schemas/(avro|registry)/'),
    owned('yaml', '^src/config/'),
    owned('snappy', '^src/consumers/kafka/codecs\\.ts$'),
    owned('lz4-napi', '^src/consumers/kafka/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js'] },
  },
};
