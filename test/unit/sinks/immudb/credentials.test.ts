import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { channelCredentials, passwordFromFile } from '../../../../src/sinks/immudb/credentials.ts';

let dir = '';
const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(dir, name), text);
  return join(dir, name);
};
const invalid = { code: 'CONFIG_INVALID' };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'immutrail-credentials-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('password from a file', () => {
  test.each([
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    [' with space \n\n', ' with space \n'],
    ['pässwörd', 'pässwörd'],
  ])('%j is %j', async (text, password) => {
    expect(await passwordFromFile(await file('password', text))()).toBe(password);
  });

  test('is read anew each time', async () => {
    const path = await file('password', 'old');
    const password = passwordFromFile(path);
    expect(await password()).toBe('old');
    await writeFile(path, 'new');
    expect(await password()).toBe('new');
  });

  test.each(['', '\n', 'x'.repeat(4097)])('%# is refused', async (text) => {
    const asked = passwordFromFile(await file('password', text))();
    await expect(asked).rejects.toMatchObject(invalid);
  });

  test('a refusal names the file and never its content', async () => {
    const error: unknown = await passwordFromFile(await file('password', 'x'.repeat(5000)))().catch((e: unknown) => e);
    expect(String(error)).toContain(join(dir, 'password'));
    expect(String(error)).not.toContain('xxx');
  });

  test('a missing file', async () => {
    await expect(passwordFromFile(join(dir, 'none'))()).rejects.toMatchObject(invalid);
  });
});

describe('TLS', () => {
  test('certificate and key belong together', async () => {
    const caFile = await file('ca.pem', '');
    await expect(channelCredentials({ caFile, certFile: caFile })).rejects.toMatchObject(invalid);
    await expect(channelCredentials({ caFile, keyFile: caFile })).rejects.toMatchObject(invalid);
  });

  test('what is no certificate is refused', async () => {
    const caFile = await file('ca.pem', 'nonsense');
    const pair = { certFile: caFile, keyFile: caFile };
    await expect(channelCredentials({ caFile, ...pair })).rejects.toMatchObject(invalid);
  });
});
