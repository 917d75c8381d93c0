import { InvalidArgumentError } from 'commander';
import { errorTable } from '../errors.ts';
import { formatNoteKey } from '../proofs/note-key.ts';
import type { ReceiptFinding } from '../proofs/receipt.ts';
import type { Config } from '../config.ts';
import { example, type Face } from './face.ts';
import type { Paint } from './output.ts';

export type ReceiptCommands = {
  /** The receipt of one event: a JSON text. */
  receipt(config: Config, eventId: string, options: ReceiptOptions): Promise<string>;
  /** What a file proves; rejects when it does not hold together. */
  verify(file: string, options: VerifyOptions): Promise<Verified>;
};

export type ReceiptOptions = {
  /** How long to wait for a checkpoint that covers the event. */
  readonly waitMs: number;
};

export type VerifyOptions = {
  /** Public keys that were pinned: on another way than with the file. */
  readonly keys: readonly string[];
  /** The public key (PEM) of immudb. */
  readonly ledgerKeyFile?: string;
};

export type Verified = { readonly kind: 'receipt' } & ReceiptFinding;

/** `immutrail receipt` and `immutrail verify`. */
export const addReceipts = (face: Face<ReceiptCommands>): void => {
  addReceipt(face);
  addVerify(face);
};

const addReceipt = ({ program, commands, config, output }: Face<ReceiptCommands>): void => {
  program
    .command('receipt')
    .argument('<event_id>', 'UUID of the event')
    .option('--wait <seconds>', 'how long to wait for a checkpoint that covers it', seconds, 10)
    .description(
      'the proof that an event is in the ledger: one JSON file, to be verified by anybody, without the ledger',
    )
    .addHelpText('after', example('immutrail receipt 0198c2f4-7c1e-7abc-8def-0123456789ab > receipt.json'))
    .action(async (eventId: string, { wait }: { readonly wait: number }) => {
      output.out(await commands.receipt(config(), eventId, { waitMs: 1000 * wait }));
    });
};

type VerifyFlags = { readonly key?: readonly string[]; readonly immudbKey?: string };

const addVerify = ({ program, commands, paint, print, exit }: Face<ReceiptCommands>): void => {
  program
    .command('verify')
    .argument('<file>', 'a receipt')
    .option('--key <public key...>', 'the public key that must have signed, as `immutrail keys show` prints it')
    .option('--immudb-key <file>', 'public key (PEM) of immudb: also check its own signature, if there is one')
    .description('what a receipt proves; needs no network and no configuration')
    .addHelpText(
      'after',
      example("immutrail verify receipt.json --key 'audit.example.org/2026+3f…+AX…'") +
        `\n\nExit code 0: all of it holds, and a key that you gave signed it. ${errorTable.VERIFY_UNPINNED.exitCode}: it holds, but you gave no key.\n` +
        `${errorTable.VERIFY_FAILED.exitCode}: it does not hold.`,
    )
    .action(async (file: string, { key: keys = [], immudbKey }: VerifyFlags) => {
      const verified = await commands.verify(file, {
        keys,
        ...(immudbKey !== undefined && { ledgerKeyFile: immudbKey }),
      });
      print(jsonOfFinding(verified), () => findingText(verified, paint));
      if (verified.signedBy.trust !== 'pinned') exit(errorTable.VERIFY_UNPINNED.exitCode);
    });
};

const seconds = (text: string): number => {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0 && value <= 86_400) return value;
  throw new InvalidArgumentError('--wait is a number of seconds from 0 to 86400.');
};

const jsonOfFinding = ({ event, checkpoint, signedBy, ...finding }: Verified) => ({
  holds: true,
  ...finding,
  checkpoint: {
    ledgerId: checkpoint.ledgerId,
    sequence: checkpoint.sequence,
    tx: checkpoint.tx.id,
    alh: Buffer.from(checkpoint.tx.alh).toString('hex'),
    time: checkpoint.time,
  },
  signer: { trust: signedBy.trust, keys: signedBy.keys.map(formatNoteKey) },
  event: JSON.parse(event) as unknown,
});

const findingText = (finding: Verified, paint: Paint): string => {
  const { eventId, tx, entry, source, checkpoint } = finding;
  const yes = (text: string) => `${paint.green('✓')} ${text}`;
  return [
    `receipt of event ${paint.bold(eventId)}`,
    '',
    yes(`the event is entry ${entry.leaf + 1} of ${entry.of} of transaction ${tx.toString()}, byte for byte`),
    yes(
      `transaction ${tx.toString()} is in ledger ${checkpoint.ledgerId} as of checkpoint ${checkpoint.sequence.toString()} (transaction ${checkpoint.tx.id.toString()})`,
    ),
    yes(
      `the checkpoint accounts for the record: log ${source.log} partition ${source.partition} offset ${source.offset.toString()}, SHA-256 ${source.sha256}`,
    ),
    signerText(finding, paint),
    `- immudb's own signature of that state: ${ledgerSignatureText[finding.ledgerSignature]}`,
    '',
    `stated, not proven: written ${new Date(Number(finding.committedAt) * 1000).toISOString()} (clock of immudb), checkpoint ${checkpoint.time} (clock of the signer)`,
    'not shown by a receipt: that the event is true, and that others were shown the same checkpoint',
    '',
    JSON.stringify(JSON.parse(finding.event), null, 2),
  ].join('\n');
};

const signerText = ({ signedBy }: Verified, paint: Paint): string => {
  const names = signedBy.keys.map(formatNoteKey).join(', ');
  if (signedBy.trust === 'pinned') return `${paint.green('✓')} the checkpoint is signed by ${names}, which you gave`;
  if (signedBy.trust === 'absent') return `${paint.red('✗')} nobody whose key is known signed the checkpoint`;
  return `${paint.yellow('!')} the checkpoint is signed by ${names}, which came with the receipt: anybody may have made it (give --key)`;
};

const ledgerSignatureText = {
  pinned: 'checked with the key that you gave',
  'not checked': 'there, not checked (give --immudb-key)',
  absent: 'absent',
} as const;
