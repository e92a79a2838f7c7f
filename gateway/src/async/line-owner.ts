import type { Ownership } from '../dispatch/ownership.ts';
import type { Directory } from '../registry/directory.ts';
import { targetsOf } from '../registry/routing.ts';

/** What this gateway knows of functions. */
export interface KnownFunctions {
  readonly functions: Pick<Directory, 'look'>;
  /** Whether functions that are not known do not exist, as far as is known at this moment. */
  readonly hearsOfFunctions: () => boolean;
}

/**
 * Whether this gateway runs the events of a line. The first owner of a function runs its events; those of functions that are gone belong to the
 * first gateway. While this one does not hear of functions, what it does not know may be there: its owner runs it.
 *
 * @param line namespace/name of the Function
 */
export function isMine(
  line: string,
  { functions, hearsOfFunctions }: KnownFunctions,
  ownership: Pick<Ownership, 'isFirstOwner' | 'place'>,
): boolean {
  const { routed } = functions.look(line);
  const [target] = routed === undefined ? [] : targetsOf(routed);
  if (target !== undefined) return ownership.isFirstOwner(target);
  return hearsOfFunctions() && ownership.place().index === 0;
}
