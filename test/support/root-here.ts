import { rootOfRequest, type RootOf } from '../../src/sinks/immudb/request-root.ts';

/** Without the second thread that `immutrail run` has for it. */
export const rootHere: RootOf = (request) => Promise.resolve(rootOfRequest(request));
