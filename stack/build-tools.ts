/** How the stack's Maven and Go are called. */
import { spawn } from 'node:child_process';

type Tool = {
  readonly command: string;
  readonly args: readonly string[];
  /** Where it runs. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
};

/** Runs a build tool quietly. Rejects with the end of what it said. */
export const runTool = ({ command, args, cwd, env, signal }: Tool): Promise<void> =>
  new Promise((done, fail) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal && { signal }),
    });
    let said = '';
    const keep = (bytes: Buffer): void => void (said = (said + bytes.toString()).slice(-4_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0) {
        done();
        return;
      }
      fail(
        new Error(
          `${command} ${args.slice(0, 3).join(' ')} … failed. Is the package registry reachable? Its last words:\n${said.trim()}`,
        ),
      );
    });
  });

type GoBuild = {
  /** Folder of the go.mod. */
  readonly module: string;
  /** A file, or a folder with a slash at its end. */
  readonly output: string;
  readonly packages: readonly string[];
  /** `-X` flags and the like. */
  readonly ldflags?: string;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Compiles the main packages of a module, exactly at the versions of its go.sum. Modules that agree on versions share
 * what they compile, since all are compiled with the same flags; what is up to date is not linked again.
 */
export const buildGo = ({ module, output, packages, ldflags = '', signal }: GoBuild): Promise<void> =>
  runTool({
    command: 'go',
    args: ['build', '-trimpath', `-ldflags=-s -w ${ldflags}`.trim(), '-o', output, ...packages],
    cwd: module,
    env: { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' },
    signal,
  });
