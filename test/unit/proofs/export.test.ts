import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkpointHash, formatCheckpoint } from '../../../src/proofs/checkpoint.ts';
import {
  formatExport,
  formatManifest,
  lineTree,
  parseExport,
  parseManifest,
  verifyExport,
  type ExportStatement,
} from '../../../src/proofs/export.ts';
import { signNote } from '../../../src/proofs/note.ts';
import { bitFlips } from '../../support/bit-flips.ts';
import { digest, someCheckpoint } from '../../support/checkpoints.ts';
import { nobleCrypto, nodeCrypto, testSeed, type NoteCrypto } from '../../support/note-crypto.ts';
import { acceptedOf, isRefused } from '../../support/refusals.ts';

const signer = nodeCrypto.signerOf(testSeed('audit.test'));
const anchor = formatCheckpoint(someCheckpoint);

const count = (lines: readonly string[]) => {
  const tree = lineTree(nodeCrypto.hash);
  for (const line of lines) tree.add(Buffer.from(line));
  return tree.close();
};
const statementOf = (lines: readonly string[], changes: Partial<ExportStatement> = {}): ExportStatement => ({
  ledgerId: someCheckpoint.ledgerId,
  list: { by: 'correlation', value: 'rr-1%20x' },
  since: '2026-01-01T00:00:00.000000Z',
  until: null,
  format: 'ndjson',
  completeness: 'walk',
  ...count(lines),
  checkpoint: checkpointHash(anchor, nodeCrypto.hash),
  ...changes,
});
const manifestOf = (lines: readonly string[], changes: Partial<ExportStatement> = {}) =>
  formatManifest({
    file: 'x.ndjson',
    statement: signNote(formatExport(statementOf(lines, changes)), [signer]),
    checkpoint: signNote(anchor, [signer]),
    keys: [signer.key],
  });
const verify = (
  text: string,
  lines: readonly string[],
  { hash, verify: check }: NoteCrypto = nodeCrypto,
  keys = [signer.key],
) => verifyExport(parseManifest(text, hash), count(lines), { keys, hash, verify: check });

const some = ['a\n', 'b\n', 'b\n', 'c\n', 'd\n'];

describe('lines', () => {
  test('as they were signed are verified, also none at all', () => {
    for (const lines of [some, some.slice(0, 1), []])
      expect(verify(manifestOf(lines), lines).signedBy.trust).toBe('pinned');
  });

  test('of which one is changed, left out, added or moved are not', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ maxLength: 5 }).map((text) => `${text}\n`),
          { minLength: 1, maxLength: 40 },
        ),
        fc.nat(),
        fc.nat(),
        fc.string(),
        (lines, a, b, text) => {
          const manifest = manifestOf(lines);
          const [i, j] = [a % lines.length, b % lines.length];
          const changes = [
            lines.with(i, `${lines[i] ?? ''}${text}x\n`),
            lines.toSpliced(i, 1),
            lines.toSpliced(i, 0, `${text}\n`),
            lines.toSpliced(i, 1).toSpliced(j, 0, lines[i] ?? ''),
            lines.slice(0, -1),
            [...lines, lines[j] ?? ''],
          ];
          for (const changed of changes) {
            const isSame = JSON.stringify(changed) === JSON.stringify(lines);
            expect(isRefused(() => verify(manifest, changed))).toBe(!isSame);
          }
        },
      ),
    );
  });
});

describe('a manifest', () => {
  test.each([
    { crypto: nodeCrypto, stride: 1 },
    { crypto: nobleCrypto, stride: 13 },
  ])('with any one bit changed is refused, or says the same, with $crypto.name', ({ crypto, stride }) => {
    const text = manifestOf(some);
    const said = (one: ReturnType<typeof verify>) => formatExport(one.statement) + formatCheckpoint(one.checkpoint);
    const due = said(verify(text, some, crypto));
    const { accepted } = acceptedOf(bitFlips(Buffer.from(text), stride), (changed) => {
      expect(said(verify(Buffer.from(changed).toString(), some, crypto))).toBe(due);
    });
    // The name of the data's file is not signed (whoever renames it may), and white space says nothing.
    expect(accepted.length).toBeLessThan(120);
  });

  test.each<[string, Partial<ExportStatement>]>([
    ['another checkpoint', { checkpoint: digest(3) }],
    ['another ledger', { ledgerId: '0198c2f4-7c1e-4abc-8def-0123456789ff' }],
    ['other lines', count(['a\n'])],
  ])('that names %s is refused', (_, changes) => {
    expect(isRefused(() => verify(manifestOf(some, changes), some))).toBe(true);
  });

  test('signed by nobody who is pinned is refused; with no key given it says so', () => {
    const stranger = nodeCrypto.signerOf(testSeed('audit.test', 1));
    expect(isRefused(() => verify(manifestOf(some), some, nodeCrypto, [stranger.key]))).toBe(true);
    expect(verify(manifestOf(some), some, nodeCrypto, []).signedBy.trust).toBe('first use');
  });

  test('that names a file in another folder is refused', () => {
    const text = manifestOf(some).replace('x.ndjson', '../x.ndjson');
    expect(isRefused(() => verify(text, some))).toBe(true);
  });
});

test('a statement is read as it was written', () => {
  const cases: Partial<ExportStatement>[] = [
    {},
    { list: { by: 'time' }, since: null, until: '2026-02-01T00:00:00.123456Z', format: 'csv', completeness: 'index' },
    { list: { by: 'type', value: 'gateway.signal.received' } },
    { list: { by: 'correlation', value: '' } },
  ];
  for (const changes of cases)
    expect(parseExport(formatExport(statementOf(some, changes)))).toEqual(statementOf(some, changes));
});
