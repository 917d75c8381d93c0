import { setTimeout as sleep } from 'node:timers/promises';
import { cp, rm } from 'node:fs/promises';
import type { Config } from '../../src/config.ts';
import { loadConfig } from '../../src/config.ts';
import type { Audited } from '../../src/cli/audit.ts';
import { PipelineError } from '../../src/errors.ts';
import type { Tx } from '../../src/sinks/immudb/answers.ts';
import { audit } from '../../src/wire/audit.ts';
import { getEvent } from '../../src/wire/acts.ts';
import { connectLedger } from '../../src/wire/connect.ts';
import type { Stack } from '../../stack/stack.ts';
import { exportedCorrelation, handOut, signingOf, type HandedOut, type Signing } from './handed-out.ts';
import { databaseFiles, type DatabaseFiles } from './immudb-files.ts';
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
  /** Of every command, with the genesis pinned. */
  readonly environment: Readonly<Record<string, string>>;
  readonly config: Config;
  readonly copies: { readonly middle: string; readonly end: string };
  readonly txs: readonly Tx[];
  readonly handedOut: HandedOut;
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
  const signing = await signingOf(site);
  for (const copy of [copies.middle, copies.end]) {
    await writeSome(stack, site, signing);
    await server.stop();
    await cp(dataDir, copy, { recursive: true });
    await server.start();
  }
  const client = await connect(stack.immudb, site.database);
  const txs = await client.txScan(1n, 1000, 'raw').finally(() => client.close());
  const environment = { ...site.env, IMMUTRAIL_LEDGER_GENESIS: site.genesis };
  const config = loadConfig({ environment });
  await (await connectLedger(config)).close(); // what is trusted is as new as the ledger
  const handedOut = await handOut(site.folder, {
    environment,
    signing,
    eventIds: [3, 9, 15].map((at) => eventIdOf(victimOf(txs, at))),
  });
  const close = async () => {
    await site.close();
    for (const copy of [copies.middle, copies.end]) await rm(copy, { recursive: true, force: true });
  };
  return { stack, site, environment, config, copies, txs: txs.map(ownCopy), handedOut, close };
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

const writeSome = async (stack: Stack, site: Site, signing: Signing): Promise<void> => {
  const running = await site.run(signing.env);
  await load(stack, { topic: site.topic, count: 2, overrides: { correlation_id: exportedCorrelation } });
  await load(stack, { topic: site.topic, count: events / 2, duplicateEvery: 17, poisonEvery: 23 });
  await caughtUp(site);
  // So that the last transaction has an event, whatever the ones before it were cut at.
  await load(stack, { topic: site.topic, count: 1 });
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
export const writeAnew = async ({ stack, site }: TamperedSite, isNew: boolean): Promise<void> => {
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
    audit: await saidBy(async () =>
      auditSays(await audit(at.config, { isLedgerOnly: false, isFromCheckpoint: false })),
    ),
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

export const restore = async (from: string, to: string): Promise<void> => {
  await rm(to, { recursive: true, force: true });
  await cp(from, to, { recursive: true });
};

export const saidBy = async (act: () => Promise<Said>): Promise<Said> => {
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

export const isEvent = (storedKey: Buffer | undefined): boolean =>
  storedKey?.subarray(1).toString().startsWith('event/') === true;
const eventIdOf = ({ entries }: Tx): string => entries[0]?.storedKey.subarray(1).toString().replace('event/', '') ?? '';
