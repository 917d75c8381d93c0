/** What a machine must have for the native stack, and how to say what is missing. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export type Tool = {
  readonly name: 'Java' | 'Maven' | 'Go';
  readonly command: string;
  readonly args: readonly string[];
  /** Finds major and minor version in what the command prints. */
  readonly pattern: RegExp;
  readonly least: readonly [number, number];
};

export const tools: readonly Tool[] = [
  { name: 'Java', command: 'java', args: ['-version'], pattern: /version "(\d+)(?:\.(\d+))?/, least: [17, 0] },
  { name: 'Maven', command: 'mvn', args: ['-v'], pattern: /Apache Maven (\d+)\.(\d+)/, least: [3, 6] },
  { name: 'Go', command: 'go', args: ['version'], pattern: /go(\d+)\.(\d+)/, least: [1, 25] },
];

/** How to get everything, by system. Debian's and Ubuntu's own Go may be older than what is needed. */
export const installCommands: Readonly<Record<string, string>> = {
  'Debian, Ubuntu': 'sudo apt-get install openjdk-17-jdk-headless maven, and Go >= 1.25 from https://go.dev/dl/',
  Fedora: 'sudo dnf install java-21-openjdk-headless maven golang',
  macOS: 'brew install openjdk maven go',
};

const run = promisify(execFile);

const outputOf = async ({ command, args }: Tool): Promise<string | undefined> => {
  try {
    // Long: a machine that is busy with something else must not pass for one without Java.
    const { stdout, stderr } = await run(command, [...args], { timeout: 120_000 });
    return stdout + stderr;
  } catch {
    return undefined; // not there, or it does not run: the same to us
  }
};

const problemOf = async (tool: Tool): Promise<string | undefined> => {
  const least = `${tool.name} >= ${tool.least.join('.')}`;
  const output = await outputOf(tool);
  if (output === undefined) return `${least} (no working \`${tool.command}\` on the PATH)`;
  const [, major = '0', minor = '0'] = tool.pattern.exec(output) ?? [];
  const [leastMajor, leastMinor] = tool.least;
  const isEnough = Number(major) > leastMajor || (Number(major) === leastMajor && Number(minor) >= leastMinor);
  return isEnough ? undefined : `${least} (the one on the PATH is ${major}.${minor})`;
};

/** One line for each tool that is absent or too old; empty when the native stack can be installed. */
export const missingTools = async (): Promise<string[]> =>
  (await Promise.all(tools.map(problemOf))).filter((problem) => problem !== undefined);

export const howToInstall = (): string =>
  Object.entries(installCommands)
    .map(([system, command]) => `  ${system}: ${command}`)
    .join('\n');
