import type { EventSourceMappingSpec } from '@kappa/crds/event-source-mapping';

import type { SourceTraits } from '../source.ts';
import type { MappingView } from './mapping-view.ts';
import { mappingObject, queueTraits } from './testing-mapping.ts';
import { viewMapping } from './view-mapping.ts';

/** What is polled of a mapping with this spec. */
export function mappingView(
  spec: Partial<EventSourceMappingSpec> = {},
  traits: SourceTraits = queueTraits,
): MappingView {
  return viewMapping(mappingObject(spec), traits);
}
