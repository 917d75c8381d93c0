import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { expect } from '@jest/globals';
import { loadConfig } from '../../src/config.ts';
import { accountFor, type Account } from '../../src/queries/account.ts';
import { openLedgerClient, type LedgerClient } from '../../src/sinks/immudb/client.ts';
import { passwordFromFile } from '../../src/sinks/immudb/credentials.ts';
import { status } from '../../src/wire/acts.ts';
import type { Produced } from './load.ts';
import type { Addresses, Site } from './pipeline-process.ts';
import { withAdmin } from './site-kafka.ts';

/** As the pipeline connects to its ledger. */
export const siteClient = (stack: Addresses, site: Pick<Site, 'database'>): Promise<LedgerClient> =>
  openLedgerClient({
    host: stack.immudb.host,
    port: stack.immudb.port,
    database: site.database,
    username: stack.immudb.username,
    password: passwordFromFile(stack.immudb.passwordFile),
  });

export type SiteAccount = Account & { readonly events: ReadonlyMap<string, bigint>; readonly offsets: bigint };

/** Reads every transaction of the ledger and fails unless each event is stored once and each duplicate has its event. */
export const accountSite = async (stack: Addresses, site: Pick<Site, 'database'>): Promise<SiteAccount> => {
  const client = await siteClient(stack, site);
  try {
    const events = new Map<string, bigint>();
    const twice: string[] = [];
    const duplicates: [string, bigint][] = [];
    const account = await accountFor(client, {
      onEvent: (id, tx) => {
        if (events.has(id)) twice.push(id);
        events.set(id, tx);
      },
      onDuplicate: (id, tx) => duplicates.push([id, tx]),
    });
    expect(account.deviations).toEqual([]);
    expect(twice).toEqual([]);
    expect(duplicates.filter(([id, tx]) => (events.get(id) ?? tx + 1n) > tx)).toEqual([]);
    const offsets = account.partitions.reduce((sum, { first, next }) => sum + next - first, 0n);
    return { ...account, events, offsets };
  } finally {
    await client.close();
  }
};

/** Waits until the ledger covers the whole topic, as `immutrail status` sees it. */
export const untilCaughtUp = async (
  site: Site,
  timeoutMs = 90_000,
  env: Readonly<Record<string, string>> = {},
): Promise<void> => {
  const config = loadConfig({ environment: { ...site.env, ...env } });
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen: unknown = await status(config).catch((error: unknown) => error);
    if ((seen as { lag?: bigint }).lag === 0n) return;
    if (performance.now() > deadline) throw new Error(`the ledger does not cover the topic: ${inspect(seen)}`);
    await sleep(200);
  }
};

/**
 * Every produced record is accounted for exactly once, on every offset of the topic. A producer whose acknowledgement
 * was lost sends again: whatever else lies on the topic must be a duplicate.
 */
export const expectAccounted = async (stack: Addresses, site: Site, produced: Produced): Promise<SiteAccount> => {
  const account = await accountSite(stack, site);
  expect([...produced.ids].filter((id) => !account.events.has(id))).toEqual([]);
  expect(account.events.size).toBe(produced.ids.size);
  const ends = await withAdmin(stack, (admin) => admin.fetchTopicOffsets(site.topic));
  const sum = (pick: (one: (typeof account.partitions)[number]) => bigint) =>
    Number(account.partitions.reduce((total, one) => total + pick(one), 0n));
  const records = ends.reduce((total, { high }) => total + Number(high), 0);
  expect(records).toBeGreaterThanOrEqual(produced.records);
  expect({
    stored: sum((one) => one.stored),
    duplicates: sum((one) => one.duplicates),
    dead: sum((one) => one.dead),
  }).toEqual({
    stored: produced.ids.size,
    duplicates: produced.duplicates + records - produced.records,
    dead: produced.poison,
  });
  const covered = new Map(account.partitions.map((one) => [one.partition, one.next]));
  for (const { partition, high } of ends)
    expect([partition, covered.get(partition) ?? 0n]).toEqual([partition, BigInt(high)]);
  return account;
};
