import { readFile } from 'node:fs/promises';
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { PipelineError } from '../../errors.ts';

export type TlsOptions = {
  /** PEM file with the authorities that may have signed the server's certificate. Default: those of the system. */
  readonly caFile?: string;
  /**
   * Both or neither, PEM. immudb 1.11 with --mtls refuses a certificate of a foreign authority, but lets in clients that
   * show none: what keeps strangers out is the password.
   */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Name expected in the server's certificate. Default: the host. */
  readonly serverName?: string;
};

const maxPasswordBytes = 4096;

/** Reads the file each time a session is opened, so that a rotated password is found. One line end is cut. */
export const passwordFromFile = (file: string) => async (): Promise<string> => {
  const password = (await readCredential(file)).toString('utf8').replace(/\r?\n$/, '');
  const length = Buffer.byteLength(password);
  if (length > 0 && length <= maxPasswordBytes) return password;
  throw new PipelineError('CONFIG_INVALID', `password file ${file} must hold 1 to ${maxPasswordBytes} bytes`);
};

/** Without `tls` the connection is neither encrypted nor authenticated: for the local machine only. */
export const channelCredentials = async (tls: TlsOptions | undefined): Promise<ChannelCredentials> => {
  if (tls === undefined) return credentials.createInsecure();
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined))
    throw new PipelineError('CONFIG_INVALID', 'TLS to immudb: certificate and key of the client belong together');
  const [ca, key, cert] = await Promise.all([tls.caFile, tls.keyFile, tls.certFile].map(readOptional));
  return createSsl({ ca: ca ?? null, key: key ?? null, cert: cert ?? null });
};

type Pem = { readonly ca: Buffer | null; readonly key: Buffer | null; readonly cert: Buffer | null };

const createSsl = ({ ca, key, cert }: Pem): ChannelCredentials => {
  try {
    return credentials.createSsl(ca, key, cert);
  } catch (error) {
    throw new PipelineError('CONFIG_INVALID', 'TLS to immudb: the certificates cannot be used', { cause: error });
  }
};

const readOptional = async (file: string | undefined): Promise<Buffer | null> =>
  file === undefined ? null : readCredential(file);

const readCredential = async (file: string): Promise<Buffer> => {
  try {
    return await readFile(file);
  } catch (error) {
    throw new PipelineError('CONFIG_INVALID', `cannot read ${file}`, { cause: error });
  }
};
