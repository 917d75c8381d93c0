// `node scripts/setup.mjs [script …]`: installs what npm needs, once, and runs the script on the project's own Node 24,
// which the lock file brings into node_modules/.bin. Runs on any Node from 18 on. The shell that npm starts cannot run
// the second command itself: it has looked up `node` before there was another one.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url);
const stamp = new URL('node_modules/.immutrail-setup', root);
const lock = createHash('sha256')
  .update(readFileSync(new URL('package-lock.json', root)))
  .update(readFileSync(new URL('package.json', root)))
  .digest('hex');

const isInstalled = existsSync(stamp) && readFileSync(stamp, 'utf8') === lock;
if (!isInstalled) {
  console.error('immutrail: installing npm packages from the lock file (about 120 MB to download, a minute) …');
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm]] : ['npm', []];
  try {
    execFileSync(command, [...args, 'ci', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
  } catch {
    console.error(
      'immutrail: npm ci failed (its words are above). Is the npm registry reachable? Then run this again.',
    );
    process.exit(1);
  }
  writeFileSync(stamp, lock);
}

const own = fileURLToPath(new URL('node_modules/.bin/node', root));
const node = existsSync(own) ? own : process.execPath;
if (node !== own && Number(process.versions.node.split('.')[0]) < 24) {
  console.error(`immutrail: no Node 24 package for ${process.platform}-${process.arch}. Install Node >= 24 yourself.`);
  process.exit(1);
}

const [script, ...rest] = process.argv.slice(2);
if (script !== undefined) {
  // The pipe tells the script when this process is gone, even if it was killed with -9 (end-with-parent.ts).
  const child = spawn(node, [script, ...rest], {
    cwd: root,
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { ...process.env, PATH: `${dirname(own)}${delimiter}${process.env.PATH ?? ''}`, STDIN_ENDS_WITH_PARENT: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
  // npm itself may be killed with -9: whoever adopts us then is another parent.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || process.exit(1), 500).unref();
}
