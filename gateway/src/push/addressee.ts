import { toLambdaName } from '@kappa/crds/names';

import type { Addressee } from '../async/accept.ts';
import type { Directory } from '../registry/directory.ts';
import type { Place } from '../registry/places.ts';
import type { PushMapping } from './push-mapping.ts';

/** What {@link addresseeOf} looks at. */
export interface AddresseeDeps {
  readonly directory: Pick<Directory, 'look'>;
  readonly placeOf: (namespace: string) => Place;
  readonly arnOf: (accountId: string, functionName: string, region?: string) => string;
}

/** Whose a mapping's events are. The function need not exist: then they wait for it, and are given up as dead events. */
export function addresseeOf(
  { namespace, functionObjectName, qualifier }: PushMapping,
  { directory, placeOf, arnOf }: AddresseeDeps,
): Addressee {
  const line = `${namespace}/${functionObjectName}`;
  const { accountId, region } = placeOf(namespace);
  const name = directory.look(line).fn?.functionName ?? toLambdaName(functionObjectName) ?? functionObjectName;
  const arn = arnOf(accountId, name, region);
  return {
    line,
    accountId,
    ...(qualifier === null ? { invokedArn: arn } : { qualifier, invokedArn: `${arn}:${qualifier}` }),
  };
}
