import type { Command } from 'commander';
import type { Config } from '../config.ts';
import { tableOf, type Paint } from './output.ts';
import { example, type Face } from './face.ts';

export type KeyCommands = {
  /** Writes a new signing key into a file that must not exist. */
  makeKey(file: string, name: string): Promise<MadeKey>;
  /** The public halves of these files; without files, all that the configuration names. */
  showKeys(files: readonly string[], config: () => Config): Promise<readonly ShownKey[]>;
};

export type MadeKey = { readonly file: string; readonly publicKey: string };

export type ShownKey = {
  readonly publicKey: string;
  /** `signs`: its private half is in `file`. `believed`: the configuration names it. */
  readonly role: 'signs' | 'believed';
  readonly file: string | null;
};

/** `immutrail keys`. */
export const addKeys = ({ program, commands, config, paint, print }: Face<KeyCommands>): void => {
  const keys: Command = program.command('keys').description('keys that sign checkpoints, and the public keys to pin');
  keys
    .command('make')
    .argument('<file>', 'where the signing key goes; only its owner may read it, and it is never shown')
    .option('--name <name>', 'the name that stands in every checkpoint: best an address of yours', 'immutrail')
    .description('make a signing key; prints the public key, to be pinned by whoever verifies')
    .addHelpText(
      'after',
      example('immutrail keys make secrets/checkpoints.key --name audit.example.org/2026') +
        '\n\nTo rotate: make a second key, name both files in checkpoints.signingKeyFiles, hand the new public key on,\n' +
        'and take the old file out when everybody has pinned the new one. Keep old public keys in checkpoints.publicKeys.',
    )
    .action(async (file: string, { name }: { readonly name: string }) => {
      const made = await commands.makeKey(file, name);
      print(made, () => madeText(made, paint));
    });
  keys
    .command('show')
    .argument(
      '[files...]',
      'signing keys (default: those that the configuration names, and the public keys it believes)',
    )
    .description('the public keys, to be handed on')
    .addHelpText('after', example('immutrail keys show', 'immutrail keys show secrets/checkpoints.key'))
    .action(async (files: readonly string[]) => {
      const shown = await commands.showKeys(files, config);
      print(shown, () => shownText(shown));
    });
};

const madeText = ({ file, publicKey }: MadeKey, paint: Paint): string =>
  [
    `${paint.green('key made')} in ${file}: keep a copy where nobody else can read it`,
    '',
    `public key ${paint.bold(publicKey)}`,
    `sign with it: IMMUTRAIL_CHECKPOINTS_SIGNING_KEY_FILES=${file}`,
    `pin it where receipts are verified: immutrail verify <file> --key '${publicKey}'`,
  ].join('\n');

const shownText = (keys: readonly ShownKey[]): string =>
  keys.length === 0
    ? 'the configuration names no keys: make one with `immutrail keys make`'
    : tableOf(
        ['public key', 'role', 'file'],
        keys.map(({ publicKey, role, file }) => [publicKey, role, file ?? '']),
        [],
      );
