import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { type LocalColumn, localColumns } from '../cases/columns.ts';
import { compileJava } from '../cases/java.ts';
import { type TestFunction, TestPod } from '../nodejs/testing.ts';
import type { TestFiles } from '../nodejs/zip.ts';

/*
 * What only Java has; what all languages share is in runtime-images/cases. Without a JDK there is nothing to test: a machine of CI has one
 * (cases.test.ts).
 */

const java = (await localColumns()).filter(({ title }) => title.startsWith('Java'));

const pods: TestPod[] = [];
afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.stop()));
});

async function claimed({ runtime, interpreter }: LocalColumn, fn: TestFunction): Promise<TestPod> {
  const pod = await TestPod.start(runtime, interpreter);
  pods.push(pod);
  await pod.claim(fn);
  return pod;
}

test('a machine of CI has it', () => {
  expect(java.length > 0 || process.env['CI'] === undefined).toBe(true);
});

for (const column of java)
  describe(`Java ${column.version}`, () => {
    let files: TestFiles;
    beforeAll(async () => {
      files = await compileJava('java/Handlers.java');
    }, 60_000);
    const call = async (handler: string, event: string, more: Partial<TestFunction> = {}) =>
      (await claimed(column, { files, handler, ...more })).invoke(event);

    test.each<[handler: string, event: string, answer: string]>([
      ['Handlers$Typed', '{"name":"Zoë"}', '{"greeting":"Hello, Zoë"}'],
      ['Handlers$Streams', '"as it is"', '"as it is"'],
      ['Handlers::method', '{"a":1}', '1'],
      ['Handlers::text', '"x"', '"x!"'],
    ])('handler %s', async (handler, event, answer) => {
      expect((await call(handler, event)).text).toBe(answer);
    });

    test.each<[reason: string, handler: string, said: RegExp]>([
      ['no such class', 'Missing', /java\.lang\.ClassNotFoundException/],
      ['no such method', 'Handlers::missing', /No public method named missing/],
      ['the class fails', 'Handlers$Fails', /java\.lang\.ExceptionInInitializerError/],
    ])('init: %s', async (_reason, handler, said) => {
      const { head, text } = await call(handler, '{}');
      expect(head.kind).toBe('error');
      expect(text).toMatch(said);
    });

    test('what is thrown is told, and the next call works', async () => {
      const pod = await claimed(column, { files, handler: 'Handlers::cause' });
      for (let n = 0; n < 2; n++) {
        const { text } = await pod.invoke('{}');
        const errorType = 'java.lang.IllegalStateException';
        expect(JSON.parse(text)).toMatchObject({ errorType, errorMessage: 'outer', stackTrace: expect.any(Array) });
      }
    });

    test('options of the JVM work, because a fresh process takes them', async () => {
      const environment = { JAVA_TOOL_OPTIONS: '-Dmine=works', COLOUR: 'blü' };
      expect(JSON.parse((await call('Handlers::settings', '{}', { environment })).text)).toEqual([
        'works',
        'blü',
        0,
        'blü',
      ]);
    });

    test('the waiting JVM takes the environment over', async () => {
      const [, colour, platforms] = JSON.parse(
        (await call('Handlers::settings', '{}', { environment: { COLOUR: 'blü' } })).text,
      );
      expect([colour, platforms]).toEqual(['blü', 0]);
    });

    test('garbage is collected before the function’s memory is full', async () => {
      const { text, report } = await call('Handlers::garbage', '2000', { timeoutMs: 60_000 });
      expect(text).toBe('"done"');
      expect(report.maxMemoryMiB).toBeLessThan(600);
    });

    test('the context’s logger writes lines of the invocation', async () => {
      const pod = await claimed(column, { files, handler: 'Handlers::log', logFormat: 'JSON' });
      await pod.invoke('{}', { requestId: 'r-1' });
      const line = pod.output.split('\n').find((each) => each.includes('logged'));
      expect(JSON.parse(line ?? '{}')).toMatchObject({ level: 'WARN', message: 'logged ü', AWSRequestId: 'r-1' });
    });
  });
