// ESM TypeScript on Node's own type stripping: test/support/strip-types.mjs is the whole transformer.
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.mjs' },
  testSequencer: '<rootDir>/test/support/slow-first.mjs',
  testTimeout: 60_000,
};
