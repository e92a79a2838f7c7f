import { expect, test } from '@jest/globals';

import { lambdaModel } from './model.ts';
import { matchOperation } from './router.ts';

const labels: Readonly<Record<string, string>> = {
  FunctionName: 'arn:aws:lambda:eu-west-1:123456789012:function:hello:live',
  DurableExecutionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:f:1/durable-execution/name/id',
};

const filled = (path: string) =>
  path.replaceAll(/\{(\w+)\}/g, (_whole, name) => encodeURIComponent(labels[name] ?? 'a/b c%?ü'));

test.each([...lambdaModel.operations])('%s is found by its path, labels decoded', (name, operation) => {
  const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, label = '']) => label);
  const match = matchOperation(operation.method, filled(operation.path));
  expect(match?.operation.name).toBe(name);
  expect(match?.labels).toEqual(Object.fromEntries(names.map((label) => [label, labels[label] ?? 'a/b c%?ü'])));
});

test.each([
  ['a slash at the end is passed over', 'GET', '/2015-03-31/functions/', 'ListFunctions'],
  ['also behind a label', 'GET', '/2015-03-31/functions/hello/', 'GetFunction'],
  ['also before a query', 'GET', '/2015-03-31/event-source-mappings/?MaxItems=1', 'ListEventSourceMappings'],
  ['a constant of the query decides', 'GET', '/2018-10-31/layers?Arn=x&find=LayerVersion', 'GetLayerVersionByArn'],
  ['without it the other one is meant', 'GET', '/2018-10-31/layers?find=x', 'ListLayers'],
  ['colons need no encoding', 'GET', '/2017-03-31/tags/arn:aws:lambda:r:1:function:f', 'ListTags'],
  ['a label may be a word of another path', 'GET', '/2015-03-31/functions/configuration', 'GetFunction'],
])('matchOperation: %s', (_reason, method, target, name) => {
  expect(matchOperation(method, target)?.operation.name).toBe(name);
});

test.each([
  ['another date', 'GET', '/2015-04-01/functions'],
  ['another method', 'PATCH', '/2015-03-31/functions'],
  ['HEAD, which AWS does not have', 'HEAD', '/2015-03-31/functions/hello'],
  ['a path that goes on', 'GET', '/2015-03-31/functions/hello/configuration/more'],
  ['a path that stops early', 'GET', '/2015-03-31'],
  ['an empty label', 'GET', '/2015-03-31/functions//configuration'],
  ['two slashes at the end', 'GET', '/2015-03-31/functions//'],
  ['an encoded slash between segments', 'GET', '/2015-03-31%2Ffunctions'],
  ['the root', 'GET', '/'],
  ['nothing', 'GET', ''],
  ['a name of JavaScript', 'GET', '/__proto__/constructor'],
])('matchOperation finds nothing for %s', (_reason, method, target) => {
  expect(matchOperation(method, target)).toBeNull();
});

test('a label that does not decode is the caller’s fault', () => {
  expect(() => matchOperation('GET', '/2015-03-31/functions/%zz')).toThrow(
    expect.objectContaining({ code: 'SerializationException', status: 400 }),
  );
});
