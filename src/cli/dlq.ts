import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Config } from '../config.ts';
import { PipelineError } from '../errors.ts';
import type { DeadLetterDesk } from '../redrive/desk.ts';
import { shownBytes, maskedBytes } from '../redrive/shown.ts';
import type { LetterFilter } from '../redrive/filter.ts';
import type { FoundLetter } from '../redrive/found-letter.ts';
import type { RedriveOrder } from '../redrive/redrive.ts';
import { savedSelection, selectionWriter } from '../redrive/saved-selection.ts';
import {
  assignment,
  editOf,
  filterOf,
  reasonOf,
  selectionOf,
  wholeNumber,
  withFilters,
  withReason,
  withSelection,
  type ActFlags,
  type EditFlags,
  type FilterFlags,
  type SelectionFlags,
} from './dlq-options.ts';
import * as texts from './dlq-texts.ts';
import { paintOf, type Output } from './output.ts';
import { progress } from './progress.ts';

export type DlqFace = {
  readonly open: (config: Config) => Promise<DeadLetterDesk>;
  readonly config: () => Config;
  readonly print: (value: unknown, text: () => string) => void;
  readonly output: Output;
  readonly example: (...lines: readonly string[]) => string;
  /** A signal to the process: what is under way is finished, no more is begun. */
  readonly signal: AbortSignal;
};

type ListFlags = FilterFlags & { readonly state?: LetterFilter['state']; readonly limit: number };
type ShowFlags = { readonly mask?: boolean; readonly maxBytes: number; readonly save?: string };
type RunFlags = SelectionFlags &
  ActFlags &
  EditFlags & {
    readonly save?: string;
    readonly rate?: number;
    readonly wait: number;
    readonly evenRefused?: boolean;
    readonly evenStored?: boolean;
    readonly resume?: string;
  };

/** `immutrail dlq …`: opens the desk, does one thing at it, closes it. */
export const addDlq = (program: Command, face: DlqFace): void => {
  const dlq = program
    .command('dlq')
    .description('dead letters: look, send again, mend, discard; every act is in the ledger');
  const at = async <T>(work: (desk: DeadLetterDesk) => Promise<T>): Promise<T> => {
    const desk = await face.open(face.config());
    try {
      return await work(desk);
    } finally {
      await desk.close();
    }
  };
  addReading(dlq, face, at);
  addRedrive(dlq, face, at);
  addOtherActs(dlq, face, at);
};

type At = <T>(work: (desk: DeadLetterDesk) => Promise<T>) => Promise<T>;

const addReading = (dlq: Command, { print, output, example }: DlqFace, at: At): void => {
  const paint = paintOf(output);
  withFilters(dlq.command('list'))
    .description('dead letters, open ones unless told otherwise, each proven and with its record')
    .option('--state <state>', 'open, redriving, redriven, discarded or all', state)
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1, 10_000), 100)
    .addHelpText('after', example('immutrail dlq list', 'immutrail dlq list --code JSON_INVALID --since 2h --json'))
    .action(async ({ limit, state, ...flags }: ListFlags) => {
      const filter = { ...filterOf(flags), ...(state !== undefined && { state }) };
      const found = await at((desk) => desk.list(filter, limit));
      print({ letters: found.letters.map(texts.letterJson), more: found.more }, () => texts.listText(found));
    });
  dlq
    .command('show')
    .argument('<id>', 'log/partition/offset of its record, as `dlq list` shows it')
    .description('one dead letter with its record; control characters are escaped')
    .option('--mask', 'the shape of the payload without what it says')
    .option('--max-bytes <n>', 'most bytes of the payload to show', wholeNumber('--max-bytes', 1, 16_777_216), 16_384)
    .option('--save <file>', "write the value's bytes, as they are, to a new file")
    .addHelpText('after', example('immutrail dlq show 1/3/42', 'immutrail dlq show 1/3/42 --save body.json'))
    .action(async (id: string, { mask = false, maxBytes, save }: ShowFlags) => {
      const letter = await at((desk) => desk.show(id));
      if (save !== undefined) saveValue(letter, save);
      print({ ...texts.letterJson(letter), ...payloadJson(letter, mask, maxBytes) }, () =>
        texts.showText(letter, { mask, maxBytes }, paint),
      );
    });
  dlq
    .command('history')
    .argument('<id>', 'log/partition/offset of its record')
    .description('the whole life of one dead letter: who did what, when and why, each revision proven')
    .addHelpText('after', example('immutrail dlq history 1/3/42'))
    .action(async (id: string) => {
      const revisions = await at((desk) => desk.history(id));
      print(revisions, () => texts.historyText(revisions));
    });
  dlq
    .command('status')
    .description('how many are not settled, by code, and what became of each redrive')
    .addHelpText('after', example('immutrail dlq status', 'immutrail dlq status --json | jq .depth'))
    .action(async () => {
      const standing = await at((desk) => desk.status());
      print(standing, () => texts.standingText(standing, paint));
    });
};

const addRedrive = (dlq: Command, face: DlqFace, at: At): void => {
  const { example } = face;
  withRun(dlq.command('redrive'))
    .description('send dead letters back to their topic as they were; first see what it would do by --dry-run')
    .option('--resume <redrive>', 'go on with a redrive that was killed')
    .addHelpText(
      'after',
      example(
        'immutrail dlq redrive --code ENCODING_UNKNOWN --dry-run --save letters.jsonl',
        'immutrail dlq redrive --selection letters.jsonl --rate 200 --by ada --why "registry is set up, ticket 4711"',
        'immutrail dlq redrive --resume 0198c2f4-7c1e-7abc-8def-0123456789ab --by ada --why "the host had died"',
      ),
    )
    .action((ids: string[], flags: RunFlags) => at((desk) => run(desk, 'redrive', ids, flags, face)));
  withRun(dlq.command('fix'))
    .description('send dead letters back with an edit; the original and who edited it stay in the trail')
    .option(
      '--set <name=value>',
      'set a member of the event; the value is JSON or text, empty takes it away',
      assignment,
    )
    .option('--new-id', 'give the event an id of its own: for an id that another event has')
    .option('--value-file <file>', 'the whole value anew, for one dead letter')
    .addHelpText(
      'after',
      example(
        'immutrail dlq fix 1/3/42 --value-file body.json --by ada --why "cut off by the proxy, ticket 4711"',
        'immutrail dlq fix --code OUTCOME_INVALID --set event_outcome=success --by ada --why "release 7 wrote SUCCESS"',
      ),
    )
    .action((ids: string[], flags: RunFlags) => at((desk) => run(desk, 'fix', ids, flags, face)));
};

const withRun = (command: Command): Command =>
  withReason(withSelection(command))
    .option('--save <file>', 'with --dry-run: write the eligible ones to a new file, for --selection')
    .option(
      '--rate <n>',
      'records per second (default: the setting redrive.perSecond)',
      wholeNumber('--rate', 1, 1_000_000),
    )
    .option(
      '--wait <seconds>',
      'how long to wait for the pipeline to settle them',
      wholeNumber('--wait', 0, 86_400),
      60,
    )
    .option('--even-refused', 'also those that this version would refuse again')
    .option('--even-stored', 'also those whose event id is in the ledger: they end as duplicates, or as conflicts');

const run = async (
  desk: DeadLetterDesk,
  act: RedriveOrder['act'],
  ids: readonly string[],
  flags: RunFlags,
  face: DlqFace,
): Promise<void> => {
  if (flags.resume !== undefined) {
    await resume(desk, flags.resume, flags, face);
    return;
  }
  const selection = selectionOf(ids, flags, desk);
  const { evenRefused = false, evenStored = false, limit = null } = flags;
  const order: RedriveOrder = { act, selection, edit: editOf(flags), evenRefused, evenStored, limit };
  if (flags.dryRun === true) {
    await preview(desk, order, flags.save, face);
    return;
  }
  if (flags.save !== undefined) throw new PipelineError('USAGE', '--save goes with --dry-run');
  const reason = reasonOf(flags, desk);
  const shown = progress(face.output, 'sent');
  const asked = { ...reason, ...runOf(flags, face), onProgress: shown.onCount };
  const result = await desk.redrive(order, asked).finally(shown.end);
  face.print(result, () => texts.redriveText(result, paintOf(face.output)));
};

const runOf = ({ rate, wait }: RunFlags, { signal }: DlqFace) => ({
  ...(rate !== undefined && { perSecond: rate }),
  waitMs: wait * 1000,
  signal,
});

const preview = async (desk: DeadLetterDesk, order: RedriveOrder, save: string | undefined, face: DlqFace) => {
  const file = save === undefined ? null : selectionWriter(save, desk.ledgerId);
  const found = await desk.previewRedrive(order, ({ letter, verdict }) => {
    if (verdict.kind === 'eligible') file?.add(letter);
  });
  await file?.close();
  face.print(found, () => texts.previewText(found));
};

const resume = async (desk: DeadLetterDesk, runId: string, flags: RunFlags, face: DlqFace): Promise<void> => {
  const { value } = editOf(flags);
  const given = {
    ...(value !== undefined && { value }),
    ...(flags.selection !== undefined && { saved: savedSelection(flags.selection, desk.ledgerId) }),
  };
  const result = await desk.resume(runId, { ...reasonOf(flags, desk), ...runOf(flags, face) }, given);
  face.print(result, () => texts.redriveText(result, paintOf(face.output)));
};

const addOtherActs = (dlq: Command, { print, example, signal }: DlqFace, at: At): void => {
  withReason(withSelection(dlq.command('discard')))
    .description('settle dead letters without their events: marked with who and why, never deleted')
    .addHelpText(
      'after',
      example('immutrail dlq discard --code JSON_INVALID --by ada --why "test traffic, ticket 4711"'),
    )
    .action((ids: string[], flags: SelectionFlags & ActFlags) =>
      at(async (desk) => {
        const { dryRun = false, limit = null } = flags;
        const order = { selection: selectionOf(ids, flags, desk), limit };
        const result = dryRun
          ? await desk.previewDiscard(order)
          : await desk.discard(order, reasonOf(flags, desk), signal);
        print(result, () => texts.discardText(result, dryRun));
      }),
    );
  withReason(dlq.command('cancel'))
    .argument('<redrive>', 'id of the redrive')
    .description('put back what a redrive has under way; a redrive that still runs ends')
    .addHelpText(
      'after',
      example('immutrail dlq cancel 0198c2f4-7c1e-7abc-8def-0123456789ab --by ada --why "wrong ones"'),
    )
    .action((runId: string, flags: ActFlags) =>
      at(async (desk) => {
        const result = await desk.cancel(runId, reasonOf(flags, desk), signal);
        print({ runId, ...result }, () => texts.cancelText(runId, result));
      }),
    );
};

const state = (text: string): string => {
  if (['open', 'redriving', 'redriven', 'discarded', 'all'].includes(text)) return text;
  throw new PipelineError('USAGE', `--state is open, redriving, redriven, discarded or all, not ${text}`);
};

const saveValue = ({ original }: FoundLetter, file: string): void => {
  if (!original.ok) throw new PipelineError('USAGE', `its record cannot be read: ${original.why}`);
  try {
    writeFileSync(file, original.record.value ?? Buffer.alloc(0), { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new PipelineError('USAGE', `--save: ${file} cannot be written; it must be a new file`, { cause });
  }
};

const payloadJson = ({ original }: FoundLetter, mask: boolean, maxBytes: number) => {
  if (!original.ok) return {};
  const { value, key, headers } = original.record;
  if (mask) return { value: value && maskedBytes(value), headers: headers.map(([name]) => name) };
  return {
    key_b64: key?.toString('base64') ?? null,
    headers: headers.map(([name, part]) => [name, part && shownBytes(part, maxBytes)]),
    value: value && shownBytes(value, maxBytes),
    value_b64: value?.toString('base64') ?? null,
  };
};
