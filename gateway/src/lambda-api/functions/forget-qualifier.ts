import { functions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';

import type { ApiDeps } from '../call.ts';
import { entryOf, withoutEntry } from './change.ts';

/** Takes away what a function says of a version or an alias that has been deleted. A function that is gone is fine. */
export async function forgetQualifier(fn: FunctionObject, qualifier: string, { objects }: ApiDeps): Promise<void> {
  await objects.change(functions, fn.metadata, (current) => {
    const { concurrency, eventInvoke, permissions } = current.spec;
    const isNamed =
      entryOf(concurrency.provisionedByQualifier, qualifier) !== undefined ||
      entryOf(eventInvoke, qualifier) !== undefined ||
      entryOf(permissions, qualifier) !== undefined;
    return isNamed && current.metadata.uid === fn.metadata.uid
      ? { ...current, spec: without(current.spec, qualifier) }
      : current;
  });
}

function without(spec: FunctionObject['spec'], qualifier: string): FunctionObject['spec'] {
  const { concurrency, eventInvoke, permissions, ...rest } = spec;
  const { provisionedByQualifier, ...others } = concurrency;
  const provisioned = withoutEntry(provisionedByQualifier, qualifier);
  const events = withoutEntry(eventInvoke, qualifier);
  const granted = withoutEntry(permissions, qualifier); // or an alias made again would be open to whom the old one was
  return {
    ...rest,
    concurrency: { ...others, ...(provisioned !== undefined && { provisionedByQualifier: provisioned }) },
    ...(events !== undefined && { eventInvoke: events }),
    ...(granted !== undefined && { permissions: granted }),
  };
}
