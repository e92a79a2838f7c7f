import { configMaps } from '@kappa/crds/client/kinds';

import type { ApiDeps } from '../call.ts';
import { lambdaException } from '../errors.ts';

/** In the namespace of the gateways: the number that each layer was given last. */
const name = 'kappa-layer-numbers';

/**
 * The number of a layer's next version. None is given twice, not even after a deletion: it is written down first, by a write that fails
 * when another gateway did so at the same time.
 *
 * @param namespace of the layer
 * @param highest of the versions that there are, which kubectl may have numbered
 */
export async function nextVersion(
  namespace: string,
  layerName: string,
  highest: number,
  { objects, systemNamespace }: Pick<ApiDeps, 'objects' | 'systemNamespace'>,
): Promise<number> {
  const key = `${namespace}.${layerName}`;
  const place = { namespace: systemNamespace, name };
  let number = 0;
  for (const _isThere of [false, true]) {
    const written = await objects.change(configMaps, place, (numbers) => {
      number = Math.max(Number(numbers.data?.[key] ?? 0), highest) + 1;
      return { ...numbers, data: { ...numbers.data, [key]: String(number) } };
    });
    if (written !== null) return number;
    await objects.create(configMaps, { metadata: place });
  }
  throw lambdaException('ResourceConflictException', 'The numbers of layers are being deleted by others: try again');
}
