import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { makeAuthority } from '../../../stack/certificates.ts';

describe('test certificates', () => {
  const authority = makeAuthority('a test CA');
  const ca = new X509Certificate(authority.certificate);
  const leaf = authority.issue('kafka', ['localhost', '127.0.0.1']);
  const certificate = new X509Certificate(leaf.certificate);

  test('the authority signs itself and may sign others', () => {
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(ca.ca).toBe(true);
  });

  test('a leaf is signed by the authority, is no authority and belongs to its key', () => {
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkIssued(ca)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkPrivateKey(createPrivateKey(leaf.key))).toBe(true);
  });

  test('it is for its names and addresses, and no others', () => {
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkHost('example.org')).toBeUndefined();
    expect(certificate.subject).toBe('CN=kafka');
  });

  test('it is valid now', () => {
    expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now());
    expect(certificate.validToDate.getTime()).toBeGreaterThan(Date.now() + 86_400_000);
  });

  test('another authority of the same name has not signed it', () => {
    const other = new X509Certificate(makeAuthority('a test CA').certificate);
    expect(certificate.verify(other.publicKey)).toBe(false);
  });
});
