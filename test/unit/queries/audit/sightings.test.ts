import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { sightings, type Sighting, type SightingsOptions } from '../../../../src/queries/audit/sightings.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'immutrail-sightings-'));
});
afterEach(() => rm(folder, { recursive: true }));

const keyOf = (name: number): Buffer => createHash('md5').update(String(name)).digest();

/** Every third key is seen twice, 1,000 transactions later. */
const fill = (count: number, options: SightingsOptions = {}) => {
  const seen = sightings({ folder, ...options });
  const due = new Map<string, Sighting[]>();
  const add = (name: number, tx: bigint) => {
    const sighting = { kind: name % 5, tx, note: keyOf(name + 7).toString('hex', 0, 8) };
    seen.add(keyOf(name), sighting);
    const key = keyOf(name).toString('hex');
    due.set(key, [...(due.get(key) ?? []), sighting]);
  };
  for (let name = 0; name < count; name += 1) add(name, BigInt(name));
  for (let name = 0; name < count; name += 3) add(name, BigInt(name) + 1000n);
  return { seen, due };
};

const visited = ({ seen }: ReturnType<typeof fill>) => {
  const found = new Map<string, readonly Sighting[]>();
  let visits = 0;
  seen.visit((key, rows) => {
    visits += 1;
    found.set(key.toString('hex'), rows);
  });
  expect(visits).toBe(found.size);
  return found;
};

test('tells each key once with all its sightings, oldest first; few rows need no file', async () => {
  const filled = fill(3000);
  expect(visited(filled)).toEqual(filled.due);
  expect(await readdir(folder)).toEqual([]);
  filled.seen.close();
});

test('so it does from files, and in several passes over each; the files go with it', async () => {
  const filled = fill(20_000, { rowsAtOnce: 30, bufferBytes: 512 });
  expect((await readdir(folder)).length).toBe(1);
  expect(visited(filled)).toEqual(filled.due);
  filled.seen.close();
  filled.seen.close();
  expect(await readdir(folder)).toEqual([]);
});
