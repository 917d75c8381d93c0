/**
 * Installs the native servers once, into the git-ignored `.stack/` of the project: Kafka's jars by Maven, immudb,
 * toxiproxy and the development registry by the Go compiler. What is installed carries the hash of the files that
 * ask for it (pom.xml; go.mod, go.sum and our own mains), so a change of them installs anew.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { buildGo, runTool } from './build-tools.ts';
import { withLock } from './install-lock.ts';
import { howToInstall, missingTools } from './prerequisites.ts';

export type Installation = {
  readonly java: string;
  /** Folder of Kafka's jars. */
  readonly kafkaLibs: string;
  /** Folder of immudb, immuadmin, toxiproxy and registry. */
  readonly bin: string;
};

export type InstallOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((step: string) => void) | undefined;
  /** Default: `.stack` of the project. */
  readonly folder?: string | undefined;
};

const sources = import.meta.dirname;

const hashOf = async (...files: readonly string[]): Promise<string> => {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(await readFile(join(sources, file)));
  return hash.digest('hex');
};

/** One folder of the installation, replaced as a whole: it is there and complete, or not there. */
type Part = {
  readonly folder: string;
  readonly stamp: string;
  readonly message: string;
  readonly make: (into: string) => Promise<void>;
};

const isInstalled = async ({ folder, stamp }: Part): Promise<boolean> =>
  (await readFile(join(folder, 'stamp'), 'utf8').catch(() => undefined)) === stamp;

/**
 * Each process has a draft of its own: when an installer is killed, its Maven and Go run on for a while, and must not
 * write into what the next one makes.
 */
const installPart = async (part: Part): Promise<void> => {
  const draft = `${part.folder}.new-${process.pid}`;
  const root = dirname(part.folder);
  const isDraft = (name: string): boolean => name.startsWith(`${basename(part.folder)}.new-`);
  for (const old of (await readdir(root)).filter(isDraft)) await rm(join(root, old), { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await part.make(draft);
  await writeFile(join(draft, 'stamp'), part.stamp);
  await rm(part.folder, { recursive: true, force: true });
  await rename(draft, part.folder);
};

const kafkaPart = async (root: string, signal?: AbortSignal): Promise<Part> => ({
  folder: join(root, 'kafka'),
  stamp: await hashOf('pom.xml'),
  message: 'Kafka: downloading its jars with Maven (43 MB, half a minute)',
  make: (into) => {
    const args = [
      '-q',
      '-B',
      '-f',
      'pom.xml',
      'dependency:copy-dependencies',
      `-DoutputDirectory=${join(into, 'libs')}`,
      '-DincludeScope=runtime',
    ];
    return runTool({ command: 'mvn', args, cwd: sources, signal });
  },
});

const goSources = ['go.mod', 'go.sum', 'cmd/registry/main.go'] as const;
const versionPackage = 'github.com/codenotary/immudb/cmd/version';

const immudbVersion = async (): Promise<string> => {
  const goMod = await readFile(join(sources, 'go.mod'), 'utf8');
  const version = /codenotary\/immudb v(\S+)/.exec(goMod)?.[1];
  if (version === undefined) throw new Error('stack/go.mod does not require immudb');
  return version;
};

const goPart = async (root: string, signal?: AbortSignal): Promise<Part> => {
  const version = await immudbVersion();
  const ldflags = `-X ${versionPackage}.App=immudb -X ${versionPackage}.Version=${version}`;
  const build = (output: string, ...packages: readonly string[]): Promise<void> =>
    buildGo({ module: sources, output, packages, ldflags, signal });
  return {
    folder: join(root, 'bin'),
    stamp: await hashOf(...goSources),
    message: `immudb ${version}, registry, toxiproxy: compiling from their Go modules (two to three minutes the first time)`,
    make: async (into) => {
      await build(
        `${into}/`,
        'github.com/codenotary/immudb/cmd/immudb',
        'github.com/codenotary/immudb/cmd/immuadmin',
        './cmd/registry',
      );
      await build(join(into, 'toxiproxy'), 'github.com/Shopify/toxiproxy/v2/cmd/server'); // its package is named server
      await checkVersion(join(into, 'immudb'), version);
    },
  };
};

const checkVersion = async (immudb: string, version: string): Promise<void> => {
  const { promise, resolve: done, reject: fail } = Promise.withResolvers<string>();
  const child = spawn(immudb, ['version'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  child.on('error', fail).on('close', () => done(said));
  if (!(await promise).includes(version))
    throw new Error(`the immudb that was built says it is not ${version}: ${said.trim()}`);
};

const findJava = (): string => {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const java = join(folder, 'java');
    if (existsSync(java)) return java;
  }
  throw new Error('no java on the PATH');
};

const checkTools = async (): Promise<void> => {
  const missing = await missingTools();
  if (missing.length === 0) return;
  throw new Error(
    `the native servers need:\n${missing.map((line) => `  ${line}`).join('\n')}\nTo install them:\n${howToInstall()}`,
  );
};

/**
 * Resolves when everything is there; at once when it was. Safe when several processes call it at the same time: one
 * installs, the others wait for it.
 */
export const install = async ({ signal, onProgress, folder }: InstallOptions = {}): Promise<Installation> => {
  const root = resolve(folder ?? join(dirname(sources), '.stack'));
  const parts = [await kafkaPart(root, signal), await goPart(root, signal)];
  const absent = async (): Promise<Part[]> => {
    const found = await Promise.all(parts.map(isInstalled));
    return parts.filter((_, index) => found[index] !== true);
  };
  if ((await absent()).length > 0) {
    await checkTools();
    const onWait = (pid: number): void => onProgress?.(`waiting for process ${pid}, which is installing the servers`);
    await withLock(join(root, 'locks'), async () => installAll(await absent(), onProgress), { signal, onWait });
  }
  return { java: findJava(), kafkaLibs: join(root, 'kafka', 'libs'), bin: join(root, 'bin') };
};

const installAll = async (parts: readonly Part[], onProgress?: (step: string) => void): Promise<void> => {
  const started = performance.now();
  for (const { message } of parts) onProgress?.(message);
  const settled = await Promise.allSettled(parts.map(installPart));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  if (parts.length > 0) onProgress?.(`servers installed in ${Math.round((performance.now() - started) / 1000)} s`);
};
