import type { Config } from '../config.ts';
import { PipelineError } from '../errors.ts';
import type { ExportFinding } from '../proofs/export.ts';
import { formatNoteKey } from '../proofs/note-key.ts';
import { example, type Face } from './face.ts';
import type { Paint } from './output.ts';

export type ExportCommands = {
  /** Writes the file and its manifest; neither may exist. */
  exportEvents(config: Config, options: ExportOptions): Promise<Exported>;
};

export type ExportOptions = {
  readonly file: string;
  readonly correlation?: string;
  readonly type?: string;
  /** RFC 3339: from here on, and before there. */
  readonly since?: string;
  readonly until?: string;
  readonly isCsv: boolean;
  /** Read every transaction, so that nothing can be missing, instead of asking the ledger's index. */
  readonly isWalk: boolean;
};

export type Exported = {
  readonly file: string;
  readonly manifest: string;
  readonly events: bigint;
  /** Transaction up to which was exported. */
  readonly tx: bigint;
  readonly isComplete: boolean;
};

export type VerifiedExport = { readonly kind: 'export'; readonly file: string } & ExportFinding;

type ExportFlags = {
  readonly out: string;
  readonly correlation?: string;
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
  readonly csv?: boolean;
  readonly walk?: boolean;
};

/** `immutrail export`. */
export const addExport = ({ program, commands, config, paint, print }: Face<ExportCommands>): void => {
  program
    .command('export')
    .requiredOption('--out <file>', 'the file to write; its manifest goes beside it, as <file>.manifest.json')
    .option('--correlation <id>', 'events of this correlation id')
    .option('--type <event_type>', 'events of this type')
    .option('--since <time>', 'events whose own time is not before this (RFC 3339)')
    .option('--until <time>', 'events whose own time is before this')
    .option('--csv', 'a table for spreadsheets instead of NDJSON; no cell of it is taken for a formula')
    .option('--walk', 'read every transaction instead of the index: proves that nothing is missing, and takes longer')
    .description('events as a file with a signed manifest, as of the newest checkpoint; `verify` checks both')
    .addHelpText(
      'after',
      example(
        'immutrail export --correlation rr-2026-0001 --out case.ndjson --walk',
        'immutrail export --type workflow.execution.failed --since 2026-01-01T00:00:00Z --out failed.csv --csv',
        "immutrail verify case.ndjson.manifest.json --key 'audit.example.org/2026+3f…+AX…'",
      ),
    )
    .action(async (flags: ExportFlags) => {
      const exported = await commands.exportEvents(config(), optionsOf(flags));
      print(exported, () => exportedText(exported, paint));
    });
};

const optionsOf = ({ out: file, csv: isCsv = false, walk: isWalk = false, ...asked }: ExportFlags): ExportOptions => {
  if (Object.keys(asked).length === 0)
    throw new PipelineError('USAGE', 'export: say which events: --correlation, --type, --since or --until');
  if (asked.correlation !== undefined && asked.type !== undefined)
    throw new PipelineError('USAGE', 'export: --correlation and --type exclude each other');
  return { file, isCsv, isWalk, ...asked };
};

const exportedText = ({ file, manifest, events, tx, isComplete }: Exported, paint: Paint): string =>
  [
    `${paint.green('exported')} ${events.toString()} events up to transaction ${tx.toString()} to ${file}`,
    `manifest ${manifest} (signed)`,
    isComplete
      ? 'complete: every transaction was read'
      : 'completeness is not proven: the events were found by the index of immudb (--walk reads every transaction)',
  ].join('\n');

export const jsonOfExport = ({ statement, checkpoint, signedBy, file }: VerifiedExport) => ({
  holds: true,
  kind: 'export',
  file,
  ...statement,
  root: Buffer.from(statement.root).toString('hex'),
  checkpoint: { sequence: checkpoint.sequence, tx: checkpoint.tx.id, time: checkpoint.time },
  signer: { trust: signedBy.trust, keys: signedBy.keys.map(formatNoteKey) },
});

export const exportFindingText = ({ statement, checkpoint, file }: VerifiedExport, signer: string, paint: Paint) => {
  const { list, since, until, lines, completeness } = statement;
  const asked = list.by === 'time' ? 'all events' : `${list.by} ${decodeURIComponent(list.value)}`;
  const limits = [since === null ? '' : `since ${since}`, until === null ? '' : `until ${until}`].join(' ').trim();
  const isWalked = completeness === 'walk';
  return [
    `export ${paint.bold(file)}`,
    '',
    `${paint.green('✓')} its ${lines.toString()} lines are those that were signed: none changed, left out, added or moved`,
    signer,
    `- stated by the signer: ${asked} ${limits}`.trimEnd() +
      `, of ledger ${statement.ledgerId} as of checkpoint ${checkpoint.sequence.toString()} (transaction ${checkpoint.tx.id.toString()})`,
    isWalked
      ? '- stated by the signer: complete, for every transaction was read'
      : `${paint.yellow('!')} completeness is not proven: the events were found by the index of immudb`,
    'not shown by an export: that single events are in the ledger (ask for receipts)',
  ].join('\n');
};
