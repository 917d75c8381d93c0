import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { emptyChain, followHeader, type ChainState } from '../../../../src/proofs/chain.ts';
import { sha256 } from '../../../../src/sinks/immudb/sha256.ts';
import { createTrustedState, openTrustedState } from '../../../../src/sinks/immudb/trusted-state.ts';
import { referenceLedger } from '../../../support/reference-ledger.ts';

const entry = (text: string) => ({ key: Buffer.from(text), value: Buffer.from(text), metadata: null });
const chains: ChainState[] = [emptyChain(sha256)];
for (const { header } of referenceLedger(Array.from({ length: 12 }, (_, i) => [entry(`${i}`)])).txs)
  chains.push(followHeader(chains.at(-1)!, header, sha256));
const at = (id: number) => chains[id]!;
const ledger = { ledgerId: 'a', database: 'ledger', genesis: at(1).alh, chain: at(1) };

/** A clock that rings when told. */
const bell = () => {
  const rings = new Set<() => void>();
  const asked: number[] = [];
  return {
    asked,
    pending: () => rings.size,
    ring: () => {
      for (const run of [...rings]) {
        rings.delete(run);
        run();
      }
    },
    schedule: (run: () => void, ms: number) => {
      rings.add(run);
      asked.push(ms);
      return () => void rings.delete(run);
    },
  };
};

let folder = '';
const file = () => join(folder, 'trusted.json');
const written = async () => (await openTrustedState(file()))!.current();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trusted-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('the file', () => {
  test('is null where there is none', async () => {
    expect(await openTrustedState(file())).toBeNull();
  });

  test('keeps the ledger, readable by its owner alone, and leaves nothing beside it', async () => {
    await createTrustedState(file(), { ...ledger, chain: at(11) });
    const state = await openTrustedState(file());
    expect(state!.ledger.ledgerId).toBe('a');
    expect(state!.ledger.database).toBe('ledger');
    expect(Buffer.from(state!.ledger.genesis).equals(at(1).alh)).toBe(true);
    expect(plain(state!.current())).toEqual(plain(at(11)));
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['trusted.json']);
  });

  test('is never made over another', async () => {
    await createTrustedState(file(), { ...ledger, chain: at(5) });
    await expect(createTrustedState(file(), ledger)).rejects.toMatchObject({ code: 'TRUSTED_STATE_EXISTS' });
    expect((await written()).id).toBe(5n);
  });

  test('says so when it is damaged, wherever the damage is', async () => {
    await createTrustedState(file(), { ...ledger, chain: at(11) });
    const good = await readFile(file());
    const isDamaged = expect.objectContaining({ code: 'TRUSTED_STATE_DAMAGED' });
    for (let i = 0; i < good.length - 1; i++) {
      const bad = Buffer.from(good);
      bad[i]! ^= 1;
      await writeFile(file(), bad);
      await expect(openTrustedState(file())).rejects.toEqual(isDamaged);
    }
    for (const bad of ['', '{', 'null', good.subarray(0, 100), Buffer.alloc(70_000, ' ')]) {
      await writeFile(file(), bad);
      await expect(openTrustedState(file())).rejects.toEqual(isDamaged);
    }
    await writeFile(file(), good);
    expect((await written()).id).toBe(11n);
  });

  test('is tried again when its place cannot be read or written', async () => {
    const unavailable = expect.objectContaining({ code: 'TRUSTED_STATE_UNAVAILABLE' });
    await expect(createTrustedState(join(folder, 'no', 'where.json'), ledger)).rejects.toEqual(unavailable);
    await expect(openTrustedState(folder)).rejects.toEqual(unavailable);
  });
});

describe('what is remembered', () => {
  test('is in memory at once and in the file a second later, the newest of it', async () => {
    const clock = bell();
    const state = await createTrustedState(file(), ledger, { schedule: clock.schedule });
    for (const id of [2, 3, 4]) state.remember(at(id));
    expect(state.current()).toBe(at(4));
    expect(clock.asked).toEqual([1000]);
    expect((await written()).id).toBe(1n);
    clock.ring();
    await state.flush();
    expect((await written()).id).toBe(4n);
    state.remember(at(5));
    expect(clock.asked).toEqual([1000, 1000]);
    await state.close();
  });

  test('is in the file when flush or close resolves, however many are under way', async () => {
    const state = await createTrustedState(file(), ledger, { schedule: bell().schedule });
    const flushes = [2, 3, 4, 5, 6].map((id) => {
      state.remember(at(id));
      return state.flush();
    });
    await Promise.all(flushes);
    expect((await written()).id).toBe(6n);
    state.remember(at(7));
    await state.close();
    await state.close();
    expect((await written()).id).toBe(7n);
  });

  test('asks for no time after close, and is refused then', async () => {
    const clock = bell();
    const state = await createTrustedState(file(), ledger, { schedule: clock.schedule });
    state.remember(at(2));
    await state.close();
    expect(clock.pending()).toBe(0);
    expect(() => state.remember(at(3))).toThrow('after the trusted state was closed');
  });

  test('never goes back, and refuses another hash of the same transaction', async () => {
    const state = await createTrustedState(file(), { ...ledger, chain: at(5) });
    state.remember(at(4));
    expect(state.current()).toEqual(at(5));
    const forged = { ...at(5), alh: at(4).alh };
    expect(() => state.remember(forged)).toThrow(expect.objectContaining({ code: 'LEDGER_PROOF_FAILED' }));
    state.remember({ ...at(6), frontier: null });
    state.remember(at(6));
    expect(state.current()).toBe(at(6));
    await state.close();
  });

  test('is written when the disk is back', async () => {
    const [clock, failures]: [ReturnType<typeof bell>, unknown[]] = [bell(), []];
    const { promise: failed, resolve } = Promise.withResolvers<null>();
    const onFlushFailed = (error: unknown) => {
      failures.push(error);
      resolve(null);
    };
    const state = await createTrustedState(file(), ledger, { schedule: clock.schedule, onFlushFailed });
    await rm(folder, { recursive: true });
    state.remember(at(2));
    clock.ring();
    await failed;
    expect(failures).toEqual([expect.objectContaining({ code: 'TRUSTED_STATE_UNAVAILABLE' })]);
    await expect(state.flush()).rejects.toMatchObject({ code: 'TRUSTED_STATE_UNAVAILABLE' });
    await mkdir(folder);
    expect(clock.pending()).toBe(1);
    clock.ring();
    await state.flush();
    expect((await written()).id).toBe(2n);
    await state.close();
  });
});

const plain = ({ id, alh, frontier }: ChainState) => ({
  id,
  alh: Buffer.from(alh).toString('hex'),
  frontier: frontier?.hashes.map((each) => Buffer.from(each).toString('hex')),
});
