/** For `node --import`: the process ends with whoever holds its standard input, also if that is killed with -9. */
import { endWithParent } from './end-with-parent.ts';

endWithParent();
