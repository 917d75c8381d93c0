import type { CancelResult } from '../redrive/cancel.ts';
import type { Revision } from '../redrive/desk.ts';
import type { DiscardResult } from '../redrive/discard.ts';
import type { FoundLetter } from '../redrive/found-letter.ts';
import { leavingReasons } from '../redrive/judge-letter.ts';
import type { LeftCounts } from '../redrive/judged-chunks.ts';
import { letterId } from '../redrive/letter-id.ts';
import type { Preview, RedriveResult } from '../redrive/redrive.ts';
import { maskedBytes, safeText, shownBytes } from '../redrive/shown.ts';
import type { DeadLetterStanding } from '../redrive/standing.ts';
import { tableOf, type Paint } from './output.ts';

/** What people read of dead letters. Whatever a producer wrote is escaped: it may want to steer the terminal. */

const shortText = 60;
const line = (text: string | undefined): string => {
  const safe = safeText(text ?? '-', true);
  return safe.length > shortText ? `${safe.slice(0, shortText - 1)}…` : safe;
};
const timeOf = ({ original }: FoundLetter): string =>
  original.ok && original.record.timestamp >= 0n
    ? new Date(Number(original.record.timestamp)).toISOString()
    : original.ok
      ? '-'
      : 'unreadable';

export const listText = ({ letters, more }: { letters: readonly FoundLetter[]; more: boolean }): string => {
  if (letters.length === 0) return 'no dead letters';
  const head = ['id', 'state', 'code', 'attempt', 'time', 'event type', 'correlation', 'message'];
  const rows = letters.map((letter) => {
    const { at, dead } = letter;
    const texts = [dead.eventType, dead.correlationId, dead.message].map(line);
    return [letterId(at), dead.state, dead.code, String(dead.attempt), timeOf(letter), ...texts];
  });
  return [tableOf(head, rows, [3]), ...(more ? ['', 'there are more: --limit, or narrower filters'] : [])].join('\n');
};

/** What --json has of a letter; the payload only where it is asked for. */
export const letterJson = (letter: FoundLetter) => {
  const { at, tx, dead, topic, original } = letter;
  return {
    id: letterId(at),
    topic,
    tx,
    time: timeOf(letter),
    ...dead,
    readable: original.ok,
    ...(!original.ok && { unreadable: original.why }),
  };
};

export type ShowOptions = { readonly mask: boolean; readonly maxBytes: number };

export const showText = (letter: FoundLetter, { mask, maxBytes }: ShowOptions, paint: Paint): string => {
  const { at, tx, dead, topic, original } = letter;
  const facts: [string, string][] = [
    ['dead letter', `${paint.bold(letterId(at))}, ${dead.state}, in transaction ${tx.toString()} (proven)`],
    ['topic', safeText(topic, true)],
    ['code', dead.code],
    ['message', safeText(dead.message, true)],
    ['attempt', `${dead.attempt}${dead.of === undefined ? '' : `, of ${letterId(dead.of)}`}`],
    ['event', `${safeText(dead.eventId ?? '-', true)} (${safeText(dead.eventType ?? '-', true)})`],
    ['correlation', safeText(dead.correlationId ?? '-', true)],
    ['sha256', dead.sha256],
    ['copy', `partition ${dead.dlq.partition}, offset ${dead.dlq.offset.toString()} of the dead-letter topic`],
    ['time', timeOf(letter)],
    ...actOf(letter),
  ];
  const shown = facts.map(([name, text]) => `${name.padEnd(12)}${text}`);
  if (!original.ok) return [...shown, '', `its record cannot be read: ${original.why}`].join('\n');
  const { key, headers, value } = original.record;
  const bytes = (part: Buffer | null) => {
    if (part === null) return '(null)';
    return mask ? maskedBytes(part) : shownBytes(part, maxBytes);
  };
  const list = headers.map(([name, part]) => `  ${safeText(name, true)}: ${mask ? '(not shown)' : bytes(part)}`);
  return [
    ...shown,
    `${'key'.padEnd(12)}${mask ? '(not shown)' : bytes(key)}`,
    'headers',
    ...list,
    '',
    bytes(value),
  ].join('\n');
};

const actOf = ({ dead }: FoundLetter): [string, string][] => {
  if (dead.by === undefined) return [];
  return [['by', `${safeText(dead.by, true)}: ${safeText(dead.why, true)}`]];
};

export const historyText = (revisions: readonly Revision[]): string =>
  tableOf(
    ['transaction', 'written', 'state', 'by', 'why'],
    revisions.map(({ tx, dead, writtenAt }) => [
      tx.toString(),
      new Date(Number(writtenAt) * 1000).toISOString(),
      stateText(dead),
      line(dead.by),
      line(dead.why),
    ]),
    [0],
  );

const stateText = (dead: Revision['dead']): string => {
  if (dead.state === 'redriving') return `redriving (${dead.nonce}), attempt ${dead.attempt + 1}`;
  if (dead.state !== 'redriven') return dead.state;
  return `redriven as ${dead.redriven.as} at ${letterId(dead.redriven)}`;
};

export const standingText = ({ depth, byState, depthByCode, runs }: DeadLetterStanding, paint: Paint): string => {
  const states = Object.entries(byState).map(([state, count]) => `${count} ${state}`);
  const codes = Object.entries(depthByCode).map(([code, count]) => [code, String(count)]);
  const head = ['redrive', 'by', 'under way', 'stored', 'duplicate', 'dead again', 'why'];
  const rows = runs.map((run) => [
    ...[run.runId, line(run.by)],
    ...[run.redriving, run.stored, run.duplicate, run.dead].map(String),
    line(run.why),
  ]);
  return [
    `depth ${depth === 0 ? paint.green('0') : paint.yellow(String(depth))} (${states.join(', ')})`,
    ...(codes.length > 0 ? ['', tableOf(['code', 'unsettled'], codes, [1])] : []),
    ...(rows.length > 0 ? ['', tableOf(head, rows, [2, 3, 4, 5])] : []),
  ].join('\n');
};

const leftNames: Readonly<Record<keyof LeftCounts, string>> = {
  'in-ledger': 'already in the ledger',
  'over-limit': 'over the attempt limit',
  unreadable: 'unreadable',
  'still-refused': 'still refused by this version',
  changed: 'changed in the meantime',
};

const countLines = (counts: readonly (readonly [string, number | string])[]): string[] =>
  counts.map(([name, count]) => `${name.padEnd(30)}${String(count)}`);

/** How those are sent all the same that were left for such a reason, where a person may decide so for many at once. */
const options: Partial<Record<keyof LeftCounts, string>> = {
  'in-ledger': '--even-stored',
  'still-refused': '--even-refused',
};

const leftLines = ({ left, refusedByCode }: Pick<Preview, 'left' | 'refusedByCode'>): string[] =>
  leavingReasons.flatMap((reason) => {
    const count = left[reason];
    const option = count > 0 ? options[reason] : undefined;
    const codes = reason === 'still-refused' ? codeLines(refusedByCode) : [];
    const hint = option === undefined ? '' : ` (sent all the same with ${option})`;
    return [...countLines([[leftNames[reason], `${count}${hint}`]]), ...codes];
  });

const codeLines = (byCode: Readonly<Record<string, number>>): string[] =>
  countLines(Object.entries(byCode).map(([code, count]) => [`  ${code}`, count]));

export const previewText = ({ eligible, eligibleByCode, ...rest }: Preview): string =>
  [
    'nothing was changed; this would be done:',
    ...countLines([['eligible', eligible]]),
    ...codeLines(eligibleByCode),
    ...leftLines(rest),
  ].join('\n');

export const redriveText = (result: RedriveResult, paint: Paint): string => {
  const { runId, sent, lost, tooLarge, complete, cancelledBy, settled } = result;
  if (sent === 0 && settled?.redriving === 0 && complete && lost + tooLarge === 0) {
    return ['nothing to do', ...leftLines(result)].join('\n');
  }
  const how = complete
    ? paint.green('complete')
    : paint.yellow(cancelledBy === null ? 'stopped' : `cancelled by ${line(cancelledBy)}`);
  const counts: [string, number | string][] =
    settled === null
      ? [['settled', 'the pipeline has not come to all of them yet: see `immutrail dlq status`']]
      : [
          ['stored', settled.stored],
          ['duplicates', settled.duplicate],
          ['dead again', settled.dead],
          ['under way', settled.redriving],
        ];
  return [
    `redrive ${runId} ${how}`,
    ...countLines([['sent', sent], ...counts, ['taken by another act', lost], ['too large for the topic', tooLarge]]),
    ...leftLines(result),
  ].join('\n');
};

export const cancelText = (runId: string, { putBack, complete }: CancelResult): string =>
  `redrive ${runId}: ${putBack} dead letters are open again${complete ? '' : '; stopped before all of them were'}`;

export const discardText = ({ discarded, changed }: DiscardResult, isPreview: boolean): string =>
  [
    ...(isPreview ? ['nothing was changed; this would be done:'] : []),
    ...countLines([
      ['discarded', discarded],
      ['not open', changed],
    ]),
  ].join('\n');
