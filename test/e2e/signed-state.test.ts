import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Audited } from '../../src/cli/audit.ts';
import { openCheckpoint } from '../../src/proofs/checkpoint.ts';
import { parseNoteKey } from '../../src/proofs/note-key.ts';
import { requireSignedState } from '../../src/proofs/state-signature.ts';
import { verifyEd25519 } from '../../src/sinks/checkpoints/ed25519.ts';
import { sha256 } from '../../src/sinks/immudb/sha256.ts';
import { pinnedStateKey } from '../../src/sinks/immudb/state-key.ts';
import type { Stack } from '../../stack/stack.ts';
import { startStack } from '../../stack/start.ts';
import { load } from '../support/load.ts';
import { openSite, type Site } from '../support/pipeline-process.ts';
import { untilCaughtUp } from '../support/site-account.ts';
import { sharedStackOptions } from '../support/shared-stack-file.ts';
import { notesOf } from '../support/site-checkpoints.ts';

let stack: Stack;
let site: Site;
beforeAll(async () => {
  stack = await startStack({ kafka: sharedStackOptions.kafka, immudb: { signingKey: true } });
  site = await openSite(stack, { partitions: 2 });
}, 180_000);
afterAll(async () => {
  await site.close();
  await stack.stop();
}, 60_000);

const makeKey = async (name: string) => {
  const file = join(site.folder, `${name}.key`);
  const made = await site.command(['--json', 'keys', 'make', file, '--name', `audit.test/${name}`]);
  return { file, publicKey: (JSON.parse(made.out) as { publicKey: string }).publicKey };
};

test('checkpoints carry what immudb signs itself, and both keys while one takes over from the other', async () => {
  const [old, next] = [await makeKey('old'), await makeKey('next')];
  const pem = stack.immudb.signingPublicKeyFile ?? 'none';
  const produced = await load(stack, { topic: site.topic, count: 400 });
  const running = await site.run({
    IMMUTRAIL_LEDGER_SIGNING_KEY_FILE: pem,
    IMMUTRAIL_CHECKPOINTS_SIGNING_KEY_FILES: `${old.file},${next.file}`,
    IMMUTRAIL_CHECKPOINTS_EVERY_MS: '300',
  });
  await running.ready();
  await untilCaughtUp(site);
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);

  const verifyState = pinnedStateKey(readFileSync(pem, 'utf8'));
  const notes = await notesOf(stack, site);
  expect(notes.length).toBeGreaterThan(0);
  for (const note of notes) {
    for (const { publicKey } of [old, next]) {
      const { checkpoint } = openCheckpoint(note, [parseNoteKey(publicKey, sha256)], verifyEd25519);
      const { database = '', signature = null } = checkpoint.signedState ?? {};
      expect(database).toBe(site.database);
      requireSignedState(database, checkpoint.tx, signature, verifyState);
    }
  }

  const audited = async (ledgerKeyFile: string) => {
    const { code, out } = await site.command(['--json', 'audit'], {
      IMMUTRAIL_LEDGER_GENESIS: site.genesis,
      IMMUTRAIL_LEDGER_SIGNING_KEY_FILE: ledgerKeyFile,
      IMMUTRAIL_CHECKPOINTS_PUBLIC_KEYS: next.publicKey,
    });
    const { checkpoints, deviations } = JSON.parse(out) as Audited;
    return { code, checkpoints, whats: new Set(deviations.listed.map(({ kind, what }) => `${kind}: ${what}`)) };
  };
  const all = notes.length;
  expect(await audited(pem)).toEqual({ code: 0, checkpoints: { held: all, of: all }, whats: new Set() });

  const [id = ''] = produced.ids;
  const made = await site.command(['receipt', id], { IMMUTRAIL_CHECKPOINTS_PUBLIC_KEYS: old.publicKey });
  expect([made.code, made.err]).toEqual([0, '']);
  const file = join(site.folder, 'receipt.json');
  writeFileSync(file, made.out);
  const other = join(site.folder, 'other.pem');
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(other, publicKey.export({ type: 'spki', format: 'pem' }));
  const verify = async (...more: readonly string[]) => await site.command(['verify', file, ...more]);
  for (const key of [old.publicKey, next.publicKey])
    expect((await verify('--key', key, '--immudb-key', pem)).out).toContain('checked with the key that you gave');
  expect((await verify('--key', next.publicKey)).out).toContain('there, not checked');
  const refused = await verify('--key', next.publicKey, '--immudb-key', other);
  expect([refused.code, refused.out]).toEqual([48, '']);
  expect(await audited(other)).toEqual({
    code: 30,
    checkpoints: { held: 0, of: all },
    whats: new Set(['checkpoint: what immudb signed is not this state: state is not signed with the pinned key']),
  });
}, 240_000);
