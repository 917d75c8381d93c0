import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { loadConfig } from '../../src/config.ts';
import { audit } from '../../src/wire/audit.ts';
import { showKeys } from '../../src/wire/keys.ts';
import { verify } from '../../src/wire/receipts.ts';
import { bitFlips } from './bit-flips.ts';
import type { HandedOut } from './handed-out.ts';
import { saidBy, type Said, type TamperedSite } from './tampering.ts';

/** A kind of file of which one bit is changed, who must say so, and by what words. */
export type FlipAttempt = {
  readonly name: string;
  readonly tool: 'audit' | 'keys show' | 'verify';
  /** Each bit of the first file, one at a time, and on into the next ones until there are so many. */
  readonly tries: number;
  readonly files: (made: HandedOut) => readonly string[];
  readonly says: RegExp;
  /** What the tool says of each of these contents in the place of the file. */
  readonly ask: (at: TamperedSite, file: string, contents: readonly Uint8Array[]) => Promise<readonly Said[]>;
};

export type Counted = {
  readonly tries: number;
  readonly detected: number;
  /** Where a bit was changed, and what was said instead. */
  readonly missed: readonly string[];
  /** Files of which every bit was one of them. */
  readonly wholeFiles: number;
};

/** Changes every `stride`-th of the bits. */
export const countFlips = async (at: TamperedSite, attempt: FlipAttempt, stride = 1): Promise<Counted> => {
  let [bits, tries, wholeFiles] = [0, 0, 0];
  const missed: string[] = [];
  for (const file of attempt.files(at.handedOut)) {
    const whole = Uint8Array.from(await readFile(file));
    const flips = [...bitFlips(whole.subarray(0, Math.ceil((attempt.tries - bits) / 8)), stride)];
    const contents = flips.map(({ changed }) => Buffer.concat([changed, whole.subarray(changed.length)]));
    const said = await attempt.ask(at, file, contents);
    for (const [i, words] of said.entries())
      if (!attempt.says.test(words ?? '')) missed.push(`${basename(file)}${flips[i]?.at ?? ''}: ${words ?? 'nothing'}`);
    bits += whole.length * 8;
    tries += said.length;
    if (bits <= attempt.tries) wholeFiles += 1;
    if (bits >= attempt.tries) break;
  }
  return { tries, detected: tries - missed.length, missed, wholeFiles };
};

/** In a folder with everything else that was handed out; one content after the other. */
const inItsPlace =
  (tool: (at: TamperedSite, file: string) => Promise<unknown>): FlipAttempt['ask'] =>
  async (at, file, contents) => {
    const folder = await folderBeside(at);
    const beside = at.handedOut.exports.flatMap(({ data, manifest }) => [data, manifest]);
    for (const other of beside) await writeFile(join(folder, basename(other)), await readFile(other));
    const said: Said[] = [];
    for (const content of contents) {
      await writeFile(join(folder, basename(file)), content);
      said.push(await saidBy(() => tool(at, join(folder, basename(file))).then(() => null)));
    }
    await rm(folder, { recursive: true });
    return said;
  };

const folderBeside = async (at: TamperedSite): Promise<string> => {
  const folder = join(at.site.folder, 'flipped');
  await mkdir(folder);
  return folder;
};

const verified = (at: TamperedSite, file: string) => verify(file, { keys: [at.handedOut.publicKey] });

const verifiedByManifest = (at: TamperedSite, file: string) => verified(at, `${file}.manifest.json`);

/** So many deviations an audit lists. */
const notesAtOnce = 1000;

/** Each is one of the files in the folder of checkpoints, which the audit names by their names. */
const inTheFolder: FlipAttempt['ask'] = async (at, _, contents) => {
  const said: Said[] = [];
  for (let from = 0; from < contents.length; from += notesAtOnce) {
    const folder = await folderBeside(at);
    const names = contents.slice(from, from + notesAtOnce).map((_content, i) => noteName(i));
    for (const [i, name] of names.entries()) await writeFile(join(folder, name), contents[from + i] ?? '');
    const environment = {
      ...at.environment,
      IMMUTRAIL_CHECKPOINTS_FOLDER: folder,
      IMMUTRAIL_CHECKPOINTS_PUBLIC_KEYS: at.handedOut.publicKey,
    };
    const { deviations } = await audit(loadConfig({ environment }), { isLedgerOnly: true, isFromCheckpoint: false });
    const named = new Map(deviations.listed.map(({ kind, key, what }) => [key, `${kind}: ${what}`]));
    said.push(...names.map((name) => named.get(name) ?? null));
    await rm(folder, { recursive: true });
  }
  return said;
};

const noteName = (number: number): string => `${String(number).padStart(20, '0')}-${'0'.repeat(16)}.checkpoint`;

/** As what `verify --key` is given. */
const asTheKey: FlipAttempt['ask'] = async ({ handedOut }, _, contents) => {
  const said: Said[] = [];
  for (const content of contents) {
    const keys = [Buffer.from(content).toString()];
    said.push(await saidBy(() => verify(handedOut.receipts[0] ?? '', { keys }).then(() => null)));
  }
  return said;
};

/** docs/tamper.md has the same attempts, with the same figures. */
export const flipAttempts: readonly FlipAttempt[] = [
  {
    name: 'a bit of a receipt',
    tool: 'verify',
    tries: 30_000,
    files: ({ receipts }) => receipts,
    says: /^(VERIFY_FAILED|FILE_UNREADABLE): /,
    ask: inItsPlace(verified),
  },
  {
    name: 'a bit of the lines of an export',
    tool: 'verify',
    tries: 40_000,
    files: ({ exports }) => exports.map(({ data }) => data),
    says: /^VERIFY_FAILED: (a line was changed|the file has \d+ lines)/,
    ask: inItsPlace(verifiedByManifest),
  },
  {
    name: "a bit of an export's manifest",
    tool: 'verify',
    tries: 10_000,
    files: ({ exports }) => exports.map(({ manifest }) => manifest),
    says: /^(VERIFY_FAILED|FILE_UNREADABLE): /,
    ask: inItsPlace(verified),
  },
  {
    name: 'a bit of a checkpoint in the folder',
    tool: 'audit',
    tries: 6000,
    files: ({ checkpoints }) => checkpoints,
    says: /^checkpoint: it is no checkpoint that is believed: /,
    ask: inTheFolder,
  },
  {
    name: 'a bit of a signing key',
    tool: 'keys show',
    tries: 632,
    files: ({ keyFile }) => [keyFile],
    says: /^KEY_INVALID: /,
    ask: inItsPlace((_, file) => showKeys([file], () => loadConfig())),
  },
  {
    name: 'a bit of a public key that is pinned',
    tool: 'verify',
    tries: 528,
    files: ({ publicKeyFile }) => [publicKeyFile],
    says: /^KEY_INVALID: /,
    ask: asTheKey,
  },
];
