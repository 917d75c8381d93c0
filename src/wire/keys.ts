import type { MadeKey, ShownKey } from '../cli/keys.ts';
import type { Config } from '../config.ts';
import { formatNoteKey } from '../proofs/note-key.ts';
import { makeKeyFile, publicKeyOf, readSigner } from '../sinks/checkpoints/key-file.ts';

export const makeKey = async (file: string, name: string): Promise<MadeKey> => ({
  file,
  publicKey: formatNoteKey(await makeKeyFile(file, name)),
});

export const showKeys = (files: readonly string[], config: () => Config): Promise<readonly ShownKey[]> => {
  const signs = (file: string): ShownKey => ({ publicKey: formatNoteKey(readSigner(file).key), role: 'signs', file });
  if (files.length > 0) return Promise.resolve(files.map(signs));
  const { signingKeyFiles, publicKeys } = config().checkpoints;
  const believed = publicKeys.map((text): ShownKey => {
    return { publicKey: formatNoteKey(publicKeyOf(text)), role: 'believed', file: null };
  });
  return Promise.resolve([...signingKeyFiles.map(signs), ...believed]);
};
