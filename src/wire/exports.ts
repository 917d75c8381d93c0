import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ExportOptions, Exported, VerifiedExport } from '../cli/exports.ts';
import type { Config } from '../config.ts';
import { PipelineError } from '../errors.ts';
import { checkpointHash } from '../proofs/checkpoint.ts';
import { formatExport, formatManifest, lineTree, parseManifest, verifyExport } from '../proofs/export.ts';
import { formatNote, signNote } from '../proofs/note.ts';
import type { Trust } from '../proofs/receipt.ts';
import { csvHeader, csvLine, ndjsonLine } from '../queries/export-line.ts';
import { eventsByIndex, eventsByWalk, type EventsWanted } from '../queries/exported-events.ts';
import { maxEventTimeUs, parseEventTime } from '../schemas/event-time.ts';
import { readSigner } from '../sinks/checkpoints/key-file.ts';
import { newestCheckpoint } from '../sinks/checkpoints/newest.ts';
import { createDurably, isFileError } from '../sinks/durable-file.ts';
import { sha256 } from '../sinks/immudb/sha256.ts';
import { acceptedKeys, checkpointSources, requireHolds, withCheckpointTopic } from './checkpoints.ts';
import { connectLedger } from './connect.ts';
import { orVerifyFailed } from './verify-failed.ts';

const manifestOf = (file: string): string => `${file}.manifest.json`;

/** Writes the events that are asked for, as of the newest checkpoint, and beside them what is stated of them, signed. */
export const exportEvents = async (config: Config, options: ExportOptions): Promise<Exported> => {
  const signers = config.checkpoints.signingKeyFiles.map(readSigner);
  if (signers.length === 0)
    throw new PipelineError('CHECKPOINT_KEYS_MISSING', 'an export is signed, with a key of ours');
  const wanted = wantedOf(options);
  const ledger = await connectLedger(config);
  try {
    const { ledgerId } = ledger.format;
    const newest = await withCheckpointTopic(config, (topic) =>
      newestCheckpoint(checkpointSources(config, topic), { keys: acceptedKeys(config), ledgerId }),
    );
    if (newest === null) throw new PipelineError('CHECKPOINT_PENDING', 'an export ends at a checkpoint, there is none');
    const { tx } = newest.checkpoint;
    await requireHolds(ledger, tx);
    const events = options.isWalk ? eventsByWalk(ledger, wanted, tx) : eventsByIndex(ledger, wanted, tx.id);
    const counted = await writeLines(options, events);
    const text = formatExport({
      ledgerId,
      list:
        wanted.list.by === 'time' ? wanted.list : { by: wanted.list.by, value: encodeURIComponent(wanted.list.value) },
      since: options.since === undefined ? null : timeText(wanted.fromUs),
      until: options.until === undefined ? null : timeText(wanted.toUs),
      format: options.isCsv ? 'csv' : 'ndjson',
      completeness: options.isWalk ? 'walk' : 'index',
      ...counted,
      checkpoint: checkpointHash(newest.note.text, sha256),
    });
    const manifest = formatManifest({
      file: basename(options.file),
      statement: signNote(text, signers),
      checkpoint: formatNote(newest.note),
      keys: signers.map(({ key }) => key),
    });
    await createNew(manifestOf(options.file), manifest);
    const lines = counted.lines - (options.isCsv ? 1n : 0n);
    return {
      file: options.file,
      manifest: manifestOf(options.file),
      events: lines,
      tx: tx.id,
      isComplete: options.isWalk,
    };
  } finally {
    await ledger.close();
  }
};

const wantedOf = ({ correlation, type, since, until }: ExportOptions): EventsWanted => {
  const list =
    correlation !== undefined
      ? { by: 'correlation' as const, value: correlation }
      : type !== undefined
        ? { by: 'type' as const, value: type }
        : { by: 'time' as const };
  return { list, fromUs: microseconds(since) ?? 0, toUs: microseconds(until) ?? maxEventTimeUs + 1 };
};

const microseconds = (text: string | undefined): number | null => {
  if (text === undefined) return null;
  const timeUs = parseEventTime(text);
  if (timeUs !== null) return timeUs;
  throw new PipelineError('USAGE', `${text} is no time such as 2026-01-31T12:00:00Z, from 1970 to 2199`);
};

const timeText = (us: number): string => {
  const micros = String(us % 1_000_000).padStart(6, '0');
  return `${new Date(Math.floor(us / 1000)).toISOString().slice(0, 19)}.${micros}Z`;
};

type Events = ReturnType<typeof eventsByIndex>;

/** Leaves no file behind if it fails. */
const writeLines = async ({ file, isCsv }: ExportOptions, events: Events) => {
  const tree = lineTree(sha256);
  const handle = await openNew(file);
  try {
    const write = async (line: string): Promise<void> => {
      const bytes = Buffer.from(line);
      tree.add(bytes);
      await handle.writeFile(bytes);
    };
    if (isCsv) await write(csvHeader);
    for await (const event of events) await write(isCsv ? csvLine(event) : ndjsonLine(event));
    await handle.sync();
    await handle.close();
    return tree.close();
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(file, { force: true });
    throw error;
  }
};

const openNew = async (file: string) => {
  try {
    return await open(file, 'wx');
  } catch (cause) {
    throw notWritten(file, cause);
  }
};

const createNew = async (file: string, text: string): Promise<void> => {
  try {
    await createDurably(file, text, 0o644);
  } catch (cause) {
    throw notWritten(file, cause);
  }
};

const notWritten = (file: string, cause: unknown): PipelineError =>
  new PipelineError('FILE_UNWRITABLE', isFileError(cause, 'EEXIST') ? `${file} is there already` : `writing ${file}`, {
    cause,
  });

/** What an export proves; the data lies beside the manifest. */
export const verifyExportFile = async (path: string, text: string, trust: Trust): Promise<VerifiedExport> => {
  const manifest = orVerifyFailed(() => parseManifest(text, sha256));
  const data = join(dirname(path), manifest.file);
  const counted = await countLines(data);
  return { kind: 'export', file: data, ...orVerifyFailed(() => verifyExport(manifest, counted, trust)) };
};

/** Line by line, so that no export is too large. A last line without its end is another line than with it. */
const countLines = async (file: string) => {
  const tree = lineTree(sha256);
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
        tree.add(rest.subarray(0, end + 1));
        rest = rest.subarray(end + 1);
      }
    }
  } catch (cause) {
    throw new PipelineError('FILE_UNREADABLE', `reading ${file}`, { cause });
  }
  if (rest.length > 0) tree.add(rest);
  return tree.close();
};
