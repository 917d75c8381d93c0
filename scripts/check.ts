/** `npm run check`: the whole truth about the tree without a server: format, lint, types, directions, unused, docs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

type Step = { readonly name: string; readonly command: readonly [string, ...string[]] };

const all: readonly Step[] = [
  { name: 'format', command: ['prettier', '--check', '.'] },
  { name: 'types', command: ['tsc', '-p', 'tsconfig.json'] },
  { name: 'lint', command: ['eslint', '.', '--max-warnings', '0'] },
  { name: 'import directions', command: ['depcruise', '--config', '.dependency-cruiser.mjs', 'src'] },
  { name: 'unused code', command: ['knip'] },
  { name: 'docs equal to code', command: ['node', 'scripts/docs.ts', '--check'] },
  { name: 'lock file', command: ['node', 'scripts/check.ts', '--lock'] },
];

/** The lock file names hashes only; an address in it would tie every clone to one registry. */
const checkLock = (): number => {
  const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
    packages: Record<string, { resolved?: string; integrity?: string; link?: boolean }>;
  };
  const wrong = Object.entries(lock.packages).filter(
    ([name, { resolved, integrity, link }]) =>
      name !== '' && link !== true && (resolved !== undefined || integrity === undefined),
  );
  for (const [name] of wrong) console.error(`package-lock.json: ${name} has an address, or no integrity`);
  return wrong.length === 0 ? 0 : 1;
};

const runStep = async ({ name, command: [program, ...args] }: Step): Promise<boolean> => {
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  const took = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${took} s)`);
  if (code !== 0) console.log(output.slice(0, 20_000));
  return code === 0;
};

const checkAll = async (names: readonly string[]): Promise<number> => {
  const steps = names.length === 0 ? all : all.filter(({ name }) => names.some((wanted) => name.includes(wanted)));
  let failed = 0;
  for (const step of steps) if (!(await runStep(step))) failed += 1;
  console.log(failed === 0 ? `all ${steps.length} checks hold` : `${failed} of ${steps.length} checks failed`);
  return failed === 0 && steps.length > 0 ? 0 : 1;
};

const args = process.argv.slice(2);
process.exitCode = args[0] === '--lock' ? checkLock() : await checkAll(args);
