import type { Config } from '../config.ts';
import { auditExitCode, auditProgress, auditText } from './audit-text.ts';
import { example, type Face } from './face.ts';

export type AuditCommands = {
  /** Derives everything anew from the ledger, and compares it with Kafka. */
  audit(config: Config, options: AuditCommand): Promise<Audited>;
};

export type AuditCommand = {
  /** Kafka is not asked: neither records nor dead letters are compared. */
  readonly isLedgerOnly: boolean;
  /** Begins behind the newest checkpoint that is believed; what is before it is taken for granted. */
  readonly isFromCheckpoint: boolean;
  readonly onProgress?: (progress: AuditProgress) => void;
};

export type AuditProgress = {
  readonly tx: bigint;
  readonly to: bigint;
  readonly events: number;
  readonly deviations: number;
};

/** How many hold, of how many that were met. */
export type Tally = { readonly held: number; readonly of: number };

export type Audited = {
  readonly database: string;
  /** Whether everything holds. */
  readonly holds: boolean;
  readonly transactions: Tally;
  readonly events: Tally;
  readonly offsets: Tally;
  readonly postings: Tally;
  /** Null: the configuration names no key whose checkpoints are believed. */
  readonly checkpoints: Tally | null;
  /** Offsets compared with Kafka's records, and how many Kafka has no more. Null: Kafka was not asked. */
  readonly originals: (Tally & { readonly gone: number }) | null;
  readonly deadLetters: (Tally & { readonly gone: number }) | null;
  /** Duplicates of other bytes than those of their event: of the same content, compared, and not to be compared. */
  readonly reworded: Tally & { readonly gone: number };
  /** The last transaction and its accumulated hash: what the audit rests on. */
  readonly end: { readonly tx: bigint; readonly alh: string };
  /** What the ledger was held against: pinned genesis, trusted state. */
  readonly anchors: readonly string[];
  readonly deviations: {
    readonly total: number;
    readonly byKind: Readonly<Record<string, number>>;
    /** The first ones. */
    readonly listed: readonly {
      readonly kind: string;
      readonly tx: bigint | null;
      readonly key: string | null;
      readonly what: string;
    }[];
  };
  /** Why immudb's index was not used; null: it answers. */
  readonly stalledIndex: string | null;
  readonly tookMs: number;
  readonly eventsPerSecond: number;
};

type AuditFlags = { readonly ledgerOnly: boolean; readonly fromCheckpoint: boolean };

/** `immutrail audit`. */
export const addAudit = ({ program, commands, config, output, paint, print, exit }: Face<AuditCommands>): void => {
  program
    .command('audit')
    .description(
      'check the whole ledger: every transaction, event, offset and posting, what Kafka still has of them, and the checkpoints',
    )
    .option('--ledger-only', 'do not ask Kafka, neither for records nor for checkpoints', false)
    .option('--from-checkpoint', 'begin behind the newest checkpoint that is believed', false)
    .addHelpText(
      'after',
      example('immutrail audit', 'immutrail audit --from-checkpoint', 'immutrail audit --json > audit.json'),
    )
    .action(async ({ ledgerOnly, fromCheckpoint }: AuditFlags) => {
      const shown = auditProgress(output);
      const asked = { isLedgerOnly: ledgerOnly, isFromCheckpoint: fromCheckpoint, onProgress: shown.onProgress };
      const audited = await commands.audit(config(), asked).finally(shown.end);
      print(audited, () => auditText(audited, paint));
      exit(auditExitCode(audited));
    });
};
