// immudb-node reads, as a process of its own, since it may end the process it runs in. Arguments: host, port, database,
// key, prefix; the password comes on standard input. Prints one JSON line, `verified` if a verified read succeeded, and
// last what a write came to that could not be encoded.
const { mkdtempSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { default: ImmudbClient } = require('immudb-node');

const [host, port, database, key, prefix] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'immudb-node-'));
const rootPath = join(folder, 'state');
writeFileSync(rootPath, '{}');
let password = '';
process.stdin.on('data', (chunk) => (password += chunk));
process.stdin.on('end', async () => {
  const client = new ImmudbClient({ host, port: Number(port), rootPath });
  await client.login({ user: 'immudb', password: password.trim() });
  await client.useDatabase({ databasename: database });
  const got = await client.get({ key });
  const scanned = await client.scan({ prefix, seekkey: '', desc: false, limit: 10, sincetx: 0, nowait: false });
  console.log(JSON.stringify({ value: got?.value, scanned: scanned?.entriesList?.map((entry) => entry.key) }));
  const verified = await client.verifiedGet({ key }).catch(() => undefined);
  if (verified?.value !== undefined) console.log('verified');
  const unsent = client.setAll({ kvsList: [{ key: 'unsent', value: Symbol('no text') }] });
  await unsent.then(
    (header) => console.log(`resolved ${header === undefined ? 'undefined' : 'a header'}`),
    () => console.log('rejected'),
  );
  process.exit(0);
});
