import { stripTypeScriptTypes } from 'node:module';

// Blanks types out in place, so line and column numbers stay those of the source.
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }),
};
