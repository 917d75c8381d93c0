// Installs what npm needs, once, and says nothing when there is nothing to do. Runs on any Node from 18 on, since it
// is what brings the project's own Node 24 (an optional dependency of the lock file) into node_modules/.bin.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

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
  if (!existsSync(new URL('node_modules/.bin/node', root))) {
    console.error(
      `immutrail: no Node 24 package for ${process.platform}-${process.arch}. Install Node >= 24 yourself.`,
    );
    if (Number(process.versions.node.split('.')[0]) < 24) process.exit(1);
  }
  writeFileSync(stamp, lock);
}
