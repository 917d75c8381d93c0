import { equalBytes } from './bytes.ts';
import { requireSigned, type Note, type VerifyEd25519 } from './note.ts';
import type { NoteKey } from './note-key.ts';

/**
 * Who signed a note. `pinned`: keys that were known beforehand. `first use`: keys that came along with what is to be
 * proven, so anybody may have signed. `absent`: nobody whose key is known.
 */
export type SignedBy = { readonly trust: 'pinned' | 'first use' | 'absent'; readonly keys: readonly NoteKey[] };

/** Throws ProofError (`signature`) when keys are pinned and none of them signed, or a signature of a key is wrong. */
export const signersOf = (
  note: Note,
  { pinned, stated }: { readonly pinned: readonly NoteKey[]; readonly stated: readonly NoteKey[] },
  verify: VerifyEd25519,
): SignedBy => {
  if (pinned.length > 0) return { trust: 'pinned', keys: requireSigned(note, pinned, verify) };
  const known = stated.filter((key) =>
    note.signatures.some(({ name, keyId }) => name === key.name && equalBytes(keyId, key.id)),
  );
  if (known.length === 0) return { trust: 'absent', keys: [] };
  return { trust: 'first use', keys: requireSigned(note, known, verify) };
};
