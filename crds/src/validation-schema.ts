/** The keywords that `parse` checks; descriptions, printer columns and CEL rules are for the API server. */
const keywords = [
  'type',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
  'default',
];

/**
 * What of a manifest's schema a parser needs. `metadata` is left out: it has one parser for all kinds.
 *
 * @param schema `openAPIV3Schema` of a CRD, or a part of it
 */
export function validationSchema(schema: Readonly<Record<string, unknown>>): object {
  const { properties, items, additionalProperties } = schema;
  const own = Object.entries(schema).filter(([keyword]) => keywords.includes(keyword));
  return {
    ...Object.fromEntries(own),
    ...(isSchema(properties) ? { properties: propertiesOf(properties) } : {}),
    ...(isSchema(items) ? { items: validationSchema(items) } : {}),
    ...(isSchema(additionalProperties) ? { additionalProperties: validationSchema(additionalProperties) } : {}),
  };
}

function propertiesOf(properties: Readonly<Record<string, unknown>>): object {
  const fields = Object.entries(properties).filter(([name]) => name !== 'metadata');
  return Object.fromEntries(fields.map(([name, field]) => [name, isSchema(field) ? validationSchema(field) : {}]));
}

function isSchema(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
