import type { EventSourceMappingObject } from './generated/event-source-mapping.ts';
import { makeParser } from './parser.ts';

export type * from './generated/event-source-mapping.ts';

/**
 * Reads an EventSourceMapping from a list, a watch or a manifest; defaults are filled in.
 *
 * @throws ParseError with the path of every wrong field
 */
export const parseEventSourceMapping: (value: unknown) => EventSourceMappingObject = makeParser(
  'EventSourceMapping',
  'kappa.dev/v1alpha1',
  'event-source-mapping.schema.json',
);
