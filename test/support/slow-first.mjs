import { statSync } from 'node:fs';
import { basename } from 'node:path';

// Files of tests that run beside each other: one that takes a minute must not be begun when all others are done. Jest
// itself knows how long a file took only where it ran before.
const slowest = ['kills', 'lying-server', 'network', 'refusals', 'outage', 'dead-letters', 'checkpoints', 'instances'];

const rank = ({ path }) => {
  const at = slowest.indexOf(basename(path, '.test.ts'));
  return at === -1 ? slowest.length : at;
};

export default class SlowFirst {
  sort(tests) {
    const sized = Array.from(tests, (test) => ({ test, rank: rank(test), size: statSync(test.path).size }));
    return sized.sort((a, b) => a.rank - b.rank || b.size - a.size).map(({ test }) => test);
  }
  shard(tests) {
    return tests;
  }
  allFailedTests(tests) {
    return tests;
  }
  cacheResults() {}
}
