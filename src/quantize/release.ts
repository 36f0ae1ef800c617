// Memory of weights that nothing holds any more, given back before the runtime asks for as much.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Frees what is unreachable, now. The collector does not see what the runtime allocates: left to itself it would keep the weights of a large
 * model beside the engine that has them.
 */
export function releaseUnused(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
  }
  collect();
}
