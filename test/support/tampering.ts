import { setTimeout as sleep } from 'node:timers/promises';
import { cp, rm } from 'node:fs/promises';
import type { Config } from '../../src/config.ts';
import { loadConfig } from '../../src/config.ts';
import type { Audited } from '../../src/cli/audit.ts';
import { PipelineError } from '../../src/errors.ts';
import { alh, type TxHeader } from '../../src/proofs/header.ts';
import type { Tx } from '../../src/sinks/immudb/answers.ts';
import { sha256 } from '../../src/sinks/immudb/sha256.ts';
import { audit } from '../../src/wire/audit.ts';
import { getEvent } from '../../src/wire/acts.ts';
import { connectLedger } from '../../src/wire/connect.ts';
import type { Stack } from '../../stack/stack.ts';
import {
  cutBehind,
  databaseFiles,
  deleteIndexes,
  flipBeforeHash,
  forgeEntry,
  replaceIn,
  type Consistency,
  type DatabaseFiles,
} from './immudb-files.ts';
import { load } from './load.ts';
import { openSite, type Site } from './pipeline-process.ts';
import { connect } from './written-ledger.ts';

/** What a tool says of a ledger. Null: it finds nothing wrong. */
export type Said = string | null;
type Tool = 'run' | 'audit' | 'get';

/** A way to falsify a ledger behind the back of its server, who must find it, and by what words. */
export type Attempt = {
  readonly name: string;
  /** In the order of `tries`: each makes another change of the same kind. */
  readonly tries: number;
  /** The server is stopped and its data as the pipeline left it. */
  readonly hurt: (at: Place, turn: number) => Promise<void> | void;
  /** Made in every run of the tests, once. */
  readonly isSample?: true;
  /**
   * Each of these tools must say something like this. What is not named here may go unnoticed by it; where none is
   * named, nothing of the trail is changed, and the audit must hold.
   */
  readonly found: Readonly<Partial<Record<Tool, RegExp>>>;
};

export type Place = {
  readonly files: DatabaseFiles;
  /** Of every transaction as it was written. */
  readonly txs: readonly Tx[];
  /** The transaction that is hurt, some way from the end: an event is its entry 0. */
  readonly victim: (turn: number) => Tx;
  readonly site: TamperedSite;
};

export type TamperedSite = {
  readonly stack: Stack;
  readonly site: Site;
  readonly config: Config;
  readonly copies: { readonly middle: string; readonly end: string };
  readonly txs: readonly Tx[];
  close(): Promise<void>;
};

/** Members that a test kills are missed sooner. */
export const tamperedStackOptions = { kafka: { properties: { 'group.min.session.timeout.ms': '1000' } } } as const;

const events = 600;
const perTransaction = 20;
const deadlineMs = 1500;

/** A site whose pipeline wrote some thirty transactions; the data folder was copied half way and at the end. */
export const makeTamperedSite = async (stack: Stack): Promise<TamperedSite> => {
  const env = {
    IMMUTRAIL_BATCH_MAX_EVENTS: String(perTransaction),
    IMMUTRAIL_LEDGER_DEADLINE_MS: String(deadlineMs),
  };
  const site = await openSite(stack, { partitions: 2, env });
  const { server, dataDir } = stack.immudb;
  if (dataDir === undefined) throw new Error('tampering needs a native server');
  const copies = { middle: `${dataDir}-middle`, end: `${dataDir}-end` };
  for (const copy of [copies.middle, copies.end]) {
    await writeSome(stack, site);
    await server.stop();
    await cp(dataDir, copy, { recursive: true });
    await server.start();
  }
  const client = await connect(stack.immudb, site.database);
  const txs = await client.txScan(1n, 1000, 'raw').finally(() => client.close());
  const environment = { ...site.env, IMMUTRAIL_LEDGER_GENESIS: site.genesis };
  const config = loadConfig({ environment });
  await (await connectLedger(config)).close(); // what is trusted is as new as the ledger
  const close = async () => {
    await site.close();
    for (const copy of [copies.middle, copies.end]) await rm(copy, { recursive: true, force: true });
  };
  return { stack, site, config, copies, txs: txs.map(ownCopy), close };
};

/** What a client answers views the whole answer. */
const ownCopy = ({ header, entries }: Tx): Tx => ({
  header,
  entries: entries.map((entry) => ({
    ...entry,
    storedKey: Buffer.from(entry.storedKey),
    storedValue: Buffer.from(entry.storedValue),
    hValue: Buffer.from(entry.hValue),
  })),
});

const writeSome = async (stack: Stack, site: Site): Promise<void> => {
  const running = await site.run();
  await load(stack, { topic: site.topic, count: events / 2, duplicateEvery: 17, poisonEvery: 23 });
  await caughtUp(site);
  running.kill('SIGTERM');
  await running.exited;
};

const caughtUp = async (site: Site, env: Readonly<Record<string, string>> = {}): Promise<void> => {
  const until = performance.now() + 90_000;
  for (;;) {
    const { out, err } = await site.command(['status', '--json'], env);
    if (out !== '' && (JSON.parse(out) as { lag: string }).lag === '0') return;
    if (performance.now() > until) throw new Error(`the ledger does not cover the topic: ${out}${err}`);
    await sleep(200);
  }
};

/** The pipeline, told to trust what is there, writes what Kafka still has onto the ledger that was put in place. */
const writeAnew = async ({ stack, site }: TamperedSite, isNew: boolean): Promise<void> => {
  await stack.immudb.server.start();
  const trusted = `${stack.immudb.dataDir ?? ''}-other-trust.json`;
  await rm(trusted, { force: true });
  const env = { IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE: trusted, IMMUTRAIL_BATCH_MAX_EVENTS: String(perTransaction / 2) };
  let genesis = site.genesis;
  if (isNew) genesis = (JSON.parse((await site.command(['--json', 'init'], env)).out) as { genesis: string }).genesis;
  const pinned = { ...env, IMMUTRAIL_LEDGER_GENESIS: genesis };
  const running = await site.run(pinned);
  await caughtUp(site, pinned);
  running.kill('SIGTERM');
  await running.exited;
  await stack.immudb.server.stop();
  await rm(trusted, { force: true });
};

/** The tools that must find this attempt and did not, with what they said instead. */
export const unfound = (said: Readonly<Record<Tool, Said>>, { found }: Attempt): [tool: string, said: Said][] =>
  Object.keys(found).length === 0
    ? said.audit === null
      ? []
      : [['audit', said.audit]]
    : (Object.entries(found) as [Tool, RegExp][])
        .filter(([tool, words]) => !words.test(said[tool] ?? ''))
        .map(([tool]) => [tool, said[tool]]);

/** Puts the data back, hurts it, starts the server, and asks every tool. */
export const tried = async (
  at: TamperedSite,
  attempt: Attempt,
  turn: number,
): Promise<Readonly<Record<Tool, Said>>> => {
  const { server, dataDir = '' } = at.stack.immudb;
  await server.stop();
  await restore(at.copies.end, dataDir);
  const files = databaseFiles(dataDir, at.site.database);
  await attempt.hurt({ files, txs: at.txs, victim: (round) => victimOf(at.txs, round), site: at }, turn);
  await server.start();
  return {
    audit: await saidBy(async () => auditSays(await audit(at.config, { isLedgerOnly: false }))),
    run: await saidBy(async () => {
      await (await connectLedger(at.config)).close();
      return null;
    }),
    get: await saidBy(async () => {
      await getEvent(at.config, eventIdOf(victimOf(at.txs, turn)));
      return null;
    }),
  };
};

const restore = async (from: string, to: string): Promise<void> => {
  await rm(to, { recursive: true, force: true });
  await cp(from, to, { recursive: true });
};

const saidBy = async (act: () => Promise<Said>): Promise<Said> => {
  try {
    return await act();
  } catch (error) {
    if (error instanceof PipelineError) return `${error.code}: ${error.message}`;
    throw error;
  }
};

const auditSays = ({ holds, deviations, stalledIndex }: Audited): Said =>
  holds
    ? null
    : [
        ...deviations.listed.map(({ kind, tx, what }) => `${kind} ${String(tx)}: ${what}`),
        ...(stalledIndex === null ? [] : ['stalled index']),
      ].join('\n');

/** Transactions of events from the fourth on, another one for each turn; never the last. */
const victimOf = (txs: readonly Tx[], turn: number): Tx => {
  const eligible = txs.slice(3, -2).filter(({ entries }) => isEvent(entries[0]?.storedKey));
  const tx = eligible[(turn * 5) % eligible.length];
  if (tx === undefined) throw new Error('the site has too few transactions');
  return tx;
};

const isEvent = (storedKey: Buffer | undefined): boolean =>
  storedKey?.subarray(1).toString().startsWith('event/') === true;
const eventIdOf = ({ entries }: Tx): string => entries[0]?.storedKey.subarray(1).toString().replace('event/', '') ?? '';

const entryOf = (tx: Tx, prefix: string): number => {
  const at = tx.entries.findIndex(({ storedKey }) => storedKey.subarray(1).toString().startsWith(prefix));
  if (at === -1) throw new Error(`transaction ${tx.header.id.toString()} has no ${prefix}`);
  return at;
};

/** The last letters of the text that a test event carries, so that it stays an event. */
const otherNote = (value: Buffer): Buffer => changed(value, 'xxx', 'yyy');
const changed = (value: Buffer, from: string, to: string): Buffer => {
  const at = value.indexOf(from);
  if (at === -1) throw new Error(`the value has no ${from}`);
  const made = Buffer.from(value);
  made.write(to, at, 'latin1');
  return made;
};

const forge =
  (
    consistency: Consistency,
    more: (files: DatabaseFiles) => void = () => undefined,
    prefix = 'event/',
    change = otherNote,
  ) =>
  ({ files, victim }: Place, turn: number): void => {
    const tx = victim(turn);
    forgeEntry(files, tx, entryOf(tx, prefix), change, consistency);
    more(files);
  };

const lastOf = (txs: readonly Tx[]): Tx => {
  const last = txs.findLast(({ entries }) => isEvent(entries[0]?.storedKey));
  if (last === undefined) throw new Error('no transaction of events');
  return last;
};
const headerAt = (txs: readonly Tx[], fromEnd: number): TxHeader => {
  const tx = txs.at(-1 - fromEnd);
  if (tx === undefined) throw new Error('too few transactions');
  return tx.header;
};

const notFollowed = /^chain \d+: it is not the transaction that \d+ was written after/m;
const corrupted = /LEDGER_CORRUPTED: .*data is corrupted/;
const rolledBack = /^trust null: it ends at transaction \d+, but \d+ was seen: it was rolled back/m;

/** docs/tamper.md has the same attempts, with the same figures. */
export const attempts: readonly Attempt[] = [
  {
    name: 'a byte of a stored event, in the value log',
    tries: 3,
    hurt: forge('value'),
    found: { audit: /^unreadable \d+: its values cannot be read: .*value length or digest mismatch/m, get: corrupted },
  },
  {
    name: 'the event and its hash, in the value log and the transaction log',
    tries: 3,
    hurt: forge('value-and-hash'),
    found: { audit: /^unreadable \d+: it cannot be read: .*ALH mismatch/m, get: corrupted },
  },
  {
    name: 'a bit of the head of a transaction',
    tries: 3,
    // Some way before the hash at its end lies the last entry: its key and its hash.
    hurt: ({ files, victim }, turn) => flipBeforeHash(files, victim(turn).header, 20 + turn),
    found: { audit: /^unreadable \d+: it cannot be read: /m },
  },
  {
    name: 'the same, with the index deleted: it is never built again, and reads by key hang',
    isSample: true,
    tries: 1,
    hurt: ({ files, victim }, turn) => {
      flipBeforeHash(files, victim(turn).header, 20);
      deleteIndexes(files);
    },
    found: { audit: /^unreadable \d+: it cannot be read: .*ALH mismatch[^]*stalled index/m, get: /LEDGER_TIMEOUT/ },
  },
  {
    name: 'a transaction rewritten consistently: event, hash, accumulated hash',
    tries: 3,
    hurt: forge('transaction'),
    found: { audit: notFollowed, get: corrupted },
  },
  {
    name: 'the same, with the index deleted: the server serves the forgery as its own',
    isSample: true,
    tries: 3,
    hurt: forge('transaction', deleteIndexes),
    found: { audit: notFollowed, get: /LEDGER_PROOF_FAILED/ },
  },
  {
    name: 'a row of a posting, consistently, with the index deleted',
    tries: 2,
    hurt: forge('transaction', deleteIndexes, 'time/', (value) => changed(value, '"success"', '"failure"')),
    found: {
      audit:
        /^chain \d+: it is not[^]*^posting \d+: the row of event .* is not what the event says|^posting[^]*^chain/m,
    },
  },
  {
    name: 'a mark, consistently, with the index deleted',
    isSample: true,
    tries: 2,
    hurt: forge('transaction', deleteIndexes, 'mark/', (value) => {
      const at = value.indexOf('"writer":"') + '"writer":"'.length;
      return changed(value, value.toString('latin1', at, at + 4), 'ffff');
    }),
    found: { audit: notFollowed },
  },
  {
    name: 'the last transaction rewritten, with every copy of its hash',
    isSample: true,
    tries: 1,
    hurt: ({ files, txs }) => {
      const tx = lastOf(txs);
      forgeEntry(files, tx, entryOf(tx, 'event/'), otherNote, 'everywhere');
      deleteIndexes(files);
    },
    found: { audit: /^(trust|chain) \d+: /m, run: /LEDGER_PROOF_FAILED/ },
  },
  {
    name: 'a node of the linking tree',
    tries: 2,
    hurt: ({ files, txs }, turn) => {
      // The nodes hold the hashes of leaves: one byte 0 and the accumulated hash, hashed.
      const leaf = sha256(Buffer.concat([Buffer.of(0), alh(headerAt(txs, 12 + turn), sha256)]));
      replaceIn(files.treeNodes, leaf, Buffer.alloc(32, 7));
    },
    found: {},
  },
  {
    name: 'an older copy of the data put in place',
    isSample: true,
    tries: 1,
    hurt: ({ site }) => restore(site.copies.middle, site.stack.immudb.dataDir ?? ''),
    found: { audit: rolledBack, run: /LEDGER_ROLLED_BACK/, get: /LEDGER_ROLLED_BACK/ },
  },
  {
    name: 'an older copy, and the same events written on it anew, past where the ledger was',
    tries: 1,
    hurt: async ({ site }) => {
      await restore(site.copies.middle, site.stack.immudb.dataDir ?? '');
      await writeAnew(site, false);
    },
    found: {
      audit: /^trust \d+: it has another hash than the trusted state knows: the ledger has another past/m,
      run: /LEDGER_PROOF_FAILED/,
      get: /LEDGER_PROOF_FAILED/,
    },
  },
  {
    name: 'another ledger with the same events behind the address',
    tries: 1,
    hurt: async ({ site }) => {
      await rm(site.stack.immudb.dataDir ?? '', { recursive: true });
      await writeAnew(site, true);
    },
    found: {
      audit: /^trust 1: it is not the genesis that is pinned/m,
      run: /GENESIS_MISMATCH/,
      get: /GENESIS_MISMATCH/,
    },
  },
  {
    name: 'the logs cut behind an earlier transaction, with the index deleted',
    tries: 2,
    hurt: ({ files, txs }, turn) => {
      cutBehind(files, headerAt(txs, 3 + turn));
      deleteIndexes(files);
    },
    found: { audit: rolledBack, run: /LEDGER_ROLLED_BACK/, get: /LEDGER_ROLLED_BACK/ },
  },
];
