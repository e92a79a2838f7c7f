import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { eventually } from '../../e2e/src/eventually.ts';
import { type LocalColumn, localColumns } from '../cases/columns.ts';
import { compileCsharp } from '../cases/dotnet.ts';
import { type TestFunction, TestPod } from '../nodejs/testing.ts';
import type { TestFiles } from '../nodejs/zip.ts';

/*
 * What only .NET has; what all languages share is in runtime-images/cases. Without .NET there is nothing to test: a machine of CI has it
 * (cases.test.ts).
 */

const dotnet = (await localColumns()).filter(({ title }) => title === '.NET');

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

const runtimeConfig = (properties: object) =>
  JSON.stringify({
    runtimeOptions: {
      tfm: 'net8.0',
      framework: { name: 'Microsoft.NETCore.App', version: '8.0.0' },
      configProperties: properties,
    },
  });

/** What the SDK writes beside an assembly `Handlers` that needs a library `Greeting`. */
function deps(greeting: object): string {
  const target = '.NETCoreApp,Version=v8.0';
  return JSON.stringify({
    runtimeTarget: { name: target },
    targets: { [target]: { 'Handlers/1.0.0': { runtime: { 'Handlers.dll': {} } }, 'Greeting/1.0.0': greeting } },
    libraries: {
      'Handlers/1.0.0': { type: 'project', serviceable: false, sha512: '' },
      'Greeting/1.0.0': { type: 'package', serviceable: true, sha512: '', path: 'greeting/1.0.0' },
    },
  });
}

for (const column of dotnet)
  describe(`.NET ${column.version}`, () => {
    let files: TestFiles;
    let program: TestFiles;
    let library: Buffer | string;
    beforeAll(async () => {
      files = await compileCsharp('Handlers');
      program = await compileCsharp('Executable', ['-target:exe']);
      library = (await compileCsharp('Greeting'))['Greeting.dll'] ?? '';
    }, 120_000);
    const start = (method: string, more: Partial<TestFunction> = {}) =>
      claimed(column, { files, handler: `Handlers::Handlers::${method}`, ...more });
    const call = async (method: string, event: string, more: Partial<TestFunction> = {}) =>
      (await start(method, more)).invoke(event);

    test.each<[method: string, event: string, answer: string]>([
      ['Typed', '{"name":"Zoë"}', '{"Name":"Hello, Zoë"}'],
      ['Streams', '"as it is"', '"as it is"'],
      ['Static', '"x"', '"x!"'],
      ['Async', '{"a":1}', '1'],
      ['NoAnswer', '{}', ''],
      ['Nothing', '{}', ''],
      ['OnlyContext', '{}', '128'],
      ['Inherited', '{}', '"Handlers"'],
      ['System.String Overloaded(Int32)', '7', '"number 7"'],
      ['Brought', '"x"', '<"X" answered>'],
    ])('handler %s', async (method, event, answer) => {
      const { head, text } = await call(method, event);
      expect({ kind: head.kind, text }).toEqual({ kind: 'response', text: answer });
    });

    test.each<[reason: string, handler: string, errorType: string, said: RegExp]>([
      ['no such assembly', 'Missing::A::B', 'LambdaValidationException', /^Could not find .*'Missing, Culture=neutral/],
      ['no such type', 'Handlers::Missing::B', 'LambdaValidationException', /^Unable to load type 'Missing'/],
      [
        'no such method',
        'Handlers::Handlers::Missing',
        'LambdaValidationException',
        /^Unable to find method 'Missing'/,
      ],
      ['overloads', 'Handlers::Handlers::Overloaded', 'LambdaValidationException', /overloads.*\n.*\n/],
      ['async void', 'Handlers::Handlers::AsyncVoid', 'LambdaValidationException', /'async void'/],
      ['three parameters', 'Handlers::Handlers::Three', 'LambdaValidationException', /more than 2 parameters/],
      ['abstract', 'Handlers::Base::OfNobody', 'LambdaValidationException', /is abstract/],
      ['a part is missing', 'Handlers::Handlers', 'LambdaValidationException', /'ASSEMBLY::TYPE::METHOD'/],
      ['no such program', 'Missing', 'LambdaValidationException', /executable assembly .*Missing\.dll .*not found/],
      ['the class fails', 'Handlers::Fails::Handle', 'TypeInitializationException', /'Fails'/],
      ['and cannot be told', 'Handlers::FailsUntold::Handle', 'TargetInvocationException', /target of an invocation/],
    ])('init fails: %s', async (_reason, handler, errorType, said) => {
      const { head, text } = await (await claimed(column, { files, handler })).invoke('{}');
      expect(head.kind).toBe('error');
      expect(JSON.parse(text)).toMatchObject({ errorType, errorMessage: expect.stringMatching(said) });
    });

    test('errors: trace and cause are told, and the next call works', async () => {
      const pod = await start('Cause');
      for (let n = 0; n < 2; n++) {
        const body = JSON.parse((await pod.invoke('{}')).text);
        expect(body).toMatchObject({
          errorType: 'InvalidOperationException',
          errorMessage: 'outer \ufffd',
          cause: { errorType: 'ArgumentException', errorMessage: 'inner ü' },
        });
        expect(body.stackTrace).toHaveLength(2);
        expect(body.stackTrace[1]).toMatch(/^at Handlers\.Cause\(JsonElement given\) in .*Handlers\.cs:line \d+$/);
      }
    });

    test('errors: all of several are told', async () => {
      const { errorType, causes } = JSON.parse((await call('Several', '{}')).text);
      expect(errorType).toBe('AggregateException');
      expect(causes).toMatchObject([{ errorType: 'ArgumentException' }, { errorType: 'FormatException' }]);
    });

    test.each<[reason: string, method: string, want: object]>([
      [
        'that throws when it is asked',
        'Untellable',
        { errorType: 'UntellableException', errorMessage: 'UntellableException' },
      ],
      ['that cannot be logged', 'NoWriter', { errorType: 'FormatException', errorMessage: 'bad' }],
    ])('errors: one %s is an answer all the same, and the next call works', async (_reason, method, want) => {
      const pod = await start(method);
      for (let n = 0; n < 2; n++) {
        const { head, text, report } = await pod.invoke('{}');
        expect({ kind: head.kind, status: report.status }).toEqual({ kind: 'error', status: 'error' });
        expect(JSON.parse(text)).toMatchObject(want);
      }
    });

    test('an event that does not fit fails the call', async () => {
      expect(JSON.parse((await call('Async', '"no object"')).text)).toMatchObject({ errorType: 'JsonException' });
    });

    const settings = async (more: Partial<TestFunction>) => JSON.parse((await call('Settings', '{}', more)).text);

    test('the waiting process takes the environment over', async () => {
      const told = await settings({ environment: { COLOUR: 'blü', TZ: 'Asia/Tokyo' } });
      expect(told).toMatchObject({ colour: 'blü', childs: 'blü', platforms: 0, hour: 9 });
    });

    test.each<[reason: string, environment: Record<string, string>]>([
      ['options of .NET', { DOTNET_TieredCompilation: '0' }],
      ['variables without a value', { EMPTY: '' }],
    ])('%s work, because a fresh process takes them', async (_reason, environment) => {
      const told = await settings({ environment: { ...environment, COLOUR: 'blü' } });
      expect(told).toMatchObject({ colour: 'blü', childs: 'blü', platforms: 0, hour: 0 });
      expect(told.empty ?? null).toBe(environment['EMPTY'] ?? null);
    });

    test.each<[reason: string, properties: object, want: object]>([
      ['the waiting process takes what it can', { 'Mine.Setting': 'works' }, { mine: 'works', invariant: false }],
      [
        'a process of its own takes the rest',
        { 'Mine.Setting': 'works', 'System.Globalization.Invariant': true },
        { mine: 'works', invariant: true },
      ],
    ])('settings of the package: %s', async (_reason, properties, want) => {
      const config = { 'Handlers.runtimeconfig.json': runtimeConfig(properties) };
      const told = await settings({ files: { ...files, ...config }, environment: { COLOUR: 'blü' } });
      expect(told).toMatchObject({ colour: 'blü', platforms: 0, ...want });
    });

    test('an executable assembly runs its own client', async () => {
      const config = { 'Executable.runtimeconfig.json': runtimeConfig({}) };
      const pod = await claimed(column, {
        files: { ...program, ...config },
        handler: 'Executable',
        environment: { COLOUR: 'blue' },
      });
      for (let n = 0; n < 2; n++) expect((await pod.invoke('{}')).text).toBe('"blue Executable"');
    });

    test('libraries are found where deps.json says', async () => {
      const path = 'runtimes/linux-x64/lib/net8.0/Greeting.dll';
      const more = {
        [path]: library,
        'Handlers.deps.json': deps({ runtimeTargets: { [path]: { rid: 'linux-x64', assetType: 'runtime' } } }),
      };
      const { text } = await call('Dependency', '{}', { files: { ...files, ...more } });
      expect(JSON.parse(text)).toEqual({ text: 'from a library', apart: true });
    });

    test.each([
      ['', {}],
      [' by a process of the function’s own', { 'Handlers.runtimeconfig.json': runtimeConfig({}) }],
    ])('libraries are found in the store of a layer%s', async (_how, config) => {
      const pod = await TestPod.start(column.runtime, column.interpreter);
      pods.push(pod);
      const path = 'lib/net8.0/Greeting.dll';
      await pod.claim({
        files: { ...files, ...config, 'Handlers.deps.json': deps({ runtime: { [path]: {} } }) },
        handler: 'Handlers::Handlers::Dependency',
        layers: [{ [`dotnetcore/store/x64/net8.0/greeting/1.0.0/${path}`]: library }],
        environment: { DOTNET_SHARED_STORE: join(pod.taskRoot, '../opt/dotnetcore/store') },
      });
      expect(JSON.parse((await pod.invoke('{}')).text)).toEqual({ text: 'from a library', apart: true });
    });

    test('garbage is collected before the function’s memory is full', async () => {
      const { text, report } = await call('Garbage', '2000');
      expect(text).toBe('"done"');
      expect(report.maxMemoryMiB).toBeLessThan(250);
    });

    test('a heap that outgrows the function’s memory is an error of the call', async () => {
      expect(JSON.parse((await call('TooMuch', '{}')).text)).toMatchObject({ errorType: 'OutOfMemoryException' });
    });

    test('log lines have time, request id and level', async () => {
      const pod = await start('Log');
      await pod.invoke('{}', { requestId: 'r-1' });
      const log = await eventually('the log', async () => /START[\s\S]*END/.exec(pod.output)?.[0]);
      expect(log).toMatch(/^as it is$/m);
      for (const line of ['info\t2 lines', 'info\tplain ü', 'warn\tby its name', 'warn\t3 of \\["a"\\]', 'static'])
        expect(log).toMatch(new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\\tr-1\\t${line}$`, 'm'));
      expect(log).toMatch(/\tfail\twith an error\nSystem\.FormatException: bad$/m);
      expect(log).not.toContain('hidden');
    });

    test('log lines are JSON where the function wants them so', async () => {
      const pod = await start('Log', { logFormat: 'JSON' });
      await pod.invoke('{}', { requestId: 'r-1' });
      const lines = (await pod.stop())
        .split('\n')
        .filter((line) => line.startsWith('{') && !line.includes('"platform.'));
      pods.length = 0;
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { level: 'Information', message: '2 lines', requestId: 'r-1', timestamp: expect.stringMatching(/Z$/) },
        { level: 'Information', message: 'plain ü' },
        { level: 'Warning', message: 'by its name' },
        { level: 'Warning', message: '3 of ["a"]', count: 3, what: ['a'] },
        { level: 'Error', message: 'with an error', errorType: 'System.FormatException', errorMessage: 'bad' },
        { level: 'Information', message: 'static' },
      ]);
    });
  });
