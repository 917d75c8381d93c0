import { status } from '@grpc/grpc-js';
import type { ChainState } from '../../../src/proofs/chain.ts';
import { equalBytes } from '../../../src/proofs/bytes.ts';
import { hexOfBytes } from '../../../src/proofs/hex.ts';
import * as answers from '../../../src/sinks/immudb/answers.ts';
import type { LedgerClient } from '../../../src/sinks/immudb/client.ts';
import { ledgerError, LedgerError } from '../../../src/sinks/immudb/errors.ts';
import type { Ledger } from '../../../src/sinks/immudb/ledger.ts';
import { proveExtends } from '../../../src/sinks/immudb/prove-extends.ts';
import type { TrustedState } from '../../../src/sinks/immudb/trusted-state.ts';
import type { TrustedLedger } from '../../../src/sinks/immudb/trusted-state-file.ts';
import { verifiedReads } from '../../../src/sinks/immudb/verified-read.ts';
import { newDatabase } from '../../fakes/immudb-database.ts';
import { fakeMethods, type AnswerOf, type FakeMethodName } from '../../fakes/immudb-methods.ts';
import { refusal, sessionNotFound } from '../../fakes/immudb-refusal.ts';
import type { ProcessGate } from './gate.ts';
import type { World } from './world.ts';

/**
 * The database of the fake immudb, reached over a network that loses requests and answers: a call fails before or after
 * its effect, or its effect comes when the client has given up long ago.
 */
export const ledgerServer = (world: World) => {
  const { random, time } = world;
  const database = newDatabase('sim', { maxTxEntries: 1024, maxKeyLen: 1024, maxTransactions: 100_000 });
  let life = 0;
  let downUntil = 0;

  const requireUp = () => {
    if (time.now() < downUntil) throw refusal(status.UNAVAILABLE, 'No connection established');
  };

  /** One call as the network treats it. */
  const carry = async <T>(effect: () => T): Promise<T> => {
    await world.latency();
    requireUp();
    if (!world.chance(world.faults.ledger)) {
      const done = effect();
      await world.latency();
      return done;
    }
    const kind = random.pick(['refused', 'lost', 'late', 'cut', 'session'] as const);
    world.tell(`ledger fault: ${kind}`);
    if (kind === 'refused') throw refusal(status.INTERNAL, 'can not create new session: max sessions number reached');
    if (kind === 'session') life += 1;
    if (kind === 'cut') effect();
    if (kind === 'late') time.after(random.between(100, 800), () => ignoring(effect));
    if (kind !== 'cut') await time.wait(100);
    throw refusal(kind === 'cut' ? status.UNAVAILABLE : status.DEADLINE_EXCEEDED, 'no answer');
  };

  return {
    database,
    downFor: (ms: number) => {
      downUntil = time.now() + ms;
      life += 1;
    },
    loseSessions: () => (life += 1),
    isUp: () => time.now() >= downUntil,
    life: () => life,
    carry,
  };
};

export type LedgerServer = ReturnType<typeof ledgerServer>;

const ignoring = (effect: () => unknown) => {
  try {
    effect();
  } catch {
    // The client that would hear of it is gone.
  }
};

/** Through the wire's form, as a client gets it. */
const onWire = <N extends FakeMethodName>(name: N, answer: AnswerOf<N>) => {
  const method = fakeMethods[name];
  return method.answer.decode(method.answer.encode(answer as never)) as ReturnType<
    (typeof fakeMethods)[N]['answer']['decode']
  >;
};

/** A client with a session of its own, in one process. */
export const simulatedClient = (server: LedgerServer, gate: ProcessGate): LedgerClient => {
  const { database } = server;
  let session: number | null = server.life();
  let reopening: Promise<void> | null = null;

  const call = async <T>(name: string, effect: () => T): Promise<T> => {
    const own = session;
    if (own === null)
      throw new LedgerError('LEDGER_SESSION_LOST', `${name}: the session is lost`, { outcome: 'not-written' });
    const checked = () => {
      if (own !== server.life()) throw sessionNotFound();
      return effect();
    };
    try {
      return await gate.through(server.carry(checked));
    } catch (error) {
      const met = ledgerError(error, name);
      if (met.code === 'LEDGER_SESSION_LOST' && session === own) session = null;
      throw met;
    }
  };
  const orNull = async <T>(answer: Promise<T>): Promise<T | null> =>
    answer.catch((error: unknown) => {
      if (error instanceof LedgerError && error.code === 'LEDGER_NOT_FOUND') return null;
      throw error;
    });
  const notSimulated = (): never => {
    throw new Error('the simulation has no such call');
  };

  return {
    state: () => (session === null ? (reopening === null ? 'lost' : 'reopening') : 'open'),
    reopen: () =>
      (reopening ??= gate
        .through(server.carry(() => (session = server.life())))
        .then(() => undefined)
        .catch((error: unknown) => {
          throw ledgerError(error, 'OpenSession');
        })
        .finally(() => (reopening = null))),
    close: () => Promise.resolve(),
    set: (request) => {
      const sent = fakeMethods.Set.request.decode(Buffer.from(request));
      return call('Set', () => answers.headerOf(onWire('Set', database.set(sent).header)));
    },
    get: (key) => orNull(call('Get', () => answers.entryOf(onWire('Get', database.get(Buffer.from(key), 0n))))),
    getAll: (keys) =>
      call('GetAll', () =>
        onWire('GetAll', { entries: database.getAll(keys.map((key) => Buffer.from(key))) }).entries.map(
          answers.entryOf,
        ),
      ),
    history: async (key, { limit, offset = 0n, desc = false }) => {
      const request = { key: Buffer.from(key), offset, limit, desc, sinceTx: 0n };
      const entries = await orNull(
        call('History', () => onWire('History', { entries: database.history(request) }).entries),
      );
      return (entries ?? []).map(answers.entryOf);
    },
    txScan: (from, limit, entries) => {
      const spec = { kv: { action: entries === 'raw' ? 2 : 0 }, sortedSets: null, sql: null };
      return call('TxScan', () => onWire('TxScan', { txs: database.txScan(from, limit, spec) }).txs.map(answers.txOf));
    },
    verifiableTxById: (id, since, entries) => {
      const spec = { kv: { action: entries === 'digests' ? 1 : 0 }, sortedSets: null, sql: null };
      return orNull(
        call('VerifiableTxById', () =>
          answers.verifiableTxOf(onWire('VerifiableTxById', database.proven(id, since, spec))),
        ),
      );
    },
    currentState: () =>
      call('CurrentState', () => {
        const last = database.chain.txs.at(-1);
        const [txId, txHash] = [last?.header.id ?? 0n, Buffer.from(last?.alh ?? [])];
        return answers.stateOf(onWire('CurrentState', { db: database.name, txId, txHash }));
      }),
    scan: notSimulated,
    txById: notSimulated,
    verifiableGet: notSimulated,
    health: notSimulated,
    serverInfo: notSimulated,
  };
};

/** A ledger as `openLedger` makes it, with its trusted state in memory. */
export const simulatedLedger = (client: LedgerClient, made: TrustedLedger): Ledger => {
  const trusted = inMemory(made);
  const advance = async () => {
    const proven = await proveExtends(client, trusted.current());
    trusted.remember(proven);
    return proven;
  };
  return {
    client,
    format: { ledgerId: made.ledgerId } as Ledger['format'],
    genesis: hexOfBytes(made.genesis),
    trusted,
    trustedBy: 'genesis',
    reads: verifiedReads({ source: client, trusted: () => trusted.current(), advance }),
    logs: () => Promise.resolve([]),
    advance,
    ready: async () => {
      if (client.state() !== 'lost' && client.state() !== 'reopening') return false;
      await client.reopen();
      await advance();
      return true;
    },
    close: () => Promise.resolve(),
  };
};

const inMemory = (ledger: TrustedLedger): TrustedState => {
  let chain: ChainState = ledger.chain;
  return {
    ledger,
    current: () => chain,
    remember: (given) => {
      if (given.id === chain.id && !equalBytes(given.alh, chain.alh)) throw new Error('two pasts are trusted');
      if (given.id > chain.id || (given.id === chain.id && chain.frontier === null)) chain = given;
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
};
