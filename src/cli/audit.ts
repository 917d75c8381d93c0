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
  /** Offsets compared with Kafka's records, and how many Kafka has no more. Null: Kafka was not asked. */
  readonly originals: (Tally & { readonly gone: number }) | null;
  readonly deadLetters: (Tally & { readonly gone: number }) | null;
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

/** `immutrail audit`. */
export const addAudit = ({ program, commands, config, output, paint, print, exit }: Face<AuditCommands>): void => {
  program
    .command('audit')
    .description(
      'check the whole ledger: every transaction, event, offset and posting, and what Kafka still has of them',
    )
    .option('--ledger-only', 'do not compare with Kafka', false)
    .addHelpText('after', example('immutrail audit', 'immutrail audit --json > audit.json'))
    .action(async ({ ledgerOnly }: { readonly ledgerOnly: boolean }) => {
      const shown = auditProgress(output);
      const asked = { isLedgerOnly: ledgerOnly, onProgress: shown.onProgress };
      const audited = await commands.audit(config(), asked).finally(shown.end);
      print(audited, () => auditText(audited, paint));
      exit(auditExitCode(audited));
    });
};
