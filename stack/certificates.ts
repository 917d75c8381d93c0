/**
 * Certificates for test servers, made at start and thrown away with them: a CA, and certificates that it signs for
 * 127.0.0.1 and localhost. X.509 v3 (RFC 5280) in DER (X.690), ECDSA P-256 with SHA-256; node:crypto can sign and
 * check certificates but not make them. Not for production: nothing here can be revoked or renewed.
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** PEM texts; the key is PKCS#8. */
export type Certificate = { readonly certificate: string; readonly key: string };
export type Authority = {
  readonly certificate: string;
  /** A certificate for a server and a client alike. `names` are DNS names or IPv4 addresses. */
  issue(commonName: string, names: readonly string[]): Certificate;
};

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(4, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 + length.length]), length, body]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const bits = (bytes: Buffer): Buffer => der(0x03, Buffer.from([0]), bytes);
const yes = der(0x01, Buffer.from([0xff]));

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const nameOf = (commonName: string): Buffer =>
  sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))));
const time = (date: Date): Buffer => der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\..*/g, '')}Z`));
const extension = (id: string, isCritical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(isCritical ? [yes] : []), der(0x04, value));

const authorityExtensions = (): Buffer[] => [
  extension('551d13', true, sequence(yes)), // basicConstraints: a CA
  extension('551d0f', true, der(0x03, Buffer.from([1, 0x06]))), // keyUsage: signs certificates and CRLs
];

const alternativeName = (name: string): Buffer =>
  /^[\d.]+$/.test(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));
const leafExtensions = (names: readonly string[]): Buffer[] => [
  extension('551d13', true, sequence()),
  extension('551d0f', true, der(0x03, Buffer.from([7, 0x80]))), // keyUsage: digitalSignature
  extension('551d25', false, sequence(oid('2b06010505070301'), oid('2b06010505070302'))), // serverAuth, clientAuth
  extension('551d11', false, sequence(...names.map(alternativeName))),
];

type Subject = { readonly name: string; readonly publicKey: KeyObject; readonly extensions: readonly Buffer[] };
type Issuer = { readonly name: string; readonly privateKey: KeyObject };
const dayMs = 86_400_000;

const certify = (subject: Subject, issuer: Issuer): string => {
  const serial = randomBytes(16);
  serial.writeUInt8(0x40 | (serial.readUInt8(0) & 0x3f)); // positive and of full length, as DER wants it
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    nameOf(issuer.name),
    sequence(time(new Date(Date.now() - dayMs)), time(new Date(Date.now() + 30 * dayMs))),
    nameOf(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...subject.extensions)),
  );
  const signed = sequence(toBeSigned, ecdsaWithSha256, bits(sign('sha256', toBeSigned, issuer.privateKey)));
  const lines = signed.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
};

const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

export const makeAuthority = (name: string): Authority => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer: Issuer = { name, privateKey: pair.privateKey };
  return {
    certificate: certify({ name, publicKey: pair.publicKey, extensions: authorityExtensions() }, issuer),
    issue: (commonName, names) => {
      const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const subject = { name: commonName, publicKey: leaf.publicKey, extensions: leafExtensions(names) };
      return { certificate: certify(subject, issuer), key: pem(leaf.privateKey) };
    },
  };
};
