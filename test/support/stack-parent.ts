/** A process for tests to kill: starts immudb and the registry under a supervisor, prints who runs, and waits. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHttpServer } from '../../stack/http-server.ts';
import { startImmudb } from '../../stack/immudb-server.ts';
import { install } from '../../stack/install.ts';
import { startSupervisor } from '../../stack/supervised.ts';

const { bin } = await install();
const dir = await mkdtemp(join(tmpdir(), 'immutrail-killed-'));
const supervisor = startSupervisor(dir);
const immudb = await startImmudb(supervisor, join(bin, 'immudb'), dir, {});
const registry = await startHttpServer(supervisor, dir, {
  name: 'registry',
  binary: join(bin, 'registry'),
  probe: '/subjects',
  args: (port) => ['-address', `127.0.0.1:${port}`],
});
// A stopped process cannot act on a polite signal: it must go all the same.
await registry.server.pause();
console.log(JSON.stringify({ dir, supervisor: supervisor.pid, servers: [immudb.server.pid, registry.server.pid] }));
setInterval(() => undefined, 1_000);
