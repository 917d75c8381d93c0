import type { KafkaRecord } from '../schemas/record.ts';

/** A record that leaves its batch, with why. */
export type DeadLetter = {
  readonly record: KafkaRecord;
  readonly code: string;
  readonly message: string;
  /** How often it was tried, this time included; 1 unless a redrive sent it. */
  readonly attempt?: number;
};

export type DeadLetterPlace = { readonly partition: number; readonly offset: bigint };

/**
 * Where records at fault go. Must not retry for long: its errors say what may be retried, and sending again may leave
 * a second copy, which is harmless, since the ledger names the copy that counts.
 */
export type DeadLetters = {
  /** Resolves only when the brokers acknowledged every letter; places in the order of the letters. */
  send(letters: readonly DeadLetter[]): Promise<readonly DeadLetterPlace[]>;
};
