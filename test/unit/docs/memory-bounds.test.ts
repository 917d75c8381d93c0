import { expect, test } from '@jest/globals';
import { boundedHeap, boundedMalloc } from '../../../scripts/memory-bounds.ts';
import { pageOf } from './pages.ts';

const [[name, value]] = Object.entries(boundedMalloc) as [[string, string]];

test('the container starts as what is measured', () => {
  const dockerfile = pageOf('Dockerfile');
  const options = boundedHeap.map((option) => `"${option}"`).join(', ');
  expect(dockerfile).toContain(`ENTRYPOINT ["node", ${options}, "dist/main.js"]`);
  expect(dockerfile).toContain(`    ${name}=${value} \\\n`);
});

test('so does the command of the README', () => {
  expect(pageOf('README.md')).toContain(`\`${name}=${value} node ${boundedHeap.join(' ')} dist/main.js run\``);
});
