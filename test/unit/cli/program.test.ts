import { describe, expect, test } from '@jest/globals';
import type { Audited } from '../../../src/cli/audit.ts';
import type { Commands, FoundEvent, InitResult, Status } from '../../../src/cli/commands.ts';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import { runCli } from '../../../src/cli/program.ts';
import type { Config } from '../../../src/config.ts';
import type { Verified } from '../../../src/cli/receipts.ts';
import { errorTable, PipelineError } from '../../../src/errors.ts';
import { someCheckpoint } from '../../support/checkpoints.ts';
import { nodeCrypto, testSeed } from '../../support/note-crypto.ts';

const config = { kafka: { topic: 't' } } as Config;

const made: InitResult = {
  database: 'audit',
  ledgerId: 'id',
  genesis: 'ab'.repeat(32),
  trustedStateFile: '/state',
  topicsCreated: ['audit.events'],
  problems: [{ severity: 'warn', topic: 'audit.events', problem: 'one replica', advice: 'use three' }],
  user: 'pipeline',
  kafkaRights: ['kafka-acls --add'],
};
const status: Status = {
  database: 'audit',
  ledgerId: 'id',
  genesis: 'ab'.repeat(32),
  transactions: 7n,
  topic: 'audit.events',
  log: 1,
  incarnation: 1,
  group: 'g',
  lag: 2n ** 60n,
  partitions: [
    { partition: 0, logStart: 0n, logEnd: 9n, ledgerNext: 7n, committed: 7n, lag: 2n, lastTx: 7n, lost: 0n },
    { partition: 1, logStart: 5n, logEnd: 9n, ledgerNext: 2n, committed: null, lag: 4n, lastTx: null, lost: 3n },
  ],
  problems: [],
};
const found: FoundEvent = {
  eventId: '0198c2f4-7c1e-7abc-8def-0123456789ab',
  tx: 7n,
  source: {
    log: 1,
    partition: 2,
    offset: 3n,
    timestamp: 1_700_000_000_000n,
    sha256: 'aa',
    recordSha256: 'bb',
    encoding: 'json',
  },
  json: Buffer.from('{"event_type":"x"}'),
};

const tally = { held: 4, of: 5 };
const audited: Audited = {
  ...{ database: 'audit', holds: false, stalledIndex: null, tookMs: 1, eventsPerSecond: 1 },
  ...{ transactions: tally, events: tally, offsets: tally, postings: tally, checkpoints: null },
  ...{ originals: null, deadLetters: null, reworded: { held: 0, of: 0, gone: 0 } },
  end: { tx: 5n, alh: 'ab'.repeat(32) },
  anchors: ['the pinned genesis'],
  deviations: { total: 1, byKind: { chain: 1 }, listed: [{ kind: 'chain', tx: 3n, key: null, what: 'changed' }] },
};
const verified: Verified = {
  kind: 'receipt',
  eventId: found.eventId,
  event: '{"event_type":"x"}',
  source: { ...found.source, encoding: 'json' },
  tx: 7n,
  entry: { leaf: 0, of: 4 },
  committedAt: 1_700_000_000n,
  checkpoint: someCheckpoint,
  signedBy: { trust: 'pinned', keys: [nodeCrypto.signerOf(testSeed('audit.test')).key] },
  ledgerSignature: 'absent',
};

const cli = async (line: readonly string[], more: Partial<Commands> = {}, isWatched = false) => {
  let out = '';
  let err = '';
  const asked: unknown[][] = [];
  const answer =
    <T>(value: T) =>
    (...args: unknown[]) => {
      asked.push(args);
      return Promise.resolve(value);
    };
  const files: (string | undefined)[] = [];
  const code = await runCli(line, {
    version: '9.9.9',
    loadConfig: (file) => {
      files.push(file);
      return config;
    },
    describeConfig: () => ({ 'kafka.topic': 't', 'ledger.genesis': null }),
    output: { out: (text) => void (out += text), err: (text) => void (err += text), colour: false, isWatched },
    commands: {
      init: answer(made),
      status: answer(status),
      getEvent: answer(found),
      audit: answer(audited),
      logReopen: answer({ topic: 't', log: 2, incarnation: 2 }),
      gapAccept: answer({ partition: 3, from: 4n, to: 9n, tx: 8n }),
      run: answer(0),
      schemas: answer([{ subject: 't-a.b', type: 'a.b', id: 7, problems: [] }]),
      schemaOf: (type, format) => ({ type, format }),
      makeKey: answer({ file: '/k', publicKey: 'n+00000000+AQ==' }),
      receipt: answer('{}\n'),
      verify: answer(verified),
      exportEvents: answer({ file: '/f', manifest: '/f.manifest.json', events: 3n, tx: 7n, isComplete: true }),
      showKeys: answer([{ publicKey: 'n+00000000+AQ==', role: 'signs' as const, file: '/k' }]),
      breaker: answer([{ partition: 3, next: 7n, tx: 9n, why: 'too many' }]),
      breakerRelease: answer([{ partition: 3, next: 7n, tx: 10n }]),
      deadLetters: () => Promise.reject(new Error('no desk in this test')),
      produce: answer({ valid: 5, poison: 1, duplicates: 2, tookMs: 1500 }),
      ...more,
    },
  });
  return { code, out, err, asked, files };
};

describe('what commands are asked', () => {
  test('options reach the command as typed values', async () => {
    const { asked } = await cli(['init', '--partitions', '12', '--user', 'p', '--user-password-file', '/f']);
    const user = { username: 'p', passwordFile: '/f', permission: 'readWrite' };
    expect(asked).toEqual([[config, { partitions: 12, user }]]);
  });

  test('an act asks who and why', async () => {
    const { asked, code } = await cli(['gap', 'accept', '3', '--by', ' ada ', '--why', 'ticket']);
    expect([code, asked]).toEqual([0, [[config, 3, { by: 'ada', why: 'ticket' }]]]);
    expect((await cli(['log', 'reopen', '--by', 'ada', '--why', 'x'])).asked).toEqual([
      [config, { by: 'ada', why: 'x' }],
    ]);
  });

  test('--config names the file, before or after the command', async () => {
    expect((await cli(['-c', 'a.yaml', 'status'])).files).toEqual(['a.yaml']);
    expect((await cli(['status', '-c', 'a.yaml'])).files).toEqual(['a.yaml']);
    expect((await cli(['status'])).files).toEqual([undefined]);
  });

  test('schemas are checked and published in one format, and end with 71 if one does not fit', async () => {
    expect((await cli(['schemas', 'check'])).asked).toEqual([[config, { act: 'check', format: 'avro' }]]);
    const { asked, out } = await cli(['schemas', 'publish', '--format', 'json']);
    expect(asked).toEqual([[config, { act: 'publish', format: 'json' }]]);
    expect(out).toMatch(/t-a\.b +7[^]*1 schemas, all compatible/);
    const problems = ['cannot read what is written now'];
    const refused = await cli(['schemas', 'check'], {
      schemas: () => Promise.resolve([{ subject: 't-a.b', type: 'a.b', id: null, problems }]),
    });
    expect(refused.code).toBe(71);
    expect(refused.out).toMatch(/not compatible t-a\.b: cannot read/);
    expect(JSON.parse((await cli(['schemas', 'print', 'a.b'])).out)).toEqual({ type: 'a.b', format: 'avro' });
  });

  test('an audit ends with 30 when something deviates, and says what', async () => {
    const { code, out, asked } = await cli(['audit', '--ledger-only']);
    expect([code, asked]).toEqual([
      30,
      [[config, { isLedgerOnly: true, isFromCheckpoint: false, onProgress: expect.any(Function) as unknown }]],
    ]);
    expect(out).toContain('✗ chain: transaction 3: changed');
    const json = await cli(['audit', '--json']);
    expect([json.code, JSON.parse(json.out)]).toMatchObject([30, { holds: false, end: { tx: '5' } }]);
  });

  test('run ends with its own code', async () => {
    expect((await cli(['run'], { run: () => Promise.resolve(44) })).code).toBe(44);
  });
});

describe('what a person typed wrong', () => {
  test.each([
    [[], /Usage: immutrail/],
    [['frob'], /unknown command 'frob'/],
    [['statsu'], /Did you mean status/],
    [['get'], /missing required argument 'event_id'/],
    [['init', '--partitions', '0'], /--partitions is a whole number from 1 on/],
    [['init', '--user', 'p'], /--user and --user-password-file belong together/],
    [['schemas', 'check', '--format', 'xml'], /--format is avro or json/],
    [['log'], /Usage: immutrail log/],
    [['log', 'reopen'], /required option '--by <name>'/],
    [['log', 'reopen', '--by', 'ada', '--why', ' '], /--why must say something/],
    [['gap', 'accept', 'x', '--by', 'a', '--why', 'b'], /partition is a whole number from 0 on/],
    [['produce', '--count', '1.5'], /--count is a whole number/],
    [['keys', 'make'], /missing required argument 'file'/],
    [['receipt', 'x', '--wait', 'long'], /--wait is a number of seconds/],
    [['export', '--type', 'x'], /required option '--out <file>'/],
    [['export', '--out', 'x'], /say which events/],
    [['export', '--out', 'x', '--type', 'a', '--correlation', 'b'], /exclude each other/],
  ])('%j ends with 2, says why, and shows no stack', async (line, why) => {
    const { code, err, out, asked } = await cli(line);
    expect([code, out, asked]).toEqual([2, '', []]);
    expect(err).toMatch(why);
    expect(err).not.toMatch(/^\s+at /m);
  });
});

describe('errors', () => {
  const fails = (error: Error) => ({ status: () => Promise.reject(error) });

  test('one line each: what, because, do; the code is the exit code of the table', async () => {
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:3322\nsecond line');
    const { code, err } = await cli(
      ['status'],
      fails(new PipelineError('LEDGER_UNAVAILABLE', 'opening a session', { cause })),
    );
    expect(code).toBe(75);
    expect(err.trimEnd().split('\n')).toEqual([
      'error LEDGER_UNAVAILABLE: opening a session',
      '  because: connect ECONNREFUSED 127.0.0.1:3322',
      `  do:      ${errorTable.LEDGER_UNAVAILABLE.advice}`,
    ]);
  });

  test('the stack of a bug shows with --verbose only', async () => {
    const quiet = await cli(['status'], fails(new TypeError('x is undefined')));
    expect([quiet.code, /^\s+at /m.test(quiet.err)]).toEqual([1, false]);
    expect((await cli(['--verbose', 'status'], fails(new TypeError('x is undefined')))).err).toMatch(/^\s+at /m);
    const mistake = await cli(['--verbose', 'status'], fails(new PipelineError('USAGE', 'x')));
    expect(mistake.err).not.toMatch(/^\s+at /m);
  });
});

describe('proofs', () => {
  test('keys and verify need no configuration, receipt and export do', async () => {
    for (const line of [
      ['keys', 'make', '/k'],
      ['keys', 'show', '/k'],
      ['verify', '/f'],
    ])
      expect((await cli(line)).files).toEqual([]);
    for (const line of [
      ['receipt', 'x'],
      ['export', '--type', 'x', '--out', '/f'],
    ])
      expect((await cli(line)).files).toHaveLength(1);
  });

  test('verify is told keys and the key of immudb', async () => {
    const { asked } = await cli(['verify', '/f', '--key', 'a', 'b', '--immudb-key', '/pem']);
    expect(asked).toEqual([['/f', { keys: ['a', 'b'], ledgerKeyFile: '/pem' }]]);
  });

  test.each([
    ['pinned', 0, '✓ it is signed by'],
    ['first use', 49, 'anybody may have made it'],
    ['absent', 49, 'nobody whose key is known signed it'],
  ] as const)('a signer that is %s ends with %i and is said so', async (trust, exit, said) => {
    const signedBy = { trust, keys: trust === 'absent' ? [] : verified.signedBy.keys };
    const found = { ...verified, signedBy };
    const plain = await cli(['verify', '/f'], { verify: () => Promise.resolve(found) });
    expect([plain.code, plain.err, plain.out.includes(said)]).toEqual([exit, '', true]);
    const json = await cli(['--json', 'verify', '/f'], { verify: () => Promise.resolve(found) });
    expect([json.code, JSON.parse(json.out)]).toMatchObject([exit, { holds: true, signer: { trust } }]);
  });

  test('what does not hold ends with 48, and nothing is printed as if it did', async () => {
    const error = new PipelineError('VERIFY_FAILED', 'inclusion path does not lead to the root');
    const { code, out, err } = await cli(['verify', '/f'], { verify: () => Promise.reject(error) });
    expect([code, out]).toEqual([48, '']);
    expect(err).toContain('does not lead to the root');
  });

  test('an export says what it is and whether it is complete', async () => {
    expect((await cli(['export', '--type', 'x', '--out', '/f'])).out).toContain('complete: every transaction was read');
    const { asked } = await cli(['export', '--type', 'x', '--since', 's', '--out', '/f', '--csv', '--walk']);
    expect(asked[0]?.[1]).toEqual({ file: '/f', type: 'x', since: 's', isCsv: true, isWalk: true });
  });
});

describe('results', () => {
  test('--json is one object with 64-bit numbers as text, on stdout alone', async () => {
    const { out, err } = await cli(['--json', 'status']);
    expect(JSON.parse(out)).toMatchObject({ lag: '1152921504606846976', partitions: [{ ledgerNext: '7' }, {}] });
    expect(err).toBe('');
    const event = JSON.parse((await cli(['--json', 'get', found.eventId])).out) as unknown;
    expect(event).toMatchObject({ tx: '7', event: { event_type: 'x' } });
    expect(event).not.toHaveProperty('json');
  });

  test('the table of status has a row for each partition and says what was lost', async () => {
    const { out } = await cli(['status']);
    expect(out).toMatch(/^partition +log start +log end +ledger next +committed +lag +last tx/m);
    expect(out).toMatch(/^ +0 +0 +9 +7 +7 +2 +7$/m);
    expect(out).toMatch(/^ +1 +5 +9 +2 +- +4 +- +3 lost below the log start: immutrail gap accept 1/m);
    expect(out).not.toContain('\u001b');
  });

  test('init says what to pin and what is wrong with the topics', async () => {
    const { out } = await cli(['init']);
    expect(out).toContain(`IMMUTRAIL_LEDGER_GENESIS=${made.genesis}`);
    expect(out).toContain('warning topic audit.events: one replica; use three');
  });

  test('get shows the event and where it came from', async () => {
    const { out } = await cli(['get', found.eventId]);
    expect(out).toContain('in transaction 7 (proven)');
    expect(out).toContain('log 1 partition 2 offset 3');
    expect(out).toContain('"event_type": "x"');
  });

  test('gap accept names the last offset that is lost', async () => {
    expect((await cli(['gap', 'accept', '3', '--by', 'a', '--why', 'b'])).out).toContain('offsets 4 to 8 are accepted');
  });

  test('config prints every value', async () => {
    expect((await cli(['config'])).out).toBe('kafka.topic: t\nledger.genesis: null\n');
  });
});

describe('progress', () => {
  const produce: Commands['produce'] = (_, { onProgress }) => {
    onProgress?.(1, 8);
    onProgress?.(8, 8);
    return Promise.resolve({ valid: 5, poison: 1, duplicates: 2, tookMs: 1500 });
  };

  test('is written over on a terminal and taken away in the end', async () => {
    const { err, out } = await cli(['produce'], { produce }, true);
    expect(err).toContain('published 1 of 8 (12 %)');
    expect(err.endsWith('\r\u001b[2K')).toBe(true);
    expect(out).toBe('produced 8 records: 5 events, 2 duplicates, 1 poison, in 1.5 s\n');
  });

  test('is silent where nobody watches, and is taken away when the command fails', async () => {
    expect((await cli(['produce'], { produce })).err).toBe('');
    const failing: Commands['produce'] = (_, { onProgress }) => {
      onProgress?.(1, 8);
      return Promise.reject(new PipelineError('KAFKA_UNAVAILABLE', 'publishing'));
    };
    expect((await cli(['produce'], { produce: failing }, true)).err).toMatch(/\r\u001b\[2Kerror KAFKA_UNAVAILABLE/);
  });
});

describe('help', () => {
  test('lists every exit code there is', async () => {
    const { out, code } = await cli(['--help']);
    expect(code).toBe(0);
    for (const one of exitCodes()) expect(out).toMatch(new RegExp(`^ +${String(one.code)}  ${one.meaning}$`, 'm'));
  });

  test.each(
    ['init', 'run', 'status', 'get', 'produce', 'log reopen', 'gap accept', 'keys make', 'keys show', 'receipt'].concat(
      ['verify', 'export'],
    ),
  )('%s teaches by example', async (name) => {
    const { out, code } = await cli([...name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^ {2}\\$ .*immutrail ${name}`, 'm'));
  });

  test('--version', async () => {
    expect((await cli(['--version'])).out).toBe('9.9.9\n');
  });
});

test('exit codes: no two halts share one, and 0, 2 and 75 mean what they mean everywhere', () => {
  const halts = Object.values(errorTable).filter(({ disposition }) => disposition === 'halt');
  expect(new Set(halts.map(({ exitCode }) => exitCode)).size).toBe(halts.length);
  expect(halts.some(({ exitCode }) => [0, 2, 75].includes(exitCode) || exitCode > 125)).toBe(false);
  const codes = new Map(exitCodes().map(({ code, meaning }) => [code, meaning]));
  expect([codes.get(0), codes.get(2), codes.get(75)]).toEqual(['done', 'usage', 'gave up waiting']);
});
