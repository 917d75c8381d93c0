import { readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../src/config.ts';
import { exportEvents } from '../../src/wire/exports.ts';
import { receipt } from '../../src/wire/receipts.ts';
import type { Site } from './pipeline-process.ts';

/** Files that a ledger's owner gives to others or keeps beside it, made of a real ledger. */
export type HandedOut = {
  readonly receipts: readonly string[];
  /** Each lies beside its manifest. */
  readonly exports: readonly { readonly data: string; readonly manifest: string }[];
  readonly checkpoints: readonly string[];
  readonly keyFile: string;
  readonly publicKey: string;
  /** The same as a file. */
  readonly publicKeyFile: string;
};

export type Signing = {
  readonly keyFile: string;
  readonly publicKey: string;
  readonly folder: string;
  /** What a pipeline that publishes checkpoints gets. */
  readonly env: Readonly<Record<string, string>>;
};

/** A key of this site's, and where its checkpoints go. */
export const signingOf = async (site: Site): Promise<Signing> => {
  const keyFile = join(site.folder, 'signing.key');
  const folder = join(site.folder, 'checkpoints');
  await mkdir(folder);
  const made = await site.command(['--json', 'keys', 'make', keyFile, '--name', 'audit.test/1']);
  const { publicKey } = JSON.parse(made.out) as { publicKey: string };
  const env = {
    IMMUTRAIL_CHECKPOINTS_SIGNING_KEY_FILES: keyFile,
    IMMUTRAIL_CHECKPOINTS_FOLDER: folder,
    IMMUTRAIL_CHECKPOINTS_EVERY_MS: '200',
  };
  return { keyFile, publicKey, folder, env };
};

/** Of the few events that are exported. */
export const exportedCorrelation = 'rr-exported';

export type HandOut = {
  readonly environment: Readonly<Record<string, string>>;
  readonly signing: Signing;
  /** Whose receipts are wanted. */
  readonly eventIds: readonly string[];
};

/** Receipts, exports and checkpoints of this ledger, as the commands make them. */
export const handOut = async (folder: string, { environment, signing, eventIds }: HandOut): Promise<HandedOut> => {
  const config = loadConfig({ environment: { ...environment, ...signing.env } });
  const receipts: string[] = [];
  for (const eventId of eventIds) {
    const file = join(folder, `${eventId}.json`);
    await writeFile(file, await receipt(config, eventId, { waitMs: 10_000 }));
    receipts.push(file);
  }
  const exporting = { correlation: exportedCorrelation, isWalk: true };
  const exports = [
    await exportEvents(config, { ...exporting, file: join(folder, 'exported.ndjson'), isCsv: false }),
    await exportEvents(config, { ...exporting, file: join(folder, 'exported.csv'), isCsv: true }),
  ].map(({ file: data, manifest }) => ({ data, manifest }));
  const checkpoints = readdirSync(signing.folder)
    .toSorted()
    .map((name) => join(signing.folder, name));
  const { keyFile, publicKey } = signing;
  const publicKeyFile = join(folder, 'signing.pub');
  await writeFile(publicKeyFile, publicKey);
  return { receipts, exports, checkpoints, keyFile, publicKey, publicKeyFile };
};
