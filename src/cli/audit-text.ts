import { errorTable } from '../errors.ts';
import type { Audited, AuditProgress, Tally } from './audit.ts';
import type { Output, Paint } from './output.ts';
import { statusLine } from './progress.ts';

const barWidth = 24;
const redrawMs = 100;

/** A bar over the transactions, with the events so far and their rate. */
export const auditProgress = (
  output: Pick<Output, 'err' | 'isWatched'>,
  now: () => number = () => performance.now(),
) => {
  const show = statusLine(output);
  const began = now();
  let drawn = -Infinity;
  return {
    onProgress: ({ tx, to, events, deviations }: AuditProgress): void => {
      const at = now();
      if (at - drawn < redrawMs && tx < to) return;
      drawn = at;
      const share = Number((1000n * tx) / (to === 0n ? 1n : to)) / 1000;
      const filled = Math.round(share * barWidth);
      const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
      const rate = Math.round((events * 1000) / Math.max(1, at - began));
      const wrong = deviations === 0 ? '' : `, ${deviations} deviations`;
      show(`${bar} transaction ${tx.toString()}/${to.toString()}, ${events} events, ${rate} events/s${wrong}`);
    },
    /** Takes the line away. Idempotent. */
    end: (): void => show(''),
  };
};

/** 0 only if everything holds. */
export const auditExitCode = ({ deviations, stalledIndex }: Audited): number => {
  if (deviations.total > 0) return errorTable.AUDIT_DEVIATIONS.exitCode;
  return stalledIndex === null ? 0 : errorTable.AUDIT_INCOMPLETE.exitCode;
};

const maxShown = 50;
const share = ({ held, of }: Tally): string => `${held}/${of}`;

export const auditText = (audited: Audited, paint: Paint): string => {
  const { transactions, events, offsets, checkpoints, postings, reworded, end, anchors, deviations } = audited;
  const sums = { transactions, events, offsets, ...(checkpoints && { checkpoints }), postings };
  const { listed, total } = deviations;
  const shown = listed.slice(0, maxShown).map((one) => paint.red(`✗ ${deviationLine(one)}`));
  const seconds = (audited.tookMs / 1000).toFixed(1);
  return [
    ...shown,
    ...(total > shown.length
      ? [paint.red(`✗ … and ${total - shown.length} more (--json lists up to ${listed.length})`)]
      : []),
    ...(audited.stalledIndex === null
      ? []
      : [
          paint.yellow(
            `! the index of immudb does not answer; everything was read without it: ${audited.stalledIndex}`,
          ),
        ]),
    Object.entries(sums)
      .map(([name, tally]) => `${name} ${share(tally)}`)
      .join(', '),
    `against Kafka: ${kafkaText('records', audited.originals)}, ${kafkaText('dead letters', audited.deadLetters)}`,
    ...(reworded.of + reworded.gone === 0 ? [] : [rewordedText(reworded)]),
    `against ${anchors.join(' and ')}, up to transaction ${end.tx.toString()}, hash ${end.alh}`,
    `${seconds} s, ${audited.eventsPerSecond} events/s`,
    verdict(audited, paint),
  ].join('\n');
};

const verdict = ({ holds, deviations: { total } }: Audited, paint: Paint): string => {
  if (holds) return paint.green('✓ everything holds');
  return total > 0
    ? paint.red(`✗ ${total} deviations`)
    : paint.yellow('! nothing deviates, but not everything answers');
};

const deviationLine = ({ kind, tx, key, what }: Audited['deviations']['listed'][number]): string =>
  `${kind}: ${tx === null ? 'ledger' : `transaction ${tx.toString()}`}${key === null ? '' : `, ${key}`}: ${what}`;

const kafkaText = (name: string, tally: Audited['originals']): string => {
  if (tally === null) return `${name} not compared`;
  return `${name} ${share(tally)}${tally.gone === 0 ? '' : ` (${tally.gone} that Kafka has no more)`}`;
};

const rewordedText = ({ gone, ...tally }: Audited['reworded']): string =>
  `duplicates of other bytes than their event: ${share(tally)} of the same content` +
  (gone === 0 ? '' : ` (${gone} could not be compared)`);
