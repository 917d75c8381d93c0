/** A process for tests to kill: runs a test that never ends, as `npm test` does. */
import { runSuite } from '../../scripts/jest-runs.ts';

await runSuite('fixtures/never-ends', ['--runInBand', '--silent'], { NEVER_ENDS_FILE: process.argv[2] ?? '' });
