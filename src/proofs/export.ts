import { base64OfBytes, bytesOfBase64 } from './base64.ts';
import { equalBytes } from './bytes.ts';
import { checkpointHash, parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { appendLeaf, emptyFrontier, frontierRoot } from './frontier.ts';
import type { Hash } from './hash.ts';
import { membersOfText } from './json-members.ts';
import { leafHash } from './merkle-tree.ts';
import { parseNote, type VerifyEd25519 } from './note.ts';
import { formatNoteKey, parseNoteKey, type NoteKey } from './note-key.ts';
import { requireProof } from './proof-error.ts';
import { signersOf, type SignedBy } from './signer.ts';

/** What its maker states, signed, of an export: docs/export-format.md specifies the text. */
export type ExportStatement = {
  readonly ledgerId: string;
  /** What was asked for: a name and a percent-encoded value, or all. */
  readonly list: { readonly by: 'correlation' | 'type'; readonly value: string } | { readonly by: 'time' };
  /** RFC 3339 with microseconds, UTC; from `since` on, before `until`. Null: no limit. */
  readonly since: string | null;
  readonly until: string | null;
  readonly format: 'ndjson' | 'csv';
  /**
   * `walk`: every transaction up to the checkpoint was read, so nothing that was asked for is missing. `index`: found by
   * the ledger's postings, of which the server could have kept some back.
   */
  readonly completeness: 'walk' | 'index';
  /** Lines of the file, a header included, and the root of their tree. */
  readonly lines: bigint;
  readonly root: Uint8Array;
  /** `checkpointHash` of the checkpoint up to whose transaction was exported. */
  readonly checkpoint: Uint8Array;
};

const origin = 'immutrail/export';
const timeShape = /^(none|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)$/;

/** The text that is signed. */
export const formatExport = (statement: ExportStatement): string => {
  const { ledgerId, list, since, until, format, completeness, lines, root, checkpoint } = statement;
  const text = [
    origin,
    `ledger ${ledgerId}`,
    list.by === 'time' ? 'list time' : `list ${list.by} ${list.value}`,
    `since ${since ?? 'none'}`,
    `until ${until ?? 'none'}`,
    `format ${format}`,
    `completeness ${completeness}`,
    `lines ${lines.toString()}`,
    `root ${base64OfBytes(root)}`,
    `checkpoint ${base64OfBytes(checkpoint)}`,
  ];
  return text.map((line) => `${line}\n`).join('');
};

/** Throws ProofError (`malformed`) for all but the one text of a statement. */
export const parseExport = (text: string): ExportStatement => {
  const lines = text.split('\n');
  const take = (label: string, shape: RegExp): string => {
    const line = lines.shift() ?? '';
    const value = line.slice(label.length);
    const isDue = line.startsWith(label) && shape.test(value);
    requireProof(isDue, 'malformed', `an export has no line "${label}…" where it must be`);
    return value;
  };
  take(origin, /^$/);
  const ledgerId = take('ledger ', /^[0-9a-f-]{36}$/);
  const [by = '', value = ''] = take('list ', /^(time|(correlation|type) [!-~]*)$/).split(' ');
  const orNull = (time: string) => (time === 'none' ? null : time);
  const statement: ExportStatement = {
    ledgerId,
    list: by === 'time' ? { by } : { by: by === 'type' ? 'type' : 'correlation', value },
    since: orNull(take('since ', timeShape)),
    until: orNull(take('until ', timeShape)),
    format: take('format ', /^(ndjson|csv)$/) === 'csv' ? 'csv' : 'ndjson',
    completeness: take('completeness ', /^(walk|index)$/) === 'walk' ? 'walk' : 'index',
    lines: BigInt(take('lines ', /^(0|[1-9][0-9]{0,18})$/)),
    root: bytesOfBase64(take('root ', /./), 'root of the lines'),
    checkpoint: bytesOfBase64(take('checkpoint ', /./), 'hash of the checkpoint'),
  };
  requireProof(formatExport(statement) === text, 'malformed', 'the statement of an export is not in its one form');
  return statement;
};

/** Counts lines and makes the root of their tree (RFC 9162; leaf data is the hash of a line with its end). */
export const lineTree = (hash: Hash) => {
  let frontier = emptyFrontier;
  return {
    add: (line: Uint8Array): void => {
      frontier = appendLeaf(frontier, leafHash(hash(line), hash), hash);
    },
    /** 32 zero bytes for no lines. */
    close: () => ({ lines: frontier.size, root: frontierRoot(frontier, hash) }),
  };
};

/** The file beside an export's data. */
export type Manifest = {
  /** Name of the data's file, in the same folder. */
  readonly file: string;
  /** Signed notes: what is stated of the file, and the checkpoint that it names. */
  readonly statement: string;
  readonly checkpoint: string;
  readonly keys: readonly NoteKey[];
};

export const manifestKind = 'immutrail-export';

export const formatManifest = ({ file, statement, checkpoint, keys }: Manifest): string =>
  `${JSON.stringify({ kind: manifestKind, v: 1, file, statement, checkpoint, keys: keys.map(formatNoteKey) }, null, 2)}\n`;

export const parseManifest = (text: string, hash: Hash): Manifest => {
  const json = membersOfText(text, 'the manifest', ['kind', 'v', 'file', 'statement', 'checkpoint', 'keys']);
  const isKnown = json.text('kind') === manifestKind && json.whole('v') === 1;
  requireProof(isKnown, 'unsupported', 'not a manifest of version 1');
  requireProof(/^[^/\\\0]+$/.test(json.text('file')), 'malformed', 'the manifest names a file in another folder');
  return {
    file: json.text('file'),
    statement: json.text('statement'),
    checkpoint: json.text('checkpoint'),
    keys: json.texts('keys').map((key) => parseNoteKey(key, hash)),
  };
};

export type ExportFinding = {
  readonly statement: ExportStatement;
  readonly checkpoint: Checkpoint;
  /** Who signed both. */
  readonly signedBy: SignedBy;
};

/** Throws ProofError unless these lines are those that were signed, under the checkpoint that the statement names. */
export const verifyExport = (
  manifest: Manifest,
  counted: { readonly lines: bigint; readonly root: Uint8Array },
  trust: { readonly keys: readonly NoteKey[]; readonly hash: Hash; readonly verify: VerifyEd25519 },
): ExportFinding => {
  const who = { pinned: trust.keys, stated: manifest.keys };
  const [stated, anchor] = [parseNote(manifest.statement), parseNote(manifest.checkpoint)];
  const [signedBy, anchoredBy] = [signersOf(stated, who, trust.verify), signersOf(anchor, who, trust.verify)];
  requireProof(anchoredBy.trust === signedBy.trust, 'signature', 'statement and checkpoint are not signed alike');
  const statement = parseExport(stated.text);
  const checkpoint = parseCheckpoint(anchor.text);
  const isNamed = equalBytes(statement.checkpoint, checkpointHash(anchor.text, trust.hash));
  requireProof(isNamed && statement.ledgerId === checkpoint.ledgerId, 'statement', 'it names another checkpoint');
  const due = statement.lines.toString();
  const isWhole = counted.lines === statement.lines;
  requireProof(isWhole, 'statement', `the file has ${counted.lines.toString()} lines, ${due} were signed`);
  const isSame = equalBytes(counted.root, statement.root);
  requireProof(isSame, 'statement', 'a line was changed, or lines are in another order');
  return { statement, checkpoint, signedBy };
};
