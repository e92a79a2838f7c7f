import { expect } from '@jest/globals';

import { eventually } from '../../e2e/src/eventually.ts';
import type { TestFunction, TestOutcome, TestPod } from '../nodejs/testing.ts';
import type { Column } from './columns.ts';

/** What a case works with. */
export interface Bench {
  readonly column: Column;
  /** Calls the function in the pod that all cases share. `event` is a value, or JSON text. */
  readonly call: (event: object | string, head?: Readonly<Record<string, unknown>>) => Promise<TestOutcome>;
  /** What the shared pod logs about an invocation, from its START to its END. */
  readonly logged: (requestId: string) => Promise<string>;
  /** Folder of the shared pod's code. */
  readonly taskRoot: () => string;
  /** Folder of its layers. */
  readonly optRoot: () => string;
  /** Whether its `/tmp` is another folder, which TMPDIR names then. */
  readonly hasOwnTmp: () => boolean;
  /** A pod of the case's own, with the function in it. */
  readonly alone: (change: Partial<TestFunction>) => Promise<TestPod>;
  /** A pod of the case's own that waits for its function. */
  readonly generic: () => Promise<TestPod>;
  /** Puts the function into it. */
  readonly claim: (pod: TestPod, change: Partial<TestFunction>) => Promise<void>;
}

/** One row: what every runtime must do. */
export interface Case {
  /** Its name in docs/runtimes.md and among the tests. */
  readonly title: string;
  readonly check: (bench: Bench) => Promise<void>;
  /** What its cells in docs/runtimes.md say; absent = yes. */
  readonly cell?: (column: Column) => string;
}

/** Largest payload of a synchronous call, bytes: 6 MB and what Lambda allows for its own envelope. */
const payloadBytes = 6_291_556;
const text = 'Zoë ☃ 𝄞 "quoted" \\ \u2028 日本語';

/** Variables that the platform gives to every function; shells add some of their own. */
const everywhere = [
  ...[
    'AWS_DEFAULT_REGION',
    'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
    'AWS_LAMBDA_FUNCTION_NAME',
    'AWS_LAMBDA_FUNCTION_VERSION',
  ],
  ...[
    'AWS_LAMBDA_INITIALIZATION_TYPE',
    'AWS_LAMBDA_LOG_FORMAT',
    'AWS_LAMBDA_LOG_GROUP_NAME',
    'AWS_LAMBDA_LOG_STREAM_NAME',
  ],
  ...['AWS_LAMBDA_RUNTIME_API', 'AWS_REGION', 'AWS_XRAY_CONTEXT_MISSING', 'AWS_XRAY_DAEMON_ADDRESS', 'COLOUR'],
  ...['LAMBDA_RUNTIME_DIR', 'LAMBDA_TASK_ROOT', 'LANG', 'LD_LIBRARY_PATH', 'PATH', 'TZ', '_HANDLER'],
];
const shells = ['PWD', 'OLDPWD', 'SHLVL', '_', '_X_AMZN_TRACE_ID'];

const resultOf = ({ head, text: json }: TestOutcome): unknown => {
  expect({ kind: head.kind, text: head.kind === 'error' ? json : '' }).toEqual({ kind: 'response', text: '' });
  return JSON.parse(json);
};

/** The answer to a failed call, and that the platform says the same about it. */
function failureOf({ head, text: json, report }: TestOutcome): { errorType: string; errorMessage: string } {
  expect({ kind: head.kind, errorType: head.errorType }).toEqual({ kind: 'error', errorType: report.errorType });
  return JSON.parse(json);
}

const onlyOne = (pids: readonly number[]): readonly number[] | undefined => (pids.length === 1 ? pids : undefined);

/** The rows of docs/runtimes.md, in order. */
export const cases: readonly Case[] = [
  {
    title: 'echo',
    check: async ({ call }) => {
      const event = { do: 'echo', list: [1, 2.5, null, true, { deep: [] }] };
      expect(resultOf(await call(event))).toEqual(event);
    },
  },
  {
    title: 'unicode',
    check: async ({ call }) => {
      const event = { do: 'echo', text, [text]: 1 };
      expect(resultOf(await call(event))).toEqual(event);
    },
  },
  {
    title: 'context',
    check: async ({ call, taskRoot }) => {
      const requestId = '5b1f7c1e-0000-4000-8000-000000000042';
      const clientContext = JSON.stringify({ custom: { name: 'Zoë' } });
      const told = resultOf(await call({ do: 'context' }, { requestId, clientContext })) as { remainingMs: number };
      expect(told).toMatchObject({
        requestId,
        functionName: 'my-function',
        functionVersion: '$LATEST',
        memory: 128,
        arn: 'arn:aws:lambda:us-east-1:000000000000:function:my-function',
        logGroup: '/aws/lambda/my-function',
        logStream: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
        caller: 'Zoë',
        folder: taskRoot(),
      });
      expect(told.remainingMs).toBeGreaterThan(0);
      expect(told.remainingMs).toBeLessThanOrEqual(20_000);
    },
  },
  {
    title: 'environment',
    check: async ({ call, column, taskRoot, hasOwnTmp }) => {
      const environment = resultOf(await call({ do: 'environment' })) as Record<string, string>;
      const names = Object.keys(environment).filter((name) => !shells.includes(name));
      expect(names.toSorted()).toEqual(
        [...everywhere, ...(hasOwnTmp() ? ['TMPDIR'] : []), ...column.environment].toSorted(),
      );
      expect(environment).toMatchObject({ COLOUR: 'blü', LAMBDA_TASK_ROOT: taskRoot(), _HANDLER: column.handler });
    },
  },
  {
    title: 'exception, and the next call',
    cell: ({ thrown }) => `\`${thrown}\``,
    check: async ({ call, column }) => {
      const failed = await call({ do: 'throw' });
      expect(failureOf(failed)).toMatchObject({ errorType: column.thrown, errorMessage: 'on purpose: ü' });
      if (column.trace !== null) expect(JSON.parse(failed.text)[column.trace].length).toBeGreaterThan(0);
      expect(failed.report).toMatchObject({ status: 'error', reusable: true });
      expect(resultOf(await call({ do: 'echo' }))).toEqual({ do: 'echo' });
    },
  },
  {
    title: 'payloads of 6 MB',
    check: async ({ call }) => {
      const rest = '{"do":"echo","text":""}'.length;
      const event = `{"do":"echo","text":"${'x'.repeat(6 * 1024 * 1024 - rest)}"}`;
      const answer = resultOf(await call(event)) as { text: string };
      expect(answer.text.length).toBe(6 * 1024 * 1024 - rest);
    },
  },
  {
    title: 'the largest answer, and one above the limit',
    check: async ({ call, alone }) => {
      expect((await call({ do: 'large', bytes: payloadBytes })).text.length).toBe(payloadBytes);
      const { head } = await (await alone({})).invoke(JSON.stringify({ do: 'large', bytes: payloadBytes + 1 }));
      expect(head).toMatchObject({ kind: 'error', errorType: 'Function.ResponseSizeTooLarge' });
    },
  },
  {
    title: 'logs',
    check: async ({ call, logged }) => {
      const { report } = await call({ do: 'log' });
      expect(report.status).toBe('success');
      const log = await logged(report.requestId);
      expect(log).toContain('printed ü\n');
      expect(log).toContain('to standard error\n');
    },
  },
  {
    title: 'layers',
    check: async ({ call, column, optRoot }) => {
      expect(resultOf(await call({ do: 'layer' }))).toBe('from a layer');
      const environment = resultOf(await call({ do: 'environment' })) as Record<string, string>;
      const folders = { PATH: 'bin', LD_LIBRARY_PATH: 'lib', ...column.layerFolders };
      for (const [name, folder] of Object.entries(folders))
        expect(environment[name]?.split(':')).toContain(`${optRoot()}/${folder}`);
    },
  },
  {
    title: 'a wrapper script',
    cell: ({ fresh }) => (fresh === null ? 'no effect' : 'yes'),
    check: async ({ column, generic, claim }) => {
      const pod = await generic();
      const layers = [{ wrapper: '#!/bin/sh\nWRAPPED=yes exec "$@"\n' }];
      await claim(pod, { layers, environment: { AWS_LAMBDA_EXEC_WRAPPER: `${pod.optRoot}/wrapper` } });
      const environment = resultOf(await pod.invoke('{"do":"environment"}')) as Record<string, string>;
      expect(environment['WRAPPED']).toBe(column.fresh === null ? undefined : 'yes');
    },
  },
  {
    title: 'a variable that needs a new process',
    cell: ({ fresh }) => (fresh === null ? 'always new' : `\`${fresh.name}\``),
    check: async ({ column: { fresh }, generic, claim }) => {
      for (const variable of [{ name: 'ORDINARY', value: '1' }, ...(fresh === null ? [] : [fresh])]) {
        const pod = await generic();
        const before = fresh === null ? [] : await eventually('a process waits', async () => onlyOne(pod.children));
        await claim(pod, { environment: { [variable.name]: variable.value } });
        const environment = resultOf(await pod.invoke('{"do":"environment"}')) as Record<string, string>;
        expect(environment[variable.name]).toBe(variable.value);
        const isSame = fresh !== null && variable !== fresh;
        if (isSame) expect(pod.children).toEqual(before);
        else expect(pod.children).not.toEqual(before);
      }
    },
  },
  {
    title: '/tmp',
    check: async ({ call }) => {
      expect(resultOf(await call({ do: 'tmp' }))).toBe(1);
      expect(resultOf(await call({ do: 'tmp' }))).toBe(2);
    },
  },
  {
    title: 'calls one after the other in one process, without growth',
    cell: ({ calls }) => String(calls),
    check: async ({ call, column: { calls } }) => {
      const memory: number[] = [];
      for (let n = 1; n <= calls; n++) {
        const { text: answer, report } = await call({ do: 'count' });
        expect(answer.trim()).toBe(String(n));
        memory.push(report.maxMemoryMiB);
      }
      expect(memory[calls - 1]).toBeLessThan((memory[calls / 2] ?? 0) + 32);
    },
  },
  {
    title: 'init failure',
    cell: ({ initError }) => `\`${initError.errorType}\``,
    check: async ({ column, alone }) => {
      const pod = await alone({ environment: { INIT: 'fail' } });
      const { errorType, errorMessage } = failureOf(await pod.invoke('{}'));
      expect(errorType).toBe(column.initError.errorType);
      expect(errorMessage).toMatch(column.initError.message);
    },
  },
  {
    title: 'exit during init',
    check: async ({ alone }) => {
      const pod = await alone({ environment: { INIT: 'exit' } });
      const errorMessage = expect.stringMatching(/^RequestId: .* Error: Runtime exited with error: exit status 3$/);
      expect(failureOf(await pod.invoke('{}'))).toEqual({ errorType: 'Runtime.ExitError', errorMessage });
    },
  },
  {
    title: 'exit during a call',
    check: async ({ alone }) => {
      const pod = await alone({});
      const errorMessage = expect.stringMatching(/^RequestId: .* Error: Runtime exited with error: exit status 3$/);
      expect(failureOf(await pod.invoke('{"do":"exit"}'))).toEqual({ errorType: 'Runtime.ExitError', errorMessage });
    },
  },
  {
    title: 'time-out',
    check: async ({ alone }) => {
      const pod = await alone({ timeoutMs: 1_000 });
      const errorMessage = expect.stringMatching(/^RequestId: .* Error: Task timed out after 1\.00 seconds$/);
      expect(failureOf(await pod.invoke('{"do":"sleep"}'))).toEqual({ errorType: 'Sandbox.Timedout', errorMessage });
    },
  },
];
