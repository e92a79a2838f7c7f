import { describe, expect, test } from '@jest/globals';

import { parseInput } from './input.ts';
import { lambdaModel } from './model.ts';
import { matchOperation } from './router.ts';

const nothing = Buffer.alloc(0);

function parse(line: string, body: unknown = nothing, headers: Record<string, string> = {}) {
  const [method = '', target = ''] = line.split(' ');
  const match = matchOperation(method, target);
  if (match === null) throw new Error(`no operation for ${line}`);
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return parseInput(match, { headers, body: bytes });
}

const create = (over: object) =>
  parse('POST /2015-03-31/functions', {
    FunctionName: 'hello',
    Role: 'arn:aws:iam::123456789012:role/r',
    Code: { ZipFile: 'UEs=' },
    ...over,
  });

describe('what is read', () => {
  test('members of the body, converted', () => {
    const { Code, ...rest } = create({ Timeout: 3, Publish: true, Tags: { team: 'a' }, Layers: null, Unknown: 5 });
    expect(rest).toEqual({
      FunctionName: 'hello',
      Role: 'arn:aws:iam::123456789012:role/r',
      Timeout: 3,
      Publish: true,
      Tags: { team: 'a' },
    });
    expect(Code).toEqual({ ZipFile: Buffer.from('PK') });
  });

  test('labels, and repeated members of the query', () => {
    const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:hello';
    const input = parse(`DELETE /2017-03-31/tags/${encodeURIComponent(arn)}?tagKeys=a&tagKeys=b%2Fc`);
    expect(input).toEqual({ Resource: arn, TagKeys: ['a', 'b/c'] });
  });

  test('numbers, booleans and times of the query', () => {
    const line = 'GET /2025-12-01/functions/f/durable-executions?ReverseOrder=true&MaxItems=7&StartedAfter=';
    expect(parse(`${line}2026-11-22T01:02:03Z`)).toEqual({
      FunctionName: 'f',
      ReverseOrder: true,
      MaxItems: 7,
      StartedAfter: new Date('2026-11-22T01:02:03Z'),
    });
  });

  test('headers, and a body that is raw bytes', () => {
    const line = 'POST /2021-11-15/functions/f/response-streaming-invocations';
    const input = parse(line, Buffer.from([1, 2]), { 'x-amz-log-type': 'Tail' });
    expect(input).toEqual({ FunctionName: 'f', LogType: 'Tail', Payload: Buffer.from([1, 2]) });
  });

  test('times of the body are seconds', () => {
    const body = { FunctionName: 'f', StartingPositionTimestamp: 1.5 };
    expect(parse('POST /2015-03-31/event-source-mappings', body)).toEqual({
      FunctionName: 'f',
      StartingPositionTimestamp: new Date(1500),
    });
  });

  test('a missing body is an empty one', () => {
    expect(parse('POST /2015-03-31/functions/f/versions')).toEqual({ FunctionName: 'f' });
  });

  test('the body cannot set what travels elsewhere', () => {
    expect(parse('PUT /2015-03-31/functions/f/configuration', { FunctionName: 'g' })).toEqual({ FunctionName: 'f' });
  });

  test('a key with a meaning in JavaScript is a key like others', () => {
    const input = create({ Tags: JSON.parse('{"__proto__":"x"}') });
    expect(Object.entries(Object(input['Tags']))).toEqual([['__proto__', 'x']]);
    expect(() => parse('POST /2015-03-31/functions', '{"__proto__":{"FunctionName":"a"}}')).toThrow(/'functionName'/);
  });
});

const arnPattern = '(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()';

/** Texts as AWS has them on record, where it has; @see docs of the constraint functions for the rest. */
test.each<[reason: string, over: object, message: string]>([
  ['a missing member', { Role: null }, "Value null at 'role' failed to satisfy constraint: Member must not be null"],
  [
    'a text that is too long',
    { Description: 'a'.repeat(257) },
    `Value '${'a'.repeat(257)}' at 'description' failed to satisfy constraint: Member must have length less than or equal to 256`,
  ],
  [
    'a number below its range',
    { MemorySize: 127 },
    "Value '127' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128",
  ],
  [
    'a number that no integer holds',
    { Timeout: 99999999999 },
    "Value '99999999999' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 5400",
  ],
  [
    'a value outside an enum',
    { PackageType: 'Tar' },
    "Value 'Tar' at 'packageType' failed to satisfy constraint: Member must satisfy enum value set: [Zip, Image]",
  ],
  [
    'a pattern; only the first letter of a name is lowered',
    { KMSKeyArn: 'x' },
    `Value 'x' at 'kMSKeyArn' failed to satisfy constraint: Member must satisfy regular expression pattern: ${arnPattern}`,
  ],
  [
    'a member of a member',
    { Code: { S3Bucket: 'ab.' } },
    "Value 'ab.' at 'code.s3Bucket' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9A-Za-z\\.\\-_]*(?<!\\.)",
  ],
  [
    'an entry of a list: the list is named, with all that an entry must be',
    { Architectures: ['x86'] },
    "Value '[x86]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
  ],
  [
    'a null in a list',
    { Architectures: [null] },
    "Value '[null]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
  ],
  [
    'a list that is too long',
    { Architectures: ['x86_64', 'arm64'] },
    "Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1",
  ],
  [
    'a member of an entry',
    {
      FileSystemConfigs: [
        {
          Arn: `arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-${'0'.repeat(17)}`,
          LocalMountPath: '/x',
        },
      ],
    },
    "Value '/x' at 'fileSystemConfigs.1.member.localMountPath' failed to satisfy constraint: Member must satisfy regular expression pattern: /mnt/[a-zA-Z0-9-_.]+",
  ],
  [
    'a key of a sensitive map: the value is not shown',
    { Environment: { Variables: { A: 'secret' } } },
    "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
  ],
  [
    'a value of a map',
    { Tags: { a: 'b#', c: 'd' } },
    "Value '{a=b#, c=d}' at 'tags' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: ([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*), Member must not be null]",
  ],
])('ValidationException: %s', (_reason, over, message) => {
  const error = { code: 'ValidationException', status: 400, message: `1 validation error detected: ${message}` };
  expect(() => create(over)).toThrow(expect.objectContaining(error));
});

test('a double is shown with a point', () => {
  const body = { FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: { 2: 2 } } };
  expect(() => parse('PUT /2015-03-31/functions/f/aliases/live', body)).toThrow(
    "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
  );
});

test('several violations are counted and joined; of one value the pattern comes first', () => {
  const message = [
    "3 validation errors detected: Value '-$' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
    `Value '${'x'.repeat(1025)}' at 'functionVersion' failed to satisfy constraint: Member must satisfy regular expression pattern: (\\$LATEST(\\.PUBLISHED)?|[0-9]+)`,
    `Value '${'x'.repeat(1025)}' at 'functionVersion' failed to satisfy constraint: Member must have length less than or equal to 1024`,
  ].join('; ');
  const body = { Name: '-$', FunctionVersion: 'x'.repeat(1025) };
  expect(() => parse('POST /2015-03-31/functions/f/aliases', body)).toThrow(message);
});

test('a long value is cut in the message', () => {
  expect(() => create({ Description: 'a'.repeat(1_000_000) })).toThrow(/^.{4000,4500}$/);
});

test('a name so long that the regular expression would overflow the stack', () => {
  const Environment = { Variables: { ['A'.repeat(30_000_000)]: 'x' } };
  expect(() => create({ Environment })).toThrow(expect.objectContaining({ code: 'ValidationException' }));
});

test('the runtime is refused last, by an exception of Lambda’s own', () => {
  const text =
    /^Value x at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \[.*\] or be a valid ARN$/;
  expect(() => create({ Runtime: 'x' })).toThrow(
    expect.objectContaining({ code: 'InvalidParameterValueException', message: expect.stringMatching(text) }),
  );
  expect(() => create({ Runtime: 'x', Timeout: 0 })).toThrow(expect.objectContaining({ code: 'ValidationException' }));
});

test.each<[reason: string, body: unknown, message: string | RegExp]>([
  ['a text for a number', { Timeout: '3' }, 'STRING_VALUE can not be converted to an Integer'],
  ['a boolean for a number', { Timeout: true }, 'TRUE_VALUE can not be converted to an Integer'],
  ['a fraction for an integer', { Timeout: 1.5 }, 'NUMBER_VALUE can not be converted to an Integer'],
  ['a number for a text', { FunctionName: 1 }, 'NUMBER_VALUE can not be converted to a String'],
  ['a list for a text', { FunctionName: ['x'] }, 'Start of list found where not expected'],
  ['an object for a text', { FunctionName: {} }, 'Start of structure or map found where not expected.'],
  ['a text for a list', { Layers: 'x' }, 'Expected list or null'],
  ['an object for a list', { Layers: {} }, 'Start of structure or map found where not expected.'],
  ['a text for a structure', { Code: 'x' }, 'Expected null'],
  ['a list for a structure', { Code: [] }, 'Start of list found where not expected'],
  [
    'a number in a map of texts',
    { Environment: { Variables: { AB: 1 } } },
    'NUMBER_VALUE can not be converted to a String',
  ],
  ['a list for the whole', [], 'Start of list found where not expected'],
  ['null for the whole', 'null', 'The request body is not a JSON object.'],
  ['what is not JSON', '{"a":', /^Could not parse request body into json: /],
  ['what is not base64', { Code: { ZipFile: 'UE*=' } }, 'The blob is not valid base64.'],
])('SerializationException: %s', (_reason, body, message) => {
  const error = { code: 'SerializationException', status: 400 };
  const text = typeof message === 'string' ? message : expect.stringMatching(message);
  expect(() => parse('POST /2015-03-31/functions', body)).toThrow(expect.objectContaining({ ...error, message: text }));
});

test('types are looked at before bounds', () => {
  expect(() => create({ FunctionName: '', Timeout: 'x' })).toThrow(
    expect.objectContaining({ code: 'SerializationException' }),
  );
});

test('a number of the query that is none', () => {
  expect(() => parse('GET /2015-03-31/functions?MaxItems=x')).toThrow(
    'STRING_VALUE can not be converted to an Integer',
  );
});

test('every path of the model leads to an operation with these members', () => {
  for (const { input, path } of lambdaModel.operations.values())
    for (const [, label] of path.matchAll(/\{(\w+)\}/g))
      expect(input.members.find(({ wireName, location }) => location === 'uri' && wireName === label)).toBeDefined();
});
