import { readFileSync } from 'node:fs';
import { readSecret, type Config } from '../config.ts';
import { PipelineError } from '../errors.ts';
import { payloadRule } from '../schemas/payload-rule.ts';
import { registryClient, type RegistryClient } from '../schemas/registry/client.ts';
import { plainDecoder, registryDecoder, type Decoder } from '../schemas/registry/decoder.ts';

/** The schema registry of this configuration; null if none is named. */
const connectRegistry = ({ registry }: Config): RegistryClient | null => {
  const { url, username, passwordFile, tls, timeoutMs } = registry;
  if (url === null) return null;
  const pem = (file: string | null) => (file === null ? undefined : readFileSync(file, 'utf8'));
  const [ca, cert, key] = [pem(tls.caFile), pem(tls.certFile), pem(tls.keyFile)];
  return registryClient({
    url,
    timeoutMs,
    ...(username !== null &&
      passwordFile !== null && { auth: () => ({ username, password: readSecret(passwordFile) }) }),
    tls: { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) },
  });
};

export const requireRegistry = (config: Config): RegistryClient => {
  const registry = connectRegistry(config);
  if (registry !== null) return registry;
  throw new PipelineError('USAGE', 'no schema registry is configured: name it in registry.url');
};

/** Plain JSON always; framed records where a registry is configured. */
export const recordDecoder = (config: Config): Decoder => {
  const judge = payloadRule(config.payloads.check);
  const registry = connectRegistry(config);
  return registry === null ? plainDecoder(judge) : registryDecoder({ registry, judge });
};
