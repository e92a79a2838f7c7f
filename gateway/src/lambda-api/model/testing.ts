import fc from 'fast-check';

import type { Member, Shape, StringShape, StructureShape } from './shapes.ts';

/** Which members of a structure are generated; by default all. */
export type Chosen = (shape: StructureShape, member: Member) => boolean;

/**
 * Values of a structure that the model accepts (answers have no bounds: any value of the right type). Required members and a
 * payload are always there.
 */
export function validStructure(
  shape: StructureShape,
  chosen: Chosen = () => true,
): fc.Arbitrary<Record<string, unknown>> {
  const members = shape.members.filter((member) => member.isRequired || chosen(shape, member));
  const model = Object.fromEntries(members.map((member) => [member.name, validMember(member, shape, chosen)]));
  const isAlways = (member: Member): boolean =>
    member.isRequired || member === shape.payload || alwaysThere.has(member.name);
  return fc.record(model, { requiredKeys: members.filter(isAlways).map(({ name }) => name) });
}

/** The SDKs make up the one when it is missing; without the other there is no status. */
const alwaysThere: ReadonlySet<string> = new Set(['ClientToken', 'StatusCode', 'Status']);

function validMember({ location, shape }: Member, { payload }: StructureShape, chosen: Chosen): fc.Arbitrary<unknown> {
  // a status without a body would be one more thing than the test is about where there is a payload
  if (location === 'statusCode') return fc.constantFrom(...(payload === null ? [200, 202, 204] : [200, 202]));
  if (location === 'header' && shape.kind === 'string' && shape.pattern === null && shape.values === null)
    return fc.base64String({ minLength: 4, maxLength: 20 });
  if (payload?.shape === shape && shape.kind === 'blob') return fc.uint8Array({ minLength: 1, maxLength: 50 });
  // an empty list in a query is no list
  if (location === 'querystring')
    return validValue(shape.kind === 'list' ? { ...shape, min: shape.min ?? 1 } : shape, chosen);
  return validValue(shape, chosen);
}

function validValue(shape: Shape, chosen: Chosen): fc.Arbitrary<unknown> {
  const { min = 0, max = Number.POSITIVE_INFINITY } = shape;
  switch (shape.kind) {
    case 'structure':
      return validStructure(shape, chosen);
    case 'list':
      return fc.array(validValue(shape.member, chosen), { minLength: min, maxLength: Math.min(max, min + 2) });
    case 'map': {
      const keys = validValue(shape.key, chosen).map(String);
      return fc.dictionary(keys, validValue(shape.value, chosen), { minKeys: min, maxKeys: Math.min(max, min + 2) });
    }
    case 'string':
      return validText(shape);
    case 'integer':
    case 'long':
      return fc.maxSafeInteger().map((value) => Math.max(shape.min ?? value, Math.min(max, value)));
    case 'double':
      return fc.double({ min, max: Math.min(max, 1e6), noNaN: true }).map((value) => value + 0);
    case 'boolean':
      return fc.boolean();
    case 'blob':
      return fc.uint8Array({ minLength: min, maxLength: 20 });
    case 'timestamp':
      return fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
  }
}

function validText(shape: StringShape): fc.Arbitrary<string> {
  if (shape.values !== null) return fc.constantFrom(...shape.values);
  if (shape.pattern === null) {
    const { min = 0, max = 20 } = shape;
    return fc.string({ minLength: min, maxLength: Math.min(max, min + 20), unit: 'binary' });
  }
  return fc.constantFrom(...samplesOf(shape, shape.pattern.regExp));
}

const samples = new Map<string, readonly string[]>();

function samplesOf(shape: StringShape, regExp: RegExp): readonly string[] {
  const known = samples.get(shape.name);
  if (known !== undefined) return known;
  const { min = 0, max = Number.POSITIVE_INFINITY } = shape;
  const all = byHand[shape.name] ?? fc.sample(fc.stringMatching(regExp), { seed: 1, numRuns: 12 });
  const fitting = all.filter((text) => text.length >= min && text.length <= max);
  if (fitting.length === 0) throw new Error(`no sample of ${shape.name}`);
  samples.set(shape.name, fitting);
  return fitting;
}

/** Where the pattern has what fast-check cannot turn round (looking ahead or back, an empty group). */
const byHand: Readonly<Record<string, readonly string[]>> = {
  Alias: ['live', 'v-1_', '1a'],
  CollectionName: ['orders', '_a b/c', 'systems'],
  FunctionUrlFunctionName: [
    'hello',
    'hello:live',
    '123456789012:function:a_b:1a',
    'arn:aws:lambda:eu-west-1:123456789012:function:a',
  ],
  FunctionUrlQualifier: ['live', '1a', '-_'],
  KMSKeyArn: ['', 'arn:aws:kms:us-east-1:123456789012:key/1', 'arn:aws-cn:kms:'],
  ResourceArn: ['', 'arn:aws:sqs:us-east-1:123456789012:q', 'arn::s3:a b'],
  S3Bucket: ['bucket', 'my.bucket-1', '...-'],
  // HTTP cuts blanks off the ends of a header
  TenantId: ['tenant-1', 'a b', '+:=@._/-'],
  // these two it can, but slowly
  TagKey: ['team', 'kappa.dev/a b', 'größe', '@', '_:/=+-1'],
  TagValue: ['', 'ops', 'a b', 'größe ²'],
};
