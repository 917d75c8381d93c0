import { openCheckpoint, type SignedCheckpoint } from '../../proofs/checkpoint.ts';
import type { NoteKey } from '../../proofs/note-key.ts';
import { ProofError } from '../../proofs/proof-error.ts';
import { verifyEd25519 } from './ed25519.ts';

/** Where notes lie: a topic, a folder. Yields what it holds, newest first; not all of it need be a checkpoint. */
export type NoteSource = { newestFirst(): AsyncIterable<Uint8Array> };

/** What is looked for. `ledgerId` left out: of whichever ledger. */
export type Wanted = {
  readonly keys: readonly NoteKey[];
  readonly ledgerId?: string;
};

/** So many notes are looked at in one place, whatever lies there. */
const maxLooks = 10_000;

/**
 * The newest checkpoint in these places that one of the keys signed; null if there is none. What is not a note, not
 * signed or of another ledger is passed over: whoever may write there may write anything.
 */
export const newestCheckpoint = async (
  sources: readonly NoteSource[],
  wanted: Wanted,
): Promise<SignedCheckpoint | null> => {
  let newest: SignedCheckpoint | null = null;
  for (const source of sources) {
    const found = await newestIn(source, wanted);
    if (found !== null && (newest === null || isLater(found, newest))) newest = found;
  }
  return newest;
};

const newestIn = async (source: NoteSource, wanted: Wanted): Promise<SignedCheckpoint | null> => {
  let looks = 0;
  for await (const note of source.newestFirst()) {
    const opened = openedOrNull(note, wanted);
    if (opened !== null) return opened;
    looks += 1;
    if (looks === maxLooks) return null;
  }
  return null;
};

const openedOrNull = (note: Uint8Array, { keys, ledgerId }: Wanted): SignedCheckpoint | null => {
  try {
    const opened = openCheckpoint(note, keys, verifyEd25519);
    const stated = opened.checkpoint.ledgerId;
    return stated === (ledgerId ?? stated) ? opened : null;
  } catch (error) {
    if (error instanceof ProofError) return null;
    throw error;
  }
};

const isLater = ({ checkpoint: a }: SignedCheckpoint, { checkpoint: b }: SignedCheckpoint): boolean =>
  a.sequence > b.sequence;
