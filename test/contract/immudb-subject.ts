import { afterAll, beforeAll, expect } from '@jest/globals';
import { createHash } from 'node:crypto';
import { openLedgerAdmin } from '../../src/sinks/immudb/admin.ts';
import {
  encodeSetRequest,
  openLedgerClient,
  type LedgerClient,
  type Precondition,
} from '../../src/sinks/immudb/client.ts';
import * as messages from '../../src/sinks/immudb/proto/messages.ts';
import { methods } from '../../src/sinks/immudb/proto/methods.ts';
import { openSession, type Session } from '../../src/sinks/immudb/session.ts';
import type { TxHeader } from '../../src/proofs/header.ts';
import { until } from '../support/until.ts';
import type { Rig, StartRig } from './immudb-rigs.ts';

/** One server, with a client and a bare session on its database `contract`, for the tests of a suite. */
export type Subject = {
  readonly rig: Rig;
  readonly client: LedgerClient;
  /** For what the client has no call for. */
  readonly session: Session;
  /** A prefix that no other test writes under. */
  readonly fresh: () => string;
  /** Writes the keys, each with the value `of <key>`. */
  readonly put: (
    keys: readonly string[],
    preconditions?: readonly Precondition[],
    noWait?: boolean,
  ) => Promise<TxHeader>;
  /** After a restart of the server: both sessions are found lost, and opened anew. */
  readonly reopenLost: () => Promise<void>;
};

export const immudbSubject = (start: StartRig): Subject => {
  let opened: Pick<Subject, 'rig' | 'client' | 'session'> | undefined;
  let names = 0;
  const subject = (): Pick<Subject, 'rig' | 'client' | 'session'> => {
    if (opened === undefined) throw new Error('the server did not start');
    return opened;
  };
  const put: Subject['put'] = (keys, preconditions = [], noWait = true) => {
    const entries = keys.map((key) => ({ key: b(key), value: b(`of ${key}`) }));
    return subject().client.set(encodeSetRequest({ entries, preconditions, noWait }));
  };

  beforeAll(async () => {
    const rig = await start({ maxSessions: 12 });
    const admin = await openLedgerAdmin(rig.options);
    await admin.createDatabase('contract', {});
    await admin.close();
    const options = { ...rig.options, database: 'contract' };
    opened = { rig, client: await openLedgerClient(options), session: await openSession(options) };
    await put(['genesis']);
  }, 300_000);

  afterAll(async () => {
    await opened?.client.close();
    await opened?.session.close();
    await opened?.rig.close();
  });

  return {
    get rig() {
      return subject().rig;
    },
    get client() {
      return subject().client;
    },
    get session() {
      return subject().session;
    },
    fresh: () => `p${(names += 1)}/`,
    put,
    reopenLost: async () => {
      const { client, session } = subject();
      await untilCode('LEDGER_SESSION_LOST', () => client.currentState());
      await untilCode('LEDGER_SESSION_LOST', () => session.call(methods.currentState, {}));
      await Promise.all([client.reopen(), session.reopen()]);
    },
  };
};

export const b = (text: string): Buffer => Buffer.from(text);
export const hash = (data: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(data).digest());
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
/** With every byte array as hex. */
export const hexes = (record: object | undefined) =>
  Object.fromEntries(
    Object.entries(record ?? {}).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Uint8Array ? hex(value) : value,
    ]),
  );
export const texts = (entries: readonly { readonly key: Buffer }[]): string[] =>
  entries.map(({ key }) => key.toString());
export const refusedAs = (code: string, outcome: string): unknown => expect.objectContaining({ code, outcome });

/** Deletes keys: our client cannot. */
export const deleteMethod = {
  name: 'Delete',
  path: '/immudb.schema.ImmuService/Delete',
  encode: (request: { keys: Buffer[] }) => messages.deleteKeysRequest.encode(request),
  decode: (bytes: Buffer) => messages.txHeader.decode(bytes),
};

/** Asks until it fails with `code`. Whatever else is met on the way must be of the passing kind. */
export const untilCode = (code: string, ask: () => Promise<unknown>): Promise<void> =>
  until(
    async () => {
      const error = await ask().then(
        () => new Error(`answered instead of ${code}`),
        (met: unknown) => met,
      );
      if ((error as { code?: string }).code === code) return true;
      expect(error).toEqual(expect.objectContaining({ disposition: 'retry' }));
      return false;
    },
    { what: code },
  );
